/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a chain of the comparison is made of, and what may be wrong with it. */
#ifndef GH_TESTS_TRUST_COMPARE_PLAN_H
#define GH_TESTS_TRUST_COMPARE_PLAN_H

#include <openssl/x509v3.h>

#include "pki.h"

#define LONG (30 * PKI_DAY)
#define MORE 3

struct ext {
	int nid;
	const char *value;
};

struct part {
	struct pki_spec spec;
	struct ext more[MORE];
	size_t more_count;
	bool forged; /* signed by another key of the issuer's name */
};

enum root_state {
	ROOT_GOOD,
	ROOT_UNKNOWN,
	NO_CRL,
	OLD_CRL,
	EARLY_CRL,
	FORGED_CRL,
	USERS_CRL,
	ROOTS
};

struct plan {
	struct part sub, leaf;
	enum root_state root;
	bool sub_unsent, sub_revoked, leaf_revoked;
	bool crl_none, crl_forged, crl_cas, crl_strange;
	long crl_from_s, crl_to_s;
};

/** One more extension; nid 0 = one that nobody knows. */
void more(struct part *part, int nid, const char *value);

/** Name, and what it changes in the plan `p`. */
#define DEFECTS(X)                                                                                 \
	X(none, (void)p)                                                                           \
	X(leaf_expired, (p->leaf.spec.from_s = -LONG, p->leaf.spec.to_s = -60))                    \
	X(leaf_early, (p->leaf.spec.from_s = PKI_DAY, p->leaf.spec.to_s = LONG))                   \
	X(sub_expired, (p->sub.spec.from_s = -LONG, p->sub.spec.to_s = -60))                       \
	X(sub_early, (p->sub.spec.from_s = PKI_DAY, p->sub.spec.to_s = LONG))                      \
	X(leaf_forged, p->leaf.forged = true)                                                      \
	X(sub_forged, p->sub.forged = true)                                                        \
	X(sub_unsent, p->sub_unsent = true)                                                        \
	X(root_unknown, p->root = ROOT_UNKNOWN)                                                    \
	X(sub_no_ca, (p->sub.spec.ca = false, p->sub.spec.eku = "",                                \
	              p->sub.spec.usage = "critical,keyCertSign,cRLSign"))                         \
	X(sub_no_certsign, p->sub.spec.usage = "critical,cRLSign")                                 \
	X(sub_no_crlsign, p->sub.spec.usage = "critical,keyCertSign")                              \
	X(sub_no_usage, p->sub.spec.usage = "")                                                    \
	X(leaf_usage_agreement, p->leaf.spec.usage = "critical,keyAgreement")                      \
	X(leaf_usage_certsign, p->leaf.spec.usage = "critical,keyCertSign")                        \
	X(leaf_no_usage, p->leaf.spec.usage = "")                                                  \
	X(leaf_eku_server, p->leaf.spec.eku = "serverAuth")                                        \
	X(leaf_eku_client, p->leaf.spec.eku = "clientAuth")                                        \
	X(leaf_eku_code, p->leaf.spec.eku = "codeSigning")                                         \
	X(leaf_eku_any, p->leaf.spec.eku = "anyExtendedKeyUsage")                                  \
	X(leaf_no_eku, p->leaf.spec.eku = "")                                                      \
	X(sub_eku_server, p->sub.spec.eku = "serverAuth")                                          \
	X(sub_eku_client, p->sub.spec.eku = "clientAuth")                                          \
	X(sub_eku_code, p->sub.spec.eku = "codeSigning")                                           \
	X(sub_path_len_0, p->sub.spec.path_len = 1)                                                \
	X(leaf_is_ca, (p->leaf.spec.ca = true, p->leaf.spec.usage = "critical,digitalSignature"))  \
	X(leaf_critical, more(&p->leaf, 0, "critical"))                                            \
	X(sub_critical, more(&p->sub, 0, "critical"))                                              \
	X(leaf_unknown_ext, more(&p->leaf, 0, ""))                                                 \
	X(names_permitted_other,                                                                   \
	  more(&p->sub, NID_name_constraints, "critical,permitted;DNS:other.example"))             \
	X(names_excluded, more(&p->sub, NID_name_constraints, "critical,excluded;DNS:mg.example")) \
	X(names_permitted,                                                                         \
	  more(&p->sub, NID_name_constraints, "critical,permitted;DNS:mg.example"))                \
	X(leaf_sha1, p->leaf.spec.md = "SHA1")                                                     \
	X(sub_sha1, p->sub.spec.md = "SHA1")                                                       \
	X(sub_rsa_1024, p->sub.spec.rsa_bits = 1024)                                               \
	X(leaf_rsa_1024, p->leaf.spec.rsa_bits = 1024)                                             \
	X(leaf_revoked, p->leaf_revoked = true)                                                    \
	X(sub_revoked, p->sub_revoked = true)                                                      \
	X(crl_none, p->crl_none = true)                                                            \
	X(crl_old, (p->crl_from_s = -LONG, p->crl_to_s = -60))                                     \
	X(crl_early, (p->crl_from_s = PKI_DAY, p->crl_to_s = LONG))                                \
	X(crl_forged, p->crl_forged = true)                                                        \
	X(crl_cas, p->crl_cas = true)                                                              \
	X(crl_strange, p->crl_strange = true)                                                      \
	X(root_no_crl, p->root = NO_CRL)                                                           \
	X(root_old_crl, p->root = OLD_CRL)                                                         \
	X(root_early_crl, p->root = EARLY_CRL)                                                     \
	X(root_forged_crl, p->root = FORGED_CRL)                                                   \
	X(root_users_crl, p->root = USERS_CRL)                                                     \
	X(policy_required,                                                                         \
	  more(&p->sub, NID_policy_constraints, "critical,requireExplicitPolicy:0"))               \
	X(policy_any, more(&p->leaf, NID_certificate_policies, "1.2.3.4"))

#define ENUM(name, change) D_##name,
enum defect { DEFECTS(ENUM) DEFECT_COUNT };
#undef ENUM

extern const char *const defect_names[DEFECT_COUNT];
extern void (*const defects[DEFECT_COUNT])(struct plan *p);

#endif
