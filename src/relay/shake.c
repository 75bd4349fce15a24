/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on an endpoint: start, handshake, what is told about it. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "relay/dgram.h"
#include "relay/room.h"

static void put(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%s", text ? text : ""); /* shortened if it must be */
}

void relay_shake_start(struct relay_leg *leg)
{
	struct tls_session_spec spec = leg->setup->tls->session;
	struct tls_datagram_spec datagram;
	struct tls_psk *keys = NULL;
	char peer[RELAY_ADDRESS_TEXT];
	int rc;

	leg->shaking = true;
	spec.role = (enum tls_role)leg->role;
	/* Whoever came to us comes from another port each time: nobody to know again. */
	if (!leg->dgram && !leg->setup->server && leg->setup->remote.family != AF_UNSPEC)
		spec.resume_key = relay_address_format(&leg->setup->remote, peer, sizeof(peer));
	if (leg->dgram) {
		relay_dtls_spec(leg, &datagram);
		spec.datagram = &datagram;
		if (leg->role == TLS_ROLE_CLIENT)
			spec.resume_key = relay_dtls_peer(leg, peer, sizeof(peer));
		else
			keys = relay_guest_spec(leg, &spec);
	}
	/* A session that may go to another leg waits for nothing that comes back to this one. */
	spec.may_wait = leg->worker->pool->fetch != NULL && !(leg->dgram && leg->dgram->hosting);
	leg->handshake_ms = leg->setup->handshake_timeout_ms;
	leg->shake_ms = (uint32_t)loop_now_ms(leg->worker->loop);
	leg->slot = relay_worker_slot(leg->worker, leg->setup->tls->domain);
	leg->mark = leg->setup->tls->mark;
	rc = leg->slot ? tls_session_new(&leg->session, leg->slot->context, &spec)
	               : BASE_ERR(BASE_LOCAL, ENOMEM);
	free(keys);
	if (rc) {
		relay_shake_fail(leg, RELAY_CAUSE_RESOURCES);
		return;
	}
	if (spec.role == TLS_ROLE_CLIENT)
		relay_shake_step(leg, NULL, 0);
	relay_leg_resume(leg); /* the peer's first flight may have been waiting */
}

/* The key that proved the peer has been replaced while the handshake went on. */
static bool key_is_old(const struct relay_leg *leg)
{
	struct tls_info info;

	if (leg->mark == leg->setup->tls->mark || (leg->dgram && leg->dgram->hosting))
		return false;
	tls_session_info(leg->session, &info);
	return info.psk;
}

/* @return the leg whose session it is; NULL: there is none, or the fingerprint is waited for */
static struct relay_leg *proved(struct relay_leg *leg)
{
	if (key_is_old(leg)) {
		relay_shake_refuse(leg, 49); /* access_denied */
		return NULL;
	}
	if (leg->dgram && leg->role == TLS_ROLE_SERVER)
		leg = relay_guest_proved(leg);
	if (leg)
		leg->mark = leg->setup->tls->mark;
	return leg;
}

static void shaken(struct relay_leg *leg, struct tls_io *io)
{
	leg = proved(leg);
	if (!leg)
		return;
	if (leg->dgram && !relay_dtls_keyed(leg)) {
		relay_shake_fail(leg, RELAY_CAUSE_RESOURCES);
		return;
	}
	leg->shaking = false;
	relay_meter_up(leg);
	relay_shake_log(leg, RELAY_CAUSE_NONE);
	relay_leg_input(leg, RELAY_ON_SHAKEN, RELAY_CAUSE_NONE, 0);
	/* Records may have come with the end of the handshake. */
	if (leg->session && leg->dgram)
		relay_dtls_late(leg);
	else if (leg->session)
		relay_flow_records(leg, io);
}

void relay_shake_step(struct relay_leg *leg, const uint8_t *data, size_t len)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .in = base_reader_of(data, len),
		             .out = out,
		             .now_ms = loop_now_ms(leg->worker->loop) };
	struct tls_info info;
	int rc;

	base_writer_reset(out);
	rc = tls_session_handshake(leg->session, &io);
	/* On failure that is our alert. */
	if (out->len && !relay_flow_send(leg, out->data, out->len))
		return;
	if (rc == 0) {
		shaken(leg, &io);
	} else if (base_err_class(rc) == BASE_AGAIN) {
		/* One that waits already has what came kept by its session: datagrams alone come.
		 */
		if (!leg->fetch && relay_wait_begin(leg, &io) && relay_leg_gone(leg))
			return;
		if (leg->dgram) /* else more input is needed */
			relay_dtls_time(leg);
	} else {
		tls_session_info(leg->session, &info);
		relay_shake_fail(leg, relay_shake_cause(&info, rc));
	}
}

/* Refused for revocation, or for want of a check of it? */
static void count_refusal(struct relay_leg *leg)
{
	struct relay_trust_counters *counts = &leg->worker->pool->trust;
	struct tls_info info = { 0 };

	if (leg->session)
		tls_session_info(leg->session, &info);
	if (!info.has_verdict || info.verdict.authenticated || info.verdict.tolerated)
		return;
	if (info.verdict.reason == TRUST_REVOKED)
		relay_trust_count(&counts->revoked);
	else if (info.verdict.reason == TRUST_CRL_MISSING)
		relay_trust_count(&counts->crl_missing);
	else if (info.verdict.reason == TRUST_CRL_STALE)
		relay_trust_count(&counts->crl_stale);
}

void relay_shake_fail(struct relay_leg *leg, enum relay_cause cause)
{
	count_refusal(leg);
	relay_meter_failed(leg, cause);
	relay_shake_log(leg, cause);
	relay_leg_input(leg,
	                relay_guest_is(leg) && cause != RELAY_CAUSE_RESOURCES
	                        ? RELAY_ON_GUEST_FAILED
	                        : RELAY_ON_SHAKE_FAILED,
	                cause, 0);
}

/* Our alert goes out first, if there is one that we may send. */
static bool abort_with(struct relay_leg *leg, uint8_t alert)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .out = out, .now_ms = loop_now_ms(leg->worker->loop) };

	base_writer_reset(out);
	tls_session_abort(leg->session, &io, alert);
	return !out->len || relay_flow_send(leg, out->data, out->len);
}

void relay_shake_refuse(struct relay_leg *leg, uint8_t alert)
{
	if (abort_with(leg, alert))
		relay_shake_fail(leg, RELAY_CAUSE_AUTH);
}

void relay_shake_changed(struct relay_leg *leg, const struct relay_tls_setup *now)
{
	struct tls_info info;
	int rc;

	if (now->mark == leg->mark || leg->state < RELAY_HANDSHAKE || leg->state > RELAY_HALF_OUT ||
	    (leg->shaking && leg->dgram && leg->dgram->hosting))
		return;
	tls_session_info(leg->session, &info);
	if (info.established && info.psk)
		rc = BASE_ERR(BASE_PEER, 49); /* access_denied */
	else
		rc = tls_session_prints(leg->session, now->session.fingerprints,
		                        now->session.fingerprint_count);
	if (rc == 0 && info.established)
		leg->mark = now->mark;
	if (rc == 0 && leg->proving && !tls_session_unproved(leg->session))
		shaken(leg, NULL);
	else if (rc && leg->shaking)
		relay_shake_refuse(leg, (uint8_t)base_err_detail(rc));
	else if (rc && abort_with(leg, (uint8_t)base_err_detail(rc)))
		relay_leg_input(leg, RELAY_ON_TLS_BROKEN, RELAY_CAUSE_AUTH, 0);
}

/* Nothing came of an order, and the session goes on. */
static void unchanged(struct relay_leg *leg, enum tls_again again, enum relay_cause cause,
                      const char *why)
{
	union relay_address peer = { .family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	char text[RELAY_ADDRESS_TEXT];
	struct relay_event event;

	if (leg->dgram)
		peer = leg->dgram->remote[RELAY_WAY_MEDIA];
	else
		(void)getpeername(leg->watch.fd, &peer.sa, &len); /* else "-" */
	base_log(BASE_LOG_INFO, "relay", "tls not renegotiated peer=%s domain=%s cause=%s: %s",
	         relay_address_format(&peer, text, sizeof(text)),
	         leg->slot ? tls_domain_name(leg->slot->domain) : "-", relay_cause_name(cause),
	         why);
	leg->ordered = false;
	if (!leg->owner || leg->removed)
		return;
	memset(&event, 0, sizeof(event));
	event.kind = RELAY_TLS_UNCHANGED;
	event.cause = cause;
	event.again = again;
	event.ordered = true;
	event.tls.alert = -1;
	if (leg->session)
		relay_shake_result(leg, &event.tls);
	if (cause == RELAY_CAUSE_PEER_ALERT) {
		event.tls.alert = 100; /* no_renegotiation */
		event.tls.alert_side = TLS_SIDE_REMOTE;
	}
	put(event.tls.text, sizeof(event.tls.text), why);
	relay_endpoint_post(leg->owner, &event);
}

/* The peer said no_renegotiation to what we began. */
static void denied(struct relay_leg *leg)
{
	if (!leg->ordered || tls_session_wish(leg->session) != TLS_WISH_REFUSED)
		return;
	relay_meter_again(leg, false, 1);
	unchanged(leg, TLS_AGAIN_REFUSED, RELAY_CAUSE_PEER_ALERT,
	          "the peer sent no_renegotiation (RFC 5246, 7.2.2)");
}

void relay_shake_again(struct relay_leg *leg)
{
	uint32_t count;
	bool going_on = tls_session_renegotiating(leg->session, &count);
	bool asked = tls_session_wish(leg->session) == TLS_WISH_OPEN && !leg->ignored;

	if (count != leg->renegotiations) {
		relay_meter_again(leg, true, count - leg->renegotiations);
		leg->renegotiations = count;
		leg->ignored = false;
		if (leg->dgram && !relay_dtls_rekeyed(leg)) {
			relay_leg_input(leg, RELAY_ON_TLS_BROKEN, RELAY_CAUSE_RESOURCES, 0);
			return;
		}
		relay_shake_log(leg, RELAY_CAUSE_NONE);
		relay_leg_tell(leg, RELAY_TLS_RENEGOTIATED);
	}
	denied(leg);
	if (going_on == leg->renegotiating && asked == leg->asked)
		return;
	leg->renegotiating = going_on;
	leg->asked = asked;
	relay_leg_time(leg);
	if (going_on)
		return;
	relay_flow_end(leg); /* it may have waited */
	relay_leg_resume(leg);
}

void relay_shake_again_failed(struct relay_leg *leg)
{
	bool by_us = leg->asked && leg->cause != RELAY_CAUSE_PEER_CLOSE;

	if ((!leg->renegotiating && !by_us) || leg->cause == RELAY_CAUSE_LOCAL_CLOSE ||
	    leg->cause == RELAY_CAUSE_PARTNER)
		return;
	leg->renegotiating = leg->asked = false;
	relay_meter_again(leg, false, 1);
	relay_shake_log(leg, leg->cause);
	relay_leg_tell(leg, RELAY_TLS_RENEGOTIATE_FAILED);
}

/* ---- by order ---- */

static void ordered(struct relay_leg *leg, enum tls_again what)
{
	switch (what) {
	case TLS_AGAIN_BEGUN:
		leg->ordered = true;
		relay_shake_again(leg);
		relay_leg_resume(leg); /* the answer may stand behind data that nobody takes */
		return;
	case TLS_AGAIN_KEYS:
		leg->ordered = true;
		relay_leg_tell(leg, RELAY_TLS_REKEYED);
		return;
	case TLS_AGAIN_BUSY:
		if (leg->renegotiating && !leg->ordered) { /* the peer's does as well */
			leg->ordered = true;
			return;
		}
		break;
	default:
		break;
	}
	unchanged(leg, what, RELAY_CAUSE_NONE, tls_again_text(what));
}

void relay_shake_order(struct relay_leg *leg)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .out = out, .now_ms = loop_now_ms(leg->worker->loop) };
	enum tls_again what = TLS_AGAIN_CLOSED;
	struct tls_info info;
	int rc = 0;

	base_writer_reset(out);
	if (leg->session && leg->tls_up && leg->state != RELAY_DRAIN)
		rc = tls_session_renegotiate(leg->session, &io, &what);
	if (out->len && !relay_flow_send(leg, out->data, out->len))
		return;
	if (rc == 0) {
		ordered(leg, what);
		if (leg->dgram && leg->state == RELAY_OPEN)
			relay_dtls_time(leg);
		return;
	}
	tls_session_info(leg->session, &info);
	leg->renegotiating = leg->ordered = true;
	relay_leg_input(leg, RELAY_ON_TLS_BROKEN, relay_shake_cause(&info, rc), 0);
}

/* "It may close the connection with a fatal alert" (RFC 5246, 7.4.1.1); so may a P-CSCF (O15). */
void relay_shake_ignored(struct relay_leg *leg)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .out = out, .now_ms = loop_now_ms(leg->worker->loop) };

	if (tls_domain_ends_ignored(leg->slot->domain)) {
		base_writer_reset(out);
		tls_session_abort(leg->session, &io, 40); /* handshake_failure */
		if (out->len && !relay_flow_send(leg, out->data, out->len))
			return;
		relay_leg_input(leg, RELAY_ON_TLS_BROKEN, RELAY_CAUSE_TIMEOUT, 0);
		return;
	}
	leg->ignored = true;
	leg->asked = false;
	relay_meter_again(leg, false, 1);
	unchanged(leg, TLS_AGAIN_BUSY, RELAY_CAUSE_TIMEOUT,
	          "the peer ignores the request (RFC 5246, 7.4.1.1)");
	relay_leg_time(leg);
}

enum relay_cause relay_shake_cause(const struct tls_info *info, int rc)
{
	if (info->alert_side == TLS_SIDE_REMOTE)
		return info->alert || !info->established ? RELAY_CAUSE_PEER_ALERT
		                                         : RELAY_CAUSE_PEER_CLOSE;
	if (base_err_class(rc) == BASE_LOCAL)
		return RELAY_CAUSE_RESOURCES;
	if ((!info->established || info->renegotiating) && info->has_verdict &&
	    !info->verdict.authenticated && !info->verdict.tolerated)
		return RELAY_CAUSE_AUTH;
	return RELAY_CAUSE_LOCAL_ALERT;
}

void relay_shake_result(const struct relay_leg *leg, struct relay_tls_result *ret)
{
	struct tls_info info;

	tls_session_info(leg->session, &info);
	ret->version = info.version;
	ret->suite = info.suite;
	put(ret->version_name, sizeof(ret->version_name), info.version_name);
	put(ret->suite_name, sizeof(ret->suite_name), info.suite_name);
	ret->resumed = info.resumed;
	ret->secured = info.secured;
	ret->orderable = info.we_may_renegotiate;
	ret->unable = info.cannot_renegotiate;
	ret->alert = info.alert;
	ret->alert_side = info.alert_side;
	ret->psk = info.psk && info.established; /* a key that was tried proves nothing */
	ret->authenticated = ret->psk;
	if (info.has_verdict) {
		ret->reason = info.verdict.reason;
		ret->authenticated = ret->psk || info.verdict.authenticated;
		ret->tolerated = info.verdict.tolerated;
		ret->method = info.verdict.authenticated ? info.verdict.method : 0;
		put(ret->peer_subject, sizeof(ret->peer_subject), info.verdict.subject);
	}
	ret->srtp = tls_session_srtp(leg->session);
	put(ret->text, sizeof(ret->text), info.failure);
}

void relay_shake_count(struct relay_leg *leg)
{
	struct tls_info info;

	tls_session_info(leg->session, &info);
	relay_meter_records(leg, info.records_in, info.records_out);
}

/* ---- the log line ---- */

static void log_ok(const struct tls_info *info, const char *srtp, const char *peer,
                   const char *side, const char *domain)
{
	char fields[TRUST_FIELDS_TEXT];

	base_log(BASE_LOG_INFO, "relay",
	         "tls %s peer=%s side=%s domain=%s version=%s suite=%s resumed=%s auth=%s%s "
	         "srtp=%s subject=\"%s\"%s",
	         info->renegotiations ? "renegotiated" : "up", peer, side, domain,
	         info->version_name ? info->version_name : "-",
	         info->suite_name ? info->suite_name : "-", info->resumed ? "yes" : "no",
	         tls_info_auth(info),
	         info->has_verdict && info->verdict.tolerated ? " (tolerated)" : "",
	         srtp ? srtp : "-", info->has_verdict ? info->verdict.subject : "",
	         info->has_verdict ? trust_verdict_fields(&info->verdict, fields, sizeof(fields))
	                           : "");
}

static void log_failed(const struct tls_info *info, bool again, const char *peer, const char *side,
                       const char *domain, enum relay_cause cause)
{
	bool judged = info->has_verdict && !info->verdict.authenticated;
	char fields[TRUST_FIELDS_TEXT];

	base_log(BASE_LOG_WARN, "relay",
	         "tls %s peer=%s side=%s domain=%s version=%s suite=%s cause=%s auth=%s "
	         "depth=%d alert=%s%s subject=\"%s\"%s: %s",
	         again ? "renegotiation failed" : "failed", peer, side, domain,
	         info->version_name ? info->version_name : "-",
	         info->suite_name ? info->suite_name : "-", relay_cause_name(cause),
	         tls_info_auth(info), judged ? info->verdict.depth : -1,
	         info->alert < 0 ? "-" : tls_alert_name(info->alert),
	         info->alert_side == TLS_SIDE_REMOTE ? " (from peer)" : "",
	         info->has_verdict ? info->verdict.subject : "",
	         info->has_verdict ? trust_verdict_fields(&info->verdict, fields, sizeof(fields))
	                           : "",
	         judged                              ? info->verdict.text
	         : info->failure && info->failure[0] ? info->failure
	                                             : relay_cause_name(cause));
}

void relay_shake_log(const struct relay_leg *leg, enum relay_cause cause)
{
	bool ok = cause == RELAY_CAUSE_NONE;
	const char *side = leg->role == TLS_ROLE_SERVER ? "server" : "client";
	const char *domain = leg->setup  ? tls_domain_name(leg->setup->tls->domain)
	                     : leg->slot ? tls_domain_name(leg->slot->domain)
	                                 : "-";
	union relay_address peer = { .family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	char text[RELAY_ADDRESS_TEXT];
	struct tls_info info = { .alert = -1 };

	if (!base_log_on(ok ? BASE_LOG_INFO : BASE_LOG_WARN))
		return;
	if (leg->dgram)
		peer = leg->dgram->remote[RELAY_WAY_MEDIA];
	else if (getpeername(leg->watch.fd, &peer.sa, &len) < 0 && leg->setup)
		peer = leg->setup->remote; /* it has gone already */
	relay_address_format(&peer, text, sizeof(text));
	if (leg->session)
		tls_session_info(leg->session, &info);
	if (ok)
		log_ok(&info, tls_srtp_name(tls_session_srtp(leg->session)), text, side, domain);
	else
		log_failed(&info, leg->tls_up, text, side, domain, cause);
}
