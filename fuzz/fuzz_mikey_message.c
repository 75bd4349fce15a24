/* SPDX-License-Identifier: Apache-2.0 */
/* MIKEY messages. What is accepted is written and read again, as the same octets from then on. */
#include <stdlib.h>

#include "mikey/mikey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_or_die(struct base_writer *w, const struct mikey_message *msg)
{
	if (mikey_encode(w, msg))
		abort();
}

static void check_again(struct base_arena *arena, const struct mikey_message *msg)
{
	struct base_writer once = { 0 }, twice = { 0 };
	struct mikey_message *again = NULL;

	write_or_die(&once, msg);
	if (once.len <= MIKEY_OCTETS_MAX) {
		if (mikey_decode(arena, once.data, once.len, &again, NULL))
			abort();
		write_or_die(&twice, again);
		if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
			abort();
	}
	base_writer_done(&once);
	base_writer_done(&twice);
}

/* Nothing may point outside of the message. */
static void check_spans(const struct mikey_message *msg, const uint8_t *data, size_t size)
{
	const uint8_t *at = NULL;

	for (const struct mikey_payload *p = msg->first; p; p = p->next) {
		if (p->span.at < data || p->span.at + p->span.len > data + size)
			abort();
		if (at && p->span.at != at)
			abort();
		at = p->span.at + p->span.len;
	}
	if (at && at != data + size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	struct mikey_message *msg = NULL;
	int rc = mikey_decode(&arena, data, size, &msg, &err);

	if (rc && (rc != err.rc || !err.text[0] || base_err_detail(rc) > MIKEY_BAD_TP_PARAM))
		abort();
	if (arena.used > 4096 + 200 * size)
		abort();
	if (!rc) {
		check_spans(msg, data, size);
		check_again(&arena, msg);
	}
	base_arena_done(&arena);
	return 0;
}
