/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths: indefinite ones, cut ones, lying ones; bombs; additions that nobody knows. */
#include "check.h"
#include "h248/ber.h"
#include "h248/codec.h"
#include "h248/h248.h"
#include "shared.h"

static const char sample[] =
        "MEGACO/3 [192.0.2.10]:2944 T=7{C=5{TP{a,b,OW},PR=3,A=a{M{TS{BF=OFF},ST=1{O{MO=SR,nt/"
        "jit=[20:80],xctx/owner=\"ops desk\"},L{\r\nv=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP "
        "8\r\n}}},E=31{al/on{strict=state,EM{SG{cg/dt},E=6{dd/ce{DM=dial0}}}}},SG{SL=2{cg/rt}}},"
        "O-W-S=[line/17,ip/rtp/4711]{AT{M,PG{al-1}}}}}K{1-5}";

struct both {
	struct base_arena arena;
	struct base_writer ber;
	struct h248_message *msg;
};

static struct both make(const char *text)
{
	struct both b = { .msg = NULL };
	struct base_error err = { 0 };

	if (h248_text_decode(&b.arena, text, strlen(text), NULL, &b.msg, &err))
		fail_msg("%s", err.text);
	assert_int_equal(h248_ber_encode(&b.ber, b.msg), 0);
	return b;
}

static void done(struct both *b)
{
	base_writer_done(&b->ber);
	base_arena_done(&b->arena);
}

static int decode(struct base_arena *arena, const struct base_writer *w, bool contain,
                  struct h248_message **ret, struct base_error *err)
{
	struct h248_text_options options = { .contain = contain };
	uint8_t *copy = malloc(w->len ? w->len : 1); /* of its exact size */
	char *kept = base_arena_alloc(arena, w->len + 1);
	int rc;

	if (w->len) {
		memcpy(copy, w->data, w->len);
		memcpy(kept, w->data, w->len);
	}
	rc = h248_ber_decode(arena, copy, w->len, &options, ret, err);
	free(copy);
	if (!rc) /* again from memory that stays */
		rc = h248_ber_decode(arena, kept, w->len, &options, ret, err);
	return rc;
}

/* Every constructed value with an indefinite length, and (`pieces`) strings in two pieces. */
static void loosen(struct base_writer *out, const uint8_t *at, const uint8_t *end, bool pieces)
{
	while (at < end) {
		uint8_t tag = *at++;
		size_t len = *at++;

		if (len & 0x80) {
			size_t octets = len & 0x7F;

			for (len = 0; octets; octets--)
				len = len << 8 | *at++;
		}
		if (tag & 0x20) {
			base_writer_u8(out, tag);
			base_writer_u8(out, 0x80);
			loosen(out, at, at + len, pieces);
			base_writer_u16(out, 0);
		} else if (pieces && tag == 0x04 && len > 1) {
			base_writer_u16(out, 0x2480);
			base_writer_u16(out, 0x0401);
			base_writer_u8(out, at[0]);
			base_writer_u8(out, 0x24); /* and again inside, with a definite length */
			base_writer_u8(out, (uint8_t)(len + 1));
			base_writer_u8(out, 0x04);
			base_writer_u8(out, (uint8_t)(len - 1));
			base_writer_put(out, at + 1, len - 1);
			base_writer_u16(out, 0);
		} else {
			base_writer_u8(out, tag); /* a long length where a short one would do */
			base_writer_u16(out, 0x8300 | 0);
			base_writer_u16(out, (uint16_t)len);
			base_writer_put(out, at, len);
		}
		at += len;
	}
}

static void indefinite_lengths_mean_the_same(void **state)
{
	struct both b = make(sample);

	(void)state;
	for (int pieces = 0; pieces < 2; pieces++) {
		struct base_writer loose = { 0 }, again = { 0 };
		struct h248_message *msg = NULL;
		struct base_error err = { 0 };

		loosen(&loose, b.ber.data, b.ber.data + b.ber.len, pieces);
		if (decode(&b.arena, &loose, false, &msg, &err))
			fail_msg("%s", err.text);
		assert_true(h248_message_equal(b.msg, msg));
		assert_int_equal(h248_ber_encode(&again, msg), 0);
		assert_int_equal(again.len, b.ber.len); /* definite lengths are sent */
		assert_memory_equal(again.data, b.ber.data, b.ber.len);
		base_writer_done(&again);
		for (size_t cut = 0; cut < loose.len; cut++) {
			struct base_writer part = { .data = loose.data, .len = cut };

			assert_int_not_equal(decode(&b.arena, &part, false, &msg, &err), 0);
			if (decode(&b.arena, &part, true, &msg, &err) == 0)
				assert_non_null(msg->faults);
		}
		base_writer_done(&loose);
	}
	done(&b);
}

/* Has its SDP a line that keeps octets as they came? These show how long the lengths were. */
static bool keeps_octets(const struct h248_message *msg)
{
	struct base_writer w = { 0 };
	bool keeps = !h248_codec_encode(&w, msg, H248_CODEC_COMPACT);

	base_writer_u8(&w, 0);
	keeps = keeps && strstr((const char *)w.data, "a=x-h248-") != NULL;
	base_writer_done(&w);
	return keeps;
}

/* Decode `tight` and the same with long lengths, which goes another way: one outcome. */
static void same_both_ways(struct both *b, const struct base_writer *tight)
{
	struct h248_message *one = NULL, *other = NULL;
	struct base_writer loose = { 0 };
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	int rc = decode(&b->arena, tight, false, &one, &err);

	loosen(&loose, tight->data, tight->data + tight->len, false);
	assert_int_equal(decode(&arena, &loose, false, &other, &err), rc);
	if (!rc && !keeps_octets(one))
		assert_true(h248_message_equal(one, other));
	else if (!rc)
		assert_true(keeps_octets(other));
	base_writer_done(&loose);
	base_arena_done(&arena);
}

/* The calls above with each octet that is no tag or length replaced by some. */
static void bend_values(struct both *b, uint8_t *at, const uint8_t *end)
{
	static const uint8_t others[] = { 0, 1, '\r', '\n', 0x0E, '*', 0xFF };

	while (at < end) {
		bool constructed = *at & 0x20;
		size_t len = at[1];

		at += 2;
		if (len & 0x80) {
			size_t octets = len & 0x7F;

			for (len = 0; octets; octets--)
				len = len << 8 | *at++;
		}
		if (constructed)
			bend_values(b, at, at + len);
		for (size_t i = 0; i < len && !constructed; i++) {
			uint8_t was = at[i];

			for (size_t k = 0; k < sizeof(others); k++) {
				at[i] = others[k];
				same_both_ways(b, &b->ber);
			}
			at[i] = was;
		}
		at += len;
	}
}

static void short_and_long_lengths_mean_the_same(void **state)
{
	struct both b = make(sample);

	(void)state;
	same_both_ways(&b, &b.ber);
	bend_values(&b, b.ber.data, b.ber.data + b.ber.len);
	done(&b);
}

/* Each file of the corpus at every octet: refused whole, or with `contain` told as a fault. */
static void every_cut_is_refused(void **state)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder("spec/h248-examples", &files);

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i += 2) {
		char *text = calloc(1, files[i].len + 1);
		struct both b;

		memcpy(text, files[i].text, files[i].len);
		b = make(text);
		for (size_t cut = 0; cut < b.ber.len; cut++) {
			struct base_arena arena = { 0 };
			struct base_writer part = { .data = b.ber.data, .len = cut };
			struct base_error err = { 0 };
			struct h248_message *msg = NULL;
			int rc = decode(&arena, &part, false, &msg, &err);

			assert_int_equal(base_err_class(rc), BASE_PEER);
			assert_int_equal(base_err_detail(rc), 400);
			assert_int_equal(decode(&arena, &part, true, &msg, &err), 0);
			assert_non_null(msg->faults);
			base_arena_done(&arena);
		}
		done(&b);
		free(text);
	}
	shared_free(files, count);
}

/* Each octet replaced by others: no crash, and what is taken can be written. */
static void bent_octets_do_no_harm(void **state)
{
	static const uint8_t others[] = { 0x00, 0x01, 0x1F, 0x30, 0x7F, 0x80, 0x84, 0xA0, 0xFF };
	struct both b = make(sample);

	(void)state;
	for (size_t i = 0; i < b.ber.len; i++) {
		for (size_t k = 0; k < sizeof(others); k++) {
			struct base_arena arena = { 0 };
			struct base_writer w = { 0 };
			struct h248_message *msg = NULL;
			uint8_t was = b.ber.data[i];

			b.ber.data[i] = others[k];
			if (decode(&arena, &b.ber, false, &msg, NULL) == 0)
				assert_int_equal(h248_ber_encode(&w, msg), 0);
			assert_int_equal(decode(&arena, &b.ber, true, &msg, NULL), 0);
			b.ber.data[i] = was;
			base_writer_done(&w);
			base_arena_done(&arena);
		}
	}
	done(&b);
}

static void refused(const void *octets, size_t len, size_t most)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	assert_int_not_equal(h248_ber_decode(&arena, octets, len, NULL, &msg, &err), 0);
	assert_true(err.text[0]);
	assert_true(arena.used <= most);
	base_arena_done(&arena);
}

static void bombs_are_refused_early(void **state)
{
	size_t len = 1 << 20;
	uint8_t *octets = malloc(len);

	(void)state;
	memset(octets, 0x30, len); /* a sequence in a sequence in ... */
	refused(octets, len, 1 << 14);
	for (size_t i = 0; i < len; i++) /* the same with indefinite lengths */
		octets[i] = i % 2 ? 0x80 : 0x30;
	refused(octets, len, 1 << 14);
	octets[2] = 0xA1; /* as an addition behind the message's version */
	memcpy(octets, (uint8_t[]){ 0x30, 0x80, 0xA1, 0x80, 0x80, 1, 3, 0xAF, 0x80 }, 9);
	for (size_t i = 9; i < len; i++)
		octets[i] = i % 2 ? 0xA0 : 0x80;
	refused(octets, len, 1 << 14);
	memcpy(octets, (uint8_t[]){ 0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255 }, 10);
	refused(octets, len, 1 << 14);
	memcpy(octets, (uint8_t[]){ 0x30, 0x84, 0, 0xF, 0xFF, 0xFF }, 6); /* longer than it is */
	refused(octets, 100, 1 << 14);
	refused((uint8_t[]){ 0x30, 0xFF }, 2, 1 << 14);
	refused((uint8_t[]){ 0x3F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0 }, 8, 1 << 14);
	refused("", 0, 1 << 14);
	free(octets);
}

/* Constructed strings nested too deep, in a place where strings are read. */
static void deep_strings_are_refused(void **state)
{
	struct base_writer w = { 0 };

	(void)state;
	base_writer_put(&w, (uint8_t[]){ 0x30, 0x80, 0xA1, 0x80, 0x80, 1, 3, 0xA1, 0x80 }, 9);
	base_writer_u16(&w, 0xA380); /* deviceName */
	for (int i = 0; i < 1000; i++)
		base_writer_u16(&w, 0x3680);
	for (int i = 0; i < 1003; i++)
		base_writer_u16(&w, 0);
	refused(w.data, w.len, 1 << 14);
	base_writer_reset(&w);
	/* the same in an addition, which is skipped: PN=9, [9] of [0] of [0] ... */
	base_writer_put(&w, (uint8_t[]){ 0x30, 0x80, 0xA1, 0x80, 0x80, 1,    3,    0xA1, 5,
	                                 0x83, 3,    'm',  'g',  '1',  0xA2, 0x80, 0xA1, 0x80,
	                                 0xA1, 0x80, 0x80, 1,    9,    0xA9, 0x80 },
	                25);
	for (int i = 0; i < 40; i++)
		base_writer_u16(&w, 0xA080);
	for (int i = 0; i < 40 + 6; i++)
		base_writer_u16(&w, 0);
	refused(w.data, w.len, 1 << 14);
	base_writer_done(&w);
}

static void limits_of_the_caller_hold(void **state)
{
	struct h248_text_options few = { .max_transactions = 1 }, small = { .max_items = 10 };
	struct both b = make("MEGACO/1 mg1 PN=1{}PN=2{}");
	struct h248_message *msg = NULL;
	struct base_arena tight = { .limit = 600 };
	int rc = h248_ber_decode(&b.arena, b.ber.data, b.ber.len, &few, &msg, NULL);

	(void)state;
	assert_int_equal(base_err_class(rc), BASE_PEER);
	assert_int_equal(base_err_detail(rc), 413);
	done(&b);
	b = make(sample);
	rc = h248_ber_decode(&b.arena, b.ber.data, b.ber.len, &small, &msg, NULL);
	assert_int_equal(base_err_class(rc), BASE_LOCAL);
	assert_int_equal(base_err_detail(rc), 510);
	small.contain = true;
	rc = h248_ber_decode(&tight, b.ber.data, b.ber.len, &small, &msg, NULL);
	assert_int_equal(base_err_class(rc), BASE_LOCAL);
	assert_int_equal(base_err_detail(rc), 510);
	base_arena_done(&tight);
	done(&b);
}

/* SIZE of the arena and of the writer: the encoder says so and leaves the writer as it was. */
static void full_writers_say_so(void **state)
{
	struct both b = make(sample);
	uint8_t room[512];

	(void)state;
	assert_true(b.ber.len < sizeof(room));
	for (size_t cap = 0; cap <= b.ber.len; cap++) {
		struct base_writer w = base_writer_over(room, cap);
		int rc = h248_ber_encode(&w, b.msg);

		if (cap == b.ber.len) {
			assert_int_equal(rc, 0);
			continue;
		}
		assert_int_equal(base_err_class(rc), BASE_LOCAL);
		assert_int_equal(base_err_detail(rc), 533);
		assert_int_equal(w.len, 0);
	}
	done(&b);
}

/* `addition` into every extensible SEQUENCE: here the transaction's. */
static void additions_are_skipped_and_kept(void **state)
{
	/* T=9 of mg1, no actions, and [9] 0102 behind them; the same in an acknowledgement */
	static const uint8_t known[] = { 0x30, 0x1A, 0xA1, 0x18, 0x80, 1,    3,    0xA1, 5,    0x83,
		                         3,    'm',  'g',  '1',  0xA2, 0x0C, 0xA1, 0x0A, 0xA0, 0x08,
		                         0x80, 1,    9,    0xA1, 0,    0x89, 1,    0x55 };
	static const uint8_t closed[] = { 0x30, 0x1A, 0xA1, 0x18, 0x80, 1,    3,
		                          0xA1, 5,    0x83, 3,    'm',  'g',  '1',
		                          0xA2, 0xC,  0xA1, 0x0A, 0xA3, 0x08, 0x30,
		                          6,    0x80, 1,    9,    0x89, 1,    0x55 };
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct h248_message *msg = NULL;
	const struct h248_extension *ext;

	(void)state;
	assert_int_equal(h248_ber_decode(&arena, known, sizeof(known), NULL, &msg, NULL), 0);
	ext = msg->transactions->extensions;
	assert_non_null(ext);
	assert_int_equal(ext->data.len, 3);
	assert_memory_equal(ext->data.ptr, "\x89\x01\x55", 3);
	assert_int_equal(h248_ber_encode(&w, msg), 0); /* passed on */
	assert_int_equal(w.len, sizeof(known));
	assert_memory_equal(w.data, known, w.len);
	assert_int_not_equal(h248_ber_decode(&arena, closed, sizeof(closed), NULL, &msg, NULL), 0);
	base_writer_done(&w);
	base_arena_done(&arena);
}

/* Twice the input is not much more than twice the work: counted, not timed. */
static void many_additions_are_dropped_not_hoarded(void **state)
{
	struct base_writer w = { 0 };
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	unsigned kept = 0;

	(void)state;
	base_writer_put(&w, (uint8_t[]){ 0x30, 0x80, 0xA1, 0x80, 0x80, 1,    3,    0xA1, 5,
	                                 0x83, 3,    'm',  'g',  '1',  0xA2, 0x80, 0xA1, 0x80,
	                                 0xA0, 0x80, 0x80, 1,    9,    0xA1, 0 },
	                25);
	for (unsigned i = 0; i < 20000; i++) { /* tags 31 and on, three octets of number */
		base_writer_u8(&w, 0x9F);
		base_writer_u8(&w, (uint8_t)(0x80 | (i + 20000) >> 14));
		base_writer_u8(&w, (uint8_t)(0x80 | (i + 20000) >> 7));
		base_writer_u8(&w, (uint8_t)((i + 20000) & 0x7F));
		base_writer_u8(&w, 0);
	}
	for (int i = 0; i < 5; i++)
		base_writer_u16(&w, 0);
	assert_int_equal(h248_ber_decode(&arena, w.data, w.len, NULL, &msg, NULL), 0);
	for (const struct h248_extension *e = msg->transactions->extensions; e; e = e->next)
		kept++;
	assert_int_equal(kept, 64);
	base_writer_done(&w);
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indefinite_lengths_mean_the_same),
		cmocka_unit_test(short_and_long_lengths_mean_the_same),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(bent_octets_do_no_harm),
		cmocka_unit_test(bombs_are_refused_early),
		cmocka_unit_test(deep_strings_are_refused),
		cmocka_unit_test(limits_of_the_caller_hold),
		cmocka_unit_test(full_writers_say_so),
		cmocka_unit_test(additions_are_skipped_and_kept),
		cmocka_unit_test(many_additions_are_dropped_not_hoarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
