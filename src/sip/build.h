/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Messages that follow from a message: responses, ACK, CANCEL. What the caller adds goes between
 * its begin and sip_body_end, a whole line at a time. What is copied comes from messages without
 * fault, so no line can be smuggled in by a value; a reason, tag or type that would do so fails the
 * writer. All pure.
 */
#ifndef GH_SIP_BUILD_H
#define GH_SIP_BUILD_H

#include "sip/message.h"

/** Where a request came from, for its topmost Via (18.2.1; RFC 3581, 4). */
struct sip_source {
	const char *address; /**< as text, an IPv6 address without brackets; NULL = leave the Via */
	uint16_t port;
};

/**
 * The first lines of a response (8.2.6): Via fields, From, To, Call-ID, CSeq; Record-Route too
 * where the response may make a dialog (12.1.1). Fields that the request lacks are left out.
 *
 * @param reason  NULL = sip_reason
 * @param to_tag  put behind To when it has none and the status is not 100; may be empty
 */
void sip_reply_begin(struct base_writer *w, const struct sip_message *request,
                     const struct sip_source *source, unsigned status, const char *reason,
                     struct base_str to_tag);
/**
 * This Via with `received` (18.2.1), and `rport` where it was asked for (RFC 3581, 4).
 * @return false: nothing is written, for nothing is to be added
 */
bool sip_via_received(struct base_writer *w, const struct sip_via *via,
                      const struct sip_source *source);
/** The last header fields, the empty line, the body. `type` NULL = no body. */
void sip_body_end(struct base_writer *w, const char *type, struct base_str body);

/** The ACK that belongs to the transaction of `invite` and its final response that is no 2xx
 * (17.1.1.3) */
void sip_ack_build(struct base_writer *w, const struct sip_message *invite,
                   const struct sip_message *response);
/** The CANCEL of a request of ours (9.1), with these header lines more (NULL = none); whole. */
void sip_cancel_build(struct base_writer *w, const struct sip_message *request, const char *lines);

#endif
