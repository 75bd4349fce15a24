/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

int base_error_set(struct base_error *err, int rc, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return rc;
	err->rc = rc;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap); /* shortening is fine here */
	va_end(ap);
	return rc;
}

void base_error_place(struct base_error *err, const char *file, unsigned line, unsigned column)
{
	size_t len = file ? strlen(file) : 0;

	if (!err)
		return;
	if (len >= sizeof(err->file)) { /* the end of a path says more than its start */
		file += len - (sizeof(err->file) - 1);
		len = sizeof(err->file) - 1;
	}
	if (len)
		memcpy(err->file, file, len);
	err->file[len] = '\0';
	err->line = line;
	err->column = column;
}

const char *base_error_format(const struct base_error *err, char *buf, size_t cap)
{
	char place[32] = "";

	if (err->line && err->column)
		(void)snprintf(place, sizeof(place), ":%u:%u", err->line, err->column);
	else if (err->line)
		(void)snprintf(place, sizeof(place), ":%u", err->line);
	if (err->file[0])
		(void)snprintf(buf, cap, "%s%s: %s", err->file, place, err->text);
	else if (err->line)
		(void)snprintf(buf, cap, "line %s: %s", place + 1, err->text);
	else
		(void)snprintf(buf, cap, "%s", err->text);
	return buf;
}
