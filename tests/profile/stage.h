/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the profile tests share: a store over the source's profiles, and golden files. */
#ifndef GH_TESTS_PROFILE_STAGE_H
#define GH_TESTS_PROFILE_STAGE_H

#include "check.h"

#include "profile/profile.h"

static inline const char *stage_root(void)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");

	return root ? root : ".";
}

/** A store that sees the source's profiles only. */
static inline struct profile_store *stage_store(void)
{
	struct profile_store *store = NULL;
	char dir[1024];

	snprintf(dir, sizeof(dir), "%s/profiles", stage_root());
	assert_int_equal(profile_store_new(&store), 0);
	assert_int_equal(profile_store_dir(store, dir), 0);
	profile_store_isolate(store);
	return store;
}

/** The shipped profile, which must load. */
static inline const struct profile *stage_profile(struct profile_store *store, const char *name)
{
	const struct profile *profile = NULL;
	struct base_error err = { .rc = 0 };
	char told[800];

	if (profile_store_find(store, name, &profile, &err))
		fail_msg("%s", base_error_format(&err, told, sizeof(told)));
	return profile;
}

static inline struct profile_settings *stage_settings(const struct profile *profile,
                                                      const struct profile_options *options)
{
	struct profile_settings *settings = NULL;
	struct base_error err = { .rc = 0 };
	char told[800];

	if (profile_compile(profile, options, &settings, &err))
		fail_msg("%s", base_error_format(&err, told, sizeof(told)));
	return settings;
}

/**
 * Hold a text against golden/NAME.txt. With GATEHOUSE_GOLDEN=update in the environment the file is
 * written instead, so that a change shows up in review as a change of that file.
 */
static inline void stage_golden(const char *name, struct base_writer *w)
{
	const char *update = getenv("GATEHOUSE_GOLDEN");
	struct base_error err = { .rc = 0 };
	char path[1024], *want;
	size_t len;
	FILE *f;

	assert_false(w->failed);
	snprintf(path, sizeof(path), "%s/tests/profile/golden/%s.txt", stage_root(), name);
	if (update && !strcmp(update, "update")) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(w->data, 1, w->len, f), w->len);
		assert_int_equal(fclose(f), 0);
		return;
	}
	if (config_file_read(path, 1 << 20, &want, &len, &err))
		fail_msg("%s: %s", path, err.text);
	assert_string_equal(base_writer_cstr(w), want);
	free(want);
}

#endif
