/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decode and encode H.248 messages in one form: messages/s and MB/s of processor time, and how
 * often the heap is asked. Rounds of decoding and encoding take turns; the median is printed, as
 * JSON. `few` is decoding of some messages over and over, until the processor foresees every
 * branch. For binary also a bare walk over all headers, which is the least any decoder of tags and
 * lengths does, and the same walk without branches.
 *
 *   bench_codec [--rounds N] compact|pretty|ber FILE
 *
 * FILE holds records: a number and a length (32 bits each, big-endian) and so many octets.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "h248/h248.h"

#define MAX_ROUNDS  99
#define MOST_OCTETS 4000000 /* worked on in a round, about */
#define FEW         250     /* messages whose branches a processor can learn */
#define MOST_PLACES 65536   /* of headers */

struct set {
	struct base_str *texts;
	struct h248_message **models; /* of the same texts, for encoding */
	size_t count, octets;
};

/* What the heap was asked while `counting`; the linker sends the calls here (--wrap). */
static unsigned long asked;
static bool counting;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	asked += counting;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	asked += counting;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	asked += counting;
	return __real_realloc(p, size);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *read_all(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 28;
	uint8_t *data = f ? malloc(cap) : NULL;

	if (!data)
		exit(2);
	*ret_len = fread(data, 1, cap, f);
	(void)fclose(f); /* only read */
	return data;
}

static void load(struct base_arena *arena, struct set *set, const char *path)
{
	size_t len, at = 0;
	const uint8_t *data = read_all(path, &len);

	set->texts = calloc(len / 8 + 1, sizeof(*set->texts));
	set->models = calloc(len / 8 + 1, sizeof(struct h248_message *));
	while (set->texts && set->models && at + 8 <= len) {
		struct base_str text = { (const char *)data + at + 8, u32(data + at + 4) };

		at += 8 + text.len;
		if (at > len || h248_codec_decode(arena, text.ptr, text.len, NULL,
		                                  &set->models[set->count], NULL, NULL)) {
			(void)fprintf(stderr, "message %u is not readable\n",
			              u32(data + at - text.len - 8));
			exit(1);
		}
		set->texts[set->count++] = text;
		set->octets += text.len;
	}
	if (!set->count)
		exit(2);
}

/* One pass over the set; the arena is warm after the first. */
static void decode_all(struct base_arena *arena, const struct set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct h248_message *msg = NULL;

		base_arena_reset(arena);
		if (h248_codec_decode(arena, set->texts[i].ptr, set->texts[i].len, NULL, &msg, NULL,
		                      NULL))
			exit(1);
	}
}

static size_t encode_all(struct base_writer *w, const struct set *set, enum h248_codec form)
{
	size_t octets = 0;

	for (size_t i = 0; i < set->count; i++) {
		base_writer_reset(w);
		if (h248_codec_encode(w, set->models[i], form))
			exit(1);
		octets += w->len;
	}
	return octets;
}

/*
 * Every header in the box up to `end`, each length checked against what is around it; definite
 * lengths below 65536, as all are here.
 */
static bool walk(const uint8_t *at, const uint8_t *end, unsigned depth)
{
	while (at < end) {
		size_t left = (size_t)(end - at), head = 2, len;

		if (left < 4 && (left < 2 || at[1] > 0x7F))
			return false;
		len = at[1];
		if (len > 0x7F) {
			head = len - 0x80 + 2;
			len = len == 0x81 ? at[2] : (size_t)at[2] << 8 | at[3];
		}
		if (head > 4 || len > left - head || depth > 64)
			return false;
		if (at[0] & 0x20 && !walk(at + head, at + head + len, depth + 1))
			return false;
		at += head + len;
	}
	return true;
}

static void walk_all(const struct set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const uint8_t *at = (const uint8_t *)set->texts[i].ptr;

		if (!walk(at, at + set->texts[i].len, 0))
			exit(1);
	}
}

/* What the octet behind the tag says: so much of the four octets is the length. */
static struct {
	uint32_t mask;
	uint8_t shift, head;
} lengths[256];

static void fill_lengths(void)
{
	for (unsigned i = 0; i < 256; i++) {
		lengths[i].head = i == 0x81 ? 3 : i == 0x82 ? 4 : 2;
		lengths[i].shift = i == 0x81 ? 8 : i == 0x82 ? 0 : 16;
		lengths[i].mask = i == 0x82 ? 0xFFFF : 0xFF;
	}
}

/*
 * The places of all headers in one pass: into what is constructed, over what is not. The only
 * branch is the loop's. (A header in the last three octets is left out.)
 */
static size_t index_headers(const uint8_t *at, const uint8_t *end, const uint8_t **places)
{
	size_t count = 0;

	while (end - at >= 4 && count < MOST_PLACES) {
		uint32_t word, len, primitive;

		memcpy(&word, at, sizeof(word));
		word = be32toh(word);
		primitive = (word >> 29 & 1) - 1;
		len = word >> lengths[at[1]].shift & lengths[at[1]].mask & primitive;
		places[count++] = at;
		at += lengths[at[1]].head + len;
	}
	return count;
}

static void index_all(const struct set *set)
{
	static const uint8_t *places[MOST_PLACES];

	for (size_t i = 0; i < set->count; i++) {
		const uint8_t *at = (const uint8_t *)set->texts[i].ptr;

		if (!index_headers(at, at + set->texts[i].len, places))
			exit(1);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

struct result {
	double decode, encode, walk, index; /* seconds a pass */
	double few;                         /* seconds a message */
	double decode_asked, encode_asked;  /* of the heap, a message */
	size_t written;
};

/* Of the first messages: each round begins with passes that are not measured. */
static double of_few(struct base_arena *arena, const struct set *set, unsigned rounds)
{
	const struct set few = { set->texts, NULL, BASE_MIN(set->count, FEW), 0 };
	unsigned times = 10000 / (unsigned)few.count + 1;
	double spent[MAX_ROUNDS];

	for (unsigned r = 0; r < rounds; r++) {
		double start = 0;

		for (unsigned i = 0; i < 2 * times; i++) {
			if (i == times)
				start = now();
			decode_all(arena, &few);
		}
		spent[r] = (now() - start) / times / (double)few.count;
	}
	return median(spent, rounds);
}

static void measure(const struct set *set, enum h248_codec form, unsigned rounds,
                    struct result *ret)
{
	struct base_arena arena = { .chunk_size = 1 << 18 };
	double decode[MAX_ROUNDS], encode[MAX_ROUNDS], walked[MAX_ROUNDS], indexed[MAX_ROUNDS];
	unsigned times = (unsigned)(MOST_OCTETS / set->octets) + 1;
	struct base_writer w = { 0 };

	decode_all(&arena, set); /* warm */
	ret->written = encode_all(&w, set, form);
	counting = true;
	decode_all(&arena, set);
	ret->decode_asked = (double)asked / (double)set->count;
	asked = 0;
	(void)encode_all(&w, set, form);
	ret->encode_asked = (double)asked / (double)set->count;
	counting = false;
	for (unsigned r = 0; r < rounds; r++) {
		double start = now();

		for (unsigned i = 0; i < times; i++)
			decode_all(&arena, set);
		decode[r] = (now() - start) / times;
		start = now();
		for (unsigned i = 0; i < times; i++)
			(void)encode_all(&w, set, form);
		encode[r] = (now() - start) / times;
		start = now();
		for (unsigned i = 0; i < times && form == H248_CODEC_BER; i++)
			walk_all(set);
		walked[r] = (now() - start) / times;
		start = now();
		for (unsigned i = 0; i < times && form == H248_CODEC_BER; i++)
			index_all(set);
		indexed[r] = (now() - start) / times;
	}
	ret->few = of_few(&arena, set, rounds);
	ret->decode = median(decode, rounds);
	ret->encode = median(encode, rounds);
	ret->walk = median(walked, rounds);
	ret->index = median(indexed, rounds);
	base_writer_done(&w);
	base_arena_done(&arena);
}

int main(int argc, char **argv)
{
	struct base_arena keep = { .chunk_size = 1 << 20 };
	enum h248_codec form = H248_CODEC_COMPACT;
	struct result result = { 0 };
	struct set set = { 0 };
	unsigned rounds = 9;
	int at = 1;

	if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
		rounds = (unsigned)strtoul(argv[2], NULL, 10);
		at = 3;
	}
	if (argc != at + 2 || !rounds || rounds > MAX_ROUNDS ||
	    h248_codec_by_name(base_str_of(argv[at]), &form)) {
		(void)fprintf(stderr, "usage: %s [--rounds 1..99] compact|pretty|ber FILE\n",
		              argv[0]);
		return 2;
	}
	fill_lengths();
	load(&keep, &set, argv[at + 1]);
	measure(&set, form, rounds, &result);
	printf("{\"messages\": %zu, \"octets\": %zu, \"decode\": %.0f, \"decode_mb\": %.1f, "
	       "\"encode\": %.0f, \"encode_mb\": %.1f, \"decode_heap\": %.4f, \"encode_heap\": "
	       "%.4f, \"few\": %.0f, \"walk\": %.0f, \"index\": %.0f}\n",
	       set.count, set.octets, (double)set.count / result.decode,
	       (double)set.octets / result.decode / 1e6, (double)set.count / result.encode,
	       (double)result.written / result.encode / 1e6, result.decode_asked,
	       result.encode_asked, 1 / result.few,
	       form == H248_CODEC_BER ? (double)set.count / result.walk : 0.0,
	       form == H248_CODEC_BER ? (double)set.count / result.index : 0.0);
	base_arena_done(&keep);
	return 0;
}
