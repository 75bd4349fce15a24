/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the cost of decoding linear? Nanoseconds an octet for messages of 1 KiB and of 60 KiB of each
 * shape (tests/h248/shapes.h), contained faults included; the worst quotient of the two, as JSON.
 */
#include <stdio.h>
#include <time.h>

#include "../tests/h248/shapes.h"

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The best of some goes: what disturbs only adds. */
static double per_octet(const struct base_writer *w)
{
	struct h248_text_options options = { .contain = true, .max_transactions = 100000 };
	struct base_arena arena = { .chunk_size = 1 << 22 };
	unsigned times = (unsigned)(200000 / w->len) + 1;
	double best = 1e18;

	for (unsigned go = 0; go < 7; go++) {
		double start = now();

		for (unsigned i = 0; i < times; i++) {
			struct h248_message *msg = NULL;

			base_arena_reset(&arena);
			/* right or wrong: both are to be quick */
			(void)h248_codec_decode(&arena, w->data, w->len, &options, &msg, NULL,
			                        NULL);
		}
		start = now() - start;
		if (start < best)
			best = start;
	}
	base_arena_done(&arena);
	return best / times / (double)w->len;
}

int main(void)
{
	struct base_writer small = { 0 }, large = { 0 };
	double worst = 0, slowest = 0;
	const char *worst_name = "", *slowest_name = "";

	for (size_t i = 0; i < BASE_COUNT(shapes); i++) {
		double a, b;

		shape_build(&shapes[i], 1000, &small);
		shape_build(&shapes[i], 60000, &large);
		a = per_octet(&small);
		b = per_octet(&large);
		(void)fprintf(stderr, "%-22s %7.2f ns an octet of %zu, %7.2f of %zu\n",
		              shapes[i].name, a, small.len, b, large.len);
		if (b / a > worst) {
			worst = b / a;
			worst_name = shapes[i].name;
		}
		if (b > slowest) {
			slowest = b;
			slowest_name = shapes[i].name;
		}
	}
	printf("{\"worst\": %.2f, \"of\": \"%s\", \"slowest_ns\": %.1f, \"slowest\": \"%s\"}\n",
	       worst, worst_name, slowest, slowest_name);
	base_writer_done(&small);
	base_writer_done(&large);
	return 0;
}
