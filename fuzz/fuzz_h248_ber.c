/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets into the BER decoder, strict and containing. What it takes is encoded and decoded
 * again; once it has our spelling, neither model nor octets may change any more.
 */
#include <stdio.h>
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct h248_message *round_trip(struct base_arena *arena, const struct h248_message *msg,
                                       struct base_writer *w)
{
	struct h248_message *again = NULL;
	struct base_error err = { 0 };
	int rc = h248_ber_encode(w, msg);

	if (rc) {
		(void)fprintf(stderr, "decoded, but not encoded: class %d, code %u\n",
		              (int)base_err_class(rc), base_err_detail(rc));
		abort();
	}
	rc = h248_ber_decode(arena, w->data, w->len, NULL, &again, &err);
	if (rc) {
		(void)fprintf(stderr, "not decoded after encoding: class %d, code %u: %s\n",
		              (int)base_err_class(rc), base_err_detail(rc), err.text);
		abort();
	}
	return again;
}

static void settles(struct base_arena *arena, const struct h248_message *msg)
{
	struct base_writer w[3] = { { 0 }, { 0 }, { 0 } };
	const struct h248_message *once = round_trip(arena, msg, &w[0]);
	const struct h248_message *twice = round_trip(arena, once, &w[1]);

	if (h248_ber_encode(&w[2], twice) || w[1].len != w[2].len ||
	    memcmp(w[1].data, w[2].data, w[1].len) != 0 || !h248_message_equal(once, twice)) {
		(void)fprintf(stderr, "not the same after encoding\n");
		abort();
	}
	for (int i = 0; i < 3; i++)
		base_writer_done(&w[i]);
}

static void decode(const uint8_t *data, size_t size, bool contain)
{
	struct h248_text_options options = { .contain = contain };
	struct base_arena arena = { .limit = 1 << 24 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	int rc = h248_ber_decode(&arena, data, size, &options, &msg, &err);

	if (rc && (contain ? base_err_class(rc) != BASE_LOCAL : !err.text[0]))
		abort();
	arena.limit = 0;
	if (!rc && !msg->faults)
		settles(&arena, msg);
	base_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode(data, size, false);
	decode(data, size, true);
	return 0;
}
