/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two encodings argue: text -> BER -> text -> BER. After the first BER all must stay as it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what, const struct base_error *err,
                  const struct base_writer *w)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s: %s\n%.*s\n", what, err->text, (int)w->len,
	              (const char *)w->data);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_arena arena = { 0 };
	struct base_writer ber = { 0 }, text = { 0 }, again = { 0 }, last = { 0 };
	struct h248_message *m0 = NULL, *m1 = NULL, *m2 = NULL, *m3 = NULL;
	struct base_error err = { 0 };

	if (!h248_text_decode(&arena, (const char *)data, size, NULL, &m0, NULL) &&
	    !h248_ber_encode(&ber, m0)) {
		check(!h248_ber_decode(&arena, ber.data, ber.len, NULL, &m1, &err), "own BER", &err,
		      &text);
		check(!h248_text_encode(&text, m1, H248_TEXT_COMPACT), "to text", &err, &text);
		check(!h248_text_decode(&arena, (const char *)text.data, text.len, NULL, &m2, &err),
		      "own text", &err, &text);
		check(!h248_ber_encode(&again, m2), "to BER", &err, &text);
		check(!h248_ber_decode(&arena, again.data, again.len, NULL, &m3, &err),
		      "own BER again", &err, &text);
		check(h248_message_equal(m1, m3), "other model", &err, &text);
		check(!h248_text_encode(&last, m3, H248_TEXT_COMPACT) && last.len == text.len &&
		              memcmp(last.data, text.data, text.len) == 0,
		      "other text", &err, &text);
	}
	base_writer_done(&ber);
	base_writer_done(&text);
	base_writer_done(&again);
	base_writer_done(&last);
	base_arena_done(&arena);
	return 0;
}
