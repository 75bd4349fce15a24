/* SPDX-License-Identifier: Apache-2.0 */
/** @file A call from inside, shared by call*.c. */
#ifndef GH_UE_CALL_PRIVATE_H
#define GH_UE_CALL_PRIVATE_H

#include "ue/call.h"

struct ue_question {
	struct ue_call *call;
	struct http_call *http; /* NULL: none is on its way */
};

struct ue_call {
	struct base_node node;
	struct ue_app *app;
	char name[24];
	char peer[OFFER_NAME_MAX]; /* whom we call, or who calls, as a KMS knows it */
	char *target, *route;      /* we call; NULL: by the configuration's */
	struct sip_call *sip;      /* NULL: nothing was sent yet */
	struct offer_session *offer;
	struct ue_question question[OFFER_STREAMS_MAX];
	bool taken;  /* it may be answered, now or when the keys are there */
	bool asked;  /* the peer's offer in the call waits for an answer */
	bool anew;   /* our next description is an offer in the call */
	bool up;     /* both ends have agreed once */
	bool ending; /* by us */
};

/* call_media.c */
/** What we offer, or would take. @return how many */
size_t ue_call_wishes(const struct ue_call *call, bool msrp, bool bfcp, enum offer_setup setup,
                      struct offer_media ret[2]);
/** Give all streams that need one a place. */
int ue_call_place(struct ue_call *call, struct base_error *err);
/** Both have agreed: new connections begin, those refused end. */
int ue_call_agreed(struct ue_call *call, struct base_error *err);
void ue_call_media_end(struct ue_call *call);
/** Nothing came of an offer in the call: what there was before it goes on. */
void ue_call_media_restore(struct ue_call *call);

#endif
