/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decode and encode a folder of H.248 text messages: messages/s and MB/s, per style. Each message
 * is used as found and, re-encoded, in compact and pretty style. Rounds are interleaved; the median
 * is printed.
 *
 *   bench_codec [--json] [--rounds N] FOLDER
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "h248/h248.h"

struct text {
	char *data;
	size_t len;
};

struct set {
	const char *name;
	struct text *texts;
	struct h248_message **models; /* of the same texts, for encoding */
	size_t count, octets;
};

enum { FOUND, COMPACT, PRETTY, SETS };

#define MAX_ROUNDS 99

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int read_file(const char *path, struct text *ret)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		return -1;
	ret->data = malloc(1 << 16);
	ret->len = ret->data ? fread(ret->data, 1, 1 << 16, f) : 0;
	(void)fclose(f); /* only read */
	return ret->len ? 0 : -1;
}

static void add(struct set *set, struct text text, struct h248_message *model)
{
	set->texts = realloc(set->texts, (set->count + 1) * sizeof(*set->texts));
	set->models = realloc(set->models, (set->count + 1) * sizeof(struct h248_message *));
	if (!set->texts || !set->models)
		exit(1);
	set->texts[set->count] = text;
	set->models[set->count++] = model;
	set->octets += text.len;
}

static void load_one(struct base_arena *arena, struct set sets[SETS], const char *path)
{
	struct text found = { NULL, 0 };
	struct h248_message *msg = NULL;

	if (read_file(path, &found) ||
	    h248_text_decode(arena, found.data, found.len, NULL, &msg, NULL)) {
		free(found.data);
		return;
	}
	add(&sets[FOUND], found, msg);
	for (int style = H248_TEXT_COMPACT; style <= H248_TEXT_PRETTY; style++) {
		struct base_writer w = { 0 };

		if (h248_text_encode(&w, msg, style) == 0)
			add(&sets[style == H248_TEXT_COMPACT ? COMPACT : PRETTY],
			    (struct text){ (char *)w.data, w.len }, msg);
	}
}

static int load(struct base_arena *arena, struct set sets[SETS], const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		load_one(arena, sets, path);
	}
	(void)closedir(dir); /* only read */
	return sets[FOUND].count ? 0 : -1;
}

/* One pass over the set; the arena is warm after the first. */
static void decode_all(struct base_arena *arena, const struct set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct h248_message *msg = NULL;

		base_arena_reset(arena);
		if (h248_text_decode(arena, set->texts[i].data, set->texts[i].len, NULL, &msg,
		                     NULL))
			exit(1);
	}
}

static void encode_all(struct base_writer *w, const struct set *set, enum h248_text_style style)
{
	for (size_t i = 0; i < set->count; i++) {
		base_writer_reset(w);
		if (h248_text_encode(w, set->models[i], style))
			exit(1);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Seconds per pass: `what` is a set to decode, or with `encode` a style to encode it in. */
static double pass(struct base_arena *arena, struct base_writer *w, const struct set *set,
                   bool encode, enum h248_text_style style)
{
	unsigned times = (unsigned)(4000000 / set->octets) + 1;
	double start = now();

	for (unsigned i = 0; i < times; i++) {
		if (encode)
			encode_all(w, set, style);
		else
			decode_all(arena, set);
	}
	return (now() - start) / times;
}

static void report(bool json, bool last, const char *what, const struct set *set, double seconds)
{
	double rate = (double)set->count / seconds, mb = (double)set->octets / seconds / 1e6;

	if (json)
		printf("  \"%s_%s\": {\"messages\": %zu, \"octets\": %zu, "
		       "\"messages_per_s\": %.0f, \"mb_per_s\": %.1f}%s\n",
		       what, set->name, set->count, set->octets, rate, mb, last ? "" : ",");
	else
		printf("%-8s%-10s%6zu messages %8zu octets %12.0f messages/s %9.1f MB/s\n", what,
		       set->name, set->count, set->octets, rate, mb);
}

int main(int argc, char **argv)
{
	struct set sets[SETS] = { { .name = "found" },
		                  { .name = "compact" },
		                  { .name = "pretty" } };
	struct base_arena keep = { 0 }, arena = { .chunk_size = 65536 };
	struct base_writer w = { 0 };
	double times[SETS * 2][MAX_ROUNDS];
	const char *folder = NULL;
	unsigned rounds = 9;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			rounds = (unsigned)atoi(argv[++i]);
		else
			folder = argv[i];
	}
	if (!folder || !rounds || rounds > MAX_ROUNDS || load(&keep, sets, folder)) {
		(void)fprintf(stderr, "usage: %s [--json] [--rounds 1..99] FOLDER-OF-MESSAGES\n",
		              argv[0]);
		return 2;
	}
	for (unsigned r = 0; r < rounds; r++) {
		for (int s = 0; s < SETS; s++) {
			times[s][r] = pass(&arena, &w, &sets[s], false, 0);
			if (s != FOUND)
				times[SETS + s][r] =
				        pass(&arena, &w, &sets[s], true,
				             s == COMPACT ? H248_TEXT_COMPACT : H248_TEXT_PRETTY);
		}
	}
	if (json)
		printf("{\n");
	for (int s = 0; s < SETS; s++) {
		qsort(times[s], rounds, sizeof(double), by_value);
		report(json, false, "decode", &sets[s], times[s][rounds / 2]);
	}
	for (int s = COMPACT; s < SETS; s++) {
		qsort(times[SETS + s], rounds, sizeof(double), by_value);
		report(json, s == PRETTY, "encode", &sets[s], times[SETS + s][rounds / 2]);
	}
	if (json)
		printf("}\n");
	base_writer_done(&w);
	base_arena_done(&arena);
	base_arena_done(&keep);
	return 0;
}
