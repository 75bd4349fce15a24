/* SPDX-License-Identifier: Apache-2.0 */
#include "http/private.h"

struct base_str http_type_of(const char *content_type)
{
	struct base_str all = base_str_of(content_type);
	const char *end = all.len ? memchr(all.ptr, ';', all.len) : NULL;

	return base_str_trim((struct base_str){ all.ptr, end ? (size_t)(end - all.ptr) : all.len });
}

bool http_type_eq(const char *content_type, const char *type)
{
	return content_type && base_str_ieq(http_type_of(content_type), base_str_of(type));
}
