/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Commands, one after the other: from a file, or as they are typed. `expect` holds the next ones
 * until it has happened. Private to this folder.
 */
#ifndef GH_UE_SCRIPT_H
#define GH_UE_SCRIPT_H

#include "ue/app.h"

#define UE_EXPECT_MS 10000 /**< unless `within` says how long */

struct ue_script {
	struct ue_app *app;
	const char *name; /**< of the file; NULL: standard input */
	/* its own */
	struct base_writer text; /* read and not done yet */
	struct base_arena arena;
	struct ue_words words;
	struct loop_fd in;
	struct loop_task more;
	struct loop_timer late;
	unsigned line;
	bool watched, ended; /* nothing more is to be read */
	bool waiting;        /* for what `words` says */
	bool over;           /* quit, or an error in a file */
};

/** Read the file, or begin to listen to standard input. @return 0, BASE_CONFIG, BASE_LOCAL */
int ue_script_start(struct ue_script *script, struct base_error *err);
void ue_script_done(struct ue_script *script);

#endif
