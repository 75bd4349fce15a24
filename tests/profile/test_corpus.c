/* SPDX-License-Identifier: Apache-2.0 */
/** @file The fuzz target's seeds, replayed. */
#include "stage.h"

#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void test_corpus(void **state)
{
	struct base_error err = { .rc = 0 };
	struct dirent *e;
	char dir[1024], path[2048], *data;
	size_t len, count = 0;
	DIR *d;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/fuzz/corpus/profile", stage_root());
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		assert_int_equal(config_file_read(path, 1 << 20, &data, &len, &err), 0);
		assert_int_equal(LLVMFuzzerTestOneInput((const uint8_t *)data, len), 0);
		free(data);
		count++;
	}
	assert_int_equal(closedir(d), 0);
	assert_true(count >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
