/* SPDX-License-Identifier: Apache-2.0 */
#include "check/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

int64_t check_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- whom -------------------------------------------------------------------------------------- */

static bool where_split(struct check_target *t, const char *where)
{
	const char *colon = strrchr(where, ':'), *begin = where, *end = colon;
	uint64_t port;

	if (!colon || base_str_u64(base_str_of(colon + 1), 65535, &port) || !port)
		return false;
	if (*begin == '[' && end > begin && end[-1] == ']') {
		begin++;
		end--;
	}
	if (end == begin || (size_t)(end - begin) >= sizeof(t->host))
		return false;
	memcpy(t->host, begin, (size_t)(end - begin));
	t->host[end - begin] = '\0';
	t->port = (uint16_t)port;
	return true;
}

/* -- a connection ------------------------------------------------------------------------------ */

/** Wait for `events`. @return false when the time is over */
static bool wire_wait(const struct check_wire *w, short events)
{
	int64_t until = check_now_ms() + w->wait_ms;
	bool last = w->until_ms && until > w->until_ms;
	int rc;

	until = last ? w->until_ms : until;

	do {
		struct pollfd fd[] = { { .fd = w->fd, .events = events },
			               { .fd = w->beside ? w->beside->fd : -1, .events = POLLIN } };
		int64_t left = until - check_now_ms();

		rc = poll(fd, 2, left > 0 ? (int)left : 0);
		if (rc > 0 && !fd[0].revents)
			return false;
	} while (rc < 0 && errno == EINTR);
	if (rc <= 0 && last) /* whatever it said before: who asks for so much time gets no more */
		atomic_fetch_add(&w->target->stalled, 1);
	return rc > 0;
}

static enum check_outcome wire_connect(struct check_wire *w)
{
	const struct check_target *t = w->target;
	int on = 1, error = 0;
	socklen_t len = sizeof(error);

	w->fd = socket(t->address.ss_family,
	               (t->dtls ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return CHECK_UNREACHABLE;
	if (!t->dtls) /* only for speed */
		(void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!connect(w->fd, (const struct sockaddr *)&t->address, t->address_len))
		return CHECK_NOTHING;
	if (errno != EINPROGRESS)
		return CHECK_UNREACHABLE;
	if (!wire_wait(w, POLLOUT))
		return CHECK_STALLED;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) || error)
		return CHECK_UNREACHABLE;
	return CHECK_NOTHING;
}

/** Of several addresses the first that somebody listens at; where none does, the first. */
static void address_choose(struct check_target *t, const struct addrinfo *found)
{
	bool alone = !found->ai_next || t->dtls || t->listens, good = alone;

	for (const struct addrinfo *a = found; a && !good; a = a->ai_next) {
		struct check_wire w = { .target = t, .fd = -1, .wait_ms = t->timeout_ms };

		memcpy(&t->address, a->ai_addr, a->ai_addrlen);
		t->address_len = a->ai_addrlen;
		good = wire_connect(&w) == CHECK_NOTHING;
		check_wire_close(&w);
	}
	if (good && !alone)
		return;
	memcpy(&t->address, found->ai_addr, found->ai_addrlen);
	t->address_len = found->ai_addrlen;
}

int check_target_find(struct check_target *t, const char *where, struct base_error *err)
{
	struct addrinfo hints = { .ai_socktype = t->dtls ? SOCK_DGRAM : SOCK_STREAM }, *found;
	char port[8];
	uint8_t address[16];
	int rc;

	if (!where_split(t, where))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%s' is not HOST:PORT, nor [ADDRESS]:PORT", where);
	(void)snprintf(port, sizeof(port), "%u", t->port);
	rc = getaddrinfo(t->host, port, &hints, &found);
	if (rc)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "'%s': %s", t->host,
		                      gai_strerror(rc));
	(void)snprintf(t->name, sizeof(t->name), strchr(t->host, ':') ? "[%s]:%u" : "%s:%u",
	               t->host, t->port);
	address_choose(t, found);
	freeaddrinfo(found);
	/* RFC 6066, 3: no addresses in server_name */
	if (inet_pton(AF_INET, t->host, address) != 1 && inet_pton(AF_INET6, t->host, address) != 1)
		t->server_name = t->host;
	return 0;
}

bool check_wire_ready(const struct check_wire *w)
{
	struct pollfd fd = { .fd = w->fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

bool check_wire_send(struct check_wire *w, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t n = send(w->fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno != EAGAIN || !wire_wait(w, POLLOUT)))
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

bool check_wire_more(struct check_wire *w)
{
	uint8_t piece[16384];
	ssize_t n;

	if (w->ended || !wire_wait(w, POLLIN))
		return false;
	n = recv(w->fd, piece, sizeof(piece), 0);
	if (n > 0)
		base_writer_put(&w->in, piece, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		w->ended = true;
	return !w->in.failed;
}

void check_wire_close(struct check_wire *w)
{
	if (w->fd >= 0)
		(void)close(w->fd); /* nothing more is asked of it */
	w->fd = -1;
	base_writer_done(&w->in);
}

/* -- the words before TLS ---------------------------------------------------------------------- */

struct words {
	const char *say; /**< NULL = nothing, only listen */
	size_t len;
	const char
	        *hear; /**< how the last line has to begin; octets of LDAP: what has to be in it */
};

#define SAY(text) (text), sizeof(text) - 1

/** ExtendedRequest 1.3.6.1.4.1.1466.20037, message 1; success is resultCode 0. */
#define LDAP_ASK                                                                                   \
	"\x30\x1d\x02\x01\x01\x77\x18\x80\x16"                                                     \
	"1.3.6.1.4.1.1466.20037"

static const struct {
	const char *name;
	struct words step[4];
} styles[] = {
	[CHECK_STARTTLS_NONE] = { "none", { { NULL, 0, NULL } } },
	[CHECK_STARTTLS_SMTP] = { "smtp",
	                          { { NULL, 0, "220 " },
	                            { SAY("EHLO check.invalid\r\n"), "250 " },
	                            { SAY("STARTTLS\r\n"), "220 " } } },
	[CHECK_STARTTLS_IMAP] = { "imap",
	                          { { NULL, 0, "* " }, { SAY("a STARTTLS\r\n"), "a OK" } } },
	[CHECK_STARTTLS_POP3] = { "pop3", { { NULL, 0, "+OK" }, { SAY("STLS\r\n"), "+OK" } } },
	[CHECK_STARTTLS_FTP] = { "ftp", { { NULL, 0, "220 " }, { SAY("AUTH TLS\r\n"), "234" } } },
	[CHECK_STARTTLS_LDAP] = { "ldap", { { SAY(LDAP_ASK), NULL } } },
};

int check_starttls_find(const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(styles); i++)
		if (!strcmp(styles[i].name, name))
			return (int)i;
	return -1;
}

/** 1 as it has to be, 0 not yet, -1 another answer. */
static int line_heard(const struct base_writer *in, const char *hear)
{
	struct base_str text = base_writer_view(in);
	size_t at = text.len, len = strlen(hear);

	if (!text.len || text.ptr[text.len - 1] != '\n')
		return 0;
	for (at--; at && text.ptr[at - 1] != '\n'; at--)
		;
	if (text.len - at >= len && !memcmp(text.ptr + at, hear, len))
		return 1;
	return text.len - at > 3 && text.ptr[at + 3] == '-' ? 0
	                                                    : -1; /* more lines of this answer */
}

static int ldap_heard(const struct base_writer *in)
{
	struct base_reader r = base_reader_of(in->data, in->len);
	size_t len;

	(void)base_reader_u8(&r);
	len = base_reader_u8(&r);
	if (len & 0x80) { /* the long form, as OpenLDAP has it not, others do */
		size_t octets = len & 0x7f;

		for (len = 0; octets && octets <= 4; octets--)
			len = len << 8 | base_reader_u8(&r);
	}
	if (r.failed || base_reader_left(&r) < len)
		return 0;
	for (size_t i = 0; i + 3 <= base_reader_left(&r); i++)
		if (!memcmp(r.at + i, "\x0a\x01", 2))
			return r.at[i + 2] == 0 ? 1 : -1;
	return -1;
}

static enum check_outcome words_exchange(struct check_wire *w)
{
	const struct words *step = styles[w->target->starttls].step;

	for (; step->say || step->hear; step++) {
		int heard = 0;

		base_writer_reset(&w->in);
		if (step->say && !check_wire_send(w, step->say, step->len))
			return CHECK_UNREACHABLE;
		while (!heard) {
			if (!check_wire_more(w))
				return w->ended ? CHECK_UNREACHABLE : CHECK_STALLED;
			heard = step->hear ? line_heard(&w->in, step->hear) : ldap_heard(&w->in);
			if (heard < 0 || w->in.len > 16384)
				return CHECK_GARBLED;
		}
	}
	base_writer_reset(&w->in);
	return CHECK_NOTHING;
}

void check_wire_begin(struct check_wire *w, struct check_target *target)
{
	*w = (struct check_wire){ .target = target,
		                  .fd = -1,
		                  .in = { .limit = CHECK_ANSWER_MAX },
		                  .wait_ms = target->timeout_ms,
		                  .until_ms = check_now_ms() + 10 * (int64_t)target->timeout_ms };
}

enum check_outcome check_wire_open(struct check_wire *w, struct check_target *target)
{
	enum check_outcome outcome;

	check_wire_begin(w, target);
	if (atomic_fetch_add(&target->opened, 1) >= target->connections) {
		atomic_fetch_sub(&target->opened, 1); /* it was not made */
		return CHECK_UNREACHABLE;
	}
	outcome = wire_connect(w);
	if (outcome == CHECK_NOTHING)
		outcome = words_exchange(w);
	if (outcome == CHECK_STALLED)
		atomic_fetch_add(&target->stalled, 1);
	return outcome;
}
