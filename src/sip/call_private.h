/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of a call; private to this folder. Invariants:
 * - SIP_CALL_OVER is told from a timer of its own, never from within a function of the owner's.
 * - Each transaction of a peer's whose user is the call is in one of its three slots:
 * sip_call_txn_set.
 * - A call is freed when that has been told and no request or transaction knows it any more: not
 *   within an event.
 */
#ifndef GH_SIP_CALL_PRIVATE_H
#define GH_SIP_CALL_PRIVATE_H

#include "sip/call.h"
#include "sip/call_table.h"
#include "sip/ua_private.h"

#define FORKS_MAX 16 /* second answers that are ACKed and hung up; more are passed over */

/* The ACK of a 2xx: looked for a way, then kept for when the 2xx comes again. */
struct call_ack {
	struct sip_ask *ask;
	struct sip_flow flow;
	struct base_writer octets;
	struct base_writer auth;   /* the credentials of its INVITE */
	struct sip_dialog *dialog; /* borrowed */
	struct base_arena arena;
	struct sip_content content;
	struct sip_call *call;
};

/* Another one that answered our INVITE (13.2.2.4). */
struct call_fork {
	struct base_node node;
	struct sip_call *call;
	struct sip_dialog *dialog;
	struct call_ack ack;
	struct sip_ask *bye;
};

/* A description of ours that is kept. */
struct call_said {
	struct base_arena arena;
	struct sip_content content;
};

/* RFC 4028 */
struct call_session {
	uint32_t interval_s; /* 0 = no timer */
	uint32_t min_s;      /* of a 422 */
	unsigned longer;     /* of so many */
	bool refreshes;      /* we do */
	struct loop_timer refresh, expiry;
};

struct sip_call {
	struct sip_ua *ua;
	struct base_node node;
	struct base_map_node by_dialog, by_invite;
	struct base_writer dialog_key, invite_key;
	bool dialog_mapped, invite_mapped;
	struct base_arena arena;
	void *user;
	uint8_t state;       /* enum call_state */
	uint8_t offer_state; /* enum offer_state */
	bool server;         /* it came in */
	char tag[SIP_TAG_MAX];
	const char *contact, *contact_params; /* in the arena */

	struct sip_draft draft; /* ours: the INVITE */
	uint32_t cseq;
	struct sip_ask *invite;
	bool cancelled; /* CANCEL has been sent */

	struct sip_dialog *dialog;
	struct sip_flow flow; /* that its peer spoke by last */
	struct call_ack ack;
	struct base_node forks;
	unsigned fork_count;

	struct sip_txn *served;      /* the peer's INVITE, until its end */
	struct base_writer accepted; /* the 2xx that is repeated */
	struct sip_txn *accepted_txn;
	uint32_t accepted_cseq;
	uint32_t repeat_ms, repeated_ms;
	struct loop_timer repeat;

	struct sip_txn *peer_offer;
	bool peer_update; /* it is an UPDATE */
	struct sip_ask *offer;
	bool offer_update, offer_refresh; /* ours is an UPDATE; nobody has to hear of it */
	struct call_said pending, local;  /* what we offer; what was agreed upon last */
	struct loop_timer glare;
	uint8_t glares; /* 491s that this offer has met */
	bool updates;   /* the peer's Allow has UPDATE */

	struct call_session session;

	struct sip_ask *bye;
	struct base_writer reason; /* a Reason line, for CANCEL and BYE */

	enum sip_call_why why;
	bool ending; /* `why` has been said */
	unsigned status;
	struct base_writer last; /* the message that ended it */
	struct loop_timer over;
	bool over_told;
};

/* What comes with an event. */
struct call_in {
	const struct sip_message *msg;
	struct sip_txn *txn;
	unsigned status;
	const struct sip_content *content;
};

/* -- call.c -- */
int sip_call_step(struct sip_call *call, enum call_event event, const struct call_in *in);
void sip_call_tell(struct sip_call *call, enum sip_call_what what, const struct sip_message *msg);
/* Why it is going to end: the first one counts. */
void sip_call_because(struct sip_call *call, enum sip_call_why why, unsigned status,
                      const struct sip_message *msg);
void sip_call_try_free(struct sip_call *call);
int sip_call_say(struct call_said *said, const struct sip_content *content);
void sip_call_said_move(struct call_said *to, struct call_said *from);
int sip_call_new(struct sip_call **ret, struct sip_ua *ua, void *user);
void sip_call_free(struct sip_call *call);
int sip_call_map(struct sip_call *call, struct base_str call_id);

/* -- call_client.c -- */
void sip_call_ack(struct sip_call *call, const struct sip_content *content);
void sip_call_ack_again(struct sip_call *call);
int sip_call_bye(struct sip_call *call);
void sip_call_cancel(struct sip_call *call);
void sip_call_ack_done(struct call_ack *ack);
void sip_call_forks_done(struct sip_call *call);
/* First lines of a request in its dialog. */
void sip_call_begin(struct sip_call *call, struct sip_dialog *dialog, struct base_writer *w,
                    const char *method, const struct sip_local *local);

/* -- call_server.c -- */
/* One of the call's transactions is this now (NULL = none): it knows the call, the last forgets it.
 */
void sip_call_txn_set(struct sip_call *call, struct sip_txn **slot, struct sip_txn *txn);
int sip_call_answer(struct sip_call *call, struct sip_txn *txn, unsigned status,
                    const struct sip_content *content);
void sip_call_repeat(struct sip_call *call, struct sip_txn *txn);
void sip_call_repeat_stop(struct sip_call *call);

/* -- call_offer.c -- */
int sip_offer_step(struct sip_call *call, enum offer_event event, const struct call_in *in);
void sip_offer_refresh(struct sip_call *call);

/* -- call_timer.c -- */
/* Lines of an INVITE or UPDATE of ours. */
void sip_session_ask(struct sip_call *call, struct base_writer *w);
/* Lines of a 2xx to the peer's; starts its timers. */
void sip_session_answer(struct sip_call *call, const struct sip_message *request,
                        struct base_writer *lines);
/* A 2xx to ours. */
void sip_session_agreed(struct sip_call *call, const struct sip_message *response);
/* Is the peer's interval too short? Then the status, and lines of the answer. */
bool sip_session_too_short(const struct sip_call *call, const struct sip_message *request);
/* A 422: is there a longer one to ask for? */
bool sip_session_longer(struct sip_call *call, const struct sip_message *response);
void sip_session_stop(struct sip_call *call);

#endif
