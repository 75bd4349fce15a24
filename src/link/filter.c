/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One connection: a TLS session fed by the transport. Invariant: `clear` stays empty until `up`,
 * and `up` is set only once the peer has proven who it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "link/private.h"

/* A clear buffer of this size lets the engines decrypt into it. */
#define LINK_CLEAR (16384 + 512)

struct link_conn {
	struct base_node node;
	struct link *link;
	struct link_slot *slot;
	struct tls_session *session;
	struct h248_addr remote;
	bool server;
	bool up;        /* authenticated */
	bool told;      /* the handshake has its log line */
	bool condemned; /* told */
	char *why;      /* it is over for this; NULL = it is not */
};

/* ---- the log line ---- */

static const char *or_dash(const char *text)
{
	return text && text[0] ? text : "-";
}

/* `why` NULL: it is up. */
static void tell(struct link_conn *c, const char *why)
{
	enum base_level level = why ? BASE_LOG_WARN : BASE_LOG_INFO;
	char peer[H248_ADDR_TEXT], failed[600] = "", fields[TRUST_FIELDS_TEXT];
	struct tls_info info = { .alert = -1 };

	c->told = true;
	if (!base_log_on(level))
		return;
	if (c->session)
		tls_session_info(c->session, &info);
	if (why)
		snprintf(failed, sizeof(failed), " alert=%s%s: %s",
		         info.alert < 0 ? "-" : tls_alert_name(info.alert),
		         info.alert_side == TLS_SIDE_REMOTE ? " (from peer)" : "", why);
	base_log(level, "link",
	         "tls %s peer=%s side=%s domain=%s version=%s suite=%s resumed=%s auth=%s%s "
	         "depth=%d subject=\"%s\"%s%s",
	         why ? "failed" : "up", h248_addr_format(&c->remote, peer),
	         c->server ? "server" : "client", tls_domain_name(c->slot->domain),
	         or_dash(info.version_name), or_dash(info.suite_name), info.resumed ? "yes" : "no",
	         tls_info_auth(&info),
	         info.has_verdict && info.verdict.tolerated ? " (tolerated)" : "",
	         info.has_verdict ? info.verdict.depth : -1,
	         info.has_verdict ? info.verdict.subject : "",
	         info.has_verdict ? trust_verdict_fields(&info.verdict, fields, sizeof(fields))
	                          : "",
	         failed);
}

/* ---- life ---- */

static void conn_free(void *filter, const char *why)
{
	struct link_conn *c = filter;
	char peer[H248_ADDR_TEXT];

	if (!c->told)
		tell(c, why);
	/* With TLS 1.3 a client learns only now that its certificate was not taken. */
	if (c->up)
		base_log(BASE_LOG_INFO, "link", "tls down peer=%s side=%s domain=%s: %s",
		         h248_addr_format(&c->remote, peer), c->server ? "server" : "client",
		         tls_domain_name(c->slot->domain), why);
	base_list_remove(&c->node);
	tls_session_free(c->session);
	link_slot_unref(c->slot);
	free(c->why);
	free(c);
}

static int conn_open(void *arg, const struct h248_addr *remote, bool server, void **ret,
                     struct base_error *err)
{
	struct link *link = arg;
	struct tls_session_spec spec = {
		.role = server ? TLS_ROLE_SERVER : TLS_ROLE_CLIENT,
		.fingerprints = link->spec.fingerprints,
		.fingerprint_count = link->spec.fingerprint_count,
		.server_name = server ? NULL : link->spec.peer_name,
		.peer_name = link->spec.peer_name,
		.once = true, /* messages are written at any time: nothing here waits */
	};
	struct link_conn *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	c->link = link;
	base_list_append(&link->conns, &c->node);
	c->slot = link->slot;
	c->slot->users++;
	c->remote = *remote;
	c->server = server;
	rc = tls_session_new(&c->session, c->slot->context, &spec);
	if (rc) {
		conn_free(c, "no memory for a TLS session");
		return base_error_set(err, rc, "no memory for a TLS session");
	}
	*ret = c;
	return 0;
}

/* ---- bytes ---- */

/* Words for the end of a session that was or was to be. */
static int failed(struct link_conn *c, int rc, struct base_error *err)
{
	struct tls_info info;
	bool judged;

	tls_session_info(c->session, &info);
	judged = info.has_verdict && !info.verdict.authenticated && !info.verdict.tolerated;
	(void)base_error_set(err, rc, "TLS: %s",
	                     judged && !c->up                  ? info.verdict.text
	                     : info.failure && info.failure[0] ? info.failure
	                                                       : tls_alert_name(info.alert));
	if (!c->up)
		tell(c, err ? err->text : "failed");
	return rc;
}

static bool proven(const struct link_conn *c)
{
	struct tls_info info;

	tls_session_info(c->session, &info);
	return info.psk || c->link->spec.anybody ||
	       (info.has_verdict && (info.verdict.authenticated || info.verdict.tolerated));
}

static int shake(struct link_conn *c, struct tls_io *io, struct base_error *err)
{
	int rc = tls_session_handshake(c->session, io);

	if (rc && base_err_class(rc) == BASE_AGAIN)
		return rc;
	if (rc)
		return failed(c, rc, err);
	if (!proven(c)) {
		(void)tls_session_close(c->session, io); /* it is over whatever this says */
		(void)base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                     "TLS: the peer has not proven who it is; H.248 asks both ends "
		                     "to");
		tell(c, "the peer has not proven who it is");
		return BASE_ERR(BASE_PEER, 0);
	}
	c->up = true;
	tell(c, NULL);
	return 0;
}

/* Nothing of a peer that was revoked is heard any more. */
static int condemned(struct link_conn *c, struct tls_io *io, struct base_error *err)
{
	(void)tls_session_close(c->session, io); /* it is over whatever this says */
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "TLS: %s", c->why);
}

static int conn_input(void *filter, const void *data, size_t len, struct base_writer *clear,
                      struct base_writer *wire, struct base_error *err)
{
	struct link_conn *c = filter;
	struct tls_io io = { .in = base_reader_of(data, len), .out = wire };
	int rc = c->why ? condemned(c, &io, err) : c->up ? 0 : shake(c, &io, err);

	while (!rc) {
		size_t n = 0;

		if (!base_writer_reserve(clear, LINK_CLEAR))
			return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
		rc = tls_session_read(c->session, &io, clear->data + clear->len,
		                      clear->cap - clear->len, &n);
		if (rc && base_err_class(rc) == BASE_AGAIN)
			return 0;
		if (rc)
			return failed(c, rc, err);
		if (!n)
			return base_error_set(err, BASE_ERR(BASE_PEER, 0), "closed by the peer");
		clear->len += n;
	}
	return rc;
}

static int conn_output(void *filter, const void *data, size_t len, struct base_writer *wire,
                       struct base_error *err)
{
	struct link_conn *c = filter;
	struct tls_io io = { .in = base_reader_of(NULL, 0), .out = wire };
	int rc = c->why ? condemned(c, &io, err) : tls_session_write(c->session, &io, data, len);

	if (c->why)
		return rc; /* told already */
	return rc ? failed(c, rc, err) : 0;
}

static void conn_close(void *filter, struct base_writer *wire)
{
	struct link_conn *c = filter;
	struct tls_io io = { .in = base_reader_of(NULL, 0), .out = wire };

	if (c->up)
		(void)tls_session_close(c->session, &io); /* we leave in any case */
}

void link_conns_judge(struct link *link, struct trust_sweep *sweep)
{
	uint32_t grace_ms;
	enum tls_on_revocation action = tls_domain_on_revocation(link->slot->domain, &grace_ms);

	BASE_LIST_EACH(&link->conns, node, after)
	{
		struct link_conn *c = BASE_CONTAINER_OF(node, struct link_conn, node);
		const struct trust_standing *standing = tls_session_standing(c->session);
		struct trust_condemned why;
		char peer[H248_ADDR_TEXT];

		if (!standing || c->why || (c->condemned && action == TLS_REVOKED_REPORT) ||
		    !trust_sweep_condemns(sweep, standing, &why))
			continue;
		c->condemned = true;
		if (action != TLS_REVOKED_REPORT)
			c->why = strdup(why.text);
		base_log(BASE_LOG_WARN, "link",
		         "tls condemned peer=%s side=%s domain=%s action=%s: %s",
		         h248_addr_format(&c->remote, peer), c->server ? "server" : "client",
		         tls_domain_name(c->slot->domain), c->why ? "end" : "report", why.text);
	}
}

const struct h248_filter_ops link_filter = {
	.open = conn_open,
	.input = conn_input,
	.output = conn_output,
	.close = conn_close,
	.free = conn_free,
};
