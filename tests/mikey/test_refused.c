/* SPDX-License-Identifier: Apache-2.0 */
/** @file Bad input to all three parties: each case has its error number, and nobody gets a key. */
#include "hostile.h"

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
		(void)hostile_fault(step(s));
	message->len = len;
}

static void tampered(void **state)
{
	struct stage *s = hostile_begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	hostile_forget(s);
	bend(s, &s->request.sent, hostile_at_kms_i);
	bend(s, &s->request_resp, hostile_request_finish);
	bend(s, &s->resolve.sent, hostile_at_kms_r);
	bend(s, &s->resolve_resp, resolve_finish);
	bend(s, &s->transfer_resp, transfer_finish);
	bend(s, &s->transfer.sent, hostile_respond);
	assert_int_equal(hostile_respond(s), 0); /* as it is, it is taken */
	hostile_end(s);
}

static void tampered_by_public_keys(void **state)
{
	struct stage *s = hostile_begin(1, true);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	hostile_forget(s);
	bend(s, &s->request.sent, hostile_at_kms_i);
	bend(s, &s->resolve.sent, hostile_at_kms_r);
	assert_int_equal(hostile_at_kms_i(s), 0);
	hostile_end(s);
}

static void tampered_ticket_of_mode_4(void **state)
{
	struct stage *s = hostile_begin(4, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	hostile_forget(s);
	bend(s, &s->transfer.sent, hostile_respond);
	hostile_end(s);
}

static void truncated(void **state)
{
	struct stage *s = hostile_begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	hostile_forget(s);
	cut(s, &s->request.sent, hostile_at_kms_i);
	cut(s, &s->request_resp, hostile_request_finish);
	cut(s, &s->transfer.sent, hostile_respond);
	cut(s, &s->resolve.sent, hostile_at_kms_r);
	cut(s, &s->transfer_resp, transfer_finish);
	hostile_end(s);
}

static void replayed(void **state)
{
	struct stage *s = hostile_begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	assert_int_equal(hostile_fault(hostile_at_kms_i(s)), MIKEY_BAD_TS);
	assert_int_equal(hostile_fault(hostile_at_kms_r(s)), MIKEY_BAD_TS);
	assert_int_equal(hostile_fault(hostile_respond(s)), MIKEY_BAD_TS);
	assert_non_null(strstr(s->err.text, "seen before"));
	hostile_end(s);
}

static void too_early_or_too_late(void **state)
{
	static const int64_t off[] = { -301, 301, -100000, 100000 };
	struct stage *s = hostile_begin(1, false);

	(void)state;
	assert_int_equal(stage_play(s), 0);
	hostile_forget(s);
	for (size_t i = 0; i < BASE_COUNT(off); i++) {
		uint64_t now = STAGE_NOW + ((uint64_t)off[i] << 32);

		s->kms.env.now = s->initiator.env.now = s->responder.env.now = now;
		assert_int_equal(hostile_fault(hostile_at_kms_i(s)), MIKEY_BAD_TS);
		assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_BAD_TS);
		assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_TS);
		assert_int_equal(hostile_fault(resolve_finish(s)), MIKEY_BAD_TS);
		assert_int_equal(hostile_fault(transfer_finish(s)), MIKEY_BAD_TS);
	}
	s->kms.env.now = STAGE_NOW + ((uint64_t)299 << 32);
	assert_int_equal(hostile_at_kms_i(s), 0);
	hostile_end(s);
}

static void ticket_out_of_time(void **state)
{
	struct stage *s = hostile_begin(1, false);

	(void)state;
	s->policy.end = (STAGE_NOW >> 32) + 10;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	s->responder.env.now += (uint64_t)11 << 32;
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_TICKET);
	s->responder.env.now = STAGE_NOW;
	assert_int_equal(stage_receive(s), 0);
	s->kms.env.now += (uint64_t)11 << 32; /* the KMS judges for itself */
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_TICKET);
	s->initiator.env.now += (uint64_t)11 << 32;
	assert_int_equal(hostile_fault(stage_offer(s)), MIKEY_BAD_TICKET);
	hostile_end(s);
}

static void not_valid_yet(void **state)
{
	struct stage *s = hostile_begin(3, false);

	(void)state;
	s->policy.start = (STAGE_NOW >> 32) + 10;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(hostile_fault(stage_offer(s)), MIKEY_BAD_TICKET);
	hostile_end(s);
}

/* 2036: timestamps go round, and validity goes on (RFC 4330, 3). */
static void across_2036(void **state)
{
	struct stage *s = hostile_begin(3, false);
	uint64_t now = 0xffffffffULL << 32 | 0xf0000000;

	(void)state;
	s->policy.start = 0xfffffff0;
	s->policy.end = 0x100000010ULL;
	s->initiator.env.now = now;
	s->kms.env.now = s->responder.env.now = now + (2ULL << 32);
	assert_true(s->kms.env.now < now);
	if (stage_play(s))
		fail_msg("%s", s->err.text);
	hostile_end(s);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
