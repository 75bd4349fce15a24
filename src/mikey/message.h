/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A MIKEY message as it is read and written: the header and a chain of payloads, each with the
 * fields of its clause. Octets are borrowed: from the message that was read, or from whoever built
 * the model. Nodes live in the arena.
 */
#ifndef GH_MIKEY_MESSAGE_H
#define GH_MIKEY_MESSAGE_H

#include "base/base.h"
#include "mikey/names.h"

/** Borrowed octets. */
struct mikey_octets {
	const uint8_t *at;
	size_t len;
};
static inline struct mikey_octets mikey_octets_of(const void *at, size_t len)
{
	return (struct mikey_octets){ (const uint8_t *)at, len };
}
/** Of a terminated string; NULL gives none. */
static inline struct mikey_octets mikey_octets_text(const char *text)
{
	return mikey_octets_of(text, text ? strlen(text) : 0);
}
/** Equal as octets; not for secrets. */
static inline bool mikey_octets_eq(struct mikey_octets a, struct mikey_octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/** An identity: type and ID Data. */
struct mikey_id {
	uint8_t type; /**< enum mikey_id_type */
	struct mikey_octets data;
};
/** Same type, same octets: identities are compared exactly. */
static inline bool mikey_id_eq(const struct mikey_id *a, const struct mikey_id *b)
{
	return a->type == b->type && mikey_octets_eq(a->data, b->data);
}

/** One crypto session of the CS ID map info (RFC 3830, 6.1.1 and RFC 6043, 6.1.1). */
struct mikey_cs {
	uint8_t id;                   /**< CS ID; in an SRTP-ID map its number, from 1 */
	uint8_t prot;                 /**< Prot type; SRTP in an SRTP-ID map */
	bool s;                       /**< S flag */
	struct mikey_octets policies; /**< Ps, one policy_no an octet; exactly one in SRTP-ID */
	struct mikey_octets session_data;
	struct mikey_octets spi;
	uint32_t ssrc, roc; /**< SRTP-ID only */
};

/** RFC 3830, 6.1 */
struct mikey_hdr {
	uint8_t data_type; /**< enum mikey_data_type */
	bool v;
	uint8_t prf;
	uint8_t map_type;
	uint8_t cs_count;
	uint32_t csb_id;
	struct mikey_cs *cs; /**< cs_count of them; NULL with the Empty map */
};

/** Key data sub-payload (RFC 3830, 6.13 and 6.14). */
struct mikey_key_data {
	uint8_t type; /**< enum mikey_key_type */
	uint8_t kv;   /**< enum mikey_kv_type */
	struct mikey_octets key, salt;
	struct mikey_octets spi;      /**< MIKEY_KV_SPI */
	struct mikey_octets from, to; /**< MIKEY_KV_INTERVAL */
};
/** RFC 3830, 6.2 */
struct mikey_kemac {
	uint8_t encr, mac;
	struct mikey_octets data;   /**< Encr data, when `keys` is NULL */
	struct mikey_payload *keys; /**< what NULL encryption leaves readable */
	struct mikey_octets tag;
};
struct mikey_pke {
	uint8_t cache;
	struct mikey_octets data;
};
struct mikey_dh {
	uint8_t group, kv;
	struct mikey_octets value, spi, from, to;
};
struct mikey_sign {
	uint8_t type;
	struct mikey_octets data;
};
/** T and TR; `value` has 64 bits, or the 32 of COUNTER and NTP-UTC-32. */
struct mikey_ts {
	uint8_t role; /**< TR only */
	uint8_t type;
	uint64_t value;
};
/** ID and IDR. */
struct mikey_idr {
	uint8_t role; /**< IDR only */
	struct mikey_id id;
};
struct mikey_cert {
	uint8_t type;
	struct mikey_octets data;
};
struct mikey_chash {
	uint8_t hash;
	struct mikey_octets data;
};
struct mikey_v {
	uint8_t mac;
	struct mikey_octets tag;
};
/** One parameter of a security policy (RFC 3830, 6.10). */
struct mikey_sp_param {
	uint8_t type;
	struct mikey_octets value;
};
struct mikey_sp {
	uint8_t policy_no, prot;
	size_t count;
	struct mikey_sp_param *param;
};
/** RAND and RANDR. */
struct mikey_rand {
	uint8_t role; /**< RANDR only */
	struct mikey_octets data;
};
/** TP and TICKET (RFC 6043, 6.10). */
struct mikey_ticket {
	uint16_t type; /**< enum mikey_ticket_type */
	uint8_t subtype, version, prf;
	uint32_t flags;                  /**< enum mikey_flag, and the reserved bits below them */
	struct mikey_payload *policy;    /**< TP Data */
	struct mikey_octets data;        /**< Ticket Data; TICKET only */
	struct mikey_payload *initiator; /**< Initiator Data: Vi, Vr; TICKET only, NULL = none */
	/** Where it was read: from the Initiator Data length to the end of the payload. */
	struct mikey_octets initiator_span;
};
struct mikey_ext {
	uint8_t type;
	struct mikey_octets data;
};

struct mikey_payload {
	struct mikey_payload *next;
	uint8_t type;             /**< enum mikey_payload_type; it chooses the member */
	struct mikey_octets span; /**< where it was read */
	union {
		struct mikey_kemac kemac;
		struct mikey_pke pke;
		struct mikey_dh dh;
		struct mikey_sign sign;
		struct mikey_ts ts;   /**< T, TR */
		struct mikey_idr idr; /**< ID, IDR */
		struct mikey_cert cert;
		struct mikey_chash chash;
		struct mikey_v v;
		struct mikey_sp sp;
		struct mikey_rand rand;     /**< RAND, RANDR */
		uint8_t error_no;           /**< ERR */
		struct mikey_ticket ticket; /**< TP, TICKET */
		struct mikey_key_data key;
		struct mikey_ext ext;
	};
};

struct mikey_message {
	struct mikey_hdr hdr;
	struct mikey_payload *first;
	struct mikey_octets octets; /**< all of it, where it was read */
};

/** The first payload of that type in a chain, or NULL. */
const struct mikey_payload *mikey_find(const struct mikey_payload *chain, uint8_t type);
/** The first TR, IDR or RANDR with that role in a chain, or NULL. */
const struct mikey_payload *mikey_find_role(const struct mikey_payload *chain, uint8_t type,
                                            uint8_t role);
/** The last payload of a chain, or NULL: V or SIGN in a protected message. */
const struct mikey_payload *mikey_final(const struct mikey_payload *chain);
/** A payload of that type appended to a chain, zeroed. @return NULL when memory is short. */
struct mikey_payload *mikey_append(struct base_arena *arena, struct mikey_payload **chain,
                                   uint8_t type);

#endif
