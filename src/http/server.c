/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd has no thread of its own here: its epoll descriptor is watched by the loop, and its
 * timeouts are a timer there. Its own time limit is of silence only, so who sends an octet now and
 * then is looked for by ours.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/bridge.h"

struct http_server {
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct http_server_spec spec;
	struct loop_fd fd;
	struct loop_timer timer, sweep;
	struct loop_task again;
	struct base_node connections;
	struct base_node waiting; /* requests that the owner has */
	unsigned waiting_count;
	struct http_counts counts;
	struct stream_listener *listener; /* of HTTPS; the daemon has none then */
	struct base_node bridges;
	bool started, stopping;
};

/* A connection, in libmicrohttpd's socket context. */
struct connection {
	struct base_node node;
	struct http_server *server;
	struct MHD_Connection *mhd;
	uint64_t since_ms; /* that a whole request is waited for */
	bool served;       /* its request is its owner's business */
	char peer[64];
};

struct http_request {
	struct base_node node; /* in `waiting` */
	struct connection *connection;
	struct MHD_Response *response;
	struct base_writer body;
	char *method, *path;
	unsigned status;
	size_t came; /* octets of the body, also those that were thrown away */
	bool asked, inside, suspended, answered;
};

/* ---- answers ---- */

static struct MHD_Response *response_make(const struct http_reply *reply)
{
	void *copy = malloc(reply->body.len + 1);
	struct MHD_Response *r =
	        copy ? MHD_create_response_from_buffer(reply->body.len, copy, MHD_RESPMEM_MUST_FREE)
	             : NULL;
	bool ok = r != NULL;

	if (!r)
		free(copy);
	else if (reply->body.len)
		memcpy(copy, reply->body.ptr, reply->body.len);
	if (ok && reply->type)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type) ==
		     MHD_YES;
	if (ok && reply->allow)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, reply->allow) == MHD_YES;
	if (ok && reply->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1") == MHD_YES;
	if (r && !ok) {
		MHD_destroy_response(r);
		r = NULL;
	}
	return r;
}

/* One that the owner never hears of. */
static enum MHD_Result turn_away(struct MHD_Connection *mhd, unsigned status, const char *words)
{
	const struct http_reply reply = { .status = status,
		                          .type = "text/plain; charset=utf-8",
		                          .body = base_str_of(words) };
	struct MHD_Response *r = response_make(&reply);
	enum MHD_Result result = r ? MHD_queue_response(mhd, status, r) : MHD_NO;

	if (r)
		MHD_destroy_response(r);
	return result;
}

static enum MHD_Result answer_queue(struct http_request *request)
{
	struct connection *c = request->connection;

	c->since_ms = loop_now_ms(c->server->loop);
	c->served = false;
	return request->response ? MHD_queue_response(c->mhd, request->status, request->response)
	                         : MHD_NO;
}

static void run(void *arg);

void http_answer(struct http_request *request, const struct http_reply *reply)
{
	struct http_server *server = request->connection->server;

	base_list_remove(&request->node);
	server->waiting_count--;
	request->response = response_make(reply);
	request->status = reply->status;
	request->answered = true;
	if (request->suspended) {
		request->suspended = false;
		MHD_resume_connection(request->connection->mhd);
		loop_defer(server->loop, &server->again, run, server);
	}
}

/* ---- requests ---- */

static struct http_request *request_begin(struct connection *c, const char *method,
                                          const char *path)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	base_list_init(&r->node);
	r->connection = c;
	r->method = strdup(method);
	r->path = strdup(path);
	r->body.limit = c->server->spec.body_max;
	if (r->method && r->path)
		return r;
	free(r->method);
	free(r->path);
	free(r);
	return NULL;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **seen,
                         enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *seen;

	(void)arg;
	(void)mhd;
	(void)why;
	if (!r)
		return;
	*seen = NULL;
	if (r->asked && !r->answered)
		r->connection->server->waiting_count--;
	base_list_remove(&r->node);
	if (r->response)
		MHD_destroy_response(r->response);
	base_writer_done(&r->body);
	free(r->method);
	free(r->path);
	free(r);
}

/* How much it says that it will send; larger than anything where it says nonsense. */
static bool length_allowed(const struct http_server *server, struct MHD_Connection *mhd)
{
	const char *text =
	        MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n;

	return !text || !base_str_u64(base_str_of(text), server->spec.body_max, &n);
}

static enum MHD_Result head(struct connection *c, const char *method, const char *path, void **seen)
{
	struct http_server *server = c->server;

	if (!length_allowed(server, c->mhd)) {
		server->counts.too_large++;
		return turn_away(c->mhd, MHD_HTTP_CONTENT_TOO_LARGE, "that is too large\n");
	}
	*seen = request_begin(c, method, path);
	return *seen ? MHD_YES : MHD_NO;
}

/* What is too large without having said so is read on for a while, so that it hears why. */
static enum MHD_Result more(struct http_request *r, const char *data, size_t *len)
{
	size_t patience = 4 * r->connection->server->spec.body_max;

	r->came += *len;
	base_writer_put(&r->body, data, *len);
	*len = 0;
	if (!r->body.failed || r->came <= patience)
		return MHD_YES;
	r->connection->server->counts.too_large++;
	return MHD_NO;
}

static enum MHD_Result whole(struct http_request *r)
{
	struct connection *c = r->connection;
	struct http_server *server = c->server;

	if (r->body.failed) {
		server->counts.too_large++;
		return turn_away(c->mhd, MHD_HTTP_CONTENT_TOO_LARGE, "that is too large\n");
	}
	if (server->waiting_count >= server->spec.requests_max) {
		server->counts.too_many++;
		return turn_away(c->mhd, MHD_HTTP_SERVICE_UNAVAILABLE, "too many at a time\n");
	}
	r->asked = r->inside = true;
	c->served = true;
	server->counts.requests++;
	server->waiting_count++;
	base_list_append(&server->waiting, &r->node);
	server->spec.fn(server->spec.arg, r);
	r->inside = false;
	if (r->answered)
		return answer_queue(r);
	r->suspended = true;
	MHD_suspend_connection(c->mhd);
	return MHD_YES;
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_len, void **seen)
{
	struct http_server *server = arg;
	struct connection *c = connection_of(mhd);
	struct http_request *r = *seen;

	(void)version;
	if (!c || server->stopping)
		return MHD_NO;
	if (!r)
		return head(c, method, url, seen);
	if (*body_len)
		return more(r, body, body_len);
	if (r->answered)
		return answer_queue(r);
	return r->asked ? MHD_YES : whole(r);
}

/* ---- connections ---- */

static void peer_format(const struct sockaddr *from, char *out, size_t cap)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (from && from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;

		(void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host)); /* room for all */
		(void)snprintf(out, cap, "[%s]:%u", host, ntohs(six->sin6_port));
	} else if (from && from->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)from;

		(void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host)); /* likewise */
		(void)snprintf(out, cap, "%s:%u", host, ntohs(four->sin_port));
	} else {
		(void)snprintf(out, cap, "?");
	}
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = arg;
	struct connection *c = *context;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		*context = NULL;
		if (!c)
			return;
		server->counts.open--;
		base_list_remove(&c->node);
		free(c);
		return;
	}
	c = calloc(1, sizeof(*c));
	*context = c; /* without it its requests end it */
	if (!c)
		return;
	c->server = server;
	c->mhd = mhd;
	c->since_ms = loop_now_ms(server->loop);
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	peer_format(info ? info->client_addr : NULL, c->peer, sizeof(c->peer));
	base_list_append(&server->connections, &c->node);
	server->counts.open++;
	server->counts.connections++;
}

/* Who takes too long for a request is shown out; libmicrohttpd sees the end of its socket. */
static void sweep(void *arg)
{
	struct http_server *server = arg;
	uint64_t now = loop_now_ms(server->loop);

	BASE_LIST_EACH(&server->connections, node, after)
	{
		struct connection *c = BASE_CONTAINER_OF(node, struct connection, node);
		const union MHD_ConnectionInfo *info;

		if (c->served || now - c->since_ms <= server->spec.request_ms)
			continue;
		info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info && !shutdown(info->connect_fd, SHUT_RDWR))
			server->counts.too_slow++;
		c->since_ms = now;
	}
	loop_timer_start(server->loop, &server->sweep, server->spec.request_ms / 4 + 1, sweep,
	                 server);
}

/* ---- TLS ---- */

/* The handshake is done: now the library may hear of it. */
static void on_bridge_up(void *arg, struct http_bridge *bridge)
{
	struct http_server *server = arg;
	const union stream_addr *from = stream_remote(http_bridge_stream(bridge));
	int fd = http_bridge_open(bridge);

	/* It closes what it does not take; so the bridge ends. */
	if (fd < 0)
		http_bridge_free(bridge);
	else
		(void)MHD_add_connection(server->daemon, fd, &from->sa, stream_addr_len(from));
	loop_defer(server->loop, &server->again, run, server);
}

static bool on_accept(void *arg, struct stream *stream, struct stream_spec *ret)
{
	static const struct http_bridge_ops ops = { .up = on_bridge_up };
	struct http_server *server = arg;
	struct http_bridge *bridge = http_bridge_new(&server->bridges, server->loop, &ops, server);

	if (!bridge)
		return false;
	http_bridge_stream_set(bridge, stream);
	*ret = (struct stream_spec){ .ops = http_bridge_stream_ops(bridge),
		                     .domain = server->spec.domain,
		                     .anybody = server->spec.anybody,
		                     .handshake_ms = server->spec.request_ms,
		                     .stall_ms = server->spec.request_ms };
	return true;
}

static int listen_tls(struct http_server *server, struct base_error *err)
{
	const struct http_server_spec *s = &server->spec;
	const struct stream_listen_spec spec = { .fn = on_accept,
		                                 .arg = server,
		                                 .conns_max = s->connections,
		                                 .source_max = s->per_source };
	union stream_addr at;

	memset(&at, 0, sizeof(at));
	if (s->listen.ss_family == AF_INET6)
		memcpy(&at.in6, &s->listen, sizeof(at.in6));
	else
		memcpy(&at.in, &s->listen, sizeof(at.in));
	return stream_listen(&server->listener, s->streams, &at, &spec, err);
}

void http_server_domain_set(struct http_server *server, struct tls_domain *domain)
{
	struct tls_domain *before = server->spec.domain;

	server->spec.domain = tls_domain_ref(domain);
	tls_domain_unref(before);
}

/* ---- the loop ---- */

static void run(void *arg)
{
	struct http_server *server = arg;
	struct pollfd more = { .fd = server->fd.fd, .events = POLLIN };
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(server->daemon); /* MHD_NO: it was told not to poll itself, and was */
	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		loop_timer_start(server->loop, &server->timer, ms, run, server);
	else
		loop_timer_stop(server->loop, &server->timer);
	/* It accepts some at a time, and our edge has gone by. */
	if (poll(&more, 1, 0) == 1)
		loop_defer(server->loop, &server->again, run, server);
}

static void on_event(void *arg, unsigned events)
{
	(void)events;
	run(arg);
}

/* %XX but for %00, which would end a string. */
static size_t unescape(void *arg, struct MHD_Connection *mhd, char *text)
{
	size_t out = 0;

	(void)arg;
	(void)mhd;
	for (size_t i = 0; text[i]; i++) {
		uint8_t octet;
		size_t len;

		if (text[i] == '%' && text[i + 1] && text[i + 2] &&
		    !base_hex_decode((struct base_str){ text + i + 1, 2 }, &octet, 1, &len) &&
		    octet) {
			text[out++] = (char)octet;
			i += 2;
		} else {
			text[out++] = text[i];
		}
	}
	text[out] = '\0';
	return out;
}

/* ---- all ---- */

static void defaults(struct http_server_spec *s)
{
	s->body_max = s->body_max ? s->body_max : 65536;
	s->connections = s->connections ? s->connections : 1024;
	s->per_source = s->per_source ? s->per_source : 64;
	s->request_ms = s->request_ms ? s->request_ms : 30000;
	s->requests_max = s->requests_max ? s->requests_max : 4096;
}

static int start(struct http_server *server, struct base_error *err)
{
	struct http_server_spec *s = &server->spec;
	char at[64];
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
	                 (s->domain                         ? MHD_USE_NO_LISTEN_SOCKET
	                  : s->listen.ss_family == AF_INET6 ? MHD_USE_IPv6
	                                                    : 0U);
	const union MHD_DaemonInfo *info;

	errno = 0;
	server->daemon = MHD_start_daemon(
	        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
	        (struct sockaddr *)&s->listen, MHD_OPTION_CONNECTION_LIMIT, s->connections,
	        MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->per_source, MHD_OPTION_CONNECTION_TIMEOUT,
	        s->request_ms / 1000 + 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
	        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK,
	        unescape, server, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!server->daemon) {
		peer_format((const struct sockaddr *)&s->listen, at, sizeof(at));
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot listen on %s: %s",
		                      at, errno ? strerror(errno) : "no reason is told");
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->fd = (struct loop_fd){ info ? info->epoll_fd : -1, on_event, server };
	if (loop_fd_start(server->loop, &server->fd))
		return BASE_ERR(BASE_LOCAL, 0);
	server->started = true;
	sweep(server);
	return s->domain ? listen_tls(server, err) : 0;
}

int http_server_new(struct http_server **ret, struct loop *loop,
                    const struct http_server_spec *spec, struct base_error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int rc;

	if (!server)
		return BASE_ERR(BASE_LOCAL, 0);
	server->loop = loop;
	server->spec = *spec;
	defaults(&server->spec);
	server->spec.domain = spec->domain ? tls_domain_ref(spec->domain) : NULL;
	base_list_init(&server->bridges);
	base_list_init(&server->connections);
	base_list_init(&server->waiting);
	rc = start(server, err);
	if (rc)
		http_server_free(server);
	else
		*ret = server;
	return rc;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	server->stopping = true;
	if (server->started)
		loop_fd_stop(server->loop, &server->fd);
	loop_timer_stop(server->loop, &server->timer);
	loop_timer_stop(server->loop, &server->sweep);
	loop_defer_stop(server->loop, &server->again);
	/* It may not be stopped while one is suspended. */
	BASE_LIST_EACH(&server->waiting, node, after)
	{
		struct http_request *r = BASE_CONTAINER_OF(node, struct http_request, node);

		if (r->suspended)
			MHD_resume_connection(r->connection->mhd);
	}
	stream_listener_free(server->listener);
	http_bridges_free(&server->bridges);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	tls_domain_unref(server->spec.domain);
	free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
	const union MHD_DaemonInfo *info;

	if (server->listener)
		return stream_addr_port(stream_listener_local(server->listener));
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}

void http_server_counts(const struct http_server *server, struct http_counts *ret)
{
	*ret = server->counts;
}

/* ---- what a request says ---- */

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

const char *http_argument(const struct http_request *request, const char *name)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(request->connection->mhd, MHD_GET_ARGUMENT_KIND, name,
	                                  strlen(name), &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : "";
}

bool http_type_is(const struct http_request *request, const char *type)
{
	return http_type_eq(MHD_lookup_connection_value(request->connection->mhd, MHD_HEADER_KIND,
	                                                MHD_HTTP_HEADER_CONTENT_TYPE),
	                    type);
}

struct base_str http_body(const struct http_request *request)
{
	return base_writer_view(&request->body);
}

const char *http_peer(const struct http_request *request)
{
	return request->connection->peer;
}
