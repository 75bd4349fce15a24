/* SPDX-License-Identifier: Apache-2.0 */
/** @file Whose sessions a domain resumes, with what keys, and whether they outlive a reload. */
#include "tls/engine.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

static int no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory for a TLS domain");
}

/** Whose sessions may be resumed here: a digest of all that a full handshake would have checked. */
static int domain_scope(struct tls_domain *domain)
{
	struct base_writer w = { 0 };
	unsigned len = sizeof(domain->scope);
	int ok;

	base_writer_printf(&w, "%s|%s|%u|%u|%u|%u|%u", domain->name,
	                   domain->settings->profile->name, domain->server_methods,
	                   domain->client_methods, domain->continue_on, domain->client_auth,
	                   domain->versions);
	for (size_t i = 0; i < domain->suite_count; i++)
		base_writer_u16(&w, domain->suites[i]);
	ok = !w.failed && EVP_Digest(w.data, w.len, domain->scope, &len, EVP_sha256(), NULL) == 1;
	base_writer_done(&w);
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

/** One line of the basis; secrets go in as their hash. */
static void basis_octets(struct base_writer *w, const void *data, size_t len)
{
	uint8_t hash[32];
	unsigned got = sizeof(hash);

	w->failed |= EVP_Digest(data, len, hash, &got, EVP_sha256(), NULL) != 1;
	base_writer_put(w, hash, sizeof(hash));
}

static int basis_digest(const struct base_writer *w, uint8_t ret[32])
{
	unsigned len = 32;

	return !w->failed && EVP_Digest(w->data, w->len, ret, &len, EVP_sha256(), NULL) == 1
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

/**
 * Peers resume with what this domain's predecessor gave them only where all this is as it was. CRLs
 * are not in it: they come and go, and whoever resumes is judged by those of now.
 */
static int domain_basis(struct tls_domain *domain, const struct tls_domain_spec *spec)
{
	const struct x509_identity *identity = spec->identity;
	struct base_writer w = { 0 };
	uint8_t trust[32] = { 0 };
	int rc;

	profile_settings_print(domain->settings, &w);
	base_writer_printf(&w, "|%s|%u|%u|%u|%d|%d|%u|%d|", domain->name, domain->server_methods,
	                   domain->client_methods, domain->continue_on, domain->client_auth,
	                   domain->tickets, domain->lifetime_s, spec->null_encryption);
	w.failed |= trust_store_basis(spec->trust, trust) != 0;
	base_writer_put(&w, trust, sizeof(trust));
	for (size_t i = 0; i < spec->psk_count; i++) {
		basis_octets(&w, spec->psks[i].identity.ptr, spec->psks[i].identity.len);
		basis_octets(&w, spec->psks[i].key.data, spec->psks[i].key.len);
	}
	basis_octets(&w, spec->psk_hint ? spec->psk_hint : "",
	             spec->psk_hint ? strlen(spec->psk_hint) : 0);
	rc = basis_digest(&w, domain->common);
	base_writer_printf(&w, "|%u|%d|", (unsigned)domain->ops->engine, domain->on_revocation);
	base_writer_put(&w, domain->scope, sizeof(domain->scope));
	for (size_t i = 0; identity && i < identity->der_count; i++)
		basis_octets(&w, identity->der[i].ptr, identity->der[i].len);
	rc = rc ? rc : basis_digest(&w, domain->basis);
	base_wipe(w.data, w.len);
	base_writer_done(&w);
	return rc;
}

/** Session ids are of versions up to TLS 1.2 (RFC 8446, 4.1.2). */
bool tls_domain_ids(const struct tls_domain *domain)
{
	return domain->settings->resumption.value && domain->settings->session_ids.value &&
	       domain->ops->caps->features & PROFILE_FEATURE_SESSION_IDS &&
	       domain->versions & ~(unsigned)PROFILE_TLS_1_3;
}

/** Those of its predecessor, or new ones. */
static int resumption_of(struct tls_domain *domain, const struct tls_domain *before,
                         struct base_error *err)
{
	if (before && memcmp(before->basis, domain->basis, sizeof(domain->basis)) == 0) {
		domain->ring = before->ring ? tls_ticket_ring_ref(before->ring) : NULL;
		domain->ids = before->ids ? tls_ids_ref(before->ids) : NULL;
		return 0;
	}
	if (domain->tickets &&
	    tls_ticket_ring_new(&domain->ring, domain->lifetime_s, domain->whole != NULL))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no keys for session tickets");
	if (tls_domain_ids(domain) && tls_ids_new(&domain->ids, domain->lifetime_s))
		return no_memory(err);
	return 0;
}

int tls_domain_resumption(struct tls_domain *domain, const struct tls_domain_spec *spec,
                          struct base_error *err)
{
	const struct profile_settings *settings = domain->settings;

	domain->renegotiate[TLS_ROLE_SERVER] =
	        settings->renegotiation_client == PROFILE_RENEGOTIATION_SECURE &&
	        domain->ops->caps->features & PROFILE_FEATURE_RENEGOTIATION_CLIENT;
	domain->renegotiate[TLS_ROLE_CLIENT] = settings->renegotiation_answer.value;
	domain->begin[TLS_ROLE_SERVER] =
	        settings->renegotiation_server.value && settings->renegotiation_info.value;
	domain->begin[TLS_ROLE_CLIENT] =
	        settings->renegotiation_client == PROFILE_RENEGOTIATION_SECURE;
	domain->tickets = settings->resumption.value && settings->tickets.value;
	domain->lifetime_s = settings->lifetime_s.value ? settings->lifetime_s.value : 3600;
	if (settings->lifetime_max_s.value)
		domain->lifetime_s = BASE_MIN(domain->lifetime_s, settings->lifetime_max_s.value);
	if (domain_scope(domain) || domain_basis(domain, spec))
		return no_memory(err);
	return resumption_of(domain, spec->before, err);
}

int tls_domain_datagram_resumption(struct tls_domain *part, const struct tls_domain *before)
{
	part->ring = NULL;
	part->ids = NULL;
	return resumption_of(part, before ? before->datagram : NULL, NULL);
}

void tls_domain_resumption_done(struct tls_domain *domain)
{
	tls_ticket_ring_unref(domain->ring);
	tls_ids_unref(domain->ids);
}

static uint64_t turn(struct tls_domain *domain, uint64_t now_ms)
{
	if (domain->ids)
		tls_ids_age(domain->ids, now_ms);
	if (domain->ring)
		return tls_ticket_ring_turn(domain->ring, now_ms);
	return domain->ids ? (uint64_t)domain->lifetime_s * 250 : 0;
}

uint64_t tls_domain_tickets_turn(struct tls_domain *domain, uint64_t now_ms)
{
	uint64_t next = turn(domain, now_ms), other;

	other = domain->datagram ? turn(domain->datagram, now_ms) : 0;
	return next && other ? BASE_MIN(next, other) : BASE_MAX(next, other);
}

int tls_domain_tickets_put(struct tls_domain *domain, const uint8_t *secret, int64_t from_ms,
                           uint64_t now_ms)
{
	struct tls_ticket_ring *datagram = domain->datagram ? domain->datagram->ring : NULL;
	int rc = domain->ring ? tls_ticket_ring_put(domain->ring, secret, from_ms, now_ms) : 0;

	if (rc == 0 && datagram)
		rc = tls_ticket_ring_put(datagram, secret, from_ms, now_ms);
	return rc;
}

void tls_domain_tickets_scope(const struct tls_domain *domain, uint8_t ret[32])
{
	memcpy(ret, domain->common, 32);
}

uint32_t tls_domain_tickets_life_s(const struct tls_domain *domain)
{
	return domain->ring ? domain->lifetime_s : 0;
}
