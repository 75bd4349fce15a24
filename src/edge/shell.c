/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/shell.h"

#include <signal.h>

struct shell {
	struct edge_config *config;
	struct loop *loop;
	struct streams *streams;
	struct flows *access, *core;
};

/* ---- what comes ---- */

static void on_message(void *arg, struct sip_flow from, const struct sip_source *source,
                       struct base_str octets)
{
	(void)arg;
	(void)from;
	(void)source;
	(void)octets;
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	(void)arg;
	(void)flow;
	(void)why;
}

static void on_way(void *arg, uint64_t id, struct sip_flow flow, unsigned status)
{
	(void)arg;
	(void)id;
	(void)flow;
	(void)status;
}

/* ---- start ---- */

static int listen_all(struct flows *flows, const char *side, const struct edge_listen *list,
                      size_t count, struct base_error *err)
{
	char at[STREAM_ADDR_TEXT];
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		union stream_addr addr = list[i].addr;

		rc = flows_listen(flows, list[i].transport, &addr, err);
		if (!rc)
			base_log(BASE_LOG_INFO, "edge", "%s on %s:%s", side,
			         flow_transport_name(list[i].transport),
			         stream_addr_format(&addr, at, sizeof(at)));
	}
	return rc;
}

static int access_start(struct shell *sh, struct base_error *err)
{
	const struct edge_config *c = sh->config;
	const struct flow_ops ops = {
		.on_message = on_message, .on_lost = on_lost, .on_way = on_way, .arg = sh
	};
	const struct flow_config flows = { .host = c->host,
		                           .conns_max = c->connections,
		                           .source_max = c->per_source,
		                           .message_ms = c->message_ms,
		                           .idle_ms = c->idle_ms,
		                           .domain = edge_config_domain(c, c->access_domain),
		                           .anybody = true };
	int rc = flows_new(&sh->access, sh->streams, &flows, &ops, err);

	return rc ? rc : listen_all(sh->access, "access", c->access, c->access_count, err);
}

static int core_start(struct shell *sh, struct base_error *err)
{
	const struct edge_config *c = sh->config;
	const struct flow_ops ops = {
		.on_message = on_message, .on_lost = on_lost, .on_way = on_way, .arg = sh
	};
	const struct flow_config flows = { .host = c->core_host,
		                           .ping_ms = c->ping_ms,
		                           .avoid_ms = c->avoid_ms,
		                           .domain = edge_config_domain(c, c->core_domain),
		                           .alias = true,
		                           .resolver = { .servers = c->dns } };
	int rc = flows_new(&sh->core, sh->streams, &flows, &ops, err);

	return rc ? rc : listen_all(sh->core, "core", c->core, c->core_count, err);
}

static void on_signal(void *arg, int signum)
{
	struct shell *sh = arg;

	if (signum != SIGHUP)
		loop_stop(sh->loop);
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
	const struct streams_config streams = { .area = "edge",
		                                .conns_max = sh->config->connections + 1024 };
	int rc = signals_start(sh, err);

	if (!rc)
		rc = streams_new(&sh->streams, sh->loop, &streams);
	if (!rc)
		rc = access_start(sh, err);
	if (!rc)
		rc = core_start(sh, err);
	return rc;
}

int edge_shell_run(struct edge_config *config, struct base_error *err)
{
	struct shell sh = { .config = config };
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
	flows_free(sh.access);
	flows_free(sh.core);
	streams_free(sh.streams);
	loop_free(sh.loop);
	return rc;
}
