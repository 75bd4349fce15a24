/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mg/ask.h"
#include "mg/live.h"
#include "mg/metrics.h"
#include "mg/shell.h"
#include "mg/tickets.h"
#include "mg/watch.h"

struct shell {
	struct mg_config *config;
	struct mg_config *latest; /* by a reload; NULL = `config` is */
	const char *path;
	struct loop *loop;
	struct relay_pool *pool;
	struct h248_gateway *gateway;
	struct mg *mg;
	struct mg_domain_table *domains;
	struct link *link; /* NULL unless H.248 goes inside TLS */
	struct loop_timer advance, drain, keep;
	struct mg_watch watch;
	struct mg_live live;
	struct mg_tickets tickets;
	struct mg_ask ask;
	struct mg_metrics *metrics; /* NULL: none are told */
	struct base_arena replies;  /* of the request that is executed: one chunk stays */
	uint64_t drain_end_ms;
	bool leaving;  /* SIGTERM has come */
	bool stopping; /* the last ServiceChange is out */
};

/* A request that is out, and whose it is. */
struct sent {
	struct shell *shell;
	struct mg_notice *notice; /* NULL: the shell's own ServiceChange */
};

static struct h248_assoc *assoc_of(const struct shell *sh)
{
	return h248_gateway_assoc(sh->gateway);
}

/* ---- leaving ---- */

static void stop_now(struct shell *sh, enum h248_method method)
{
	if (sh->stopping)
		return;
	sh->stopping = true;
	loop_timer_stop(sh->loop, &sh->drain);
	/* 11.4: the spare gateway takes over, so it is a failure; else it is the operator's will */
	h248_assoc_stop(assoc_of(sh), method,
	                method == H248_FAILOVER ? H248_R_MG_FAILURE : H248_R_OUT_OF_SERVICE);
}

static void drain_over(void *arg)
{
	struct shell *sh = arg;
	struct mg_counts counts;

	mg_counts(sh->mg, &counts);
	base_log(BASE_LOG_WARN, "mg", "drain time is over with %zu contexts", counts.contexts);
	stop_now(sh, H248_FORCED);
}

static void request_over(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                         const struct h248_transaction *reply)
{
	struct sent *sent = arg;
	struct shell *sh = sent->shell;

	(void)msg;
	(void)reply;
	if (outcome == H248_OUTCOME_TIMEOUT && !sh->stopping)
		h248_assoc_failed(assoc_of(sh));
	if (sent->notice)
		mg_request_done(sh->mg, sent->notice, outcome == H248_OUTCOME_REPLY);
	free(sent);
}

static int request_send(struct shell *sh, struct h248_transaction *request,
                        struct mg_notice *notice)
{
	struct h248_peer *peer = h248_assoc_peer(assoc_of(sh));
	struct sent *sent;
	int rc;

	if (!peer)
		return BASE_ERR(BASE_LOCAL, H248_E_NOT_READY);
	sent = malloc(sizeof(*sent));
	if (!sent)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	sent->shell = sh;
	sent->notice = notice;
	rc = h248_txn_request(peer, request, 0, request_over, sent, NULL);
	if (rc)
		free(sent);
	return rc;
}

/* Of the drain, in whole seconds; never 0, which would mean as long as it takes (7.2.8). */
static uint32_t drain_left(const struct shell *sh)
{
	uint64_t now = loop_now_ms(sh->loop);
	uint64_t left = sh->drain_end_ms > now ? sh->drain_end_ms - now : 1;

	return (uint32_t)BASE_MIN((left + 999) / 1000, UINT32_MAX);
}

/* ServiceChange Graceful: the controller ends its contexts meanwhile (7.2.8). */
static int graceful_tell(struct shell *sh)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *t = h248_request_new(&arena);
	struct h248_action *a = t ? h248_action_add(&arena, t, H248_CONTEXT_NULL) : NULL;
	struct h248_command *c =
	        a ? h248_command_add(&arena, a, H248_SERVICE_CHANGE, BASE_STR("ROOT")) : NULL;
	struct h248_services *s = c ? h248_services_add(&arena, c) : NULL;
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	if (s) {
		s->method = H248_GRACEFUL;
		s->reason = base_str_of(h248_reason_text(H248_R_OUT_OF_SERVICE));
		s->reason_code = H248_R_OUT_OF_SERVICE;
		s->has_reason = true;
		s->delay = drain_left(sh);
		s->has_delay = true;
		rc = request_send(sh, t, NULL);
	}
	base_arena_done(&arena);
	return rc;
}

static void leave(struct shell *sh)
{
	struct mg_counts counts;

	mg_counts(sh->mg, &counts);
	mg_close_door(sh->mg, true);
	if (sh->leaving || sh->config->leave != H248_GRACEFUL || !sh->config->drain_ms) {
		stop_now(sh,
		         sh->leaving || !sh->config->drain_ms ? H248_FORCED : sh->config->leave);
		return;
	}
	sh->leaving = true;
	base_log(BASE_LOG_INFO, "mg", "leaving: %zu contexts, drain time %llu ms", counts.contexts,
	         (unsigned long long)sh->config->drain_ms);
	if (!counts.contexts) {
		stop_now(sh, H248_FORCED);
		return;
	}
	sh->drain_end_ms = loop_now_ms(sh->loop) + sh->config->drain_ms;
	(void)graceful_tell(sh); /* without a controller the drain goes on all the same */
	loop_timer_start(sh->loop, &sh->drain, sh->config->drain_ms, drain_over, sh);
}

/* ---- without a controller ---- */

static void keep_over(void *arg)
{
	struct shell *sh = arg;
	struct mg_counts counts;

	mg_counts(sh->mg, &counts);
	if (counts.contexts)
		base_log(BASE_LOG_WARN, "mg", "no controller for %u ms: %zu contexts are given up",
		         sh->config->keep_ms, counts.contexts);
	mg_give_up(sh->mg);
	h248_assoc_forget(assoc_of(sh));
}

/* ---- reload ---- */

/* Another generation of TLS domains, for new endpoints. */
static void domains_swap(struct shell *sh, struct mg_domain_table *table)
{
	mg_domains_set(sh->mg, table->domains, table->count, table->default_domain);
	mg_link_reload(sh->link, sh->config, table);
	/* Sessions may stand on the old profiles as long as they live; a later reload finds them
	 * gone. */
	mg_domain_table_prune(sh->domains);
	table->older = sh->domains;
	sh->domains = table;
	for (const struct mg_domain_table *t = table->older; t; t = t->older)
		for (size_t i = 0; i < t->count; i++)
			(void)relay_pool_domain_drop(sh->pool, t->domains[i].tls);
	mg_tickets_reload(&sh->tickets, table);
	/* The last: it may find newer certificates, and come here again, and prune this table. */
	mg_live_reload(&sh->live, table);
}

static void reload(struct shell *sh)
{
	struct base_error err = { 0 };
	struct mg_config *fresh = NULL;
	struct mg_domain_table *table;
	char text[900];

	if (mg_config_reload(&fresh, sh->path, sh->domains, &err)) {
		base_log(BASE_LOG_ERROR, "mg", "not reloaded, nothing has changed: %s",
		         base_error_format(&err, text, sizeof(text)));
		return;
	}
	mg_config_warn(fresh);
	table = mg_config_domains_take(fresh);
	mg_watch_reload(&sh->watch, fresh);
	mg_config_free(sh->latest);
	sh->latest = fresh;
	base_log(BASE_LOG_INFO, "mg",
	         "reloaded: %zu TLS domains, for new endpoints, and which media addresses are in "
	         "service; other settings need a restart",
	         table->count);
	domains_swap(sh, table);
}

/* Certificates that gatehouse-fetch has brought are in the cache folder. */
static void renew(void *arg)
{
	struct shell *sh = arg;
	struct mg_domain_table *table = NULL;
	struct base_error err = { 0 };
	char text[900];

	if (mg_config_domains_renew(sh->latest ? sh->latest : sh->config, sh->domains, &table,
	                            &err)) {
		base_log(BASE_LOG_ERROR, "mg",
		         "cache: certificates have changed, and the TLS domains stay as they are: "
		         "%s",
		         base_error_format(&err, text, sizeof(text)));
		return;
	}
	base_log(BASE_LOG_INFO, "mg",
	         "cache: certificates have changed: %zu TLS domains were made anew, for new "
	         "endpoints",
	         table->count);
	domains_swap(sh, table);
}

static void on_signal(void *arg, int signum)
{
	if (signum == SIGHUP)
		reload(arg);
	else
		leave(arg);
}

/* ---- the core's calls ---- */

static uint64_t op_now(void *arg)
{
	return loop_now_ms(((struct shell *)arg)->loop);
}

static uint64_t op_wall(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int op_request(void *arg, struct h248_transaction *request, struct mg_notice *notice)
{
	return request_send(arg, request, notice);
}

static int op_handoff(void *arg, const struct h248_mid *mgc)
{
	return h248_assoc_handoff(assoc_of(arg), mgc);
}

static void op_inactivity(void *arg, uint32_t inactivity_ms, uint32_t request_id)
{
	h248_assoc_inactivity_set(assoc_of(arg), inactivity_ms, request_id);
}

static void op_limits(void *arg, const struct h248_txn_root *root)
{
	struct h248_node *node = h248_gateway_node(((struct shell *)arg)->gateway);

	h248_txn_root_set(h248_node_txn(node), root);
}

static void op_segments(void *arg, uint32_t octets, uint32_t wait_ms)
{
	struct h248_node *node = h248_gateway_node(((struct shell *)arg)->gateway);

	h248_txn_segments_set(h248_node_txn(node), octets, wait_ms);
}

static void op_idle(void *arg)
{
	struct shell *sh = arg;

	if (sh->leaving)
		stop_now(sh, H248_FORCED);
}

static void advance_due(void *arg);

static void op_rearm(void *arg)
{
	struct shell *sh = arg;
	uint64_t due = mg_deadline(sh->mg), now = loop_now_ms(sh->loop);

	if (due == UINT64_MAX)
		loop_timer_stop(sh->loop, &sh->advance);
	else
		loop_timer_start(sh->loop, &sh->advance, due > now ? due - now : 0, advance_due,
		                 sh);
}

static void advance_due(void *arg)
{
	mg_advance(((struct shell *)arg)->mg);
	op_rearm(arg);
}

/* ---- the association's calls ---- */

static void on_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct h248_transaction *reply = NULL;
	struct shell *sh = user;
	int rc = mg_execute(sh->mg, req, msg->version ? msg->version : 1,
	                    h248_addr_protected(h248_incoming_from(in)), &sh->replies, &reply);

	if (rc)
		h248_txn_reply_error(in, H248_E_RESOURCES, NULL);
	else
		rc = h248_txn_reply(in, reply);
	if (rc)
		base_log(BASE_LOG_WARN, "mg", "transaction %u: the reply could not be sent (%u)",
		         req->id, base_err_detail(rc));
	base_arena_reset(&sh->replies);
}

static void on_up(void *user, struct h248_peer *peer)
{
	static const struct h248_profile none = { { "none", 4 }, 0 };
	struct shell *sh = user;
	const struct h248_profile *agreed = h248_assoc_profile(assoc_of(sh));
	const struct h248_profile *p = agreed ? agreed : &none;
	char text[H248_ADDR_TEXT];

	base_log(BASE_LOG_INFO, "mg", "registered controller=%s version=%u profile=%.*s/%u",
	         h248_addr_format(h248_peer_addr(peer), text), h248_peer_version(peer),
	         BASE_FMT(p->name), p->version);
	loop_timer_stop(sh->loop, &sh->keep);
	if (sh->leaving)
		(void)graceful_tell(sh); /* one that came after SIGTERM has not heard of it */
	mg_resume(sh->mg);
}

static void on_refused(void *user, const struct h248_addr *controller, unsigned code,
                       const char *why, struct base_str text)
{
	char addr[H248_ADDR_TEXT];

	(void)user;
	base_log(BASE_LOG_WARN, "mg", "not registered controller=%s: %s: %u %.*s",
	         h248_addr_format(controller, addr), why, code, BASE_FMT(text));
}

static void on_message_error(void *user, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	char addr[H248_ADDR_TEXT];

	(void)user;
	if (peer) /* what strangers say is not worth a line each */
		base_log(BASE_LOG_WARN, "mg", "message error from controller=%s: %u %.*s",
		         h248_addr_format(from, addr), code, BASE_FMT(text));
}

static void on_down(void *user, struct h248_peer *peer, enum h248_assoc_cause cause)
{
	static const char *const causes[] = { "?", "silent", "lost", "handoff", "left" };
	struct shell *sh = user;
	char text[H248_ADDR_TEXT];

	base_log(BASE_LOG_INFO, "mg", "no longer registered controller=%s cause=%s",
	         h248_addr_format(h248_peer_addr(peer), text),
	         cause < BASE_COUNT(causes) ? causes[cause] : "?");
	if (sh->config->keep_ms && cause != H248_CAUSE_LEFT && !loop_timer_active(&sh->keep))
		loop_timer_start(sh->loop, &sh->keep, sh->config->keep_ms, keep_over, sh);
}

static struct h248_time wall_time(void *user)
{
	uint64_t ms = op_wall(user);

	return h248_time_of((int64_t)(ms / 1000), (unsigned)(ms % 1000 / 10));
}

static void on_gone(void *user)
{
	loop_stop(((struct shell *)user)->loop);
}

static void on_state(void *user, enum h248_assoc_state from, enum h248_assoc_state to,
                     const char *event)
{
	(void)user;
	base_log(BASE_LOG_DEBUG, "mg", "association %s -> %s by %s", h248_assoc_state_name(from),
	         h248_assoc_state_name(to), event);
}

static void on_trace(void *user, bool out, const struct h248_addr *peer, const void *data,
                     size_t len)
{
	char text[H248_ADDR_TEXT];

	(void)user;
	base_log(BASE_LOG_DEBUG, "mg", "%s %s: %.*s", out ? "to" : "from",
	         h248_addr_format(peer, text), (int)len, (const char *)data);
}

/* ---- start and end ---- */

static bool any_host(const struct h248_addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, sizeof(a->ip)) == 0;
}

/* Our mId: configured, or the address that controllers see. */
static struct h248_mid own_mid(const struct mg_config *c)
{
	struct h248_mid mid = { 0 };

	if (c->mid[0] && !h248_mid_parse(base_str_of(c->mid), &mid))
		return mid;
	if (c->listen_count && !any_host(&c->listen[0])) {
		mid = h248_addr_mid(&c->listen[0]);
		mid.has_port = c->listen[0].port != 0;
		return mid;
	}
	mid.kind = H248_MID_DEVICE;
	mid.name = BASE_STR("gatehouse");
	return mid;
}

static int control_listen(struct shell *sh, struct base_error *err)
{
	char text[H248_ADDR_TEXT];
	int rc = 0;

	for (size_t i = 0; i < sh->config->listen_count && !rc; i++) {
		struct h248_addr local = sh->config->listen[i];

		rc = h248_node_listen(h248_gateway_node(sh->gateway), &local, err);
		if (!rc)
			base_log(BASE_LOG_INFO, "mg", "H.248 on %s",
			         h248_addr_format(&local, text));
	}
	return rc;
}

static int control_start(struct shell *sh, struct base_error *err)
{
	const struct h248_assoc_ops ops = {
		.on_request = on_request,
		.on_up = on_up,
		.on_down = on_down,
		.on_gone = on_gone,
		.on_refused = on_refused,
		.on_message_error = on_message_error,
		.on_state = on_state,
		.wall_time = wall_time,
		.on_trace = sh->config->log_messages ? on_trace : NULL,
	};
	struct h248_node_config node = sh->config->node;
	int rc = mg_link_start(&sh->link, sh->config, sh->domains, err);

	if (rc)
		return rc;
	node.transport.filter = sh->link ? &link_filter : NULL;
	node.transport.filter_arg = sh->link;
	node.txn.mid = own_mid(sh->config);
	rc = h248_gateway_new(&sh->gateway, sh->loop, &node, &sh->config->assoc, &ops, sh);
	if (rc)
		return base_error_set(err, rc, "no memory for the H.248 association");
	return control_listen(sh, err);
}

static int signals_start(struct shell *sh, struct base_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int rc = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < BASE_COUNT(signals) && !rc; i++)
		rc = loop_signal_start(sh->loop, signals[i], on_signal, sh);
	return rc ? base_error_set(err, rc, "cannot watch signals") : 0;
}

static int core_start(struct shell *sh, struct base_error *err)
{
	const struct mg_ops ops = {
		.now_ms = op_now,
		.wall_ms = op_wall,
		.request = op_request,
		.handoff = op_handoff,
		.inactivity = op_inactivity,
		.limits = op_limits,
		.segments = op_segments,
		.idle = op_idle,
		.rearm = op_rearm,
		.arg = sh,
	};
	const struct relay_pool_spec pool = {
		.workers = sh->config->workers,
		.endpoint_limit = sh->config->endpoint_limit,
		.buffer_limit = sh->config->buffer_limit,
		.fetch = sh->config->fetch_socket ? mg_ask_fetch : NULL,
		.fetch_arg = &sh->ask,
		.fetch_limit_ms = sh->config->fetch_limit_ms,
	};
	int rc;

	mg_ask_start(&sh->ask, sh->loop, sh->config->fetch_socket, mg_live_look, &sh->live);
	rc = relay_pool_new(&sh->pool, sh->loop, &pool, err);

	if (rc)
		return rc;
	rc = mg_new(&sh->mg, &sh->config->core, &mg_bearer_relay, sh->pool, &ops);
	if (rc)
		return base_error_set(err, rc, "no memory for the gateway");
	sh->domains = mg_config_domains_take(sh->config);
	mg_domains_set(sh->mg, sh->domains->domains, sh->domains->count,
	               sh->domains->default_domain);
	return 0;
}

static void shell_end(struct shell *sh)
{
	mg_metrics_stop(sh->metrics);
	mg_ask_stop(&sh->ask);
	mg_tickets_stop(&sh->tickets);
	mg_live_stop(&sh->live);
	mg_watch_stop(&sh->watch);
	/* Requests that are out end here and still need the core. */
	h248_gateway_free(sh->gateway);
	link_free(sh->link);
	mg_free(sh->mg);
	base_arena_done(&sh->replies);
	relay_pool_free(sh->pool);
	if (sh->loop) {
		loop_signal_stop(sh->loop, SIGTERM);
		loop_signal_stop(sh->loop, SIGINT);
		loop_signal_stop(sh->loop, SIGHUP);
	}
	loop_free(sh->loop);
	mg_domain_table_free(sh->domains);
	mg_config_free(sh->latest);
}

int mg_shell_run(struct mg_config *config, const char *path, struct base_error *err)
{
	struct shell sh = { .config = config, .path = path };
	int rc = loop_new(&sh.loop);

	if (rc) {
		(void)base_error_set(err, rc, "cannot make an event loop");
		goto out;
	}
	rc = core_start(&sh, err);
	if (!rc)
		rc = control_start(&sh, err);
	if (!rc)
		rc = signals_start(&sh, err);
	if (!rc)
		rc = mg_metrics_start(&sh.metrics, sh.loop, config, sh.mg, sh.pool, err);
	if (rc)
		goto out;
	mg_watch_start(&sh.watch, sh.loop, sh.mg, config);
	sh.live.link = sh.link;
	rc = mg_tickets_start(&sh.tickets, sh.loop, sh.domains, &config->pool, err);
	if (rc)
		goto out;
	mg_live_start(&sh.live, sh.loop, sh.pool, sh.domains, renew, &sh);
	h248_assoc_start(assoc_of(&sh));
	rc = loop_run(sh.loop);
	if (rc)
		(void)base_error_set(err, rc, "the event loop failed");
out:
	shell_end(&sh);
	return rc;
}
