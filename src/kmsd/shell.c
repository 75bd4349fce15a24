/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The program: loop, store, listeners, control socket, signals. The store and what it is opened
 * with stay for the life of the process; all else can be loaded again, all of it or none.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "kmsd/control.h"
#include "kmsd/metrics.h"

struct shell {
	struct kmsd_config *config;
	struct kmsd_config *retired; /* whose connections may be there still */
	struct kms_store *store;
	struct loop *loop;
	struct streams *streams;
	struct stream_orders *control;
	struct http_server *servers[KMSD_LISTEN_MAX], *metrics;
	struct kmsd_service service;
};

/* ---- requests ---- */

static void on_question(void *arg, struct http_request *request)
{
	struct shell *sh = arg;
	const struct kmsd_form *form = sh->service.form;
	struct base_writer out = { .limit = 1 << 20 };
	struct kmsd_answer answer;
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* always there */
	const struct kmsd_question question = {
		.method = http_method(request),
		.path = http_path(request),
		.parameter = form->parameter[0] ? http_argument(request, form->parameter) : NULL,
		.mikey = http_type_is(request, KMSD_MIKEY),
		.body = http_body(request),
		.peer = http_peer(request),
		.unix_s = (uint64_t)now.tv_sec,
		.ns = (uint32_t)now.tv_nsec,
	};

	kmsd_service_ask(&sh->service, &question, &out, &answer);
	http_answer(request, &(struct http_reply){ .status = answer.status,
	                                           .type = answer.type,
	                                           .body = answer.body,
	                                           .allow = answer.allow });
	base_writer_done(&out);
}

static void counts_add(struct shell *sh, struct http_counts *sum)
{
	for (size_t i = 0; i < KMSD_LISTEN_MAX && sh->servers[i]; i++) {
		struct http_counts c;

		http_server_counts(sh->servers[i], &c);
		sum->connections += c.connections;
		sum->open += c.open;
		sum->requests += c.requests;
		sum->too_large += c.too_large;
		sum->too_slow += c.too_slow;
		sum->too_many += c.too_many;
	}
}

static void on_scrape(void *arg, struct http_request *request)
{
	struct shell *sh = arg;
	struct base_writer out = { 0 };
	struct http_counts sum = { 0 };
	struct http_reply reply = { .status = 200,
		                    .type = "text/plain; version=0.0.4; charset=utf-8" };

	if (strcmp(http_path(request), "/metrics") != 0) {
		reply = (struct http_reply){ .status = 404 };
	} else if (strcmp(http_method(request), "GET") != 0 &&
	           strcmp(http_method(request), "HEAD") != 0) {
		reply = (struct http_reply){ .status = 405, .allow = "GET, HEAD" };
	} else {
		counts_add(sh, &sum);
		kmsd_metrics_write(&sh->service.counts, &sum, &out);
		reply.body = base_writer_view(&out);
		reply.status = out.failed ? 503 : 200;
	}
	http_answer(request, &reply);
	base_writer_done(&out);
}

/* ---- start ---- */

static int listen_one(struct shell *sh, const struct kmsd_listen *at, size_t i,
                      struct base_error *err)
{
	const struct kmsd_config *c = sh->config;
	const struct http_server_spec spec = {
		.listen = at->at,
		.fn = on_question,
		.arg = sh,
		.body_max = (size_t)c->body_max,
		.connections = c->connections,
		.per_source = c->per_source,
		.request_ms = (uint32_t)c->request_ms,
		.domain = at->tls ? c->domain : NULL,
		.streams = sh->streams,
		.anybody = c->anybody,
	};
	int rc = http_server_new(&sh->servers[i], sh->loop, &spec, err);

	if (!rc)
		base_log(BASE_LOG_INFO, "kms", "event=listening what=%s at=%s port=%u path=%s",
		         at->tls ? "https" : "http", at->text, http_server_port(sh->servers[i]),
		         c->form.path);
	return rc;
}

static int listen_all(struct shell *sh, struct base_error *err)
{
	const struct kmsd_config *c = sh->config;
	int rc = 0;

	for (size_t i = 0; i < c->listen_count && !rc; i++)
		rc = listen_one(sh, &c->listen[i], i, err);
	if (!rc && c->has_metrics) {
		const struct http_server_spec spec = {
			.listen = c->metrics.at, .fn = on_scrape, .arg = sh, .connections = 16
		};

		rc = http_server_new(&sh->metrics, sh->loop, &spec, err);
		if (!rc)
			base_log(BASE_LOG_INFO, "kms", "event=listening what=metrics at=%s port=%u",
			         c->metrics.text, http_server_port(sh->metrics));
	}
	return rc;
}

/* What the profile asks for and the engine cannot do: told, never dropped. */
static void gaps_tell(const struct kmsd_config *c)
{
	size_t count = 0;
	const struct tls_gap *gaps = c->domain ? tls_domain_gaps(c->domain, &count) : NULL;

	for (size_t i = 0; i < count; i++)
		base_log(BASE_LOG_WARN, "kms", "tls: %s", gaps[i].text);
}

static int service_start(struct shell *sh, struct kmsd_config *c, struct base_error *err)
{
	struct kms *kms = NULL;
	int rc = kms_new(&kms, &c->kms, sh->store, err);

	if (rc)
		return rc;
	kms_free(sh->service.kms);
	sh->service.kms = kms;
	sh->service.form = &c->form;
	gaps_tell(c);
	return 0;
}

/* ---- reload ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* What a restart is needed for, in words; NULL = nothing. */
static const char *needs_restart(const struct kmsd_config *a, const struct kmsd_config *b)
{
	if (!same_text(a->kms.identity, b->kms.identity))
		return "kms.identity";
	if (!kmsd_store_same(a, b))
		return "kms.store or kms.redis";
	if (!base_secret_equal(a->master.data, a->master.len, b->master.data, b->master.len))
		return "kms.master-key";
	if (!same_text(a->control, b->control))
		return "kms.control";
	if (a->has_metrics != b->has_metrics || !same_text(a->metrics.text, b->metrics.text))
		return "metrics.listen";
	if (a->body_max != b->body_max || a->request_ms != b->request_ms ||
	    a->connections != b->connections || a->per_source != b->per_source)
		return "limits";
	if (a->listen_count != b->listen_count)
		return "listen";
	if (a->anybody != b->anybody)
		return "tls.clients";
	for (size_t i = 0; i < a->listen_count; i++)
		if (a->listen[i].tls != b->listen[i].tls ||
		    !same_text(a->listen[i].text, b->listen[i].text))
			return "listen";
	return NULL;
}

/* Connections that are up stand on the domain that they began with, and it on its profile. */
static void prune(struct shell *sh)
{
	struct kmsd_config **at = &sh->retired;

	while (*at) {
		struct kmsd_config *c = *at;

		if (c->domain && sh->streams)
			streams_forget(sh->streams, c->domain);
		if (c->domain && tls_domain_shared(c->domain)) {
			at = &c->older;
			continue;
		}
		*at = c->older;
		kmsd_config_free(c);
	}
}

static void reload(struct shell *sh)
{
	struct kmsd_config *fresh = NULL;
	struct base_error err = { 0 };
	const char *restart;
	char text[900];
	int rc = kmsd_config_load(&fresh, sh->config->file, &err);

	restart = rc ? NULL : needs_restart(sh->config, fresh);
	if (restart)
		rc = base_error_set(&err, BASE_ERR(BASE_CONFIG, 0),
		                    "%s: a change of %s needs a restart", fresh->file, restart);
	if (!rc)
		rc = service_start(sh, fresh, &err);
	if (rc) {
		base_log(BASE_LOG_ERROR, "kms", "not reloaded, nothing has changed: %s",
		         base_error_format(&err, text, sizeof(text)));
		kmsd_config_free(fresh);
		return;
	}
	for (size_t i = 0; i < fresh->listen_count; i++)
		if (fresh->listen[i].tls)
			http_server_domain_set(sh->servers[i], fresh->domain);
	sh->config->older = sh->retired;
	sh->retired = sh->config;
	sh->config = fresh;
	prune(sh);
	base_log_level_set(fresh->level);
	base_log(BASE_LOG_INFO, "kms", "event=reloaded rules=%zu groups=%zu", fresh->kms.rule_count,
	         fresh->kms.group_count);
}

static void on_signal(void *arg, int signum)
{
	struct shell *sh = arg;

	if (signum == SIGHUP)
		reload(sh);
	else
		loop_stop(sh->loop);
}

/* ---- all ---- */

static int start(struct shell *sh, struct base_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	const struct streams_config streams = { .area = "kms" };
	struct kmsd_config *c = sh->config;
	int rc = loop_new(&sh->loop);

	if (!rc)
		rc = kmsd_store_open(c, &sh->store, err);
	if (!rc)
		rc = service_start(sh, c, err);
	if (!rc)
		rc = streams_new(&sh->streams, sh->loop, &streams);
	if (!rc && c->control)
		rc = kmsd_control_new(&sh->control, sh->streams, c->control, sh->store, err);
	for (size_t i = 0; i < BASE_COUNT(signals) && !rc; i++)
		rc = loop_signal_start(sh->loop, signals[i], on_signal, sh);
	if (!rc)
		rc = listen_all(sh, err);
	return rc;
}

static void stop(struct shell *sh)
{
	for (size_t i = 0; i < KMSD_LISTEN_MAX; i++)
		http_server_free(sh->servers[i]);
	http_server_free(sh->metrics);
	stream_orders_free(sh->control);
	streams_free(sh->streams);
	sh->streams = NULL;
	kms_free(sh->service.kms);
	kms_store_close(sh->store);
	loop_free(sh->loop);
	prune(sh);
	kmsd_config_free(sh->config);
}

int kmsd_run(struct kmsd_config *config, struct base_error *err)
{
	struct shell sh = { .config = config };
	int rc;

	/* A file that may not grow is an error of a write, no end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	base_log_level_set(config->level);
	rc = start(&sh, err);
	if (!rc) {
		base_log(BASE_LOG_INFO, "kms",
		         "event=started identity=%s store=%s rules=%zu groups=%zu control=%s",
		         config->kms.identity, kmsd_store_name(config), config->kms.rule_count,
		         config->kms.group_count, config->control ? config->control : "none");
		rc = loop_run(sh.loop);
	}
	stop(&sh);
	return rc;
}
