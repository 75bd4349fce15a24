/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The parts that a command replaces as wholes: Media, Events, the choice of Statistics. Each has
 * its own arena, into which everything is copied, so that nothing of a message is kept.
 */
#ifndef GH_MG_PART_H
#define GH_MG_PART_H

#include "mg/world.h"

/* Copies into `arena`. All return false or NULL when memory is short, and take NULL for "none". */
bool mg_copy_str(struct base_arena *arena, struct base_str from, struct base_str *ret);
const char *mg_copy_text(struct base_arena *arena, struct base_str from);
bool mg_copy_parms(struct base_arena *arena, const struct h248_parm *from, struct h248_parm **ret);
/* With what is embedded: one level (7.1.9). */
bool mg_copy_events(struct base_arena *arena, const struct h248_event *from,
                    struct h248_event **ret);
/* With the lists among them. */
bool mg_copy_signals(struct base_arena *arena, const struct h248_signal *from,
                     struct h248_signal **ret);

/* ---- keys ---- */

/* @return NULL when memory is short. */
struct mg_keys *mg_keys_new(void);
struct mg_keys *mg_keys_ref(struct mg_keys *keys);
/* Wipes with the last reference. NULL is fine. */
void mg_keys_unref(struct mg_keys *keys);
bool mg_keys_equal(const struct mg_keys *a, const struct mg_keys *b);

/* ---- media ---- */

/*
 * A new generation that says what `from` says (NULL: nothing), with its legs and its keys.
 * NULL when memory is short.
 */
struct mg_media *mg_media_new(const struct mg_media *from);
/* Removes the legs that its streams still hold. NULL is fine. */
void mg_media_free(struct mg *mg, struct mg_media *media);
struct mg_stream *mg_media_stream(const struct mg_media *media, uint16_t id);
/* A new empty stream, in its place. NULL when memory is short. */
struct mg_stream *mg_media_stream_add(struct mg_media *media, uint16_t id);

/* ---- events and statistics ---- */

struct mg_events *mg_events_new(const struct h248_events *from);
/* With its origin. */
void mg_events_free(struct mg_events *events);
struct mg_state *mg_state_new(const struct mg_state *from);
void mg_state_free(struct mg_state *state);
/* digitmaps.c */
void mg_maps_free(struct mg_maps *maps);
/* statistics.c */
void mg_choice_free(struct mg_choice *choice);
struct mg_choice *mg_choice_copy(struct base_arena *arena, const struct mg_choice *from);

#endif
