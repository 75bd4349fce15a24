/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_link.h"

#include <errno.h>
#include <openldap.h>
#include <stdio.h>
#include <stdlib.h>

int fetch_ldap_init(struct base_error *err)
{
	LDAP *ld = NULL;
	int rc;

	/* libldap reads ldap.conf, .ldaprc and LDAP... once, at its first session, but for this */
	if (setenv("LDAPNOINIT", "1", 1))
		return BASE_ERR(BASE_LOCAL, errno);
	rc = ldap_create(&ld);
	if (rc != LDAP_SUCCESS)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "libldap does not start: %s",
		                      ldap_err2string(rc));
	(void)ldap_unbind_ext_s(ld, NULL, NULL); /* it has no connection */
	return 0;
}

/* What a directory says is shown, as far as it can be. */
static const char *shown(const char *text, char out[128])
{
	size_t at = 0;

	for (; text && *text && at < 127; text++)
		out[at++] = *text >= ' ' && *text <= '~' ? *text : '?';
	out[at] = '\0';
	return out;
}

int fetch_ldap_link_fail(struct fetch_ldap_link *link, int code, const char *doing,
                         const char *diagnostic, struct base_error *err)
{
	char words[128];
	const char *more = shown(diagnostic, words);

	if (link->io.why)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s: %s: %s", link->where, doing,
		                      link->io.why);
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s: %s: %s%s%s", link->where, doing,
	                      ldap_err2string(code), *more ? ": " : "", more);
}

static int last_code(struct fetch_ldap_link *link, char **ret_diagnostic)
{
	int code = LDAP_OTHER;

	*ret_diagnostic = NULL;
	if (ldap_get_option(link->ld, LDAP_OPT_RESULT_CODE, &code) != LDAP_OPT_SUCCESS)
		code = LDAP_OTHER;
	if (ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, ret_diagnostic) !=
	    LDAP_OPT_SUCCESS)
		*ret_diagnostic = NULL;
	return code;
}

/* Of a call that failed without an answer. */
static int fail_last(struct fetch_ldap_link *link, const char *doing, struct base_error *err)
{
	char *diagnostic;
	int code = last_code(link, &diagnostic);
	int rc = fetch_ldap_link_fail(link, code, doing, diagnostic, err);

	ldap_memfree(diagnostic);
	return rc;
}

int fetch_ldap_link_next(struct fetch_ldap_link *link, int id, LDAPMessage **ret,
                         struct base_error *err)
{
	for (;;) {
		struct timeval none = { 0, 0 };
		int type;

		errno = 0;
		type = ldap_result(link->ld, id, LDAP_MSG_ONE, &none, ret);
		if (type > 0)
			return type;
		if (type < 0 && errno == ERANGE && !link->io.why)
			link->io.why = "a message came that is larger than allowed";
		if (type < 0 || !fetch_ldap_io_wait(&link->io))
			return fail_last(link, "waiting for an answer", err);
	}
}

int fetch_ldap_link_answer(struct fetch_ldap_link *link, int id, const char *doing, int *ret_code,
                           struct base_error *err)
{
	LDAPMessage *message = NULL;
	char *diagnostic = NULL;
	int rc = fetch_ldap_link_next(link, id, &message, err), code = -1;

	*ret_code = -1;
	if (rc < 0)
		return rc;
	rc = ldap_parse_result(link->ld, message, &code, NULL, &diagnostic, NULL, NULL, 1);
	*ret_code = rc == LDAP_SUCCESS ? code : -1;
	if (rc == LDAP_SUCCESS && code == LDAP_SUCCESS)
		rc = 0;
	else
		rc = fetch_ldap_link_fail(link, rc == LDAP_SUCCESS ? code : rc, doing, diagnostic,
		                          err);
	ldap_memfree(diagnostic);
	return rc;
}

static int options_set(struct fetch_ldap_link *link, const struct fetch_ldap_settings *settings,
                       size_t max_octets)
{
	LDAP *ld = link->ld;
	int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER, demand = LDAP_OPT_X_TLS_DEMAND;
	ber_len_t most = max_octets;
	Sockbuf *sb = NULL;

	if (ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) ||
	    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) ||
	    ldap_set_option(ld, LDAP_OPT_DEREF, &never) ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand))
		return -1;
	if (settings->anchors && ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, settings->anchors))
		return -1;
	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sb) || !sb ||
	    fetch_ldap_io_attach(&link->io, sb))
		return -1;
	return ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 ? 0 : -1;
}

/*
 * TS 33.210, 6.2: TLS 1.2 or 1.3. Looked at when it stands, which the handshake's own integrity
 * allows: libldap over GnuTLS loses 8 KiB with each session that is told what to offer.
 */
static int version_check(struct fetch_ldap_link *link, struct base_error *err)
{
	char *version = NULL;
	int rc = 0;

	if (ldap_get_option(link->ld, LDAP_OPT_X_TLS_VERSION, &version) != LDAP_OPT_SUCCESS)
		version = NULL;
	if (!version || (strcmp(version, "TLS1.2") != 0 && strcmp(version, "TLS1.3") != 0))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                    "%s: it speaks %.20s, and not TLS 1.2 or 1.3", link->where,
		                    version ? version : "an unknown version");
	ldap_memfree(version);
	return rc;
}

static int tls_up(struct fetch_ldap_link *link, struct base_error *err)
{
	int client = 0; /* a new context, as a client: anchors count from here on */

	if (ldap_set_option(link->ld, LDAP_OPT_X_TLS_NEWCTX, &client))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s: the file of anchors cannot be used", link->where);
	if (ldap_install_tls(link->ld) != LDAP_SUCCESS)
		return fail_last(link, "TLS", err);
	return version_check(link, err);
}

static int start_tls(struct fetch_ldap_link *link, struct base_error *err)
{
	int id, code, rc;

	if (ldap_start_tls(link->ld, NULL, NULL, &id) != LDAP_SUCCESS)
		return fail_last(link, "StartTLS", err);
	rc = fetch_ldap_link_answer(link, id, "StartTLS", &code, err);
	return rc ? rc : tls_up(link, err);
}

static int bind_simple(struct fetch_ldap_link *link, const struct fetch_ldap_settings *settings,
                       struct base_error *err)
{
	struct berval password = { settings->password.len, (char *)settings->password.data };
	int id, code;

	if (ldap_sasl_bind(link->ld, settings->bind_dn, LDAP_SASL_SIMPLE, &password, NULL, NULL,
	                   &id) != LDAP_SUCCESS)
		return fail_last(link, "bind", err);
	return fetch_ldap_link_answer(link, id, "bind", &code, err);
}

static int settings_check(const struct fetch_ldap_link *link, const struct fetch_url *at,
                          const struct fetch_ldap_settings *settings, struct base_error *err)
{
	bool tls = at->scheme == FETCH_LDAPS || settings->start_tls;

	if (tls && !settings->anchors)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s: TLS needs a file of anchors that vouch for the "
		                      "directory, and none is configured",
		                      link->where);
	if (settings->bind_dn && !settings->password.len)
		/* the server would take it for anonymous (RFC 4513, 5.1.2) */
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s: a bind DN without a password", link->where);
	if (settings->bind_dn && !tls && !settings->unsafe_clear_bind)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s: the password would go in the clear: use ldaps or "
		                      "StartTLS",
		                      link->where);
	return 0;
}

int fetch_ldap_link_open(struct fetch_ldap_link *link, const struct fetch_url *at,
                         const struct fetch_ldap_settings *settings,
                         const struct fetch_ldap_bounds *bounds, struct base_error *err)
{
	int64_t connect_ms = fetch_ldap_clock_ms() + (int64_t)bounds->connect_ms;
	int rc;

	*link = (struct fetch_ldap_link){ .io = { .fd = -1, .left = bounds->max_octets } };
	link->io.deadline_ms = BASE_MIN(connect_ms, bounds->deadline_ms);
	(void)snprintf(link->where, sizeof(link->where), at->v6 ? "%s://[%s]:%u" : "%s://%s:%u",
	               fetch_scheme_name(at->scheme), at->host, at->port);
	rc = settings_check(link, at, settings, err);
	if (!rc)
		rc = fetch_ldap_io_connect(&link->io, at, err);
	if (rc)
		return rc;
	if (ldap_init_fd(link->io.fd, LDAP_PROTO_EXT, link->where, &link->ld) != LDAP_SUCCESS ||
	    options_set(link, settings, bounds->max_octets))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "%s: libldap has no memory",
		                      link->where);
	if (at->scheme == FETCH_LDAPS)
		rc = tls_up(link, err);
	else if (settings->start_tls)
		rc = start_tls(link, err);
	if (!rc && settings->bind_dn)
		rc = bind_simple(link, settings, err);
	link->io.deadline_ms = bounds->deadline_ms;
	return rc;
}

void fetch_ldap_link_close(struct fetch_ldap_link *link)
{
	if (link->ld)
		(void)ldap_unbind_ext_s(link->ld, NULL, NULL); /* a farewell nobody waits for */
	link->ld = NULL;
	fetch_ldap_io_done(&link->io);
}
