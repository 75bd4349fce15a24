/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/media.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP        16384U
#define BACKLOG     4
#define PATIENCE_MS 30000
#define NO_MEMORY   BASE_ERR(BASE_LOCAL, 0)

struct ue_media {
	const struct ue_media_env *env;
	enum ue_media_kind kind;
	char *session;
	union stream_addr local; /* where we are; connections leave from there, by any port */
	struct loop_fd door;     /* who wants to be the peer; -1 when nobody is waited for */
	struct stream *stream;
	struct ue_chat *chat;
	struct ue_floor *floor;
	struct loop_task flush;
	struct loop_timer tick, late;
	/* kept until the peer has come */
	struct tls_domain *domain;
	enum tls_role role;
	struct base_secret psk, psk_identity; /* the second is no secret */
	bool with_psk, connects;
	bool started, over, ending;
	bool held; /* the peer reads slowly */
};

const char *ue_media_name(enum ue_media_kind kind)
{
	return kind == UE_MSRP ? "msrp" : "bfcp";
}

/* ---- octets out ---- */

static void on_flush(void *arg);
static void on_tick(void *arg);

static void flush_soon(void *arg)
{
	struct ue_media *m = arg;

	loop_defer(m->env->loop, &m->flush, on_flush, m);
}

static void clock_set(struct ue_media *m)
{
	uint64_t now = loop_now_ms(m->env->loop);
	uint64_t due = m->chat ? ue_chat_due(m->chat) : ue_floor_due(m->floor);

	loop_timer_stop(m->env->loop, &m->tick);
	if (due != UINT64_MAX)
		loop_timer_start(m->env->loop, &m->tick, due > now ? due - now : 1, on_tick, m);
}

static size_t take(struct ue_media *m, char *buf, size_t cap)
{
	return m->chat ? ue_chat_take(m->chat, buf, cap, loop_now_ms(m->env->loop))
	               : ue_floor_take(m->floor, buf, cap);
}

static void on_flush(void *arg)
{
	struct ue_media *m = arg;
	char buf[STEP];
	size_t n;

	if (m->over || !m->stream || !stream_is_up(m->stream))
		return;
	while (!m->held && (n = take(m, buf, sizeof(buf))) != 0) {
		int rc = stream_write(m->stream, buf, n);

		m->held = rc && base_err_class(rc) == BASE_AGAIN;
		if (rc && !m->held)
			return; /* on_end tells */
	}
	clock_set(m);
	if ((m->ending && !m->held) || (m->floor && ue_floor_over(m->floor)))
		stream_end(m->stream);
}

static void on_tick(void *arg)
{
	struct ue_media *m = arg;
	uint64_t now = loop_now_ms(m->env->loop);

	if (m->chat)
		ue_chat_tick(m->chat, now);
	else
		ue_floor_tick(m->floor, now);
	on_flush(m);
}

/* ---- the connection ---- */

static void tell_up(struct ue_media *m, const struct stream *stream)
{
	char remote[STREAM_ADDR_TEXT];
	struct tls_info info = { 0 };
	bool tls = stream_tls(stream, &info);

	UE_TELL(m->env->events, "media.up", { "session", base_str_of(m->session) },
	        { "kind", base_str_of(ue_media_name(m->kind)) },
	        { "remote",
	          base_str_of(stream_addr_format(stream_remote(stream), remote, sizeof(remote))) },
	        { "tls", base_str_of(tls ? info.version_name : NULL) },
	        { "suite", base_str_of(tls ? info.suite_name : NULL) },
	        { "role", base_str_of(!tls                         ? NULL
	                              : m->role == TLS_ROLE_CLIENT ? "client"
	                                                           : "server") },
	        { "psk-identity", base_str_of(tls ? info.psk_identity : NULL) });
}

static void on_up(void *arg, struct stream *stream)
{
	struct ue_media *m = arg;

	loop_timer_stop(m->env->loop, &m->late);
	tell_up(m, stream);
	/* Whoever has connected speaks first (RFC 4975, 5.4; RFC 8855, 12.4). */
	if (m->chat && m->connects)
		(void)ue_chat_hello(m->chat);
	if (m->floor)
		(void)ue_floor_hello(m->floor, loop_now_ms(m->env->loop));
	on_flush(m);
}

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct ue_media *m = arg;
	struct base_str in = data;
	struct base_error err = { 0 };
	uint64_t now = loop_now_ms(m->env->loop);
	int rc;

	if (m->chat) {
		rc = ue_chat_input(m->chat, &in, now, &err);
	} else {
		rc = ue_floor_input(m->floor, in, now);
		in.len = 0;
	}
	if (rc) {
		UE_TELL(m->env->events, "media.fault", { "session", base_str_of(m->session) },
		        { "kind", base_str_of(ue_media_name(m->kind)) },
		        { "text", base_str_of(err.text[0] ? err.text : "not to be read") });
		stream_end(stream);
		return data.len;
	}
	flush_soon(m);
	return data.len - in.len;
}

static void on_writable(void *arg, struct stream *stream)
{
	struct ue_media *m = arg;

	(void)stream;
	m->held = false;
	on_flush(m);
}

/** No connection is there any more: tell it, once. */
static void end(struct ue_media *m, const char *cause, const char *text)
{
	if (m->over)
		return;
	m->over = true;
	loop_timer_stop(m->env->loop, &m->late);
	loop_timer_stop(m->env->loop, &m->tick);
	loop_defer_stop(m->env->loop, &m->flush);
	base_secret_done(&m->psk);
	ue_chat_free(m->chat);
	m->chat = NULL;
	UE_TELL(m->env->events, "media.end", { "session", base_str_of(m->session) },
	        { "kind", base_str_of(ue_media_name(m->kind)) }, { "cause", base_str_of(cause) },
	        { "text", base_str_of(text) });
}

static void on_end(void *arg, struct stream *stream, const struct stream_end *why)
{
	struct ue_media *m = arg;

	end(m, stream_cause_name(why->cause), why->text);
	stream_free(stream);
	m->stream = NULL;
}

static void on_late(void *arg)
{
	struct ue_media *m = arg;

	loop_fd_close(m->env->loop, &m->door);
	end(m, stream_cause_name(STREAM_LATE),
	    m->stream ? "who has connected says nothing" : "nobody has connected");
	stream_free(m->stream);
	m->stream = NULL;
}

/** What the stream is to be; the strings live as long as `m` does. */
static struct stream_spec spec_of(struct ue_media *m, struct tls_session_spec *session,
                                  struct tls_psk *psk)
{
	*psk = (struct tls_psk){ .identity = { (const char *)m->psk_identity.data,
		                               m->psk_identity.len },
		                 .key = m->psk };
	*session = (struct tls_session_spec){ .role = m->role,
		                              .psks = m->with_psk ? psk : NULL,
		                              .psk_count = m->with_psk };
	return (struct stream_spec){
		.ops = { .on_up = on_up,
		         .on_data = on_data,
		         .on_writable = on_writable,
		         .on_end = on_end,
		         .arg = m },
		.domain = m->domain,
		.session = m->domain ? session : NULL,
		.connect_ms = m->env->patience_ms ? m->env->patience_ms : PATIENCE_MS,
	};
}

static void on_door(void *arg, unsigned events)
{
	struct ue_media *m = arg;
	struct tls_session_spec session;
	struct tls_psk psk;
	struct stream_spec spec = spec_of(m, &session, &psk);
	struct base_error err = { 0 };
	int fd;

	(void)events;
	do
		fd = accept4(m->door.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return;
	loop_fd_close(m->env->loop, &m->door); /* the first who comes is the peer */
	if (stream_adopt(&m->stream, m->env->streams, fd, &spec, &err))
		end(m, stream_cause_name(STREAM_RESOURCES), err.text);
	base_secret_done(&m->psk);
}

/* ---- life ---- */

static int door_open(struct ue_media *m, union stream_addr *local, struct base_error *err)
{
	socklen_t len = sizeof(*local);
	int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	m->door = (struct loop_fd){ .fd = fd, .fn = on_door, .arg = m };
	if (fd < 0 || bind(fd, &local->sa, stream_addr_len(local)) != 0 ||
	    listen(fd, BACKLOG) != 0 || getsockname(fd, &local->sa, &len) != 0) {
		char text[STREAM_ADDR_TEXT];

		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "%s: %s",
		                      stream_addr_format(local, text, sizeof(text)),
		                      strerror(errno));
	}
	return 0;
}

int ue_media_new(struct ue_media **ret, const struct ue_media_env *env, enum ue_media_kind kind,
                 const char *session, union stream_addr *local, struct base_error *err)
{
	struct ue_media *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return base_error_set(err, NO_MEMORY, "out of memory");
	m->env = env;
	m->kind = kind;
	m->door.fd = -1;
	m->session = strdup(session);
	m->local = *local;
	rc = m->session ? door_open(m, local, err)
	                : base_error_set(err, NO_MEMORY, "out of memory");
	if (rc) {
		ue_media_free(m);
		return rc;
	}
	*ret = m;
	return 0;
}

void ue_media_free(struct ue_media *m)
{
	if (!m)
		return;
	if (m->door.fd >= 0 && m->started && !m->connects)
		loop_fd_close(m->env->loop, &m->door);
	else if (m->door.fd >= 0)
		(void)close(m->door.fd);
	loop_timer_stop(m->env->loop, &m->late);
	loop_timer_stop(m->env->loop, &m->tick);
	loop_defer_stop(m->env->loop, &m->flush);
	stream_free(m->stream);
	ue_chat_free(m->chat);
	ue_floor_free(m->floor);
	tls_domain_unref(m->domain);
	base_secret_done(&m->psk);
	base_secret_done(&m->psk_identity);
	free(m->session);
	free(m);
}

static int inner_new(struct ue_media *m, const struct ue_media_start *start, struct base_error *err)
{
	struct ue_chat_spec chat = { .own = start->own,
		                     .peer = start->peer,
		                     .self = m->env->self,
		                     .room = start->room,
		                     .session = m->session,
		                     .inbox = &m->env->inbox,
		                     .events = m->env->events,
		                     .wake = flush_soon,
		                     .arg = m };
	struct ue_floor_spec floor = start->floor;

	if (m->kind == UE_MSRP)
		return ue_chat_new(&m->chat, &chat, err);
	floor.session = m->session;
	floor.events = m->env->events;
	floor.wake = flush_soon;
	floor.arg = m;
	if (ue_floor_new(&m->floor, &floor))
		return base_error_set(err, NO_MEMORY, "out of memory");
	return 0;
}

static int keys_copy(struct ue_media *m, const struct ue_media_start *start)
{
	m->domain = start->domain ? tls_domain_ref(start->domain) : NULL;
	m->role = start->role;
	m->connects = start->connect;
	m->with_psk = start->psk != NULL;
	if (!start->psk)
		return 0;
	if (base_secret_set(&m->psk, start->psk->key.data, start->psk->key.len) ||
	    base_secret_set(&m->psk_identity, start->psk->identity.ptr, start->psk->identity.len))
		return NO_MEMORY;
	return 0;
}

static int join(struct ue_media *m, const struct ue_media_start *start, struct base_error *err)
{
	struct tls_session_spec session;
	struct tls_psk psk;
	struct stream_spec spec = spec_of(m, &session, &psk);
	uint32_t patience = m->env->patience_ms ? m->env->patience_ms : PATIENCE_MS;
	union stream_addr from;
	char text[STREAM_ADDR_TEXT];
	int rc;

	if (start->connect) {
		(void)close(m->door.fd);
		m->door.fd = -1;
		rc = stream_addr_ip(
		        &from, base_str_of(stream_addr_host(&m->local, text, sizeof(text))), 0);
		if (!rc)
			rc = stream_connect(&m->stream, m->env->streams, &start->remote, &from,
			                    &spec, err);
		base_secret_done(&m->psk);
		return rc;
	}
	if (loop_fd_start(m->env->loop, &m->door))
		return base_error_set(err, NO_MEMORY, "the socket cannot be watched");
	m->started = true;
	loop_timer_start(m->env->loop, &m->late, patience, on_late, m);
	return 0;
}

int ue_media_start(struct ue_media *m, const struct ue_media_start *start, struct base_error *err)
{
	int rc = inner_new(m, start, err);

	if (!rc && keys_copy(m, start))
		rc = base_error_set(err, NO_MEMORY, "out of memory");
	if (!rc)
		rc = join(m, start, err);
	m->started = !rc;
	return rc;
}

void ue_media_end(struct ue_media *m)
{
	if (m->over || m->ending)
		return;
	m->ending = true;
	if (m->door.fd >= 0 && m->started)
		loop_fd_close(m->env->loop, &m->door);
	if (!m->stream) {
		end(m, stream_cause_name(STREAM_DONE), "ended before anybody had connected");
		return;
	}
	if (stream_is_up(m->stream))
		flush_soon(m); /* Goodbye is for datagrams (RFC 8855, 5.3.16): a stream just ends */
	else
		stream_end(m->stream);
}

struct ue_chat *ue_media_chat(const struct ue_media *m)
{
	return m->over ? NULL : m->chat;
}

struct ue_floor *ue_media_floor(const struct ue_media *m)
{
	return m->over ? NULL : m->floor;
}

enum ue_media_kind ue_media_kind(const struct ue_media *m)
{
	return m->kind;
}

bool ue_media_over(const struct ue_media *m)
{
	return m->over;
}

bool ue_media_busy(const struct ue_media *m)
{
	return !m->over && m->stream &&
	       ((m->chat && ue_chat_busy(m->chat)) || stream_waiting(m->stream) != 0);
}
