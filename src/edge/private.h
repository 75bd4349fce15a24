/* SPDX-License-Identifier: Apache-2.0 */
/** @file Flows of UEs and their bindings; private to this folder's core. */
#ifndef GH_EDGE_PRIVATE_H
#define GH_EDGE_PRIVATE_H

#include "edge/core.h"
#include "edge/table.h"

#define EDGE_NEVER             UINT64_MAX
#define EDGE_SET_NONE          UINT32_MAX
#define EDGE_NONCES            8         /* challenges of a flow whose answers are taken */
#define EDGE_OLD_MS            86400000U /* TS 33.203, O.2.1: no session is older */
#define EDGE_EMERGENCIES_MAX   4         /* at a time, of a flow that is not bound; ours */
#define EDGE_IDENTITIES_MAX    256
#define EDGE_ROUTES_MAX        16
#define EDGE_CONTACTS_MAX      16     /* of a REGISTER, and of a flow; ours */
#define EDGE_TOKEN_MAX         64     /* octets of a token as text, terminated */
#define EDGE_MAC               12     /* octets */
#define EDGE_DIGEST            8      /* of what a token is about */
#define EDGE_OUTBOUND_GRACE_MS 30000U /* over Flow-Timer (RFC 5626, 5.4) */

/* -- policy, copied (policy.c) -- */

struct edge_rules {
	struct base_arena arena;
	struct edge_policy p;
	struct base_str access_host, core_host; /* with ports */
	struct base_str core_name;              /* without */
	struct base_str server_list;            /* value of Security-Server */
};
int edge_rules_make(struct edge_rules **ret, const struct edge_policy *policy,
                    struct base_error *err);
void edge_rules_free(struct edge_rules *rules);

/* -- identities (identity.c) -- */

struct edge_identity {
	struct base_str uri;
	struct base_str key; /* what it is compared by: sip_uri_key, or the URI */
	uint64_t until_ms;
	uint32_t set; /* those that one REGISTER brought (P-Associated-URI) */
};

/* -- a flow and what is bound to it -- */

struct edge_user { /* of one IMPI, as one realm knows it */
	struct base_map_node node;
	struct base_node bounds; /* the oldest first */
	unsigned count;
	char impi[]; /* terminated; its realm behind it */
};

/* One block; strings are behind it. */
struct edge_bound {
	struct base_node of_user;
	struct edge_user *user;
	struct edge_flow *flow;
	struct base_str *impus, *routes, *contacts;
	struct edge_identity *identities;
	size_t impu_count, route_count, contact_count;
	unsigned left_out;
	struct base_str contact, registrar, aor, realm;
};

struct edge_flow {
	struct base_map_node by_id;
	struct base_map_node by_session; /* while it is bound */
	struct edge_core *core;
	uint64_t id;
	enum bind_state state;
	bool agreed;         /* Security-Server has been given here */
	bool half;           /* TLS 1.3: our keys are new, the UE's are to follow */
	bool in_session;     /* it is in core->sessions */
	bool emergency;      /* a call has been answered: it may be under way */
	uint8_t emergencies; /* calls that are not answered yet */
	uint8_t session_len, nonce_at;
	uint8_t session[EDGE_SESSION_MAX];
	uint64_t nonces[EDGE_NONCES];
	uint8_t path_mac[EDGE_MAC]; /* of its token in Path, which most requests for it bring */
	unsigned refused, challenges;
	unsigned asked;                        /* edge_core_asks */
	uint64_t born_ms;                      /* its session's keys */
	uint64_t whole_ms;                     /* those of both directions */
	uint64_t late_ms, expires_ms, aged_ms; /* EDGE_NEVER = not running */
	struct loop_timer timer;
	struct edge_bound *bound;
	uint16_t port;
	uint8_t address_len;
	char key[EDGE_FLOW_KEY];
	char address[]; /* not terminated */
};

struct edge_core {
	struct edge_rules *rules;
	struct edge_core_ops ops;
	uint64_t epoch;
	uint8_t token_key[32];
	uint64_t seed[2]; /* of nonces' hashes */
	uint64_t charged; /* icid-values given */
	struct base_map flows, users, sessions;
	struct loop_timers timers;
	uint64_t told_ms; /* last rearm */
	size_t bound;
	struct edge_counters count;
	/* While a response is judged: what becomes of this flow is done after it has passed. */
	uint64_t passing_flow;
	struct edge_passing *passing;
};

/* core.c */
struct edge_flow *edge_flow_find(const struct edge_core *core, uint64_t id);
void edge_core_begin(struct edge_core *core); /* what time is it? */
void edge_core_done(struct edge_core *core);  /* tell the next deadline */

/* binding.c */

/* What a 2xx brings. Borrowed. */
struct edge_made {
	struct base_str impi;
	const struct sip_message *request, *response;
	struct base_str contact, realm;
	struct base_str contacts[EDGE_CONTACTS_MAX]; /* of this flow; `contact` lasts longest */
	size_t contact_count;
	uint64_t until_ms;             /* of its identities */
	const struct edge_bound *keep; /* of which other sets stay; NULL = none */
};
/* @return false: the flow is gone, and freed */
bool edge_flow_event(struct edge_flow *flow, enum bind_event event, enum edge_end end,
                     const char *why, const struct edge_made *made);
/* One of several sets of identities is over. @return false: it was the last, nothing is done */
bool edge_flow_less(struct edge_flow *flow, uint32_t set, const char *why);
/** The end of its binding has moved. */
void edge_flow_until(struct edge_flow *flow, uint64_t expires_ms);
void edge_flow_arm(struct edge_flow *flow);
void edge_flow_free(struct edge_flow *flow);   /* nobody is told */
void edge_flow_unlist(struct edge_flow *flow); /* its session is not found any more */
void edge_flow_view(const struct edge_flow *flow, struct edge_binding *ret);
void edge_flow_note(struct edge_core *core, uint64_t id, const char *why);
void edge_bound_free(struct edge_bound *bound);
/* Take back what the registrar has, where the policy says so. */
void edge_part(struct edge_core *core, uint64_t id, const struct edge_bound *b,
               struct base_str impi);
/* An emergency call goes up, for which the time to register stands still; it has had its final
 * answer. */
void edge_flow_emergency(struct edge_flow *flow);
void edge_flow_emergency_answered(struct edge_flow *flow, bool accepted);
/* One challenge more, or a proof that was not judged. @return too many: it is closed, and freed */
bool edge_flow_challenged(struct edge_flow *flow);

/* bound.c: @return NULL when memory is short */
struct edge_bound *edge_bound_new(const struct edge_rules *rules, const struct edge_made *made);
/* When the first of its sets ends. */
uint64_t edge_bound_until(const struct edge_bound *bound);
/* Are there others beside this set and what has ended? Then these are left alone. */
bool edge_bound_less(struct edge_bound *bound, uint32_t set, uint64_t now_ms);
/* None of them lasts longer. */
void edge_bound_shorten(struct edge_bound *bound, uint64_t until_ms);
bool edge_bound_same_contact(struct base_str a, struct base_str b);

/* token.c */
enum edge_token_kind {
	EDGE_TOKEN_PATH = 1,
	EDGE_TOKEN_DIALOG = 2,
	EDGE_TOKEN_EMERGENCY = 3, /* a dialog of a flow that need not be bound */
};
struct edge_token {
	enum edge_token_kind kind;
	uint64_t epoch, flow;
	/* Not of a PATH: of the UE's own URI in the dialog, and of its routes behind us (zeros: not
	 * known yet). */
	uint8_t self[EDGE_DIGEST], route[EDGE_DIGEST];
	uint8_t mac[EDGE_MAC];
};
/* The user part of `uri` as a token, unchecked. @return false: it is none */
bool edge_token_read(struct base_str uri, struct edge_token *ret);
/* Was it made under this key? `call_id`: of the request it came with; counts for dialogs. */
bool edge_token_genuine(const struct edge_token *token, const uint8_t key[32],
                        struct base_str call_id);
void edge_token_write(const struct edge_token *token, const uint8_t key[32],
                      struct base_str call_id, char out[EDGE_TOKEN_MAX]);
/* That of a flow, for Path. */
void edge_token_path(const struct edge_core *core, uint64_t flow, char out[EDGE_TOKEN_MAX]);
/* Ours: does it lead to `flow` (NULL = gone)? */
bool edge_token_ours(const struct edge_core *core, const struct edge_token *token,
                     const struct edge_flow *flow, struct base_str call_id);
/* What a flow keeps of its own. @return false: memory is short */
bool edge_token_keep(struct edge_flow *flow);
bool edge_token_same(const struct edge_token *a, const struct edge_token *b);
void edge_token_self(struct base_str uri, uint8_t out[EDGE_DIGEST]);
void edge_flow_key(uint64_t epoch, uint64_t flow, char out[EDGE_FLOW_KEY]);

/* identity.c */
/* What a URI is compared by, into `buf` where it is made. */
struct base_str edge_identity_key(struct base_str uri, char buf[SIP_URI_KEY_MAX]);
/* That IMPU of the binding; NULL = it is none of its. */
const struct edge_identity *edge_identity_find(const struct edge_bound *bound, struct base_str uri);
/* From and P-Preferred-Identity of a request of a bound UE. @return NULL = it may pass, or why not
 */
const char *edge_identity_judge(const struct edge_bound *bound, const struct sip_message *msg,
                                bool in_dialog, const struct edge_token *token);
/* Is it the one that the UE goes by in the dialog of this token (NULL = none)? */
bool edge_identity_dialogs(const struct edge_token *token, struct base_str uri);
/* The URI to assert for it. */
struct base_str edge_identity_assert(const struct edge_bound *bound, const struct sip_message *msg);
/* What a UE may not tell the core; what the core does not tell a UE. */
void edge_strip_up(struct sip_edit *edit);
void edge_strip_down(struct sip_edit *edit);
void edge_charge(struct edge_core *core, struct sip_edit *edit);

/* routes.c */
/* Does it go by the route set of its dialog? */
bool edge_routes_fit(const struct sip_message *msg, const struct edge_token *token);
void edge_routes_record(struct edge_core *core, const struct sip_message *msg, uint64_t flow,
                        enum edge_token_kind kind, bool up, struct sip_edit *edit);
/* A response to one that went up: our token says the routes of its UE from now on. */
void edge_routes_settle(struct edge_core *core, uint64_t flow, struct sip_edit *edit);
/* A response of a UE that was called: it tells the caller's routes, which are those that it was
 * shown (TS 24.229, 5.2.6, R). */
void edge_routes_restore(struct edge_core *core, const struct sip_message *request, uint64_t flow,
                         struct sip_edit *edit);

/* agree.c: RFC 3329 */
/* @return 0 = go on; 421, 494 or 502, with `lines` */
unsigned edge_agree_judge(const struct edge_core *core, const struct edge_flow *flow,
                          const struct sip_message *msg, bool proof, struct base_arena *arena,
                          struct base_str *lines);
void edge_agree_strip(struct sip_edit *edit); /* the option tag */
/* Does a 401 to this request say our list? */
bool edge_agree_wanted(const struct edge_rules *rules, const struct sip_message *request);

/* credentials.c */
struct edge_credentials {
	const struct sip_header *header; /* NULL = there are none */
	struct sip_credentials c;
	bool proof; /* it has a response that is not empty */
};
/* @return 0; BASE_PEER 400: malformed, or several; BASE_LOCAL */
int edge_credentials_read(const struct sip_message *msg, struct base_arena *arena,
                          struct edge_credentials *ret);
/* Every integrity-protected out; this one in where it is not NULL, into the Digest ones of
 * Authorization. */
void edge_credentials_mark(struct sip_edit *edit, const char *integrity);
bool edge_nonce_known(const struct edge_flow *flow, struct base_str nonce);
/* Challenges of a 401 that is about to pass: their nonces are this flow's. @return one is stale */
bool edge_challenges_note(struct edge_flow *flow, const struct sip_message *msg,
                          struct base_arena *arena);
/* What Authentication-Info of a 2xx that is about to pass has answered next (RFC 7616, 3.5). */
void edge_next_nonce(struct edge_flow *flow, const struct sip_message *msg,
                     struct base_arena *arena);
/* This challenge says `stale=true`, whatever it has said. */
void edge_challenge_stale(struct sip_edit *edit, const struct sip_header *h);

/* register.c, request.c, response.c */
int edge_register_judge(struct edge_core *core, const struct edge_request *request,
                        struct base_arena *arena, struct edge_decision *ret);
void edge_register_forward(struct edge_core *core, const struct edge_request *request,
                           const struct edge_decision *decision, struct sip_edit *edit);
void edge_register_response(struct edge_core *core, const struct edge_response *response,
                            struct sip_edit *edit);
int edge_up_judge(struct edge_core *core, const struct edge_request *request,
                  struct base_arena *arena, struct edge_decision *ret);
int edge_down_judge(struct edge_core *core, const struct edge_request *request,
                    struct base_arena *arena, struct edge_decision *ret);
void edge_response_pass(struct edge_core *core, const struct edge_response *response,
                        struct sip_edit *edit);
/* An answer of our own. */
int edge_refuse(struct edge_decision *ret, unsigned status, const char *why);
int edge_overload(struct edge_core *core, struct base_arena *arena, struct edge_decision *ret);
bool edge_forms_dialog(const struct sip_message *msg);
unsigned edge_vias(const struct sip_message *msg);
bool edge_is_emergency(const struct edge_rules *rules, struct base_str uri);
/* `<sip:TOKEN@host;lr>`, for the core or for UEs. */
void edge_uri_write(const struct edge_core *core, enum edge_side side, bool sips, const char *token,
                    bool ob, struct base_writer *w);

#endif
