/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * MIKEY (RFC 3830) and MIKEY-TICKET (RFC 6043): messages read and written, keys derived, tickets
 * made and resolved, and the three ticket exchanges for Initiator, Responder and KMS. No I/O, no
 * global state: the clock, the random octets and the replay cache are the caller's. Everything is
 * reachable from here.
 *
 * Errors of a peer have the class BASE_PEER and, as their detail, the Error no (RFC 3830, 6.12)
 * that an Error message to that peer has to carry.
 */
#ifndef GH_MIKEY_MIKEY_H
#define GH_MIKEY_MIKEY_H

#include "mikey/codec.h"
#include "mikey/derive.h"
#include "mikey/env.h"
#include "mikey/exchange.h"
#include "mikey/keys.h"
#include "mikey/message.h"
#include "mikey/names.h"
#include "mikey/sdp.h"
#include "mikey/ticket.h"
#include "mikey/update.h"

#endif
