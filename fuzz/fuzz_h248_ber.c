/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets into the BER decoder, strict and containing. What it takes is encoded and decoded
 * again; once it has our spelling, neither model nor octets may change any more. The same octets
 * with indefinite or longer lengths, which the decoder reads another way, mean the same.
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

/* Steps over the header of a definite length; false for what the encoder passed on as it came. */
static bool header(const uint8_t **at, const uint8_t *end, size_t *ret_len)
{
	size_t len, octets;

	if (end - *at < 2 || (**at & 0x1F) == 0x1F)
		return false;
	len = (*at)[1];
	octets = len & 0x80 ? len & 0x7F : 0;
	*at += 2;
	if (len == 0x80 || octets > 3 || (size_t)(end - *at) < octets)
		return false;
	for (len = octets ? 0 : len; octets; octets--)
		len = len << 8 | *(*at)++;
	*ret_len = len;
	return len <= (size_t)(end - *at);
}

/* Each constructed value with an indefinite length, each other one with a length of three octets.
 */
static bool loosen(struct base_writer *out, const uint8_t *at, const uint8_t *end, unsigned depth)
{
	size_t len = 0;

	for (; at < end; at += len) {
		uint8_t tag = *at;

		if (!depth || !header(&at, end, &len))
			return false;
		base_writer_u8(out, tag);
		if (tag & 0x20) {
			base_writer_u8(out, 0x80);
			if (!loosen(out, at, at + len, depth - 1))
				return false;
			base_writer_u16(out, 0);
		} else {
			base_writer_u8(out, 0x83);
			base_writer_u8(out, (uint8_t)(len >> 16));
			base_writer_u16(out, (uint16_t)len);
			base_writer_put(out, at, len);
		}
	}
	return true;
}

/* Properties that are no SDP are kept with their lengths. */
static bool keeps_octets(const struct h248_message *msg)
{
	struct base_writer w = { 0 };
	bool keeps = h248_text_encode(&w, msg, H248_TEXT_COMPACT) != 0 ||
	             memmem(w.data, w.len, "a=x-h248-", 9) != NULL;

	base_writer_done(&w);
	return keeps;
}

static void means_the_same(struct base_arena *arena, const struct h248_message *msg,
                           const struct base_writer *tight)
{
	struct h248_message *other = NULL;
	struct base_writer loose = { 0 };
	struct base_error err = { 0 };

	if (loosen(&loose, tight->data, tight->data + tight->len, 32) &&
	    (h248_ber_decode(arena, loose.data, loose.len, NULL, &other, &err) ||
	     (!h248_message_equal(msg, other) && !keeps_octets(msg)))) {
		(void)fprintf(stderr, "not the same with long lengths: %s\n", err.text);
		abort();
	}
	base_writer_done(&loose);
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
	means_the_same(arena, twice, &w[1]);
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
