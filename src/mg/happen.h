/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Events that happen (RFC 3525, 7.1.9 and 7.1.10): described, then looked at by the termination's
 * active Events descriptor: told by Notify, buffered in LockStep, with the signals and events that
 * they stop and start.
 *
 *     struct mg_happening *h = mg_happening_new(mg, term, stream, "hangterm", "thb");
 *
 *     mg_happening_word(h, "name", "word");
 *     mg_happening_tell(mg, h);
 *     mg_happenings_run(mg);
 *
 * The termination may be gone after mg_happenings_run, never before it.
 */
#ifndef GH_MG_HAPPEN_H
#define GH_MG_HAPPEN_H

#include "mg/world.h"

#define MG_BUFFERED_MAX 32 /* in one EventBuffer; beyond it the controller is told 518 */
/*
 * So many may follow at once from an event, by embedded signals that end with an event of their own
 * (P). What is beyond goes round in a circle, which nothing but this would end.
 */
#define MG_CAUSED_MAX 64

struct mg_happening {
	struct base_node node; /* in mg->happened, or a buffer's queue */
	struct base_arena arena;
	struct mg_term *term;
	const char *package, *item;
	const char *type; /* parameter Type, by which a request may choose; NULL = none */
	struct h248_parm *parms;
	uint64_t wall_ms;
	uint16_t stream; /* 0 = of the termination */
	bool failed;     /* memory was short for a parameter */
	bool caused;     /* it follows from another one, in the same run */
};

/*
 * `package` and `item` are constants. @return NULL when nobody asked for any event, or when memory
 * is short, which is counted and logged; the functions below take it.
 */
struct mg_happening *mg_happening_new(struct mg *mg, struct mg_term *term, uint16_t stream,
                                      const char *package, const char *item);
/* Parameters; what is given is copied. A word is unquoted; `type` as `Type`, by which to choose. */
void mg_happening_word(struct mg_happening *h, const char *name, const char *word);
void mg_happening_number(struct mg_happening *h, const char *name, uint64_t number);
/* Quoted; what no quoted string can hold is left out, and an empty text altogether. */
void mg_happening_text(struct mg_happening *h, const char *name, const char *text);
void mg_happening_type(struct mg_happening *h, const char *type);
/* Takes it over. */
void mg_happening_tell(struct mg *mg, struct mg_happening *h);
/*
 * Look at all that has been told; what happens in the same run goes into one Notify where it can.
 * While a command is executed: at its end.
 */
void mg_happenings_run(struct mg *mg);
/* The termination goes: forget what it has told and buffered. */
void mg_happenings_forget(struct mg *mg, struct mg_term *term);

/* As an entry of an ObservedEvents descriptor; copied. false: memory is short. */
bool mg_happening_observed(struct base_arena *arena, struct h248_observed_events *into,
                           const struct mg_happening *h);

/* What a quoted string of every version can hold; the rest is left out. @return octets */
size_t mg_quotable(char *to, size_t cap, const char *from);

/* A new Events descriptor is in force: LockStep looks at what is buffered (7.1.9). */
void mg_events_loaded(struct mg *mg, struct mg_term *term);
/* EventBufferControl off: what is buffered is discarded. */
void mg_buffer_clear(struct mg_term *term);
void mg_buffer_free(struct mg_buffer *buffer);
struct mg_buffer *mg_buffer_new(const struct h248_event *list);

#endif
