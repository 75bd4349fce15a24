/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which way leads from a peer of another operator to an own anchor (TS 33.310, 5.2.2.2, I1 to I8).
 *
 * 1. A way is chosen by what the configuration holds and by the peer's own certificate; nothing
 *    else the peer sends takes part.
 * 2. A way vouches for a role: a cross-certificate of a TLS client CA never for a server.
 * 3. libcrypto walks the way that was chosen, exactly, or the peer is refused.
 */
#include <openssl/x509v3.h>

#include "trust/internal.h"

#define WAY_DEPTH_MAX 8

/* Who of `among` signed `cert`? Key and name, so that two CAs of one name are kept apart. */
static X509 *issuer_find(STACK_OF(X509) * among, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(among); i++) {
		X509 *ca = sk_X509_value(among, i);
		EVP_PKEY *key = X509_get0_pubkey(ca);

		if (ca != cert && key && X509_check_issued(ca, cert) == X509_V_OK &&
		    X509_verify(cert, key) == 1)
			return ca;
	}
	return NULL;
}

/* From the cross-certificate up to an own root (I7: "if it is top level, trusted implicitly"). */
static int above_find(const struct trust_store *store, STACK_OF(X509) * interconnection,
                      struct trust_way *way)
{
	X509 *at = issuer_find(interconnection, way->issuer);

	if (!at) {
		way->flaw = "was not issued by the own Interconnection CA";
		return 0;
	}
	for (int depth = 0; X509_self_signed(at, 0) != 1; depth++) {
		X509 *next = issuer_find(store->anchors, at);

		if (!next || depth == WAY_DEPTH_MAX) {
			way->flaw = "comes from an Interconnection CA that leads to no anchor";
			return 0;
		}
		if (!sk_X509_push(way->between, at))
			return BASE_ERR(BASE_LOCAL, 0);
		at = next;
	}
	way->anchor = at;
	return 0;
}

static int way_add(struct trust_store *store, const struct trust_lists *lists, X509 *cert,
                   unsigned roles, bool cross)
{
	struct trust_way *way = &store->ways[store->way_count];

	*way = (struct trust_way){ .issuer = cert, .roles = roles, .cross = cross };
	way->between = sk_X509_new_null();
	if (!way->between)
		return BASE_ERR(BASE_LOCAL, 0);
	store->way_count++;
	if (!cross) {
		way->anchor = cert;
		return 0;
	}
	if (!sk_X509_push(way->between, cert))
		return BASE_ERR(BASE_LOCAL, 0);
	if (!roles) {
		way->flaw = "says no role: it has no extendedKeyUsage";
		return 0;
	}
	return above_find(store, lists->interconnection, way);
}

static int ways_add(struct trust_store *store, const struct trust_lists *lists,
                    STACK_OF(X509) * certs, unsigned roles, bool cross)
{
	int rc = 0;

	for (int i = 0; !rc && i < sk_X509_num(certs); i++)
		rc = way_add(store, lists, sk_X509_value(certs, i), roles, cross);
	return rc;
}

/* (P) the role of a cross-certificate that came without one */
static unsigned roles_told(X509 *cert)
{
	uint32_t eku;

	if (X509_get_ext_by_NID(cert, NID_ext_key_usage, -1) < 0)
		return 0;
	eku = X509_get_extended_key_usage(cert);
	return (eku & XKU_SSL_CLIENT ? TRUST_ROLE_CLIENT : 0) |
	       (eku & XKU_SSL_SERVER ? TRUST_ROLE_SERVER : 0);
}

int trust_ways_make(struct trust_store *store, const struct trust_lists *lists)
{
	int all = sk_X509_num(store->own), rc;

	if (all <= 0)
		return 0;
	store->ways = calloc((size_t)all, sizeof(*store->ways));
	if (!store->ways)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = ways_add(store, lists, lists->client_cas, TRUST_ROLE_CLIENT, false);
	if (!rc)
		rc = ways_add(store, lists, lists->server_cas, TRUST_ROLE_SERVER, false);
	if (!rc)
		rc = ways_add(store, lists, lists->cross_clients, TRUST_ROLE_CLIENT, true);
	if (!rc)
		rc = ways_add(store, lists, lists->cross_servers, TRUST_ROLE_SERVER, true);
	for (int i = 0; !rc && i < sk_X509_num(lists->cross); i++) {
		X509 *cert = sk_X509_value(lists->cross, i);

		rc = way_add(store, lists, cert, roles_told(cert), true);
	}
	for (size_t i = 0; !rc && i < store->way_count; i++)
		if (!store->ways[i].flaw && (store->ways[i].roles & TRUST_ROLE_CLIENT) &&
		    !sk_X509_push(store->hints, store->ways[i].issuer))
			rc = BASE_ERR(BASE_LOCAL, 0);
	return rc;
}

bool trust_store_vouches(const struct trust_store *store)
{
	return !store->interconnect || store->way_count > 0;
}

void trust_ways_free(struct trust_store *store)
{
	for (size_t i = 0; i < store->way_count; i++)
		sk_X509_free(store->ways[i].between);
	free(store->ways);
}

static bool withdrawn(const struct trust_finding *finding)
{
	return finding->failures && finding->reason == TRUST_REVOKED && finding->depth > 0;
}

/* A cross-certificate that was revoked says less than the one that took its place. */
static bool way_better(const struct trust_finding *a, const struct trust_finding *b,
                       unsigned continue_on)
{
	if (a->failures && b->failures && withdrawn(a) != withdrawn(b) &&
	    trust_finding_tolerated(a, continue_on) == trust_finding_tolerated(b, continue_on))
		return withdrawn(b);
	return trust_finding_better(a, b, continue_on);
}

/* Walk one way; keep what it found where it is better than what there was. */
static int way_walk(const struct trust_store *store, const struct trust_question *question,
                    X509 *cert, const struct trust_way *way, struct trust_finding *best, bool first)
{
	struct trust_finding finding = {
		.teller = best->teller, .about = way->issuer, .keep = best->keep, .seek = best->seek
	};
	struct trust_path path = { .between = way->between, .exact = true };
	char name[112];
	int rc = BASE_ERR(BASE_LOCAL, 0);

	trust_finding_good(
	        &finding, TRUST_LOOK_PATH, 1, "by the %s of %s (TS 33.310, 5.2.2.2)",
	        way->cross ? "cross-certificate" : "own TLS CA",
	        x509_name_format(X509_get_subject_name(way->issuer), name, sizeof(name)));
	path.anchors = sk_X509_new_null();
	if (path.anchors && sk_X509_push(path.anchors, way->anchor))
		rc = trust_path_walk(store, question, cert, &path, &finding);
	sk_X509_free(path.anchors);
	if (!rc && (first || way_better(&finding, best, question->continue_on))) {
		trust_finding_done(best);
		*best = finding;
	} else {
		trust_finding_done(&finding);
	}
	return rc;
}

/* No way could be walked: say what came nearest. */
static void none_tell(const struct trust_way *near, unsigned role, X509 *cert,
                      struct trust_finding *finding)
{
	char name[112];

	finding->about = cert;
	(void)x509_name_format(X509_get_issuer_name(cert), name, sizeof(name));
	if (!near)
		trust_finding_add(finding, TRUST_UNKNOWN_CA, 0, 0,
		                  "neither an own TLS CA nor a cross-certificate vouches for %s "
		                  "(TS 33.310, 5.2.2.2)",
		                  name);
	else if (near->flaw)
		trust_finding_add(finding, TRUST_UNKNOWN_CA, 0, 1,
		                  "the cross-certificate of %s %s (TS 33.310, 5.2.2.2)", name,
		                  near->flaw);
	else
		trust_finding_add(finding, TRUST_WRONG_PURPOSE, 0, 1,
		                  "%s is known for TLS %s only, and the peer is a %s "
		                  "(TS 33.310, 5.2.2.2)",
		                  name, role == TRUST_ROLE_SERVER ? "clients" : "servers",
		                  role == TRUST_ROLE_SERVER ? "server" : "client");
}

int trust_interconnect_check(const struct trust_store *store, const struct trust_question *question,
                             X509 *cert, struct trust_finding *finding)
{
	unsigned role = question->peer_is_server ? TRUST_ROLE_SERVER : TRUST_ROLE_CLIENT;
	const struct trust_way *near = NULL;
	bool walked = false;

	for (size_t i = 0; i < store->way_count && (!walked || finding->failures); i++) {
		const struct trust_way *way = &store->ways[i];
		int rc;

		if (X509_check_issued(way->issuer, cert) == X509_V_ERR_SUBJECT_ISSUER_MISMATCH ||
		    X509_check_issued(way->issuer, cert) == X509_V_ERR_AKID_SKID_MISMATCH)
			continue;
		if (way->flaw || !(way->roles & role)) {
			/* a flaw of the right role is nearer than a wrong role */
			if (!near || (way->roles & role))
				near = way;
			continue;
		}
		rc = way_walk(store, question, cert, way, finding, !walked);
		if (rc)
			return rc;
		walked = true;
	}
	if (!walked)
		none_tell(near, role, cert, finding);
	return 0;
}
