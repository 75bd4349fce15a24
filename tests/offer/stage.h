/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Two ends of a dialog and the KMS between them, in memory: alice calls the room, or the room calls
 * her.
 */
#ifndef GH_TESTS_OFFER_STAGE_H
#define GH_TESTS_OFFER_STAGE_H

#include "check.h"

#include "../kms/folder.h"
#include "kms/kms.h"
#include "offer/offer.h"

#define STAGE_S 1800000000U /* unix time */

struct stage {
	struct folder folder;
	struct kms_store *store;
	struct kms *kms;
	uint64_t now; /**< NTP-UTC */
	struct offer_party alice, room;
	struct mikey_tpk alices[1]; /**< what the room opens in modes 2 and 4 */
	struct mikey_replay *replay;
	struct offer_session *caller, *called;
	struct base_writer offer, answer;
	struct base_error err;
	unsigned asked;
};

extern const struct offer_media stage_user[2]; /**< MSRP and BFCP of alice */
extern const struct offer_media stage_room[2]; /**< of the room: floor control server */

/** @param mode  of alice's tickets */
void stage_open(struct stage *s, unsigned mode);
void stage_close(struct stage *s);
/** Sessions of both, alice calling; `count` streams each, with their wishes. */
void stage_sessions(struct stage *s, const struct offer_media *calls,
                    const struct offer_media *is_called, size_t count);
/** Ask the KMS all that a session wants to know. @return what offer_told said last */
int stage_kms(struct stage *s, struct offer_session *session);
/** Give every stream an address, 192.0.2.`n`. */
void stage_place(struct offer_session *session, unsigned n);
/** The caller's offer, into s->offer. */
int stage_offer(struct stage *s);
/** The called takes s->offer and, asking the KMS, answers into s->answer. */
int stage_answer(struct stage *s);
int stage_taken(struct stage *s);
/** All three. */
int stage_play(struct stage *s);
struct base_str stage_text(const struct base_writer *w);
/** Replace the first `from` in a description. */
void stage_edit(struct base_writer *w, const char *from, const char *to);
struct offer_stream stage_stream(const struct offer_session *session, size_t stream);
struct mikey_id stage_uri(const char *text);

#endif
