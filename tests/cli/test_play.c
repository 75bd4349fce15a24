/* SPDX-License-Identifier: Apache-2.0 */
/** @file Processes of a play: floods, leftovers, and what they say in the report. */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/play.h"

static int run_until(struct loop *loop, struct play_child *child, const char *text)
{
	for (unsigned i = 0; i < 2000; i++) {
		if (text ? strstr(play_child_text(child), text) != NULL
		         : play_child_status(child) >= 0)
			return 0;
		assert_int_equal(loop_run_once(loop, 10), 0);
	}
	return -1;
}

/* One that never stops talking does not keep the loop from its timers. */
static void test_flood(void **state)
{
	struct loop *loop;
	struct play_child *child;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(play_child_start(&child, loop, "flood", "exec yes", NULL), 0);
	assert_int_equal(run_until(loop, child, "y\ny\n"), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(loop_run_once(loop, 0), 0);
	play_child_free(child);
	loop_free(loop);
}

/* What a command leaves in the background ends with it. */
static void test_leftovers(void **state)
{
	struct loop *loop;
	struct play_child *child;
	pid_t left;
	unsigned i;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(
	        play_child_start(&child, loop, "left", "tail -f /dev/null & echo pid=$!", NULL), 0);
	assert_int_equal(run_until(loop, child, "\n"), 0);
	left = (pid_t)strtol(strstr(play_child_text(child), "pid=") + 4, NULL, 10);
	assert_true(left > 1);
	assert_int_equal(run_until(loop, child, NULL), 0);
	assert_int_equal(play_child_status(child), 0);
	/* It is init's to reap, if there is one: dead or a zombie will do. */
	for (i = 0; i < 400; i++) {
		char path[64], stat[512] = "";
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)left);
		f = fopen(path, "r");
		if (!f)
			break;
		(void)!fread(stat, 1, sizeof(stat) - 1, f);
		(void)fclose(f);
		if (strstr(stat, ") Z ") || strstr(stat, ") X ") || !stat[0])
			break;
		assert_int_equal(loop_run_once(loop, 5), 0);
	}
	assert_true(i < 400);
	play_child_free(child);
	loop_free(loop);
}

/* The report is JSON whatever a process said. */
static void test_report_is_json(void **state)
{
	const char *build = getenv("GATEHOUSE_BUILD_ROOT");
	char path[] = "/tmp/gatehouse-test-XXXXXX", command[1024];
	json_t *report, *step;
	FILE *f;
	int fd;

	(void)state;
	if (!build) {
		print_message("skipped: run me with meson test, which says where the program is\n");
		skip();
	}
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_true(f && fputs("steps:\n  - {run: 'printf \"a\\377b\"; exit 3'}\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(command, sizeof(command), "%s/gatehouse h248 play --json %s 2>/dev/null",
	               build, path);
	f = popen(command, "r");
	assert_non_null(f);
	report = json_loadf(f, 0, NULL);
	(void)pclose(f); /* the step fails, as it should */
	assert_int_equal(unlink(path), 0);
	step = json_array_get(json_object_get(report, "steps"), 0);
	assert_false(json_is_true(json_object_get(step, "ok")));
	assert_non_null(strstr(json_string_value(json_object_get(step, "error")), "status 3"));
	json_decref(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_report_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
