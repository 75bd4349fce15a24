/* SPDX-License-Identifier: Apache-2.0 */
/** @file Requests of a UE that has registered and down to it, and the answer that opens a dialog.
 */
#ifndef GH_TESTS_EDGE_REQUEST_STAGE_H
#define GH_TESTS_EDGE_REQUEST_STAGE_H

#include "stage.h"

#define UP(method, from, lines)                                                                    \
	method " sip:bob@example SIP/2.0\n"                                                        \
	       "Via: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1;rport\n"                            \
	       "From: <" from ">;tag=1\nTo: <sip:bob@example>\nCall-ID: c1\nCSeq: 1 " method       \
	       "\nMax-Forwards: 70\n"                                                              \
	       "Contact: <sip:alice@10.0.0.1:5061;transport=tls>\n" lines
#define DOWN(method, route, lines)                                                                 \
	method " sip:alice@10.0.0.1:5061;transport=tls SIP/2.0\n"                                  \
	       "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"                                      \
	       "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>\nCall-ID: c2\nCSeq: "       \
	       "1 " method "\nMax-Forwards: 70\nRoute: <" route ">\n" lines
#define IN_DIALOG(method, from, to, lines)                                                         \
	method " sip:x@core.example SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"          \
	       "From: <" from ">;tag=1\nTo: <" to ">;tag=2\nCall-ID: c1\nCSeq: 2 " method          \
	       "\nMax-Forwards: 70\n" lines

/** Alice on flow 1, its path. */
const char *registered(struct stage *s);
/**
 * The INVITE is answered by who stands behind `more` Record-Routes: ours as the UE finds them, of
 * the core's side and of its own.
 */
void answered(struct stage *s, unsigned count, const char *more, const char *rr[2]);

#endif
