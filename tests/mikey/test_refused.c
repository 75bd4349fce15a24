/* SPDX-License-Identifier: Apache-2.0 */
/** @file Bad input to all three parties: each case has its error number, and nobody gets a key. */
#include "check.h"

#include "stage.h"

#define SHA256_SUITE                                                                               \
	{                                                                                          \
		MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_256_256                   \
	}
static const uint8_t prots[] = { MIKEY_PROT_TLS };

/* A flow that forks keys, which has every check in it. */
static struct stage *begin(int mode, bool pk)
{
	struct stage *s = calloc(1, sizeof(*s));

	*s = (struct stage){
		.mode = mode, .pk = pk, .forked = mode % 2, .suite = SHA256_SUITE, .ticket_prf = 1
	};
	stage_init(s);
	return s;
}

static void end(struct stage *s)
{
	stage_done(s);
	free(s);
}

static void forget(struct stage *s)
{
	mikey_replay_free(s->kms.env.replay);
	mikey_replay_free(s->responder.env.replay);
	s->kms.env.replay = s->responder.env.replay = NULL;
}

/* The result of a peer's fault; anything else fails the test. */
static int fault(int rc)
{
	if (!rc || base_err_class(rc) != BASE_PEER)
		fail_msg("result %d (class %u)", rc, rc ? (unsigned)base_err_class(rc) : 0);
	return (int)base_err_detail(rc);
}

static int ask_kms(struct stage *s, const struct base_writer *message,
                   const struct mikey_cred *cred)
{
	struct mikey_asked asked = { 0 };
	const struct mikey_message *msg = stage_read(s, message);
	int rc = msg ? mikey_asked_read(&s->kms.env, msg, &s->kms.id, NULL, cred, &asked, &s->err)
	             : s->err.rc;

	if (rc)
		assert_null(asked.key.data);
	mikey_asked_done(&asked);
	return rc;
}

static int request_finish(struct stage *s)
{
	struct mikey_grant grant = { 0 };
	int rc = mikey_request_finish(&s->arena, &s->initiator.env, &s->request,
	                              stage_octets(&s->request_resp), &grant, &s->err);

	if (rc)
		assert_int_equal(grant.keys.count, 0);
	mikey_grant_done(&grant);
	return rc;
}

static int resolve_finish(struct stage *s)
{
	struct mikey_resolved resolved = { 0 };
	int rc = mikey_resolve_finish(&s->responder.env, &s->resolve,
	                              stage_octets(&s->resolve_resp), &resolved, &s->err);

	if (rc)
		assert_int_equal(resolved.keys.count, 0);
	mikey_resolved_done(&resolved);
	return rc;
}

static int transfer_finish(struct stage *s)
{
	struct mikey_session session = { 0 };
	int rc = mikey_transfer_finish(&s->initiator.env, &s->transfer, &s->grant,
	                               stage_octets(&s->transfer_resp), &session, &s->err);

	if (rc)
		assert_int_equal(session.keys.count, 0);
	mikey_session_done(&session);
	return rc;
}

/* The Responder's whole part, from TRANSFER_INIT to its answer. */
static int respond(struct stage *s)
{
	const struct mikey_answer answer = { .suite = s->suite };
	struct mikey_session session = { 0 };
	int rc;

	mikey_asking_done(&s->resolve);
	mikey_resolved_done(&s->resolved);
	s->resolve = (struct mikey_asking){ 0 };
	s->resolved = (struct mikey_resolved){ 0 };
	base_writer_done(&s->resolve_resp);
	base_writer_done(&s->transfer_resp);
	rc = stage_receive(s);
	if (!rc)
		rc = stage_resolve(s);
	if (!rc)
		rc = mikey_transfer_resp(&s->responder.env, &s->received, &s->resolved, &answer,
		                         &s->transfer_resp, &session, &s->err);
	if (rc) {
		assert_int_equal(session.keys.count, 0);
		assert_int_equal(s->transfer_resp.len, 0);
	}
	mikey_session_done(&session);
	return rc;
}

static int at_kms_i(struct stage *s)
{
	return ask_kms(s, &s->request.sent, &s->kms_i);
}

static int at_kms_r(struct stage *s)
{
	return ask_kms(s, &s->resolve.sent, &s->kms_r);
}

/* Each octet bent, one bit at a time in turn: all is covered by a MAC, signature or both. */
static void bend(struct stage *s, struct base_writer *message, int (*step)(struct stage *))
{
	for (size_t i = 0; i < message->len; i++) {
		uint8_t bit = (uint8_t)(1U << i % 8);

		message->data[i] ^= bit;
		if (!step(s))
			fail_msg("octet %zu bent and nobody minds", i);
		assert_int_equal(base_err_class(s->err.rc), BASE_PEER);
		message->data[i] ^= bit;
	}
}

/* Each cut of it. */
static void cut(struct stage *s, struct base_writer *message, int (*step)(struct stage *))
{
	size_t len = message->len;

	for (message->len = 0; message->len < len; message->len++)
		(void)fault(step(s));
	message->len = len;
}

static void tampered(void **state)
{
	struct stage *s = begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	forget(s);
	bend(s, &s->request.sent, at_kms_i);
	bend(s, &s->request_resp, request_finish);
	bend(s, &s->resolve.sent, at_kms_r);
	bend(s, &s->resolve_resp, resolve_finish);
	bend(s, &s->transfer_resp, transfer_finish);
	bend(s, &s->transfer.sent, respond);
	assert_int_equal(respond(s), 0); /* as it is, it is taken */
	end(s);
}

static void tampered_by_public_keys(void **state)
{
	struct stage *s = begin(1, true);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	forget(s);
	bend(s, &s->request.sent, at_kms_i);
	bend(s, &s->resolve.sent, at_kms_r);
	assert_int_equal(at_kms_i(s), 0);
	end(s);
}

static void tampered_ticket_of_mode_4(void **state)
{
	struct stage *s = begin(4, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	forget(s);
	bend(s, &s->transfer.sent, respond);
	end(s);
}

static void truncated(void **state)
{
	struct stage *s = begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	forget(s);
	cut(s, &s->request.sent, at_kms_i);
	cut(s, &s->request_resp, request_finish);
	cut(s, &s->transfer.sent, respond);
	cut(s, &s->resolve.sent, at_kms_r);
	cut(s, &s->transfer_resp, transfer_finish);
	end(s);
}

static void replayed(void **state)
{
	struct stage *s = begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	assert_int_equal(fault(at_kms_i(s)), MIKEY_BAD_TS);
	assert_int_equal(fault(at_kms_r(s)), MIKEY_BAD_TS);
	assert_int_equal(fault(respond(s)), MIKEY_BAD_TS);
	assert_non_null(strstr(s->err.text, "seen before"));
	end(s);
}

static void too_early_or_too_late(void **state)
{
	static const int64_t off[] = { -301, 301, -100000, 100000 };
	struct stage *s = begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	forget(s);
	for (size_t i = 0; i < BASE_COUNT(off); i++) {
		uint64_t now = STAGE_NOW + ((uint64_t)off[i] << 32);

		s->kms.env.now = s->initiator.env.now = s->responder.env.now = now;
		assert_int_equal(fault(at_kms_i(s)), MIKEY_BAD_TS);
		assert_int_equal(fault(request_finish(s)), MIKEY_BAD_TS);
		assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_TS);
		assert_int_equal(fault(resolve_finish(s)), MIKEY_BAD_TS);
		assert_int_equal(fault(transfer_finish(s)), MIKEY_BAD_TS);
	}
	s->kms.env.now = STAGE_NOW + ((uint64_t)299 << 32);
	assert_int_equal(at_kms_i(s), 0);
	end(s);
}

static void ticket_out_of_time(void **state)
{
	struct stage *s = begin(1, false);

	(void)state;
	s->policy.end = (STAGE_NOW >> 32) + 10;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	s->responder.env.now += (uint64_t)11 << 32;
	assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_TICKET);
	s->responder.env.now = STAGE_NOW;
	assert_int_equal(stage_receive(s), 0);
	s->kms.env.now += (uint64_t)11 << 32; /* the KMS judges for itself */
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_TICKET);
	s->initiator.env.now += (uint64_t)11 << 32;
	assert_int_equal(fault(stage_offer(s)), MIKEY_BAD_TICKET);
	end(s);
}

static void not_valid_yet(void **state)
{
	struct stage *s = begin(3, false);

	(void)state;
	s->policy.start = (STAGE_NOW >> 32) + 10;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(fault(stage_offer(s)), MIKEY_BAD_TICKET);
	end(s);
}

/* 2036: timestamps go round, and validity goes on (RFC 4330, 3). */
static void across_2036(void **state)
{
	struct stage *s = begin(3, false);
	uint64_t now = 0xffffffffULL << 32 | 0xf0000000;

	(void)state;
	s->policy.start = 0xfffffff0;
	s->policy.end = 0x100000010ULL;
	s->initiator.env.now = now;
	s->kms.env.now = s->responder.env.now = now + (2ULL << 32);
	assert_true(s->kms.env.now < now);
	if (stage_play(s))
		fail_msg("%s", s->err.text);
	end(s);
}

static void for_somebody_else(void **state)
{
	struct stage *s = begin(1, false);
	struct mikey_id other = { MIKEY_URI, mikey_octets_text("sip:mallory@example.com") };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	s->transfer_init = stage_read(s, &s->transfer.sent);
	assert_int_equal(fault(mikey_received_read(&s->responder.env, s->transfer_init, &other,
	                                           prots, 1, &s->received, &s->err)),
	                 MIKEY_BAD_ID);
	assert_int_equal(stage_receive(s), 0);
	s->listed = other; /* the KMS knows who asks, and that the ticket is not for them */
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_ID);
	assert_int_equal(s->resolve_resp.len, 0);
	s->kms.id = other;
	assert_int_equal(fault(at_kms_r(s)), MIKEY_BAD_ID);
	end(s);
}

/* Mallory puts a ticket that she saw into a message of her own (RFC 6043, 12.4). */
static void stolen_ticket(void **state)
{
	struct stage *s = begin(1, false);
	struct mikey_keys keys = { .count = 0 };
	uint8_t guess[32] = { 7 };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	/* even one who knows MPKi has no MPKr */
	assert_int_equal(mikey_keys_add(&keys, MIKEY_MPK, mikey_keys_mpk(&s->grant.keys, 0),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("i")),
	                 0);
	assert_int_equal(mikey_keys_add(&keys, MIKEY_MPK, mikey_octets_of(guess, 32),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("r")),
	                 0);
	mikey_keys_done(&s->grant.keys);
	s->grant.keys = keys;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_AUTH);
	assert_non_null(strstr(s->err.text, "Vr"));
	end(s);
}

/* Somebody who resolved the ticket has MPKi, and Initiator Data that the KMS takes; those are of
 * another message, though (RFC 6043, 4.2.3.6). */
static void initiator_data_of_another_message(void **state)
{
	struct stage *s = begin(1, false);
	struct base_writer first;
	struct mikey_octets was, is;

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	was = mikey_find(stage_read(s, &s->transfer.sent)->first, MIKEY_TICKET)
	              ->ticket.initiator_span;
	first = s->transfer.sent;
	s->transfer.sent = (struct base_writer){ 0 };
	mikey_transfer_done(&s->transfer);
	assert_int_equal(stage_offer(s), 0);
	is = mikey_find(stage_read(s, &s->transfer.sent)->first, MIKEY_TICKET)
	             ->ticket.initiator_span;
	assert_int_equal(was.len, is.len);
	memcpy(s->transfer.sent.data + (is.at - s->transfer.sent.data), was.at, was.len);
	assert_int_equal(fault(respond(s)), MIKEY_BAD_AUTH);
	assert_non_null(strstr(s->err.text, "Vi"));
	base_writer_done(&first);
	end(s);
}

/* A user's own ticket key makes no tickets in another's name, nor in the KMS's. */
static void in_anothers_name(void **state)
{
	struct stage *s = begin(3, false);
	struct mikey_id other = { MIKEY_URI, mikey_octets_text("sip:carol@example.com") };

	(void)state;
	s->policy.initiator = other;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_ID); /* two names */
	mikey_transfer_done(&s->transfer);
	s->initiator.id = other;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0); /* it cannot know better */
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_ID);
	assert_int_equal(s->resolve_resp.len, 0);
	end(s);
	s = begin(3, false);
	s->policy.flags |= MIKEY_FLAG_D;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_ID);
	end(s);
}

/* Alice has her ticket resolved; then she writes another name into it, and Bob, who keeps what he
 * resolved (RFC 6043, 5.3), does not ask the KMS again. */
static void ticket_rewritten_after_it_was_resolved(void **state)
{
	const struct mikey_id other = { MIKEY_URI, mikey_octets_text("sip:carol@example.com") };

	(void)state;
	for (int mode = 1; mode <= 4; mode++) {
		struct stage *s = begin(mode, false);
		const struct mikey_answer answer = { .suite = s->suite };
		struct mikey_session session = { 0 };

		assert_int_equal(stage_play(s), 0);
		for (struct mikey_payload *p = s->grant.ticket->ticket.policy; p; p = p->next)
			if (p->type == MIKEY_IDR && p->idr.role == MIKEY_ID_INITIATOR)
				p->idr.id = other;
		s->initiator.id = other;
		mikey_transfer_done(&s->transfer);
		assert_int_equal(stage_offer(s), 0);
		assert_int_equal(stage_receive(s), 0);
		base_writer_reset(&s->transfer_resp);
		assert_int_equal(
		        fault(mikey_transfer_resp(&s->responder.env, &s->received, &s->resolved,
		                                  &answer, &s->transfer_resp, &session, &s->err)),
		        MIKEY_BAD_TICKET);
		assert_int_equal(s->transfer_resp.len + session.keys.count, 0);
		end(s);
	}
}

static void wrong_mode(void **state)
{
	struct stage *s = begin(3, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	s->mode = 4; /* the Responder happens to have the TPK; the E flag forbids its use */
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_TICKET);
	assert_int_equal(s->resolved.keys.count, 0);
	end(s);
}

static void wrong_keys(void **state)
{
	struct stage *s = begin(1, false);

	(void)state;
	s->kms_i.psk = mikey_octets_text("another key than Alice has......");
	assert_int_equal(fault(stage_grant(s)), MIKEY_BAD_AUTH);
	s->kms_i.psk = mikey_octets_of(NULL, 0); /* nothing shared at all */
	assert_int_equal(fault(at_kms_i(s)), MIKEY_BAD_AUTH);
	end(s);
	s = begin(1, false);
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	s->tpk.key = mikey_octets_text("another ticket protection key...");
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_AUTH);
	end(s);
}

/* Algorithms that are switched off, by their number. */
static void algorithms(void **state)
{
	struct stage *s = begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	forget(s);
	s->kms.env.prfs = 1 << MIKEY_PRF_MIKEY_1;
	assert_int_equal(fault(at_kms_i(s)), MIKEY_BAD_PRF);
	s->kms.env.prfs = 0;
	s->kms.env.macs = 1 << MIKEY_HMAC_SHA_1_160;
	assert_int_equal(fault(at_kms_i(s)), MIKEY_BAD_MAC);
	s->initiator.env.encrs = 1 << MIKEY_AES_CM_256;
	assert_int_equal(fault(request_finish(s)), MIKEY_BAD_EA);
	s->responder.env.prfs = 1 << MIKEY_PRF_MIKEY_1;
	assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_PRF);
	end(s);
}

/* V with the NULL algorithm authenticates nobody, however well the rest is made. */
static void null_is_no_mac(void **state)
{
	struct stage *s = begin(1, false);
	struct mikey_message *msg;
	struct mikey_payload *v;
	struct base_writer w = { 0 };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	forget(s);
	msg = stage_read(s, &s->request.sent);
	v = (struct mikey_payload *)mikey_final(msg->first);
	v->v = (struct mikey_v){ .mac = MIKEY_MAC_NULL };
	assert_int_equal(mikey_encode(&w, msg), 0);
	assert_int_equal(fault(ask_kms(s, &w, &s->kms_i)), MIKEY_BAD_MAC);
	base_writer_done(&w);
	s->suite.mac = MIKEY_MAC_NULL;
	assert_int_equal(base_err_class(stage_offer(s)), BASE_CONFIG);
	s->suite = (struct mikey_suite){ 1, MIKEY_ENCR_NULL, MIKEY_HMAC_SHA_256_256 };
	assert_int_equal(base_err_class(stage_offer(s)), BASE_CONFIG);
	end(s);
}

static void flags_that_disagree(void **state)
{
	static const uint32_t good = MIKEY_FLAG_D | MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H;
	static const struct {
		uint32_t set, clear;
	} bad[] = {
		{ 0, MIKEY_FLAG_D },                /* NOT D implies L */
		{ 0, MIKEY_FLAG_F },                /* G implies F */
		{ 0, MIKEY_FLAG_G | MIKEY_FLAG_H }, /* one RAND at least */
		{ MIKEY_FLAG_I, 0 },                /* I implies E */
		{ MIKEY_FLAG_K | MIKEY_FLAG_L, MIKEY_FLAG_D },
		{ MIKEY_FLAG_M, MIKEY_FLAG_F | MIKEY_FLAG_G },
	};
	struct stage *s = begin(1, false);
	struct mikey_policy p = s->policy;

	(void)state;
	p.flags = good;
	assert_int_equal(mikey_policy_check(&p, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		p.flags = (good | bad[i].set) & ~bad[i].clear;
		assert_int_equal(fault(mikey_policy_check(&p, &s->err)), MIKEY_BAD_TP_PARAM);
	}
	p.flags = good;
	p.responders = 0;
	assert_int_equal(fault(mikey_policy_check(&p, NULL)), MIKEY_BAD_TP_PARAM);
	p = s->policy;
	p.prf = 9;
	assert_int_equal(fault(mikey_policy_check(&p, NULL)), MIKEY_BAD_PRF);
	s->policy.flags &= ~(uint32_t)MIKEY_FLAG_E;
	assert_int_equal(fault(stage_grant(s)), MIKEY_BAD_TP_PARAM);
	end(s);
}

/* Before the KMS is troubled (RFC 6043, 4.2.2.2). */
static void early_rejects(void **state)
{
	static const uint8_t srtp_alone[] = { MIKEY_PROT_SRTP };
	struct stage *s = begin(3, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_int_equal(fault(mikey_received_read(&s->responder.env, s->transfer_init, NULL,
	                                           srtp_alone, 1, &s->received, &s->err)),
	                 MIKEY_BAD_SP);
	mikey_transfer_done(&s->transfer);
	s->sp.sp.policy_no = 3; /* and the crypto session names 0 */
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_SP);
	mikey_transfer_done(&s->transfer);
	s->sp.sp.policy_no = 0;
	s->grant.ticket->ticket.flags &= ~(uint32_t)MIKEY_FLAG_O;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_TICKET);
	mikey_transfer_done(&s->transfer);
	s->grant.ticket->ticket.flags |= MIKEY_FLAG_O;
	s->grant.ticket->ticket.type = 999;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(fault(stage_receive(s)), MIKEY_BAD_TICKET);
	end(s);
}

/* Its flags are read and it is carried; only whoever knows its inside opens it. */
static void a_3gpp_ticket_is_opaque(void **state)
{
	struct stage *s = begin(3, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	s->grant.ticket->ticket.type = s->grant.policy.type = MIKEY_TICKET_3GPP;
	s->grant.ticket->ticket.data = mikey_octets_text("whatever TS 33.328, annex D says");
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_true(mikey_octets_eq(s->received.ticket->ticket.data,
	                            mikey_octets_text("whatever TS 33.328, annex D says")));
	assert_int_equal(fault(stage_resolve(s)), MIKEY_BAD_TICKET);
	end(s);
}

static void keys_that_nobody_may_supply(void **state)
{
	struct stage *s = begin(2, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	s->supplied = true; /* against the L flag */
	assert_int_equal(mikey_keys_add(&s->supply, MIKEY_TEK,
	                                mikey_octets_text("0123456789abcdef"),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("x")),
	                 0);
	assert_int_equal(base_err_class(stage_offer(s)), BASE_CONFIG);
	s->grant.policy.flags |= MIKEY_FLAG_L; /* an Initiator that does not care */
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(fault(stage_receive(s)), MIKEY_UNSPECIFIED);
	end(s);
}

/* Keys of the Responder's against the M flag (RFC 6043, 4.2.2.3): it does not send them, and the
 * Initiator does not take them. */
static void keys_of_the_responder(void **state)
{
	struct stage *s = begin(4, false);

	(void)state;
	s->answered = true;
	assert_int_equal(mikey_keys_add(&s->supply, MIKEY_TEK,
	                                mikey_octets_text("0123456789abcdef"),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("x")),
	                 0);
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_int_equal(stage_resolve(s), 0);
	assert_int_equal(base_err_class(stage_answer(s)), BASE_CONFIG);
	s->received.policy.flags |= MIKEY_FLAG_M; /* a Responder that does not care */
	assert_int_equal(fault(stage_answer(s)), MIKEY_UNSPECIFIED);
	assert_int_equal(s->session_i.keys.count, 0);
	end(s);
}

static void answers_to_something_else(void **state)
{
	struct stage *s = begin(1, false);
	struct base_writer mixed;

	(void)state;
	assert_int_equal(stage_play(s), 0);
	mixed = s->request_resp;
	s->request_resp = s->resolve_resp;
	assert_int_equal(fault(request_finish(s)), MIKEY_UNSPECIFIED); /* another CSB ID */
	memcpy(s->request_resp.data + 4, s->request.sent.data + 4, 4);
	assert_int_equal(fault(request_finish(s)), MIKEY_BAD_DATA_TYPE);
	s->request_resp = mixed;
	end(s);
}

/* An answer that is proved, and has not the MPKs that its ticket's I flag wants. */
static void a_kms_that_forgets_a_key(void **state)
{
	struct stage *s = begin(1, false);
	struct mikey_asked asked = { 0 };
	struct mikey_keys one = { .count = 0 };
	struct base_writer first; /* the ticket is in it */

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	forget(s);
	assert_int_equal(mikey_asked_read(&s->kms.env, stage_read(s, &s->request.sent), &s->kms.id,
	                                  NULL, &s->kms_i, &asked, &s->err),
	                 0);
	assert_int_equal(mikey_keys_add(&one, MIKEY_MPK, mikey_keys_mpk(&s->grant.keys, 0),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("i")),
	                 0);
	first = s->request_resp;
	s->request_resp = (struct base_writer){ 0 };
	assert_int_equal(mikey_request_resp(&s->kms.env, &asked, s->suite, &s->kms.id,
	                                    s->grant.ticket, &one, &s->request_resp, &s->err),
	                 0);
	assert_int_equal(fault(request_finish(s)), MIKEY_UNSPECIFIED);
	mikey_asked_done(&asked);
	mikey_keys_done(&one);
	base_writer_done(&first);
	end(s);
}

/* Error messages of the far end come back as what they say, and are told from proved ones. */
static void errors_are_told(void **state)
{
	struct stage *s = begin(1, false);
	struct mikey_asked asked = { 0 };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	forget(s);
	assert_int_equal(mikey_asked_read(&s->kms.env, stage_read(s, &s->request.sent), &s->kms.id,
	                                  NULL, &s->kms_i, &asked, &s->err),
	                 0);
	base_writer_done(&s->request_resp);
	assert_int_equal(mikey_asked_refuse(&s->kms.env, &asked, s->suite.mac, MIKEY_BAD_TP_PARAM,
	                                    &s->request_resp),
	                 0);
	assert_int_equal(fault(request_finish(s)), MIKEY_BAD_TP_PARAM);
	assert_null(strstr(s->err.text, "without proof"));
	s->request_resp.data[s->request_resp.len - 1] ^= 1;
	assert_int_equal(fault(request_finish(s)), MIKEY_BAD_TP_PARAM);
	assert_non_null(strstr(s->err.text, "without proof"));
	base_writer_done(&s->request_resp);
	assert_int_equal(mikey_error_write(&s->kms.env, stage_octets(&s->request.sent),
	                                   MIKEY_BAD_AUTH, NULL, &s->request_resp),
	                 0);
	assert_int_equal(fault(request_finish(s)), MIKEY_BAD_AUTH);
	assert_non_null(strstr(s->err.text, "told: Auth failure, by a message without proof"));
	mikey_asked_done(&asked);
	end(s);
}

static void errors_are_not_answered(void **state)
{
	struct stage *s = begin(4, false);
	struct base_writer once = { 0 }, twice = { 0 };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(mikey_error_write(&s->responder.env, stage_octets(&s->transfer.sent),
	                                   MIKEY_BAD_SP, &s->sp, &once),
	                 0);
	assert_int_not_equal(
	        mikey_error_write(&s->initiator.env, stage_octets(&once), 0, NULL, &twice), 0);
	assert_int_not_equal(
	        mikey_error_write(&s->initiator.env, mikey_octets_text("\1\16"), 0, NULL, &twice),
	        0);
	assert_int_equal(twice.len, 0);
	base_writer_done(&once);
	base_writer_done(&twice);
	end(s);
}

/* A badly padded envelope is no error that anybody could learn from: its answer opens for nobody.
 */
static void padding_tells_nothing(void **state)
{
	struct stage *s = begin(1, true);
	struct mikey_cred at_kms;

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	forget(s);
	/* The user encrypts to another key of the same size: to the KMS, noise. */
	s->initiator.cred.peer = s->responder.key;
	s->initiator.cred.peer_cert = mikey_octets_of(NULL, 0);
	mikey_asking_done(&s->request);
	s->request = (struct mikey_asking){ 0 };
	base_writer_done(&s->request_resp);
	at_kms = s->kms_i;
	at_kms.peer_cert = mikey_octets_of(NULL, 0);
	s->kms_i = at_kms;
	mikey_grant_done(&s->grant);
	assert_int_equal(fault(stage_grant(s)), MIKEY_BAD_AUTH);
	assert_true(s->request_resp.len > 0); /* the KMS did answer */
	end(s);
}

static void chash_of_another_certificate(void **state)
{
	struct stage *s = begin(1, true);

	(void)state;
	s->initiator.cred.peer_cert = mikey_octets_of(s->responder.cert, s->responder.cert_len);
	assert_int_equal(fault(stage_grant(s)), MIKEY_BAD_CERT);
	end(s);
}

/* RFC 6043, 4.2: unexpected payloads are ignored; they are covered by the MAC all the same. */
static void unexpected_payloads(void **state)
{
	struct stage *s = begin(4, false);
	struct mikey_payload ext = { .type = MIKEY_GENERAL_EXT,
		                     .ext = { MIKEY_EXT_SDP_IDS,
		                              { (const uint8_t *)"mikey", 5 } } };

	(void)state;
	s->sp.next = &ext;
	if (stage_play(s))
		fail_msg("%s", s->err.text);
	end(s);
}

static void teks_that_are_not(void **state)
{
	struct stage *s = begin(4, false);
	uint8_t tek[32] = { 0 };

	(void)state;
	assert_int_equal(stage_play(s), 0);
	assert_int_equal(
	        fault(mikey_session_tek(&s->initiator.env, &s->session_i, 2, tek, 32, &s->err)),
	        MIKEY_UNSPECIFIED);
	s->session_i.cs[0].spi[0] ^= 1;
	assert_int_equal(
	        fault(mikey_session_tek(&s->initiator.env, &s->session_i, 1, tek, 32, &s->err)),
	        MIKEY_UNSPECIFIED);
	for (size_t i = 0; i < sizeof(tek); i++)
		assert_int_equal(tek[i], 0);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tampered),
		cmocka_unit_test(tampered_by_public_keys),
		cmocka_unit_test(tampered_ticket_of_mode_4),
		cmocka_unit_test(truncated),
		cmocka_unit_test(replayed),
		cmocka_unit_test(too_early_or_too_late),
		cmocka_unit_test(ticket_out_of_time),
		cmocka_unit_test(not_valid_yet),
		cmocka_unit_test(across_2036),
		cmocka_unit_test(for_somebody_else),
		cmocka_unit_test(stolen_ticket),
		cmocka_unit_test(initiator_data_of_another_message),
		cmocka_unit_test(in_anothers_name),
		cmocka_unit_test(ticket_rewritten_after_it_was_resolved),
		cmocka_unit_test(wrong_mode),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(algorithms),
		cmocka_unit_test(null_is_no_mac),
		cmocka_unit_test(flags_that_disagree),
		cmocka_unit_test(early_rejects),
		cmocka_unit_test(a_3gpp_ticket_is_opaque),
		cmocka_unit_test(keys_that_nobody_may_supply),
		cmocka_unit_test(keys_of_the_responder),
		cmocka_unit_test(answers_to_something_else),
		cmocka_unit_test(a_kms_that_forgets_a_key),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(errors_are_not_answered),
		cmocka_unit_test(padding_tells_nothing),
		cmocka_unit_test(chash_of_another_certificate),
		cmocka_unit_test(unexpected_payloads),
		cmocka_unit_test(teks_that_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
