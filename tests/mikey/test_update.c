/* SPDX-License-Identifier: Apache-2.0 */
/** @file CSB updating (RFC 6043, 5.2), begun by either end, and what is refused of it. */
#include "check.h"
#include "stage.h"

static const struct mikey_suite suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
	                                  MIKEY_HMAC_SHA_256_256 };
static const uint8_t policy_no[1];
static const uint8_t prots[] = { MIKEY_PROT_TLS };

/* A stage whose first exchange is done, and what is to come on it. */
struct scene {
	struct stage s;
	struct mikey_keys fresh; /* one TGK more */
	struct mikey_cs cs;
	struct mikey_ends at_i, at_r;
	struct mikey_change change;
	struct mikey_updating updating;
	struct base_writer resp;
};

static void scene_init(struct scene *c, struct stage how)
{
	static const uint8_t tgk[32] = "a TGK for a second session, 32..";

	*c = (struct scene){ .s = how };
	c->s.suite = suite;
	c->s.ticket_prf = MIKEY_PRF_HMAC_SHA_256;
	stage_init(&c->s);
	if (stage_play(&c->s))
		fail_msg("mode %d: %s", how.mode, c->s.err.text);
	assert_int_equal(mikey_keys_add(&c->fresh, MIKEY_TGK, mikey_octets_of(tgk, sizeof(tgk)),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("tgk2")),
	                 0);
	c->cs = (struct mikey_cs){ .id = 2,
		                   .prot = MIKEY_PROT_TLS,
		                   .policies = mikey_octets_of(policy_no, 1),
		                   .spi = mikey_octets_text("tgk2") };
	c->at_i = (struct mikey_ends){ c->s.initiator.id, c->s.responder.id, true };
	c->at_r = (struct mikey_ends){ c->s.initiator.id, c->s.responder.id, false };
	c->change = (struct mikey_change){ .suite = suite,
		                           .cs = &c->cs,
		                           .cs_count = 1,
		                           .sp = &c->s.sp,
		                           .keys = &c->fresh,
		                           .answer = true };
	c->s.err = (struct base_error){ .rc = 0 };
}

static void scene_done(struct scene *c)
{
	mikey_keys_done(&c->fresh);
	mikey_updating_done(&c->updating);
	base_writer_done(&c->resp);
	stage_done(&c->s);
}

static int begin(struct scene *c, bool by_initiator)
{
	return by_initiator ? mikey_update_init(&c->s.initiator.env, &c->s.session_i, &c->at_i,
	                                        &c->change, &c->updating, &c->s.err)
	                    : mikey_update_init(&c->s.responder.env, &c->s.session_r, &c->at_r,
	                                        &c->change, &c->updating, &c->s.err);
}

static int answer_octets(struct scene *c, bool to_initiator, struct mikey_octets data)
{
	const struct mikey_answer answer = { .suite = suite };
	struct mikey_message *msg = NULL;
	int rc = mikey_decode(&c->s.arena, data.at, data.len, &msg, &c->s.err);

	if (rc)
		return rc;
	return to_initiator ? mikey_update_resp(&c->s.initiator.env, &c->s.session_i, &c->at_i, msg,
	                                        prots, 1, &answer, &c->resp, &c->s.err)
	                    : mikey_update_resp(&c->s.responder.env, &c->s.session_r, &c->at_r, msg,
	                                        prots, 1, &answer, &c->resp, &c->s.err);
}

static int answer(struct scene *c, bool to_initiator)
{
	return answer_octets(c, to_initiator, stage_octets(&c->updating.sent));
}

static int finish(struct scene *c, bool by_initiator)
{
	return by_initiator ? mikey_update_finish(&c->s.initiator.env, &c->s.session_i, &c->at_i,
	                                          &c->updating, stage_octets(&c->resp), &c->s.err)
	                    : mikey_update_finish(&c->s.responder.env, &c->s.session_r, &c->at_r,
	                                          &c->updating, stage_octets(&c->resp), &c->s.err);
}

static void same_teks(struct scene *c, uint8_t cs_id, uint8_t ret[STAGE_TEK])
{
	uint8_t other[STAGE_TEK];

	if (mikey_session_tek(&c->s.initiator.env, &c->s.session_i, cs_id, ret, STAGE_TEK,
	                      &c->s.err) ||
	    mikey_session_tek(&c->s.responder.env, &c->s.session_r, cs_id, other, STAGE_TEK,
	                      &c->s.err))
		fail_msg("crypto session %u: %s", cs_id, c->s.err.text);
	assert_memory_equal(ret, other, STAGE_TEK);
}

/* Old crypto sessions stay, a new one has the new key; whoever begins, in every mode. */
static void a_session_more(void **state)
{
	(void)state;
	for (int n = 0; n < 16; n++) {
		struct stage how = { .mode = 1 + n / 4,
			             .forked = (n & 1) && n / 4 % 2 == 0, /* I implies E */
			             .supplied = true,
			             .answered = true };
		bool by_initiator = n & 2;
		uint8_t before[STAGE_TEK], after[STAGE_TEK], more[STAGE_TEK];
		struct scene c;

		scene_init(&c, how);
		same_teks(&c, 1, before);
		if (begin(&c, by_initiator) || answer(&c, !by_initiator) ||
		    finish(&c, by_initiator))
			fail_msg("%d: %s", n, c.s.err.text);
		same_teks(&c, 1, after);
		same_teks(&c, 2, more);
		assert_memory_equal(before, after, STAGE_TEK);
		assert_memory_not_equal(before, more, STAGE_TEK);
		assert_int_equal(c.s.session_i.cs_count, 2);
		scene_done(&c);
	}
}

/* The same CS ID again is the session with a new key; without an answer, too. */
static void a_new_key(void **state)
{
	(void)state;
	for (int one_way = 0; one_way < 2; one_way++) {
		struct stage how = { .mode = 3, .supplied = true, .one_way = one_way };
		uint8_t before[STAGE_TEK], after[STAGE_TEK];
		struct scene c;

		scene_init(&c, how);
		same_teks(&c, 1, before);
		c.cs.id = 1;
		c.change.answer = false;
		assert_int_equal(begin(&c, true), 0);
		assert_int_equal(answer(&c, false), 0);
		assert_int_equal(c.resp.len, 0);
		same_teks(&c, 1, after);
		assert_memory_not_equal(before, after, STAGE_TEK);
		assert_int_equal(c.s.session_r.cs_count, 1);
		scene_done(&c);
	}
}

/* The encryption's IV is of T, and keys are the same both ways: no T comes twice, though the clock
 * stands still. */
static void timestamps_differ(void **state)
{
	struct scene c;
	uint64_t t[4];

	(void)state;
	scene_init(&c, (struct stage){ .mode = 3, .supplied = true, .answered = true });
	for (int i = 0; i < 4; i++) {
		assert_int_equal(begin(&c, i & 1), 0);
		t[i] = c.updating.t;
		assert_int_equal(t[i] & 1, !(i & 1));
		assert_true(t[i] != STAGE_NOW);
		for (int k = 0; k < i; k++)
			assert_true(t[i] != t[k]);
		mikey_updating_done(&c.updating);
		c.updating = (struct mikey_updating){ .t = 0 };
	}
	scene_done(&c);
}

/* Refused, by that error number, and nothing has changed. */
static void refused(struct scene *c, int rc, unsigned error_no)
{
	uint8_t tek[STAGE_TEK];

	if (base_err_class(rc) != BASE_PEER || base_err_detail(rc) != error_no)
		fail_msg("%#x (%s) instead of Error no %u", (unsigned)rc, c->s.err.text, error_no);
	assert_int_equal(c->s.session_i.cs_count, 1);
	assert_int_equal(c->s.session_r.cs_count, 1);
	assert_int_equal(c->resp.len, 0);
	same_teks(c, 1, tek);
}

/* Each octet bent, each cut: refused at the far end, and so is the answer. */
static void tampered(void **state)
{
	struct scene c;
	uint8_t bent[1024];
	size_t len;

	(void)state;
	scene_init(&c,
	           (struct stage){ .mode = 3, .forked = true, .supplied = true, .answered = true });
	assert_int_equal(begin(&c, true), 0);
	len = c.updating.sent.len;
	for (size_t i = 0; i < 2 * len; i++) {
		memcpy(bent, c.updating.sent.data, len);
		bent[i % len] ^= 1;
		assert_int_not_equal(
		        answer_octets(&c, false, mikey_octets_of(bent, i < len ? len : i - len)),
		        0);
		assert_int_equal(c.s.session_r.cs_count, 1);
	}
	assert_int_equal(answer(&c, false), 0);
	for (size_t i = 0; i < c.resp.len; i++) {
		c.resp.data[i] ^= 1;
		assert_int_not_equal(finish(&c, true), 0);
		c.resp.data[i] ^= 1;
		assert_int_equal(c.s.session_i.cs_count, 1);
	}
	assert_int_equal(finish(&c, true), 0);
	scene_done(&c);
}

static void sent_again_or_back(void **state)
{
	struct scene c;

	(void)state;
	scene_init(&c, (struct stage){ .mode = 3, .supplied = true, .answered = true });
	assert_int_equal(begin(&c, true), 0);
	refused(&c, answer(&c, true), MIKEY_BAD_TS); /* to who sent it */
	assert_int_equal(answer(&c, false), 0);
	assert_int_equal(finish(&c, true), 0);
	assert_int_equal(base_err_detail(answer(&c, false)), MIKEY_BAD_TS);
	assert_int_equal(c.s.session_r.cs_count, 2);
	scene_done(&c);
}

/* Delivered after a later one, it would bring back what that one has replaced. */
static void held_back(void **state)
{
	struct base_writer first = { 0 };
	struct scene c;
	int rc;

	(void)state;
	scene_init(&c, (struct stage){ .mode = 3, .supplied = true });
	assert_int_equal(begin(&c, true), 0);
	base_writer_put(&first, c.updating.sent.data, c.updating.sent.len);
	mikey_updating_done(&c.updating);
	assert_int_equal(begin(&c, true), 0);
	assert_int_equal(answer(&c, false), 0);
	assert_int_equal(c.s.session_r.cs_count, 2);
	rc = answer_octets(&c, false, mikey_octets_of(first.data, first.len));
	assert_int_equal(base_err_class(rc), BASE_PEER);
	assert_int_equal(base_err_detail(rc), MIKEY_BAD_TS);
	base_writer_done(&first);
	scene_done(&c);
}

static void too_late(void **state)
{
	struct scene c;

	(void)state;
	scene_init(&c, (struct stage){ .mode = 3, .supplied = true });
	assert_int_equal(begin(&c, true), 0);
	c.s.responder.env.now += (uint64_t)301 << 32;
	refused(&c, answer(&c, false), MIKEY_BAD_TS);
	scene_done(&c);
}

/* L and M flags, for what one does oneself and for what comes. */
static void keys_that_nobody_may_supply(void **state)
{
	struct scene c;

	(void)state;
	scene_init(&c, (struct stage){ .mode = 1 });
	assert_int_equal(base_err_class(begin(&c, true)), BASE_CONFIG);
	assert_int_equal(base_err_class(begin(&c, false)), BASE_CONFIG);
	c.s.session_i.flags |= MIKEY_FLAG_L; /* who does not care */
	assert_int_equal(begin(&c, true), 0);
	refused(&c, answer(&c, false), MIKEY_UNSPECIFIED);
	mikey_updating_done(&c.updating);
	c.s.session_r.flags |= MIKEY_FLAG_M;
	assert_int_equal(begin(&c, false), 0);
	refused(&c, answer(&c, true), MIKEY_UNSPECIFIED);
	scene_done(&c);
}

/* Another bundle's, another protocol's, a session without a key; a first TRANSFER_INIT. */
static void what_is_no_update(void **state)
{
	struct scene c;

	(void)state;
	scene_init(&c, (struct stage){ .mode = 3, .supplied = true });
	refused(&c, answer_octets(&c, false, stage_octets(&c.s.transfer.sent)), MIKEY_UNSPECIFIED);
	c.s.session_i.csb_id++;
	assert_int_equal(begin(&c, true), 0);
	c.s.session_i.csb_id--;
	refused(&c, answer(&c, false), MIKEY_UNSPECIFIED);
	mikey_updating_done(&c.updating);
	c.cs.prot = MIKEY_PROT_TESLA;
	c.change.sp =
	        &(struct mikey_payload){ .type = MIKEY_SP, .sp = { .prot = MIKEY_PROT_TESLA } };
	assert_int_equal(begin(&c, true), 0);
	refused(&c, answer(&c, false), MIKEY_BAD_SP);
	mikey_updating_done(&c.updating);
	c.cs.prot = MIKEY_PROT_TLS;
	c.change.sp = &c.s.sp;
	c.cs.spi = mikey_octets_text("nobody's");
	assert_int_equal(begin(&c, true), 0);
	refused(&c, answer(&c, false), MIKEY_BAD_SP);
	scene_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_more),     cmocka_unit_test(a_new_key),
		cmocka_unit_test(timestamps_differ),  cmocka_unit_test(tampered),
		cmocka_unit_test(sent_again_or_back), cmocka_unit_test(held_back),
		cmocka_unit_test(too_late),           cmocka_unit_test(keys_that_nobody_may_supply),
		cmocka_unit_test(what_is_no_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
