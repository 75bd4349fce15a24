/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <errno.h>
#include <stdio.h>

#define MESSAGE_MAX (1U << 20)

int cli_input_read(const char *path, char **ret, size_t *ret_len, struct base_error *err)
{
	struct base_writer w = { .limit = MESSAGE_MAX };
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	char buf[8192];
	size_t n;

	if (!file)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot open: %s",
		                      strerror(errno));
	while ((n = fread(buf, 1, sizeof(buf), file)) > 0)
		base_writer_put(&w, buf, n);
	if (ferror(file) || w.failed) {
		(void)base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                     w.failed ? "larger than 1 MiB, which no transport carries"
		                              : "cannot be read");
		base_writer_done(&w);
	}
	if (!standard)
		(void)fclose(file); /* only read from */
	if (err->text[0])
		return err->rc;
	*ret = (char *)w.data;
	*ret_len = w.len;
	return 0;
}
