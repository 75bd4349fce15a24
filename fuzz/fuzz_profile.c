/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Bytes as a profile's file: YAML, schema, rules, compiling, printing, comparing, gaps. The first
 * octet chooses; octets after a 0xFF (which no YAML holds) are the file of the profile extended.
 */
#include <stdlib.h>

#include "profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_NULL = 1, MODE_SCALARS = 2, MODE_CERTIFICATES = 4 };

/* Whatever the rules say, they can be held against a certificate that has nothing. */
static void check(const struct profile *profile)
{
	const struct x509_facts facts = { .hash = "none", .signing = "", .key = "", .curve = "" };
	struct profile_checks *checks;

	if (profile_checks_new(&checks, profile, NULL))
		abort();
	(void)profile_check(checks, PROFILE_ROLE_SERVER, &facts, NULL, NULL);
	profile_checks_unref(checks);
}

static void compile(const struct profile *profile, bool null_encryption)
{
	const struct profile_options options = { .null_encryption = null_encryption };
	const struct profile_engine_caps none = { .name = "none" };
	struct profile_settings *settings;
	struct base_arena arena = { .chunk = NULL };
	struct base_writer w = { .data = NULL };
	struct base_error err = { .rc = 0 };
	struct profile_diff_row *row;
	struct profile_gap *gap;
	char told[256];
	size_t count;

	if (profile_diff(profile, profile, &arena, &row, &count) || count)
		abort(); /* nothing differs from itself */
	if (profile->certificates)
		check(profile);
	if (profile_compile(profile, &options, &settings, &err)) {
		if (!err.text[0] || base_err_class(err.rc) == BASE_BUG)
			abort();
	} else {
		profile_settings_print(settings, &w);
		if (profile_engine_gaps(settings, &none, &arena, &gap, &count) || !count)
			abort(); /* an engine without a version meets nothing */
		(void)profile_gap_format(&gap[0], &none, told, sizeof(told));
		profile_settings_free(settings);
	}
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void load(const uint8_t *data, size_t size, uint8_t mode)
{
	const uint8_t *base = memchr(data, 0xff, size);
	size_t len = base ? (size_t)(base - data) : size;
	const struct profile *profile = NULL;
	struct profile_store *store;
	struct base_error err = { .rc = 0 };

	if (profile_store_new(&store))
		abort();
	profile_store_isolate(store);
	if (base && size - len > 1)
		(void)profile_store_text(store, mode & MODE_CERTIFICATES ? "cert-base" : "base",
		                         (const char *)base + 1, size - len - 1, &profile, &err);
	if (!profile_store_text(store, mode & MODE_CERTIFICATES ? "cert-fuzz" : "fuzz",
	                        (const char *)data, len, &profile, &err))
		compile(profile, mode & MODE_NULL);
	else if (!err.text[0])
		abort(); /* every refusal says why */
	profile_store_free(store);
}

static void scalars(struct base_str text)
{
	struct config_address address;
	uint64_t n;

	(void)config_duration_parse(text, &n);
	(void)config_size_parse(text, &n);
	if (!config_address_parse(text, 2944, &address) && !address.host[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & MODE_SCALARS)
		scalars((struct base_str){ (const char *)data + 1, size - 1 });
	else
		load(data + 1, size - 1, data[0]);
	return 0;
}
