/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a connection: its session, the handshake, the log line about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream/private.h"

/* ---- domains in use ---- */

static void slot_free(struct stream_slot *slot)
{
	base_list_remove(&slot->node);
	tls_context_free(slot->context);
	tls_domain_unref(slot->domain);
	free(slot);
}

/* The context stays for who comes next, until nobody but us has the domain. */
void stream_slot_release(struct stream_slot *slot)
{
	if (slot && --slot->users == 0 && !tls_domain_shared(slot->domain))
		slot_free(slot);
}

void stream_slots_free(struct streams *streams)
{
	BASE_LIST_EACH(&streams->slots, node, after)
	slot_free(BASE_CONTAINER_OF(node, struct stream_slot, node));
}

void streams_forget(struct streams *streams, const struct tls_domain *domain)
{
	BASE_LIST_EACH(&streams->slots, node, after)
	{
		struct stream_slot *slot = BASE_CONTAINER_OF(node, struct stream_slot, node);

		if (slot->domain == domain && !slot->users)
			slot_free(slot);
	}
}

static int slot_new(struct stream_slot **ret, struct streams *streams, struct tls_domain *domain,
                    struct base_error *err)
{
	struct stream_slot *slot = calloc(1, sizeof(*slot));
	int rc;

	if (!slot)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	rc = tls_context_new(&slot->context, domain, err);
	if (rc) {
		free(slot);
		return rc;
	}
	slot->domain = tls_domain_ref(domain);
	base_list_append(&streams->slots, &slot->node);
	*ret = slot;
	return 0;
}

static int slot_get(struct stream_slot **ret, struct streams *streams, struct tls_domain *domain,
                    struct base_error *err)
{
	struct stream_slot *found = NULL;
	int rc = 0;

	BASE_LIST_EACH(&streams->slots, node, after)
	{
		struct stream_slot *slot = BASE_CONTAINER_OF(node, struct stream_slot, node);

		if (slot->domain == domain)
			found = slot;
		else if (!slot->users && !tls_domain_shared(slot->domain))
			slot_free(slot);
	}
	if (!found)
		rc = slot_new(&found, streams, domain, err);
	if (!found)
		return rc;
	found->users++;
	*ret = found;
	return 0;
}

int stream_shake_new(struct stream *s, const struct stream_spec *spec, struct base_error *err)
{
	static const struct tls_session_spec none = { 0 };
	struct tls_session_spec session = spec->session ? *spec->session : none;
	char peer[STREAM_ADDR_TEXT];
	int rc = slot_get(&s->slot, s->streams, spec->domain, err);

	if (rc)
		return rc;
	session.role = s->server ? TLS_ROLE_SERVER : TLS_ROLE_CLIENT;
	session.once = !spec->renegotiable;
	session.may_wait = s->streams->config.ask != NULL;
	/* Who came to us comes from another port each time: nobody to know again. */
	if (!s->server && !s->accepted && !session.resume_key)
		session.resume_key = stream_addr_format(&s->remote, peer, sizeof(peer));
	rc = tls_session_new(&s->session, s->slot->context, &session);
	if (rc)
		return base_error_set(err, rc, "no TLS session can be made for this peer%s",
		                      base_err_class(rc) == BASE_LOCAL ? ": no memory" : "");
	return 0;
}

/* ---- the log line ---- */

static const char *or_dash(const char *text)
{
	return text && text[0] ? text : "-";
}

static void log_line(const struct stream *s, const char *what, const char *why)
{
	enum base_level level = why ? BASE_LOG_WARN : BASE_LOG_INFO;
	char peer[STREAM_ADDR_TEXT], failed[400] = "", fields[TRUST_FIELDS_TEXT] = "";
	struct tls_info info;

	if (!base_log_on(level))
		return;
	tls_session_info(s->session, &info);
	if (why)
		(void)snprintf(failed, sizeof(failed), " alert=%s%s: %s",
		               info.alert < 0 ? "-" : tls_alert_name(info.alert),
		               info.alert_side == TLS_SIDE_REMOTE ? " (from peer)" : "", why);
	if (info.has_verdict)
		(void)trust_verdict_fields(&info.verdict, fields, sizeof(fields));
	base_log(level, s->streams->config.area,
	         "tls %s peer=%s side=%s domain=%s version=%s suite=%s resumed=%s auth=%s%s "
	         "depth=%d subject=\"%s\"%s%s",
	         what, stream_addr_format(&s->remote, peer, sizeof(peer)),
	         s->server ? "server" : "client", tls_domain_name(s->slot->domain),
	         or_dash(info.version_name), or_dash(info.suite_name), info.resumed ? "yes" : "no",
	         tls_info_auth(&info),
	         info.has_verdict && info.verdict.tolerated ? " (tolerated)" : "",
	         info.has_verdict ? info.verdict.depth : -1,
	         info.has_verdict ? info.verdict.subject : "", fields, failed);
}

void stream_shake_log(struct stream *s, const char *why)
{
	if (s->told || s->state == STREAM_CONNECTING)
		return;
	s->told = true;
	log_line(s, why ? "failed" : "up", why);
}

void stream_shake_log_again(struct stream *s)
{
	log_line(s, "renegotiated", NULL);
}

/* ---- the handshake ---- */

static const char *words(const struct tls_info *info, bool judged)
{
	if (judged)
		return info->verdict.text;
	if (info->failure && info->failure[0])
		return info->failure;
	return info->alert < 0 ? "TLS failed" : tls_alert_name(info->alert);
}

void stream_shake_failed(struct stream *s, int rc)
{
	enum stream_cause cause = STREAM_ALERT;
	struct tls_info info;
	bool judged;

	tls_session_info(s->session, &info);
	judged = (s->state == STREAM_SHAKING || info.renegotiating) && info.has_verdict &&
	         !info.verdict.authenticated && !info.verdict.tolerated &&
	         info.alert_side != TLS_SIDE_REMOTE;
	if (judged)
		cause = STREAM_UNPROVEN;
	else if (base_err_class(rc) == BASE_LOCAL)
		cause = STREAM_RESOURCES;
	if (s->state == STREAM_SHAKING)
		s->streams->count.handshakes_failed++;
	else if (info.renegotiating)
		s->told = false; /* a handshake that has failed has its line */
	stream_fail(s, cause, 0, "%s", words(&info, judged));
}

static bool proven(const struct stream *s)
{
	struct tls_info info;

	tls_session_info(s->session, &info);
	return info.psk || s->spec.anybody ||
	       (info.has_verdict && (info.verdict.authenticated || info.verdict.tolerated));
}

static void shaken(struct stream *s, struct tls_io *io)
{
	if (!proven(s)) {
		base_writer_reset(&s->streams->wire);
		(void)tls_session_close(s->session, io); /* it is over whatever this says */
		stream_put(s, s->streams->wire.data, s->streams->wire.len);
		s->streams->count.handshakes_failed++;
		stream_fail(s, STREAM_UNPROVEN, 0,
		            "the peer has not proven who it is, which is asked of it here");
		return;
	}
	s->streams->count.handshakes++;
	stream_shake_log(s, NULL);
	stream_up(s);
	if (s->state != STREAM_DEAD)
		stream_records(s, io); /* they may have come with the end of the handshake */
}

void stream_shake(struct stream *s, const uint8_t *data, size_t len)
{
	struct base_writer *wire = &s->streams->wire;
	struct tls_io io = { .in = base_reader_of(data, len),
		             .out = wire,
		             .now_ms = loop_now_ms(s->streams->loop) };
	int rc;

	base_writer_reset(wire);
	rc = tls_session_handshake(s->session, &io);
	stream_put(s, wire->data, wire->len); /* on failure that is our alert */
	base_writer_reset(wire);
	if (s->state == STREAM_DEAD)
		return;
	if (!rc)
		shaken(s, &io);
	else if (base_err_class(rc) != BASE_AGAIN)
		stream_shake_failed(s, rc);
	else
		(void)stream_ask_begin(s, &io);
}
