/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_bearer.h"

void stage_say(char *into, size_t cap, const char *fmt, ...)
{
	size_t len = strlen(into);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(into + len, cap - len, fmt, ap);
	va_end(ap);
}

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
	stage_say(st->log, sizeof(st->log), "%s\n", line);
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
	if (mg_new(&st->mg, &st->settings, fake_bearer(st), NULL, &ops))
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
