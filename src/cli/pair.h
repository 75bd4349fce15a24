/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Two gateways' TLS domains side by side, out of their configurations, without their keys: what
 * `gatehouse pki would-connect` asks. The gateway reads its own file (src/mg); here only what a
 * handshake depends on is read, and a key that is not known is told, not passed over.
 */
#ifndef GH_CLI_PAIR_H
#define GH_CLI_PAIR_H

#include "profile/profile.h"
#include "trust/trust.h"

#define PAIR_UNKNOWN_MAX 8

enum pair_auth { PAIR_AUTH_NONE, PAIR_AUTH_REQUEST, PAIR_AUTH_REQUIRE };

/** One end. All zero before pair_end_load(). */
struct pair_end {
	const char *file, *domain;
	struct profile_settings *settings;
	STACK_OF(X509) * chain;
	struct base_str *der; /**< of the chain; der_count 0: no certificate */
	size_t der_count;
	struct x509_facts facts; /**< of the own certificate */
	struct trust_store *trust;
	unsigned server_methods, client_methods, continue_on;
	enum pair_auth client_auth; /**< as server */
	bool sha1, psks, fetches;
	/** Keys of the domain that are not known here: nothing is promised then. */
	const char *unknown[PAIR_UNKNOWN_MAX];
	size_t unknown_count;
	struct profile_store *profiles;
	struct base_arena arena;
};

/**
 * Read a configuration of gatehouse-mg, and what the domain names but for its key.
 * @param domain  NULL = the default one, or the only one
 * @return 0; BASE_CONFIG with words; BASE_LOCAL
 */
int pair_end_load(struct pair_end *end, const char *file, const char *domain,
                  struct base_error *err);
void pair_end_done(struct pair_end *end);

/** What two ends have in common, by the server's order. */
struct pair_common {
	const char *version, *suite, *group,
	        *signature; /**< NULL: none was found, or none is needed */
	const char *lacks;  /**< what is not in common; NULL = all is */
};
/** @param client_shows  the client has to sign too */
struct pair_common pair_common_find(const struct pair_end *client, const struct pair_end *server,
                                    bool client_shows);

#endif
