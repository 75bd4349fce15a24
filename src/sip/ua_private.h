/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a user agent; private to this folder. */
#ifndef GH_SIP_UA_PRIVATE_H
#define GH_SIP_UA_PRIVATE_H

#include "sip/build.h"
#include "sip/digest.h"
#include "sip/ua.h"

#define SIP_TAG_MAX        17 /* octets of a tag or Call-ID of ours, terminated */
#define SIP_CALL_ID_MAX    33

#define SIP_AUTHS_MAX      8   /* realms whose challenge is kept at a time */
#define SIP_HOP_MAX        272 /* octets of host and port, terminated */
#define SIP_CHALLENGES_MAX 4   /* that one request meets; then it is refused */

/* A challenge that was met, for what comes after it. */
struct sip_auth {
	struct base_arena arena;
	struct sip_challenge challenge;
	struct base_str call_id; /* that met it last: all of that one answers it (RFC 3261, 22.3) */
	char hop[SIP_HOP_MAX];   /* a proxy's: who has asked, so that no other gets the answer */
	uint32_t owner;          /* another number each time the place goes to another realm */
	uint32_t nc;
	bool used, proxy, registrar;
};

struct sip_ua {
	struct sip_ua_ops ops;
	struct sip_ua_config config;
	char *lines;
	char *request_lines; /* NULL = none */
	struct sip_txns *txns;
	struct loop_timers timers;
	uint64_t txns_ms; /* as the transactions have told, for in the midst of a step theirs jumps
	                   */
	uint64_t told_ms;
	uint64_t next_id;
	struct base_node asks;
	struct base_map by_id; /* asks */
	struct base_node credentials;
	struct sip_auth auths[SIP_AUTHS_MAX];
	unsigned auth_next;
	uint32_t auth_owner; /* the last number */
	struct base_node calls;
	size_t call_count;
	struct base_map by_dialog; /* calls: Call-ID and our tag */
	struct base_map by_invite; /* those that came in: Call-ID, their tag, number (8.2.2.2) */
};

/* -- requests of ours -- */

struct sip_ask;

struct sip_ask_ops {
	/* Its lines up to its content, which is returned; with a number that is one more each time.
	 */
	const struct sip_content *(*build)(void *owner, struct base_writer *w,
	                                   const struct sip_local *local);
	/* A challenge that is about to be answered: true = do. May be NULL. */
	bool (*challenged)(void *owner, const struct sip_message *msg);
	/* Provisional ones too; of an INVITE each 2xx. May be NULL. */
	void (*response)(void *owner, struct sip_ask *ask, const struct sip_message *msg);
	/*
	 * It is over and freed after this: once, the last. `status`: 0 = its final response has
	 * been told; 408, 503 and others: there was none.
	 */
	void (*over)(void *owner, struct sip_ask *ask, unsigned status);
	/* An ACK has been written: keep its octets. */
	void (*sent)(void *owner, struct sip_flow flow, struct base_str octets);
	/* The user agent goes: free the owner, where nobody else does. May be NULL. */
	void (*drop)(void *owner);
};

struct sip_ask {
	struct base_node node;
	struct base_map_node by_id;
	bool mapped;
	struct sip_ua *ua;
	uint64_t id;
	const struct sip_ask_ops *ops;
	void *owner; /* NULL = nobody listens */
	struct sip_txn *txn;
	struct base_writer uri;
	struct sip_flow flow; /* chosen, or the dialog's last */
	size_t octets;
	unsigned attempt;
	unsigned failed;                  /* why the last way did not work: 408, 503 */
	bool looking;                     /* a way has been asked for */
	bool told;                        /* its final response has been told */
	bool last;                        /* the owner wants no other way */
	bool bound;                       /* it goes by `flow`, and by no other */
	uint32_t answered[SIP_AUTHS_MAX]; /* owner of this place in ua->auths, met by this request;
	                                   * 0 = none */
	unsigned challenges;              /* it has met so many */
	struct base_writer auth;          /* credentials it was sent with last */
	struct loop_timer later;
};

/* Never calls `response` or `over` before it returns. */
int sip_ask_new(struct sip_ask **ret, struct sip_ua *ua, const struct sip_ask_ops *ops, void *owner,
                struct base_str uri, struct sip_flow last, size_t octets);
/* As sip_ask_new, by this flow and no other: none is looked for. Where that fails it is over. */
int sip_ask_by(struct sip_ask **ret, struct sip_ua *ua, const struct sip_ask_ops *ops, void *owner,
               struct base_str uri, struct sip_flow flow);
/* Nobody listens any more; what is on its way goes on. */
void sip_ask_forget(struct sip_ask *ask);
void sip_ask_free(struct sip_ask *ask);
struct sip_ask *sip_ask_find(const struct sip_ua *ua, uint64_t id);
void sip_ask_response(struct sip_ask *ask, const struct sip_message *msg);
void sip_ask_ended(struct sip_ask *ask, enum sip_end why);
/* No request has gone out for it: it can be let go without a word. */
bool sip_ask_unsent(const struct sip_ask *ask);

/* -- challenges -- */

/* Can this 401 or 407 be answered? Then send the request anew. */
bool sip_auth_challenged(struct sip_ask *ask, const struct sip_message *msg);
/* The credentials of a request whose lines have been begun, into ask->auth. */
void sip_auth_write(struct sip_ask *ask, const struct base_writer *request,
                    const struct sip_content *content);
/* What registrars have asked is forgotten: the next REGISTER is a stranger's. */
void sip_auth_forget(struct sip_ua *ua);
void sip_auth_free(struct sip_ua *ua);

/* -- what both sides write -- */

/* Copies, in the arena; a fresh Call-ID and tag where there is none. */
int sip_content_keep(struct base_arena *arena, const struct sip_content *content,
                     struct sip_content *ret);
int sip_draft_keep(struct sip_ua *ua, struct base_arena *arena, const struct sip_draft *draft,
                   struct sip_draft *ret);
/* Up to its Contact. */
void sip_draft_write(struct base_writer *w, const struct sip_draft *d, uint32_t cseq,
                     const struct sip_local *local);
struct base_str sip_draft_next_hop(const struct sip_draft *draft);
/* About as many as a request with it has. */
size_t sip_content_octets(const struct sip_content *content);

/* The user agent's lines, the content's lines, the end and the body. */
void sip_content_write(const struct sip_ua *ua, struct base_writer *w,
                       const struct sip_content *content);
void sip_allow_write(struct base_writer *w);
void sip_tag(struct sip_ua *ua, char out[SIP_TAG_MAX]);
/* A whole answer with this To tag; `keep` (may be NULL) gets its octets. */
int sip_ua_answer(struct sip_ua *ua, struct sip_txn *txn, unsigned status, struct base_str tag,
                  const char *contact, const char *contact_params,
                  const struct sip_content *content, struct base_writer *keep);
void sip_ua_timer(struct sip_ua *ua, struct loop_timer *timer, uint64_t delay_ms,
                  void (*fn)(void *arg), void *arg);
void sip_ua_timer_stop(struct sip_ua *ua, struct loop_timer *timer);

/* -- calls -- */

void sip_calls_free(struct sip_ua *ua);
/* An INVITE without a To tag. */
void sip_call_incoming(struct sip_ua *ua, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from);
struct sip_call *sip_call_find(const struct sip_ua *ua, const struct sip_message *msg);
/* A request in its dialog; `txn` NULL: an ACK. */
void sip_call_request(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg,
                      struct sip_flow from);
/* Another request in its dialog: is it in order (12.2.2)? Else it has been answered. */
bool sip_call_in_order(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from);
/* A CANCEL, which has been answered, means this INVITE. */
void sip_call_cancelled(struct sip_txn *invite, const struct sip_message *cancel);
/* A transaction of a peer's, whose user is a call, is over. */
void sip_call_txn_ended(struct sip_call *call, struct sip_txn *txn, enum sip_end why);

#endif
