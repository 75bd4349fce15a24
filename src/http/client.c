/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl wants level-triggered readiness, our loop is edge-triggered. So its sockets are in an
 * epoll of their own, which stands in the loop as one descriptor, and each time that wakes up it is
 * asked until it has nothing more to tell.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http/bridge.h"

#define ROUNDS     64 /* until others get their turn */
#define EVENTS     32
#define HEADER_MAX 32768
#define IDLE_MS    120000 /* of a connection that is kept; libcurl's own limit is 118 s */

struct http_client {
	struct loop *loop;
	struct http_client_spec spec;
	char *user_agent;
	CURLM *multi;
	struct loop_fd watch;
	struct loop_timer timer;
	struct loop_task again;
	struct base_node calls;
	struct base_node bridges; /* of https */
	char *peer_name;
	bool watched;
};

struct http_call {
	struct base_node node;
	struct http_client *client;
	CURL *easy;
	CURLU *url;
	struct curl_slist *headers;
	struct base_writer question, answer;
	size_t header_len;
	struct base_error err;
	char reason[CURL_ERROR_SIZE];
	char host[256];             /* of https: who has to prove itself */
	char where[300];            /* and its port: whose sessions are resumed */
	struct http_bridge *bridge; /* that it has opened */
	http_done_fn *fn;
	void *arg;
};

/* ---- TLS ---- */

/* Why there is no answer, in better words than libcurl has. */
static void on_bridge_down(void *arg, struct http_bridge *bridge, const struct stream_end *end)
{
	struct http_client *client = arg;

	BASE_LIST_EACH(&client->calls, node, after)
	{
		struct http_call *call = BASE_CONTAINER_OF(node, struct http_call, node);

		if (call->bridge != bridge)
			continue;
		call->bridge = NULL;
		if (end && end->cause != STREAM_DONE && !call->err.rc)
			(void)base_error_set(&call->err, BASE_ERR(BASE_PEER, 0), "%s: %s",
			                     call->where, end->text);
	}
}

/* `at`: in, whom libcurl means; out, where it finds us. It would not believe that a socket is
 * connected already (7.88 asks CURLOPT_SOCKOPTFUNCTION, and connects it all the same). */
static int bridge_connect(struct http_call *call, struct curl_sockaddr *at)
{
	static const struct http_bridge_ops ops = { .down = on_bridge_down };
	struct http_client *client = call->client;
	struct in6_addr ip;
	const struct tls_session_spec session = {
		.role = TLS_ROLE_CLIENT,
		.server_name = inet_pton(AF_INET, call->host, &ip) == 1 ||
		                               inet_pton(AF_INET6, call->host, &ip) == 1
		                       ? NULL
		                       : call->host,
		.peer_name = client->peer_name ? client->peer_name : call->host,
		.resume_key = call->where,
	};
	struct http_bridge *bridge = http_bridge_new(&client->bridges, client->loop, &ops, client);
	struct stream_spec spec = { .domain = client->spec.domain,
		                    .session = &session,
		                    .connect_ms = client->spec.connect_ms,
		                    .handshake_ms = client->spec.total_ms,
		                    .idle_ms = IDLE_MS };
	struct stream *stream = NULL;
	union stream_addr to;
	struct sockaddr_un here;
	socklen_t len = 0;
	int fd = -1;

	if (!bridge || at->addrlen > sizeof(to)) {
		http_bridge_free(bridge);
		return -1;
	}
	memset(&to, 0, sizeof(to));
	memcpy(&to, &at->addr, at->addrlen);
	spec.ops = http_bridge_stream_ops(bridge);
	if (!stream_connect(&stream, client->spec.streams, &to, NULL, &spec, &call->err)) {
		http_bridge_stream_set(bridge, stream);
		fd = http_bridge_await(bridge, &here, &len);
	}
	if (fd < 0 || len > sizeof(struct sockaddr_storage)) {
		http_bridge_free(bridge);
		return -1;
	}
	memcpy(&at->addr, &here, len); /* it has room for a struct sockaddr_storage */
	at->addrlen = len;
	at->family = AF_UNIX;
	call->bridge = bridge;
	return fd;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
	int fd = purpose == CURLSOCKTYPE_IPCXN ? bridge_connect(arg, at) : -1;

	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* ---- one POST ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;

	base_writer_put(&call->answer, data, size * count);
	if (!call->answer.failed)
		return size * count;
	(void)base_error_set(&call->err, BASE_ERR(BASE_PEER, EFBIG),
	                     "the answer is larger than %zu octets", call->answer.limit);
	return 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;

	(void)data;
	call->header_len += size * count;
	if (call->header_len <= HEADER_MAX)
		return size * count;
	(void)base_error_set(&call->err, BASE_ERR(BASE_PEER, EFBIG),
	                     "the answer's header is larger than %d octets", HEADER_MAX);
	return 0;
}

static void call_free(struct http_call *call)
{
	if (!call)
		return;
	if (call->easy)
		(void)curl_multi_remove_handle(call->client->multi,
		                               call->easy); /* not in it: fine */
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_url_cleanup(call->url);
	base_writer_done(&call->question);
	base_writer_done(&call->answer);
	base_list_remove(&call->node);
	free(call);
}

static bool header_add(struct http_call *call, const char *name, const char *value)
{
	struct base_writer line = { 0 };
	struct curl_slist *more;

	base_writer_printf(&line, "%s:%s%s", name, value ? " " : "", value ? value : "");
	more = line.failed ? NULL : curl_slist_append(call->headers, base_writer_cstr(&line));
	base_writer_done(&line);
	if (more)
		call->headers = more;
	return more != NULL;
}

/* A failure to set an option is want of memory. */
#define SET(option, value) (failed = failed || curl_easy_setopt(call->easy, option, value))

static int limits_set(struct http_call *call)
{
	const struct http_client_spec *s = &call->client->spec;
	bool failed = false;

	SET(CURLOPT_TIMEOUT_MS, (long)s->total_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)BASE_MIN(s->connect_ms, s->total_ms));
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)s->body_max);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name server that does not answer */
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (call->client->user_agent)
		SET(CURLOPT_USERAGENT, call->client->user_agent);
	return failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}

static int tls_set(struct http_call *call)
{
	bool failed = false;

	if (!call->client->spec.domain)
		return 0;
	/* It would not use such a connection again (its peer has no IP address), only keep it. */
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(CURLOPT_OPENSOCKETDATA, call);
	return failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}

static int post_set(struct http_call *call, const struct http_post *post, CURLU *url)
{
	bool failed = !header_add(call, "Content-Type", post->type) ||
	              !header_add(call, "Accept", post->type) ||
	              !header_add(call, "Expect", NULL); /* no 100-continue: it costs a turn */

	SET(CURLOPT_PROTOCOLS_STR, "http");
	SET(CURLOPT_CURLU, url);
	SET(CURLOPT_HTTPHEADER, call->headers);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, base_writer_cstr(&call->question));
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_ERRORBUFFER, call->reason);
	SET(CURLOPT_PRIVATE, call);
	return failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}

/* What libcurl gets to see of https is http: the rest is ours. */
static int url_rewrite(struct http_call *call, CURLU *url, struct base_error *err)
{
	char *host = NULL, *port = NULL;
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!curl_url_get(url, CURLUPART_HOST, &host, 0) &&
	    !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
	    !curl_url_set(url, CURLUPART_PORT, port, 0) &&
	    !curl_url_set(url, CURLUPART_SCHEME, "http", 0)) {
		size_t len = strlen(host), skip = host[0] == '[';

		rc = len < sizeof(call->host) ? 0
		                              : base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                                               "the host's name is too long");
		if (!rc) {
			(void)snprintf(call->host, sizeof(call->host), "%.*s",
			               (int)(len - 2 * skip), host + skip);
			(void)snprintf(call->where, sizeof(call->where), "%s:%s", host, port);
		}
	}
	curl_free(host);
	curl_free(port);
	return rc;
}

/* The scheme is ours to judge, the rest of the URL libcurl's. */
static int url_read(struct http_call *call, const char *text, CURLU *url, struct base_error *err)
{
	const char *scheme = call->client->spec.domain ? "https://" : "http://";

	if (strncasecmp(text, scheme, strlen(scheme)) != 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%.200s' is no URL that begins with %s", text, scheme);
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "'%.200s' is no URL of a host",
		                      text);
	return call->client->spec.domain ? url_rewrite(call, url, err) : 0;
}

static struct http_call *call_new(struct http_client *client, const struct http_post *post)
{
	struct http_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	base_list_append(&client->calls, &call->node);
	call->client = client;
	call->answer.limit = client->spec.body_max;
	base_writer_str(&call->question, post->body);
	call->easy = curl_easy_init();
	if (call->easy && !call->question.failed)
		return call;
	call_free(call);
	return NULL;
}

int http_post_start(struct http_call **ret, struct http_client *client,
                    const struct http_post *post, http_done_fn *fn, void *arg,
                    struct base_error *err)
{
	struct http_call *call = call_new(client, post);
	CURLU *url = curl_url();
	int rc = call && url ? url_read(call, post->url, url, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = limits_set(call);
	if (!rc)
		rc = tls_set(call);
	if (!rc)
		rc = post_set(call, post, url);
	if (!rc && curl_multi_add_handle(client->multi, call->easy))
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	if (rc) {
		call_free(call);
		curl_url_cleanup(url);
		return rc;
	}
	call->url = url;
	call->fn = fn;
	call->arg = arg;
	if (ret)
		*ret = call;
	return 0;
}

void http_cancel(struct http_call *call)
{
	call_free(call);
}

/* ---- its end ---- */

static int failure(struct http_call *call, CURLcode code)
{
	if (call->err.rc)
		return call->err.rc; /* a limit of ours ended it */
	if (code == CURLE_FILESIZE_EXCEEDED)
		return base_error_set(&call->err, BASE_ERR(BASE_PEER, EFBIG),
		                      "the answer is larger than %zu octets", call->answer.limit);
	if (code == CURLE_OUT_OF_MEMORY)
		return base_error_set(&call->err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	return base_error_set(&call->err, BASE_ERR(BASE_PEER, 0), "%s",
	                      call->reason[0] ? call->reason : curl_easy_strerror(code));
}

static void tell(struct http_call *call, CURLcode code)
{
	struct http_result result = { .type = "", .err = &call->err };
	char *text = NULL, type[128] = "";
	struct base_str media;
	long status = 0;

	if (code) {
		result.rc = failure(call, code);
	} else {
		(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status); /* else 0 */
		(void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &text); /* else NULL */
		media = http_type_of(text);
		(void)snprintf(type, sizeof(type), "%.*s", BASE_FMT(media));
		result.status = (unsigned)status;
		result.type = type;
		result.body = base_writer_view(&call->answer);
	}
	call->fn(call->arg, &result);
}

static void ended(struct http_client *client)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left))) {
		struct http_call *call = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		base_list_remove(&call->node);
		tell(call, msg->data.result);
		call_free(call);
	}
}

/* ---- curl and the loop ---- */

static void act(struct http_client *client, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(client->multi, fd, events, &running); /* info_read tells */
}

static void ready(void *arg)
{
	struct http_client *client = arg;
	struct epoll_event events[EVENTS];
	int count = 1;

	for (int round = 0; round < ROUNDS && count > 0; round++) {
		count = epoll_wait(client->watch.fd, events, EVENTS, 0);
		for (int i = 0; i < count; i++) {
			unsigned e = events[i].events;

			act(client, events[i].data.fd,
			    (e & EPOLLIN ? CURL_CSELECT_IN : 0) |
			            (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			            (e & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
		}
	}
	if (count > 0)
		loop_defer(client->loop, &client->again, ready, client);
	ended(client);
}

static void on_ready(void *arg, unsigned events)
{
	(void)events;
	ready(arg);
}

static void on_time(void *arg)
{
	struct http_client *client = arg;

	act(client, CURL_SOCKET_TIMEOUT, 0);
	ended(client);
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_client *client = arg;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(client->loop, &client->timer);
	else
		loop_timer_start(client->loop, &client->timer, (uint64_t)timeout_ms, on_time,
		                 client);
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http_client *client = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(client->watch.fd, EPOLL_CTL_DEL, fd,
		                NULL); /* closed: gone already */
		return 0;
	}
	event.events =
	        (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (epoll_ctl(client->watch.fd, EPOLL_CTL_MOD, fd, &event) < 0 &&
	    (errno != ENOENT || epoll_ctl(client->watch.fd, EPOLL_CTL_ADD, fd, &event) < 0))
		return -1; /* the transfers fail */
	return 0;
}

/* ---- all ---- */

static int multi_fill(struct http_client *client)
{
	CURLM *m = curl_multi_init();

	client->multi = m;
	if (!m || curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) ||
	    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, client) ||
	    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer) ||
	    curl_multi_setopt(m, CURLMOPT_TIMERDATA, client) ||
	    curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)client->spec.connections))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	return 0;
}

static void defaults(struct http_client_spec *s)
{
	s->connect_ms = s->connect_ms ? s->connect_ms : 5000;
	s->total_ms = s->total_ms ? s->total_ms : 10000;
	s->body_max = s->body_max ? s->body_max : 65536;
	s->connections = s->connections ? s->connections : 4;
}

int http_client_new(struct http_client **ret, struct loop *loop,
                    const struct http_client_spec *spec)
{
	struct http_client *client = calloc(1, sizeof(*client));
	int rc;

	if (!client)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_init(&client->calls);
	base_list_init(&client->bridges);
	client->loop = loop;
	client->spec = *spec;
	client->spec.domain = spec->domain ? tls_domain_ref(spec->domain) : NULL;
	defaults(&client->spec);
	client->watch = (struct loop_fd){ epoll_create1(EPOLL_CLOEXEC), on_ready, client };
	client->user_agent = spec->user_agent ? strdup(spec->user_agent) : NULL;
	client->peer_name = spec->peer_name ? strdup(spec->peer_name) : NULL;
	rc = client->watch.fd < 0 || (spec->user_agent && !client->user_agent) ||
	                     (spec->peer_name && !client->peer_name) ||
	                     curl_global_init(CURL_GLOBAL_DEFAULT)
	             ? BASE_ERR(BASE_LOCAL, errno)
	             : multi_fill(client);
	if (!rc)
		rc = loop_fd_start(loop, &client->watch);
	client->watched = !rc;
	if (rc)
		http_client_free(client);
	else
		*ret = client;
	return rc;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	BASE_LIST_EACH(&client->calls, node, after)
	{
		call_free(BASE_CONTAINER_OF(node, struct http_call, node));
	}
	(void)curl_multi_cleanup(client->multi); /* nothing is in it any more */
	http_bridges_free(&client->bridges);
	tls_domain_unref(client->spec.domain);
	loop_timer_stop(client->loop, &client->timer);
	loop_defer_stop(client->loop, &client->again);
	if (client->watched)
		loop_fd_stop(client->loop, &client->watch);
	if (client->watch.fd >= 0)
		(void)close(client->watch.fd); /* nothing was in it */
	free(client->user_agent);
	free(client->peer_name);
	free(client);
}
