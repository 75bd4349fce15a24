/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a profile compiles to: settings that any TLS engine can be given, each with the rule that
 * decided it; and what an engine lacks of them.
 */
#ifndef GH_PROFILE_SETTINGS_H
#define GH_PROFILE_SETTINGS_H

#include "base/base.h"
#include "profile/registry.h"
#include "profile/rule.h"

struct profile;

/** A settled code point, in the profile's order of precedence within its list. */
struct profile_setting {
	uint16_t code;
	enum profile_strength strength; /**< of the deciding rule */
	bool on;   /**< offered and accepted; off = permitted, not by default */
	bool dtls; /**< also with DTLS (suites only) */
	const struct profile_rule *rule; /**< who decided; never NULL */
};

/** Settings in one array. Items that are `on` come first, in order of precedence. */
struct profile_list {
	const struct profile_setting *item;
	size_t count; /**< all */
	size_t on;    /**< the first so many are on */
};

/** What is done with a renegotiation (TLS up to 1.2; 1.3 has none). */
enum profile_renegotiation {
	PROFILE_RENEGOTIATION_REFUSE, /**< answer no_renegotiation, go on */
	PROFILE_RENEGOTIATION_SECURE, /**< accept it only as RFC 5746 secures it */
};

/** A yes or no with the rule behind it; `rule` is NULL where no rule speaks and a default holds. */
struct profile_flag {
	bool value;
	enum profile_strength strength; /**< of `rule` */
	const struct profile_rule *rule;
};

/** A number with the rule behind it; NULL as above. */
struct profile_number {
	uint32_t value;
	const struct profile_rule *rule;
};

/** Who shows a certificate. */
enum profile_certificate {
	PROFILE_CERTIFICATE_OPTIONAL, /**< asked for where the domain says so */
	PROFILE_CERTIFICATE_REQUIRED,
	PROFILE_CERTIFICATE_REFUSED, /**< never asked for (33.203 Annex O) */
};

enum profile_hash { PROFILE_HASH_SHA256, PROFILE_HASH_SHA384, PROFILE_HASH_SHA512 };

struct profile_settings {
	const struct profile *profile; /**< borrowed: outlives the settings */

	unsigned versions,
	        versions_shall; /**< TLS that is on; of those, the mandatory ones (bits) */
	unsigned version_min, version_max; /**< one bit each */
	unsigned dtls, dtls_shall;         /**< the same for DTLS; 0 = no DTLS */
	unsigned dtls_min, dtls_max;
	const struct profile_rule
	        *version_rule[9]; /**< by the version's bit number; NULL = no rule */

	struct profile_list suites;   /**< TLS up to 1.2 */
	struct profile_list suites13; /**< TLS 1.3 */
	struct profile_list groups;
	struct profile_list signatures;
	struct profile_list extensions;        /**< those the rules ask for or permit */
	struct profile_list extensions_denied; /**< never sent, ignored when received */
	struct profile_number dh_bits_min;     /**< smallest finite-field group, bits */

	struct profile_flag server_precedence; /**< ours wins over the client's; always, so far */
	struct profile_flag psk;               /**< PSK suites are on: no certificate is needed */
	struct profile_flag psk_dhe_only;      /**< TLS 1.3 PSK with psk_dhe_ke only */
	struct profile_flag null_permitted; /**< a domain may turn on suites without encryption */
	struct profile_flag null_on;        /**< it did (profile_options) */
	struct profile_flag compression;    /**< false in every sane profile */
	struct profile_flag
	        extended_master_secret_required; /**< abort without it (RFC 7627, 5.3) */

	enum profile_renegotiation renegotiation_client; /**< asked for by the client */
	const struct profile_rule *renegotiation_client_rule;
	struct profile_flag renegotiation_server;    /**< we may ask for one as a server */
	struct profile_flag renegotiation_answer;    /**< we do as a server's HelloRequest asks */
	struct profile_flag renegotiation_info;      /**< RFC 5746 signalled by us */
	struct profile_flag renegotiation_info_peer; /**< a peer without RFC 5746 is refused */

	struct profile_flag resumption;       /**< any at all */
	struct profile_flag tickets;          /**< RFC 5077, and TLS 1.3's */
	struct profile_flag session_ids;      /**< server-side cache */
	struct profile_flag tickets_first;    /**< tickets preferred to session ids */
	struct profile_number lifetime_s;     /**< default lifetime of a session, seconds */
	struct profile_number lifetime_max_s; /**< cap, seconds */

	enum profile_certificate server_certificate, client_certificate;
	const struct profile_rule *server_certificate_rule, *client_certificate_rule;
	struct profile_flag
	        fingerprint; /**< peers' certificates are held against SDP fingerprints */
	enum profile_hash fingerprint_hash;
	const struct profile_rule *fingerprint_hash_rule;

	struct profile_flag alert_on_failure; /**< a failed validation is told with a fatal alert */
	struct profile_flag
	        psk_unknown_alert; /**< unknown identity: alert 115, else decrypt_error */

	struct base_arena arena; /**< private */
};

/** What a domain says to something that the profile leaves open. */
enum profile_choice { PROFILE_CHOICE_NONE, PROFILE_CHOICE_YES, PROFILE_CHOICE_NO };

/** What the domain chooses where the profile leaves it a choice. All zero = the defaults. */
struct profile_options {
	bool null_encryption; /**< turn on the suites without encryption that the profile permits */
	enum profile_choice by_client, by_server; /**< who may begin a renegotiation */
	enum profile_choice legacy_peers;         /**< may they come, who do not know RFC 5746? */
};

/**
 * Settle every rule of `profile`.
 *
 * @param options  NULL = defaults
 * @param ret      the caller frees with profile_settings_free(); borrows from `profile`
 * @param err      on failure the place of the rule that cannot stand, and why; may be NULL
 * @return 0; BASE_CONFIG when rules of one layer contradict each other, nothing is left of a kind
 *         that must not be empty, or an option is not permitted; BASE_LOCAL when memory is short
 */
int profile_compile(const struct profile *profile, const struct profile_options *options,
                    struct profile_settings **ret, struct base_error *err);
void profile_settings_free(struct profile_settings *settings);

/** The setting of a code point in a list, or NULL. */
const struct profile_setting *profile_list_find(const struct profile_list *list, uint16_t code);

/** The settings as text, one line each with clause, for people and for golden files. */
void profile_settings_print(const struct profile_settings *settings, struct base_writer *w);

/* -- what an engine lacks ------------------------------------------------------------------ */

/** Abilities that are no code points. */
enum profile_feature {
	PROFILE_FEATURE_RENEGOTIATION_INFO = 1 << 0,   /**< RFC 5746 */
	PROFILE_FEATURE_RENEGOTIATION_CLIENT = 1 << 1, /**< can accept the client's, secured */
	PROFILE_FEATURE_RENEGOTIATION_SERVER = 1 << 2, /**< can ask for one as a server */
	PROFILE_FEATURE_TICKETS = 1 << 3,
	PROFILE_FEATURE_SESSION_IDS = 1 << 4,
	PROFILE_FEATURE_PSK = 1 << 5,
	PROFILE_FEATURE_EMS_REQUIRED = 1 << 6, /**< can insist on extended_master_secret */
	PROFILE_FEATURE_COMPRESSION = 1 << 7,
	/** As server takes data in the midst of a client's renegotiation (RFC 5246, 7.4.1.1). */
	PROFILE_FEATURE_RENEGOTIATION_DATA = 1 << 8,
	PROFILE_FEATURE_RENEGOTIATION_DTLS = 1 << 9, /**< can ask for one as a server of DTLS */
};

/** What an engine of this machine can do; the tls folder asks the engine and fills it. */
struct profile_engine_caps {
	const char *name;  /**< "openssl", "gnutls" */
	unsigned versions; /**< TLS and DTLS bits */
	struct profile_codes suites, groups, signatures, extensions;
	unsigned features; /**< enum profile_feature */
};

/** One thing a profile asks for or offers and an engine cannot do. */
struct profile_gap {
	enum profile_strength strength; /**< shall, should or may */
	enum profile_subject subject;
	const char *item;                /**< "TLS_RSA_WITH_3DES_EDE_CBC_SHA"; constant text */
	const struct profile_rule *rule; /**< clause and words; NULL: the domain's own choice */
	const char *why; /**< it is our own doing: constant text; NULL = the engine's */
};

/** May anybody renegotiate with a server: in a version that has it, and by either's wish? */
bool profile_renegotiates(const struct profile_settings *settings);

/**
 * List what `caps` lacks of what is on in `settings`, and what the profile permits and we never
 * offer (profile_extension_never), the "shall"s first, then "should", then
 * "may"; within a strength in the order of subjects and precedence.
 *
 * @param arena      owns the result
 * @param ret_count  how many; 0 leaves `*ret` NULL
 * @return 0, or BASE_LOCAL when memory is short
 */
int profile_engine_gaps(const struct profile_settings *settings,
                        const struct profile_engine_caps *caps, struct base_arena *arena,
                        struct profile_gap **ret, size_t *ret_count);

/** How many of them have that strength. */
size_t profile_gap_count(const struct profile_gap *gap, size_t count,
                         enum profile_strength strength);

/**
 * "openssl cannot meet: shall suite TLS_RSA_WITH_3DES_EDE_CBC_SHA (TS 33.203 Annex O [O2, V])", in
 * `buf`, terminated.
 */
const char *profile_gap_format(const struct profile_gap *gap,
                               const struct profile_engine_caps *caps, char *buf, size_t cap);

#endif
