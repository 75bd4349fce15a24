/* SPDX-License-Identifier: Apache-2.0 */
/** @file What every step of the lab needs: words, time, processes, files, ports. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/lab.h"

/* ---- words ---- */

void lab_say(const struct lab *lab, const char *fmt, ...)
{
	va_list args;

	(void)lab;
	fputs("     ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fputc('\n', stdout);
	(void)fflush(stdout); /* who reads along may be gone: the exit status tells all the same */
}

void lab_check(struct lab *lab, bool held, const char *fmt, ...)
{
	va_list args;

	fputs(held ? "  ok " : "  NO ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fputc('\n', stdout);
	(void)fflush(stdout); /* as above */
	lab->failed += !held;
}

/* ---- time ---- */

static void on_expired(void *arg)
{
	((struct lab *)arg)->expired = true;
}

int lab_until(struct lab *lab, bool (*done)(void *arg), void *arg, uint64_t ms)
{
	int rc = 0;

	lab->expired = false;
	loop_timer_start(lab->loop, &lab->timer, ms, on_expired, lab);
	while (!rc && !(done && done(arg))) {
		if (lab->interrupted || lab->expired)
			rc = BASE_ERR(BASE_PEER, lab->interrupted ? EINTR : ETIMEDOUT);
		else /* not longer than this: ports and files tell nobody that they changed */
			rc = loop_run_once(lab->loop, 20);
	}
	loop_timer_stop(lab->loop, &lab->timer);
	return rc;
}

int lab_wait(struct lab *lab, uint64_t ms)
{
	return lab_until(lab, NULL, NULL, ms) && lab->interrupted ? BASE_ERR(BASE_PEER, EINTR) : 0;
}

/* ---- processes ---- */

static bool has_ended(void *child)
{
	return play_child_status(child) >= 0;
}

static int start(struct lab *lab, struct play_child **ret, const char *name, const char *command,
                 struct base_error *err)
{
	char *line;
	int rc;

	if (asprintf(&line, "cd %s && PATH=%s:$PATH:/usr/sbin && %s", lab->dir, lab->bin, command) <
	    0)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = play_child_start(ret, lab->loop, name, line, err);
	free(line);
	if (!rc)
		base_list_append(&lab->children, &(*ret)->node);
	return rc;
}

int lab_run(struct lab *lab, struct base_error *err, const char *fmt, ...)
{
	struct play_child *child = NULL;
	char *command;
	va_list args;
	int rc, status;

	va_start(args, fmt);
	rc = vasprintf(&command, fmt, args) < 0 ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
	va_end(args);
	if (rc)
		return rc;
	if (lab->commands)
		lab_say(lab, "$ %s", command);
	rc = start(lab, &child, "command", command, err);
	if (!rc)
		rc = lab_until(lab, has_ended, child, LAB_PATIENCE_MS);
	status = rc ? -1 : play_child_status(child);
	if (child && status != 0)
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "%.200s: status %d: %.250s",
		                    command, status, play_child_text(child));
	play_child_free(child);
	free(command);
	return rc;
}

int lab_start(struct lab *lab, struct play_child **ret, const char *name, struct base_error *err,
              const char *fmt, ...)
{
	char *command, *line = NULL;
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = vasprintf(&command, fmt, args) < 0 ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
	va_end(args);
	if (rc)
		return rc;
	if (lab->commands)
		lab_say(lab, "$ %s &", command);
	/* so that its pid is the program's, not the shell's */
	if (asprintf(&line, "exec %s", command) < 0)
		line = NULL;
	rc = line ? start(lab, ret, name, line, err) : BASE_ERR(BASE_LOCAL, ENOMEM);
	free(line);
	free(command);
	return rc;
}

/* ---- files, ports, texts ---- */

int lab_write(struct lab *lab, const char *name, struct base_error *err, const char *fmt, ...)
{
	char path[sizeof(lab->dir) + 128];
	va_list args;
	FILE *file;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", lab->dir, name);
	file = fopen(path, "we");
	va_start(args, fmt);
	if (!file || vfprintf(file, fmt, args) < 0)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "cannot write %s: %s", path,
		                    strerror(errno));
	va_end(args);
	if (file && fclose(file) && !rc)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "cannot write %s: %s", path,
		                    strerror(errno));
	return rc;
}

/* What it said, for who looks into the folder afterwards; nobody else misses it. */
static void log_write(struct lab *lab, struct play_child *child)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.log", child->name);
	(void)lab_write(lab, name, NULL, "%s", play_child_text(child));
}

void lab_stop(struct lab *lab, struct play_child **child)
{
	int status;

	if (!*child)
		return;
	if ((*child)->pid)
		(void)kill((*child)->pid, SIGTERM);            /* ended meanwhile is fine */
	(void)lab_until(lab, has_ended, *child, LAB_LEAVE_MS); /* else it is killed now */
	status = play_child_status(*child);
	if (status && status != 128 + SIGTERM) /* a sanitizer's finding, too */
		lab_check(lab, false, "%s ends with status %d: %s", (*child)->name, status,
		          play_child_text(*child));
	log_write(lab, *child);
	play_child_free(*child);
	*child = NULL;
}

static unsigned range_begin(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	char line[64] = "";
	unsigned long low = 0;

	if (file) {
		if (fgets(line, sizeof(line), file))
			low = strtoul(line, NULL, 10);
		(void)fclose(file); /* it was only read */
	}
	return low > 11000 && low < 65536 ? (unsigned)low : 32768;
}

unsigned lab_port(void)
{
	unsigned span = range_begin() - 10000;

	for (unsigned i = 0; i < 1000; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), free;
		unsigned random;

		if (fd < 0 || base_random(&random, sizeof(random)))
			random = 0;
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		at.sin_port = htons((uint16_t)(10000 + random % span));
		free = fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at));
		if (fd >= 0)
			(void)close(fd); /* it was only tried */
		if (free)
			return ntohs(at.sin_port);
	}
	return 0;
}

bool lab_listens(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool listens;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listens = fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at));
	if (fd >= 0)
		(void)close(fd); /* it was only tried */
	return listens;
}

void lab_why(struct lab *lab, struct play_child *child, const char *words)
{
	const char *line = NULL, *end, *text = NULL;

	for (const char *at = play_child_text(child); (at = strstr(at, words)); at++)
		line = at;
	end = line ? strchrnul(line, '\n') : NULL;
	/* the last field is quoted, and what decided comes behind it */
	for (const char *at = line; at && (at = strstr(at, "\": ")) && at < end; at++)
		text = at + 3;
	if (text)
		lab_say(lab, "  %.*s", (int)(end - text), text);
}

unsigned lab_said(struct play_child *child, const char *words)
{
	unsigned count = 0;

	for (const char *at = play_child_text(child); (at = strstr(at, words)); at++)
		count++;
	return count;
}

bool lab_find(const char *text, const char *regex, char *out, size_t cap)
{
	regmatch_t at[2];
	regex_t compiled;
	bool found;

	if (regcomp(&compiled, regex, REG_EXTENDED))
		return false;
	found = text && !regexec(&compiled, text, 2, at, 0);
	if (found && at[1].rm_so >= 0)
		(void)snprintf(out, cap, "%.*s", (int)(at[1].rm_eo - at[1].rm_so),
		               text + at[1].rm_so);
	regfree(&compiled);
	return found;
}
