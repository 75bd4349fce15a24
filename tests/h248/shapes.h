/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages of any size, right and wrong, that a decoder might spend too much on; for test
 * and bench. */
#ifndef GH_TESTS_H248_SHAPES_H
#define GH_TESTS_H248_SHAPES_H

#include <stdlib.h>

#include "h248/h248.h"

/* A message that is `head`, `unit` again and again, `tail`. */
struct shape {
	const char *name, *head, *unit, *tail;
	bool binary; /* the text is made, and sent in binary form */
};

#define AMM "!/3 a T=1{C=1{MF=b{"

static const struct shape shapes[] = {
	{ "transactions", "!/1 a ", "T=1{C=1{S=b}}", "T=1{C=1{S=b}}" },
	{ "actions", "!/1 a T=1{C=1{S=b}", ",C=1{S=b}", "}" },
	{ "commands", "!/1 a T=1{C=1{S=b", ",S=ip/1/2", "}}" },
	{ "terms", "!/3 a T=1{C=1{S=[b", ",ip/1", "]}}" },
	{ "acks", "!/1 a K{1", ",2-3", "}" },
	{ "values", AMM "M{O{x/y=[1", ",2", "]}}}}}" },
	{ "topology", "!/3 a T=1{C=1{TP{b,c,OW,1", ",b,c,IS,2", "}}}" },
	{ "events", AMM "E=1{a/b", ",a/b{KA}", "}}}}" },
	{ "signals", AMM "SG{a/b", ",a/b{SY=BR}", "}}}}" },
	{ "observed", "!/3 a T=1{C=1{N=b{OE=1{a/b", ",a/c{x=1}", "}}}}" },
	{ "blanks", AMM "M{O{MO=SR ", " \t\n", "}}}}}" },
	{ "comments", AMM "M{O{MO=SR ", ";x\n", "}}}}}" },
	{ "escapes", AMM "M{L{\nv=0\na=x", "\\}", "\n}}}}}" },
	{ "a string", AMM "M{O{x/y=\"", "long ", "\"}}}}}" },
	{ "digit map", AMM "DM={(1", "|2x.[3-5]", ")}}}}" },
	{ "broken commands", "!/1 a T=1{C=1{S=b", ",Q={{[", "}}" },
	{ "broken and closed", "!/1 a T=1{C=1{S=b", ",S=b{Q{}}", "}}" },
	{ "broken actions", "!/1 a T=1{C=1{S=b}", ",C=1{{}S}", "}" },
	{ "broken transactions", "!/1 a T=1{C=1{S=b}}", "T=x{}", "" },
	{ "open braces", "!/1 a T=1{C=1{", "{", "" },
	{ "open quotes", "!/1 a T=1{C=1{MF=b{M{O{x/y=", "\"", "" },
	{ "noise", "", "A", "" },
	{ "binary transactions", "!/1 a ", "T=1{C=1{S=b}}", "T=1{C=1{S=b}}", true },
	{ "binary commands", "!/1 a T=1{C=1{S=b", ",S=ip/1/2", "}}", true },
	{ "binary events", AMM "E=1{g/cause", ",g/cause{KA}", "}}}}", true },
	{ "binary values", AMM "M{O{nt/jit=[1", ",2", "]}}}}}", true },
	{ "binary names", "!/1 a T=1{C=1{S=b", ",S=averylongname/12345", "}}", true },
};

/** So many octets of it, or a little more (of its text). */
static inline void shape_build(const struct shape *s, size_t octets, struct base_writer *w)
{
	struct h248_text_options options = { .max_transactions = 100000, .max_items = 1 << 20 };
	struct base_writer ber = { 0 };
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;

	base_writer_reset(w);
	base_writer_text(w, s->head);
	while (w->len < octets)
		base_writer_text(w, s->unit);
	base_writer_text(w, s->tail);
	if (!s->binary)
		return;
	if (h248_text_decode(&arena, (char *)w->data, w->len, &options, &msg, NULL) ||
	    h248_ber_encode(&ber, msg))
		abort();
	base_writer_done(w);
	*w = ber;
	base_arena_done(&arena);
}

#endif
