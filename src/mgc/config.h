/* SPDX-License-Identifier: Apache-2.0 */
/** @file The controller's configuration file, understood. packaging/gatehouse-mgc.yaml has it all.
 */
#ifndef GH_MGC_CONFIG_H
#define GH_MGC_CONFIG_H

#include "base/base.h"
#include "config/config.h"
#include "link/link.h"
#include "mgc/mp.h"
#include "offer/offer.h"

struct mgc_yaml;

#define MGC_LISTEN_MAX  8
#define MGC_DOMAINS_MAX 16
#define MGC_SUITES_MAX  32
#define MGC_PROTS_MAX   8
#define MGC_FLOORS_MAX  OFFER_FLOORS_MAX

/** A TLS domain of the file, for SIP, for the KMS, for Mp. */
struct mgc_domain {
	const char *name;
	struct tls_domain *tls;
};

/** A floor of a conference. */
struct mgc_floor {
	uint16_t id;
	const char *name;
	const char *chair; /**< identity of the member that decides about it; NULL = nobody */
	unsigned holders;
};

/** A conference, as configured. */
struct mgc_room {
	const char *uri;               /**< sip:..., what members call */
	char identity[OFFER_NAME_MAX]; /**< as offer_identity has it */
	const char *name;
	const char *const *members; /**< URIs, or sip:*@host, or * */
	size_t member_count;
	const char *const *dial_out;
	size_t dial_out_count;
	bool dial_at_start; /**< as soon as there is an MRFP; else with the first member */
	bool msrp, nicknames, private_messages, cema, passive;
	uint64_t max_size;
	bool bfcp;
	uint32_t conference; /**< confid */
	struct mgc_floor floors[MGC_FLOORS_MAX];
	size_t floor_count;
	unsigned member_max;
	struct offer_party party; /**< its side of MIKEY */
};

struct mgc_config {
	const char *file; /**< where it is from; borrowed */
	struct base_arena arena;
	struct config_doc *doc;
	struct mgc_yaml *yaml;
	struct profile_store *profiles;
	struct mgc_domain domains[MGC_DOMAINS_MAX];
	size_t domain_count;

	/* sip */
	const char *sip_listen[MGC_LISTEN_MAX]; /**< "udp:127.0.0.1:5060" */
	size_t sip_listen_count;
	const char *sip_domain; /**< TLS domain; NULL = none */
	const char *sip_host;   /**< our name in Via and Contact; NULL = the address */
	const char *proxy; /**< a Route for our calls: the S-CSCF; NULL = by the callee's URI */
	const char *dns;   /**< servers, with commas; NULL = the system's */
	bool trust_asserted;
	uint32_t session_s, ring_ms, leg_ms;

	/* h248 */
	struct mgc_mp_config mp;
	struct h248_addr handoff;
	char mid[80];
	struct link_spec link;
	const char *link_domain;
	bool messages;

	/* mrfp */
	const char *media_domain; /**< gatehouse/dom */
	bool agnostic; /**< streams are octets to the MRFP, passed on between two members */
	const char
	        *suites[MGC_SUITES_MAX]; /**< PSK suites that the MRFPs have (TS 23.333, 5.20.2) */
	size_t suite_count;

	/* mikey and kms */
	struct mikey_cred cred;
	struct base_secret psk, tpk_key;
	struct mikey_tpk tpk;
	uint8_t prots[MGC_PROTS_MAX];
	struct mikey_replay *replay;
	struct offer_alias *aliases;
	const char *kms_url, *kms_parameter;
	const char *kms_domain; /**< of https: a TLS domain; NULL = http */
	uint32_t kms_ms;

	struct mgc_room *rooms;
	size_t room_count;

	const char *metrics; /**< address; NULL = none */
	enum base_level log_level;
};

/** @return 0, or BASE_CONFIG with file, line and remedy */
int mgc_config_load(struct mgc_config **ret, const char *path, struct base_error *err);
/** Wipes the keys. NULL is fine. */
void mgc_config_free(struct mgc_config *config);
struct tls_domain *mgc_config_domain(const struct mgc_config *config, const char *name);
/** What an operator should know of this configuration, as log lines. */
void mgc_config_warn(const struct mgc_config *config);
/** May this identity be a member? */
bool mgc_room_admits(const struct mgc_room *room, const char *identity);

#endif
