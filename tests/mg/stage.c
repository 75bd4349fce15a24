/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

/* The fake needs its stage; one runs at a time. */
static struct stage *on;

static void say(char *into, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(char *into, size_t cap, const char *fmt, ...)
{
	size_t len = strlen(into);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(into + len, cap - len, fmt, ap);
	va_end(ap);
}

#define ORDER(...) say(on->orders, sizeof(on->orders), __VA_ARGS__)

static struct stage_endpoint *fake_of(const struct relay_endpoint *endpoint)
{
	return (struct stage_endpoint *)(uintptr_t)endpoint;
}

static size_t number_of(const struct stage_endpoint *e)
{
	return (size_t)(e - on->endpoint);
}

static int fake_context_new(struct relay_context **ret, struct relay_pool *pool)
{
	unsigned *worker = malloc(sizeof(*worker));

	(void)pool;
	if (!worker)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	on->contexts++;
	*worker = on->context_number++ % 2;
	*ret = (struct relay_context *)worker;
	return 0;
}

static unsigned worker_of(const struct relay_context *context)
{
	return *(const unsigned *)(uintptr_t)context;
}

static void fake_context_free(struct relay_context *context)
{
	on->contexts--;
	free(context);
}

static void fake_tls(struct stage_endpoint *e, const struct relay_tls_spec *tls)
{
	const struct tls_session_spec *s = &tls->session;

	e->tls = true;
	e->tls_role = s->role;
	e->domain = tls->domain;
	e->mark = tls->mark;
	e->psk_count = s->psk_count;
	e->fingerprint_count = s->fingerprint_count;
	snprintf(e->psk_hint, sizeof(e->psk_hint), "%s", s->psk_hint ? s->psk_hint : "");
	e->psk_id[0] = '\0';
	if (s->psk_count) {
		snprintf(e->psk_id, sizeof(e->psk_id), "%.*s", BASE_FMT(s->psks[0].identity));
		memcpy(e->psk, s->psks[0].key.data, s->psks[0].key.len);
		e->psk_len = s->psks[0].key.len;
	}
}

static void fake_gate(struct stage_endpoint *e, const struct relay_gate *gate)
{
	e->gate = gate ? *gate : (struct relay_gate){ 0 };
	ORDER("gate %zu", number_of(e));
	if (e->gate.sources_only)
		ORDER(" sources=%u", e->gate.source_count);
	for (unsigned i = 0; i < e->gate.source_count; i++) {
		char host[INET6_ADDRSTRLEN];

		inet_ntop(e->gate.source[i].family, e->gate.source[i].octets, host, sizeof(host));
		ORDER(" %s/%u", host, e->gate.source[i].prefix);
	}
	if (e->gate.port_max)
		ORDER(" ports=%u-%u", e->gate.port_min, e->gate.port_max);
	if (e->gate.sustained.octets_per_s)
		ORDER(" sustained=%u/%u", e->gate.sustained.octets_per_s, e->gate.sustained.burst);
	if (e->gate.peak.octets_per_s)
		ORDER(" peak=%u/%u", e->gate.peak.octets_per_s, e->gate.peak.burst);
	ORDER(" dscp=%u\n", e->gate.dscp);
}

static void fake_aim(const struct sockaddr_storage *remote, const struct relay_dgram_spec *dgram)
{
	const struct sockaddr_in *rtcp = (const struct sockaddr_in *)&dgram->rtcp_remote;

	ORDER(" to %u", ntohs(((const struct sockaddr_in *)remote)->sin_port));
	if (dgram->rtcp_remote.ss_family)
		ORDER("/%u", ntohs(rtcp->sin_port));
	ORDER("%s\n", dgram->latch ? " latch" : "");
}

static int fake_dgram_set(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote,
                          const struct relay_dgram_spec *dgram)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_of(endpoint)->fingers_when_aimed = fake_of(endpoint)->fingerprint_count;
	fake_of(endpoint)->srtp_profile = dgram->srtp_profiles[0];
	fake_of(endpoint)->kept = false;
	ORDER("aim %zu", number_of(fake_of(endpoint)));
	fake_aim(remote, dgram);
	return 0;
}

static int fake_add(struct relay_endpoint **ret, struct relay_context *context,
                    const struct relay_endpoint_spec *spec, struct base_error *err)
{
	struct stage_endpoint *e = &on->endpoint[on->endpoints % STAGE_ENDPOINTS];
	struct sockaddr_in *in = (struct sockaddr_in *)&e->local;

	(void)err;
	if (on->add_error)
		return BASE_ERR(BASE_LOCAL, on->add_error);
	for (size_t i = 0; i < STAGE_ENDPOINTS; i++) {
		const struct stage_endpoint *o = &on->endpoint[i];

		if (o->fn && !o->removed && ((const struct sockaddr_in *)&spec->local)->sin_port &&
		    ((const struct sockaddr_in *)&o->local)->sin_port ==
		            ((const struct sockaddr_in *)&spec->local)->sin_port)
			return BASE_ERR(BASE_LOCAL, EADDRINUSE);
	}
	for (size_t tries = 0; e->fn && !e->removed; tries++) {
		if (tries == STAGE_ENDPOINTS)
			return BASE_ERR(BASE_LOCAL, EMFILE);
		e = &on->endpoint[++on->endpoints % STAGE_ENDPOINTS];
	}
	in = (struct sockaddr_in *)&e->local;
	memset(e, 0, sizeof(*e));
	e->context = context;
	e->worker = worker_of(context);
	e->tcp_role = spec->tcp_role;
	e->local = spec->local;
	e->remote = spec->remote;
	e->fn = spec->fn;
	e->arg = spec->arg;
	e->send = e->receive = true;
	if (!in->sin_port) /* the same place for IPv6 */
		in->sin_port = htons(on->next_port++);
	if (spec->tls)
		fake_tls(e, spec->tls);
	on->endpoints++;
	if (spec->dgram) {
		ORDER("add %zu udp%s%s%s%s%s%s", number_of(e), spec->dgram->rtp ? " rtp" : "",
		      spec->dgram->srtp ? " srtp" : "", spec->dgram->rtcp_port ? " rtcp" : "",
		      spec->dgram->rtcp_mux ? " mux" : "",
		      !spec->tls                                   ? ""
		      : spec->tls->session.role == TLS_ROLE_CLIENT ? " dtls-client"
		                                                   : " dtls-server",
		      spec->tls_hold ? " hold" : "");
		for (unsigned i = 0; i < spec->dgram->srtp_count; i++)
			ORDER(" %u", spec->dgram->srtp_profiles[i]);
		if (spec->dgram->shared)
			ORDER(" shared");
		fake_aim(&spec->remote, spec->dgram);
	} else {
		ORDER("add %zu %s%s%s\n", number_of(e),
		      spec->tcp_role == RELAY_TCP_CLIENT ? "client" : "server",
		      !spec->tls                                   ? ""
		      : spec->tls->session.role == TLS_ROLE_CLIENT ? " tls-client"
		                                                   : " tls-server",
		      spec->tls_hold ? " hold" : "");
		if (spec->tls && spec->tls->session.renegotiate)
			ORDER("reneg %d\n", (int)spec->tls->session.renegotiate);
	}
	if (spec->gate)
		fake_gate(e, spec->gate);
	*ret = (struct relay_endpoint *)e;
	return 0;
}

static void fake_local(const struct relay_endpoint *endpoint, struct sockaddr_storage *ret)
{
	*ret = fake_of(endpoint)->local;
}

static int fake_remote_set(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote)
{
	struct stage_endpoint *e = fake_of(endpoint);

	e->remote = *remote;
	ORDER("remote %zu %u\n", number_of(e),
	      ntohs(((const struct sockaddr_in *)remote)->sin_port));
	return 0;
}

static int fake_peer_keep(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (remote)
		ORDER("keep %zu %u\n", number_of(e),
		      ntohs(((const struct sockaddr_in *)remote)->sin_port));
	e->kept = remote && !e->keep_error;
	return remote && e->keep_error ? BASE_ERR(BASE_LOCAL, e->keep_error) : 0;
}

static int fake_tls_set(struct relay_endpoint *endpoint, const struct relay_tls_spec *tls)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_tls(fake_of(endpoint), tls);
	return 0;
}

static int fake_connect(struct relay_endpoint *endpoint)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_of(endpoint)->connected = true;
	ORDER("connect %zu\n", number_of(fake_of(endpoint)));
	return 0;
}

static int fake_start_tls(struct relay_endpoint *endpoint, enum tls_role role)
{
	fake_of(endpoint)->tls_role = role;
	ORDER("start-tls %zu %s\n", number_of(fake_of(endpoint)),
	      role == TLS_ROLE_CLIENT ? "client" : "server");
	return 0;
}

static int fake_release(struct relay_endpoint *endpoint, bool abort)
{
	ORDER("release %zu%s\n", number_of(fake_of(endpoint)), abort ? " abort" : "");
	return 0;
}

static int fake_mode_set(struct relay_endpoint *endpoint, bool may_send, bool may_receive)
{
	struct stage_endpoint *e = fake_of(endpoint);

	e->send = may_send;
	e->receive = may_receive;
	ORDER("mode %zu%s%s\n", number_of(e), may_send ? " send" : "",
	      may_receive ? " receive" : "");
	return 0;
}

static int fake_gate_set(struct relay_endpoint *endpoint, const struct relay_gate *gate)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_gate(fake_of(endpoint), gate);
	return 0;
}

static int fake_renegotiate(struct relay_endpoint *endpoint)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (e->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	ORDER("renegotiate %zu\n", number_of(e));
	e->again = true;
	return 0;
}

static int fake_link(struct relay_endpoint *endpoint, struct relay_endpoint *partner)
{
	struct stage_endpoint *e = fake_of(endpoint), *p = partner ? fake_of(partner) : NULL;

	if (e->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (e->partner)
		e->partner->partner = NULL;
	e->partner = p;
	if (p) {
		if (p->partner)
			p->partner->partner = NULL;
		p->partner = e;
		if (p->worker != e->worker)
			abort();
		ORDER("link %zu %zu\n", number_of(e), number_of(p));
	} else {
		ORDER("unlink %zu\n", number_of(e));
	}
	return 0;
}

static enum relay_reach fake_reach(const struct relay_endpoint *endpoint,
                                   const struct relay_context *context)
{
	const struct stage_endpoint *e = fake_of(endpoint);

	if (e->busy)
		return RELAY_BUSY;
	return e->worker == worker_of(context) ? RELAY_NEAR : RELAY_FAR;
}

static void fake_move(struct relay_endpoint *endpoint, struct relay_context *context)
{
	struct stage_endpoint *e = fake_of(endpoint);

	ORDER("%s %zu\n", e->worker == worker_of(context) ? "shift" : "move", number_of(e));
	e->context = context;
	e->worker = worker_of(context);
	if (e->partner) /* the relay itself would part them */
		abort();
}

static void fake_remove(struct relay_endpoint *endpoint)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (e->partner)
		e->partner->partner = NULL;
	e->partner = NULL;
	e->removed = true;
	ORDER("remove %zu\n", number_of(e));
}

static void fake_stats(const struct relay_endpoint *endpoint, struct relay_stats *ret)
{
	*ret = fake_of(endpoint)->stats;
}

/* ---- hubs: only what they are told ---- */

struct relay_hub {
	size_t number;
};

static int fake_hub_new(struct relay_hub **ret, struct relay_context *context,
                        const struct relay_hub_spec *spec, struct base_error *err)
{
	static const char *const kinds[] = { "relay", "room", "floor" };
	struct relay_hub *hub;

	(void)context;
	if (on->dull_hubs)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	hub = calloc(1, sizeof(*hub));
	if (!hub)
		abort();
	hub->number = on->hubs++;
	on->hubs_there++;
	ORDER("hub %zu %s", hub->number, kinds[spec->kind]);
	if (spec->kind == RELAY_HUB_ROOM)
		ORDER(" %.*s%s%s %llu", BASE_FMT(spec->uri), spec->nicknames ? " nicknames" : "",
		      spec->private_messages ? " private" : "", (unsigned long long)spec->octets);
	if (spec->kind == RELAY_HUB_FLOOR)
		ORDER(" %u", spec->conference);
	ORDER("\n");
	*ret = hub;
	return 0;
}

static void fake_hub_free(struct relay_hub *hub)
{
	ORDER("hub-end %zu\n", hub->number);
	on->hubs_there--;
	free(hub);
}

static int fake_conference(struct relay_hub *hub, const struct relay_floor *floor, size_t floors,
                           const struct relay_user *user, size_t users)
{
	ORDER("conference %zu floors", hub->number);
	for (size_t i = 0; i < floors; i++)
		ORDER(" %u/%u/%u", floor[i].id, floor[i].chair, floor[i].holders);
	ORDER(" users");
	for (size_t i = 0; i < users; i++)
		ORDER(" %u<%.*s|%.*s>%s", user[i].id, BASE_FMT(user[i].name), BASE_FMT(user[i].uri),
		      user[i].third_party ? "+third" : "");
	ORDER("\n");
	return 0;
}

static int fake_seat(struct relay_endpoint *endpoint, struct relay_hub *hub,
                     const struct relay_seat_spec *spec, struct base_error *err)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (e->dull)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	ORDER("seat %zu %zu", number_of(e), hub->number);
	if (spec->own.len)
		ORDER(" %.*s %.*s", BASE_FMT(spec->own), BASE_FMT(spec->peer));
	for (size_t i = 0; i < spec->uris; i++)
		ORDER(" %.*s", BASE_FMT(spec->uri[i]));
	if (spec->user)
		ORDER(" user %u", spec->user);
	ORDER("%s\n", spec->private_messages ? " private" : "");
	return 0;
}

static const struct mg_bearer_ops fake = {
	.hub_new = fake_hub_new,
	.hub_free = fake_hub_free,
	.hub_conference = fake_conference,
	.endpoint_seat = fake_seat,
	.context_new = fake_context_new,
	.context_free = fake_context_free,
	.endpoint_add = fake_add,
	.endpoint_local = fake_local,
	.endpoint_remote_set = fake_remote_set,
	.endpoint_dgram_set = fake_dgram_set,
	.endpoint_peer_keep = fake_peer_keep,
	.endpoint_tls_set = fake_tls_set,
	.endpoint_connect = fake_connect,
	.endpoint_start_tls = fake_start_tls,
	.endpoint_release = fake_release,
	.endpoint_renegotiate = fake_renegotiate,
	.endpoint_mode_set = fake_mode_set,
	.endpoint_gate_set = fake_gate_set,
	.endpoint_link = fake_link,
	.endpoint_reach = fake_reach,
	.endpoint_move = fake_move,
	.endpoint_remove = fake_remove,
	.endpoint_stats = fake_stats,
};

/* ---- what the core tells ---- */

static uint64_t op_now(void *arg)
{
	return ((struct stage *)arg)->now_ms;
}

static uint64_t op_wall(void *arg)
{
	return ((struct stage *)arg)->wall_ms;
}

static int op_request(void *arg, struct h248_transaction *request, struct mg_notice *notice)
{
	struct stage *st = arg;
	struct base_writer w = { 0 };
	int rc;

	if (st->refuses)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	if (st->unreachable)
		return BASE_ERR(BASE_LOCAL, H248_E_NOT_READY);
	request->id = st->requests + 1;
	rc = h248_text_encode_transaction(&w, request, 2, H248_TEXT_COMPACT);
	if (!rc)
		snprintf(st->request, sizeof(st->request), "%s", base_writer_cstr(&w));
	base_writer_done(&w);
	if (rc)
		return rc;
	st->requests++;
	st->notice[st->notices++ % STAGE_NOTICES] = notice;
	return 0;
}

static void op_limits(void *arg, const struct h248_txn_root *root)
{
	struct stage *st = arg;

	st->root = *root;
	st->execution_ms = root->execution_ms;
	st->pending_limit = root->pending_limit;
}

static void op_segments(void *arg, uint32_t octets, uint32_t wait_ms)
{
	struct stage *st = arg;

	st->segment_octets = octets;
	st->segment_ms = wait_ms;
}

static int op_handoff(void *arg, const struct h248_mid *mgc)
{
	struct stage *st = arg;

	if (base_str_eq(mgc->name, BASE_STR("unknown.example")))
		return BASE_ERR(BASE_PEER, H248_E_VALUE);

	snprintf(st->handoff, sizeof(st->handoff), "%.*s", BASE_FMT(mgc->name));
	return 0;
}

static void op_inactivity(void *arg, uint32_t inactivity_ms, uint32_t request_id)
{
	(void)request_id;
	((struct stage *)arg)->inactivity_ms = inactivity_ms;
}

static void op_idle(void *arg)
{
	((struct stage *)arg)->idles++;
}

static int own_fingerprint(const struct mg_domain *domain, struct x509_fingerprint *ret)
{
	(void)domain;
	memset(ret, 0, sizeof(*ret));
	ret->hash = X509_HASH_SHA256;
	ret->len = 32;
	memset(ret->octets, 0xab, ret->len);
	return 0;
}

/* As GnuTLS: none of AES-GCM with 256 bits. */
static bool own_srtp(const struct mg_domain *domain, enum tls_role role, uint16_t profile)
{
	(void)domain;
	(void)role;
	return profile != TLS_SRTP_AEAD_AES_256_GCM;
}

static const char *const versions[] = { "TLS1.2", NULL };
static const char *const suites[] = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", NULL };
static const char *const psk_suites[] = { "TLS_PSK_WITH_AES_128_CBC_SHA256", NULL };
static const char *const gaps[] = { "shall TLS_RSA_WITH_3DES_EDE_CBC_SHA (TS 33.203 Annex O)",
	                            NULL };

static const char *const maintenance[] = { "by-client", "by-server", NULL };

static const struct mg_domain domains[] = {
	{ .name = "access",
	  .maintenance = maintenance,
	  .tls = (struct tls_domain *)(uintptr_t)0x1000,
	  .certificate = true,
	  .fingerprint = own_fingerprint,
	  .versions = versions,
	  .suites = suites,
	  .no_renegotiation[TLS_ROLE_SERVER][TLS_RENEGOTIATE_BOTH] =
	          "shall-not client-initiated (a rule)",
	  .gaps = gaps,
	  .datagrams = true,
	  .srtp = own_srtp,
	  .resumption = true },
	{ .name = "psk",
	  .tls = (struct tls_domain *)(uintptr_t)0x2000,
	  .fingerprint = own_fingerprint,
	  .versions = versions,
	  .suites = psk_suites },
};

static void log_line(void *arg, enum base_level level, const char *line)
{
	struct stage *st = arg;

	(void)level;
	say(st->log, sizeof(st->log), "%s\n", line);
}

static const char *const realms[] = { NULL, NULL, "core" };

void stage_start(struct stage *st)
{
	struct mg_ops ops = { .now_ms = op_now,
		              .wall_ms = op_wall,
		              .request = op_request,
		              .handoff = op_handoff,
		              .limits = op_limits,
		              .inactivity = op_inactivity,
		              .segments = op_segments,
		              .idle = op_idle,
		              .arg = st };
	struct mg_settings settings = st->settings;

	memset(st, 0, sizeof(*st));
	on = st;
	st->now_ms = 1000;
	st->wall_ms = 1773480000000; /* 2026-03-14 09:20:00 UTC */
	st->next_port = 40000;
	st->next_id = 1;
	st->addresses[0].ss_family = AF_INET;
	inet_pton(AF_INET, "192.0.2.1", &((struct sockaddr_in *)&st->addresses[0])->sin_addr);
	st->addresses[1].ss_family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", &((struct sockaddr_in6 *)&st->addresses[1])->sin6_addr);
	st->settings = settings;
	st->settings.addresses = st->addresses;
	st->addresses[2].ss_family = AF_INET;
	inet_pton(AF_INET, "192.0.2.99", &((struct sockaddr_in *)&st->addresses[2])->sin_addr);
	st->settings.address_count = 3;
	st->settings.address_realms = realms;
	base_log_sink_set(log_line, st);
	if (mg_new(&st->mg, &st->settings, &fake, NULL, &ops))
		abort();
	mg_domains_set(st->mg, domains, 2, &domains[0]);
}

void stage_stop(struct stage *st)
{
	while (st->answered < st->notices)
		stage_answer(st);
	mg_free(st->mg);
	st->mg = NULL;
	base_log_sink_set(NULL, NULL);
}

/* The actions of a compact reply: what stands between `P=1{` and the last brace. */
static void reply_strip(char *reply)
{
	char *from = strchr(reply, '{'), *end = strrchr(reply, '}');

	if (!from || !end || end < from)
		return;
	*end = '\0';
	memmove(reply, from + 1, strlen(from + 1) + 1);
}

const char *stage_send_v(struct stage *st, unsigned version, const char *actions)
{
	struct h248_text_options options = { .contain = true };
	struct base_arena in = { 0 }, out = { 0 };
	struct h248_transaction *reply = NULL;
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	struct base_writer w = { 0 }, text = { 0 };

	st->reply[0] = '\0';
	base_writer_printf(&text, "MEGACO/%u <mgc.example>\nT=%u{", version, st->next_id++);
	base_writer_text(&text, actions);
	base_writer_text(&text, "}");
	st->execute_rc =
	        h248_text_decode(&in, (const char *)text.data, text.len, &options, &msg, &err);
	if (!st->execute_rc && msg->transactions)
		st->execute_rc = mg_execute(st->mg, msg->transactions, version, !st->unguarded,
		                            &out, &reply);
	if (!st->execute_rc && reply)
		st->execute_rc =
		        h248_text_encode_transaction(&w, reply, version, H248_TEXT_COMPACT);
	if (!st->execute_rc)
		snprintf(st->reply, sizeof(st->reply), "%s", base_writer_cstr(&w));
	else
		snprintf(st->reply, sizeof(st->reply), "failed %u.%u %s",
		         base_err_class(st->execute_rc), base_err_detail(st->execute_rc), err.text);
	reply_strip(st->reply);
	base_writer_done(&w);
	base_writer_done(&text);
	base_arena_done(&in);
	base_arena_done(&out);
	return st->reply;
}

const char *stage_send(struct stage *st, const char *actions)
{
	return stage_send_v(st, 2, actions);
}

void stage_event_tls(struct stage *st, size_t n, enum relay_event_kind kind, enum relay_cause cause,
                     const struct relay_tls_result *tls)
{
	struct stage_endpoint *e = &st->endpoint[n];
	struct relay_event event = { .kind = kind, .cause = cause };
	struct sockaddr_in *in = (struct sockaddr_in *)&event.peer;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&event.peer;

	event.peer.ss_family = e->local.ss_family;
	if (e->local.ss_family == AF_INET6) {
		in6->sin6_port = htons(50000);
		inet_pton(AF_INET6, "2001:db8::7", &in6->sin6_addr);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(50000);
		inet_pton(AF_INET, "198.51.100.7", &in->sin_addr);
	}
	event.tls.alert = -1;
	if (tls)
		event.tls = *tls;
	if (kind == RELAY_TLS_RENEGOTIATED || kind == RELAY_TLS_RENEGOTIATE_FAILED ||
	    kind == RELAY_TLS_REKEYED || kind == RELAY_TLS_UNCHANGED) {
		event.ordered = e->again;
		e->again = false;
	}
	if (!e->removed)
		e->fn(e->arg, (struct relay_endpoint *)e, &event);
}

void stage_event(struct stage *st, size_t n, enum relay_event_kind kind, enum relay_cause cause)
{
	stage_event_tls(st, n, kind, cause, NULL);
}

static void over(struct stage *st, bool answered)
{
	struct mg_notice *n = st->notice[st->answered % STAGE_NOTICES];

	if (st->answered == st->notices)
		return;
	st->answered++;
	mg_request_done(st->mg, n, answered);
}

void stage_answer(struct stage *st)
{
	over(st, true);
}

void stage_silence(struct stage *st)
{
	over(st, false);
}

void stage_forget(struct stage *st)
{
	st->orders[0] = st->request[0] = st->log[0] = '\0';
	st->requests = 0;
}
