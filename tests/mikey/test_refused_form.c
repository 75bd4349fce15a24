/* SPDX-License-Identifier: Apache-2.0 */
/** @file Algorithms, flags and payloads that are refused, and Error messages. */
#include "hostile.h"

/* Algorithms that are switched off, by their number. */
static void algorithms(void **state)
{
	struct stage *s = hostile_begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	hostile_forget(s);
	s->kms.env.prfs = 1 << MIKEY_PRF_MIKEY_1;
	assert_int_equal(hostile_fault(hostile_at_kms_i(s)), MIKEY_BAD_PRF);
	s->kms.env.prfs = 0;
	s->kms.env.macs = 1 << MIKEY_HMAC_SHA_1_160;
	assert_int_equal(hostile_fault(hostile_at_kms_i(s)), MIKEY_BAD_MAC);
	s->initiator.env.encrs = 1 << MIKEY_AES_CM_256;
	assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_BAD_EA);
	s->responder.env.prfs = 1 << MIKEY_PRF_MIKEY_1;
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_PRF);
	hostile_end(s);
}

/* V with the NULL algorithm authenticates nobody, however well the rest is made. */
static void null_is_no_mac(void **state)
{
	struct stage *s = hostile_begin(1, false);
	struct mikey_message *msg;
	struct mikey_payload *v;
	struct base_writer w = { 0 };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	hostile_forget(s);
	msg = stage_read(s, &s->request.sent);
	v = (struct mikey_payload *)mikey_final(msg->first);
	v->v = (struct mikey_v){ .mac = MIKEY_MAC_NULL };
	assert_int_equal(mikey_encode(&w, msg), 0);
	assert_int_equal(hostile_fault(hostile_ask_kms(s, &w, &s->kms_i)), MIKEY_BAD_MAC);
	base_writer_done(&w);
	s->suite.mac = MIKEY_MAC_NULL;
	assert_int_equal(base_err_class(stage_offer(s)), BASE_CONFIG);
	s->suite = (struct mikey_suite){ 1, MIKEY_ENCR_NULL, MIKEY_HMAC_SHA_256_256 };
	assert_int_equal(base_err_class(stage_offer(s)), BASE_CONFIG);
	hostile_end(s);
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
	struct stage *s = hostile_begin(1, false);
	struct mikey_policy p = s->policy;

	(void)state;
	p.flags = good;
	assert_int_equal(mikey_policy_check(&p, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		p.flags = (good | bad[i].set) & ~bad[i].clear;
		assert_int_equal(hostile_fault(mikey_policy_check(&p, &s->err)),
		                 MIKEY_BAD_TP_PARAM);
	}
	p.flags = good;
	p.responders = 0;
	assert_int_equal(hostile_fault(mikey_policy_check(&p, NULL)), MIKEY_BAD_TP_PARAM);
	p = s->policy;
	p.prf = 9;
	assert_int_equal(hostile_fault(mikey_policy_check(&p, NULL)), MIKEY_BAD_PRF);
	s->policy.flags &= ~(uint32_t)MIKEY_FLAG_E;
	assert_int_equal(hostile_fault(stage_grant(s)), MIKEY_BAD_TP_PARAM);
	hostile_end(s);
}

/* Before the KMS is troubled (RFC 6043, 4.2.2.2). */
static void early_rejects(void **state)
{
	static const uint8_t srtp_alone[] = { MIKEY_PROT_SRTP };
	struct stage *s = hostile_begin(3, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_int_equal(
	        hostile_fault(mikey_received_read(&s->responder.env, s->transfer_init, NULL,
	                                          srtp_alone, 1, &s->received, &s->err)),
	        MIKEY_BAD_SP);
	mikey_transfer_done(&s->transfer);
	s->sp.sp.policy_no = 3; /* and the crypto session names 0 */
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_SP);
	mikey_transfer_done(&s->transfer);
	s->sp.sp.policy_no = 0;
	s->grant.ticket->ticket.flags &= ~(uint32_t)MIKEY_FLAG_O;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_TICKET);
	mikey_transfer_done(&s->transfer);
	s->grant.ticket->ticket.flags |= MIKEY_FLAG_O;
	s->grant.ticket->ticket.type = 999;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_TICKET);
	hostile_end(s);
}

/* Its flags are read and it is carried; only whoever knows its inside opens it. */
static void a_3gpp_ticket_is_opaque(void **state)
{
	struct stage *s = hostile_begin(3, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	s->grant.ticket->ticket.type = s->grant.policy.type = MIKEY_TICKET_3GPP;
	s->grant.ticket->ticket.data = mikey_octets_text("whatever TS 33.328, annex D says");
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_true(mikey_octets_eq(s->received.ticket->ticket.data,
	                            mikey_octets_text("whatever TS 33.328, annex D says")));
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_TICKET);
	hostile_end(s);
}

/* Error messages of the far end come back as what they say, and are told from proved ones. */
static void errors_are_told(void **state)
{
	struct stage *s = hostile_begin(1, false);
	struct mikey_asked asked = { 0 };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	hostile_forget(s);
	assert_int_equal(mikey_asked_read(&s->kms.env, stage_read(s, &s->request.sent), &s->kms.id,
	                                  NULL, &s->kms_i, &asked, &s->err),
	                 0);
	base_writer_done(&s->request_resp);
	assert_int_equal(mikey_asked_refuse(&s->kms.env, &asked, s->suite.mac, MIKEY_BAD_TP_PARAM,
	                                    &s->request_resp),
	                 0);
	assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_BAD_TP_PARAM);
	assert_null(strstr(s->err.text, "without proof"));
	s->request_resp.data[s->request_resp.len - 1] ^= 1;
	assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_BAD_TP_PARAM);
	assert_non_null(strstr(s->err.text, "without proof"));
	base_writer_done(&s->request_resp);
	assert_int_equal(mikey_error_write(&s->kms.env, stage_octets(&s->request.sent),
	                                   MIKEY_BAD_AUTH, NULL, &s->request_resp),
	                 0);
	assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_BAD_AUTH);
	assert_non_null(strstr(s->err.text, "told: Auth failure, by a message without proof"));
	mikey_asked_done(&asked);
	hostile_end(s);
}

static void errors_are_not_answered(void **state)
{
	struct stage *s = hostile_begin(4, false);
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
	hostile_end(s);
}

/* A badly padded envelope is no error that anybody could learn from: its answer opens for nobody.
 */
static void padding_tells_nothing(void **state)
{
	struct stage *s = hostile_begin(1, true);
	struct mikey_cred at_kms;

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	hostile_forget(s);
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
	assert_int_equal(hostile_fault(stage_grant(s)), MIKEY_BAD_AUTH);
	assert_true(s->request_resp.len > 0); /* the KMS did answer */
	hostile_end(s);
}

static void chash_of_another_certificate(void **state)
{
	struct stage *s = hostile_begin(1, true);

	(void)state;
	s->initiator.cred.peer_cert = mikey_octets_of(s->responder.cert, s->responder.cert_len);
	assert_int_equal(hostile_fault(stage_grant(s)), MIKEY_BAD_CERT);
	hostile_end(s);
}

/* RFC 6043, 4.2: unexpected payloads are ignored; they are covered by the MAC all the same. */
static void unexpected_payloads(void **state)
{
	struct stage *s = hostile_begin(4, false);
	struct mikey_payload ext = { .type = MIKEY_GENERAL_EXT,
		                     .ext = { MIKEY_EXT_SDP_IDS,
		                              { (const uint8_t *)"mikey", 5 } } };

	(void)state;
	s->sp.next = &ext;
	if (stage_play(s))
		fail_msg("%s", s->err.text);
	hostile_end(s);
}

static void teks_that_are_not(void **state)
{
	struct stage *s = hostile_begin(4, false);
	uint8_t tek[32] = { 0 };

	(void)state;
	assert_int_equal(stage_play(s), 0);
	assert_int_equal(hostile_fault(mikey_session_tek(&s->initiator.env, &s->session_i, 2, tek,
	                                                 32, &s->err)),
	                 MIKEY_UNSPECIFIED);
	s->session_i.cs[0].spi[0] ^= 1;
	assert_int_equal(hostile_fault(mikey_session_tek(&s->initiator.env, &s->session_i, 1, tek,
	                                                 32, &s->err)),
	                 MIKEY_UNSPECIFIED);
	for (size_t i = 0; i < sizeof(tek); i++)
		assert_int_equal(tek[i], 0);
	hostile_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algorithms),
		cmocka_unit_test(null_is_no_mac),
		cmocka_unit_test(flags_that_disagree),
		cmocka_unit_test(early_rejects),
		cmocka_unit_test(a_3gpp_ticket_is_opaque),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(errors_are_not_answered),
		cmocka_unit_test(padding_tells_nothing),
		cmocka_unit_test(chash_of_another_certificate),
		cmocka_unit_test(unexpected_payloads),
		cmocka_unit_test(teks_that_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
