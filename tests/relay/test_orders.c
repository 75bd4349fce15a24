/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker is woken for: once for all orders of an iteration of the control loop. */
#include "check.h"

#include <unistd.h>

#include "stage.h"

static unsigned wakes, posts;

/* The linker's --wrap: calls of src/relay alone, not those inside src/loop. */
void __real_loop_wake(struct loop *loop);
void __wrap_loop_wake(struct loop *loop);
void __wrap_loop_wake(struct loop *loop)
{
	wakes++;
	__real_loop_wake(loop);
}

void __real_loop_post(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg);
void __wrap_loop_post(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg);
void __wrap_loop_post(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg)
{
	posts++;
	__real_loop_post(loop, msg, fn, arg);
}

static void one_wake_up_for_all_orders(void **unused)
{
	const struct relay_pool_spec pool = { .workers = 1 };
	struct record record[4] = { 0 };
	struct stage stage;

	(void)unused;
	stage_begin(&stage, &pool);
	wakes = posts = 0;
	for (size_t i = 0; i < BASE_COUNT(record); i++) {
		struct relay_endpoint_spec spec = stage_server(&record[i]);

		stage_add(&stage, &spec);
	}
	assert_int_equal(relay_endpoint_link(record[0].endpoint, record[1].endpoint), 0);
	assert_int_equal(relay_endpoint_link(record[2].endpoint, record[3].endpoint), 0);
	assert_int_equal(relay_endpoint_mode_set(record[0].endpoint, true, false), 0);
	assert_int_equal(wakes, 0);
	assert_int_equal(loop_run_once(stage.control, 0), 0);
	assert_int_equal(wakes, 1);
	for (size_t i = 0; i < BASE_COUNT(record); i++)
		relay_endpoint_remove(record[i].endpoint);
	stage_empty(&stage);
	assert_int_equal(wakes, 2);
	assert_int_equal(posts, 0);
	stage_end(&stage);
}

/* Each worker, of those that have got orders. */
static void nobody_is_woken_for_nothing(void **unused)
{
	const struct relay_pool_spec pool = { .workers = 3 };
	struct record record[2] = { 0 };
	struct relay_context *other;
	struct relay_endpoint_spec spec;
	struct stage stage;

	(void)unused;
	stage_begin(&stage, &pool);
	wakes = posts = 0;
	spec = stage_server(&record[0]);
	stage_add(&stage, &spec);
	assert_int_equal(relay_context_new(&other, stage.pool), 0); /* where there are fewer */
	spec = stage_server(&record[1]);
	assert_int_equal(relay_endpoint_add(&record[1].endpoint, other, &spec, NULL), 0);
	assert_int_equal(loop_run_once(stage.control, 0), 0);
	assert_int_equal(wakes, 2);
	assert_int_equal(loop_run_once(stage.control, 0), 0);
	assert_int_equal(wakes, 2);
	assert_int_equal(posts, 0);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wake_up_for_all_orders),
		cmocka_unit_test(nobody_is_woken_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
