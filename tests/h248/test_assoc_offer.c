/* SPDX-License-Identifier: Apache-2.0 */
/* What is offered and agreed upon at a registration, names of controllers, pools, waiting. */
#include "assoc_stage.h"

/* ---- version (RFC 3525, 11.3) ---- */

static void refused_version_is_offered_lower(void **state)
{
	struct stage *s = *state;

	s->mgc[2].refuse_above = 1;
	s->mgc[2].version = 1;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].changes, 3); /* 3, 2, 1 */
	assert_int_equal(s->mgc[2].offered, 1);
	assert_int_equal(s->mgc[3].changes, 0);
	assert_int_equal(h248_peer_version(s->mg.peer), 1);
	assert_int_equal(h248_assoc_counters(s->mg.assoc)->attempts, 3);
	assert_int_equal(h248_assoc_counters(s->mg.assoc)->refused, 2);
	assert_int_equal(h248_assoc_counters(s->mg.assoc)->accepted, 1);
}

static void no_version_at_all_leads_to_the_next(void **state)
{
	struct stage *s = *state;

	s->mgc[2].refuse = H248_E_VERSION;
	start(s);
	assert_int_equal(s->mgc[2].changes, 3);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(s->mgc[3].offered, 3); /* the next one has not heard of it */
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void version_as_a_message_error(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(2, H248_UDP);

	s->mgc[2].silent = true;
	start(s);
	s->mgc[2].silent = false;
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.2]:2944 ER=406{\"Version Not Supported\"}");
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].offered, 2);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void more_than_the_lower_offer_is_refused(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	s->mgc[2].refuse_above = 2;
	s->mgc[2].version = 3; /* contradicts itself */
	start(s);
	assert_int_equal(s->mgc[2].changes, 2);
	assert_int_equal(s->mgc[3].changes, 1);
}

/* ---- profile (sheet 6.3) ---- */

static const struct h248_profile profiles[] = { { { "ETSI_BGF", 8 }, 3 },
	                                        { { "ETSI_BGF", 8 }, 2 },
	                                        { { "NoProfile", 9 }, 1 } };

static void profile_of_the_reply_is_taken(void **state)
{
	static const struct {
		struct h248_profile wants;
		int agreed; /* index; -1 = refused */
	} rows[] = {
		{ { { "", 0 }, 0 }, 0 },          { { { "ETSI_BGF", 8 }, 3 }, 0 },
		{ { { "etsi_bgf", 8 }, 2 }, 1 },  { { { "NoProfile", 9 }, 1 }, 2 },
		{ { { "ETSI_BGF", 8 }, 1 }, -1 }, { { { "threegup_Mc", 11 }, 2 }, -1 },
	};
	struct stage *s = *state;

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		restart(s, H248_UDP, 2,
		        (struct h248_assoc_config){ .profiles = profiles, .profiles_count = 3 });
		s->mgc[2].wants = rows[i].wants;
		start(s);
		assert_string_equal(s->mgc[2].profile, "ETSI_BGF/3");
		assert_int_equal(s->mgc[3].changes, rows[i].agreed < 0);
		assert_int_equal(strstr(s->mg.refused, "a profile that is not ours") != NULL,
		                 rows[i].agreed < 0);
		assert_int_equal(h248_assoc_profile(s->mg.assoc)->version,
		                 profiles[rows[i].agreed < 0 ? 0 : rows[i].agreed].version);
	}
}

static void without_a_profile_only_none_is_agreed(void **state)
{
	struct stage *s = *state;

	s->mgc[2].wants = (struct h248_profile){ BASE_STR("ETSI_BGF"), 1 };
	s->mgc[3].wants = (struct h248_profile){ BASE_STR("NoProfile"), 1 };
	start(s);
	assert_string_equal(s->mgc[2].profile, "/0"); /* none was sent */
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_null(h248_assoc_profile(s->mg.assoc));
}

static void refused_profile_is_replaced_by_the_next(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2,
	        (struct h248_assoc_config){ .profiles = profiles, .profiles_count = 3 });
	s->mgc[2].insists = "ETSI_BGF/2";
	start(s);
	assert_int_equal(s->mgc[2].changes, 2);
	assert_int_equal(h248_assoc_profile(s->mg.assoc)->version, 2);

	restart(s, H248_UDP, 2,
	        (struct h248_assoc_config){ .profiles = profiles, .profiles_count = 3 });
	s->mgc[2].insists = "threegup_Mc/2";
	start(s);
	assert_int_equal(s->mgc[2].changes, 3);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_string_equal(s->mgc[3].profile, "ETSI_BGF/3");
}

/* ---- names (9) ---- */

static void a_name_to_try_is_looked_up(void **state)
{
	struct stage *s = *state;

	s->mgc[2].name = "mgc.example.net";
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_RESOLVING);
	assert_string_equal(s->mg.looked, "mgc.example.net");
	assert_int_equal(s->mg.family, 4); /* as the one that sends us there */
	mg_answer(s, 4);
	net_run(&s->net, 100);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[4].method, H248_RESTART);
	assert_int_equal(s->mgc[3].changes, 0);
	mg_answer(s, 3); /* once more, late: nothing */
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void a_name_without_address_is_told_and_passed_over(void **state)
{
	struct stage *s = *state;

	s->mgc[2].name = "mgc.example.net";
	start(s);
	mg_answer(s, 0);
	net_run(&s->net, 100);
	assert_string_equal(s->mg.refused, "0 0 its name has no address: mgc.example.net");
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(h248_assoc_counters(s->mg.assoc)->unresolved, 1);
}

static void a_lookup_does_not_last_for_ever(void **state)
{
	struct stage *s = *state;

	s->mgc[2].name = "mgc.example.net";
	start(s);
	net_run(&s->net, 9800);
	assert_int_equal(state_of(s), H248_ASSOC_RESOLVING);
	net_run(&s->net, 300);
	assert_int_equal(s->mgc[3].changes, 1);
	mg_answer(s, 4); /* late */
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[4].changes, 0);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void names_in_a_circle_end(void **state)
{
	struct stage *s = *state;

	s->mgc[2].name = "mgc.example.net";
	start(s);
	for (unsigned i = 0; i < 10 && state_of(s) == H248_ASSOC_RESOLVING; i++) {
		mg_answer(s, 2);
		net_run(&s->net, 100);
	}
	assert_int_equal(s->mgc[2].changes, 6);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void handoff_to_a_name(void **state)
{
	struct h248_mid mid = { .kind = H248_MID_DOMAIN, .name = BASE_STR("b.example.net") };
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	assert_int_equal(h248_assoc_handoff(s->mg.assoc, &mid), 0);
	net_run(&s->net, 1);
	assert_int_equal(s->mg.cause, H248_CAUSE_HANDOFF);
	assert_int_equal(state_of(s), H248_ASSOC_RESOLVING);
	mg_answer(s, 4);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[4].method, H248_HAND_OFF);
	assert_int_equal(s->mgc[4].reason, 903);
	/* And one that does not exist: as if our controller had failed (11.5). */
	mid.name = BASE_STR("c.example.net");
	assert_int_equal(h248_assoc_handoff(s->mg.assoc, &mid), 0);
	net_run(&s->net, 1);
	mg_answer(s, 0);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_FAILOVER);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	mid = (struct h248_mid){ .kind = H248_MID_DEVICE, .name = BASE_STR("mgc7") };
	assert_int_equal(base_err_detail(h248_assoc_handoff(s->mg.assoc, &mid)), H248_E_VALUE);
}

static void service_change_address_is_a_name(void **state)
{
	struct stage *s = *state;

	s->mgc[2].at = "requests.example.net";
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_LOCATING);
	assert_null(h248_assoc_peer(s->mg.assoc));
	mgc_ask(&s->mgc[2]); /* we are registered: it is served */
	net_run(&s->net, 100);
	assert_int_equal(s->mg.requests, 1);
	mg_answer(s, 4);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(h248_peer_addr(s->mg.peer)->ip[3], 4);
	assert_int_equal(h248_peer_addr(s->mg.peer)->port, 2955);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	s->mgc[2].at = "nowhere.example.net";
	start(s);
	mg_answer(s, 0);
	assert_string_equal(s->mg.refused, "0 0 its name has no address: nowhere.example.net");
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(h248_peer_addr(s->mg.peer)->ip[3], 2);
}

static void our_own_service_change_address(void **state)
{
	struct h248_addr at = net_addr(1, H248_UDP);
	struct stage *s = *state;

	at.port = 2977;
	restart(s, H248_UDP, 1, (struct h248_assoc_config){ .service_address = &at });
	h248_assoc_start(s->mg.assoc);
	net_run(&s->net, 1);
	assert_non_null(strstr(s->net.host[1].last, "AD=[10.0.0.1]:2977"));
	net_run(&s->net, 100);
	h248_assoc_failed(s->mg.assoc);
	net_run(&s->net, 5000);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED); /* no registration: it stays */
	assert_null(strstr(s->net.host[1].last, "AD="));
}

static void controllers_of_the_list_may_be_names(void **state)
{
	const struct h248_controller list[] = {
		{ .addr = { .transport = H248_UDP, .port = 2944, .family = 4 }, .name = "a" },
		{ .addr = net_addr(3, H248_UDP) },
	};
	struct stage *s = *state;

	restart(s, H248_UDP, 0,
	        (struct h248_assoc_config){ .controllers = list, .controllers_count = 2 });
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_RESOLVING);
	mg_answer(s, 2);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_RESTART);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	/* It fails: that name is not asked again in this round. */
	h248_assoc_failed(s->mg.assoc);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER);
	/* And back: its address has changed meanwhile, so it is another one. */
	h248_assoc_failed(s->mg.assoc);
	assert_int_equal(state_of(s), H248_ASSOC_RESOLVING);
	assert_int_equal(s->mg.lookups, 2);
	mg_answer(s, 4);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[4].method, H248_FAILOVER);
}

static void stop_while_looking_up(void **state)
{
	struct stage *s = *state;

	s->mgc[2].name = "mgc.example.net";
	start(s);
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	assert_int_equal(s->mg.gone, 1);
	mg_answer(s, 4);
	net_run(&s->net, 100000);
	assert_int_equal(s->mgc[4].changes, 0);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	s->mgc[2].at = "requests.example.net";
	start(s);
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_FORCED); /* it has accepted us: it is told */
	assert_int_equal(s->mg.gone, 1);
}

/* ---- pools ---- */

static void equals_share_the_load(void **state)
{
	struct h248_controller list[3];
	unsigned first[NET_HOSTS] = { 0 };
	struct stage *s = *state;

	for (unsigned i = 0; i < 3; i++)
		list[i] = (struct h248_controller){ .addr = net_addr(2 + i, H248_UDP),
			                            .alternative = i == 2 };
	for (unsigned i = 0; i < 60; i++) {
		restart(s, H248_UDP, 0,
		        (struct h248_assoc_config){ .controllers = list, .controllers_count = 3 });
		s->mgc[2].refuse = H248_E_UNAVAILABLE;
		start(s);
		assert_int_equal(s->mgc[2].changes, 1); /* the higher rank is always first */
		first[3] += s->mgc[3].changes;
		first[4] += s->mgc[4].changes;
	}
	assert_int_equal(first[3] + first[4], 60);
	assert_in_range(first[3], 10, 50); /* one in ten million runs is elsewhere */
}

static void a_pool_is_gone_through_completely(void **state)
{
	struct h248_controller list[3];
	struct stage *s = *state;

	for (unsigned i = 0; i < 3; i++)
		list[i] = (struct h248_controller){ .addr = net_addr(2 + i, H248_UDP),
			                            .alternative = i > 0 };
	restart(s, H248_UDP, 0,
	        (struct h248_assoc_config){ .controllers = list, .controllers_count = 3 });
	for (unsigned i = 2; i < 5; i++)
		s->mgc[i].refuse = H248_E_UNAVAILABLE;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	for (unsigned i = 2; i < 5; i++)
		assert_int_equal(s->mgc[i].changes, 1);
}

/* ---- waiting (9.2) ---- */

/* A chi-square of four quarters: above 21.1 once in ten thousand runs of a fair one. */
static void mwd_is_uniform(void **state)
{
	enum { RUNS = 400, MWD = 600000 };
	unsigned quarter[4] = { 0 };
	struct stage *s = *state;
	double chi = 0;

	for (int i = 0; i < RUNS; i++) {
		uint64_t delay;

		restart(s, H248_UDP, 1, (struct h248_assoc_config){ .mwd_ms = MWD });
		h248_assoc_start(s->mg.assoc);
		delay = h248_txn_deadline(s->net.host[1].txn) - s->net.now_ms;
		assert_in_range(delay, 0, MWD);
		quarter[BASE_MIN(delay * 4 / MWD, 3)]++;
	}
	for (int i = 0; i < 4; i++) {
		double off = quarter[i] - RUNS / 4.0;

		chi += off * off / (RUNS / 4.0);
	}
	assert_true(chi < 30);
}

static void waiting_ends_when_a_controller_speaks(void **state)
{
	static const char audit[] = "!/3 [10.0.0.%u]:2944 T=71{C=-{AV=ROOT{AT{}}}}";
	struct h248_addr from = net_addr(4, H248_UDP);
	struct stage *s = *state;
	char text[100];

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .mwd_ms = UINT32_MAX });
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	snprintf(text, sizeof(text), audit, 4);
	net_inject(&s->net, &from, 1, text); /* anybody */
	net_run(&s->net, 100);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	from = net_addr(3, H248_UDP);
	snprintf(text, sizeof(text), audit, 3);
	net_inject(&s->net, &from, 1, text); /* one of the list */
	net_run(&s->net, 100);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].changes, 1); /* the primary, as ever */
	assert_int_equal(s->mg.requests, 0);
}

static void rounds_spread_over_mwd(void **state)
{
	struct stage *s = *state;
	unsigned late = 0;

	for (unsigned i = 0; i < 20; i++) {
		restart(s, H248_UDP, 1, (struct h248_assoc_config){ .mwd_ms = 600000 });
		s->mgc[2].refuse = H248_E_BUSY;
		h248_assoc_start(s->mg.assoc);
		net_run(&s->net, 600100);
		assert_true(s->mgc[2].changes >= 1);
		late += h248_txn_deadline(s->net.host[1].txn) - s->net.now_ms > 60000;
	}
	assert_true(late >= 5);
}

/* ---- forgetting ---- */

static void what_was_given_up_is_a_restart(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	start(s);
	h248_assoc_forget(s->mg.assoc); /* somebody is there: nothing is given up */
	h248_assoc_failed(s->mg.assoc);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	net_run(&s->net, 5000);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
	h248_assoc_failed(s->mg.assoc);
	h248_assoc_forget(s->mg.assoc);
	net_run(&s->net, 5000);
	assert_int_equal(s->mgc[2].method, H248_RESTART);
	assert_int_equal(s->mgc[2].reason, 902);
	assert_int_equal(s->mgc[2].offered, 3); /* so it negotiates anew */
	/* And the keep-alive that the lost one had asked for is the configured one again: none. */
	h248_assoc_inactivity_set(s->mg.assoc, 1000, 7);
	h248_assoc_failed(s->mg.assoc);
	h248_assoc_forget(s->mg.assoc);
	net_run(&s->net, 60000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].notifies, 0);
}

/* A Disconnected that is out would be accepted as one: it is taken back. */
static void forgetting_takes_the_promise_back(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	start(s);
	s->mgc[2].silent = true;
	h248_assoc_failed(s->mg.assoc);
	net_run(&s->net, 5000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERING);
	s->mgc[2].silent = false;
	h248_assoc_forget(s->mg.assoc);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_RESTART);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(refused_version_is_offered_lower),
		CASE(no_version_at_all_leads_to_the_next),
		CASE(version_as_a_message_error),
		CASE(more_than_the_lower_offer_is_refused),
		CASE(profile_of_the_reply_is_taken),
		CASE(without_a_profile_only_none_is_agreed),
		CASE(refused_profile_is_replaced_by_the_next),
		CASE(a_name_to_try_is_looked_up),
		CASE(a_name_without_address_is_told_and_passed_over),
		CASE(a_lookup_does_not_last_for_ever),
		CASE(names_in_a_circle_end),
		CASE(handoff_to_a_name),
		CASE(service_change_address_is_a_name),
		CASE(our_own_service_change_address),
		CASE(controllers_of_the_list_may_be_names),
		CASE(stop_while_looking_up),
		CASE(equals_share_the_load),
		CASE(a_pool_is_gone_through_completely),
		CASE(mwd_is_uniform),
		CASE(waiting_ends_when_a_controller_speaks),
		CASE(rounds_spread_over_mwd),
		CASE(what_was_given_up_is_a_restart),
		CASE(forgetting_takes_the_promise_back),
	};

	return cmocka_run_group_tests_name("assoc_offer", tests, NULL, NULL);
}
