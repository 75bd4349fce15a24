/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of `gatehouse h248 play`: a scenario is data (play_scenario.c), a play is its run.
 * docs/scenarios.md is the manual. One thread.
 */
#ifndef GH_CLI_PLAY_H
#define GH_CLI_PLAY_H

#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/base.h"
#include "config/config.h"
#include "h248/h248.h"
#include "link/link.h"
#include "loop/loop.h"

/* ---- the scenario, as loaded ---- */

/** Columns a ladder may have. */
#define PLAY_PARTIES_MAX 8

/** What a text must look like; POSIX extended regular expressions. */
struct play_expect {
	char **match; /**< each must be found */
	unsigned match_count;
	char **refuse; /**< none may be found */
	unsigned refuse_count;
	char **capture; /**< NAME=REGEX: group 1, or all that matched, becomes ${NAME} */
	unsigned capture_count;
};

/** One step; exactly one of the first eight is given. */
struct play_step {
	char *send;                  /**< actions of a transaction request */
	char *raw;                   /**< a whole message, sent as it stands */
	struct play_expect *receive; /**< wait for a request that fits */
	char *start;                 /**< name of a process to start with `command` */
	char *wait;                  /**< name of a process to wait for */
	char *stop;                  /**< name of a process to end */
	char *run;                   /**< shell command to run and wait for */
	char *write;                 /**< file to write `content` into */
	char *name;                  /**< what it is for, shown to people */
	char *command;               /**< of start */
	char *content;               /**< of write */
	char *reply;   /**< of receive: the actions to answer with; else a plain answer is made */
	char *timeout; /**< how long this step may take */
	char **set;    /**< NAME=VALUE, before the step */
	unsigned set_count;
	char **note; /**< "FROM -> TO: text" rows of the ladder, after the step */
	unsigned note_count;
	struct play_expect *expect; /**< of send, raw, start, wait, run: the reply or the output */
	int *status;                /**< of wait and run: exit status, default 0 */
};

/** Of `transport: tls`. Both ends show a certificate. */
struct play_tls {
	char *profile;       /**< of TLS; NULL = ts33210-rel17 */
	char *certificate;   /**< file; with the key, unless that is given */
	char *key;           /**< file */
	char *peer_name;     /**< the name that the gateway has to prove; NULL = any */
	char **anchors;      /**< files */
	char **fingerprints; /**< "sha-256 12:DF:..." of gateways */
	unsigned anchors_count, fingerprints_count;
};

struct play_controller {
	char *listen, *transport, *encoding, *timeout, *mid, *profile;
	unsigned version;
	struct play_tls *tls;
	unsigned sctp_udp_port, sctp_udp_remote; /**< 0 = 9899 (RFC 6951) */
};

struct play_scenario {
	char *scenario; /**< title */
	char **parties; /**< columns of the ladder: controller, gateway, others */
	unsigned parties_count;
	struct play_controller *controller;
	char **vars;
	unsigned vars_count;
	char **needs; /**< programs; without one of them the play is skipped */
	unsigned needs_count;
	struct play_step *steps;
	unsigned steps_count;
};

/** Load and check. @return 0, or BASE_CONFIG with the place. */
int play_scenario_load(const char *path, struct play_scenario **ret, struct config_doc **ret_doc,
                       struct base_error *err);
void play_scenario_free(struct play_scenario *scenario);

/* ---- variables and matching (play_text.c) ---- */

struct play_vars {
	struct play_var *first;
};
void play_vars_done(struct play_vars *vars);
/** Set or replace. @return 0 or BASE_LOCAL. */
int play_vars_set(struct play_vars *vars, struct base_str name, struct base_str value);
/** From "NAME=VALUE". @return 0, BASE_CONFIG when there is no name. */
int play_vars_assign(struct play_vars *vars, const char *assignment);
/** NULL when it is not set. */
const char *play_vars_get(const struct play_vars *vars, struct base_str name);
/**
 * `text` with each `${NAME}` replaced; `$` alone is CHOOSE and stays. NULL text gives "".
 * @return 0, BASE_CONFIG for an unknown variable (`err`), BASE_LOCAL; the caller frees `*ret`
 */
int play_vars_expand(const struct play_vars *vars, const char *text, char **ret,
                     struct base_error *err);

/** Runs of white space become one blank; in place. */
void play_squeeze(char *text);

/**
 * Does `text` fit? On success the captures are in `vars`.
 * @return 0; BASE_PEER when it does not (`err` says which expression); BASE_CONFIG for a bad one
 */
int play_expect_check(const struct play_expect *expect, struct play_vars *vars, const char *text,
                      struct base_error *err);

/* ---- the ladder (play_ladder.c) ---- */

struct play_ladder {
	bool on, messages; /**< print the rows; print the messages too */
	char **parties;
	unsigned count;
	uint64_t start_ms;
};
/** A row from one party to another, by name; the same name twice is a remark of that party. */
void play_ladder_row(const struct play_ladder *ladder, uint64_t now_ms, const char *from,
                     const char *to, const char *text);
/** A heading between rows. */
void play_ladder_title(const struct play_ladder *ladder, const char *text);
/** A note "FROM -> TO: text" or "PARTY: text". */
void play_ladder_note(const struct play_ladder *ladder, uint64_t now_ms, const char *note);
/** An H.248 message on the wire: one row for each transaction, and the message itself. */
void play_ladder_message(const struct play_ladder *ladder, uint64_t now_ms, bool out,
                         const void *data, size_t len);

/* ---- processes (play_child.c) ---- */

struct play_child {
	struct base_node node;
	char *name;
	pid_t pid; /**< also its process group; 0 once it has ended */
	int status;
	struct loop *loop;
	struct loop_fd out;
	struct loop_task turn;   /**< goes on reading when there is very much */
	struct base_writer text; /**< what it wrote on stdout and stderr, the first MiB */
};
/** Start `sh -c command`. @return 0 or BASE_LOCAL. */
int play_child_start(struct play_child **ret, struct loop *loop, const char *name,
                     const char *command, struct base_error *err);
/** Its exit status as the shell tells it (128 + signal); -1 while it runs. Reaps it, and kills what
 * it left behind in its process group. */
int play_child_status(struct play_child *child);
/** Everything written so far, terminated. */
const char *play_child_text(struct play_child *child);
/** Kill its group if need be, reap, free. */
void play_child_free(struct play_child *child);

/* ---- the controller (play_mgc.c) ---- */

struct play_request;

/** Our side of H.248, and what has come from the gateway. */
struct play_mgc {
	struct loop *loop;
	struct h248_node *node;
	struct link *link; /**< NULL without TLS */
	struct h248_peer *gateway;
	struct h248_addr gateway_addr;
	struct h248_addr local;
	struct play_ladder *ladder;
	struct h248_profile profile; /**< that it insists on; no name = any */
	unsigned version;
	bool pretty;
	struct base_node inbox; /**< requests received, in order */
	char *answer;           /**< outcome of the last `send`: text of the reply, or NULL */
	char *heard;            /**< the last message received, for `raw` */
	uint64_t heard_count;
	bool answered, timed_out;
	/** The step that waits; gives the actions for a request it wants to answer itself. */
	bool (*claim)(void *arg, const char *request, char **ret_reply);
	void *claim_arg;
};

struct play_request {
	struct base_node node;
	char *text; /**< pretty, one line */
};

/** `doc`: where the files of config->tls are relative to; NULL = the working directory. */
int play_mgc_init(struct play_mgc *mgc, const struct play_controller *config,
                  const struct config_doc *doc, struct base_error *err);
void play_mgc_done(struct play_mgc *mgc);
/** Send the actions as one transaction; `answered` or `timed_out` come later. */
int play_mgc_send(struct play_mgc *mgc, const char *actions, struct base_error *err);
/** Send octets as they are. */
int play_mgc_send_raw(struct play_mgc *mgc, const char *text, struct base_error *err);
/** Take a request out of the inbox and free it. */
void play_request_free(struct play_request *request);

/* ---- TLS (play_link.c) ---- */

/** `doc` as in play_mgc_init. @return 0; BASE_CONFIG or BASE_LOCAL with words. */
int play_link_open(struct link **ret, const struct play_tls *tls, const struct config_doc *doc,
                   struct base_error *err);

/* ---- the run (play_run.c) ---- */

struct play_options {
	const char *path;
	const char *program; /**< argv[0] of this program, for ${bin} */
	char **set;          /**< NAME=VALUE from the command line */
	unsigned set_count;
	bool ladder, messages, json, quiet, check_only;
};
/** A scenario being played. */
struct play {
	const struct play_options *options;
	struct play_scenario *scenario;
	struct config_doc *doc;
	struct loop *loop;
	struct play_vars vars;
	struct play_ladder ladder;
	struct play_mgc mgc;
	struct base_node children;
	struct loop_timer timer;
	bool expired, interrupted;
	uint64_t default_ms;
	unsigned at; /* the step that is played */
	char dir[64];
	json_t *report;
};

/* ---- the steps (play_steps.c) ---- */

/**
 * Do what the step says, and wait for what it expects.
 * @return 0; BASE_PEER when something else came, or nothing in time; BASE_CONFIG when the scenario
 * is wrong; BASE_LOCAL. `err` has the words, not the place
 */
int play_step(struct play *play, const struct play_step *step, struct base_error *err);

/** Exit status of a play that was skipped, as test runners know it. */
#define PLAY_SKIPPED 77
/** @return exit status: 0 played, 1 a step failed, 2 the scenario or the options are wrong, or
 * PLAY_SKIPPED. */
int play_run(const struct play_options *options);

#endif
