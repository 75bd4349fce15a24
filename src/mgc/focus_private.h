/* SPDX-License-Identifier: Apache-2.0 */
/** @file A conference and a member, as focus.c, conference.c and the leg_*.c share them. */
#ifndef GH_MGC_FOCUS_PRIVATE_H
#define GH_MGC_FOCUS_PRIVATE_H

#include "mgc/focus.h"
#include "mgc/leg_table.h"

#define TERM_MAX  64 /* octets of a TerminationID that we take */
#define HOST_MAX  64
#define PATH_MAX_ 512
#define WHY_MAX   256

struct mgc_focus {
	struct loop *loop;
	const struct mgc_config *config;
	struct mgc_focus_ops ops;
	struct mgc_mp *mp;
	struct sip_ua *ua;
	struct conf **confs;
	size_t conf_count, members;
	struct mgc_focus_counters counters;
	bool leaving;
};

/* A conference: one context of one MRFP while it has members. Its orders go one by one, so that the
 * context of each is known, and an Add never meets the Subtract of the last member. */
struct conf {
	struct mgc_focus *focus;
	const struct mgc_room *room;
	struct mgc_mrfp *mrfp; /* NULL: none yet */
	uint32_t context;      /* H248_CONTEXT_CHOOSE: none yet */
	size_t terms;
	struct base_node legs;
	struct base_node orders; /* legs that wait for theirs */
	struct leg *current;     /* its order is out */
	struct loop_task pump;
	uint16_t next_user;
	bool dialled;
	bool bereft; /* its members were lost with an MRFP: call again, once they have gone */
	bool over;   /* the file has it no more: it goes with its last member */
};

struct question;

enum leg_order {
	ORDER_NONE,
	ORDER_SEAT,
	ORDER_RESERVE,
	ORDER_RELEASE, /* streams that get a new connection: their old one; BIND follows */
	ORDER_BIND,
	ORDER_SUBTRACT,
};

/* One of its streams at the MRFP: 1 is MSRP, 2 is BFCP. */
struct leg_stream {
	bool there; /* the termination has it */
	bool bound; /* it was told its far end: another connection wants another bearer */
	bool up;    /* TLS is */
	char host[HOST_MAX], path[PATH_MAX_];
	uint16_t port;
};
#define LEG_STREAMS 2

struct leg {
	struct base_node node;    /* of the conference */
	struct base_node waiting; /* of its orders */
	struct conf *conf;
	const struct mgc_config *config; /* that it began with: its offer stands on it */
	enum leg_state state;
	struct sip_call *call;       /* NULL: none, or it is over */
	struct offer_session *offer; /* NULL: not yet */
	struct loop_timer timer;
	struct loop_task task;                   /* a member's end, outside of all callbacks */
	struct mgc_ask *asks[OFFER_STREAMS_MAX]; /* by offer's stream */
	struct question *questions[OFFER_STREAMS_MAX]; /* what their answers are given to */
	char peer[OFFER_NAME_MAX];                     /* identity of the member */
	char target[OFFER_NAME_MAX];                   /* dial-out: whom to call */
	char term[TERM_MAX];                           /* "" = it has none */
	enum leg_order order;
	bool ordered; /* waits, or is out */
	struct leg_stream streams[LEG_STREAMS];
	uint16_t user; /* of BFCP */
	bool up, ending;
	struct base_str body; /* of the event that is handled; borrowed */
	unsigned status;      /* why it ends, for the peer */
	char why[WHY_MAX];
};

/* ---- conference.c ---- */

void conf_init(struct conf *conf, struct mgc_focus *focus, const struct mgc_room *room);
struct leg *conf_leg_new(struct conf *conf, const char *peer);
/* An order of this member is wanted; DONE or REFUSED come later. */
void conf_order(struct leg *leg, enum leg_order order);
/* It has not been sent: forget it. @return false: it is out, DONE or REFUSED come */
bool conf_unorder(struct leg *leg);
/* The MRFP is lost. */
void conf_lost(struct conf *conf, const char *why);
void conf_told(struct conf *conf, const struct mgc_told *told);
/* A member has gone. */
void conf_settled(struct conf *conf);
/* The people it has to call. */
void conf_dial(struct conf *conf);
int conf_dial_one(struct conf *conf, const char *uri);

/* ---- leg.c ---- */

void leg_event(struct leg *leg, enum leg_event event);
/* The same, with why; the first reason counts. */
void leg_fail(struct leg *leg, enum leg_event event, unsigned status, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
void leg_free(struct leg *leg);
void leg_call_event(struct leg *leg, const struct sip_call_event *event);
void leg_told(struct leg *leg, const struct mgc_told *told);

/* ---- leg_key.c: descriptions and keys ---- */

uint64_t leg_now(const struct leg *leg);
int leg_offer_new(struct leg *leg, bool dial_in);
/* Ask the KMS whatever is to be asked; tell KEYED or UNKEYED once that is known. */
void leg_key_pump(struct leg *leg);
void leg_key_forget(struct leg *leg);
/* UNKEYED, with what the offer says of its failure. */
void leg_key_failed(struct leg *leg, const struct base_error *err);
/* Our description, into `out`. */
int leg_describe(struct leg *leg, struct base_writer *out, struct base_error *err);

/* ---- leg_media.c: terminations ---- */

/* Memory of the SDP that an order borrows. */
struct leg_media {
	struct base_arena arena;
	struct mgc_order order;
};
/* Has anything changed that the MRFP has to know? */
bool leg_media_changed(const struct leg *leg);
/* Is there a connection in the way of a new one? */
bool leg_media_in_the_way(const struct leg *leg);
/* SEAT or BIND is done. */
void leg_media_bound(struct leg *leg);
/* RELEASE is done. */
void leg_media_released(struct leg *leg);
int leg_media_order(struct leg *leg, struct leg_media *ret);
/* Addresses out of a reply. @return 0, or BASE_PEER with words */
int leg_media_take(struct leg *leg, const struct mgc_done *done, struct base_error *err);

#endif
