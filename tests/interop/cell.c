/* SPDX-License-Identifier: Apache-2.0 */
#include "cell.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 8000 /* a peer that says nothing for so long has failed */

void cell_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	(void)putchar('\n');
	(void)fflush(stdout);
}

bool cell_wait(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, PATIENCE_MS) > 0;
}

size_t cell_octets(const char *digits, uint8_t *into, size_t cap)
{
	size_t n = 0;

	for (; digits[0] && digits[1] && n < cap; digits += 2) {
		const char two[3] = { digits[0], digits[1], 0 };

		into[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

/* -- words ---------------------------------------------------------------------------------- */

/** The value of `name=value` in a line whose words are already ended; "" when it is not there. */
static const char *word(char *const *words, const char *name)
{
	size_t len = strlen(name);

	for (; *words; words++)
		if (!strncmp(*words, name, len) && (*words)[len] == '=')
			return *words + len + 1;
	return "";
}

static bool flag(char *const *words, const char *name)
{
	return !strcmp(word(words, name), "1");
}

static enum cell_kind kind_of(const char *text)
{
	static const char *const names[] = { "full", "ticket", "id", "again" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(text, names[i]))
			return (enum cell_kind)i;
	return CELL_FULL;
}

static struct cell cell_of(char *const *words)
{
	struct cell cell = {
		.serve = !strcmp(words[0], "serve"),
		.version = word(words, "version"),
		.way = word(words, "way"),
		.kind = kind_of(word(words, "kind")),
		.begins = flag(words, "begins"),
		.go = flag(words, "go"),
		.http = word(words, "http"),
		.hangup = flag(words, "hangup"),
		.auth = flag(words, "auth"),
		.cert = word(words, "cert"),
		.key = word(words, "key"),
		.ca = word(words, "ca"),
		.secret = word(words, "secret"),
		.identity = word(words, "identity"),
		.name = word(words, "name"),
		.engine = word(words, "engine"),
		.conns = atoi(word(words, "conns")),
		.port = { atoi(word(words, "port")) },
	};

	if (strchr(word(words, "port"), ','))
		cell.port[1] = atoi(strchr(word(words, "port"), ',') + 1);
	cell.datagrams = cell.version[0] == 'D';
	cell.psk = strstr(cell.way, "PSK") != NULL;
	return cell;
}

/* -- sockets -------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons((uint16_t)port),
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int bound(int type, int port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	return getsockname(fd, (struct sockaddr *)&at, &len) ? -1 : ntohs(at.sin_port);
}

static int served(const struct cell *cell)
{
	int fd = bound(cell->datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);

	return fd >= 0 && !cell->datagrams && listen(fd, 4) ? -1 : fd;
}

/** Datagrams: connect to whoever speaks first. */
static int accept_datagrams(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char byte;

	if (!cell_wait(fd) || recvfrom(fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&from, &len) < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&from, len) ? -1 : dup(fd);
}

static int accepted(const struct cell *cell, int fd)
{
	if (cell->datagrams)
		return accept_datagrams(fd);
	return cell_wait(fd) ? accept(fd, NULL, NULL) : -1;
}

static int connected(const struct cell *cell, int which)
{
	struct sockaddr_in to = loopback(cell->port[which] ? cell->port[which] : cell->port[0]);
	int fd = bound(cell->datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* -- the talk ------------------------------------------------------------------------------- */

/** Read until `line` has come; nothing else may. */
static bool hear(void *session, const char *line, char *why, size_t size)
{
	char got[64];
	size_t have = 0, len = strlen(line);
	int n;

	while (have < len) {
		n = stack.read(session, got + have, len - have);
		if (n <= 0) {
			(void)snprintf(why, size, "%s instead of %.2s", n ? "a failure" : "an end",
			               line);
			return false;
		}
		have += (size_t)n;
	}
	if (!memcmp(got, line, len))
		return true;
	(void)snprintf(why, size, "%.8s instead of %.2s", got, line);
	return false;
}

static bool say_and_hear(void *session, const char *line, char *why, size_t size)
{
	if (!stack.write(session, line, strlen(line))) {
		(void)snprintf(why, size, "%.3s was not taken", line);
		return false;
	}
	return hear(session, line, why, size);
}

/** The middle of the talk, at the client's side. */
static bool client_again(const struct cell *cell, void *session, char *why, size_t size)
{
	bool ok;

	if (cell->kind != CELL_AGAIN)
		return true;
	if (!cell->begins && cell->go)
		return hear(session, "go\n", why, size);
	ok = cell->begins ? stack.again(session) : stack.await && stack.await(session);
	if (!ok)
		(void)snprintf(why, size, "no renegotiation");
	return ok;
}

/** A page, for servers that know nothing but HTTP. */
static bool page(const struct cell *cell, void *session, char *why, size_t size)
{
	char ask[64], got[512] = "";
	int n, have = 0;

	if (cell->kind == CELL_AGAIN && cell->begins && !stack.again(session)) {
		(void)snprintf(why, size, "no renegotiation");
		return false;
	}
	(void)snprintf(ask, sizeof(ask), "GET %s HTTP/1.0\r\n\r\n", cell->http);
	if (!stack.write(session, ask, strlen(ask))) {
		(void)snprintf(why, size, "the question was not taken");
		return false;
	}
	while (have < (int)sizeof(got) - 1 && !strstr(got, "200 OK")) {
		n = stack.read(session, got + have, sizeof(got) - 1 - (size_t)have);
		if (n <= 0) {
			(void)snprintf(why, size, "%s instead of a page",
			               n ? "a failure" : "an end");
			return false;
		}
		have += n;
		got[have] = 0;
	}
	return true;
}

static bool client_talk(const struct cell *cell, void *session, char *why, size_t size)
{
	char rest[512];
	bool ok;

	ok = *cell->http ? page(cell, session, why, size)
	                 : say_and_hear(session, "one\n", why, size) &&
	                           client_again(cell, session, why, size) &&
	                           say_and_hear(session, "two\n", why, size);
	if (!ok)
		return false;
	stack.close(session);
	while (!cell->datagrams && stack.read(session, rest, sizeof(rest)) > 0)
		continue;
	return true;
}

static bool server_again(const struct cell *cell, void *session, char *why, size_t size)
{
	if (stack.again(session) && (!cell->go || stack.write(session, "go\n", 3)))
		return true;
	(void)snprintf(why, size, "no renegotiation");
	return false;
}

static bool server_talk(const struct cell *cell, void *session, char *why, size_t size)
{
	bool due = cell->kind == CELL_AGAIN && cell->begins;
	char got[64];
	int n, lines = 0;

	while ((n = stack.read(session, got, sizeof(got) - 1)) > 0) {
		got[n] = 0;
		if (!stack.write(session, got, (size_t)n)) {
			(void)snprintf(why, size, "%.3s was not given back", got);
			return false;
		}
		for (const char *at = got; (at = strchr(at, '\n')); at++)
			lines++;
		if (!lines) /* NSS halves what it sends by the suites of TLS 1.0 */
			continue;
		if (due && !server_again(cell, session, why, size))
			return false;
		due = false;
		if (cell->hangup && lines >= 2)
			break;
	}
	if (n < 0)
		(void)snprintf(why, size, "a failure instead of an end");
	else
		stack.close(session);
	return n >= 0;
}

static void connection(const struct cell *cell, void *shared, int fd)
{
	void *session = stack.open(shared, cell, fd);
	char why[128] = "the handshake";
	struct cell_told told = { .resumed = "" };
	bool up = stack.shake(session), ok = up;

	if (up) {
		stack.tell(session, &told);
		cell_say("up version=%s suite=%s resumed=%s", told.version, told.suite,
		         told.resumed);
		ok = cell->serve ? server_talk(cell, session, why, sizeof(why))
		                 : client_talk(cell, session, why, sizeof(why));
	}
	stack.tell(session, &told);
	if (ok)
		cell_say("ok version=%s suite=%s resumed=%s psk=%d again=%u", told.version,
		         told.suite, told.resumed, told.psk, told.again);
	else
		cell_say("failed %s: %s", why, told.why);
	if (!ok && up)
		stack.close(session); /* a peer of datagrams would wait */
	stack.free(session);
	(void)close(fd);
}

static void play(const struct cell *cell)
{
	char why[320] = "";
	void *shared = NULL;
	int listener[2] = { -1, -1 }, fd;

	if (!stack.begin(cell, &shared, why, sizeof(why))) {
		cell_say("failed before: %s", why);
		return;
	}
	if (cell->serve) {
		listener[0] = served(cell);
		listener[1] = cell->datagrams ? served(cell) : -1;
		cell_say("port %d,%d", port_of(listener[0]),
		         cell->datagrams ? port_of(listener[1]) : 0);
	}
	for (int i = 0; i < cell->conns && i < 2; i++) {
		fd = cell->serve ? accepted(cell, listener[cell->datagrams ? i : 0])
		                 : connected(cell, i);
		if (fd < 0) {
			cell_say("failed nobody %s", cell->serve ? "came" : "listens");
			break;
		}
		connection(cell, shared, fd);
	}
	for (int i = 0; i < 2; i++)
		if (listener[i] >= 0)
			(void)close(listener[i]);
	stack.end(shared);
}

int main(void)
{
	char line[4096], *words[32], *next, *at;
	struct cell cell;
	size_t n;

	(void)signal(SIGPIPE, SIG_IGN);
	while (fgets(line, sizeof(line), stdin)) {
		n = 0;
		for (at = strtok_r(line, " \n", &next); at && n < 31;
		     at = strtok_r(NULL, " \n", &next))
			words[n++] = at;
		words[n] = NULL;
		if (!n)
			continue;
		cell = cell_of(words);
		play(&cell);
		cell_say("end");
	}
	return 0;
}
