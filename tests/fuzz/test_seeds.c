/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The seeds of one fuzz target, and every finding ever made, through that target: its name is the
 * argument. What the target asserts holds or the program aborts.
 */
#include <dirent.h>
#include <limits.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *target;

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);
	size_t len;

	assert_non_null(file);
	assert_non_null(data);
	len = fread(data, 1, 1 << 20, file);
	assert_int_equal(ferror(file), 0);
	(void)fclose(file);                      /* only read from */
	(void)LLVMFuzzerTestOneInput(data, len); /* always 0; a finding aborts */
	free(data);
}

static void seeds(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char folder[PATH_MAX], path[PATH_MAX + 256];
	const struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/fuzz/corpus/%s", root ? root : ".", target);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		replay(path);
		count++;
	}
	(void)closedir(dir);
	assert_true(count >= 3); /* a target without seeds starts blind */
}

/* No input at all is an input too. */
static void nothing(void **state)
{
	static const uint8_t none[1];

	(void)state;
	(void)LLVMFuzzerTestOneInput(none, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds), cmocka_unit_test(nothing) };

	if (argc != 2) {
		(void)fprintf(stderr, "%s NAME\n", argv[0]);
		return 2;
	}
	target = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
