/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * H.248 (Megaco): one header for the other folders. Each part tells its own promises.
 */
#ifndef GH_H248_H
#define GH_H248_H

#include "base/base.h"

#include "h248/addr.h"
#include "h248/assoc.h"
#include "h248/ber.h"
#include "h248/build.h"
#include "h248/codec.h"
#include "h248/digitmap.h"
#include "h248/errors.h"
#include "h248/message.h"
#include "h248/node.h"
#include "h248/package.h"
#include "h248/resolve.h"
#include "h248/sdp.h"
#include "h248/text.h"
#include "h248/transport.h"
#include "h248/txn.h"

#endif
