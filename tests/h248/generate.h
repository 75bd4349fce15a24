/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Random but valid H.248 messages: a corpus without files. Message `number` of a seed is always the
 * same, whatever was made before it. Each uses the elements of its version only (1 + number % 3),
 * with names and values of the package tables, invented ones, and ones that look like tokens.
 */
#ifndef GH_TESTS_H248_GENERATE_H
#define GH_TESTS_H248_GENERATE_H

#include "h248/h248.h"

enum generate_feature {
#define F(name) GEN_##name,
#include "generate_features.inc"
#undef F
	GEN_COUNT
};

struct generator {
	struct base_arena *arena; /* everything lives there; the caller's */
	uint64_t seed;
	bool tables_only; /* only what the binary encoding can carry: names of the package tables */

	/* Of the message made last. */
	bool has[GEN_COUNT];
	/* Of all messages so far. */
	unsigned long seen[GEN_COUNT];

	/* Private. */
	uint64_t state;
	unsigned version;
	bool reply;
};

/** Name of a feature, as in the list above. */
const char *generate_feature_name(enum generate_feature feature);

/** Message `number`. NULL only when the arena says no. */
struct h248_message *generate_message(struct generator *g, uint32_t number);

#endif
