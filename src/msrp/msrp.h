/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The Message Session Relay Protocol (RFC 4975), with chat rooms (RFC 7701): reading and writing
 * it, and what ends, relays and switches do with it. No sockets, no clock: octets and milliseconds
 * come in, octets go out. Other folders include this header only. docs/msrp.md tells how.
 */
#ifndef GH_MSRP_MSRP_H
#define GH_MSRP_MSRP_H

#include "msrp/b2b.h"
#include "msrp/client.h"
#include "msrp/cpim.h"
#include "msrp/link.h"
#include "msrp/message.h"
#include "msrp/out.h"
#include "msrp/parser.h"
#include "msrp/pool.h"
#include "msrp/ranges.h"
#include "msrp/room.h"
#include "msrp/uri.h"

#endif
