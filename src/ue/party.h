/* SPDX-License-Identifier: Apache-2.0 */
/** @file Who we are to MIKEY, and questions to the KMS; private to this folder. */
#ifndef GH_UE_PARTY_H
#define GH_UE_PARTY_H

#include "http/http.h"
#include "offer/offer.h"
#include "ue/config.h"

struct ue_party {
	struct offer_party offer; /**< borrows from the rest */
	char id[OFFER_NAME_MAX];
	struct base_secret key, tpk;
	struct offer_alias *aliases;
	struct http_client *http;
	const char *url;
};

/** All zero before. `domain`, `streams`: of HTTPS; NULL = plain. @return 0, BASE_CONFIG, BASE_LOCAL
 */
int ue_party_init(struct ue_party *party, struct ue_config *config, struct loop *loop,
                  struct tls_domain *domain, struct streams *streams, struct base_error *err);
/** All zero is fine. */
void ue_party_done(struct ue_party *party);
/** Ask the KMS (TS 33.328; P). @return as http_post_start */
int ue_party_ask(const struct ue_party *party, const struct offer_question *question,
                 http_done_fn *fn, void *arg, struct http_call **ret, struct base_error *err);
/** The time, as MIKEY has it. */
uint64_t ue_party_now(void);

#endif
