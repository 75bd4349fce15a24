/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/shell.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "edge/control.h"
#include "edge/live.h"
#include "edge/metrics.h"
#include "edge/net.h"
#include "edge/reload.h"
#include "http/http.h"

#define LOOK_MS 50U /* while we leave: is there anything left? */

/* A configuration that another has taken the place of; sessions may stand on its TLS domains. */
struct past {
	struct past *next;
	struct edge_config *config;
};

struct shell {
	struct edge_config *config, *first; /* first: the caller's */
	struct past *past;
	struct loop *loop;
	struct streams *streams;
	struct edge_net *net;
	struct edge_live live;
	struct edge_metrics counted;
	struct http_metrics *metrics;
	struct stream_orders *orders;
	struct loop_timer patience;
	uint64_t leave_ms; /* when patience ends */
	bool leaving;
};

/* ---- reload ---- */

static void past_free(struct shell *sh, struct past *past)
{
	if (past->config != sh->first)
		edge_config_free(past->config);
	free(past);
}

static void prune(struct shell *sh)
{
	struct past **at = &sh->past;

	while (*at) {
		struct past *past = *at;

		for (size_t i = 0; i < past->config->domain_count; i++)
			streams_forget(sh->streams, past->config->domains[i].tls);
		if (!edge_reload_idle(past->config)) {
			at = &past->next;
			continue;
		}
		*at = past->next;
		past_free(sh, past);
	}
}

static int reload_do(struct shell *sh, struct edge_config *fresh, struct base_error *err)
{
	const char *what = edge_reload_obstacle(sh->config, fresh);

	if (what)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a change of %s needs a restart", what);
	return edge_net_config(sh->net, fresh, err);
}

static void reload(struct shell *sh)
{
	struct past *past = calloc(1, sizeof(*past));
	struct edge_config *fresh = NULL;
	struct base_error err = { .text = "no memory" };
	char text[900];
	int rc = past ? edge_config_load(&fresh, sh->config->file, sh->config, &err)
	              : BASE_ERR(BASE_LOCAL, 0);

	if (!rc)
		rc = reload_do(sh, fresh, &err);
	if (rc || !past || !fresh) {
		base_log(BASE_LOG_ERROR, "edge", "not reloaded, nothing has changed: %s",
		         base_error_format(&err, text, sizeof(text)));
		edge_config_free(fresh);
		free(past);
		return;
	}
	*past = (struct past){ .next = sh->past, .config = sh->config };
	sh->past = past;
	sh->config = fresh;
	edge_live_config(&sh->live, fresh);
	base_log_level_set(fresh->log_level);
	edge_config_warn(fresh);
	base_log(BASE_LOG_INFO, "edge", "event=reloaded");
	prune(sh);
}

static void on_renew(void *arg)
{
	struct shell *sh = arg;

	if (!sh->leaving)
		reload(sh);
}

/* ---- leaving ---- */

static void on_look(void *arg)
{
	struct shell *sh = arg;

	bool done = !edge_net_busy(sh->net) && edge_net_part(sh->net);

	if (done || loop_now_ms(sh->loop) >= sh->leave_ms)
		loop_stop(sh->loop);
	else
		loop_timer_start(sh->loop, &sh->patience, LOOK_MS, on_look, sh);
}

static void on_signal(void *arg, int signum)
{
	struct shell *sh = arg;

	if (signum == SIGHUP) {
		if (!sh->leaving)
			reload(sh);
		return;
	}
	if (sh->leaving) {
		loop_stop(sh->loop);
		return;
	}
	sh->leaving = true;
	sh->leave_ms = loop_now_ms(sh->loop) + sh->config->drain_ms;
	edge_net_leave(sh->net);
	base_log(BASE_LOG_INFO, "edge", "event=leaving bindings=%zu requests=%zu",
	         edge_core_count(edge_net_core(sh->net)), edge_net_busy(sh->net));
	loop_timer_start(sh->loop, &sh->patience, 0, on_look, sh);
}

/* ---- start ---- */

static void hangups(int how)
{
	sigset_t set;

	(void)sigemptyset(&set); /* these fail for signals that are none */
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(how, &set, NULL);
}

void edge_shell_prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	hangups(SIG_BLOCK);
}

static int signals_start(struct shell *sh, struct base_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int rc = 0;

	for (size_t i = 0; i < BASE_COUNT(signals) && !rc; i++)
		rc = loop_signal_start(sh->loop, signals[i], on_signal, sh);
	hangups(SIG_UNBLOCK);
	return rc ? base_error_set(err, rc, "signals cannot be watched") : 0;
}

/* One descriptor a connection, and some for ourselves. */
static void descriptors_raise(const struct edge_config *config)
{
	rlim_t wanted = (rlim_t)config->connections + 1024;
	struct rlimit limit, more;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	more = (struct rlimit){ wanted, BASE_MAX(wanted, limit.rlim_max) };
	if (!setrlimit(RLIMIT_NOFILE, &more)) /* a privilege, but up to the maximum */
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* what it comes to is told */
	base_log(BASE_LOG_WARN, "edge",
	         "descriptors=%llu are too few for limits.connections=%u: more wait in the kernel "
	         "(LimitNOFILE)",
	         (unsigned long long)limit.rlim_max, config->connections);
}

static int start(struct shell *sh, struct base_error *err)
{
	const struct edge_config *c = sh->config;
	const struct streams_config streams = { .area = "edge",
		                                .conns_max = (size_t)c->connections + 1024 };
	int rc = signals_start(sh, err);

	descriptors_raise(c);
	if (!rc)
		rc = streams_new(&sh->streams, sh->loop, &streams);
	if (!rc)
		rc = edge_net_new(&sh->net, sh->streams, c, err);
	if (rc)
		return rc;
	edge_live_start(&sh->live, sh->streams, c, on_renew, sh);
	sh->counted = (struct edge_metrics){ sh->net, sh->streams };
	rc = http_metrics_start(&sh->metrics, sh->loop, c->metrics, "edge", edge_metrics_write,
	                        &sh->counted, err);
	if (!rc && c->control)
		rc = stream_orders_new(&sh->orders, sh->streams, c->control, edge_control_do,
		                       sh->net, err);
	return rc;
}

static void stop(struct shell *sh)
{
	http_metrics_stop(sh->metrics);
	stream_orders_free(sh->orders);
	edge_live_stop(&sh->live);
	edge_net_free(sh->net);
	streams_free(sh->streams);
	while (sh->past) {
		struct past *past = sh->past;

		sh->past = past->next;
		past_free(sh, past);
	}
	if (sh->config != sh->first)
		edge_config_free(sh->config);
	loop_free(sh->loop);
}

int edge_shell_run(struct edge_config *config, struct base_error *err)
{
	struct shell sh = { .config = config, .first = config };
	int rc = loop_new(&sh.loop);

	if (rc)
		return base_error_set(err, rc, "no event loop");
	rc = start(&sh, err);
	if (!rc) {
		base_log(BASE_LOG_INFO, "edge", "event=started host=%s", config->host);
		rc = loop_run(sh.loop);
	} else if (err && !err->text[0]) {
		(void)base_error_set(err, rc, "no memory");
	}
	stop(&sh);
	return rc;
}
