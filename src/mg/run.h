/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One transaction on its way through: where we are, what went wrong, the reply so far.
 */
#ifndef GH_MG_RUN_H
#define GH_MG_RUN_H

#include "mg/world.h"

struct mg_run {
	struct mg *mg;
	struct base_arena *arena;
	unsigned version;
	bool guarded; /* keys may stand in it */
	struct h248_transaction *reply;
	const struct h248_action *action;
	struct h248_action *out; /* the action reply being filled */
	const struct h248_command *command;
	struct mg_context *context; /* of the action; NULL for NULL, ALL, CHOOSE not yet made */
	bool fresh_context;         /* made by this action */
	struct mg_term *chosen;     /* first termination an Add with CHOOSE made in this action */
	bool setting;               /* attributes are set, not audited */
	bool ended;                 /* the action's context has ended under it */
	bool failed;                /* stop: nothing after this is executed (8.2.2) */
	uint16_t code;              /* of the last mg_fail */
	char text[256];
};

/*
 * Note a failure of the running command: code, and words that name the place below the command
 * ("Stream 1, LocalControl gatehouse/dom: ..."). The place of the command is put in front when the
 * error descriptor is written. @return BASE_ERR(BASE_PEER, code)
 */
int mg_fail(struct mg_run *run, unsigned code, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* Memory is short: 510. */
int mg_fail_memory(struct mg_run *run);
/* The code of `rc` with the words of `err`, after `where`. */
int mg_fail_error(struct mg_run *run, int rc, const struct base_error *err, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
/* The error descriptor for the last failure, with its place; NULL when memory is short. */
struct h248_error *mg_fail_descriptor(struct mg_run *run, struct base_str term);
const char *mg_command_name(unsigned kind);

/* The reply's action for that context: the current one when it is of that context. */
struct h248_action *mg_run_out(struct mg_run *run, uint32_t context);
/* The action's context has lost its last termination. */
void mg_run_context_ended(struct mg_run *run);
/* A reply to the running command. NULL when memory is short. */
struct h248_command *mg_run_reply(struct mg_run *run, uint32_t context, struct base_str term);

/* ---- commands: each executes for one termination, completely or not at all ---- */

/* `*ret` gets the reply; on failure nothing has changed. */
int mg_cmd_add(struct mg_run *run, const struct h248_term *name);
int mg_cmd_modify(struct mg_run *run, struct mg_term *term);
int mg_cmd_move(struct mg_run *run, struct mg_term *term);
int mg_cmd_subtract(struct mg_run *run, struct mg_term *term, struct h248_command *reply);
int mg_cmd_audit(struct mg_run *run, const struct mg_term *term, struct h248_command *reply);
int mg_cmd_change(struct mg_run *run, struct mg_term *term);

/* ---- context attributes ---- */

int mg_context_attr_set(struct mg_run *run, struct mg_context *context,
                        const struct h248_context_attr *attr);
int mg_context_attr_audit(struct mg_run *run, const struct mg_context *context,
                          const struct h248_context_audit *audit);

/* ---- select.c: conditions of version 3 ---- */

/* Does the action mean only some contexts: by a list, or by conditions? */
bool mg_selects(const struct h248_action *action);
/*
 * Does this context (NULL: none) meet the action's conditions, and the termination (NULL: the
 * context alone is judged) those of the running audit? @return 0, or 510
 */
int mg_select(struct mg_run *run, const struct mg_context *context, const struct mg_term *term,
              bool *ret);

int mg_topology_set(struct mg_run *run, struct mg_context *context,
                    const struct h248_topology *list);
struct h248_topology *mg_topology_list(struct base_arena *arena, const struct mg_context *context,
                                       bool *ret_ok);

#endif
