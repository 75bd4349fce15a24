/* SPDX-License-Identifier: Apache-2.0 */
/** @file A KMS with three users, and what they ask it. */
#ifndef GH_TESTS_KMS_STAGE_H
#define GH_TESTS_KMS_STAGE_H

#include "check.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "folder.h"
#include "kms/kms.h"

#define NOW 1800000000U /* unix time */

static const struct kms_rule rules[] = {
	{ .from = "sip:*@example.com", .to = "sip:enemy@example.com", .deny = true },
	{ .from = "sip:*@example.com", .to = "sip:*@example.com" },
	{ .from = "sip:alice@example.com", .to = "sip:*@partner.example", .lifetime_s = 60 },
};

static const char *const members[] = { "sip:bob@example.com", "sip:carol*" };

static const struct kms_group groups[] = {
	{ .name = "sip:room@example.com", .members = members, .count = 2 },
};

static const struct kms_config config = { .identity = "sip:kms.example.com",
	                                  .rules = rules,
	                                  .rule_count = BASE_COUNT(rules),
	                                  .groups = groups,
	                                  .group_count = BASE_COUNT(groups) };

static const struct mikey_suite suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
	                                  MIKEY_HMAC_SHA_256_256 };

static const uint8_t master[KMS_MASTER_KEY] = "master";

struct stage {
	struct folder folder;
	struct kms_store *store;
	struct kms *kms;
	uint64_t now_s;
	struct mikey_cred cred;
	struct mikey_id kms_id;
	struct base_arena arena;
	struct base_error err;
	struct kms_outcome outcome;
	struct base_writer answer;
};

struct mikey_id stage_uri(const char *text);

void stage_open(struct stage *s);

void stage_close(struct stage *s);

struct mikey_env stage_env(const struct stage *s);

struct mikey_ask stage_ask(struct stage *s, const char *who, const char *key);

struct mikey_policy stage_policy(const char *responder);

int stage_answered(struct stage *s, enum kms_kind kind, struct mikey_octets question);

struct mikey_octets stage_octets(const struct base_writer *w);

/* Ask, and take the answer: what the user has then. */
int stage_request(struct stage *s, const char *who, const char *key,
                  const struct mikey_policy *policy, struct mikey_grant *ret);

int stage_resolve(struct stage *s, const char *who, const struct mikey_payload *ticket,
                  struct mikey_resolved *ret);

#endif
