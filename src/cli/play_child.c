/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/play.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MAX (1U << 20)
/** Reads before others get their turn: more than a full pipe (pipe(7)). */
#define READS_MAX 64

extern char **environ;

static void on_turn(void *arg);

static void on_output(void *arg, unsigned events)
{
	struct play_child *child = arg;
	char buf[4096];
	ssize_t n = 1;

	(void)events;
	for (unsigned i = 0; i < READS_MAX && n > 0; i++) {
		n = read(child->out.fd, buf, sizeof(buf));
		if (n > 0 && child->text.len < TEXT_MAX)
			base_writer_put(&child->text, buf, (size_t)n);
	}
	if (n == 0)
		loop_fd_close(child->loop, &child->out);
	else if (n > 0) /* timers and signals must have their turn, too */
		loop_defer(child->loop, &child->turn, on_turn, child);
}

static void on_turn(void *arg)
{
	struct play_child *child = arg;

	if (child->out.fd >= 0)
		on_output(child, 0);
}

static int spawn(pid_t *ret, int out, const char *command)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
	char *copy = strdup(command);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipe_only;
	int rc;

	if (!copy)
		return ENOMEM;
	argv[2] = copy;
	(void)sigemptyset(&none); /* these cannot fail */
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
	                                              POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &pipe_only);
	rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	if (!rc)
		rc = posix_spawn(ret, "/bin/sh", &files, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	free(copy);
	return rc;
}

int play_child_start(struct play_child **ret, struct loop *loop, const char *name,
                     const char *command, struct base_error *err)
{
	struct play_child *child = calloc(1, sizeof(*child));
	int ends[2] = { -1, -1 }, rc = ENOMEM;

	if (!child)
		goto out;
	base_list_init(&child->node);
	child->out.fd = -1;
	child->loop = loop;
	child->name = strdup(name);
	if (!child->name)
		goto out;
	rc = pipe2(ends, O_CLOEXEC) ? errno : spawn(&child->pid, ends[1], command);
	if (rc)
		goto out;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		rc = errno;
		goto out;
	}
	child->out = (struct loop_fd){ .fd = ends[0], .fn = on_output, .arg = child };
	rc = loop_fd_start(loop, &child->out);
	if (rc)
		goto out;
	ends[0] = -1; /* the watch owns it now */
	*ret = child;
	child = NULL;
out:
	for (int i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			(void)close(ends[i]);
	}
	play_child_free(child);
	return rc ? base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "cannot start %s: %s", name,
	                           strerror(rc > 0 ? rc : ENOMEM))
	          : 0;
}

int play_child_status(struct play_child *child)
{
	siginfo_t ended = { .si_pid = 0 };
	int status;

	if (!child->pid)
		return child->status;
	if (waitid(P_PID, (id_t)child->pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    ended.si_pid != child->pid)
		return -1;
	/* What it left in the background goes too; its number is ours until it is reaped. */
	(void)kill(-child->pid, SIGKILL); /* alone already is fine */
	if (waitpid(child->pid, &status, 0) != child->pid)
		return -1;
	child->pid = 0;
	child->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (child->out.fd >= 0)
		on_output(child, 0); /* what is left in the pipe */
	return child->status;
}

const char *play_child_text(struct play_child *child)
{
	return base_writer_cstr(&child->text);
}

void play_child_free(struct play_child *child)
{
	if (!child)
		return;
	base_list_remove(&child->node);
	if (child->pid) {
		(void)kill(-child->pid, SIGKILL);   /* its whole group; */
		(void)waitpid(child->pid, NULL, 0); /* gone already is fine */
	}
	loop_defer_stop(child->loop, &child->turn);
	if (child->out.fd >= 0)
		loop_fd_close(child->loop, &child->out);
	base_writer_done(&child->text);
	free(child->name);
	free(child);
}
