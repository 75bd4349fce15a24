/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What has happened: told at once, a line each, and kept until somebody expects it. Private to this
 * folder.
 */
#ifndef GH_UE_EVENT_H
#define GH_UE_EVENT_H

#include <stdio.h>

#include "base/base.h"

#define UE_EVENTS_MAX  4096 /**< that nobody expected are kept; then the oldest is forgotten */
#define UE_EVENTS_KEPT (16U << 20) /**< octets of their values, likewise */

struct ue_field {
	const char *key;
	struct base_str value; /**< ptr NULL: not there, and not told */
};

struct ue_events {
	FILE *to;         /**< NULL: nothing is printed */
	bool json;        /**< an object a line, with the time */
	const char *name; /**< of this user agent, in JSON; NULL = none */
	/* its own */
	struct base_node kept; /* oldest first */
	size_t count, octets;
	struct base_node values; /* of the event that was expected last, and what was set */
	/** Called behind each event; may be NULL. */
	void (*wake)(void *arg);
	void *arg;
};

void ue_events_init(struct ue_events *events);
void ue_events_done(struct ue_events *events);

/** It happens. `name` is a literal; the values are copied. */
void ue_tell(struct ue_events *events, const char *name, const struct ue_field *field,
             size_t count);
#define UE_TELL(events, name, ...)                                                                 \
	ue_tell((events), (name), (const struct ue_field[]){ __VA_ARGS__ },                        \
	        sizeof((const struct ue_field[]){ __VA_ARGS__ }) / sizeof(struct ue_field))

/** A field of a number. */
struct ue_number {
	char text[24];
};
struct base_str ue_number(struct ue_number *n, uint64_t value);

/**
 * Has this happened: an event whose name fits `want[0]`, and whose fields fit each `key=pattern` of
 * the rest? The oldest such one is taken out, and its fields can be looked up.
 */
bool ue_events_take(struct ue_events *events, const char *const *want, size_t count);
/** Is each of these `key=pattern`? */
bool ue_events_readable(const char *const *want, size_t count);
/** A value by its name; NULL when there is none. Fits ue_lookup_fn. */
const char *ue_events_value(void *events, const char *name);
/** @return 0, BASE_LOCAL */
int ue_events_set(struct ue_events *events, const char *name, struct base_str value);

#endif
