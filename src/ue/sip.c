/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/sip.h"

#include <stdlib.h>

#include "flow/flow.h"
#include "ue/call.h"
#include "ue/registrar.h"

#define ROUTES_MAX 8
#define IDLE_MS    86400000 /* a registration's connection may be silent for long */

struct ue_sip {
	struct ue_app *app;
	struct flow_ua *ua;
	char *self;
	char *route_text[ROUTES_MAX];
	struct base_str route[ROUTES_MAX];
	size_t routes;
	struct tls_domain *domain;
	struct ue_registrar *registrar;
	size_t asking; /* requests that are unanswered */
};

struct sip_ua *ue_sip_ua(struct ue_sip *sip)
{
	return flow_ua_sip(sip->ua);
}

struct ue_access *ue_sip_access(const struct ue_sip *sip)
{
	return sip->registrar ? ue_registrar_access(sip->registrar) : NULL;
}

const char *ue_sip_contact(const struct ue_sip *sip)
{
	struct ue_access *access = ue_sip_access(sip);

	return access ? ue_access_contact(access) : NULL;
}

const struct base_str *ue_sip_routes(const struct ue_sip *sip, size_t *ret_count)
{
	return ue_registrar_routes(sip->registrar, ret_count);
}

const char *ue_sip_self(const struct ue_sip *sip)
{
	return sip->self;
}

bool ue_sip_busy(const struct ue_sip *sip)
{
	return sip->asking != 0 || ue_registrar_busy(sip->registrar);
}

void ue_sip_quit(struct ue_sip *sip)
{
	ue_registrar_quit(sip->registrar);
}

/* ---- messages, as events ---- */

/** The first line, for a ladder. */
static struct base_str first_line(struct base_str octets)
{
	const char *end = octets.len ? memchr(octets.ptr, '\r', octets.len) : NULL;

	return (struct base_str){ octets.ptr, end ? (size_t)(end - octets.ptr) : octets.len };
}

static void on_trace(void *arg, uint64_t flow, bool sent, struct base_str octets)
{
	const struct ue_sip *sip = arg;
	struct flow_info info;
	char remote[STREAM_ADDR_TEXT];
	bool known = flows_info(flow_ua_flows(sip->ua), flow, &info);

	UE_TELL(&sip->app->events, sent ? "sip.sent" : "sip.received",
	        { "transport", base_str_of(known ? flow_transport_name(info.transport) : NULL) },
	        { "remote",
	          base_str_of(known ? stream_addr_format(&info.remote, remote, sizeof(remote))
	                            : NULL) },
	        { "line", first_line(octets) }, { "message", octets });
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	const struct ue_sip *sip = arg;
	struct ue_access *access = ue_sip_access(sip);

	if (access && ue_access_lost(access, flow, why))
		return;
	UE_TELL(&sip->app->events, "sip.lost", { "text", base_str_of(why) });
}

static void on_up(void *arg, uint64_t flow, const struct flow_info *info)
{
	struct ue_access *access = ue_sip_access(arg);

	if (access)
		ue_access_up(access, flow, info);
}

static void on_rekeyed(void *arg, uint64_t flow, enum stream_again what)
{
	struct ue_access *access = ue_sip_access(arg);

	if (access)
		ue_access_rekeyed(access, flow, what);
}

static void on_opened(void *arg, struct sip_flow flow, unsigned status)
{
	ue_access_opened(ue_sip_access(arg), flow, status);
}

/* ---- calls and requests ---- */

static void on_call(void *arg, const struct sip_call_event *event)
{
	ue_call_event(((struct ue_sip *)arg)->app, event);
}

static bool on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_call *call)
{
	struct ue_sip *sip = arg;
	const struct sip_content none = { 0 };

	(void)call;
	if (!base_str_eq(msg->method_name, BASE_STR("MESSAGE")))
		return false;
	UE_TELL(&sip->app->events, "message", { "from", msg->from.uri }, { "text", msg->body });
	(void)sip_ua_reply(flow_ua_sip(sip->ua), txn, 200, &none); /* else it comes again */
	return true;
}

/* ---- MESSAGE ---- */

static void on_answer(void *arg, const struct sip_message *response, unsigned status, uint32_t cseq)
{
	struct ue_sip *sip = arg;
	struct ue_number code;

	(void)response;
	(void)cseq;
	sip->asking--;
	UE_TELL(&sip->app->events, "message.answer", { "status", ue_number(&code, status) });
}

int ue_sip_message(struct ue_sip *sip, const char *target, const char *text, struct base_error *err)
{
	struct sip_draft draft = {
		.method = "MESSAGE",
		.target = base_str_of(target),
		.from = base_str_of(sip->self),
		.content = { .type = "text/plain", .body = base_str_of(text) },
	};
	struct base_writer to = { 0 };
	int rc;

	draft.routes = ue_sip_routes(sip, &draft.route_count);
	base_writer_printf(&to, "<%s>", target);
	draft.to = base_writer_view(&to);
	rc = to.failed ? BASE_ERR(BASE_LOCAL, 0)
	               : sip_ua_ask(flow_ua_sip(sip->ua), &draft, on_answer, sip, NULL);
	base_writer_done(&to);
	sip->asking += !rc;
	return rc ? base_error_set(err, rc, "the message cannot be sent") : 0;
}

/* ---- life ---- */

/** "udp:127.0.0.1:5060" */
static int listen_at(struct ue_sip *sip, const char *text, struct base_error *err)
{
	const char *colon = strchr(text, ':');
	struct base_str word = { text, colon ? (size_t)(colon - text) : 0 };
	enum flow_transport transport;
	union stream_addr local;
	char where[STREAM_ADDR_TEXT];
	int rc;

	if (!colon || flow_transport_parse(word, &transport))
		return base_error_set(
		        err, BASE_ERR(BASE_CONFIG, 0),
		        "sip.listen: expected udp:, tcp: or tls: before ADDRESS:PORT, "
		        "not '%s'",
		        text);
	rc = stream_addr_parse(&local, base_str_of(colon + 1), err);
	if (!rc)
		rc = flows_listen(flow_ua_flows(sip->ua), transport, &local, err);
	if (!rc)
		UE_TELL(&sip->app->events, "sip.listen",
		        { "transport", base_str_of(flow_transport_name(transport)) },
		        { "local", base_str_of(stream_addr_format(&local, where, sizeof(where))) });
	return rc;
}

static char *bracketed(const char *uri)
{
	struct base_writer w = { 0 };
	char *text;

	base_writer_printf(&w, "<%s>", uri);
	text = w.failed ? NULL : strdup(base_writer_cstr(&w));
	base_writer_done(&w);
	return text;
}

static int names_make(struct ue_sip *sip, struct base_error *err)
{
	const struct ue_yaml_sip *yaml = sip->app->config.sip;

	if (yaml->proxy_count > ROUTES_MAX)
		return config_refuse(sip->app->config.doc, err, "sip.proxy", "more than %d",
		                     ROUTES_MAX);
	sip->self = bracketed(sip->app->config.identity);
	for (unsigned i = 0; i < yaml->proxy_count; i++) {
		sip->route_text[i] = bracketed(yaml->proxy[i]);
		sip->route[i] = base_str_of(sip->route_text[i]);
		sip->routes += sip->route_text[i] != NULL;
	}
	return sip->self && sip->routes == yaml->proxy_count
	               ? 0
	               : base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

static int network_open(struct ue_sip *sip, struct base_error *err)
{
	static const char *udp[] = { "udp:127.0.0.1:0" };
	const struct ue_yaml_sip *yaml = sip->app->config.sip;
	const char **list = yaml->listen_count ? yaml->listen : udp;
	unsigned count = yaml->listen_count;
	const struct ue_yaml_outbound *outbound = sip->app->config.outbound.yaml;
	const struct flow_config flow = { .domain = sip->domain,
		                          .user = sip->app->config.name,
		                          .peer = outbound ? outbound->name : NULL,
		                          .idle_ms = outbound ? IDLE_MS : 0,
		                          .leaving = outbound != NULL,
		                          .renegotiable = outbound != NULL,
		                          .resolver = { .servers = yaml->dns } };
	const struct sip_ua_config ua = { .lines = "User-Agent: gatehouse-ue\r\n" };
	const struct flow_ua_ops ops = { .on_call = on_call,
		                         .on_request = on_request,
		                         .trace = sip->app->trace ? on_trace : NULL,
		                         .on_lost = on_lost,
		                         .on_up = on_up,
		                         .on_rekeyed = on_rekeyed,
		                         .on_opened = on_opened,
		                         .arg = sip };
	int rc = flow_ua_new(&sip->ua, sip->app->streams, &flow, &ua, &ops, err);

	if (!count && ue_access_listens(&sip->app->config))
		count = 1;
	for (unsigned i = 0; !rc && i < count; i++)
		rc = listen_at(sip, list[i], err);
	return rc;
}

int ue_sip_new(struct ue_sip **ret, struct ue_app *app, struct base_error *err)
{
	struct ue_sip *sip = calloc(1, sizeof(*sip));
	int rc;

	if (!sip)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	sip->app = app;
	rc = names_make(sip, err);
	if (!rc)
		rc = ue_app_domain_files(app, "sip", app->config.sip->tls, &sip->domain, err);
	if (!rc)
		rc = network_open(sip, err);
	if (!rc)
		rc = ue_registrar_new(&sip->registrar, app, sip->ua, sip->self, sip->route,
		                      sip->routes, err);
	if (rc)
		ue_sip_free(sip);
	else
		*ret = sip;
	return rc;
}

void ue_sip_free(struct ue_sip *sip)
{
	if (!sip)
		return;
	ue_registrar_free(sip->registrar);
	flow_ua_free(sip->ua);
	tls_domain_unref(sip->domain);
	free(sip->self);
	for (size_t i = 0; i < ROUTES_MAX; i++)
		free(sip->route_text[i]);
	free(sip);
}
