/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Dialogs (RFC 3261, 12): who talks with whom, by which way, in which order. Pure; whatever it
 * needs of a message it copies.
 */
#ifndef GH_SIP_DIALOG_H
#define GH_SIP_DIALOG_H

#include "sip/message.h"

/** Routes of one dialog; a message with more makes none. */
#define SIP_ROUTES_MAX 32

struct sip_dialog;

/** Our own Via and Contact in a request. All borrowed. */
struct sip_local {
	const char *transport; /**< "TLS" */
	const char *sent_by;   /**< "mrfc.example:5061" */
	const char *branch;    /**< from sip_branch */
	const char *contact;   /**< a URI; NULL = no Contact */
};

/**
 * The dialog that a response of ours to this request makes (12.1.1).
 *
 * @param tag  of our To; copied
 * @return 0; BASE_PEER (400) when the request has no From tag or no Contact that a dialog can have;
 *         BASE_LOCAL
 */
int sip_dialog_served(struct sip_dialog **ret, const struct sip_message *request,
                      struct base_str tag);
/** The dialog that this response makes to a request of ours (12.1.2). @return as above */
int sip_dialog_begun(struct sip_dialog **ret, const struct sip_message *request,
                     const struct sip_message *response);
/** NULL is fine. */
void sip_dialog_free(struct sip_dialog *dialog);

/** Does this message belong to it: Call-ID and both tags? For requests that come and responses to
 * ours. */
bool sip_dialog_has(const struct sip_dialog *dialog, const struct sip_message *msg);
/**
 * A request in it has come: is it in order (12.2.2)? Takes over its number, and its Contact when
 * it refreshes the target (INVITE, UPDATE).
 * @return 0; BASE_PEER with the status it is due (500: out of order); BASE_LOCAL. Not for ACK and
 * CANCEL.
 */
int sip_dialog_request_in(struct sip_dialog *dialog, const struct sip_message *request);
/** A 2xx to an INVITE or UPDATE of ours in it: the target and, the first time, the route set
 * (13.2.2.4). */
int sip_dialog_response_in(struct sip_dialog *dialog, const struct sip_message *response);

/**
 * The first lines of a request in it (12.2.1.1): the next number, or that of the INVITE for an ACK.
 * The caller adds lines and ends with sip_body_end.
 * @return the number
 */
uint32_t sip_dialog_request(struct sip_dialog *dialog, struct base_writer *w, const char *method,
                            const struct sip_local *local);
/** Where the request goes: the first route, else the target (8.1.2). Borrowed from the dialog. */
struct base_str sip_dialog_next_hop(const struct sip_dialog *dialog);
/** Its parts, borrowed. */
struct base_str sip_dialog_call_id(const struct sip_dialog *dialog);
struct base_str sip_dialog_target(const struct sip_dialog *dialog);

#endif
