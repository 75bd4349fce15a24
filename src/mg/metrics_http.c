/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * GET /metrics over libmicrohttpd, the only file that knows it. The library has no thread of its
 * own: its epoll descriptor is watched by the control thread's loop, and its timeouts are a timer
 * there. Few connections, small requests: what a scraper needs, and no more.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>

#include "mg/config.h"
#include "mg/metrics.h"

#define CONNECTIONS 16
#define TIMEOUT_S   10

struct mg_metrics {
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct loop_fd fd;
	struct loop_timer timer;
	const struct mg *mg;
	const struct relay_pool *pool;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              void *text, size_t len, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(len, text, mode);
	enum MHD_Result result = MHD_NO;

	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(text);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result words(struct MHD_Connection *connection, unsigned status, const char *text)
{
	char copy[64];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	return answer(connection, status, "text/plain; charset=utf-8", copy, strlen(copy),
	              MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result metrics_answer(struct mg_metrics *m, struct MHD_Connection *connection)
{
	struct base_writer w = { 0 };

	if (!mg_metrics_text(m->mg, m->pool, &w)) {
		base_writer_done(&w);
		return words(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "memory is short\n");
	}
	return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", w.data,
	              w.len, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_len, void **seen)
{
	static int once;

	(void)version;
	(void)body;
	if (*seen != &once) { /* the head alone has come */
		*seen = &once;
		return MHD_YES;
	}
	if (*body_len) { /* nobody wants it */
		*body_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
	if (strcmp(url, "/metrics") != 0)
		return words(connection, MHD_HTTP_NOT_FOUND, "there is /metrics\n");
	return metrics_answer(arg, connection);
}

static void run(void *arg)
{
	struct mg_metrics *m = arg;
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(m->daemon); /* MHD_NO: it was told not to poll itself, and was */
	if (MHD_get_timeout(m->daemon, &ms) == MHD_YES)
		loop_timer_start(m->loop, &m->timer, ms, run, m);
	else
		loop_timer_stop(m->loop, &m->timer);
}

static void on_event(void *arg, unsigned events)
{
	(void)events;
	run(arg);
}

static void address_of(const struct h248_addr *from, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (from->family == 6) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(from->port);
		memcpy(&six->sin6_addr, from->ip, sizeof(six->sin6_addr));
		return;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(from->port);
	memcpy(&four->sin_addr, from->ip, sizeof(four->sin_addr));
}

static void told(struct mg_metrics *m, struct h248_addr at)
{
	const union MHD_DaemonInfo *info =
	        MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_BIND_PORT);
	char text[H248_ADDR_TEXT];

	at.port = info ? info->port : at.port;
	base_log(BASE_LOG_INFO, "mg", "metrics by HTTP on %s, path /metrics",
	         h248_addr_format(&at, text));
}

static int listen_failed(const struct mg_config *config, struct base_error *err)
{
	char text[H248_ADDR_TEXT];

	return base_error_set(
	        err, BASE_ERR(BASE_CONFIG, 0),
	        "metrics.listen: cannot listen on %s: is the port taken? Name another "
	        "one, or leave `metrics` out",
	        h248_addr_format(&config->metrics, text));
}

int mg_metrics_start(struct mg_metrics **ret, struct loop *loop, const struct mg_config *config,
                     const struct mg *mg, const struct relay_pool *pool, struct base_error *err)
{
	const union MHD_DaemonInfo *info;
	struct sockaddr_storage at;
	struct mg_metrics *m;
	unsigned flags = MHD_USE_EPOLL;

	if (!h248_addr_known(&config->metrics))
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return BASE_ERR(BASE_LOCAL, 0);
	*m = (struct mg_metrics){ .loop = loop, .mg = mg, .pool = pool };
	address_of(&config->metrics, &at);
	flags |= at.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0;
	m->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, m, MHD_OPTION_SOCK_ADDR,
	                             (struct sockaddr *)&at, MHD_OPTION_CONNECTION_LIMIT,
	                             (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
	                             (unsigned)TIMEOUT_S, MHD_OPTION_END);
	info = m->daemon ? MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		mg_metrics_stop(m);
		return listen_failed(config, err);
	}
	m->fd = (struct loop_fd){ info->epoll_fd, on_event, m };
	if (loop_fd_start(loop, &m->fd)) {
		m->fd.fn = NULL;
		mg_metrics_stop(m);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	told(m, config->metrics);
	*ret = m;
	return 0;
}

void mg_metrics_stop(struct mg_metrics *m)
{
	if (!m)
		return;
	if (m->fd.fn)
		loop_fd_stop(m->loop, &m->fd);
	loop_timer_stop(m->loop, &m->timer);
	if (m->daemon)
		MHD_stop_daemon(m->daemon);
	free(m);
}
