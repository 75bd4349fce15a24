/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decoding costs is linear in the size of the input, for text and binary, right or wrong. Cost
 * is counted, not timed: the basic blocks that run (this program's codec calls us for each) and the
 * octets that memcpy and its kin go over, sixteen for one. So it is the same on any machine.
 * Memory is in test_linear.c, nanoseconds are in bench/linear.c, on the same messages.
 */
#include "check.h"
#include "shapes.h"

#define MARGIN 1.1

static unsigned long blocks, octets;

void __sanitizer_cov_trace_pc(void);
void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
void *__real_memchr(const void *s, int c, size_t n);
int __real_memcmp(const void *a, const void *b, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);
void *__wrap_memset(void *to, int c, size_t n);
void *__wrap_memchr(const void *s, int c, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);

void __sanitizer_cov_trace_pc(void)
{
	blocks++;
}

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
	octets += n;
	return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	octets += n;
	return __real_memmove(to, from, n);
}

void *__wrap_memset(void *to, int c, size_t n)
{
	octets += n;
	return __real_memset(to, c, n);
}

void *__wrap_memchr(const void *s, int c, size_t n)
{
	void *at = __real_memchr(s, c, n);

	octets += at ? (size_t)((const char *)at - (const char *)s) : n;
	return at;
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
	octets += n;
	return __real_memcmp(a, b, n);
}

static unsigned long cost(const struct base_writer *w, bool contain)
{
	struct h248_text_options options = { .contain = contain,
		                             .max_transactions = 100000,
		                             .max_items = 1 << 20 };
	struct base_arena arena = { .chunk_size = 1 << 22 };
	struct h248_message *msg = NULL;
	unsigned long used;

	blocks = octets = 0;
	/* Right or wrong: both are to be cheap. */
	(void)h248_codec_decode(&arena, w->data, w->len, &options, &msg, NULL, NULL);
	used = blocks + octets / 16;
	base_arena_done(&arena);
	return used;
}

static void work_is_linear(void **state)
{
	struct base_writer small = { 0 }, large = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(shapes); i++) {
		for (int contain = 0; contain < 2; contain++) {
			unsigned long a, b;

			shape_build(&shapes[i], 4000, &small);
			shape_build(&shapes[i], 64000, &large);
			a = cost(&small, contain);
			b = cost(&large, contain);
			assert_true(a > 20); /* it is counted */
			if ((double)b > (double)a * (double)large.len / (double)small.len * MARGIN)
				fail_msg("%s: %zu octets take %lu steps, %zu take %lu",
				         shapes[i].name, small.len, a, large.len, b);
		}
	}
	base_writer_done(&small);
	base_writer_done(&large);
}

/* What so many octets may cost at the most: some times what an ordinary message of that size does.
 * A sanitizer's checks are steps too, so it is measured. */
static unsigned long most(size_t len)
{
	static unsigned long usual;
	struct base_writer w = { 0 };

	if (!usual) {
		shape_build(&shapes[0], 4096, &w);
		usual = cost(&w, false) * 4096 / w.len;
		base_writer_done(&w);
	}
	return (len + 200) * usual * 6 / 4096;
}

/* However a message is cut, reading the part costs no more than its octets' share. */
static void no_octet_is_dear(void **state)
{
	struct base_writer w = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(shapes); i++) {
		unsigned long whole;

		shape_build(&shapes[i], 2000, &w);
		for (size_t len = w.len; len > 0; len -= BASE_MIN(len, 7)) {
			struct base_writer part = w;

			part.len = len;
			whole = cost(&part, true);
			if (whole > most(len))
				fail_msg("%s: %zu octets take %lu steps", shapes[i].name, len,
				         whole);
		}
	}
	base_writer_done(&w);
}

/* ---- bombs ---- */

/* Definite lengths made indefinite, so that more may follow anywhere. Lengths are below 65536. */
static void loosen(struct base_writer *out, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		uint8_t tag = *at++;
		size_t len = *at++;

		if (len & 0x80) {
			size_t more = len & 0x7F;

			for (len = 0; more; more--)
				len = len << 8 | *at++;
		}
		base_writer_u8(out, tag);
		if (tag & 0x20) {
			base_writer_u8(out, 0x80);
			loosen(out, at, at + len);
			base_writer_u16(out, 0);
		} else {
			base_writer_u16(out, 0x8200 | (uint16_t)(len >> 8));
			base_writer_u8(out, (uint8_t)len);
			base_writer_put(out, at, len);
		}
		at += len;
	}
}

static const struct bomb {
	const char *octets;
	size_t len;
} bombs[] = {
	{ "\x30\x80", 2 },                 /* ever deeper */
	{ "\xA0\x80\x24\x80", 4 },         /* strings in it */
	{ "\xA2\x80\x00\x00", 4 },         /* empty ones, ended */
	{ "\x00\x00", 2 },                 /* ends of nothing */
	{ "\x04\x00", 2 },                 /* empty strings */
	{ "\x24\x04\x04\x02\x04\x00", 6 }, /* strings in pieces */
	{ "\x9F\xFF\xFF\xFF\x7F\x00", 6 }, /* long tags */
	{ "\x30\x84\x7F\xFF\xFF\xFF", 6 }, /* lengths beyond the end */
	{ "\x80\x01\x01", 3 },             /* numbers */
};

/* A valid message with all lengths indefinite is cut at every place, and each bomb goes on there.
 */
static void a_bomb_at_any_place_is_no_dearer(void **state)
{
	static const char text[] =
	        "!/3 [192.0.2.1]:2944 T=7{C=5{TP{a,b,OW},PR=3,A=a{M{TS{BF=OFF},"
	        "ST=1{O{MO=SR,nt/jit=[20:80]},L{\r\nv=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP "
	        "8\r\n}}},E=31{al/on{strict=state,EM{SG{cg/dt},E=6{dd/ce{DM=d0}}}}},SG{SL=2"
	        "{cg/rt}}},W-S=[l/17,ip/1]{AT{M,PG{al-1}}}}}K{1-5}";
	struct base_writer tight = { 0 }, loose = { 0 }, w = { 0 };
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;

	(void)state;
	assert_int_equal(h248_text_decode(&arena, text, sizeof(text) - 1, NULL, &msg, NULL), 0);
	assert_int_equal(h248_ber_encode(&tight, msg), 0);
	loosen(&loose, tight.data, tight.data + tight.len);
	assert_int_equal(h248_ber_decode(&arena, loose.data, loose.len, NULL, &msg, NULL), 0);
	for (size_t cut = 1; cut <= loose.len; cut++) {
		for (size_t i = 0; i < BASE_COUNT(bombs); i++) {
			unsigned long used;

			base_writer_reset(&w);
			base_writer_put(&w, loose.data, cut);
			while (w.len < 16000)
				base_writer_put(&w, bombs[i].octets, bombs[i].len);
			used = cost(&w, true);
			if (used > most(w.len))
				fail_msg("bomb %zu at %zu: %zu octets take %lu steps", i, cut,
				         w.len, used);
		}
	}
	base_writer_done(&tight);
	base_writer_done(&loose);
	base_writer_done(&w);
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_is_linear),
		cmocka_unit_test(no_octet_is_dear),
		cmocka_unit_test(a_bomb_at_any_place_is_no_dearer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
