/* SPDX-License-Identifier: Apache-2.0 */
/** @file Replays the seeds of fuzz_trust, so that an ordinary test run sees them too. */
#include <dirent.h>

#include "check.h"
#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t data[65536];
	size_t len;

	assert_non_null(file);
	len = fread(data, 1, sizeof(data), file);
	(void)fclose(file);
	assert_int_equal(LLVMFuzzerTestOneInput(data, len), 0);
	/* and cut short: every prefix is some peer's message */
	for (size_t cut = 0; cut < len; cut += 1 + cut / 16)
		assert_int_equal(LLVMFuzzerTestOneInput(data, cut), 0);
}

static void seeds(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char dir[512], path[1024];
	unsigned count = 0;
	DIR *d;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/fuzz/corpus/trust", root ? root : ".");
	d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (*e->d_name == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		replay(path);
		count++;
	}
	(void)closedir(d);
	assert_true(count >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
