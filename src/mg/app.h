/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Streams whose application the gateway knows (docs/mg.md, "MSRP and BFCP"): not two endpoints that
 * are linked, but all of one StreamID in a context, which meet in a hub of the bearer's.
 */
#ifndef GH_MG_APP_H
#define GH_MG_APP_H

#include "mg/bearer.h"
#include "mg/plan.h"

#define MG_FLOORS_MAX 256U

enum mg_app { MG_APP_NONE = 0, MG_APP_RELAY, MG_APP_ROOM, MG_APP_FLOOR };

/** By its LocalControl. */
enum mg_app mg_stream_app(const struct mg_stream *s);
/** Any number of terminations may have such a stream. */
bool mg_app_is_shared(enum mg_app app);
/** May not be moved, and topology has no meaning among them. */
bool mg_term_has_app(const struct mg_term *term);
/** All of a command's descriptors have been read: do they go together, and with the others'? */
int mg_app_judge(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s);
/** Our path, where it was left to us. Address and port are in Local by now. */
int mg_app_local_fill(struct mg_run *run, struct mg_stream *s);
/** Is there none yet for the stream, or one that was made as it says now? */
bool mg_app_hub_fits(const struct mg_context *context, const struct mg_stream *s);
/** What a leg that is made is to be, and whether it still is that. */
void mg_app_describe(struct mg_leg *leg, const struct mg_stream *s);
bool mg_app_fits(const struct mg_leg *leg, const struct mg_stream *s);
/** Make the hubs that are needed, seat those who are ready, end what nobody needs any more. An
 * order that found no memory stays due. */
void mg_app_settle(struct mg *mg, struct mg_context *context);
/** The context ends. */
void mg_app_end(struct mg *mg, struct mg_context *context);

#endif
