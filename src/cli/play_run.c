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

/* ---- the steps in order ---- */

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

/* What a process said may be cut in the middle of a character, or be none at all. */
static json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	char clean[sizeof(((struct base_error *)0)->text)];
	size_t i;

	if (value)
		return value;
	for (i = 0; i < sizeof(clean) - 1 && text[i]; i++)
		clean[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
	clean[i] = '\0';
	return json_string(clean);
}

static void report_step(struct play *play, const struct play_step *step, uint64_t begun_ms,
                        const struct base_error *err)
{
	json_t *row = json_pack("{s:i, s:s, s:b, s:I}", "step", (int)play->at + 1, "name",
	                        step->name ? step->name : "", "ok", err == NULL, "ms",
	                        (json_int_t)(loop_now_ms(play->loop) - begun_ms));

	if (err)
		(void)json_object_set_new(row, "error", json_text(err->text));
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
		rc = play_step(play, step, err);
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

/* SIGPIPE among them: who no longer reads our ladder must not make us leave processes behind. */
static int signals_start(struct play *play)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	int rc = loop_signal_start(play->loop, SIGCHLD, on_child_signal, play);

	for (size_t i = 0; !rc && i < BASE_COUNT(ends); i++)
		rc = loop_signal_start(play->loop, ends[i], on_interrupt, play);
	return rc;
}

static int prepare(struct play *play, struct base_error *err)
{
	static const char *const parties[] = { "controller", "gateway" };
	const struct play_controller *c = play->scenario->controller;
	int rc = loop_new(&play->loop);

	if (!rc)
		rc = signals_start(play);
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
	rc = play_mgc_init(&play->mgc, c, play->doc, err);
	if (!rc)
		rc = set_builtins(play);
	if (!rc)
		rc = set_vars(play, play->scenario->vars, play->scenario->vars_count, err);
	if (!rc)
		rc = set_vars(play, play->options->set, play->options->set_count, err);
	return rc;
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
	play.report = json_pack(
	        "{s:o, s:[]}", "scenario",
	        json_text(play.scenario->scenario ? play.scenario->scenario : options->path),
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
