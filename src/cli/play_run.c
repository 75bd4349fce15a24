/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/play.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 10000

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

/* ---- waiting ---- */

static void on_expired(void *arg)
{
	((struct play *)arg)->expired = true;
}

static void on_interrupt(void *arg, int signum)
{
	(void)signum;
	((struct play *)arg)->interrupted = true;
}

static void on_child_signal(void *arg, int signum)
{
	(void)arg; /* waking up is all; the steps look for themselves */
	(void)signum;
}

typedef bool play_done_fn(struct play *play, void *arg);

/* Let the loop run until `done` says so or the step's time is over. */
static int wait_for(struct play *play, play_done_fn *done, void *arg, struct base_error *err)
{
	const struct play_step *step = &play->scenario->steps[play->at];
	uint64_t ms = play->default_ms;
	int rc = 0;

	if (step->timeout)
		(void)config_duration_parse(base_str_of(step->timeout), &ms); /* checked at load */
	play->expired = false;
	loop_timer_start(play->loop, &play->timer, ms, on_expired, play);
	while (!done(play, arg)) {
		if (play->expired || play->interrupted) {
			rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s",
			                    play->interrupted ? "interrupted"
			                                      : "nothing came in time");
			break;
		}
		rc = loop_run_once(play->loop, -1);
		if (rc)
			break;
	}
	loop_timer_stop(play->loop, &play->timer);
	return rc;
}

/* ---- H.248 steps ---- */

static bool is_answered(struct play *play, void *arg)
{
	(void)arg;
	return play->mgc.answered || play->mgc.timed_out;
}

static int step_send(struct play *play, const struct play_step *step, struct base_error *err)
{
	char *text;
	int rc = play_vars_expand(&play->vars, step->send, &text, err);

	if (rc)
		return rc;
	rc = play_mgc_send(&play->mgc, text, err);
	free(text);
	if (!rc)
		rc = wait_for(play, is_answered, NULL, err);
	if (!rc && play->mgc.timed_out)
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "the gateway did not answer");
	if (!rc)
		rc = play_expect_check(step->expect, &play->vars, play->mgc.answer, err);
	return rc;
}

static bool is_heard(struct play *play, void *arg)
{
	(void)arg;
	return play->mgc.heard_count > 0;
}

static int step_raw(struct play *play, const struct play_step *step, struct base_error *err)
{
	char *text;
	int rc = play_vars_expand(&play->vars, step->raw, &text, err);

	if (rc)
		return rc;
	rc = play_mgc_send_raw(&play->mgc, text, err);
	free(text);
	if (!rc && step->expect)
		rc = wait_for(play, is_heard, NULL, err);
	if (!rc && step->expect)
		rc = play_expect_check(step->expect, &play->vars, play->mgc.heard, err);
	return rc;
}

static bool is_received(struct play *play, void *arg)
{
	const struct play_step *step = arg;

	BASE_LIST_EACH(&play->mgc.inbox, node, next)
	{
		struct play_request *r = BASE_CONTAINER_OF(node, struct play_request, node);

		if (play_expect_check(step->receive, &play->vars, r->text, NULL) == 0) {
			play_request_free(r);
			return true;
		}
	}
	return false;
}

static int step_receive(struct play *play, const struct play_step *step, struct base_error *err)
{
	struct base_error why = { 0 };
	int rc = play_expect_check(step->receive, &play->vars, "", &why);

	if (base_err_class(rc) == BASE_CONFIG) { /* a bad expression will never fit */
		if (err)
			*err = why;
		return rc;
	}
	rc = wait_for(play, is_received, (void *)step, err);
	if (rc && !base_list_empty(&play->mgc.inbox))
		(void)base_error_set(
		        err, rc, "no request of the gateway fits (%s); unread: %s", why.text,
		        BASE_CONTAINER_OF(play->mgc.inbox.next, struct play_request, node)->text);
	else if (rc && !play->interrupted)
		(void)base_error_set(err, rc, "no request came from the gateway (%s)", why.text);
	return rc;
}

/* The next receive step may want to answer itself. */
static bool claim(void *arg, const char *request, char **ret_reply)
{
	struct play *play = arg;

	for (unsigned i = play->at; i < play->scenario->steps_count; i++) {
		const struct play_step *step = &play->scenario->steps[i];

		if (!step->receive || !step->reply)
			continue;
		return play_expect_check(step->receive, &play->vars, request, NULL) == 0 &&
		       play_vars_expand(&play->vars, step->reply, ret_reply, NULL) == 0;
	}
	return false;
}

/* ---- processes and files ---- */

static struct play_child *child_find(struct play *play, const char *name)
{
	BASE_LIST_EACH(&play->children, node, next)
	{
		struct play_child *c = BASE_CONTAINER_OF(node, struct play_child, node);

		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static int child_start(struct play *play, const char *name, const char *command,
                       struct play_child **ret, struct base_error *err)
{
	char *text;
	int rc = play_vars_expand(&play->vars, command, &text, err);

	if (rc)
		return rc;
	rc = play_child_start(ret, play->loop, name, text, err);
	free(text);
	if (!rc)
		base_list_append(&play->children, &(*ret)->node);
	return rc;
}

static bool has_ended(struct play *play, void *arg)
{
	(void)play;
	return play_child_status(arg) >= 0;
}

struct output_wait {
	struct play_child *child;
	const struct play_expect *expect;
};

static bool has_said(struct play *play, void *arg)
{
	struct output_wait *wait = arg;

	return play_expect_check(wait->expect, &play->vars, play_child_text(wait->child), NULL) ==
	               0 ||
	       play_child_status(wait->child) >= 0;
}

/* The end of what a process said, for error texts. */
static const char *tail_of(struct play_child *child)
{
	const char *text = play_child_text(child);
	size_t len = strlen(text);

	return len > 300 ? text + len - 300 : text;
}

static int step_start(struct play *play, const struct play_step *step, struct base_error *err)
{
	struct play_child *child = NULL;
	struct output_wait wait;
	int rc;

	if (child_find(play, step->start))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s is running already",
		                      step->start);
	rc = child_start(play, step->start, step->command, &child, err);
	if (rc || !step->expect)
		return rc;
	wait = (struct output_wait){ child, step->expect };
	rc = wait_for(play, has_said, &wait, err);
	if (!rc)
		rc = play_expect_check(step->expect, &play->vars, play_child_text(child), err);
	if (rc && err && base_err_class(rc) == BASE_PEER) {
		char why[256];

		(void)snprintf(why, sizeof(why), "%.255s", err->text);
		(void)base_error_set(err, rc, "%s: %s; it said: %s", step->start, why,
		                     tail_of(child));
	}
	return rc;
}

static int child_finish(struct play *play, const struct play_step *step, struct play_child *child,
                        struct base_error *err)
{
	int rc = wait_for(play, has_ended, child, err), wanted = step->status ? *step->status : 0;
	int status = rc ? -1 : play_child_status(child);

	if (!rc && status != wanted)
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                    "%s ended with status %d, expected %d; it said: %s",
		                    child->name, status, wanted, tail_of(child));
	if (!rc)
		rc = play_expect_check(step->expect, &play->vars, play_child_text(child), err);
	play_child_free(child);
	return rc;
}

static int step_wait(struct play *play, const struct play_step *step, struct base_error *err)
{
	struct play_child *child = child_find(play, step->wait);

	if (!child)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no process is named %s",
		                      step->wait);
	return child_finish(play, step, child, err);
}

static int step_run(struct play *play, const struct play_step *step, struct base_error *err)
{
	struct play_child *child = NULL;
	int rc = child_start(play, "run", step->run, &child, err);

	return rc ? rc : child_finish(play, step, child, err);
}

static int step_stop(struct play *play, const struct play_step *step, struct base_error *err)
{
	struct play_child *child = child_find(play, step->stop);

	if (!child)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no process is named %s",
		                      step->stop);
	if (child->pid)
		(void)kill(child->pid, SIGTERM); /* ended meanwhile is fine */
	return child_finish(play, step, child, err);
}

static int step_write(struct play *play, const struct play_step *step, struct base_error *err)
{
	char *path = NULL, *content = NULL;
	FILE *file = NULL;
	int rc = play_vars_expand(&play->vars, step->write, &path, err);

	if (!rc)
		rc = play_vars_expand(&play->vars, step->content, &content, err);
	if (rc)
		goto out;
	file = fopen(path, "we");
	if (!file || fputs(content, file) < 0 || fflush(file) != 0)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "cannot write %s: %s", path,
		                    strerror(errno));
out:
	if (file && fclose(file) != 0 && !rc)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "cannot write %s: %s", path,
		                    strerror(errno));
	free(path);
	free(content);
	return rc;
}

/* ---- the steps in order ---- */

static int step_play(struct play *play, const struct play_step *step, struct base_error *err)
{
	for (unsigned i = 0; i < step->set_count; i++) {
		char *text;
		int rc = play_vars_expand(&play->vars, step->set[i], &text, err);

		if (rc)
			return rc;
		rc = play_vars_assign(&play->vars, text);
		free(text);
		if (rc)
			return base_error_set(err, rc, "set '%s' is not of the form NAME=VALUE",
			                      step->set[i]);
	}
	if (step->send)
		return step_send(play, step, err);
	if (step->raw)
		return step_raw(play, step, err);
	if (step->receive)
		return step_receive(play, step, err);
	if (step->start)
		return step_start(play, step, err);
	if (step->wait)
		return step_wait(play, step, err);
	if (step->stop)
		return step_stop(play, step, err);
	if (step->run)
		return step_run(play, step, err);
	return step->write ? step_write(play, step, err) : 0;
}

static void print_notes(struct play *play, const struct play_step *step)
{
	for (unsigned i = 0; i < step->note_count; i++) {
		char *text;

		if (play_vars_expand(&play->vars, step->note[i], &text, NULL) != 0)
			continue; /* a remark that needs what was not captured is left out */
		play_ladder_note(&play->ladder, loop_now_ms(play->loop), text);
		free(text);
	}
}

static void report_step(struct play *play, const struct play_step *step, uint64_t begun_ms,
                        const struct base_error *err)
{
	json_t *row = json_pack("{s:i, s:s, s:b, s:I}", "step", (int)play->at + 1, "name",
	                        step->name ? step->name : "", "ok", err == NULL, "ms",
	                        (json_int_t)(loop_now_ms(play->loop) - begun_ms));

	if (err)
		(void)json_object_set_new(row, "error", json_string(err->text));
	(void)json_array_append_new(json_object_get(play->report, "steps"), row);
}

static int steps_play(struct play *play, struct base_error *err)
{
	int rc = 0;

	for (play->at = 0; !rc && play->at < play->scenario->steps_count; play->at++) {
		const struct play_step *step = &play->scenario->steps[play->at];
		uint64_t begun = loop_now_ms(play->loop);
		char where[32];
		unsigned line, column;

		if (step->name && play->options->ladder)
			play_ladder_title(&play->ladder, step->name);
		rc = step_play(play, step, err);
		if (rc) {
			(void)snprintf(where, sizeof(where), "steps[%u]", play->at);
			(void)config_place(play->doc, where, &line, &column); /* or the nearest */
			base_error_place(err, config_doc_file(play->doc), line, column);
		} else {
			print_notes(play, step);
		}
		report_step(play, step, begun, rc ? err : NULL);
	}
	return rc;
}

/* ---- setting up and clearing away ---- */

static int set_builtins(struct play *play)
{
	char path[PATH_MAX], number[16];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *scenario = strdup(config_doc_file(play->doc));
	int rc = len > 0 && scenario ? 0 : BASE_ERR(BASE_LOCAL, 0);

	if (!rc) {
		path[len] = '\0';
		rc = play_vars_set(&play->vars, BASE_STR("bin"), base_str_of(dirname(path)));
	}
	if (!rc)
		rc = play_vars_set(&play->vars, BASE_STR("here"), base_str_of(dirname(scenario)));
	if (!rc)
		rc = play_vars_set(&play->vars, BASE_STR("dir"), base_str_of(play->dir));
	(void)snprintf(number, sizeof(number), "%u", play->mgc.local.port);
	if (!rc)
		rc = play_vars_set(&play->vars, BASE_STR("port"), base_str_of(number));
	free(scenario);
	return rc;
}

static int set_vars(struct play *play, char **list, unsigned count, struct base_error *err)
{
	for (unsigned i = 0; i < count; i++) {
		int rc = play_vars_assign(&play->vars, list[i]);

		if (rc)
			return base_error_set(err, rc, "'%s' is not of the form NAME=VALUE",
			                      list[i]);
	}
	return 0;
}

static int prepare(struct play *play, struct base_error *err)
{
	static const char *const parties[] = { "controller", "gateway" };
	const struct play_controller *c = play->scenario->controller;
	int rc = loop_new(&play->loop);

	if (rc)
		return base_error_set(err, rc, "cannot make an event loop");
	play->default_ms = DEFAULT_TIMEOUT_MS;
	if (c && c->timeout)
		(void)config_duration_parse(base_str_of(c->timeout), &play->default_ms);
	play->ladder = (struct play_ladder){
		.on = play->options->ladder,
		.messages = play->options->messages,
		.parties =
		        play->scenario->parties_count ? play->scenario->parties : (char **)parties,
		.count = play->scenario->parties_count ? play->scenario->parties_count : 2,
		.start_ms = loop_now_ms(play->loop),
	};
	(void)snprintf(play->dir, sizeof(play->dir), "/tmp/gatehouse-play-XXXXXX");
	if (!mkdtemp(play->dir)) {
		play->dir[0] = '\0';
		return base_error_set(err, BASE_ERR(BASE_LOCAL, errno),
		                      "cannot make a temporary folder: %s", strerror(errno));
	}
	play->mgc = (struct play_mgc){
		.loop = play->loop, .ladder = &play->ladder, .claim = claim, .claim_arg = play
	};
	rc = play_mgc_init(&play->mgc, c, err);
	if (!rc)
		rc = set_builtins(play);
	if (!rc)
		rc = set_vars(play, play->scenario->vars, play->scenario->vars_count, err);
	if (!rc)
		rc = set_vars(play, play->options->set, play->options->set_count, err);
	if (!rc)
		rc = loop_signal_start(play->loop, SIGCHLD, on_child_signal, play);
	if (!rc)
		rc = loop_signal_start(play->loop, SIGINT, on_interrupt, play);
	return rc ? rc : loop_signal_start(play->loop, SIGTERM, on_interrupt, play);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void clear_away(struct play *play)
{
	BASE_LIST_EACH(&play->children, node, next)
	play_child_free(BASE_CONTAINER_OF(node, struct play_child, node));
	if (play->mgc.loop)
		play_mgc_done(&play->mgc);
	loop_free(play->loop);
	play_vars_done(&play->vars);
	if (play->dir[0])
		(void)nftw(play->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS); /* best effort */
	config_doc_free(play->doc);
	play_scenario_free(play->scenario);
	json_decref(play->report);
}

static int tell(struct play *play, int rc, const struct base_error *err)
{
	char line[1200];

	(void)json_object_set_new(play->report, "ok", json_boolean(rc == 0));
	if (play->options->json) {
		(void)json_dumpf(play->report, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		printf("\n");
	} else if (!rc && !play->options->quiet) {
		printf("\n%s: %u steps played: ok\n", config_doc_file(play->doc),
		       play->scenario->steps_count);
	}
	(void)fflush(stdout);
	if (rc)
		fprintf(stderr, "gatehouse: %s\n", base_error_format(err, line, sizeof(line)));
	if (!rc)
		return 0;
	return base_err_class(rc) == BASE_PEER ? 1 : 2;
}

/* The first program that is needed and not in PATH; NULL when all are there. */
static const char *lacking(const struct play_scenario *scenario)
{
	const char *path = getenv("PATH");

	for (unsigned i = 0; i < scenario->needs_count; i++) {
		bool found = false;

		for (const char *at = path ? path : ""; *at && !found;) {
			size_t len = strcspn(at, ":");
			char file[PATH_MAX];

			(void)snprintf(file, sizeof(file), "%.*s/%s", (int)len, at,
			               scenario->needs[i]);
			found = access(file, X_OK) == 0;
			at += len + (at[len] == ':');
		}
		if (!found)
			return scenario->needs[i];
	}
	return NULL;
}

int play_run(const struct play_options *options)
{
	struct play play = { .options = options };
	struct base_error err = { 0 };
	char line[1200];
	int rc, status;

	base_list_init(&play.children);
	rc = play_scenario_load(options->path, &play.scenario, &play.doc, &err);
	if (rc) {
		fprintf(stderr, "gatehouse: %s\n", base_error_format(&err, line, sizeof(line)));
		return 2;
	}
	play.report = json_pack("{s:s, s:[]}", "scenario",
	                        play.scenario->scenario ? play.scenario->scenario : options->path,
	                        "steps");
	if (!options->check_only && lacking(play.scenario)) {
		printf("skip: %s needs %s, which is not in PATH\n", options->path,
		       lacking(play.scenario));
		status = PLAY_SKIPPED;
	} else if (!options->check_only) {
		rc = prepare(&play, &err);
		if (!rc)
			rc = steps_play(&play, &err);
		status = tell(&play, rc, &err);
	} else {
		printf("%s: %u steps, well formed\n", options->path, play.scenario->steps_count);
		status = 0;
	}
	clear_away(&play);
	return status;
}
