/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the bearers tell, as events of tcpbcc, tlsbsc and g, and what a leg itself makes of it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "mg/bearer.h"
#include "mg/happen.h"
#include "mg/pkg.h"

static const char *address_text(const struct sockaddr_storage *a, char *buf, size_t cap)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;

		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		snprintf(buf, cap, "[%s]:%u", host, ntohs(in->sin6_port));
	} else if (a->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)a;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(buf, cap, "%s:%u", host, ntohs(in->sin_port));
	} else {
		buf[0] = '\0';
	}
	return buf;
}

static const char *side_of(enum relay_cause cause)
{
	switch (cause) {
	case RELAY_CAUSE_NONE:
		return "none";
	case RELAY_CAUSE_PEER_CLOSE:
	case RELAY_CAUSE_PEER_RESET:
	case RELAY_CAUSE_PROTOCOL:
	case RELAY_CAUSE_PEER_ALERT:
	case RELAY_CAUSE_TRUNCATED:
	case RELAY_CAUSE_REFUSED:
		return "remote";
	default:
		return "local";
	}
}

static const char *alert_side(const struct relay_tls_result *tls, enum relay_cause cause)
{
	if (tls->alert_side == TLS_SIDE_NONE)
		return side_of(cause);
	return tls->alert_side == TLS_SIDE_LOCAL ? "local" : "remote";
}

static void tcp_happened(struct mg_leg *leg, const struct relay_event *e, const char *type)
{
	struct mg_happening *h =
	        mg_happening_new(leg->mg, leg->term, leg->stream, "tcpbcc", "BNCChange");
	char peer[64];

	mg_happening_type(h, type);
	if (e->kind != RELAY_TCP_UP) {
		mg_happening_text(h, "Cause", relay_cause_name(e->cause));
		mg_happening_word(h, "Side", side_of(e->cause));
		if (e->error)
			mg_happening_text(h, "Reason", strerror(e->error));
	}
	mg_happening_text(h, "Peer", address_text(&e->peer, peer, sizeof(peer)));
	mg_happening_tell(leg->mg, h);
}

/** How the peer was authenticated, or why not; "none" where nobody asked (docs/packages.md). */
static const char *auth_word(const struct relay_tls_result *tls)
{
	if (tls->psk)
		return "psk";
	if (tls->method)
		return tls->method == TRUST_CA ? "ca" : "fingerprint";
	return tls->reason == TRUST_OK ? "none" : trust_reason_name(tls->reason);
}

static void tls_happened(struct mg_leg *leg, const struct relay_event *e, const char *type)
{
	struct mg_happening *h =
	        mg_happening_new(leg->mg, leg->term, leg->stream, "tlsbsc", "BNCChange");
	char alert[16];

	mg_happening_type(h, type);
	if (e->kind == RELAY_TLS_UP || e->kind == RELAY_TLS_RENEGOTIATED ||
	    e->kind == RELAY_TLS_REKEYED) {
		mg_happening_text(h, "Version", e->tls.version_name);
		mg_happening_text(h, "Suite", e->tls.suite_name);
		mg_happening_word(h, "Resumed", e->tls.resumed ? "on" : "off");
		mg_happening_text(h, "Peer", e->tls.peer_subject);
		mg_happening_text(h, "Auth", auth_word(&e->tls));
		mg_happening_tell(leg->mg, h);
		return;
	}
	/* 8.5.1-3, 8.6: the reason, the alert and who said it */
	snprintf(alert, sizeof(alert), "%d", e->tls.alert);
	mg_happening_word(h, "Alert", alert);
	mg_happening_word(h, "Side", alert_side(&e->tls, e->cause));
	mg_happening_text(h, "Cause", relay_cause_name(e->cause));
	mg_happening_text(h, "Reason", e->tls.text);
	if ((e->kind != RELAY_TLS_DOWN || e->cause == RELAY_CAUSE_REVOKED) &&
	    e->kind != RELAY_TLS_UNCHANGED && e->tls.reason != TRUST_OK)
		mg_happening_text(h, "Auth", trust_reason_name(e->tls.reason));
	mg_happening_tell(leg->mg, h);
}

/* g/cause (E.1.2): the group of a failure; an ordinary end is none. */
static void cause_happened(struct mg_leg *leg, const struct relay_event *e)
{
	const char *general = "FT";
	struct mg_happening *h;

	switch (e->cause) {
	case RELAY_CAUSE_NONE:
	case RELAY_CAUSE_PEER_CLOSE:
	case RELAY_CAUSE_LOCAL_CLOSE:
	case RELAY_CAUSE_PARTNER:
		return;
	case RELAY_CAUSE_RESOURCES:
		general = "UR";
		break;
	case RELAY_CAUSE_AUTH:
	case RELAY_CAUSE_REVOKED:
	case RELAY_CAUSE_LOCAL_ALERT:
	case RELAY_CAUSE_PEER_ALERT:
		general = "FP";
		break;
	default:
		break;
	}
	h = mg_happening_new(leg->mg, leg->term, leg->stream, "g", "cause");
	mg_happening_word(h, "Generalcause", general);
	mg_happening_tell(leg->mg, h);
}

static void log_happened(const struct mg_leg *leg, const struct relay_event *e)
{
	static const char *const kinds[] = {
		[RELAY_TCP_UP] = "tcp-up",
		[RELAY_TCP_FAILED] = "tcp-failed",
		[RELAY_TCP_DOWN] = "tcp-down",
		[RELAY_TLS_UP] = "tls-up",
		[RELAY_TLS_FAILED] = "tls-failed",
		[RELAY_TLS_DOWN] = "tls-down",
		[RELAY_TLS_RENEGOTIATED] = "tls-renegotiated",
		[RELAY_TLS_RENEGOTIATE_FAILED] = "tls-renegotiation-failed",
		[RELAY_TLS_CONDEMNED] = "tls-condemned",
		[RELAY_TLS_REKEYED] = "tls-rekeyed",
		[RELAY_TLS_UNCHANGED] = "tls-not-renegotiated",
	};
	char peer[64];

	address_text(&e->peer, peer, sizeof(peer));
	if (e->kind == RELAY_TLS_UP || e->kind == RELAY_TLS_RENEGOTIATED ||
	    e->kind == RELAY_TLS_REKEYED)
		base_log(BASE_LOG_INFO, "mg",
		         "%s context=%u term=%s stream=%u domain=%s version=%s suite=%s "
		         "resumed=%s auth=%s srtp=%s setup=%u/%u subject=\"%s\"",
		         kinds[e->kind], leg->term->context->id, leg->term->name, leg->stream,
		         mg_leg_domain(leg), e->tls.version_name, e->tls.suite_name,
		         e->tls.resumed ? "yes" : "no", auth_word(&e->tls),
		         e->tls.srtp ? tls_srtp_name(e->tls.srtp) : "-", e->mark,
		         leg->session ? leg->session->mark : 0, e->tls.peer_subject);
	else if (e->kind == RELAY_TLS_CONDEMNED)
		base_log(BASE_LOG_WARN, "mg",
		         "%s context=%u term=%s stream=%u domain=%s action=%s subject=\"%s\": %s",
		         kinds[e->kind], leg->term->context->id, leg->term->name, leg->stream,
		         mg_leg_domain(leg), tls_on_revocation_name(e->action), e->tls.peer_subject,
		         e->tls.text);
	else if (e->kind >= RELAY_TLS_FAILED)
		base_log(BASE_LOG_INFO, "mg",
		         "%s context=%u term=%s stream=%u domain=%s cause=%s alert=%d side=%s "
		         "reason=%s text=\"%s\"",
		         kinds[e->kind], leg->term->context->id, leg->term->name, leg->stream,
		         mg_leg_domain(leg), relay_cause_name(e->cause), e->tls.alert,
		         alert_side(&e->tls, e->cause), trust_reason_name(e->tls.reason),
		         e->tls.text);
	else
		base_log(BASE_LOG_INFO, "mg",
		         "%s context=%u term=%s stream=%u peer=%s cause=%s%s%s",
		         leg->udp ? "udp-down" : kinds[e->kind], leg->term->context->id,
		         leg->term->name, leg->stream, peer[0] ? peer : "-",
		         relay_cause_name(e->cause), e->error ? " error=" : "",
		         e->error ? strerror(e->error) : "");
}

/* ---- what the leg itself makes of it ---- */

/* seplink: a set-up that came in here starts the partner's (H.248.92). */
static void link_trigger(struct mg *mg, const struct mg_leg *leg, enum relay_event_kind kind)
{
	if (!leg->partner || leg->link == H248_LINK_OFF || leg->tcp_role != RELAY_TCP_SERVER)
		return;
	if (kind == RELAY_TCP_UP) {
		if (mg->bearer->endpoint_connect(leg->partner->endpoint))
			mg_leg_unable(leg->partner, RELAY_TCP_FAILED);
	} else if (leg->link == H248_LINK_TCP_TLS && leg->partner->tls) {
		if (mg->bearer->endpoint_start_tls(leg->partner->endpoint, TLS_ROLE_CLIENT))
			mg_leg_unable(leg->partner, RELAY_TLS_FAILED);
	}
}

/* For audits: the peer writes its own subject, and must not be able to spoil their replies. */
static void leg_remember(struct mg_leg *leg, const struct relay_tls_result *tls)
{
	struct mg_leg_session *s = leg->session;

	if (!s)
		return;
	(void)mg_quotable(s->version, sizeof(s->version), tls->version_name);
	(void)mg_quotable(s->suite, sizeof(s->suite), tls->suite_name);
	(void)mg_quotable(s->peer, sizeof(s->peer), tls->peer_subject);
	s->resumed = tls->resumed;
	s->srtp = tls->srtp;
	mg_tlsm_remember(s, tls);
}

void mg_leg_event(void *arg, struct relay_endpoint *endpoint, const struct relay_event *event)
{
	struct mg_leg *leg = arg;
	struct mg *mg = leg->mg;

	(void)endpoint;
	switch (event->kind) {
	case RELAY_TCP_UP:
		leg->state = MG_LEG_TCP_UP;
		tcp_happened(leg, event, "Est");
		break;
	case RELAY_TCP_FAILED:
		leg->state = MG_LEG_ENDED;
		if (!leg->udp)
			tcp_happened(leg, event, "EstFail");
		cause_happened(leg, event);
		break;
	case RELAY_TCP_DOWN:
		leg->state = MG_LEG_ENDED;
		if (!leg->udp)
			tcp_happened(leg, event, "Rel");
		/* A TLS session that failed has told its cause already. */
		if (!leg->tls)
			cause_happened(leg, event);
		break;
	case RELAY_TLS_UP:
		leg->state = MG_LEG_TLS_UP;
		leg_remember(leg, &event->tls);
		tls_happened(leg, event, "Est");
		break;
	case RELAY_TLS_FAILED:
		tls_happened(leg, event, "EstFail");
		cause_happened(leg, event);
		break;
	case RELAY_TLS_RENEGOTIATED: /* H.248.TLSPROF 7-5 */
		leg_remember(leg, &event->tls);
		tls_happened(leg, event, "Mod");
		break;
	case RELAY_TLS_RENEGOTIATE_FAILED: /* that the session is over comes next, with its cause */
		tls_happened(leg, event, "Mfail");
		break;
	case RELAY_TLS_REKEYED: /* RFC 8446, 4.6.3: nothing but keys */
		tls_happened(leg, event, "Mod");
		break;
	case RELAY_TLS_UNCHANGED: /* by order, and the session goes on */
		tls_happened(leg, event, "Mfail");
		break;
	case RELAY_TLS_CONDEMNED: /* of one that ends Rel tells the same */
		if (event->action != TLS_REVOKED_END)
			tls_happened(leg, event, "Mod");
		break;
	case RELAY_EVENTS:
		return;
	case RELAY_TLS_DOWN:
		tls_happened(leg, event, "Rel");
		cause_happened(leg, event);
		break;
	}
	mg_tlsm_told(leg, event);
	log_happened(leg, event);
	if (event->kind == RELAY_TCP_UP || event->kind == RELAY_TLS_UP)
		link_trigger(mg, leg, event->kind);
	mg_happenings_run(mg); /* embedded signals may put another leg in this one's place */
}

void mg_leg_unable(struct mg_leg *leg, enum relay_event_kind kind)
{
	struct relay_event event = { .kind = kind,
		                     .cause = RELAY_CAUSE_RESOURCES,
		                     .ordered = kind == RELAY_TLS_UNCHANGED };

	event.tls.alert = -1;
	/* No session with keys or names, no media to or from somebody, that are no longer right. */
	if (kind == RELAY_TLS_FAILED || leg->udp)
		(void)leg->mg->bearer->endpoint_release(leg->endpoint, true);
	mg_leg_event(leg, leg->endpoint, &event);
}
