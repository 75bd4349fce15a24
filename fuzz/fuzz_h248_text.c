/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets into the text decoder, strict and containing. What it takes must come back the same
 * after encoding in either style.
 */
#include <stdio.h>
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(struct base_arena *arena, const struct h248_message *msg,
                       enum h248_text_style style)
{
	struct base_writer w = { 0 };
	struct h248_message *again = NULL;
	struct base_error err = { 0 };

	if (h248_text_encode(&w, msg, style) ||
	    h248_text_decode(arena, (const char *)w.data, w.len, NULL, &again, &err) ||
	    !h248_message_equal(msg, again)) {
		(void)fprintf(stderr, "not the same after encoding: %s\n%.*s\n", err.text,
		              (int)w.len, (const char *)w.data);
		abort();
	}
	base_writer_done(&w);
}

static void decode(const char *text, size_t len, bool contain)
{
	struct h248_text_options options = { .contain = contain, .max_depth = 8 };
	struct base_arena arena = { .limit = 1 << 22 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	int rc = h248_text_decode(&arena, text, len, &options, &msg, &err);

	if (rc && (contain ? base_err_class(rc) != BASE_LOCAL : !err.text[0]))
		abort();
	arena.limit = 0;
	if (!rc && !msg->faults) {
		same_again(&arena, msg, H248_TEXT_COMPACT);
		same_again(&arena, msg, H248_TEXT_PRETTY);
	}
	base_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode((const char *)data, size, false);
	decode((const char *)data, size, true);
	return 0;
}
