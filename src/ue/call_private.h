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
	struct base_writer sdp; /* plain: our description */
	bool plain;             /* without keys: what its media are is not ours */
	bool taken;             /* it may be answered, now or when the keys are there */
	bool asked;             /* the peer's offer in the call waits for an answer */
	bool anew;              /* our next description is an offer in the call */
	bool up;                /* both ends have agreed once */
	bool ending;            /* by us */
};

/* call.c */
struct ue_call *ue_call_new(struct ue_app *app, const char *name, struct base_error *err);
void ue_call_free(struct ue_call *call);
void ue_call_tell(const struct ue_call *call, const char *name, unsigned status, const char *text);
int ue_call_invite(struct ue_call *call, const struct sip_content *content, struct base_error *err);
void ue_call_up(struct ue_call *call);
/** SIP_CALL_OVER */
void ue_call_over(struct ue_call *call, const struct sip_call_event *event);

/* call_plain.c: calls without keys */
/** An offer (or none) that wants none. */
bool ue_plain_fits(struct base_str offer);
void ue_plain_incoming(struct ue_call *call, const struct sip_call_event *event);
int ue_plain_start(struct ue_call *call, const struct ue_call_wish *wish, struct base_error *err);
int ue_plain_answer(struct ue_call *call, struct base_error *err);
int ue_plain_renew(struct ue_call *call, struct base_error *err);
void ue_plain_event(struct ue_call *call, const struct sip_call_event *event);

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
