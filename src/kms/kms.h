/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A Key Management Service (RFC 6043, 3.2): it answers Ticket Requests and Ticket Resolves. Octets
 * and time go in, octets come out; who carries them (HTTP, TS 33.328) is its owner's business.
 * Who asks is proved before anything of him is believed, and whom nobody knows gets the same
 * answer, after the same work, as who has the wrong key.
 */
#ifndef GH_KMS_KMS_H
#define GH_KMS_KMS_H

#include "kms/store.h"

/**
 * Who may have a ticket for whom. Names are as in MIKEY (URIs and NAIs); one `*` in each stands for
 * any octets. The first rule whose `from` and `to` fit decides; without one nothing is granted.
 */
struct kms_rule {
	const char *from, *to;
	bool deny;
	uint32_t lifetime_s; /**< of the ticket at most; 0 = the KMS's */
};

/** A name for several: tickets for the group are resolved for its members, each with forked keys.
 */
struct kms_group {
	const char *name;
	const char *const *members; /**< patterns, as above */
	size_t count;
};

struct kms_config {
	const char *identity;    /**< IDRkms, a URI */
	uint32_t lifetime_s;     /**< of a ticket that asks for none; 0 = 1 h */
	uint32_t lifetime_max_s; /**< 0 = 24 h */
	uint32_t turn_s;         /**< a new TPK after so long; 0 = 7 days */
	uint32_t skew_s;         /**< how far clocks may differ; 0 = 300 s */
	struct mikey_suite
	        suite; /**< of what the KMS writes; PRF 0 with all 0 = the project's defaults (P) */
	const struct kms_rule *rules;
	size_t rule_count;
	const struct kms_group *groups;
	size_t group_count;
	struct evp_pkey_st *key;  /**< for requests by public key; NULL = none are taken */
	struct mikey_octets cert; /**< DER of it */
};

struct kms;

/** What came of a question, for the log and the counters. */
enum kms_result {
	KMS_GRANTED,
	KMS_RESOLVED,
	KMS_REFUSED,  /**< proved, but not allowed */
	KMS_UNPROVED, /**< nobody knows whose it was */
	KMS_MALFORMED,
	KMS_FAILED, /**< our own fault */
};
struct kms_outcome {
	enum kms_result result;
	unsigned error_no; /**< that was answered, where `result` is no success */
	char asker[256];   /**< proved; empty when not. Printable */
	char about[256]; /**< the responder asked for, or the initiator of the ticket; printable */
	char text[256];  /**< why not; printable */
};

/** What the carrier says it is (the request type of TS 33.328; R). */
enum kms_kind { KMS_ANY, KMS_REQUEST, KMS_RESOLVE };

/**
 * The configuration is borrowed, and so is the store, which nobody else may use meanwhile.
 * @return 0; BASE_CONFIG when an identity or rule is none; BASE_LOCAL
 */
int kms_new(struct kms **ret, const struct kms_config *config, struct kms_store *store,
            struct base_error *err);
/** NULL is fine. */
void kms_free(struct kms *kms);

/**
 * Answer one message.
 *
 * @param unix_s, ns  the time
 * @param out         the answer: REQUEST_RESP, RESOLVE_RESP or an Error message
 * @return 0 when there is an answer; BASE_PEER when there is none (no MIKEY at all, or an Error);
 *         BASE_LOCAL
 */
int kms_answer(struct kms *kms, uint64_t unix_s, uint32_t ns, enum kms_kind kind,
               struct mikey_octets question, struct base_writer *out, struct kms_outcome *ret);

/** Does this name fit that pattern? Pure. */
bool kms_name_fits(const char *pattern, struct mikey_octets name);

#endif
