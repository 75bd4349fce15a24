/* SPDX-License-Identifier: Apache-2.0 */
/** @file All modes of RFC 6043, 4.1.1, played from end to end: both ends have the same TEK. */
#include "check.h"

#include "mikey/crypto.h"
#include "stage.h"

#define SHA256_SUITE                                                                               \
	{                                                                                          \
		MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_256_256                   \
	}

static void play(struct stage s, uint8_t tek[STAGE_TEK])
{
	uint8_t other[STAGE_TEK];

	stage_init(&s);
	if (stage_play(&s))
		fail_msg("%s", s.err.text);
	assert_int_equal(
	        mikey_session_tek(&s.initiator.env, &s.session_i, 1, tek, STAGE_TEK, &s.err), 0);
	assert_int_equal(
	        mikey_session_tek(&s.responder.env, &s.session_r, 1, other, STAGE_TEK, &s.err), 0);
	assert_memory_equal(tek, other, STAGE_TEK);
	assert_int_equal(s.session_i.cs[0].prot, MIKEY_PROT_TLS);
	assert_int_equal(s.session_i.csb_id, STAGE_CSB);
	assert_int_equal(s.session_i.end, s.session_r.end);
	stage_done(&s);
}

static void every_mode(void **state)
{
	uint8_t tek[STAGE_TEK], forked[STAGE_TEK];

	(void)state;
	for (int mode = 1; mode <= 4; mode++) {
		play((struct stage){ .mode = mode, .suite = SHA256_SUITE, .ticket_prf = 1 }, tek);
		if (mode % 2 == 0) /* the KMS forks, and takes part in modes 1 and 3 only */
			continue;
		play((struct stage){ .mode = mode,
		                     .suite = SHA256_SUITE,
		                     .ticket_prf = 1,
		                     .forked = true },
		     forked);
		assert_memory_not_equal(tek, forked, STAGE_TEK);
	}
}

static void every_algorithm(void **state)
{
	uint8_t tek[STAGE_TEK];

	(void)state;
	for (uint8_t encr = MIKEY_AES_CM_128; encr <= MIKEY_AES_CM_256; encr++) {
		for (uint8_t mac = MIKEY_HMAC_SHA_1_160; mac <= MIKEY_HMAC_SHA_256_256; mac++) {
			for (uint8_t prf = 0; prf < 4; prf++)
				play((struct stage){ .mode = 1,
				                     .forked = true,
				                     .suite = { prf & 1, encr, mac },
				                     .ticket_prf = prf >> 1 },
				     tek);
		}
	}
}

static void public_keys(void **state)
{
	uint8_t tek[STAGE_TEK];

	(void)state;
	play((struct stage){ .mode = 1,
	                     .pk = true,
	                     .forked = true,
	                     .suite = SHA256_SUITE,
	                     .ticket_prf = 1 },
	     tek);
	play((struct stage){ .mode = 2,
	                     .pk = true,
	                     .ticket_prf = 0,
	                     .suite = { 0, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_1_160 } },
	     tek);
}

/* RSASSA-PSS instead, which RFC 3830 recommends (4.2.6); each kind is taken as itself alone. */
static void signed_by_pss(void **state)
{
	struct stage s = { .mode = 1, .pk = true, .suite = SHA256_SUITE, .ticket_prf = 1 };
	const struct mikey_payload *sign;
	struct mikey_octets covered;

	(void)state;
	stage_init(&s);
	s.initiator.cred.sign_type = s.responder.cred.sign_type = MIKEY_RSA_PSS;
	assert_int_equal(stage_play(&s), 0);
	sign = mikey_final(stage_read(&s, &s.request.sent)->first);
	assert_int_equal(sign->sign.type, MIKEY_RSA_PSS);
	covered = mikey_octets_text("what is signed");
	for (uint8_t made = MIKEY_RSA_PKCS1; made <= MIKEY_RSA_PSS; made++) {
		struct base_writer w = { 0 };

		assert_int_equal(mikey_rsa_sign(s.initiator.key, made, MIKEY_SHA_256, covered, &w),
		                 0);
		for (uint8_t said = MIKEY_RSA_PKCS1; said <= MIKEY_RSA_PSS + 1; said++)
			assert_int_equal(mikey_rsa_verify(s.initiator.key, said, MIKEY_SHA_256,
			                                  covered, stage_octets(&w)),
			                 said == made);
		base_writer_done(&w);
	}
	stage_done(&s);
}

static void other_ways(void **state)
{
	uint8_t tek[STAGE_TEK];

	(void)state;
	play((struct stage){ .mode = 4, .one_way = true, .suite = SHA256_SUITE, .ticket_prf = 1 },
	     tek);
	play((struct stage){ .mode = 4, .supplied = true, .suite = SHA256_SUITE, .ticket_prf = 1 },
	     tek);
	play((struct stage){ .mode = 3,
	                     .answered = true,
	                     .forked = true,
	                     .suite = SHA256_SUITE,
	                     .ticket_prf = 1 },
	     tek);
	play((struct stage){ .mode = 3,
	                     .group = true,
	                     .forked = true,
	                     .suite = SHA256_SUITE,
	                     .ticket_prf = 1 },
	     tek);
	play((struct stage){ .mode = 1,
	                     .many_keys = true,
	                     .mpk_len = 48,
	                     .forked = true,
	                     .suite = SHA256_SUITE,
	                     .ticket_prf = 1 },
	     tek);
}

/* With forking the answerer is who the KMS says, not who was called (RFC 6043, 12.2). */
static void who_answered_is_told(void **state)
{
	struct stage s = {
		.mode = 3, .group = true, .forked = true, .suite = SHA256_SUITE, .ticket_prf = 1
	};

	(void)state;
	stage_init(&s);
	assert_int_equal(stage_play(&s), 0);
	assert_true(mikey_octets_eq(mikey_secret(&s.session_i.responder), s.responder.id.data));
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode),           cmocka_unit_test(every_algorithm),
		cmocka_unit_test(public_keys),          cmocka_unit_test(other_ways),
		cmocka_unit_test(who_answered_is_told), cmocka_unit_test(signed_by_pss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
