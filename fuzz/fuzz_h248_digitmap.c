/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A digit map's body up to the first line end, then events, small letters a-k for long ones. What
 * is promised of a match holds at every step.
 */
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct h248_digit_match *m)
{
	if (m->len > H248_DIGITS_MAX || m->digits[m->len] || strlen(m->digits) != m->len)
		abort();
	if (m->method ? m->timer || !h248_digit_method_name((enum h248_digit_method)m->method)
	              : !!m->timer != !!m->timer_ms)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	size_t len = line ? (size_t)(line - data) : size;
	struct h248_digit_map map = { .body = { (const char *)data, len } };
	const struct h248_digit_program *program = NULL;
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	struct h248_digit_match m;
	int rc = h248_digit_compile(&arena, &map, &program, &err);

	if (rc && (rc != err.rc || !err.text[0]))
		abort();
	if (!rc) {
		h248_digit_start(&m, program);
		check(&m);
		for (size_t i = len + 1; i < size; i++) {
			char c = (char)data[i];

			(void)h248_digit_event(&m, c, c >= 'a');
			check(&m);
		}
		if (h248_digit_expire(&m) == H248_DIGIT_GOING_ON)
			abort();
		check(&m);
	}
	base_arena_done(&arena);
	return 0;
}
