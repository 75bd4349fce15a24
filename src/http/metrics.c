/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "http/http.h"

struct http_metrics {
	struct http_server *server;
	http_metrics_fn *fn;
	void *arg;
};

void http_metrics_number(struct base_writer *w, const char *name, const char *type,
                         const char *help, uint64_t value)
{
	base_writer_printf(w, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
	                   (unsigned long long)value);
}

static void on_request(void *arg, struct http_request *request)
{
	const struct http_metrics *metrics = arg;
	struct base_writer w = { 0 };
	struct http_reply reply = { .status = 200,
		                    .type = "text/plain; version=0.0.4; charset=utf-8" };

	if (strcmp(http_path(request), "/metrics") != 0) {
		reply = (struct http_reply){ .status = 404 };
	} else if (strcmp(http_method(request), "GET") != 0) {
		reply = (struct http_reply){ .status = 405, .allow = "GET" };
	} else {
		metrics->fn(metrics->arg, &w);
		reply.body = base_writer_view(&w);
	}
	http_answer(request, &reply);
	base_writer_done(&w);
}

int http_metrics_start(struct http_metrics **ret, struct loop *loop, const char *listen,
                       const char *area, http_metrics_fn *fn, void *arg, struct base_error *err)
{
	struct http_metrics *metrics;
	union stream_addr at;
	struct http_server_spec spec = { .fn = on_request, .body_max = 1, .connections = 16 };
	int rc;

	if (!listen)
		return 0;
	rc = stream_addr_parse(&at, base_str_of(listen), err);
	if (rc)
		return rc;
	metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return BASE_ERR(BASE_LOCAL, 0);
	metrics->fn = fn;
	metrics->arg = arg;
	memcpy(&spec.listen, &at, stream_addr_len(&at));
	spec.arg = metrics;
	rc = http_server_new(&metrics->server, loop, &spec, err);
	if (rc) {
		free(metrics);
		return rc;
	}
	base_log(BASE_LOG_INFO, area, "metrics on port %u", http_server_port(metrics->server));
	*ret = metrics;
	return 0;
}

void http_metrics_stop(struct http_metrics *metrics)
{
	if (!metrics)
		return;
	http_server_free(metrics->server);
	free(metrics);
}
