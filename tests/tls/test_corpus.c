/* SPDX-License-Identifier: Apache-2.0 */
/** @file The fuzz target's seeds, replayed. */
#include <dirent.h>

#include "base/base.h"
#include "check.h"
#include "config/config.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void corpus(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_error err = { 0 };
	char dir[1024], path[2048], *data;
	size_t len, count = 0;
	struct dirent *e;
	DIR *d;

	(void)state;
	if (!root) {
		print_message("skipped: GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	assert_int_equal(LLVMFuzzerInitialize(NULL, NULL), 0);
	(void)snprintf(dir, sizeof(dir), "%s/fuzz/corpus/tls_record", root);
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		assert_int_equal(config_file_read(path, 1 << 20, &data, &len, &err), 0);
		assert_int_equal(LLVMFuzzerTestOneInput((const uint8_t *)data, len), 0);
		free(data);
		count++;
	}
	assert_int_equal(closedir(d), 0);
	assert_true(count >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(corpus) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
