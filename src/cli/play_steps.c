/* SPDX-License-Identifier: Apache-2.0 */
/** @file What each kind of step does. */
#include "cli/play.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* ---- waiting ---- */

static void on_expired(void *arg)
{
	((struct play *)arg)->expired = true;
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
	bool told_to = step->stop && !step->status && status == 128 + SIGTERM;

	if (!rc && status != wanted && !told_to)
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

/* ---- any step ---- */

int play_step(struct play *play, const struct play_step *step, struct base_error *err)
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
