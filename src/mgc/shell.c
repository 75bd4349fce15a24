/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/shell.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "flow/flow.h"
#include "http/http.h"
#include "mgc/ask.h"
#include "mgc/focus.h"
#include "mgc/metrics.h"
#include "mgc/reload.h"

#define LEAVE_MS 5000U /* how long ends of calls are waited for */

/* A configuration that another has taken the place of, and who asks the KMS by it. */
struct past {
	struct past *next; /* a newer one */
	struct mgc_config *config;
	struct mgc_kms *kms;
};

struct shell {
	struct mgc_config *config;
	struct mgc_config *first; /* the caller's; sockets stand on it */
	struct past *past;        /* the oldest first */
	struct loop *loop;
	struct streams *streams;
	struct link *link;
	struct flow_ua *sip;
	struct mgc_mp *mp;
	struct mgc_kms *kms;
	struct mgc_focus *focus;
	struct mgc_metrics counted;
	struct http_metrics *metrics;
	struct loop_timer patience;
	bool leaving;
};

/* ---- between the parts ---- */

static int op_ask(void *arg, bool resolve, struct mikey_octets octets, mgc_answer_fn *fn,
                  void *fn_arg, struct mgc_ask **ret, struct base_error *err)
{
	return mgc_kms_ask(((struct shell *)arg)->kms, resolve, octets, fn, fn_arg, ret, err);
}

static void op_forget(void *arg, struct mgc_ask *ask)
{
	mgc_kms_forget(((struct shell *)arg)->kms, ask);
}

static uint64_t op_wall(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void mp_up(void *arg, struct mgc_mrfp *mrfp, bool fresh)
{
	mgc_focus_mrfp_up(((struct shell *)arg)->focus, mrfp, fresh);
}

static void mp_down(void *arg, struct mgc_mrfp *mrfp, const char *why)
{
	mgc_focus_mrfp_down(((struct shell *)arg)->focus, mrfp, why);
}

static void mp_told(void *arg, struct mgc_mrfp *mrfp, const struct mgc_told *told)
{
	mgc_focus_told(((struct shell *)arg)->focus, mrfp, told);
}

static void mp_trace(void *arg, bool out, const struct h248_addr *peer, const void *data,
                     size_t len)
{
	char text[H248_ADDR_TEXT];

	(void)arg;
	base_log(BASE_LOG_DEBUG, "mgc", "%s %s: %.*s", out ? "to" : "from",
	         h248_addr_format(peer, text), (int)len, (const char *)data);
}

static void on_call(void *arg, const struct sip_call_event *event)
{
	mgc_focus_call(((struct shell *)arg)->focus, event);
}

/* ---- reload ---- */

static void past_free(struct shell *sh, struct past *past)
{
	mgc_kms_free(past->kms);
	if (past->config != sh->first)
		mgc_config_free(past->config);
	free(past);
}

/* A member may have asked the KMS by any configuration that is newer than its own: none goes before
 * the older ones' members have. */
static void prune(struct shell *sh)
{
	struct past **at = &sh->past;
	bool held = false;

	while (*at) {
		struct past *past = *at;

		held = held || mgc_focus_uses(sh->focus, past->config);
		if (!held) { /* its client has a hold on the domain */
			mgc_kms_free(past->kms);
			past->kms = NULL;
		}
		if (held || !mgc_reload_idle(past->config)) {
			at = &past->next;
			continue;
		}
		*at = past->next;
		past_free(sh, past);
	}
}

static void past_add(struct shell *sh, struct past *past)
{
	struct past **end = &sh->past;

	while (*end)
		end = &(*end)->next;
	*past = (struct past){ .config = sh->config, .kms = sh->kms };
	*end = past;
}

/* All that can fail. */
static int reload_prepare(struct shell *sh, struct mgc_config *fresh, struct mgc_kms **kms,
                          struct mgc_focus_plan **plan, struct base_error *err)
{
	const char *what = mgc_reload_obstacle(sh->config, fresh);
	int rc;

	if (!what)
		what = mgc_focus_obstacle(sh->focus, fresh);
	if (what)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a change of %s needs a restart", what);
	rc = mgc_kms_new(kms, sh->loop, sh->streams, fresh);
	if (!rc)
		rc = mgc_focus_prepare(sh->focus, fresh, plan);
	if (rc)
		return base_error_set(err, rc, "no memory");
	if (sh->link)
		rc = link_domain_set(sh->link, mgc_config_domain(fresh, fresh->link_domain), err);
	return rc;
}

static void reload_commit(struct shell *sh, struct mgc_config *fresh, struct mgc_kms *kms,
                          struct mgc_focus_plan *plan, struct past *past)
{
	mgc_reload_inherit(fresh, sh->config);
	past_add(sh, past);
	sh->config = fresh;
	sh->kms = kms;
	if (fresh->sip_domain)
		flows_domain_set(flow_ua_flows(sh->sip),
		                 mgc_config_domain(fresh, fresh->sip_domain));
	mgc_mp_rules_set(sh->mp, &fresh->mp);
	mgc_focus_commit(sh->focus, plan);
	base_log_level_set(fresh->log_level);
	mgc_config_warn(fresh);
	base_log(BASE_LOG_INFO, "mgc", "event=reloaded conferences=%zu", fresh->room_count);
	prune(sh);
}

static void reload(struct shell *sh)
{
	struct past *past = calloc(1, sizeof(*past));
	struct mgc_config *fresh = NULL;
	struct mgc_focus_plan *plan = NULL;
	struct mgc_kms *kms = NULL;
	struct base_error err = { .text = "no memory" };
	char text[900];
	int rc = past ? mgc_config_load(&fresh, sh->config->file, &err) : BASE_ERR(BASE_LOCAL, 0);

	if (!rc && fresh)
		rc = reload_prepare(sh, fresh, &kms, &plan, &err);
	if (!rc && past && fresh && plan) {
		reload_commit(sh, fresh, kms, plan, past);
		return;
	}
	base_log(BASE_LOG_ERROR, "mgc", "not reloaded, nothing has changed: %s",
	         base_error_format(&err, text, sizeof(text)));
	mgc_focus_drop(sh->focus, plan);
	mgc_kms_free(kms);
	mgc_config_free(fresh);
	free(past);
}

/* ---- leaving ---- */

static void stop_now(void *arg)
{
	loop_stop(((struct shell *)arg)->loop);
}

/* Nobody is left; what SIP still repeats need not be waited for. */
static void op_empty(void *arg)
{
	struct shell *sh = arg;

	prune(sh);
	if (sh->leaving)
		loop_stop(sh->loop);
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
	base_log(BASE_LOG_INFO, "mgc", "leaving: %zu members", mgc_focus_members(sh->focus));
	mgc_mp_leave(sh->mp);
	mgc_focus_leave(sh->focus);
	loop_timer_start(sh->loop, &sh->patience, mgc_focus_members(sh->focus) ? LEAVE_MS : 0,
	                 stop_now, sh);
}

/* ---- start ---- */

static int sip_listen(struct shell *sh, const char *text, struct base_error *err)
{
	const char *colon = strchr(text, ':');
	struct base_str name = { text, (size_t)(colon - text) };
	enum flow_transport transport = FLOW_UDP;
	union stream_addr local;
	char at[STREAM_ADDR_TEXT];
	int rc = flow_transport_parse(name, &transport);

	if (!rc)
		rc = stream_addr_parse(&local, base_str_of(colon + 1), err);
	if (!rc)
		rc = flows_listen(flow_ua_flows(sh->sip), transport, &local, err);
	if (!rc)
		base_log(BASE_LOG_INFO, "mgc", "SIP on %.*s:%s", BASE_FMT(name),
		         stream_addr_format(&local, at, sizeof(at)));
	return rc;
}

static int sip_start(struct shell *sh, struct base_error *err)
{
	const struct mgc_config *c = sh->config;
	const struct flow_config flows = { .host = c->sip_host,
		                           .domain = mgc_config_domain(c, c->sip_domain),
		                           .alias = true,
		                           .resolver = { .servers = c->dns } };
	const struct sip_ua_config sip = { .session_s = c->session_s,
		                           .lines = "Server: gatehouse-mgc\r\n" };
	const struct flow_ua_ops ops = { .on_call = on_call, .arg = sh };
	int rc = flow_ua_new(&sh->sip, sh->streams, &flows, &sip, &ops, err);

	for (size_t i = 0; !rc && i < c->sip_listen_count; i++)
		rc = sip_listen(sh, c->sip_listen[i], err);
	return rc;
}

static int mp_start(struct shell *sh, struct base_error *err)
{
	struct mgc_mp_config config = sh->config->mp;
	const struct mgc_mp_ops ops = { .on_up = mp_up,
		                        .on_down = mp_down,
		                        .on_told = mp_told,
		                        .on_trace = sh->config->messages ? mp_trace : NULL,
		                        .arg = sh };
	char at[H248_ADDR_TEXT];
	int rc = 0;

	if (sh->config->link_domain) {
		rc = link_new(&sh->link, mgc_config_domain(sh->config, sh->config->link_domain),
		              &sh->config->link, err);
		config.node.transport.filter = &link_filter;
		config.node.transport.filter_arg = sh->link;
	}
	if (!rc)
		rc = mgc_mp_new(&sh->mp, sh->loop, &config, &ops, err);
	if (!rc)
		base_log(BASE_LOG_INFO, "mgc", "H.248 on %s",
		         h248_addr_format(mgc_mp_local(sh->mp), at));
	return rc;
}

static int signals_start(struct shell *sh, struct base_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int rc = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < BASE_COUNT(signals) && !rc; i++)
		rc = loop_signal_start(sh->loop, signals[i], on_signal, sh);
	return rc ? base_error_set(err, rc, "signals cannot be watched") : 0;
}

static int start(struct shell *sh, struct base_error *err)
{
	const struct mgc_focus_ops ops = { .ask = op_ask,
		                           .forget = op_forget,
		                           .wall_ns = op_wall,
		                           .on_empty = op_empty,
		                           .arg = sh };
	int rc = signals_start(sh, err);

	if (!rc)
		rc = streams_new(&sh->streams, sh->loop, NULL);
	if (!rc)
		rc = mgc_kms_new(&sh->kms, sh->loop, sh->streams, sh->config);
	if (!rc)
		rc = mgc_focus_new(&sh->focus, sh->loop, sh->config, &ops);
	if (!rc)
		rc = sip_start(sh, err);
	if (!rc)
		rc = mp_start(sh, err);
	sh->counted = (struct mgc_metrics){ sh->focus, sh->mp };
	if (!rc)
		mgc_focus_attach(sh->focus, sh->mp, flow_ua_sip(sh->sip));
	if (!rc)
		rc = http_metrics_start(&sh->metrics, sh->loop, sh->config->metrics, "mgc",
		                        mgc_metrics_write, &sh->counted, err);
	return rc;
}

int mgc_shell_run(struct mgc_config *config, struct base_error *err)
{
	struct shell sh = { .config = config, .first = config };
	int rc = loop_new(&sh.loop);

	if (rc)
		return base_error_set(err, rc, "no event loop");
	rc = start(&sh, err);
	if (!rc) {
		base_log(BASE_LOG_INFO, "mgc", "event=started conferences=%zu", config->room_count);
		rc = loop_run(sh.loop);
	} else if (err && !err->text[0]) {
		(void)base_error_set(err, rc, "no memory");
	}
	http_metrics_stop(sh.metrics);
	mgc_focus_free(sh.focus);
	flow_ua_free(sh.sip);
	mgc_kms_free(sh.kms);
	mgc_mp_free(sh.mp);
	link_free(sh.link);
	while (sh.past) {
		struct past *past = sh.past;

		sh.past = past->next;
		past_free(&sh, past);
	}
	streams_free(sh.streams);
	if (sh.config != config)
		mgc_config_free(sh.config);
	loop_free(sh.loop);
	return rc;
}
