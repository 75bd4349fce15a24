/* SPDX-License-Identifier: Apache-2.0 */
/* Those who come, and how many of them may. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/private.h"

#define CONNS_MAX       1024
#define ACCEPT_AGAIN_MS 200
/* Accepted in one go before others get their turn. */
#define BURST 64

/* Listeners outlive their freeing while somebody who came by them is there. */
struct stream_listener {
	struct base_node node;
	struct streams *streams;
	struct loop_fd w;
	struct loop_timer again; /* out of descriptors: no event comes for those who wait */
	struct loop_task more;
	struct stream_listen_spec spec;
	union stream_addr local;
	struct base_map sources;
	size_t conns;
	bool closed, busy, paused;
};

/** One peer address. */
struct stream_source {
	struct base_map_node node;
	struct stream_listener *listener;
	size_t count;
	uint8_t key[17];
	size_t key_len;
};

static void accept_all(void *arg);

/* ---- sources ---- */

/* The host, not the port; of IPv6 the network of 64 bits that one subscriber has. */
static size_t source_key(const union stream_addr *addr, uint8_t key[17])
{
	bool mapped = addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr);

	key[0] = addr->sa.sa_family == AF_INET || mapped ? 4 : 6;
	if (addr->sa.sa_family == AF_INET)
		memcpy(key + 1, &addr->in.sin_addr, 4);
	else if (mapped)
		memcpy(key + 1, (const uint8_t *)&addr->in6.sin6_addr + 12, 4);
	else if (addr->sa.sa_family == AF_INET6)
		memcpy(key + 1, &addr->in6.sin6_addr, 8);
	else
		return 1;
	return key[0] == 4 ? 5 : 9;
}

static void listener_destroy(struct stream_listener *l)
{
	if (!l->closed || l->conns || l->busy)
		return;
	base_list_remove(&l->node);
	base_map_done(&l->sources);
	free(l);
}

void stream_source_leave(struct stream_source *source)
{
	struct stream_listener *l = source->listener;

	if (--source->count == 0) {
		base_map_remove(&l->sources, &source->node);
		free(source);
	}
	l->conns--;
	listener_destroy(l);
}

/* @return NULL: it has too many already, or there is no memory */
static struct stream_source *source_enter(struct stream_listener *l, const union stream_addr *addr)
{
	uint8_t key[17];
	size_t len = source_key(addr, key);
	struct base_map_node *node =
	        base_map_find(&l->sources, (struct base_str){ (char *)key, len });
	struct stream_source *source =
	        node ? BASE_CONTAINER_OF(node, struct stream_source, node) : NULL;

	if (l->conns >= l->spec.conns_max || (source && source->count >= l->spec.source_max))
		return NULL;
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return NULL;
		source->listener = l;
		memcpy(source->key, key, len);
		if (base_map_insert(&l->sources, (struct base_str){ (char *)source->key, len },
		                    &source->node)) {
			free(source);
			return NULL;
		}
	}
	source->count++;
	l->conns++;
	return source;
}

/* ---- who comes ---- */

static void turn_away(struct stream_listener *l, struct stream *s)
{
	l->streams->count.turned_away++;
	s->was_up = true; /* it has not failed: it was never to be */
	s->told = true;
	stream_free(s);
}

static void welcome(struct stream_listener *l, int fd, const union stream_addr *from)
{
	struct stream_source *source = source_enter(l, from);
	struct stream_spec spec = { 0 };
	struct base_error err;
	struct stream *s;

	if (!source) {
		close(fd);
		l->streams->count.turned_away++;
		return;
	}
	if (stream_new(&s, l->streams, fd, NULL)) {
		stream_source_leave(source);
		l->streams->count.turned_away++;
		return;
	}
	s->source = source;
	s->accepted = true;
	s->remote = *from;
	if (!l->spec.fn(l->spec.arg, s, &spec)) {
		turn_away(l, s);
		return;
	}
	if (stream_setup(s, &spec, true, &err) || stream_watch(s, &err)) {
		base_log(BASE_LOG_WARN, l->streams->config.area, "nobody can be let in: %s",
		         err.text);
		stream_fail(s, STREAM_RESOURCES, ENOMEM, "%s", err.text);
	}
	l->streams->count.accepts++;
	if (s->state != STREAM_DEAD)
		stream_begin(s);
}

static bool out_of_room(int no)
{
	return no == EMFILE || no == ENFILE || no == ENOBUFS || no == ENOMEM;
}

/* One who waits. @return false: there is none, or none can be had now */
static bool accept_one(struct stream_listener *l)
{
	union stream_addr from;
	socklen_t len = sizeof(from);
	int fd;

	memset(&from, 0, sizeof(from));
	fd = accept4(l->w.fd, &from.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (fd < 0 && out_of_room(errno)) {
		loop_timer_start(l->streams->loop, &l->again, ACCEPT_AGAIN_MS, accept_all, l);
		return false;
	}
	if (fd >= 0) /* else that one has gone already */
		welcome(l, fd, &from);
	return true;
}

static void accept_all(void *arg)
{
	struct stream_listener *l = arg;
	bool more = true;

	l->busy = true; /* who is told may end it */
	for (int i = 0; i < BURST && more && !l->closed && !l->paused; i++)
		more = accept_one(l);
	if (more && !l->closed && !l->paused)
		loop_defer(l->streams->loop, &l->more, accept_all, l);
	l->busy = false;
	listener_destroy(l);
}

static void on_accept(void *arg, unsigned events)
{
	if (events & LOOP_READABLE)
		accept_all(arg);
}

/* ---- listening ---- */

/* A path that a program of ours has left when it was killed: nobody answers there. */
static void unlink_stale(const union stream_addr *local)
{
	struct stat what;
	int fd;

	/* connect() says the same of a file that is no socket. */
	if (lstat(local->un.sun_path, &what) < 0 || !S_ISSOCK(what.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &local->sa, stream_addr_len(local)) < 0 && errno == ECONNREFUSED)
		(void)unlink(local->un.sun_path); /* bind tells */
	close(fd);
}

static int bind_unix(int fd, const union stream_addr *local, unsigned mode)
{
	unlink_stale(local);
	/* Nobody may come before the mode is right: nobody is listened to yet. */
	if (bind(fd, &local->sa, stream_addr_len(local)) < 0)
		return errno;
	return chmod(local->un.sun_path, mode ? mode : 0600) < 0 ? errno : 0;
}

static int bind_ip(int fd, const union stream_addr *local)
{
	int one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (local->sa.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	return bind(fd, &local->sa, stream_addr_len(local)) < 0 ? errno : 0;
}

static int open_at(struct stream_listener *l, struct base_error *err)
{
	bool local = l->local.sa.sa_family == AF_UNIX;
	int fd = socket(l->local.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(l->local);
	char text[STREAM_ADDR_TEXT];
	int no = fd < 0 ? errno : 0;

	if (!no)
		no = local ? bind_unix(fd, &l->local, l->spec.mode) : bind_ip(fd, &l->local);
	if (!no && listen(fd, SOMAXCONN) < 0)
		no = errno;
	if (!no && !local)
		(void)getsockname(fd, &l->local.sa, &len); /* of a socket that is bound */
	l->w = (struct loop_fd){ fd, on_accept, l };
	if (!no)
		no = (int)base_err_detail(loop_fd_start(l->streams->loop, &l->w));
	if (!no)
		return 0;
	if (fd >= 0)
		close(fd);
	return base_error_set(err, BASE_ERR(out_of_room(no) ? BASE_LOCAL : BASE_CONFIG, no),
	                      "cannot listen at %s: %s",
	                      stream_addr_format(&l->local, text, sizeof(text)), strerror(no));
}

int stream_listen(struct stream_listener **ret, struct streams *streams, union stream_addr *local,
                  const struct stream_listen_spec *spec, struct base_error *err)
{
	struct stream_listener *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	l->streams = streams;
	l->spec = *spec;
	l->local = *local;
	if (!l->spec.conns_max)
		l->spec.conns_max = CONNS_MAX;
	if (!l->spec.source_max)
		l->spec.source_max = l->spec.conns_max;
	rc = open_at(l, err);
	if (rc) {
		free(l);
		return rc;
	}
	base_list_append(&streams->listeners, &l->node);
	*local = l->local;
	*ret = l;
	return 0;
}

void stream_listener_free(struct stream_listener *l)
{
	if (!l)
		return;
	loop_fd_close(l->streams->loop, &l->w);
	loop_timer_stop(l->streams->loop, &l->again);
	loop_defer_stop(l->streams->loop, &l->more);
	if (l->local.sa.sa_family == AF_UNIX)
		(void)unlink(l->local.un.sun_path); /* it may have gone already */
	l->closed = true;
	listener_destroy(l);
}

void stream_listeners_free(struct streams *streams)
{
	BASE_LIST_EACH(&streams->listeners, node, after)
	stream_listener_free(BASE_CONTAINER_OF(node, struct stream_listener, node));
}

void stream_listener_pause(struct stream_listener *l, bool paused)
{
	bool resumed = l->paused && !paused;

	l->paused = paused;
	if (resumed && !l->closed)
		loop_defer(l->streams->loop, &l->more, accept_all, l);
}

const union stream_addr *stream_listener_local(const struct stream_listener *l)
{
	return &l->local;
}
