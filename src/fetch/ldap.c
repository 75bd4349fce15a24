/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap.h"

#include <errno.h>
#include <stdio.h>

#include "fetch/ldap_link.h"
#include "fetch/ldap_url.h"
#include "x509/x509.h"

/* Beside the values there are names, and TLS: what may come in all, and at least. */
#define OVERHEAD_OCTETS ((size_t)256 << 10)
#define REFERRALS_MAX   8

/* Of the entries below a repository, those that have something. */
#define REPOSITORY_FILTER                                                                          \
	"(|(cACertificate=*)(crossCertificatePair=*)(certificateRevocationList=*)"                 \
	"(authorityRevocationList=*)(deltaRevocationList=*))"

/* One search, by its own URL or by that of a referral; NULL-terminated lists. */
struct question {
	struct fetch_url at;
	struct fetch_ldap_settings settings;
	char dn[FETCH_URL_MAX + 1], filter[FETCH_URL_MAX + 1];
	int scope;
};

struct get {
	const struct fetch_ldap_order *order;
	struct fetch_blobs *ret;
	struct fetch_ldap_left_out left_out;
	int64_t deadline_ms;
	unsigned asked; /* attributes; what else a directory sends is not looked at */
	char names[FETCH_LDAP_ATTRIBUTES][64];
	char *attributes[FETCH_LDAP_ATTRIBUTES + 1];
	char referral[REFERRALS_MAX][FETCH_URL_MAX + 1]; /* followed and to be followed */
	size_t referral_count;
};

static void leave_out(struct get *g, const struct base_error *err)
{
	if (!g->left_out.count++)
		g->left_out.first = *err;
}

static void attributes_set(struct get *g, unsigned bits)
{
	size_t count = 0;

	g->asked = bits;
	for (unsigned bit = 1; bit <= FETCH_LDAP_CROSS; bit <<= 1) {
		if (!(bits & bit))
			continue;
		/* RFC 4523, 4: requested and transferred as ;binary */
		(void)snprintf(g->names[count], sizeof(g->names[count]), "%s;binary",
		               fetch_ldap_attribute_name((enum fetch_ldap_attribute)bit));
		g->attributes[count] = g->names[count];
		count++;
	}
}

static int question_set(struct get *g, struct question *q, struct base_error *err)
{
	static const int scopes[] = { LDAP_SCOPE_BASE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_SUBTREE };
	const struct fetch_ldap_order *order = g->order;
	unsigned fit = order->repository ? ~0U : (unsigned)FETCH_LDAP_CRLS;
	struct fetch_ldap_url url;
	int rc = fetch_ldap_url_parse(base_str_of(order->url), &url, err);

	if (rc)
		return rc;
	if (url.attributes & ~fit)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "the URL names attributes that hold no CRLs");
	if (!url.attributes)
		url.attributes = order->repository
		                         ? FETCH_LDAP_CRLS | FETCH_LDAP_CA | FETCH_LDAP_CROSS
		                         : FETCH_LDAP_CRL | FETCH_LDAP_DELTA;
	attributes_set(g, url.attributes);
	q->at = *order->at;
	q->settings = *order->settings;
	q->scope = order->repository && !url.has_scope ? LDAP_SCOPE_SUBTREE : scopes[url.scope];
	(void)snprintf(q->dn, sizeof(q->dn), "%s", url.dn);
	(void)snprintf(q->filter, sizeof(q->filter), "%s",
	               *url.filter         ? url.filter
	               : order->repository ? REPOSITORY_FILTER
	                                   : "(objectClass=*)");
	return 0;
}

/* ---- what comes ---- */

static int add(struct get *g, enum fetch_what what, const void *data, size_t len,
               struct base_error *err)
{
	int rc = fetch_blobs_add(g->ret, what, data, len);

	if (rc && base_err_class(rc) == BASE_PEER)
		return base_error_set(
		        err, rc, "more than %zu octets or %zu values came, which is not allowed",
		        g->order->max_octets, g->order->max_values);
	return rc;
}

static int add_cert(struct get *g, const X509 *cert, struct base_error *err)
{
	struct base_str der;
	int rc;

	if (!cert)
		return 0;
	if (x509_cert_der(cert, &der))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = add(g, FETCH_CROSS, der.ptr, der.len, err);
	x509_der_free(&der);
	return rc;
}

/* Which of the two the own Interconnection CA made is for the one who verifies. */
static int add_pair(struct get *g, const struct berval *value, struct base_error *err)
{
	struct x509_cross_pair pair = { 0 };
	struct base_error why = { 0 };
	int rc = x509_cross_pair_parse(value->bv_val, value->bv_len, &pair, &why);

	if (rc && base_err_class(rc) == BASE_PEER) {
		leave_out(g, &why); /* one broken value takes no other with it */
		return 0;
	}
	if (!rc)
		rc = add_cert(g, pair.to_this, err);
	if (!rc)
		rc = add_cert(g, pair.by_this, err);
	x509_cross_pair_done(&pair);
	return rc;
}

static int value_take(struct get *g, unsigned attribute, const struct berval *value,
                      struct base_error *err)
{
	if (attribute == FETCH_LDAP_CROSS)
		return add_pair(g, value, err);
	return add(g, attribute == FETCH_LDAP_CA ? FETCH_CA : FETCH_CRL, value->bv_val,
	           value->bv_len, err);
}

static int entry_take(struct get *g, struct fetch_ldap_link *link, LDAPMessage *entry,
                      struct base_error *err)
{
	BerElement *ber = NULL;
	struct berval name, *values = NULL;
	int rc = 0;

	if (ldap_get_dn_ber(link->ld, entry, &ber, &name) != LDAP_SUCCESS)
		return fetch_ldap_link_fail(link, LDAP_DECODING_ERROR, "an entry", NULL, err);
	/* the values are borrowed from the message, the list of them is not */
	while (!rc &&
	       ldap_get_attribute_ber(link->ld, entry, ber, &name, &values) == LDAP_SUCCESS &&
	       name.bv_val) {
		unsigned bit = g->asked & fetch_ldap_attribute_of(
		                                  (struct base_str){ name.bv_val, name.bv_len });

		for (size_t i = 0; !rc && bit && values && values[i].bv_val; i++)
			rc = value_take(g, bit, &values[i], err);
		ldap_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
	return rc;
}

/* ---- referrals ---- */

static int referral_check(const struct get *g, const struct question *q, const char *text,
                          struct base_error *err)
{
	struct fetch_url to;
	int rc = fetch_url_parse(base_str_of(text), &to, err);

	if (!rc && !g->order->allow)
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "referrals are not followed");
	if (!rc)
		rc = fetch_allow_redirect(g->order->allow, &q->at, &to, err);
	if (!rc && g->referral_count >= BASE_MIN(g->order->referrals, REFERRALS_MAX))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "too many referrals");
	return rc;
}

/* Remember the first of several ways that may be gone. @return 0, or BASE_PEER: none may */
static int referral_take(struct get *g, const struct question *q, char **urls,
                         struct base_error *err)
{
	int rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "a referral without a URL");

	for (size_t i = 0; urls && urls[i]; i++) {
		struct base_error why = { 0 };

		rc = referral_check(g, q, urls[i], &why);
		if (!rc) {
			(void)snprintf(g->referral[g->referral_count++], FETCH_URL_MAX + 1, "%s",
			               urls[i]);
			return 0;
		}
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                    "referred to %.200s, where we do not go: %.200s", urls[i],
		                    why.text);
	}
	return rc;
}

/* RFC 4511, 4.1.10 and 4.5.3: what the URL does not say stays; who we are is not told there. */
static int referral_question(const struct question *from, const char *text, bool one_level,
                             struct question *ret, struct base_error *err)
{
	static const int scopes[] = { LDAP_SCOPE_BASE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_SUBTREE };
	struct fetch_ldap_url url;
	int rc = fetch_ldap_url_parse(base_str_of(text), &url, err);

	*ret = *from;
	if (!rc)
		rc = fetch_url_parse(base_str_of(text), &ret->at, err);
	if (rc)
		return rc;
	ret->settings.bind_dn = NULL;
	ret->settings.password = (struct base_secret){ 0 };
	if (url.has_dn)
		(void)snprintf(ret->dn, sizeof(ret->dn), "%s", url.dn);
	if (url.has_scope)
		ret->scope = scopes[url.scope];
	else if (one_level)
		ret->scope =
		        LDAP_SCOPE_BASE; /* 4.5.3: below a search of one level it is one entry */
	if (*url.filter)
		(void)snprintf(ret->filter, sizeof(ret->filter), "%s", url.filter);
	return 0;
}

/* ---- the search ---- */

static int reference(struct get *g, const struct question *q, struct fetch_ldap_link *link,
                     LDAPMessage *message, struct base_error *err)
{
	struct base_error why = { 0 };
	char **urls = NULL;
	int rc;

	if (ldap_parse_reference(link->ld, message, &urls, NULL, 0) != LDAP_SUCCESS)
		return fetch_ldap_link_fail(link, LDAP_DECODING_ERROR, "a referral", NULL, err);
	rc = referral_take(g, q, urls, &why);
	ldap_memvfree((void **)urls);
	if (rc && base_err_class(rc) == BASE_PEER) {
		leave_out(g, &why);
		rc = 0;
	}
	return rc;
}

static int result(struct get *g, const struct question *q, struct fetch_ldap_link *link,
                  LDAPMessage *message, struct base_error *err)
{
	char *diagnostic = NULL, **urls = NULL;
	int code = LDAP_DECODING_ERROR, rc;

	rc = ldap_parse_result(link->ld, message, &code, NULL, &diagnostic, &urls, NULL, 0);
	if (rc != LDAP_SUCCESS || code != LDAP_REFERRAL)
		rc = rc || (code && code != LDAP_NO_SUCH_OBJECT)
		             ? fetch_ldap_link_fail(link, rc ? rc : code, "search", diagnostic, err)
		             : 0;
	else
		rc = referral_take(g, q, urls, err);
	ldap_memfree(diagnostic);
	ldap_memvfree((void **)urls);
	return rc;
}

static int messages_take(struct get *g, const struct question *q, struct fetch_ldap_link *link,
                         int id, struct base_error *err)
{
	LDAPMessage *message = NULL;
	int type = 0, rc = 0;

	while (!rc && type != LDAP_RES_SEARCH_RESULT) {
		type = fetch_ldap_link_next(link, id, &message, err);
		if (type < 0)
			return type;
		if (type == LDAP_RES_SEARCH_ENTRY)
			rc = entry_take(g, link, message, err);
		else if (type == LDAP_RES_SEARCH_REFERENCE)
			rc = reference(g, q, link, message, err);
		else if (type == LDAP_RES_SEARCH_RESULT)
			rc = result(g, q, link, message, err);
		(void)ldap_msgfree(message); /* returns its type */
		message = NULL;
	}
	return rc;
}

static int search(struct get *g, const struct question *q, struct base_error *err)
{
	const struct fetch_ldap_order *order = g->order;
	const struct fetch_ldap_bounds bounds = {
		.connect_ms = order->connect_ms,
		.deadline_ms = g->deadline_ms,
		.max_octets = order->max_octets + order->max_octets / 8 + OVERHEAD_OCTETS,
	};
	struct fetch_ldap_link link;
	int id, rc = fetch_ldap_link_open(&link, &q->at, &q->settings, &bounds, err);

	if (!rc) {
		rc = ldap_search_ext(link.ld, q->dn, q->scope, q->filter, g->attributes, 0, NULL,
		                     NULL, NULL, (int)BASE_MIN(order->max_values, INT32_MAX), &id);
		rc = rc == LDAP_SUCCESS ? messages_take(g, q, &link, id, err)
		                        : fetch_ldap_link_fail(&link, rc, "search", NULL, err);
	}
	fetch_ldap_link_close(&link);
	return rc;
}

int fetch_ldap_get(const struct fetch_ldap_order *order, struct fetch_blobs *ret,
                   struct base_error *err)
{
	struct get g = { .order = order, .ret = ret };
	struct question first = { .dn = "" }, next;
	int rc;

	g.deadline_ms = fetch_ldap_clock_ms() + (int64_t)order->total_ms;
	ret->max_octets = order->max_octets;
	ret->max_count = order->max_values;
	rc = question_set(&g, &first, err);
	if (!rc)
		rc = search(&g, &first, err);
	for (size_t i = 0; !rc && i < g.referral_count; i++) {
		rc = referral_question(&first, g.referral[i], first.scope == LDAP_SCOPE_ONELEVEL,
		                       &next, err);
		if (!rc)
			rc = search(&g, &next, err);
	}
	if (!rc && order->left_out)
		*order->left_out = g.left_out;
	return rc;
}
