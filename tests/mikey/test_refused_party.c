/* SPDX-License-Identifier: Apache-2.0 */
/** @file Who may use whose ticket: each case has its error number, and nobody gets a key. */
#include "hostile.h"

static void for_somebody_else(void **state)
{
	struct stage *s = hostile_begin(1, false);
	struct mikey_id other = { MIKEY_URI, mikey_octets_text("sip:mallory@example.com") };

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	s->transfer_init = stage_read(s, &s->transfer.sent);
	assert_int_equal(
	        hostile_fault(mikey_received_read(&s->responder.env, s->transfer_init, &other,
	                                          prots, 1, &s->received, &s->err)),
	        MIKEY_BAD_ID);
	assert_int_equal(stage_receive(s), 0);
	s->listed = other; /* the KMS knows who asks, and that the ticket is not for them */
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_ID);
	assert_int_equal(s->resolve_resp.len, 0);
	s->kms.id = other;
	assert_int_equal(hostile_fault(hostile_at_kms_r(s)), MIKEY_BAD_ID);
	hostile_end(s);
}

/* Mallory puts a ticket that she saw into a message of her own (RFC 6043, 12.4). */
static void stolen_ticket(void **state)
{
	struct stage *s = hostile_begin(1, false);
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
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_AUTH);
	assert_non_null(strstr(s->err.text, "Vr"));
	hostile_end(s);
}

/* Somebody who resolved the ticket has MPKi, and Initiator Data that the KMS takes; those are of
 * another message, though (RFC 6043, 4.2.3.6). */
static void initiator_data_of_another_message(void **state)
{
	struct stage *s = hostile_begin(1, false);
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
	assert_int_equal(hostile_fault(hostile_respond(s)), MIKEY_BAD_AUTH);
	assert_non_null(strstr(s->err.text, "Vi"));
	base_writer_done(&first);
	hostile_end(s);
}

/* A user's own ticket key makes no tickets in another's name, nor in the KMS's. */
static void in_anothers_name(void **state)
{
	struct stage *s = hostile_begin(3, false);
	struct mikey_id other = { MIKEY_URI, mikey_octets_text("sip:carol@example.com") };

	(void)state;
	s->policy.initiator = other;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_BAD_ID); /* two names */
	mikey_transfer_done(&s->transfer);
	s->initiator.id = other;
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0); /* it cannot know better */
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_ID);
	assert_int_equal(s->resolve_resp.len, 0);
	hostile_end(s);
	s = hostile_begin(3, false);
	s->policy.flags |= MIKEY_FLAG_D;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_ID);
	hostile_end(s);
}

/* Alice has her ticket resolved; then she writes another name into it, and Bob, who keeps what he
 * resolved (RFC 6043, 5.3), does not ask the KMS again. */
static void ticket_rewritten_after_it_was_resolved(void **state)
{
	const struct mikey_id other = { MIKEY_URI, mikey_octets_text("sip:carol@example.com") };

	(void)state;
	for (int mode = 1; mode <= 4; mode++) {
		struct stage *s = hostile_begin(mode, false);
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
		assert_int_equal(hostile_fault(mikey_transfer_resp(
		                         &s->responder.env, &s->received, &s->resolved, &answer,
		                         &s->transfer_resp, &session, &s->err)),
		                 MIKEY_BAD_TICKET);
		assert_int_equal(s->transfer_resp.len + session.keys.count, 0);
		hostile_end(s);
	}
}

static void wrong_mode(void **state)
{
	struct stage *s = hostile_begin(3, false);

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	s->mode = 4; /* the Responder happens to have the TPK; the E flag forbids its use */
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_TICKET);
	assert_int_equal(s->resolved.keys.count, 0);
	hostile_end(s);
}

static void wrong_keys(void **state)
{
	struct stage *s = hostile_begin(1, false);

	(void)state;
	s->kms_i.psk = mikey_octets_text("another key than Alice has......");
	assert_int_equal(hostile_fault(stage_grant(s)), MIKEY_BAD_AUTH);
	s->kms_i.psk = mikey_octets_of(NULL, 0); /* nothing shared at all */
	assert_int_equal(hostile_fault(hostile_at_kms_i(s)), MIKEY_BAD_AUTH);
	hostile_end(s);
	s = hostile_begin(1, false);
	assert_int_equal(stage_grant(s), 0);
	assert_int_equal(stage_offer(s), 0);
	assert_int_equal(stage_receive(s), 0);
	s->tpk.key = mikey_octets_text("another ticket protection key...");
	assert_int_equal(hostile_fault(stage_resolve(s)), MIKEY_BAD_AUTH);
	hostile_end(s);
}

static void keys_that_nobody_may_supply(void **state)
{
	struct stage *s = hostile_begin(2, false);

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
	assert_int_equal(hostile_fault(stage_receive(s)), MIKEY_UNSPECIFIED);
	hostile_end(s);
}

/* Keys of the Responder's against the M flag (RFC 6043, 4.2.2.3): it does not send them, and the
 * Initiator does not take them. */
static void keys_of_the_responder(void **state)
{
	struct stage *s = hostile_begin(4, false);

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
	assert_int_equal(hostile_fault(stage_answer(s)), MIKEY_UNSPECIFIED);
	assert_int_equal(s->session_i.keys.count, 0);
	hostile_end(s);
}

static void answers_to_something_else(void **state)
{
	struct stage *s = hostile_begin(1, false);
	struct base_writer mixed;

	(void)state;
	assert_int_equal(stage_play(s), 0);
	mixed = s->request_resp;
	s->request_resp = s->resolve_resp;
	assert_int_equal(hostile_fault(hostile_request_finish(s)),
	                 MIKEY_UNSPECIFIED); /* another CSB ID */
	memcpy(s->request_resp.data + 4, s->request.sent.data + 4, 4);
	assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_BAD_DATA_TYPE);
	s->request_resp = mixed;
	hostile_end(s);
}

/* An answer that is proved, and has not the MPKs that its ticket's I flag wants. */
static void a_kms_that_forgets_a_key(void **state)
{
	struct stage *s = hostile_begin(1, false);
	struct mikey_asked asked = { 0 };
	struct mikey_keys one = { .count = 0 };
	struct base_writer first; /* the ticket is in it */

	(void)state;
	assert_int_equal(stage_grant(s), 0);
	hostile_forget(s);
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
	assert_int_equal(hostile_fault(hostile_request_finish(s)), MIKEY_UNSPECIFIED);
	mikey_asked_done(&asked);
	mikey_keys_done(&one);
	base_writer_done(&first);
	hostile_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(for_somebody_else),
		cmocka_unit_test(stolen_ticket),
		cmocka_unit_test(initiator_data_of_another_message),
		cmocka_unit_test(in_anothers_name),
		cmocka_unit_test(ticket_rewritten_after_it_was_resolved),
		cmocka_unit_test(wrong_mode),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(keys_that_nobody_may_supply),
		cmocka_unit_test(keys_of_the_responder),
		cmocka_unit_test(answers_to_something_else),
		cmocka_unit_test(a_kms_that_forgets_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
