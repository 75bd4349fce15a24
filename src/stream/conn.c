/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one connection: how it begins, what its deadlines are, how it ends. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/private.h"

#define CONNECT_MS   10000
#define HANDSHAKE_MS 10000
#define LINGER_MS    5000
#define OUTPUT_MAX   (1U << 20)
#define OUTPUT_MARK  (64U << 10)
#define INPUT_MAX    (128U << 10)

/* ---- whom nobody owns ---- */

static size_t nobody_data(void *arg, struct stream *stream, struct base_str data)
{
	(void)arg;
	(void)stream;
	return data.len;
}

static void nobody_end(void *arg, struct stream *stream, const struct stream_end *end)
{
	(void)arg;
	(void)end;
	stream_free(stream);
}

static const struct stream_ops nobody = { .on_data = nobody_data, .on_end = nobody_end };

/* ---- the end ---- */

const char *stream_cause_name(enum stream_cause cause)
{
	static const char *const names[] = {
		[STREAM_DONE] = "done",           [STREAM_REFUSED] = "refused",
		[STREAM_LATE] = "late",           [STREAM_RESET] = "reset",
		[STREAM_TRUNCATED] = "truncated", [STREAM_UNPROVEN] = "unproven",
		[STREAM_ALERT] = "alert",         [STREAM_FULL] = "full",
		[STREAM_RESOURCES] = "resources",
	};

	return names[cause];
}

/* Nothing moves any more; its owner may still look at it. */
static void stop(struct stream *s)
{
	struct loop *loop = s->streams->loop;

	s->state = STREAM_DEAD;
	if (s->w.fn)
		loop_fd_close(loop, &s->w);
	else if (s->w.fd >= 0)
		close(s->w.fd);
	s->w.fd = -1;
	loop_timer_stop(loop, &s->limit);
	loop_timer_stop(loop, &s->idle);
	loop_timer_stop(loop, &s->stall);
	loop_timer_stop(loop, &s->deadline);
	stream_ask_leave(s);
	stream_again_stop(s);
	stream_queue_done(&s->early);
	stream_queue_done(&s->out);
	base_writer_done(&s->held);
	if (s->source)
		stream_source_leave(s->source);
	s->source = NULL;
}

/* What was gathered has an alert at its end, perhaps. */
static void last_words(struct stream *s)
{
	struct base_str v = stream_queue_view(&s->out);

	if (s->gathered && v.len && !s->deaf)
		(void)send(s->w.fd, v.ptr, v.len, MSG_NOSIGNAL); /* it is over whatever this says */
	s->gathered = false;
}

void stream_fail(struct stream *s, enum stream_cause cause, int error, const char *fmt, ...)
{
	va_list ap;

	if (s->state == STREAM_DEAD)
		return;
	va_start(ap, fmt);
	if (vasprintf(&s->text, fmt, ap) < 0)
		s->text = NULL; /* the words are lost, no more */
	va_end(ap);
	s->cause = cause;
	s->error = error;
	if (!s->was_up)
		s->streams->count.failed++;
	if (s->session)
		stream_shake_log(s, s->text ? s->text : "-");
	last_words(s);
	stop(s);
	stream_later(s);
}

static void tell_end(struct stream *s)
{
	struct stream_end end = { .cause = s->cause,
		                  .was_up = s->was_up,
		                  .error = s->error,
		                  .text = s->text ? s->text : "-" };

	if (s->over)
		return;
	s->over = true;
	s->spec.ops.on_end(s->spec.ops.arg, s, &end);
}

static void destroy(struct stream *s)
{
	base_list_remove(&s->node);
	loop_defer_stop(s->streams->loop, &s->later);
	tls_session_free(s->session);
	stream_slot_release(s->slot);
	stream_queue_done(&s->left);
	free(s->text);
	free(s);
}

static void on_reap(void *arg)
{
	struct streams *streams = arg;

	BASE_LIST_EACH(&streams->dead, node, after)
	destroy(BASE_CONTAINER_OF(node, struct stream, node));
}

void stream_reap(struct streams *streams)
{
	loop_defer_stop(streams->loop, &streams->reap);
	on_reap(streams);
}

void stream_free(struct stream *s)
{
	struct streams *streams;

	if (!s)
		return;
	streams = s->streams;
	stream_gathered(s);
	if (s->state == STREAM_UP && s->session && !s->ended && !stream_queue_len(&s->out)) {
		struct tls_io io = { .out = &streams->wire };

		base_writer_reset(&streams->wire);
		(void)tls_session_close(s->session, &io); /* it is over whatever this says */
		(void)send(s->w.fd, streams->wire.data, streams->wire.len, MSG_NOSIGNAL);
		base_writer_reset(&streams->wire);
	}
	if (s->state != STREAM_DEAD) {
		if (!s->was_up)
			streams->count.failed++;
		if (s->session)
			stream_shake_log(s, "given up by us");
		stop(s);
	}
	s->over = true;
	loop_defer_stop(streams->loop, &s->later);
	base_list_remove(&s->node);
	base_list_append(&streams->dead, &s->node);
	streams->conns_count--;
	loop_defer(streams->loop, &streams->reap, on_reap, streams);
}

void stream_release(struct stream *s)
{
	if (!s)
		return;
	if (s->over) {
		stream_free(s);
		return;
	}
	s->spec.ops = nobody;
	s->released = true;
	s->paused = false;
	stream_end(s);
	stream_later(s); /* it may have ended already, or have something left */
}

void stream_end(struct stream *s)
{
	if (s->state == STREAM_DEAD || s->end_wanted)
		return;
	s->end_wanted = true;
	if (s->state != STREAM_UP && !stream_queue_len(&s->early)) {
		stream_fail(s, STREAM_DONE, 0, "ended by us before it was up");
		return;
	}
	if (s->state == STREAM_UP) {
		stream_linger(s);
		stream_later(s);
	}
}

/* ---- deadlines ---- */

static void on_limit(void *arg)
{
	struct stream *s = arg;

	if (s->condemned)
		stream_condemned_end(s);
	else if (s->state == STREAM_CONNECTING)
		stream_fail(s, STREAM_LATE, ETIMEDOUT, "no answer to the connection request");
	else if (s->state == STREAM_SHAKING)
		stream_fail(s, STREAM_LATE, 0, "the peer did not finish the handshake in time");
	else
		stream_fail(s, STREAM_LATE, 0, "the peer did not end its side in time");
}

void stream_limit(struct stream *s, uint32_t ms)
{
	loop_timer_start(s->streams->loop, &s->limit, ms, on_limit, s);
}

void stream_linger(struct stream *s)
{
	if (!s->condemned)
		stream_limit(s, s->spec.linger_ms);
}

static void on_idle(void *arg)
{
	struct stream *s = arg;
	uint64_t quiet = loop_now_ms(s->streams->loop) - s->touched_ms;

	if (quiet >= s->spec.idle_ms)
		stream_fail(s, STREAM_LATE, 0, "no octet for %u ms", s->spec.idle_ms);
	else
		loop_timer_start(s->streams->loop, &s->idle, s->spec.idle_ms - quiet, on_idle, s);
}

static void on_stall(void *arg)
{
	struct stream *s = arg;
	uint64_t still = loop_now_ms(s->streams->loop) - s->moved_ms;

	if (!stream_queue_len(&s->out))
		return;
	if (still >= s->spec.stall_ms)
		stream_fail(s, STREAM_LATE, 0,
		            "%zu octets wait and the peer takes nothing for %u ms",
		            stream_queue_len(&s->out), s->spec.stall_ms);
	else
		loop_timer_start(s->streams->loop, &s->stall, s->spec.stall_ms - still, on_stall,
		                 s);
}

void stream_stall(struct stream *s)
{
	if (!s->spec.stall_ms)
		return;
	s->moved_ms = loop_now_ms(s->streams->loop);
	loop_timer_start(s->streams->loop, &s->stall, s->spec.stall_ms, on_stall, s);
}

static void on_deadline(void *arg)
{
	struct stream *s = arg;

	stream_fail(s, STREAM_LATE, 0, "%s", s->deadline_why);
}

void stream_deadline(struct stream *s, uint32_t ms, const char *why)
{
	s->deadline_why = why;
	if (ms && s->state != STREAM_DEAD)
		loop_timer_start(s->streams->loop, &s->deadline, ms, on_deadline, s);
	else
		loop_timer_stop(s->streams->loop, &s->deadline);
}

/* ---- events ---- */

static void on_later(void *arg)
{
	struct stream *s = arg;

	stream_again_tell(s);
	stream_gathered(s);
	if (s->state != STREAM_DEAD && s->state != STREAM_CONNECTING)
		stream_run(s);
	if (s->state == STREAM_DEAD)
		tell_end(s);
}

void stream_later(struct stream *s)
{
	loop_defer(s->streams->loop, &s->later, on_later, s);
}

static bool connected(struct stream *s)
{
	int no = 0;
	socklen_t len = sizeof(no);

	if (getsockopt(s->w.fd, SOL_SOCKET, SO_ERROR, &no, &len) < 0)
		no = errno;
	if (no)
		stream_fail(s, STREAM_REFUSED, no, "%s", strerror(no));
	else
		stream_begin(s);
	return s->state != STREAM_DEAD;
}

static void on_event(void *arg, unsigned events)
{
	struct stream *s = arg;

	if (s->state == STREAM_CONNECTING) {
		if (!(events & (LOOP_WRITABLE | LOOP_ERROR | LOOP_HANGUP)) || !connected(s))
			return;
	}
	if (events & LOOP_WRITABLE)
		stream_drain(s);
	if (events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR))
		s->readable = true;
	if (events & LOOP_URGENT)
		s->urgent = true;
	if (events & (LOOP_HANGUP | LOOP_ERROR))
		s->hangup = true;
	if (s->state != STREAM_DEAD)
		stream_run(s);
}

static void learn_local(struct stream *s)
{
	socklen_t len = sizeof(s->local);

	(void)getsockname(s->w.fd, &s->local.sa, &len); /* else it stays unknown */
}

void stream_begin(struct stream *s)
{
	learn_local(s);
	s->touched_ms = loop_now_ms(s->streams->loop);
	if (!s->session) {
		stream_up(s);
		return;
	}
	s->state = STREAM_SHAKING;
	stream_limit(s, s->spec.handshake_ms);
	if (!s->server)
		stream_shake(s, NULL, 0); /* a client has the first word */
}

/* ---- the beginning ---- */

int stream_new(struct stream **ret, struct streams *streams, int fd, struct base_error *err)
{
	struct stream *s = NULL;
	int one = 1;

	if (streams->conns_count < streams->config.conns_max)
		s = calloc(1, sizeof(*s));
	if (!s) {
		close(fd);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM),
		                      streams->conns_count < streams->config.conns_max
		                              ? "no memory"
		                              : "too many connections");
	}
	/* All three only make things better, where they apply. */
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	s->streams = streams;
	s->w.fd = fd;
	s->spec.ops = nobody;
	s->early.w.wipe = s->left.w.wipe = s->out.w.wipe =
	        true; /* keys may be in what programs say */
	base_list_append(&streams->conns, &s->node);
	streams->conns_count++;
	*ret = s;
	return 0;
}

#define DEFAULT(field, value)                                                                      \
	do {                                                                                       \
		if (!s->spec.field)                                                                \
			s->spec.field = (value);                                                   \
	} while (0)

int stream_setup(struct stream *s, const struct stream_spec *spec, bool server,
                 struct base_error *err)
{
	s->spec = *spec;
	s->spec.session = NULL;
	DEFAULT(connect_ms, CONNECT_MS);
	DEFAULT(handshake_ms, HANDSHAKE_MS);
	DEFAULT(linger_ms, LINGER_MS);
	DEFAULT(output_max, OUTPUT_MAX);
	DEFAULT(output_mark, BASE_MIN(OUTPUT_MARK, s->spec.output_max));
	DEFAULT(input_max, INPUT_MAX);
	s->server = spec->session ? spec->session->role == TLS_ROLE_SERVER : server;
	return spec->domain ? stream_shake_new(s, spec, err) : 0;
}

int stream_watch(struct stream *s, struct base_error *err)
{
	int rc;

	s->w.fn = on_event;
	s->w.arg = s;
	rc = loop_fd_start(s->streams->loop, &s->w);
	if (rc) {
		s->w.fn = NULL;
		return base_error_set(err, rc, "%s", strerror((int)base_err_detail(rc)));
	}
	s->touched_ms = loop_now_ms(s->streams->loop);
	if (s->spec.idle_ms)
		loop_timer_start(s->streams->loop, &s->idle, s->spec.idle_ms, on_idle, s);
	return 0;
}

/* What could not be set up is forgotten without a word. */
static int begun(struct stream *s, int rc, struct stream **ret)
{
	if (rc) {
		s->told = true;
		stream_free(s);
	} else {
		s->streams->count.connects++;
		*ret = s;
	}
	return rc;
}

static int socket_for(const union stream_addr *to, const union stream_addr *from, int *ret,
                      struct base_error *err)
{
	int one = 1, fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "no socket: %s",
		                      strerror(errno));
	/* A port of our own that was used a moment ago is wanted again (RFC 3261, 18). */
	if (from)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (from && bind(fd, &from->sa, stream_addr_len(from)) < 0) {
		char text[STREAM_ADDR_TEXT];
		int no = errno;

		close(fd);
		return base_error_set(err, BASE_ERR(BASE_CONFIG, no), "cannot use %s: %s",
		                      stream_addr_format(from, text, sizeof(text)), strerror(no));
	}
	*ret = fd;
	return 0;
}

int stream_connect(struct stream **ret, struct streams *streams, const union stream_addr *to,
                   const union stream_addr *from, const struct stream_spec *spec,
                   struct base_error *err)
{
	struct stream *s = NULL;
	int no = 0, fd = -1, rc = socket_for(to, from, &fd, err);

	if (!rc)
		rc = stream_new(&s, streams, fd, err);
	if (!s)
		return rc;
	s->remote = *to;
	rc = stream_setup(s, spec, false, err);
	if (!rc && connect(fd, &to->sa, stream_addr_len(to)) < 0)
		no = errno;
	learn_local(s); /* the kernel has chosen it by now */
	if (!rc)
		rc = stream_watch(s, err);
	if (!rc)
		stream_limit(s, s->spec.connect_ms);
	rc = begun(s, rc, ret);
	if (!rc && no && no != EINPROGRESS)
		stream_fail(s, STREAM_REFUSED, no, "%s", strerror(no));
	return rc;
}

int stream_adopt(struct stream **ret, struct streams *streams, int fd,
                 const struct stream_spec *spec, struct base_error *err)
{
	struct stream *s = NULL;
	socklen_t len = sizeof(s->remote);
	int rc = stream_new(&s, streams, fd, err);

	if (!s)
		return rc;
	(void)getpeername(fd, &s->remote.sa, &len); /* else it stays unknown */
	rc = stream_setup(s, spec, false, err);
	return begun(s, rc ? rc : stream_watch(s, err), ret);
}

/* ---- what is known of it ---- */

bool stream_is_up(const struct stream *s)
{
	return s->state == STREAM_UP;
}

size_t stream_waiting(const struct stream *s)
{
	return stream_queue_len(&s->early) + stream_queue_len(&s->out);
}

const union stream_addr *stream_remote(const struct stream *s)
{
	return &s->remote;
}

const union stream_addr *stream_local(const struct stream *s)
{
	return &s->local;
}

bool stream_tls(const struct stream *s, struct tls_info *ret)
{
	if (s->session)
		tls_session_info(s->session, ret);
	return s->session != NULL;
}

const struct tls_session *stream_session(const struct stream *s)
{
	return s->session;
}

void stream_ops_set(struct stream *s, const struct stream_ops *ops)
{
	s->spec.ops = *ops;
}

void *stream_arg(const struct stream *s)
{
	return s->spec.ops.arg;
}
