/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/demand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fetch/report.h"
#include "fetch/request.h"

#define PACKET_MAX  2048
#define ANSWERS_MAX 20000 /* packets that wait for a client who does not read: status has many */
#define GROUPS_MAX  64

struct fetch_demand {
	struct loop *loop;
	const struct fetch_demand_config *config;
	struct fetch_engine *engine;
	struct loop_fd listener;
	struct base_node clients;
	unsigned count;
	char path[108];
};

/* What a client gets when it can take it. */
struct answer {
	struct base_node node;
	size_t len;
	char text[];
};

struct waiter {
	struct base_node node;
	char url[];
};

struct client {
	struct base_node node;
	struct fetch_demand *demand;
	struct loop_fd watch;
	struct base_node waiters, answers;
	unsigned waiting, answer_count;
	bool dead; /* to be freed when nothing of it is on the stack */
};

/* ---- who ---- */

bool fetch_demand_may(const struct fetch_demand_config *config, uid_t own, uid_t uid,
                      const gid_t *groups, size_t group_count)
{
	if (uid == own)
		return true;
	for (size_t i = 0; i < config->user_count; i++)
		if (config->users[i] == uid)
			return true;
	for (size_t i = 0; i < config->group_count; i++)
		for (size_t k = 0; k < group_count; k++)
			if (config->groups[i] == groups[k])
				return true;
	return false;
}

static bool may(const struct fetch_demand *d, int fd, uid_t *uid)
{
	struct ucred cred;
	gid_t groups[GROUPS_MAX + 1];
	socklen_t cred_len = sizeof(cred), len = GROUPS_MAX * sizeof(groups[0]);
	size_t count = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) < 0)
		return false;
	*uid = cred.uid;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0)
		count = len / sizeof(groups[0]);
	groups[count++] = cred.gid;
	return fetch_demand_may(d->config, geteuid(), cred.uid, groups, count);
}

/* ---- a client ---- */

static void client_free(struct client *c)
{
	struct base_node *node;

	while ((node = base_list_shift(&c->waiters)))
		free(BASE_CONTAINER_OF(node, struct waiter, node));
	while ((node = base_list_shift(&c->answers)))
		free(BASE_CONTAINER_OF(node, struct answer, node));
	loop_fd_close(c->demand->loop, &c->watch);
	base_list_remove(&c->node);
	c->demand->count--;
	free(c);
}

static void flush(struct client *c)
{
	struct base_node *node;

	while (!c->dead && (node = base_list_shift(&c->answers))) {
		struct answer *a = BASE_CONTAINER_OF(node, struct answer, node);

		if (send(c->watch.fd, a->text, a->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			base_list_insert(&c->answers, node); /* first again */
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				return; /* LOOP_WRITABLE tells when */
			c->dead = errno != EINTR;
			continue;
		}
		c->answer_count--;
		free(a);
	}
}

static void answer(struct client *c, struct base_str text)
{
	struct answer *a = c->answer_count < ANSWERS_MAX ? malloc(sizeof(*a) + text.len) : NULL;

	if (!a) {
		c->dead = true; /* it asks and does not read */
		return;
	}
	a->len = text.len;
	memcpy(a->text, text.ptr, text.len);
	base_list_append(&c->answers, &a->node);
	c->answer_count++;
}

static void outcome(struct client *c, struct base_str url, const char *why)
{
	struct base_writer w = { 0 };

	if (why)
		base_writer_printf(&w, "failed %.*s %s\n", BASE_FMT(url), why);
	else
		base_writer_printf(&w, "done %.*s\n", BASE_FMT(url));
	answer(c, base_writer_view(&w));
	base_writer_done(&w);
}

static void crl_asked(struct client *c, struct base_str url)
{
	struct fetch_demand *d = c->demand;
	struct base_error err = { 0 };
	struct fetch_source *s = NULL;
	struct waiter *w;

	if (c->waiting >= d->config->per_client) {
		outcome(c, url, "too many requests at a time (socket.per-client)");
		return;
	}
	if (fetch_engine_demand(d->engine, url, &s, &err)) {
		base_log(BASE_LOG_INFO, "fetch", "event=demand-refused url=%.*s: %s", BASE_FMT(url),
		         err.text);
		outcome(c, url, err.text[0] ? err.text : "failed");
		return;
	}
	if (!s->wanted) { /* it was asked a moment ago */
		outcome(c, url, s->rc ? s->error : NULL);
		return;
	}
	w = malloc(sizeof(*w) + url.len + 1);
	if (!w) {
		outcome(c, url, "out of memory");
		return;
	}
	memcpy(w->url, url.ptr, url.len);
	w->url[url.len] = '\0';
	base_list_append(&c->waiters, &w->node);
	c->waiting++;
}

static void status_asked(struct client *c, bool json)
{
	struct base_writer w = { 0 };

	for (struct fetch_source *s = NULL;
	     !c->dead && (s = fetch_engine_next(c->demand->engine, s));) {
		base_writer_reset(&w);
		fetch_report_source(s, json, &w);
		if (w.len > 65536) /* a repository with very many CRLs: the metrics have them */
			w.len = 65536;
		answer(c, base_writer_view(&w));
	}
	base_writer_done(&w);
	if (!c->dead)
		answer(c, BASE_STR("end\n"));
}

static void asked(struct client *c, struct base_str packet)
{
	struct fetch_request request;

	if (fetch_request_parse(packet, &request)) {
		base_log(BASE_LOG_WARN, "fetch", "event=demand-malformed: the client is cut off");
		c->dead = true;
	} else if (request.what == FETCH_ASKED_CRL) {
		crl_asked(c, request.url);
	} else if (request.what == FETCH_ASKED_STATUS) {
		status_asked(c, request.json);
	} else {
		fetch_engine_refresh(c->demand->engine);
		answer(c, BASE_STR("done\n"));
	}
}

static void on_client(void *arg, unsigned events)
{
	struct client *c = arg;
	char packet[PACKET_MAX];

	(void)events;
	while (!c->dead) {
		ssize_t len = recv(c->watch.fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (len <= 0)
			c->dead = true;
		else if ((size_t)len > sizeof(packet))
			asked(c, (struct base_str){ 0 }); /* malformed */
		else
			asked(c, (struct base_str){ packet, (size_t)len });
		flush(c);
	}
	flush(c);
	if (c->dead)
		client_free(c);
}

static void client_new(struct fetch_demand *d, int fd)
{
	struct client *c;
	uid_t uid = (uid_t)-1;

	if (d->count >= d->config->clients || !may(d, fd, &uid)) {
		base_log(BASE_LOG_WARN, "fetch", "event=client-refused uid=%ld: %s", (long)(int)uid,
		         d->count >= d->config->clients ? "too many (socket.clients)"
		                                        : "neither in socket.users nor "
		                                          "in socket.groups");
		(void)close(fd); /* nothing was said */
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		(void)close(fd); /* likewise */
		return;
	}
	c->demand = d;
	c->watch = (struct loop_fd){ .fd = fd, .fn = on_client, .arg = c };
	base_list_init(&c->waiters);
	base_list_init(&c->answers);
	base_list_append(&d->clients, &c->node);
	d->count++;
	if (loop_fd_start(d->loop, &c->watch))
		client_free(c);
}

static void on_listener(void *arg, unsigned events)
{
	struct fetch_demand *d = arg;
	int fd;

	(void)events;
	while ((fd = accept4(d->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0 ||
	       errno == EINTR || errno == ECONNABORTED)
		if (fd >= 0)
			client_new(d, fd);
}

/* ---- outcomes ---- */

static void client_tell(struct client *c, struct base_str url, const char *why)
{
	BASE_LIST_EACH(&c->waiters, node, after)
	{
		struct waiter *w = BASE_CONTAINER_OF(node, struct waiter, node);

		if (url.ptr && !base_str_eq(url, base_str_of(w->url)))
			continue;
		base_list_remove(node);
		c->waiting--;
		outcome(c, base_str_of(w->url), why);
		free(w);
	}
	flush(c);
}

static void all_tell(struct fetch_demand *d, struct base_str url, const char *why)
{
	BASE_LIST_EACH(&d->clients, node, after)
	{
		struct client *c = BASE_CONTAINER_OF(node, struct client, node);

		client_tell(c, url, why);
		if (c->dead)
			client_free(c);
	}
}

void fetch_demand_ended(struct fetch_demand *d, const struct fetch_source *s)
{
	if (d && s->config->url)
		all_tell(d, base_str_of(s->config->url), s->rc ? s->error : NULL);
}

void fetch_demand_engine_set(struct fetch_demand *d, struct fetch_engine *engine)
{
	if (!d)
		return;
	d->engine = engine;
	d->config = &fetch_engine_config(engine)->demand;
	all_tell(d, (struct base_str){ 0 }, "the fetcher loads its configuration, ask again");
}

/* ---- the socket ---- */

/* A socket that nobody listens on any more is removed; one that is in use is not. */
static int stale_remove(const struct sockaddr_un *at)
{
	struct stat st;
	int fd, failed = 0;

	if (lstat(at->sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return EEXIST;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		failed = EADDRINUSE;
	else if (errno != ECONNREFUSED || unlink(at->sun_path) < 0)
		failed = errno;
	(void)close(fd); /* nothing was said */
	return failed;
}

static int socket_open(struct fetch_demand *d)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int failed;

	memcpy(at.sun_path, d->path, sizeof(at.sun_path));
	failed = stale_remove(&at);
	if (failed)
		return failed;
	d->listener.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->listener.fd < 0 ||
	    bind(d->listener.fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return errno;
	/* Who may ask is SO_PEERCRED's to tell. */
	if (chmod(d->path, 0666) < 0 || listen(d->listener.fd, 64) < 0)
		return errno;
	return 0;
}

int fetch_demand_new(struct fetch_demand **ret, struct loop *loop,
                     const struct fetch_config *config, struct base_error *err)
{
	struct fetch_demand *d;
	int failed, rc;

	*ret = NULL;
	if (!config->demand.socket)
		return 0;
	d = calloc(1, sizeof(*d));
	if (!d)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_init(&d->clients);
	d->loop = loop;
	d->config = &config->demand;
	d->listener = (struct loop_fd){ .fd = -1, .fn = on_listener, .arg = d };
	(void)snprintf(d->path, sizeof(d->path), "%s", config->demand.socket); /* checked */
	failed = socket_open(d);
	rc = failed ? BASE_ERR(BASE_CONFIG, failed) : loop_fd_start(loop, &d->listener);
	if (!rc) {
		*ret = d;
		return 0;
	}
	if (failed) {
		base_error_place(err, config->demand.socket, 0, 0);
		base_error_set(err, rc, "cannot listen: %s", strerror(failed));
	}
	if (d->listener.fd >= 0)
		(void)close(d->listener.fd); /* nobody has come */
	free(d);
	return rc;
}

void fetch_demand_free(struct fetch_demand *d)
{
	if (!d)
		return;
	BASE_LIST_EACH(&d->clients, node, after)
	client_free(BASE_CONTAINER_OF(node, struct client, node));
	loop_fd_close(d->loop, &d->listener);
	(void)unlink(d->path); /* one that stays is found to be stale at the next start */
	free(d);
}
