/* SPDX-License-Identifier: Apache-2.0 */
/** @file Descriptions and keys of a member's call: what is offered, what the KMS is asked. */
#include <stdlib.h>

#include "mgc/focus_private.h"

#define ACCEPT  "message/cpim" /* of a chat room (RFC 7701, 5.2, 8) */
#define WRAPPED "*"

uint64_t leg_now(const struct leg *leg)
{
	const struct mgc_focus_ops *ops = &leg->conf->focus->ops;
	uint64_t ns = ops->wall_ns(ops->arg);

	return mikey_ntp(ns / 1000000000U, (uint32_t)(ns % 1000000000U));
}

/* ---- what we offer, or take ---- */

static const char *chatroom(const struct mgc_room *room)
{
	if (room->nicknames)
		return room->private_messages ? "nickname private-messages" : "nickname";
	return room->private_messages ? "private-messages" : "";
}

static struct offer_media msrp_media(const struct leg *leg, enum offer_setup setup)
{
	const struct mgc_room *room = leg->conf->room;

	return (struct offer_media){
		.app = OFFER_MSRP,
		.setup = setup,
		.msrp = { .accept_types = BASE_STR(ACCEPT),
		          .wrapped_types = BASE_STR(WRAPPED),
		          .chatroom = base_str_of(chatroom(room)),
		          .has_chatroom = true,
		          .cema = room->cema,
		          .max_size = room->max_size },
	};
}

static struct offer_media bfcp_media(const struct leg *leg, enum offer_setup setup)
{
	const struct mgc_room *room = leg->conf->room;
	struct offer_media media = {
		.app = OFFER_BFCP,
		.setup = setup,
		.bfcp = { .server = true,
		          .versions = OFFER_BFCP_1,
		          .conference = room->conference,
		          .user = leg->user,
		          .floors = room->floor_count },
	};

	for (size_t i = 0; i < room->floor_count; i++)
		media.bfcp.floor[i].id = room->floors[i].id;
	return media;
}

int leg_offer_new(struct leg *leg, bool dial_in)
{
	const struct mgc_room *room = leg->conf->room;
	const struct mikey_id peer = { MIKEY_URI, mikey_octets_text(leg->peer) };
	struct offer_media media[LEG_STREAMS];
	enum offer_setup setup = room->passive ? OFFER_PASSIVE : OFFER_ACTIVE;
	struct base_error err = { 0 };
	size_t count = 0;
	int rc;

	if (!dial_in) /* TS 23.333, 5.20.2: the MRFC offers actpass */
		setup = OFFER_ACTPASS;
	if (room->msrp)
		media[count++] = msrp_media(leg, setup);
	if (room->bfcp)
		media[count++] = bfcp_media(leg, setup);
	rc = offer_new(&leg->offer, &room->party, &peer, media, count, &err);
	if (rc)
		base_log(BASE_LOG_ERROR, "mgc", "conference=%s: %s", room->uri, err.text);
	return rc;
}

/* ---- the KMS ---- */

/* What a callback needs: `asks` says whose stream it is, so an answer finds its place. */
struct question {
	struct leg *leg;
	size_t stream;
};

void leg_key_failed(struct leg *leg, const struct base_error *err)
{
	struct offer_failure failure = { 0 };

	offer_failure(leg->offer, &failure);
	leg_fail(leg, LEG_EV_UNKEYED, failure.status ? failure.status : 488, "%s",
	         failure.text[0] ? failure.text : err->text);
}

static void told(void *arg, struct mikey_octets answer, const char *why)
{
	struct question *q = arg;
	struct leg *leg = q->leg;
	size_t stream = q->stream;
	struct base_error err = { 0 };

	free(q);
	leg->asks[stream] = NULL;
	leg->questions[stream] = NULL;
	if (!answer.len) {
		leg->conf->focus->counters.unanswered++;
		(void)base_error_set(&err, BASE_ERR(BASE_PEER, 0), "the KMS: %s", why);
	}
	if (offer_told(leg->offer, leg_now(leg), stream, answer, &err)) {
		leg_key_forget(leg);
		leg_key_failed(leg, &err);
		return;
	}
	leg_key_pump(leg);
}

static int ask(struct leg *leg, const struct offer_question *question, struct base_error *err)
{
	struct mgc_focus *focus = leg->conf->focus;
	struct question *q = malloc(sizeof(*q));
	int rc;

	if (!q)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	*q = (struct question){ leg, question->stream };
	rc = focus->ops.ask(focus->ops.arg, question->resolve, question->octets, told, q,
	                    &leg->asks[question->stream], err);
	if (rc)
		free(q);
	else
		leg->questions[question->stream] = q;
	focus->counters.asks += !rc;
	return rc;
}

void leg_key_pump(struct leg *leg)
{
	struct offer_question question;
	struct base_error err = { 0 };

	while (offer_question(leg->offer, &question)) {
		if (!ask(leg, &question, &err))
			continue;
		leg->conf->focus->counters.unanswered++;
		(void)offer_told(leg->offer, leg_now(leg), question.stream,
		                 (struct mikey_octets){ NULL, 0 }, &err);
		leg_key_forget(leg);
		leg_key_failed(leg, &err);
		return;
	}
	switch (offer_state(leg->offer)) {
	case OFFER_TO_OFFER:
	case OFFER_TO_ANSWER:
		leg_event(leg, LEG_EV_KEYED);
		break;
	case OFFER_FAILED:
		leg_key_failed(leg, &err);
		break;
	default:
		break;
	}
}

void leg_key_forget(struct leg *leg)
{
	struct mgc_focus *focus = leg->conf->focus;

	for (size_t i = 0; i < OFFER_STREAMS_MAX; i++) {
		if (!leg->asks[i])
			continue;
		focus->ops.forget(focus->ops.arg, leg->asks[i]);
		leg->asks[i] = NULL;
		free(leg->questions[i]);
		leg->questions[i] = NULL;
	}
}

/* ---- our description ---- */

int leg_describe(struct leg *leg, struct base_writer *out, struct base_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < offer_count(leg->offer) && !rc; i++) {
		struct offer_stream s;
		const struct leg_stream *at;

		offer_stream(leg->offer, i, &s);
		if (!s.ours || s.verdict == OFFER_REFUSED)
			continue;
		at = &leg->streams[s.app == OFFER_BFCP];
		rc = offer_place(leg->offer, i, base_str_of(at->host), at->port,
		                 base_str_of(at->path), err);
	}
	return rc ? rc : offer_write(leg->offer, out, err);
}
