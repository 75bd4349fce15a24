/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * SIP (RFC 3261): messages as they stand in their octets, how they are cut out of a stream, what
 * follows from them, transactions, dialogs, calls. Pure; no I/O, no clock.
 */
#ifndef GH_SIP_SIP_H
#define GH_SIP_SIP_H

#include "sip/access.h"
#include "sip/build.h"
#include "sip/call.h"
#include "sip/dialog.h"
#include "sip/digest.h"
#include "sip/edit.h"
#include "sip/frame.h"
#include "sip/message.h"
#include "sip/proxy.h"
#include "sip/reginfo.h"
#include "sip/register.h"
#include "sip/sdp.h"
#include "sip/text.h"
#include "sip/txn.h"
#include "sip/ua.h"
#include "sip/uri.h"

#endif
