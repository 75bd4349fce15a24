/* SPDX-License-Identifier: Apache-2.0 */
/** @file What gatehouse-fetch answers into its reader: parts lie within the packet, or nothing is
 * read. */
#include <stdlib.h>

#include "mg/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct base_str part, const char *text, size_t size)
{
	if (part.len && (part.ptr < text || part.ptr + part.len > text + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct mg_answer answer;

	if (mg_answer_read((struct base_str){ text, size }, &answer))
		return 0;
	within(answer.url, text, size);
	within(answer.reason, text, size);
	if (answer.url.len && memchr(answer.url.ptr, ' ', answer.url.len))
		abort();
	if (answer.done && answer.reason.len)
		abort();
	return 0;
}
