/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/shown.h"

const char *h248_shown(struct base_str s, char *buf)
{
	size_t room = H248_SHOWN_SIZE - 4;
	size_t len = BASE_MIN(s.len, room);

	for (size_t i = 0; i < len; i++) {
		char c = s.ptr[i];

		buf[i] = c == '"' ? '\'' : c < 0x20 || c > 0x7e ? '?' : c;
	}
	memcpy(buf + len, s.len > room ? "..." : "", s.len > room ? 4 : 1);
	return buf;
}
