/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: an H.248 message in words. Pure: a model goes in, text is appended to a
 * writer. What a peer wrote is shown without control characters; the values of properties that
 * nobody may read (keys) are not shown at all.
 */
#ifndef GH_CLI_EXPLAIN_H
#define GH_CLI_EXPLAIN_H

#include "h248/h248.h"

/** Where the words go, and how deep we are. */
struct explain {
	struct base_writer *out;
	unsigned depth;
	bool audit; /**< inside an Audit: things are named, not ordered */
};

/** Explain a whole message, faults of a containing decoder included. */
void explain_message(struct explain *e, const struct h248_message *msg);

/** `gatehouse h248 explain FILE`. @return the exit status: 0, 1 bad message, 2 wrong usage */
int cli_h248_explain_main(int argc, char **argv);

/* ---- one line, and what stands under it ---- */

/** A line at the present depth. Strings of a peer must have gone through explain_shown. */
void explain_line(struct explain *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void explain_in(struct explain *e)
{
	e->depth++;
}
static inline void explain_out(struct explain *e)
{
	e->depth--;
}

#define EXPLAIN_SHOWN 256
/** A peer's octets as they may be shown on a terminal, cut where too long. @return `buf`. */
const char *explain_shown(struct base_str s, char buf[EXPLAIN_SHOWN]);

/** printf into `buf`, cut where too long. @return `buf`. */
const char *explain_put(char buf[EXPLAIN_SHOWN], const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));

/* ---- words (explain_words.c) ---- */

/** The word of a number in a table that ends in NULL; "?" past its end. Pure. */
const char *explain_word(const char *const *words, unsigned number);
extern const char *const explain_descriptors[]; /**< enum h248_descriptor_kind */
extern const char *const explain_methods[];     /**< enum h248_method */
extern const char *const explain_modes[];       /**< enum h248_mode */
extern const char *const explain_states[];      /**< enum h248_service_state */
extern const char *const explain_muxes[];       /**< enum h248_mux_type */
extern const char *const explain_signals[];     /**< enum h248_signal_type */
extern const char *const explain_directions[];  /**< enum h248_direction */
extern const char *const explain_topologies[];  /**< enum h248_topology_direction */

/** "every termination that matches ip/ *" ... @return `buf`. */
const char *explain_term(const struct h248_term *term, char buf[EXPLAIN_SHOWN]);
/** `[192.0.2.1]:2944`, `<name>`, device name, `MTP{hex}`. @return `buf`. */
const char *explain_mid(const struct h248_mid *mid, char buf[EXPLAIN_SHOWN]);
/** `2026-03-14 10:15:17.99`; "" when absent. @return `buf`. */
const char *explain_time(const struct h248_time *time, char buf[EXPLAIN_SHOWN]);

/* ---- names of packages (explain_package.c) ---- */

/** The title of a package, or NULL when nothing here knows it. Pure. */
const char *explain_package(struct base_str name);
/** `pkg/item`, with what its package's table says of it. */
void explain_name(struct explain *e, enum h248_package_kind kind, struct h248_name name,
                  const char *lead, const char *tail);
/** Properties or statistics: `pkg/item = value` with meaning and unit. */
void explain_parms(struct explain *e, enum h248_package_kind kind, const struct h248_parm *list);
/** Parameters of the event or signal `of`. */
void explain_params(struct explain *e, enum h248_package_kind kind, struct h248_name of,
                    enum h248_package_list which, const struct h248_parm *list);

/* ---- descriptors (explain_descriptor.c, explain_media.c, explain_event.c) ---- */

void explain_descriptor(struct explain *e, const struct h248_descriptor *d);
void explain_error(struct explain *e, const struct h248_error *error);
void explain_media(struct explain *e, const struct h248_media *media);
void explain_events(struct explain *e, const struct h248_events *events);
void explain_event_buffer(struct explain *e, const struct h248_event_buffer *buffer);
void explain_observed(struct explain *e, const struct h248_observed_events *observed);
void explain_signals_of(struct explain *e, const struct h248_signals *signals);
void explain_digit_map(struct explain *e, const struct h248_digit_map *map);
void explain_services(struct explain *e, const struct h248_services *services);

#endif
