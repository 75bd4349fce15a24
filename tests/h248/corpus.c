/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated corpus for judges outside of this process.
 *
 *   h248_corpus write FORM COUNT [SEED]     records: number, length (32 bits, big-endian), octets
 *   h248_corpus features FORM COUNT [SEED]  a line for each: number version feature feature ...
 *   h248_corpus peer [SEED]                 answers frames (32-bit length) on standard input:
 *     g FORM NUMBER        -> the octets of that message
 *     c FORM NUMBER OCTETS -> decoded, compared, encoded again: "=" or "#", octets; or "!" and
 * words d FORM NUMBER OCTETS -> only decoded: "=", or "!", the error code and words; number is
 * unused
 *
 * Without an argument the seed is GATEHOUSE_CORPUS_SEED, or 1: for judging another corpus than
 * CI's.
 *
 * FORM is compact, pretty or ber; in frames 0, 1 or 2. Messages in BER have names of tables only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "generate.h"

static struct base_arena arena = { .chunk_size = 1 << 20 };
static struct generator gen = { .arena = &arena, .seed = 1 };

static struct h248_message *make(enum h248_codec form, uint32_t number)
{
	struct h248_message *msg;

	base_arena_reset(&arena);
	gen.tables_only = form == H248_CODEC_BER;
	msg = generate_message(&gen, number);
	if (!msg)
		abort();
	return msg;
}

static void encode(struct base_writer *w, enum h248_codec form, const struct h248_message *msg,
                   uint32_t number)
{
	int rc = h248_codec_encode(w, msg, form);

	if (rc) {
		(void)fprintf(stderr, "message %u: encode %s: %d\n", number, h248_codec_name(form),
		              rc);
		exit(1);
	}
}

static void put_u32(uint8_t *out, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void write_all(enum h248_codec form, uint32_t count)
{
	struct base_writer w = { 0 };
	uint8_t head[8];

	for (uint32_t n = 0; n < count; n++) {
		base_writer_reset(&w);
		encode(&w, form, make(form, n), n);
		put_u32(head, n);
		put_u32(head + 4, (uint32_t)w.len);
		if (fwrite(head, 1, 8, stdout) != 8 || fwrite(w.data, 1, w.len, stdout) != w.len)
			exit(1);
	}
	base_writer_done(&w);
}

static void features(enum h248_codec form, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		struct h248_message *msg = make(form, n);

		printf("%u %u", n, msg->version);
		for (unsigned i = 0; i < GEN_COUNT; i++) {
			if (gen.has[i])
				printf(" %s", generate_feature_name((enum generate_feature)i));
		}
		printf("\n");
	}
}

static void answer(const uint8_t *data, size_t len)
{
	uint8_t head[4];

	put_u32(head, (uint32_t)len);
	if (fwrite(head, 1, 4, stdout) != 4 || fwrite(data, 1, len, stdout) != len ||
	    fflush(stdout) != 0)
		exit(1);
}

static void compare(struct base_writer *w, enum h248_codec form, uint32_t number, const char *text,
                    size_t len)
{
	struct h248_message *mine = make(form, number), *msg = NULL;
	struct base_error err = { 0 };
	int rc = h248_codec_decode(&arena, text, len, NULL, &msg, NULL, &err);

	if (rc) {
		char words[512];
		int n = snprintf(words, sizeof(words), "!%u:%u: %s", err.line, err.column,
		                 err.text);

		base_writer_put(w, words, BASE_MIN((size_t)n, sizeof(words) - 1));
		return;
	}
	base_writer_put(w, h248_message_equal(mine, msg) ? "=" : "#", 1);
	rc = h248_codec_encode(w, msg, form);
	if (rc) {
		base_writer_reset(w);
		base_writer_put(w, "!not encoded again", 18);
	}
}

static void verdict(struct base_writer *w, const char *text, size_t len)
{
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	int rc;

	base_arena_reset(&arena);
	rc = h248_codec_decode(&arena, text, len, NULL, &msg, NULL, &err);
	if (rc)
		base_writer_printf(w, "!%u %s", base_err_detail(rc), err.text);
	else
		base_writer_text(w, "=");
}

static void peer(void)
{
	static uint8_t frame[1 << 20];
	struct base_writer w = { 0 };
	uint8_t head[4];

	while (fread(head, 1, 4, stdin) == 4) {
		size_t len = get_u32(head);

		if (len < 6 || len > sizeof(frame) || fread(frame, 1, len, stdin) != len ||
		    frame[1] > H248_CODEC_BER)
			exit(1);
		base_writer_reset(&w);
		if (frame[0] == 'd')
			verdict(&w, (const char *)frame + 6, len - 6);
		else if (frame[0] == 'g')
			encode(&w, frame[1], make(frame[1], get_u32(frame + 2)),
			       get_u32(frame + 2));
		else
			compare(&w, frame[1], get_u32(frame + 2), (const char *)frame + 6, len - 6);
		answer(w.data, w.len);
	}
	base_writer_done(&w);
}

int main(int argc, char **argv)
{
	enum h248_codec form = H248_CODEC_COMPACT;
	bool is_peer = argc >= 2 && strcmp(argv[1], "peer") == 0;
	int seed_at = is_peer ? 2 : 4;

	if (!is_peer && (argc < 4 || h248_codec_by_name(base_str_of(argv[2]), &form))) {
		(void)fprintf(stderr, "usage: %s write|features FORM COUNT [SEED] | peer [SEED]\n",
		              argv[0]);
		return 2;
	}
	if (argc > seed_at)
		gen.seed = strtoul(argv[seed_at], NULL, 10);
	else if (getenv("GATEHOUSE_CORPUS_SEED"))
		gen.seed = strtoul(getenv("GATEHOUSE_CORPUS_SEED"), NULL, 10);
	if (is_peer)
		peer();
	else if (strcmp(argv[1], "write") == 0)
		write_all(form, (uint32_t)strtoul(argv[3], NULL, 10));
	else
		features(form, (uint32_t)strtoul(argv[3], NULL, 10));
	base_arena_done(&arena);
	return 0;
}
