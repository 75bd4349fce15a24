/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/access.h"

#include <stdlib.h>

#include "ue/hash.h"

struct ue_access {
	struct ue_app *app;
	struct flow_ua *net;
	struct sip_access *sip;
	char *pcscf; /* where we connect to */
	char *user, *realm;
	char instance[64];
	struct loop_timer again; /* renegotiate by time */
	struct base_writer contact;
	char why[160];  /* the connection has failed */
	bool up;        /* the connection has been of use */
	bool datagrams; /* it is none */
	bool ending;
};

static struct flows *flows_of(const struct ue_access *a)
{
	return flow_ua_flows(a->net);
}

static uint64_t flow_id(const struct ue_access *a)
{
	return sip_access_flow_of(a->sip).id;
}

/* ---- events ---- */

static struct base_str yes_no(bool yes)
{
	return yes ? BASE_STR("yes") : BASE_STR("no");
}

/** The TLS session's id, as hexadecimal digits. */
static struct base_str session_text(const struct ue_access *a, uint64_t flow,
                                    char out[3 * TLS_BINDING_MAX + 1])
{
	uint8_t id[TLS_BINDING_MAX];
	size_t len = 0;

	if (flows_binding(flows_of(a), flow, id, &len))
		return (struct base_str){ 0 };
	base_hex_encode(id, len, 0, false, out);
	return base_str_of(out);
}

/** All elements of a header field, with blanks between. */
static void list(const struct sip_message *msg, enum sip_header_id id, struct base_writer *w)
{
	struct sip_values values = { .msg = msg, .id = id };
	struct base_str one;

	while (msg && sip_values_next(&values, &one)) {
		base_writer_text(w, w->len ? " " : "");
		base_writer_str(w, one);
	}
}

static void tell_registered(const struct ue_access *a, const struct sip_access_event *e)
{
	struct base_writer who = { 0 }, routes = { 0 };
	struct ue_number status, expires;

	list(e->msg, SIP_H_P_ASSOCIATED_URI, &who);
	list(e->msg, SIP_H_SERVICE_ROUTE, &routes);
	UE_TELL(&a->app->events, "sip.registered", { "status", ue_number(&status, e->status) },
	        { "expires", ue_number(&expires, e->expires_s) },
	        { "outbound", yes_no(e->outbound) }, { "identities", base_writer_view(&who) },
	        { "routes", base_writer_view(&routes) });
	base_writer_done(&who);
	base_writer_done(&routes);
}

static void tell_failed(const struct ue_access *a, const struct sip_access_event *e)
{
	struct ue_number status, number;
	struct base_str again = { 0 };

	if (e->again_ms != UINT64_MAX)
		again = ue_number(&number, e->again_ms);
	UE_TELL(&a->app->events, "sip.unanswered", { "status", ue_number(&status, e->status) },
	        { "why", base_str_of(sip_access_why_name(e->why)) }, { "again", again });
}

/* ---- the connection ---- */

static void on_again(void *arg)
{
	struct ue_access *a = arg;
	struct base_error err = { 0 };

	if (ue_access_renegotiate(a, &err))
		UE_TELL(&a->app->events, "sip.rekey-failed", { "text", base_str_of(err.text) });
	loop_timer_start(a->app->loop, &a->again, a->app->config.outbound.renegotiate_ms, on_again,
	                 a);
}

/** RFC 5626, 4.4: where the registrar and all on the way speak outbound. */
static void keep_alive(const struct ue_access *a, const struct sip_access_event *e)
{
	const struct sip_header *h = sip_header_named(e->msg, "Flow-Timer");
	uint64_t ms = a->app->config.outbound.keep_alive_ms, s;

	if (h && !sip_header_number(h, UINT32_MAX / 1000, &s) && s && (!ms || s * 1000 < ms))
		ms = s * 1000;
	(void)flows_ping(flows_of(a), flow_id(a), e->outbound ? (uint32_t)ms : 0);
}

static void registered(struct ue_access *a, const struct sip_access_event *e)
{
	uint64_t every = a->app->config.outbound.renegotiate_ms;

	(void)flows_provisional(flows_of(a), flow_id(a), false);
	flow_ua_only(a->net, sip_access_flow_of(a->sip));
	(void)sip_ua_lines(flow_ua_sip(a->net), sip_access_lines(a->sip)); /* else 494 tells */
	keep_alive(a, e);
	if (every && !loop_timer_active(&a->again))
		loop_timer_start(a->app->loop, &a->again, every, on_again, a);
	tell_registered(a, e);
}

static void on_told(void *arg, const struct sip_access_event *e)
{
	struct ue_access *a = arg;
	struct ue_number number;

	switch (e->what) {
	case SIP_ACCESS_CONNECTING:
		UE_TELL(&a->app->events, "sip.connecting",
		        { "attempt", ue_number(&number, e->failures) });
		break;
	case SIP_ACCESS_CHALLENGED:
		UE_TELL(&a->app->events, "sip.challenged",
		        { "status", ue_number(&number, e->status) }, { "stale", yes_no(e->stale) });
		break;
	case SIP_ACCESS_REGISTERED:
		registered(a, e);
		break;
	case SIP_ACCESS_DOWN:
		UE_TELL(&a->app->events, "sip.down",
		        { "why", base_str_of(sip_access_why_name(e->why)) },
		        { "text", base_str_of(a->why) });
		break;
	case SIP_ACCESS_FAILED:
		a->ending &= e->again_ms != UINT64_MAX;
		tell_failed(a, e);
		break;
	case SIP_ACCESS_UNREGISTERED:
		a->ending = false;
		UE_TELL(&a->app->events, "sip.unregistered",
		        { "status", ue_number(&number, e->status) });
		break;
	}
}

static void on_connect(void *arg, bool next)
{
	struct ue_access *a = arg;

	a->why[0] = '\0';
	flow_ua_open(a->net, base_str_of(a->pcscf), next);
}

static void on_close(void *arg, struct sip_flow flow, bool forget)
{
	struct ue_access *a = arg;

	loop_timer_stop(a->app->loop, &a->again);
	a->up = false;
	flow_ua_open(a->net, (struct base_str){ 0 }, false);
	flow_ua_only(a->net, (struct sip_flow){ 0 });
	(void)sip_ua_lines(flow_ua_sip(a->net), NULL);
	if (!flow.id)
		return;
	if (forget)
		(void)flows_forget_session(flows_of(a), flow.id); /* as a client we can */
	flow_ua_drop(a->net, flow.id);
}

void ue_access_opened(struct ue_access *a, struct sip_flow flow, unsigned status)
{
	(void)status;
	a->datagrams = !flow.reliable;
	(void)flows_provisional(flows_of(a), flow.id, true); /* nothing is left of what fails */
	if (flow.id)
		sip_access_flow(a->sip, flow);
	else
		sip_access_no_flow(a->sip);
}

void ue_access_up(struct ue_access *a, uint64_t flow, const struct flow_info *info)
{
	char local[STREAM_ADDR_TEXT], remote[STREAM_ADDR_TEXT], id[3 * TLS_BINDING_MAX + 1];
	const struct tls_info *tls = info->tls ? &info->session : NULL;

	struct base_str resumed = { 0 }, session = { 0 };

	if (flow != flow_id(a))
		return;
	a->up = true;
	if (tls) {
		resumed = yes_no(tls->resumed);
		session = session_text(a, flow, id);
	}
	UE_TELL(&a->app->events, "sip.up",
	        { "transport", base_str_of(flow_transport_name(info->transport)) },
	        { "local", base_str_of(stream_addr_format(&info->local, local, sizeof(local))) },
	        { "remote",
	          base_str_of(stream_addr_format(&info->remote, remote, sizeof(remote))) },
	        { "tls", base_str_of(tls ? tls->version_name : NULL) },
	        { "suite", base_str_of(tls ? tls->suite_name : NULL) }, { "resumed", resumed },
	        { "session", session });
}

void ue_access_rekeyed(struct ue_access *a, uint64_t flow, enum stream_again what)
{
	char id[3 * TLS_BINDING_MAX + 1];
	struct flow_info info;

	if (flow != flow_id(a) || what == STREAM_KEYS_BOTH || !flows_info(flows_of(a), flow, &info))
		return;
	if (what == STREAM_REKEYED || what == STREAM_KEYS)
		UE_TELL(&a->app->events, "sip.rekeyed",
		        { "tls", base_str_of(info.session.version_name) },
		        { "suite", base_str_of(info.session.suite_name) },
		        { "session", session_text(a, flow, id) });
	else
		UE_TELL(&a->app->events, "sip.rekey-failed",
		        { "text", base_str_of(what == STREAM_IGNORED
		                                      ? "the peer has not answered in time"
		                                      : "the peer refuses to renegotiate") });
}

bool ue_access_lost(struct ue_access *a, uint64_t flow, const char *why)
{
	if (flow != flow_id(a))
		return false;
	(void)snprintf(a->why, sizeof(a->why), "%s", why);
	UE_TELL(&a->app->events, "sip.lost", { "text", base_str_of(why) });
	sip_access_lost(a->sip, flow, a->up || a->datagrams);
	return true;
}

/* ---- commands ---- */

int ue_access_begin(struct ue_access *a, struct base_error *err)
{
	if (a->ending)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the registration is being taken back; 'expect "
		                      "sip.unregistered' first");
	sip_access_begin(a->sip);
	return 0;
}

void ue_access_stop(struct ue_access *a)
{
	a->ending = !sip_access_idle(a->sip);
	sip_access_stop(a->sip);
}

static int no_connection(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "the registration has no connection; 'register' makes one");
}

int ue_access_cut(struct ue_access *a, struct base_error *err)
{
	uint64_t flow = flow_id(a);

	if (!flow)
		return no_connection(err);
	(void)snprintf(a->why, sizeof(a->why), "cut");
	flow_ua_drop(a->net, flow);
	sip_access_lost(a->sip, flow, true);
	return 0;
}

int ue_access_renegotiate(struct ue_access *a, struct base_error *err)
{
	uint64_t flow = flow_id(a);
	enum tls_again again;

	if (!flow)
		return no_connection(err);
	again = flows_renegotiate(flows_of(a), flow);
	return again == TLS_AGAIN_BEGUN || again == TLS_AGAIN_KEYS
	               ? 0
	               : base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s", tls_again_text(again));
}

bool ue_access_busy(const struct ue_access *a)
{
	return a->ending;
}

const struct base_str *ue_access_routes(const struct ue_access *a, size_t *ret_count)
{
	return sip_access_routes(a->sip, ret_count);
}

const char *ue_access_contact(struct ue_access *a)
{
	struct sip_local local = { 0 };

	if (!sip_access_is(a->sip))
		return NULL;
	flows_local(flows_of(a), sip_access_flow_of(a->sip), &local);
	base_writer_reset(&a->contact);
	base_writer_printf(&a->contact, "%s;ob", local.contact);
	return a->contact.failed ? NULL : base_writer_cstr(&a->contact);
}

/* ---- life ---- */

/** A UUID of our identity's hash: the same each time we start (RFC 5626, 4.1). The form is that of
 * a version 8 of RFC 9562 (P). */
static int instance_make(struct ue_access *a, const char *self)
{
	struct ue_hash hash = { 0 };
	char hex[UE_SHA256_TEXT];
	int rc = ue_hash_init(&hash);

	if (!rc)
		rc = ue_hash_put(&hash, self, strlen(self));
	if (!rc)
		rc = ue_hash_text(&hash, hex);
	ue_hash_done(&hash);
	if (!rc)
		(void)snprintf(a->instance, sizeof(a->instance),
		               "urn:uuid:%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13,
		               hex + 17, hex + 20);
	return rc;
}

/** The home's domain: the registrar's host, unless the configuration knows another realm. */
static char *realm_of(const struct ue_yaml_sip *sip)
{
	struct sip_uri uri;

	if (sip->realm)
		return strdup(sip->realm);
	if (sip_uri_parse(base_str_of(sip->registrar), &uri) || !uri.host.len)
		return NULL;
	return strndup(uri.host.ptr, uri.host.len);
}

static int names_make(struct ue_access *a, const char *self, struct base_error *err)
{
	const struct ue_yaml_sip *sip = a->app->config.sip;

	a->pcscf = strdup(sip->proxy[0]);
	a->user = ue_config_user(&a->app->config);
	a->realm = realm_of(sip);
	if (!a->realm)
		return config_refuse(a->app->config.doc, err, "sip.registrar",
		                     "expected a URI such as sip:home.example");
	return !a->pcscf || !a->user || instance_make(a, self)
	               ? base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory")
	               : 0;
}

static enum flow_transport transport_of(const struct sip_uri *uri)
{
	enum flow_transport transport = FLOW_UDP;
	struct base_str name;

	if (uri->scheme == SIP_SCHEME_SIPS)
		return FLOW_TLS;
	if (sip_param_find(uri->params, "transport", &name))
		(void)flow_transport_parse(name, &transport); /* another one is none of ours */
	return transport;
}

bool ue_access_listens(const struct ue_config *config)
{
	struct sip_uri uri;

	return !config->outbound.yaml || sip_uri_parse(base_str_of(config->sip->proxy[0]), &uri) ||
	       transport_of(&uri) == FLOW_UDP;
}

static int start(struct ue_access *a, const char *self, const struct base_str *routes,
                 size_t route_count, struct base_error *err)
{
	const struct ue_config *config = &a->app->config;
	const struct ue_outbound *o = &config->outbound;
	const struct sip_access_ops ops = { on_connect, on_close, on_told, a };
	struct sip_uri uri;
	struct sip_access_config access = {
		.registrar = base_str_of(config->sip->registrar),
		.aor = base_str_of(self),
		.routes = routes,
		.route_count = route_count,
		.instance = o->yaml->instance ? o->yaml->instance : a->instance,
		.reg_id = o->yaml->reg_id,
		.user = a->user,
		.realm = a->realm,
		.expires_s = config->expires_s,
		.retry_ms = (uint32_t)o->retry_ms,
		.retry_max_ms = (uint32_t)o->retry_max_ms,
	};

	if (sip_uri_parse(base_str_of(a->pcscf), &uri))
		return config_refuse(config->doc, err, "sip.proxy", "'%s' is no SIP URI", a->pcscf);
	if (transport_of(&uri) == FLOW_TLS && !config->sip->tls)
		return config_refuse(config->doc, err, "sip.outbound",
		                     "the P-CSCF is there by TLS; set sip.tls");
	access.sec_agree = transport_of(&uri) == FLOW_TLS;
	if (o->yaml->sec_agree)
		access.sec_agree = *o->yaml->sec_agree;
	if (sip_access_new(&a->sip, flow_ua_sip(a->net), &access, &ops))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	flow_ua_only(a->net, (struct sip_flow){ 0 });
	if (!o->yaml->at_start || *o->yaml->at_start)
		sip_access_begin(a->sip);
	return 0;
}

int ue_access_new(struct ue_access **ret, struct ue_app *app, struct flow_ua *ua, const char *self,
                  const struct base_str *routes, size_t route_count, struct base_error *err)
{
	struct ue_access *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	a->app = app;
	a->net = ua;
	*ret = a; /* what it begins may be told at once */
	rc = names_make(a, self, err);
	if (!rc)
		rc = start(a, self, routes, route_count, err);
	if (rc) {
		ue_access_free(a);
		*ret = NULL;
	}
	return rc;
}

void ue_access_free(struct ue_access *a)
{
	if (!a)
		return;
	loop_timer_stop(a->app->loop, &a->again);
	sip_access_free(a->sip);
	base_writer_done(&a->contact);
	free(a->pcscf);
	free(a->user);
	free(a->realm);
	free(a);
}
