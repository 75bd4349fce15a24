/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Streams in which the gateway knows the application (docs/mg.md, "MSRP and BFCP"): what they ask
 * for, and the hub where those of one StreamID in a context meet.
 */
#ifndef GH_MG_APP_H
#define GH_MG_APP_H

#include "mg/bearer.h"
#include "mg/plan.h"

enum mg_app { MG_APP_NONE, MG_APP_B2B, MG_APP_ROOM, MG_APP_FLOOR };

enum mg_app mg_stream_app(const struct mg_stream *s);
/* All of a command's descriptors have been read: does the stream go with the others of its id? */
int mg_app_judge(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s);
/* Our path into a Local that leaves it to us; the leg is there. */
int mg_app_path(struct mg_run *run, struct mg_stream *s);
/* Another session than the leg has begun wants another leg. */
bool mg_app_fits(const struct mg_leg *leg, const struct mg_stream *s);
/* Hubs as the context's streams ask for them; what could not be ordered stays due. */
void mg_app_settle(struct mg *mg, struct mg_context *context);
/* The context ends: after its terminations, before its bearer. */
void mg_hubs_free(struct mg *mg, struct mg_context *context);

#endif
