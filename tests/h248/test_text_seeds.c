/* SPDX-License-Identifier: Apache-2.0 */
/* The seeds of the fuzz target, through the fuzz target. */
#include <dirent.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	uint8_t data[8192];
	FILE *f = fopen(path, "rb");
	size_t len;

	assert_non_null(f);
	len = fread(data, 1, sizeof(data), f);
	(void)fclose(f); /* only read */
	assert_in_range(len, 1, sizeof(data) - 1);
	(void)LLVMFuzzerTestOneInput(data, len); /* always 0; a finding aborts */
}

static void seeds(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct dirent *entry;
	char path[4096];
	size_t count = 0;
	DIR *dir;

	(void)state;
	if (!root) {
		print_message("GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/h248_text", root);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/h248_text/%s", root,
		               entry->d_name);
		replay(path);
		count++;
	}
	(void)closedir(dir); /* only read */
	assert_true(count >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
