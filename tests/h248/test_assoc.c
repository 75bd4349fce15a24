/* SPDX-License-Identifier: Apache-2.0 */
/* Registration: who takes us, and how. */
#include "assoc_stage.h"

/* ---- registration ---- */

static const struct h248_profile res_gw = { { "ResGW", 5 }, 1 };

static void restart_on_root_to_the_primary(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 3,
	        (struct h248_assoc_config){ .profiles = &res_gw, .profiles_count = 1 });
	s->mgc[2].version = 2;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mg.ups, 1);
	assert_int_equal(s->mgc[2].changes, 1);
	assert_int_equal(s->mgc[2].method, H248_RESTART);
	assert_int_equal(s->mgc[2].reason, 901);
	assert_int_equal(s->mgc[2].offered, 3);
	assert_int_equal(s->mgc[2].header, 1); /* the offer itself is version 1 */
	assert_string_equal(s->mgc[2].profile, "ResGW/1");
	assert_true(s->mgc[2].timed);
	assert_int_equal(s->mgc[3].changes, 0);

	mg_asks(s); /* from now on all is in the agreed version */
	assert_memory_equal(s->net.host[1].last, "!/2 ", 4);
}

static void nothing_to_do_after_registration(void **state)
{
	struct stage *s = *state;

	start(s);
	net_run(&s->net, 600000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->net.host[1].sent, 1); /* no keep-alive unless asked for */
}

static void service_change_address_is_used(void **state)
{
	struct stage *s = *state;

	s->mgc[2].port = 55944;
	start(s);
	assert_int_equal(h248_peer_addr(s->mg.peer)->port, 55944);
}

static void version_we_do_not_speak_is_refused(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .version = 2 });
	s->mgc[2].version = 3; /* more than we offered */
	s->mgc[3].version = 1;
	start(s);
	assert_int_equal(s->mgc[2].offered, 2);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(h248_peer_version(s->mg.peer), 1);
	assert_int_equal(s->mgc[3].changes, 1);
}

/* 11.3: "it should reject all subsequent requests from the MGC with error 406" */
static void who_wants_another_version_gets_406(void **state)
{
	struct stage *s = *state;
	struct h248_addr to = net_addr(1, H248_UDP);

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .version = 2 });
	s->mgc[2].version = 3;
	s->mgc[3].version = 2;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	for (unsigned i = 1; i <= 3; i++) {
		mgc_ask(&s->mgc[2]);
		net_run(&s->net, 100);
		assert_int_equal(s->mgc[2].replies, i);
		assert_int_equal(s->mgc[2].code, H248_E_VERSION);
	}
	assert_int_equal(h248_peer_new(&s->mgc[4].mg, s->net.host[4].txn, &to), 0);
	mgc_ask(&s->mgc[4]); /* anybody else */
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[4].code, H248_E_UNAUTHORIZED_ENTITY);
	assert_int_equal(s->mg.requests, 0);
	/* It has learned: the next failover takes it. */
	s->mgc[2].version = 2;
	h248_assoc_failed(s->mg.assoc);
	net_run(&s->net, 100);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].method, H248_FAILOVER);
	mgc_ask(&s->mgc[2]);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].code, 0);
	assert_int_equal(s->mg.requests, 1);
}

static void refusal_leads_to_the_next(void **state)
{
	struct stage *s = *state;

	s->mgc[2].refuse = H248_E_VERSION;
	s->mgc[3].refuse = H248_E_UNAVAILABLE;
	start(s);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[4].method, H248_RESTART);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void silence_leads_to_the_next(void **state)
{
	struct stage *s = *state;

	net_host_free(&s->net, 2);
	start(s);
	net_run(&s->net, 24800);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERING);
	net_run(&s->net, 300);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void registration_has_its_own_limit(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 3, (struct h248_assoc_config){ .register_ms = 3000 });
	s->mgc[2].silent = true; /* says Pending for ever */
	start(s);
	net_run(&s->net, 3100);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void lost_messages_do_not_matter(void **state)
{
	struct stage *s = *state;

	s->net.loss = 40;
	s->net.dup = 40;
	h248_assoc_start(s->mg.assoc);
	net_run(&s->net, 120000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].changes, 1);
}

static void mgc_id_to_try_is_followed(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	s->mgc[2].redirect = 4;
	start(s);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[4].method, H248_RESTART);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void a_name_to_try_is_told_and_passed_over(void **state)
{
	struct stage *s = *state;

	s->no_names = true;
	restart(s, H248_UDP, 3, (struct h248_assoc_config){ 0 });
	s->mgc[2].name = "mgc.example.net";
	start(s);
	assert_string_equal(s->mg.refused, "0 0 it is a name, and names are not resolved: "
	                                   "mgc.example.net");
	assert_int_equal(s->mg.peer == NULL, 0);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void redirects_in_a_circle_end(void **state)
{
	struct stage *s = *state;

	s->mgc[2].redirect = 3;
	s->mgc[3].redirect = 2;
	start(s);
	net_run(&s->net, 1000);
	assert_true(s->mgc[2].changes + s->mgc[3].changes <= 12);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

/* MgcIdToTry may be a device name, which nobody can call: as good as refused. */
static void mgc_id_to_try_is_no_place(void **state)
{
	struct stage *s = *state;

	s->mgc[2].device = "elsewhere";
	start(s);
	net_run(&s->net, 1000);
	assert_string_equal(s->mg.refused, "2 0 MgcIdToTry is no place to go to: elsewhere");
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[3].changes, 1);
}

static void rounds_wait_longer_and_longer(void **state)
{
	struct stage *s = *state;
	uint64_t began = 0, gap, last_gap = 0;

	s->mgc[2].refuse = s->mgc[3].refuse = s->mgc[4].refuse = H248_E_BUSY;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	for (unsigned round = 2; round < 12; round++) {
		began = s->net.now_ms;
		while (s->mgc[4].changes < round)
			assert_true(net_step(&s->net, s->net.now_ms + 100000));
		gap = s->net.now_ms - began;
		assert_true(gap <= 61000);
		assert_int_equal(s->mgc[2].changes, round);
		last_gap = gap;
	}
	assert_true(last_gap >= 30000);
	s->mgc[3].refuse = 0;
	net_run(&s->net, 100000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[3].method, H248_RESTART); /* it was never registered */

	/* Who was registered meanwhile waits as little as at the beginning. */
	s->mgc[3].refuse = H248_E_BUSY;
	h248_assoc_failed(s->mg.assoc);
	while (state_of(s) != H248_ASSOC_WAITING)
		assert_true(net_step(&s->net, s->net.now_ms + 100000));
	began = s->net.now_ms;
	while (state_of(s) == H248_ASSOC_WAITING)
		assert_true(net_step(&s->net, s->net.now_ms + 100000));
	assert_true(s->net.now_ms - began <= 2000);
}

static void empty_list_waits(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 0, (struct h248_assoc_config){ 0 });
	start(s);
	net_run(&s->net, 10000);
	assert_int_equal(s->net.host[1].sent, 0);
	assert_true(s->mg.seen[H248_ASSOC_WAITING] >= 2);
}

static void mwd_delays_the_first_attempt(void **state)
{
	struct stage *s = *state;
	unsigned later = 0;

	for (int i = 0; i < 20; i++) {
		restart(s, H248_UDP, 1, (struct h248_assoc_config){ .mwd_ms = 600000 });
		start(s);
		later += s->mgc[2].changes == 0;
		net_run(&s->net, 600000);
		assert_int_equal(s->mgc[2].changes, 1);
	}
	assert_true(later >= 15); /* one in six thousand would come within the first 100 ms */
}

static void request_before_the_reply_gets_505(void **state)
{
	struct stage *s = *state;

	s->mgc[2].ask_first = true;
	start(s);
	assert_int_equal(s->mgc[2].code, H248_E_BEFORE_REPLY);
	assert_int_equal(s->mg.requests, 0);
	mgc_ask(&s->mgc[2]);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].code, 0);
	assert_int_equal(s->mg.requests, 1);
}

static void another_controller_gets_504(void **state)
{
	struct stage *s = *state;
	struct h248_addr to = net_addr(1, H248_UDP);

	start(s);
	assert_int_equal(h248_peer_new(&s->mgc[3].mg, s->net.host[3].txn, &to), 0);
	mgc_ask(&s->mgc[3]);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].code, H248_E_UNAUTHORIZED_ENTITY);
	assert_int_equal(s->mg.requests, 0);
}

static void a_borrowed_mid_gets_504(void **state)
{
	static const char audit[] = "!/3 [10.0.0.2]:2944 T=%u{C=-{AV=ROOT{AT{}}}}";
	struct h248_addr from = net_addr(4, H248_UDP);
	struct stage *s = *state;
	char text[100];

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	snprintf(text, sizeof(text), audit, 71);
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 0);
	assert_non_null(strstr(s->net.host[1].last, "504"));
	/* Another port of the same host, and another controller of the list, are what they may be:
	 * a controller's requests need not come from where ours go (9). */
	from = net_addr(2, H248_UDP);
	from.port = 50000;
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 1);
	from = net_addr(3, H248_UDP);
	snprintf(text, sizeof(text), audit, 72);
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 2);
	/* It does not count as a sign of life either. */
	net_host_free(&s->net, 2);
	from = net_addr(4, H248_UDP);
	for (unsigned i = 0; i < 12; i++) {
		net_run(&s->net, 1000);
		net_inject(&s->net, &from, 1, text);
	}
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .any_source = true });
	start(s);
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 1);
}

static void a_borrowed_mid_does_not_answer(void **state)
{
	struct h248_addr from = net_addr(4, H248_UDP);
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	s->mgc[2].silent = true;
	start(s);
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.4]:2944 P=1001{C=-{SC=ROOT{SV{V=3}}}}");
	assert_int_equal(s->mg.ups, 0);
	from = net_addr(2, H248_UDP);
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.2]:2944 P=1001{C=-{SC=ROOT{SV{V=3}}}}");
	assert_int_equal(s->mg.ups, 1);
}

static void message_error_refuses_the_registration(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(2, H248_UDP);

	s->mgc[2].silent = true;
	start(s);
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.2]:2944 ER=500{\"Out of order\"}");
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].changes, 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(restart_on_root_to_the_primary),
		CASE(nothing_to_do_after_registration),
		CASE(service_change_address_is_used),
		CASE(version_we_do_not_speak_is_refused),
		CASE(who_wants_another_version_gets_406),
		CASE(refusal_leads_to_the_next),
		CASE(silence_leads_to_the_next),
		CASE(registration_has_its_own_limit),
		CASE(lost_messages_do_not_matter),
		CASE(mgc_id_to_try_is_followed),
		CASE(a_name_to_try_is_told_and_passed_over),
		CASE(redirects_in_a_circle_end),
		CASE(mgc_id_to_try_is_no_place),
		CASE(rounds_wait_longer_and_longer),
		CASE(empty_list_waits),
		CASE(mwd_delays_the_first_attempt),
		CASE(request_before_the_reply_gets_505),
		CASE(another_controller_gets_504),
		CASE(a_borrowed_mid_gets_504),
		CASE(a_borrowed_mid_does_not_answer),
		CASE(message_error_refuses_the_registration),
	};

	return cmocka_run_group_tests_name("assoc", tests, NULL, NULL);
}
