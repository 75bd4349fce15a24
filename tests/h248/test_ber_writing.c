/* SPDX-License-Identifier: Apache-2.0 */
/* What the BER encoder does in one go: fields at the very end of the memory, lines of SDP. */
#include "check.h"
#include "h248/ber.h"

static struct h248_message *message(struct base_arena *arena, const char *text)
{
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	if (h248_text_decode(arena, text, strlen(text), NULL, &msg, &err))
		fail_msg("%s: %s", text, err.text);
	return msg;
}

/* Whatever is written last fits into exactly its octets, and into no octet less. */
static void the_last_octet_is_used(void **state)
{
	static const char *const texts[] = {
		"MEGACO/3 m PN=1{}",
		"MEGACO/3 m T=1{C=1{S=a}}",
		"MEGACO/3 m T=1{C=1{S=rtp/1}}",
		"MEGACO/3 m T=1{C=1{S=rtp/1234}}",
		"MEGACO/3 m T=1{C=1{S=abcdefghi}}",
		"MEGACO/3 m T=1{C=1{S=abcdefghijklmnop}}",
		"MEGACO/3 m T=1{C=1{S=a*c}}",
		"MEGACO/3 m T=1{C=1{S=ab*$*$*$}}",
		"MEGACO/3 m T=1{C=1{S=*}}",
		"MEGACO/3 m T=1{C=1{S=$}}",
		"MEGACO/3 m T=1{C=1{S=ROOT}}",
		"MEGACO/3 m T=1{C=1{O-W-S=a}}",
		"MEGACO/3 m T=1{C=1{O-S=a}}",
		"MEGACO/3 m T=1{C=1{MF=a{SG{cg/dt{SPADI=EX}}}}}",
		"MEGACO/3 m T=1{C=1{MF=a{SG{cg/dt{SPADI=EX,SPARQ=70000}}}}}",
		"MEGACO/3 m T=1{C=1{MF=a{M{O{MO=SR}}}}}",
		"MEGACO/3 m T=1{C=1{MF=a{M{L{v=0}}}}}",
		"MEGACO/3 m P=1{ER=400{\"x\"}}",
		"MEGACO/3 m K{1-5}",
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		struct base_arena arena = { 0 };
		struct base_writer whole = { 0 };
		const struct h248_message *msg = message(&arena, texts[i]);

		assert_int_equal(h248_ber_encode(&whole, msg), 0);
		for (size_t cap = 0; cap <= whole.len; cap++) {
			uint8_t *room = malloc(cap ? cap : 1); /* a sanitizer knows its end */
			struct base_writer w = base_writer_over(room, cap);
			int rc = h248_ber_encode(&w, msg);

			if (cap < whole.len)
				assert_int_equal(base_err_detail(rc), 533);
			else if (rc)
				fail_msg("%s needs more than its %zu octets", texts[i], cap);
			else
				assert_memory_equal(w.data, whole.data, whole.len);
			assert_int_equal(w.len, cap < whole.len ? 0 : whole.len);
			free(room);
		}
		base_writer_done(&whole);
		base_arena_done(&arena);
	}
}

/* ---- SDP ---- */

/*
 * CR LF between the lines, and none behind the last one nor before the first that is not empty:
 * what comes back (docs/h248-ber.md).
 */
static void lines_of(struct base_str sdp, struct base_writer *out)
{
	base_writer_reset(out);
	for (size_t i = 0; i < sdp.len; i++) {
		char c = sdp.ptr[i];

		if (c != '\r' && c != '\n') {
			base_writer_u8(out, (uint8_t)c);
			continue;
		}
		if (c == '\r' && i + 1 < sdp.len && sdp.ptr[i + 1] == '\n')
			i++;
		if (i + 1 < sdp.len && out->len)
			base_writer_text(out, "\r\n");
	}
}

/* There and back, of its exact size so that a sanitizer sees what is read beyond it. */
static void goes_there_and_back(struct base_str sdp)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 }, expected = { 0 };
	struct h248_message *msg = message(&arena, "MEGACO/3 m T=1{C=1{MF=a{M{L{x}}}}}");
	struct h248_media *media =
	        (struct h248_media *)msg->transactions->actions->commands->descriptors;
	char *exact = malloc(sdp.len ? sdp.len : 1);

	if (sdp.len)
		memcpy(exact, sdp.ptr, sdp.len);
	media->streams->local = (struct base_str){ exact, sdp.len };
	assert_int_equal(h248_ber_encode(&w, msg), 0);
	free(exact);
	assert_int_equal(h248_ber_decode(&arena, w.data, w.len, NULL, &msg, NULL), 0);
	media = (struct h248_media *)msg->transactions->actions->commands->descriptors;
	lines_of(sdp, &expected);
	assert_int_equal(media->streams->local.len, expected.len);
	if (expected.len)
		assert_memory_equal(media->streams->local.ptr, expected.data, expected.len);
	base_writer_done(&expected);
	base_writer_done(&w);
	base_arena_done(&arena);
}

/* `before` octets in lines of 20, then one of `len`, then another; all with the line end `end`. */
static void line_of(size_t before, size_t len, const char *end)
{
	struct base_writer w = { 0 };

	while (before > w.len + 20) {
		base_writer_text(&w, "a=eighteen octets");
		base_writer_text(&w, end);
	}
	for (size_t i = 0; i < len; i++)
		base_writer_u8(&w, 'x');
	base_writer_text(&w, end);
	goes_there_and_back(base_writer_view(&w));
	base_writer_text(&w, "s=-");
	goes_there_and_back(base_writer_view(&w));
	base_writer_text(&w, end);
	base_writer_text(&w, end);
	goes_there_and_back(base_writer_view(&w));
	base_writer_done(&w);
}

static void lines_of_any_length_and_place(void **state)
{
	static const char *const ends[] = { "\r\n", "\n", "\r" };

	(void)state;
	for (size_t e = 0; e < BASE_COUNT(ends); e++) {
		for (size_t len = 0; len < 260; len++)
			line_of(0, len, ends[e]);
		for (size_t len = 900; len < 1100; len++)
			line_of(0, len, ends[e]);
		for (size_t len = 0; len < 150; len += 3) {
			for (size_t before = 900; before < 1100; before += 20)
				line_of(before, len, ends[e]);
			line_of(3000, len, ends[e]);
		}
		line_of(0, 5000, ends[e]);
	}
}

static void line_ends_in_any_order(void **state)
{
	static const char octets[] = "xxxxxxxxxx-- \r\n\r\n";
	uint32_t number = 1;
	char sdp[2200];

	(void)state;
	for (size_t round = 0; round < 3000; round++) {
		size_t len = round < 1500 ? round % 50 : round % sizeof(sdp);

		for (size_t i = 0; i < len; i++) {
			number = number * 1664525 + 1013904223;
			sdp[i] = octets[(number >> 16) % (sizeof(octets) - 1)];
		}
		goes_there_and_back((struct base_str){ sdp, len });
	}
}

/* One octet above 7F anywhere makes its own line a UTF8String, and no other. */
static void each_line_has_its_own_type(void **state)
{
	(void)state;
	for (size_t at = 2; at < 1500; at++) {
		char sdp[1500];
		struct base_arena arena = { 0 };
		struct base_writer w = { 0 };
		struct h248_message *msg = message(&arena, "MEGACO/3 m T=1{C=1{MF=a{M{L{x}}}}}");
		struct h248_media *media =
		        (struct h248_media *)msg->transactions->actions->commands->descriptors;
		unsigned utf8 = 0, ia5 = 0;

		for (size_t i = 0; i < sizeof(sdp); i += 30) {
			memset(sdp + i, 'x', 28);
			memcpy(sdp + i, "a=", 2);
			memcpy(sdp + i + 28, "\r\n", 2);
		}
		if (at % 30 < 2 || at % 30 >= 28)
			goto next;
		sdp[at] = (char)0xE9;
		media->streams->local = (struct base_str){ sdp, sizeof(sdp) };
		assert_int_equal(h248_ber_encode(&w, msg), 0);
		for (size_t i = 0; i + 2 < w.len; i++) {
			utf8 += w.data[i] == 0x0C && w.data[i + 1] == 26 && w.data[i - 1] == 28;
			ia5 += w.data[i] == 0x16 && w.data[i + 1] == 26 && w.data[i - 1] == 28;
		}
		assert_int_equal(utf8, 1);
		assert_int_equal(ia5, sizeof(sdp) / 30 - 1);
	next:
		base_writer_done(&w);
		base_arena_done(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_octet_is_used),
		cmocka_unit_test(lines_of_any_length_and_place),
		cmocka_unit_test(line_ends_in_any_order),
		cmocka_unit_test(each_line_has_its_own_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
