/* SPDX-License-Identifier: Apache-2.0 */
/* What an edge asks of flows: what is told of their TLS, who is let wait, responses that find no
 * connection. */
#include <sys/socket.h>

#include "station.h"

static struct station near, far;

#define ALL (1U << FLOW_UDP | 1U << FLOW_TCP | 1U << FLOW_TLS)

static void told_of_their_tls(void **state)
{
	const struct flow_config there = { .first_id = 1ULL << 40 };
	struct sip_flow flow;
	int mark;

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, &there, ALL);
	far.answer = true;
	flow = call(&near, 1, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&near, near.count == 1);
	assert_int_equal(near.ups, 1);
	assert_true(near.up.tls && near.up.session.established && !near.up.accepted);
	assert_int_equal(far.ups, 1);
	assert_true(far.up.tls && far.up.accepted && far.up_id == far.from.id);
	assert_true(far.from.id >= 1ULL << 40);
	assert_int_equal(far.shakes[FLOW_SHAKE_BEGUN], 1);
	assert_int_equal(far.shakes[FLOW_SHAKE_FULL], 1);
	assert_int_equal(near.shakes[FLOW_SHAKE_BEGUN], 0); /* it came to nobody */
	assert_null(flows_user(far.flows, far.from.id));
	assert_true(flows_user_set(far.flows, far.from.id, &mark));
	assert_ptr_equal(flows_user(far.flows, far.from.id), &mark);
	assert_false(flows_user_set(far.flows, 7, &mark));
	/* who comes back is cheaper */
	flows_close(near.flows, flow.id);
	UNTIL(&far, far.lost == 1);
	assert_null(flows_user(far.flows, far.lost_id));
	(void)call(&near, 2, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&near, near.count == 2);
	assert_int_equal(far.shakes[FLOW_SHAKE_RESUMED], 1);
	/* without TLS there is none */
	(void)call(&near, 3, uri_of(&far, FLOW_TCP), 0);
	UNTIL(&near, near.count == 3);
	assert_int_equal(far.shakes[FLOW_SHAKE_BEGUN], 2);
	station_close(&near);
	station_close(&far);
}

static void a_handshake_that_fails(void **state)
{
	struct flow_target to = { .transport = FLOW_TCP };
	struct sip_flow flow;

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, ALL);
	to.addr = far.at[FLOW_TLS];
	assert_int_equal(flows_to(near.flows, &to, NULL, &flow), 0);
	assert_int_equal(flows_send(near.flows, flow, BASE_STR("OPTIONS sip:x SIP/2.0\r\n\r\n")),
	                 0);
	UNTIL(&far, far.shakes[FLOW_SHAKE_FAILED] == 1);
	assert_int_equal(far.shakes[FLOW_SHAKE_BEGUN], 1);
	assert_int_equal(far.ups + far.lost, 0);
	station_close(&near);
	station_close(&far);
}

static void named_and_rekeyed(void **state)
{
	uint8_t was[TLS_BINDING_MAX], is[TLS_BINDING_MAX];
	const struct flow_config again = { .renegotiable = true };
	struct sip_flow flow;
	size_t len;

	station_open(&near, *state, &again, 0);
	station_open(&far, *state, &again, ALL);
	far.answer = true;
	flow = call(&near, 1, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&near, near.count == 1);
	assert_int_equal(flows_binding(near.flows, flow.id, was, &len), 0);
	assert_int_equal(flows_binding(far.flows, far.from.id, is, &len), 0);
	assert_memory_equal(was, is, len);
	assert_int_equal(flows_renegotiate(far.flows, far.from.id), TLS_AGAIN_KEYS);
	UNTIL(&far, far.again[STREAM_KEYS] == 1);
	assert_int_equal(flows_binding(far.flows, far.from.id, is, &len), 0);
	assert_memory_not_equal(was, is, len);
	(void)call(&near, 2, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&near, near.count == 2);
	assert_int_equal(far.again[STREAM_KEYS_BOTH], 1);
	assert_true(flows_forget_session(near.flows, flow.id));
	flows_close(near.flows, flow.id);
	UNTIL(&far, far.lost == 1);
	(void)call(&near, 3, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&near, near.count == 3);
	assert_int_equal(far.shakes[FLOW_SHAKE_FULL], 2);
	assert_int_equal(flows_binding(far.flows, 7, is, &len), BASE_ERR(BASE_BUG, 0));
	assert_int_equal(flows_renegotiate(far.flows, 7), TLS_AGAIN_CLOSED);
	station_close(&near);
	station_close(&far);
}

static void closed_as_it_comes_up(void **state)
{
	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, ALL);
	far.close_up = true;
	(void)call(&near, 1, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&near, near.lost == 1);
	assert_int_equal(far.ups, 1);
	assert_int_equal(far.count, 0);
	station_close(&near);
	station_close(&far);
}

static void who_is_let_wait(void **state)
{
	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, ALL);
	flows_pause(far.flows, FLOW_TLS, true);
	(void)call(&near, 1, uri_of(&far, FLOW_TLS), 0);
	(void)call(&near, 2, uri_of(&far, FLOW_TCP), 0); /* another door */
	UNTIL(&far, far.count == 1);
	assert_int_equal(far.shakes[FLOW_SHAKE_BEGUN], 0);
	flows_pause(far.flows, FLOW_TLS, false);
	UNTIL(&far, far.count == 2);
	assert_int_equal(far.shakes[FLOW_SHAKE_FULL], 1);
	station_close(&near);
	station_close(&far);
}

/* RFC 3261, 18.2.2: to where it came from, at the port of its sent-by. */
static void responses_go_by_a_new_connection(void **state)
{
	static const enum flow_transport transports[] = { FLOW_TCP, FLOW_TLS };
	const struct flow_config reopen = { .reopen = true };

	for (size_t i = 0; i < 4; i++) {
		struct sip_flow flow;

		station_open(&near, *state, NULL, ALL);
		station_open(&far, *state, i < 2 ? &reopen : NULL, ALL);
		flow = call(&near, 1, uri_of(&far, transports[i % 2]), 0);
		UNTIL(&far, far.count == 1);
		flows_close(near.flows, flow.id);
		UNTIL(&far, far.lost == 1);
		if (i < 2) {
			assert_int_equal(station_reply(&far), 0);
			UNTIL(&near, near.count == 1);
			assert_memory_equal(near.got, "SIP/2.0 200", 11);
			assert_int_not_equal(near.from.id, flow.id);
			assert_int_equal(flows_count(far.flows)->reopened, 1);
			/* what is no response does not */
			assert_int_not_equal(flows_send(far.flows, far.from,
			                                BASE_STR("BYE sip:x SIP/2.0\r\n\r\n")),
			                     0);
		} else {
			assert_int_not_equal(station_reply(&far), 0);
		}
		station_close(&near);
		station_close(&far);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(told_of_their_tls), CASE(a_handshake_that_fails),
		CASE(named_and_rekeyed), CASE(closed_as_it_comes_up),
		CASE(who_is_let_wait),   CASE(responses_go_by_a_new_connection),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
