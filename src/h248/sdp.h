/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * SDP inside Local and Remote descriptors (RFC 3525, 7.1.8; RFC 8866, 9): groups of lines, one
 * group per alternative, in descending preference; `$` is CHOOSE. Known things are parsed into
 * fields and live there only; everything else is kept in order. Parsing takes linear time.
 *
 * A parsed description lives in an arena and borrows from the text, so both must outlive it. No
 * shared state; any thread, one at a time per arena.
 */
#ifndef GH_H248_SDP_H
#define GH_H248_SDP_H

#include <sys/socket.h>

#include "base/base.h"

/** Limits of one descriptor; beyond them it is refused. */
#define H248_SDP_OCTETS_MAX       65536
#define H248_SDP_LINES_MAX        1024
#define H248_SDP_GROUPS_MAX       32
#define H248_SDP_FINGERPRINT_MAX  64 /**< octets of the longest digest */
#define H248_SDP_FINGERPRINTS_MAX 16 /**< in one group */

enum h248_sdp_address_kind {
	H248_SDP_ADDRESS_ABSENT = 0,
	H248_SDP_ADDRESS_CHOOSE, /**< `$` */
	H248_SDP_ADDRESS_IP4,
	H248_SDP_ADDRESS_IP6,
	H248_SDP_ADDRESS_NAME, /**< a domain name (FQDN) */
};

/** `c=`: of the media description if it has one, else of the session (RFC 8866, 5.7). */
struct h248_sdp_connection {
	uint8_t kind;          /**< enum h248_sdp_address_kind */
	uint8_t family;        /**< AF_INET, AF_INET6, or 0 when addrtype is `$` (or no `c=`) */
	uint8_t octets[16];    /**< IP4: the first 4, IP6: all; network order */
	struct base_str name;  /**< NAME: as spelled */
	struct base_str scope; /**< what follows the address: `/ttl`, `/ttl/count`; mostly empty */
};

enum h248_sdp_transport {
	H248_SDP_TRANSPORT_OTHER = 0, /**< not known, `-` or `$` */
	H248_SDP_TCP,
	H248_SDP_UDP,
};
enum h248_sdp_security { H248_SDP_CLEAR = 0, H248_SDP_TLS, H248_SDP_DTLS };
enum h248_sdp_application { H248_SDP_NO_APPLICATION = 0, H248_SDP_MSRP, H248_SDP_BFCP };

/** A text on a list. */
struct h248_sdp_text {
	struct h248_sdp_text *next;
	struct base_str text;
};

/** `m=`. Each token may be `-` (no media-related function needed) or `$`, the port only `$`. */
struct h248_sdp_media {
	struct base_str type;          /**< "message", "application", "-" */
	struct base_str proto;         /**< as spelled: "TCP/TLS/MSRP" */
	struct h248_sdp_text *formats; /**< at least one */
	uint32_t port_count;           /**< `port/count`; 0 = not given */
	uint16_t port;
	bool port_choose;
	uint8_t transport;   /**< enum h248_sdp_transport, from proto */
	uint8_t security;    /**< enum h248_sdp_security, from proto */
	uint8_t application; /**< enum h248_sdp_application, from proto */
};

/** a=setup (RFC 4145, 4). */
enum h248_sdp_setup {
	H248_SDP_SETUP_ABSENT = 0,
	H248_SDP_SETUP_CHOOSE,
	H248_SDP_ACTIVE,
	H248_SDP_PASSIVE,
	H248_SDP_ACTPASS,
	H248_SDP_HOLDCONN,
};
/** a=connection (RFC 4145, 5). Absent means new. */
enum h248_sdp_reuse {
	H248_SDP_REUSE_ABSENT = 0,
	H248_SDP_REUSE_CHOOSE,
	H248_SDP_NEW,
	H248_SDP_EXISTING,
};
/** Direction (RFC 8866, 6.7). Absent means sendrecv. */
enum h248_sdp_direction {
	H248_SDP_DIRECTION_ABSENT = 0,
	H248_SDP_SENDRECV,
	H248_SDP_SENDONLY,
	H248_SDP_RECVONLY,
	H248_SDP_INACTIVE,
};

/** Hash functions of RFC 8122, 5. */
enum h248_sdp_hash {
	H248_SDP_HASH_OTHER = 0, /**< a token not in RFC 8122: unusable */
	H248_SDP_MD2,            /**< must not be used (RFC 8122, 5): unusable */
	H248_SDP_MD5,            /**< must not be used: unusable */
	H248_SDP_SHA1,
	H248_SDP_SHA224,
	H248_SDP_SHA256,
	H248_SDP_SHA384,
	H248_SDP_SHA512,
	H248_SDP_HASH_CHOOSE, /**< `a=fingerprint:$`: the gateway picks the hash too */
};

/** a=fingerprint. In a Local from the controller, `$` asks for the gateway's own. */
struct h248_sdp_fingerprint {
	struct h248_sdp_fingerprint *next;
	struct base_str name; /**< of the hash, as spelled */
	uint8_t hash;         /**< enum h248_sdp_hash */
	bool choose;          /**< the value is `$`; `octets` is empty */
	bool usable;          /**< may be used to verify a certificate */
	uint8_t len;
	uint8_t octets[H248_SDP_FINGERPRINT_MAX];
};

/** A line that has no field of its own. */
struct h248_sdp_line {
	struct h248_sdp_line *next;
	struct base_str value; /**< after the `=`; for attributes `name` or `name:value` */
	char type;             /**< the letter before the `=` */
	bool media;            /**< stood after `m=` */
};

/** One session description: an alternative. All zero is a valid empty one. */
struct h248_sdp_group {
	struct h248_sdp_group *next;
	struct base_str origin;  /**< `o=`; ptr NULL = absent */
	struct base_str session; /**< `s=`; ptr NULL = absent */
	struct h248_sdp_connection connection;
	bool has_media;
	struct h248_sdp_media media;

	/* Attributes: those of the media description, else those of the session. */
	uint8_t setup;                             /**< enum h248_sdp_setup */
	uint8_t reuse;                             /**< enum h248_sdp_reuse */
	uint8_t direction;                         /**< enum h248_sdp_direction */
	bool msrp_cema;                            /**< a=msrp-cema (RFC 6714, 5) */
	struct h248_sdp_fingerprint *fingerprints; /**< in order, without repetitions */
	struct base_str tls_id;                    /**< a=tls-id (RFC 8842, 4); `$` or 20 to 255 */
	struct h248_sdp_text *paths;               /**< a=path values (RFC 4975, 8.1), in order */
	struct h248_sdp_line *lines;               /**< all other lines, in order */
	unsigned line;                             /**< where the group starts in the descriptor */
};

struct h248_sdp {
	struct h248_sdp_group *groups; /**< NULL for an empty descriptor (7.1.8: release) */
	size_t count;
};

/**
 * Parse a whole Local or Remote descriptor. Lines may end in CR LF, LF or CR; the last one need
 * not. Blank lines, and blanks before a line, are skipped.
 * @return 0 with `*ret` filled; BASE_PEER 474 with line and column in the descriptor and a text
 *         fit for an error descriptor (no double quotes; names place and offending text);
 *         BASE_LOCAL 510 when memory is short
 */
int h248_sdp_parse(struct base_arena *arena, struct base_str text, struct h248_sdp *ret,
                   struct base_error *err);

/** Who writes decides what must be there (spec section 8: a controller may leave o=, s=, t= out).
 */
enum h248_sdp_style {
	H248_SDP_AS_IS = 0, /**< o=, s=, t= only if they are set */
	H248_SDP_FULL,      /**< missing ones become `o=- 0 0 IN IP4 <addr>`, `s=-`, `t=0 0` */
};
/** Write one group, each line ended by CR LF. `v=0` comes first. Failure stays in the writer. */
void h248_sdp_group_write(struct base_writer *w, const struct h248_sdp_group *group,
                          enum h248_sdp_style style);
/** Write all groups. */
void h248_sdp_write(struct base_writer *w, const struct h248_sdp *sdp, enum h248_sdp_style style);

/** Same meaning field by field; spelling of proto, names and addresses without case. Pure. */
bool h248_sdp_group_equal(const struct h248_sdp_group *a, const struct h248_sdp_group *b);
bool h248_sdp_equal(const struct h248_sdp *a, const struct h248_sdp *b);

/* ---- for the gateway --------------------------------------------------------------------- */

/** Is any `$` left that the gateway has to fill in? (7.1.1: then it returns the descriptor.) */
bool h248_sdp_group_is_open(const struct h248_sdp_group *group);

/**
 * Address and port as a socket address.
 * @return 0, or BASE_PEER 474 when they are not both fully given (CHOOSE, a name, no m= or c=)
 */
int h248_sdp_group_sockaddr(const struct h248_sdp_group *group, struct sockaddr_storage *ret);
/** Put in address and port (AF_INET, AF_INET6). @return 0, or BASE_BUG for another family. */
int h248_sdp_group_sockaddr_set(struct h248_sdp_group *group, const struct sockaddr *addr);

/** A copy whose lists can be changed; strings and lines stay shared. NULL when memory is short. */
struct h248_sdp_group *h248_sdp_group_dup(struct base_arena *arena,
                                          const struct h248_sdp_group *group);
/**
 * Append a fingerprint of our own. @return 0, BASE_LOCAL when memory is short, BASE_BUG when hash
 * and length do not go together or the hash is unusable.
 */
int h248_sdp_fingerprint_add(struct base_arena *arena, struct h248_sdp_group *group,
                             enum h248_sdp_hash hash, const uint8_t *octets, size_t len);
/** The strongest hash of the usable fingerprints (RFC 8122, 5.1: verify against that set only);
 * H248_SDP_HASH_OTHER when none is usable. Pure. */
enum h248_sdp_hash h248_sdp_fingerprint_best(const struct h248_sdp_group *group);

/** Hash by name, without case; H248_SDP_HASH_OTHER when unknown. Pure. */
enum h248_sdp_hash h248_sdp_hash_of(struct base_str name);
/** "sha-256"; "" for OTHER and CHOOSE. Pure. */
const char *h248_sdp_hash_name(enum h248_sdp_hash hash);
/** Octets of its digest; 0 for OTHER and CHOOSE. Pure. */
size_t h248_sdp_hash_len(enum h248_sdp_hash hash);
/** What the proto of an m= line means; `transport`, `security`, `application` of `media`. Pure. */
void h248_sdp_proto_classify(struct h248_sdp_media *media);

/** "active" ...; "" for absent, "$" for CHOOSE. Pure. */
const char *h248_sdp_setup_name(enum h248_sdp_setup setup);

#endif
