/* SPDX-License-Identifier: Apache-2.0 */
/** @file What mp.c, mp_serve.c and mp_order.c share. */
#ifndef GH_MGC_MP_PRIVATE_H
#define GH_MGC_MP_PRIVATE_H

#include "mgc/mp.h"

#define MGC_MRFP_NAME 80

struct mgc_mp {
	struct loop *loop;
	struct h248_node *node;
	struct mgc_mp_config config;
	struct mgc_mp_ops ops;
	struct h248_addr local;
	struct base_node mrfps;
	struct loop_task bury; /* frees MRFPs that went down inside a callback */
	struct mgc_mp_counters counters;
	bool leaving;
};

enum mrfp_state {
	MRFP_NEW, /* has spoken, and not registered */
	MRFP_UP,
	MRFP_FULL, /* leaving, or out of service: what is there goes on, nothing new */
	MRFP_LOST, /* its connection has ended; waited for */
	MRFP_DEAD, /* to be freed */
};

struct mgc_mrfp {
	struct base_node node;
	struct base_node sent; /* orders that are out */
	struct mgc_mp *mp;
	struct h248_peer *peer;
	struct loop_timer timer; /* silence, or how long it is waited for */
	char name[MGC_MRFP_NAME];
	void *user;
	long contexts;
	enum mrfp_state state;
	bool asked; /* the question whether it lives is out */
};

/* mp.c */
/* Its peer's, made when there is none yet; NULL: memory. */
struct mgc_mrfp *mgc_mrfp_of(struct mgc_mp *mp, struct h248_peer *peer);
void mgc_mrfp_up(struct mgc_mrfp *mrfp, bool fresh);
/* All its contexts are lost; it is freed soon where `gone`, else may register again. */
void mgc_mrfp_down(struct mgc_mrfp *mrfp, const char *why, bool gone);
void mgc_mrfp_watch(struct mgc_mrfp *mrfp);

/* mp_order.c: nobody waits for the answers of orders any more; with `all` they are freed. */
void mgc_mrfp_forget(struct mgc_mrfp *mrfp, bool all);

/* mp_serve.c: what MRFPs ask of us */
void mgc_mp_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                    const struct h248_transaction *req);
bool mgc_mp_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg);

#endif
