/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: the certificates of a domain that has several. */
#ifndef GH_TLS_CHOOSE_H
#define GH_TLS_CHOOSE_H

#include "tls/hello.h"
#include "tls/tls.h"

struct tls_session;

/** An authority above a certificate, as trusted_ca_keys may tell it (RFC 6066, 6). */
struct tls_above {
	struct base_str name; /**< DER of its subject */
	bool known;           /**< the hashes are there */
	uint8_t key[20], certificate[20];
};

struct tls_certificate {
	struct x509_identity *identity;
	struct tls_above *above;
	size_t above_count;
};

/** What may be shown, the most wanted first: indices into the domain's certificates. */
struct tls_choice {
	uint8_t index[TLS_CERTIFICATES_MAX];
	unsigned count;             /**< at least 1 */
	bool by_name, by_authority; /**< what the client said was of use */
};

/** SHA-1 of its key as RFC 6066, 6 has it. */
bool tls_authority_key_hash(const X509 *authority, uint8_t ret[20]);
/** What its clients tell of its anchors: `domain->told`, `told_names`. */
int tls_authorities_make(struct tls_domain *domain, const struct tls_domain_spec *spec,
                         struct base_error *err);
/** Fill `domain->certificates`, where there is anything to choose. */
int tls_certificates_make(struct tls_domain *domain, const struct tls_domain_spec *spec,
                          struct base_error *err);
void tls_certificates_free(struct tls_domain *domain);
/**
 * @return false = the client asks for a name that is none of ours, and the domain refuses that:
 * unrecognized_name (RFC 6066, 3)
 */
bool tls_certificates_choose(const struct tls_session *session, const struct tls_hello_view *hello,
                             struct tls_choice *ret);

#endif
