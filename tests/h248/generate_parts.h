/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside the generator: dice, names, values, descriptors. */
#ifndef GH_TESTS_H248_GENERATE_PARTS_H
#define GH_TESTS_H248_GENERATE_PARTS_H

#include <stdlib.h>

#include "generate.h"

/* ---- dice -------------------------------------------------------------------------------- */

uint64_t gen_next(struct generator *g);
/** 0 .. n - 1 */
static inline unsigned gen_pick(struct generator *g, unsigned n)
{
	return (unsigned)(gen_next(g) >> 33) % n;
}
static inline bool gen_chance(struct generator *g, unsigned percent)
{
	return gen_pick(g, 100) < percent;
}
/** Note that the message has it. Returns true, so that it may stand in conditions. */
static inline bool gen_mark(struct generator *g, enum generate_feature feature)
{
	g->has[feature] = true;
	return true;
}
/** Roll for a feature and note it. */
static inline bool gen_maybe(struct generator *g, unsigned percent, enum generate_feature feature)
{
	return gen_chance(g, percent) && gen_mark(g, feature);
}
/** Memory of the test's arena; a test that has none is over. */
static inline void *gen_alloc(struct generator *g, size_t size)
{
	void *p = base_arena_alloc(g->arena, size);

	if (!p)
		abort();
	return p;
}
#define GEN_NEW(g, type) ((type *)gen_alloc((g), sizeof(type)))

/** Append to a list whose tail pointer is given. */
#define GEN_APPEND(tail, node)                                                                     \
	do {                                                                                       \
		*(tail) = (node);                                                                  \
		(tail) = &(node)->next;                                                            \
	} while (0)

/* ---- names and numbers (generate_names.c) ------------------------------------------------ */

struct base_str gen_printf(struct generator *g, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));
/** NAME: invented, sometimes a token, sometimes of 64 characters. */
struct base_str gen_name(struct generator *g);
/** `len` letters, and further on characters of `more`. */
struct base_str gen_random_name(struct generator *g, size_t len, const char *more);
/** A keyword: they are not reserved (fact sheet, trap 7.7). */
struct base_str gen_token(struct generator *g);
/** Could it be a token: one to three letters? */
bool gen_like_token(struct base_str text);
struct h248_term gen_term(struct generator *g);
/** A TerminationID without wildcards. */
struct h248_term gen_term_plain(struct generator *g);
struct h248_term *gen_terms(struct generator *g, unsigned count);
struct h248_mid gen_mid(struct generator *g);
struct h248_time gen_time(struct generator *g);
uint32_t gen_u32(struct generator *g);
uint16_t gen_u16(struct generator *g);
uint32_t gen_request_id(struct generator *g);

/** A random row of that kind; NULL for "invent one". */
const struct h248_package_item *gen_item(struct generator *g, enum h248_package_kind kind,
                                         const struct h248_package **ret_package);
/** The name of a random item; with `wild`, at times one for many. */
struct h248_name gen_pkgd(struct generator *g, enum h248_package_kind kind, bool wild,
                          const struct h248_package_item **ret_item);

/* ---- values (generate_values.c) ---------------------------------------------------------- */

/** Value and form of a parameter; `values` NULL: of any type. */
void gen_parm_value(struct generator *g, const struct h248_package_values *values,
                    struct h248_parm *parm);
/** One value. */
struct h248_value gen_value(struct generator *g, const struct h248_package_values *values);
/** Properties with values, no name twice. `where`: enum h248_package_where; 0 = anywhere. */
struct h248_parm *gen_properties(struct generator *g, unsigned most, unsigned where);
/** The parameters of an event or signal. */
struct h248_parm *gen_parms(struct generator *g, const struct h248_package_item *item,
                            enum h248_package_list list);
/** A quoted string's text. */
struct base_str gen_quoted(struct generator *g);
struct base_str gen_sdp(struct generator *g, bool remote);
struct base_str gen_digits(struct generator *g);

/* ---- descriptors ------------------------------------------------------------------------- */

struct h248_descriptor *gen_media(struct generator *g);
struct h248_descriptor *gen_modem(struct generator *g);
struct h248_descriptor *gen_mux(struct generator *g);
/** `level` 0: of a command; 1: inside Embed. */
struct h248_events *gen_events(struct generator *g, unsigned level);
struct h248_signals *gen_signals(struct generator *g);
struct h248_descriptor *gen_digit_map(struct generator *g);
struct h248_statistics *gen_statistics(struct generator *g);
struct h248_descriptor *gen_observed(struct generator *g);
struct h248_descriptor *gen_packages(struct generator *g);
struct h248_descriptor *gen_event_buffer(struct generator *g);
struct h248_descriptor *gen_audit(struct generator *g);
/** Audit items into `audit` (at least one). */
void gen_audit_items(struct generator *g, struct h248_audit *audit);
struct h248_error *gen_error(struct generator *g);
struct h248_descriptor *gen_services(struct generator *g);

#endif
