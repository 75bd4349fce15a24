/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/word.h"

#include <stdio.h>

const char *edge_word(struct base_str text, char out[EDGE_WORD_MAX])
{
	static const size_t room = EDGE_WORD_MAX - sizeof("...") - 4;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (n > room) {
			(void)snprintf(out + n, EDGE_WORD_MAX - n, "...");
			return out;
		}
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
			n += (size_t)snprintf(out + n, EDGE_WORD_MAX - n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
	return out;
}
