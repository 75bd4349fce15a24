/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Snapshots of policy: what every shipped profile compiles to, and how the releases differ. A
 * changed suite list shows up here, on purpose or not.
 */
#include "stage.h"

static void print_settings(const struct profile *profile, struct base_writer *w)
{
	struct profile_settings *s = stage_settings(profile, NULL);

	profile_settings_print(s, w);
	profile_settings_free(s);
}

/* Rules of certificates compile to nothing else: who is bound to what. */
static void print_certificates(const struct profile *profile, struct base_writer *w)
{
	for (unsigned role = PROFILE_ROLE_CLIENT; role <= PROFILE_ROLE_CRL; role <<= 1) {
		base_writer_printf(w, "%s:\n", profile_role_name((enum profile_role)role));
		for (size_t i = 0; i < profile->rule_count; i++) {
			const struct profile_rule *r = &profile->rule[i];

			if (r->roles & role)
				base_writer_printf(w, "  %-10s %s %s%s%s [%s %c, %s %s, %s]\n",
				                   profile_strength_name(r->strength),
				                   profile_subject_name(r->subject), r->item,
				                   r->value ? " " : "", r->value ? r->value : "",
				                   r->id, r->mark, r->document, r->clause,
				                   r->release);
		}
	}
}

static void test_settings(void **state)
{
	struct base_arena arena = { .chunk = NULL };
	struct profile_store *store = stage_store();
	const char **name;
	size_t count;

	(void)state;
	assert_int_equal(profile_store_list(store, &arena, &name, &count), 0);
	assert_true(count >= 6);
	for (size_t i = 0; i < count; i++) {
		const struct profile *profile = stage_profile(store, name[i]);
		struct base_writer w = { .data = NULL };

		if (profile->certificates)
			print_certificates(profile, &w);
		else
			print_settings(profile, &w);
		stage_golden(name[i], &w);
		base_writer_done(&w);
	}
	base_arena_done(&arena);
	profile_store_free(store);
}

/** Annex O where the operator turns NULL encryption on. */
static void test_null_encryption(void **state)
{
	struct profile_store *store = stage_store();
	const struct profile_options options = { .null_encryption = true };
	struct profile_settings *s =
	        stage_settings(stage_profile(store, "ts33203-annex-o"), &options);
	struct base_writer w = { .data = NULL };

	(void)state;
	profile_settings_print(s, &w);
	stage_golden("ts33203-annex-o+null", &w);
	base_writer_done(&w);
	profile_settings_free(s);
	profile_store_free(store);
}

static void print_side(struct base_writer *w, const struct profile_rule *r)
{
	if (!r)
		base_writer_text(w, " | -");
	else
		base_writer_printf(w, " | %s%s%s%s %s", profile_strength_name(r->strength),
		                   r->off ? " off" : "", r->value ? " " : "",
		                   r->value ? r->value : "", r->id);
}

static void golden_diff(struct profile_store *store, const char *a, const char *b)
{
	struct base_arena arena = { .chunk = NULL };
	struct base_writer w = { .data = NULL };
	struct profile_diff_row *row;
	char name[128];
	size_t count;

	assert_int_equal(profile_diff(stage_profile(store, a), stage_profile(store, b), &arena,
	                              &row, &count),
	                 0);
	for (size_t i = 0; i < count; i++) {
		base_writer_printf(&w, "%s | %s | %s", profile_subject_name(row[i].subject),
		                   row[i].item, profile_when_name(row[i].when));
		print_side(&w, row[i].a);
		print_side(&w, row[i].b);
		base_writer_text(&w, "\n");
	}
	snprintf(name, sizeof(name), "diff+%s+%s", a, b);
	stage_golden(name, &w);
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void test_diffs(void **state)
{
	struct profile_store *store = stage_store();
	struct base_arena arena = { .chunk = NULL };
	const struct profile *m = stage_profile(store, "ts33328-annex-m"), *c;
	struct profile_diff_row *row;
	size_t count;

	(void)state;
	golden_diff(store, "ts33310-annex-e", "ts33310-annex-e-rel12");
	golden_diff(store, "ts33203-annex-o", "ts33210-rel17");
	golden_diff(store, "cert-ts33310", "cert-ts33310-nf");
	c = stage_profile(store, "cert-ts33310");
	assert_int_equal(profile_diff(c, c, &arena, &row, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(profile_diff(m, m, &arena, &row, &count), 0);
	assert_int_equal(count, 0);
	base_arena_done(&arena);
	profile_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_null_encryption),
		cmocka_unit_test(test_diffs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
