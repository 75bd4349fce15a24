/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * INVITE sessions (RFC 3261, 13 to 15), from both ends: offers and answers are octets that pass
 * through. Repetitions of a 2xx, ACKs, CANCEL that crosses an answer, forks that answer second,
 * two that offer at a time (491), session timers (RFC 4028) and challenges are done here.
 *
 * A call is over with its SIP_CALL_OVER, which comes once for each and is its last event; the
 * pointer is dead after it. What its dialog still owes to the network is done behind the scenes.
 */
#ifndef GH_SIP_CALL_H
#define GH_SIP_CALL_H

#include "sip/ua.h"

enum sip_call_what {
	SIP_CALL_INCOMING, /**< a call: body = offer, or none. Accept, or end it */
	SIP_CALL_PROGRESS, /**< 1xx to ours; not 100. A body is what the answer will be */
	SIP_CALL_ANSWERED, /**< 2xx to ours, ACKed: body = answer to our offer */
	SIP_CALL_ASKED,    /**< 2xx to ours, which had no offer: body = offer. sip_call_accept it */
	SIP_CALL_CONFIRMED, /**< ACK of what was accepted; body = answer, where that was an offer */
	SIP_CALL_OFFERED,   /**< re-INVITE or UPDATE: body = offer, or none: one is wanted of us.
	                         sip_call_accept or sip_call_decline */
	SIP_CALL_WITHDRAWN, /**< that offer was cancelled before an answer */
	SIP_CALL_AGREED,    /**< 2xx to an offer of ours: body = answer */
	SIP_CALL_DECLINED,  /**< another final answer to it: the session is as before. 491: the peer
	                         offers at the same time and goes first; offer again after it */
	SIP_CALL_OVER,      /**< see `why` */
};

enum sip_call_why {
	SIP_WHY_OURS,      /**< we have ended it */
	SIP_WHY_BYE,       /**< the peer has hung up */
	SIP_WHY_CANCELLED, /**< the peer has cancelled */
	SIP_WHY_REFUSED, /**< our INVITE had this status; 408, 503 without `msg`: nobody answered */
	SIP_WHY_NO_ACK,  /**< what we accepted was never ACKed */
	SIP_WHY_EXPIRED, /**< nobody has refreshed the session (RFC 4028, 10) */
	SIP_WHY_GONE,    /**< a request in it got no answer, 408 or 481 (12.2.1.2) */
};

/** All borrowed. */
struct sip_call_event {
	enum sip_call_what what;
	struct sip_call *call;
	void *user;                    /**< NULL until sip_call_user_set, or as of sip_call_start */
	const struct sip_message *msg; /**< that brought it; NULL = none did */
	struct base_str type, body;    /**< its Content-Type without blanks around, and body */
	unsigned status;               /**< of a response */
	enum sip_call_why why;         /**< SIP_CALL_OVER */
};

/** Why a call is ended, as the peer shall see it (RFC 3326): `Reason: SIP;cause=488;text="..."` */
struct sip_cause {
	const char *protocol; /**< "SIP", "Q.850" */
	unsigned cause;
	const char *text; /**< NULL = none */
};

/** A call of ours. All borrowed. */
struct sip_call_setup {
	struct base_str target;        /**< the Request-URI */
	struct base_str from, to;      /**< name-addr without tags; empty `to` = `<target>` */
	const struct base_str *routes; /**< elements of Route, as the Service-Route has them */
	size_t route_count;
	const char *contact;        /**< a URI instead of the flow's own; NULL = that */
	const char *contact_params; /**< ";isfocus"; NULL = none */
	struct sip_content content; /**< body = offer; none: SIP_CALL_ASKED brings one */
};

/** Its INVITE is sent; events come later. @return 0; BASE_LOCAL (503: too many calls) */
int sip_call_start(struct sip_call **ret, struct sip_ua *ua, const struct sip_call_setup *setup,
                   void *user);

/** 101 to 199 to a call that came in. @return 0; BASE_BUG in another state; BASE_LOCAL */
int sip_call_progress(struct sip_call *call, unsigned status, const struct sip_content *content);
/**
 * Accept what waits for it: a call, an offer in it, the offer of an answer. The 2xx or ACK has
 * this content. @return as above
 */
int sip_call_accept(struct sip_call *call, const struct sip_content *content);
/** 300 to 699 to an offer within a call: the session stays as it was. To a call that comes in: as
 * sip_call_end, with lines (Warning, Contact) and a body. @return as above */
int sip_call_decline(struct sip_call *call, unsigned status, const struct sip_content *content);
/**
 * Offer anew (re-INVITE, 14).
 * @return 0; BASE_AGAIN when an exchange is under way or the call is not up; BASE_LOCAL
 */
int sip_call_offer(struct sip_call *call, const struct sip_content *content);
/**
 * End it as its state wants: refused with `status` (300 to 699; 0 = 480), CANCEL, BYE.
 * SIP_CALL_OVER comes later, when the peer has answered or its time is over. More than once is
 * fine, the first reason counts.
 *
 * @param cause  may be NULL
 */
void sip_call_end(struct sip_call *call, unsigned status, const struct sip_cause *cause);

void *sip_call_user(const struct sip_call *call);
void sip_call_user_set(struct sip_call *call, void *user);
/** The Contact of our answers and later requests: copied. For calls that come in, before anything
 * else. @return 0, or BASE_LOCAL */
int sip_call_contact_set(struct sip_call *call, const char *uri, const char *params);
/** "offered", "up": its state's name, for logs. */
const char *sip_call_state(const struct sip_call *call);
struct base_str sip_call_id(const struct sip_call *call);

/** `Reason: ...` with its CRLF. Words that would break the line are left out. */
void sip_cause_write(struct base_writer *w, const struct sip_cause *cause);
/** The first Reason of a message (RFC 3326, 2), parts borrowed. @return false when it has none */
bool sip_cause_read(const struct sip_message *msg, struct base_str *ret_protocol,
                    unsigned *ret_cause, struct base_str *ret_text);

/** The tables as text, for docs/state-sip.md. */
void sip_call_print(struct base_writer *w);

#endif
