/* SPDX-License-Identifier: Apache-2.0 */
/* A participant and a floor control server of ours, without a network. */
#include "ue/floor.h"

#include "check.h"

struct stage {
	struct ue_floor *end[2]; /* participant, server */
	struct ue_events events[2];
};

static void on_wake(void *arg)
{
	(void)arg;
}

static int open_with(void **state, uint16_t chair)
{
	static const uint16_t floors[] = { 1, 2 };
	struct stage *s = calloc(1, sizeof(*s));

	for (int i = 0; i < 2; i++) {
		struct ue_floor_spec spec = { .conference = 42,
			                      .user = 7,
			                      .serve = i == 1,
			                      .floor = floors,
			                      .floors = 2,
			                      .chair = chair,
			                      .session = "bfcp",
			                      .events = &s->events[i],
			                      .wake = on_wake };

		ue_events_init(&s->events[i]);
		assert_int_equal(ue_floor_new(&s->end[i], &spec), 0);
	}
	*state = s;
	return 0;
}

static int set_up(void **state)
{
	return open_with(state, 0);
}

static int set_up_chair(void **state)
{
	return open_with(state, 7);
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < 2; i++) {
		ue_floor_free(s->end[i]);
		ue_events_done(&s->events[i]);
	}
	free(s);
	return 0;
}

static void settle(struct stage *s)
{
	char buf[4096];
	size_t n, moved;

	do {
		moved = 0;
		for (int i = 0; i < 2; i++) {
			n = ue_floor_take(s->end[i], buf, sizeof(buf));
			if (n)
				assert_int_equal(ue_floor_input(s->end[1 - i],
				                                (struct base_str){ buf, n }, 0),
				                 0);
			moved += n;
		}
	} while (moved);
}

#define HAPPENED(s, i, ...)                                                                        \
	ue_events_take(&(s)->events[i], (const char *const[]){ __VA_ARGS__ },                      \
	               sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void a_floor(void **state)
{
	struct stage *s = *state;
	const uint16_t floor[] = { 1 };
	struct bfcp_wish wish = { .floor = floor, .floors = 1, .reason = BASE_STR("my turn") };

	assert_int_equal(ue_floor_hello(s->end[0], 0), 0);
	assert_int_equal(ue_floor_query(s->end[0], floor, 1, 0), 0);
	assert_int_equal(ue_floor_request(s->end[0], &wish, 0), 0);
	settle(s);
	assert_true(HAPPENED(s, 0, "floor.hello"));
	assert_true(HAPPENED(s, 0, "floor.status", "floor=1", "requests=0"));
	assert_true(HAPPENED(s, 0, "floor.request", "status=Granted", "floors=1"));
	assert_true(HAPPENED(s, 0, "floor.status", "floor=1", "requests=1"));
	assert_true(HAPPENED(s, 1, "floor.given", "floor=1", "user=7"));
	assert_int_equal(ue_floor_release(s->end[0], 0, 0), 0);
	settle(s);
	assert_true(HAPPENED(s, 0, "floor.request", "status=Released"));
	assert_true(HAPPENED(s, 1, "floor.free", "floor=1"));
}

/** He who asks decides about it himself: granted, then revoked; and denied. */
static void a_chair(void **state)
{
	struct stage *s = *state;
	const uint16_t floor[] = { 1 };
	struct bfcp_wish wish = { .floor = floor, .floors = 1 };
	static const struct {
		enum bfcp_status says;
		const char *status;
	} rows[] = { { BFCP_GRANTED, "status=Granted" }, { BFCP_REVOKED, "status=Revoked" } };

	assert_int_equal(ue_floor_request(s->end[0], &wish, 0), 0);
	settle(s);
	assert_true(HAPPENED(s, 0, "floor.request", "status=Pending"));
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		assert_int_equal(ue_floor_decide(s->end[0], 1, 1, rows[i].says, 0), 0);
		settle(s);
		assert_true(HAPPENED(s, 0, "floor.decided"));
		assert_true(HAPPENED(s, 0, "floor.request", rows[i].status));
	}
	assert_int_equal(ue_floor_request(s->end[0], &wish, 0), 0);
	settle(s);
	assert_int_equal(ue_floor_decide(s->end[0], 2, 1, BFCP_DENIED, 0), 0);
	settle(s);
	assert_true(HAPPENED(s, 0, "floor.request", "request=2", "status=Denied"));
}

static void refused(void **state)
{
	struct stage *s = *state;
	const uint16_t floor[] = { 99 };
	struct bfcp_wish wish = { .floor = floor, .floors = 1 };

	assert_int_equal(base_err_class(ue_floor_release(s->end[0], 0, 0)), BASE_CONFIG);
	assert_int_equal(base_err_class(ue_floor_hello(s->end[1], 0)), BASE_CONFIG);
	assert_int_equal(ue_floor_request(s->end[0], &wish, 0), 0);
	settle(s);
	assert_true(HAPPENED(s, 0, "floor.error", "code=6", "asked=FloorRequest"));
	assert_int_equal(ue_floor_user(s->end[0], 0, 0), 0);
	settle(s);
	assert_true(HAPPENED(s, 0, "floor.user", "requests=0"));
}

/** Octets that make no sense end a stream. */
static void nonsense(void **state)
{
	struct stage *s = *state;
	char text[64];

	memset(text, 0xff, sizeof(text));
	assert_int_not_equal(ue_floor_input(s->end[0], (struct base_str){ text, sizeof(text) }, 0),
	                     0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_floor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_chair, set_up_chair, tear_down),
		cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
