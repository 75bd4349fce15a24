/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/metrics.h"

#include <stdlib.h>

#include "http/http.h"
#include "stream/stream.h"

struct mgc_metrics {
	struct http_server *server;
	const struct mgc_focus *focus;
	const struct mgc_mp *mp;
};

static void counter(struct base_writer *w, const char *name, const char *help, uint64_t value)
{
	base_writer_printf(w,
	                   "# HELP gatehouse_mgc_%s %s\n# TYPE gatehouse_mgc_%s counter\n"
	                   "gatehouse_mgc_%s %llu\n",
	                   name, help, name, name, (unsigned long long)value);
}

static void gauge(struct base_writer *w, const char *name, const char *help, size_t value)
{
	base_writer_printf(w,
	                   "# HELP gatehouse_mgc_%s %s\n# TYPE gatehouse_mgc_%s gauge\n"
	                   "gatehouse_mgc_%s %zu\n",
	                   name, help, name, name, value);
}

void mgc_metrics_text(const struct mgc_focus *focus, const struct mgc_mp *mp, struct base_writer *w)
{
	const struct mgc_focus_counters *f = mgc_focus_counters(focus);
	const struct mgc_mp_counters *m = mgc_mp_counters(mp);

	gauge(w, "members", "Members there are, those that come and go included",
	      mgc_focus_members(focus));
	gauge(w, "mrfps", "MRFPs that are registered", mgc_mp_count(mp));
#define TELL(name, text) counter(w, #name "_total", text, f->name);
	MGC_FOCUS_COUNTERS(TELL)
#undef TELL
#define TELL(name, text) counter(w, "mp_" #name "_total", text, m->name);
	MGC_MP_COUNTERS(TELL)
#undef TELL
}

static void on_request(void *arg, struct http_request *request)
{
	const struct mgc_metrics *metrics = arg;
	struct base_writer w = { 0 };
	struct http_reply reply = { .status = 200,
		                    .type = "text/plain; version=0.0.4; charset=utf-8" };

	if (strcmp(http_path(request), "/metrics") != 0) {
		reply = (struct http_reply){ .status = 404 };
	} else if (strcmp(http_method(request), "GET") != 0) {
		reply = (struct http_reply){ .status = 405, .allow = "GET" };
	} else {
		mgc_metrics_text(metrics->focus, metrics->mp, &w);
		reply.body = base_writer_view(&w);
	}
	http_answer(request, &reply);
	base_writer_done(&w);
}

int mgc_metrics_start(struct mgc_metrics **ret, struct loop *loop, const char *listen,
                      const struct mgc_focus *focus, const struct mgc_mp *mp,
                      struct base_error *err)
{
	struct mgc_metrics *metrics;
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
	metrics->focus = focus;
	metrics->mp = mp;
	memcpy(&spec.listen, &at, stream_addr_len(&at));
	spec.arg = metrics;
	rc = http_server_new(&metrics->server, loop, &spec, err);
	if (rc) {
		free(metrics);
		return rc;
	}
	base_log(BASE_LOG_INFO, "mgc", "metrics on port %u", http_server_port(metrics->server));
	*ret = metrics;
	return 0;
}

void mgc_metrics_stop(struct mgc_metrics *metrics)
{
	if (!metrics)
		return;
	http_server_free(metrics->server);
	free(metrics);
}
