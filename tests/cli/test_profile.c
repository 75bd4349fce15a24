/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse profile` as its users run it. */
#include "check.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

/** Run the built program; its standard output (and error, with `2>&1`) in `out`, terminated. */
static int run(const char *words, char *out, size_t cap)
{
	const char *build = getenv("GATEHOUSE_BUILD_ROOT"),
	           *source = getenv("GATEHOUSE_SOURCE_ROOT");
	char command[2048];
	size_t n;
	FILE *f;
	int status;

	if (!build || !source) {
		print_message("skipped: run me with meson test, which says where the program is\n");
		skip();
	}
	snprintf(command, sizeof(command), "%s/gatehouse %s --profile-dir %s/profiles 2>&1", build,
	         words, source);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, cap - 1, f);
	out[n] = '\0';
	assert_true(n < cap - 1);
	status = pclose(f);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char out[1 << 18];

static void test_list(void **state)
{
	static const char *const name[] = { "ts33203-annex-o ", "ts33210-rel17 ",
		                            "ts33310-annex-e ", "ts33310-annex-e-rel12 ",
		                            "ts33328-annex-h ", "ts33328-annex-m " };
	bool found = false;
	json_t *all;

	(void)state;
	assert_int_equal(run("profile list", out, sizeof(out)), 0);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		assert_non_null(strstr(out, name[i]));
	assert_int_equal(run("profile list --json", out, sizeof(out)), 0);
	all = json_loads(out, 0, NULL);
	assert_true(json_array_size(all) >= 6);
	for (size_t i = 0; i < json_array_size(all); i++)
		found |= strcmp(json_string_value(json_object_get(json_array_get(all, i), "name")),
		                "ts33203-annex-o") == 0;
	assert_true(found);
	json_decref(all);
}

static void test_show(void **state)
{
	json_t *all, *settings, *rules, *suite;

	(void)state;
	assert_int_equal(run("profile show ts33203-annex-o", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "0x000A TLS_RSA_WITH_3DES_EDE_CBC_SHA"));
	assert_non_null(strstr(out, "[O2 V, TS 33.203 Annex O, seed]"));
	assert_non_null(strstr(out, "at most 24 hours (TS 33.203 Annex O, seed)"));
	assert_null(strstr(out, "on     0x0002"));
	assert_int_equal(run("profile show ts33203-annex-o --null-encryption", out, sizeof(out)),
	                 0);
	assert_non_null(strstr(out, "on     0x0002 TLS_RSA_WITH_NULL_SHA"));

	assert_int_equal(run("profile show ts33210-rel17 --json", out, sizeof(out)), 0);
	all = json_loads(out, 0, NULL);
	settings = json_object_get(all, "settings");
	suite = json_array_get(json_object_get(settings, "suites"), 0);
	assert_int_equal(json_integer_value(json_object_get(suite, "code")), 0xc02b);
	assert_string_equal(json_string_value(json_object_get(suite, "rule")), "N10");
	assert_int_equal(json_integer_value(json_object_get(settings, "lifetime_max_s")), 86400);
	rules = json_object_get(all, "rules");
	assert_string_equal(json_string_value(json_object_get(json_array_get(rules, 0), "mark")),
	                    "V");
	json_decref(all);
}

static void test_diff(void **state)
{
	json_t *all, *row;
	size_t i;
	int found = 0;

	(void)state;
	assert_int_equal(run("profile diff ts33203-annex-o ts33210-rel17", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "shall [O1 V]               shall-not [N1 V]"));
	assert_int_equal(run("profile diff ts33210-rel17 ts33210-rel17", out, sizeof(out)), 0);
	assert_string_equal(out, "ts33210-rel17 and ts33210-rel17 rule alike\n");
	assert_int_equal(run("profile diff ts33203-annex-o ts33210-rel17 --json", out, sizeof(out)),
	                 0);
	all = json_loads(out, 0, NULL);
	json_array_foreach(all, i, row)
	{
		json_t *b = json_object_get(row, "b");

		if (strcmp(json_string_value(json_object_get(row, "item")), "TLS1.0"))
			continue;
		found++;
		assert_string_equal(json_string_value(json_object_get(b, "strength")), "shall-not");
		assert_string_equal(json_string_value(json_object_get(b, "clause")), "6.2");
	}
	assert_int_equal(found, 1);
	json_decref(all);
}

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(run("profile show ts33210-rel7", out, sizeof(out)), 1);
	assert_string_equal(out, "gatehouse profile: no profile is called 'ts33210-rel7'; did you "
	                         "mean 'ts33210-rel17'?\n");
	assert_int_equal(run("profile diff ts33210-rel17 x", out, sizeof(out)), 1);
	assert_int_equal(run("profile show ts33210-rel17 --null-encryption", out, sizeof(out)), 1);
	assert_int_equal(run("profile", out, sizeof(out)), 2);
	assert_non_null(strstr(out, "usage: gatehouse profile list"));
	assert_int_equal(run("profile show", out, sizeof(out)), 2);
	assert_int_equal(run("profile show a b", out, sizeof(out)), 2);
	assert_int_equal(run("profile diff a b c", out, sizeof(out)), 2);
	assert_int_equal(run("profile list --jason", out, sizeof(out)), 2);
	assert_int_equal(run("profile --help", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "--null-encryption"));
	assert_int_equal(run("nothing", out, sizeof(out)), 2);
	assert_int_equal(run("", out, sizeof(out)), 2);
	assert_int_equal(run("--help", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "profile"));
	assert_int_equal(run("--version", out, sizeof(out)), 0);
}

/** A folder given by the user, and a file in it that is wrong. */
static void test_own_folder(void **state)
{
	char dir[] = "/tmp/gatehouse-test-XXXXXX", words[256], path[256], want[512];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mine.yaml", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("name: mine\ntitel: x\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	snprintf(words, sizeof(words), "profile show mine --profile-dir %s", dir);
	assert_int_equal(run(words, out, sizeof(out)), 1);
	snprintf(want, sizeof(want),
	         "gatehouse profile: %s:2:1: unknown key 'titel'; did you mean 'title'?\n", path);
	assert_string_equal(out, want);
	snprintf(words, sizeof(words), "profile list --profile-dir %s", dir);
	assert_int_equal(run(words, out, sizeof(out)),
	                 1); /* the good ones are listed all the same */
	assert_non_null(strstr(out, "ts33210-rel17"));
	unlink(path);
	rmdir(dir);
}

/** A program that finds no profile says so: a copy away from its folders, and no folder given. */
static void test_nothing_found(void **state)
{
	const char *build = getenv("GATEHOUSE_BUILD_ROOT");
	char dir[] = "/tmp/gatehouse-test-XXXXXX", command[2048];
	size_t n;
	FILE *f;

	(void)state;
	if (!build || !access("/usr/local/share/gatehouse/profiles", F_OK)) {
		print_message("skipped: not under meson test, or profiles are installed here\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof(command),
	         "cp %s/gatehouse %s/ && %s/gatehouse profile list 2>&1; echo $?; rm -r %s", build,
	         dir, dir, dir);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	(void)pclose(f); /* the status is in the text */
	assert_string_equal(out, "gatehouse profile: no profile found; name a folder with "
	                         "--profile-dir\n1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),       cmocka_unit_test(test_show),
		cmocka_unit_test(test_diff),       cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_own_folder), cmocka_unit_test(test_nothing_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
