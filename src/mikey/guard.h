/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: what protects one message, or one ticket: a key and what goes into the labels
 * of those derived from it.
 */
#ifndef GH_MIKEY_GUARD_H
#define GH_MIKEY_GUARD_H

#include "mikey/crypto.h"
#include "mikey/derive.h"
#include "mikey/keys.h"

struct mikey_guard {
	struct mikey_kept *kept;
	uint8_t prf;
	struct mikey_octets key; /**< pre-shared key, envelope key, MPK, or TPK */
	bool ticket;             /**< a TPK: rands.initiator is the ticket's RAND */
	bool response;
	uint32_t csb_id; /**< 0xFFFFFFFF for a ticket (RFC 6043, A.1) */
	struct mikey_rands rands;
};

/** Does the caller take this algorithm from a peer? NULL never. Pure. */
bool mikey_takes_mac(const struct mikey_env *env, uint8_t mac);
bool mikey_takes_encr(const struct mikey_env *env, uint8_t encr);
bool mikey_takes_prf(const struct mikey_env *env, uint8_t prf);

/** The tag over `data`. */
int mikey_guard_tag(const struct mikey_guard *g, uint8_t mac, struct mikey_octets data,
                    uint8_t ret[MIKEY_TAG_MAX]);
/**
 * Hold a tag against `data`, in constant time.
 * @return 0; BASE_PEER with MIKEY_BAD_MAC for an algorithm that is not taken, else MIKEY_BAD_AUTH
 */
int mikey_guard_check(const struct mikey_env *env, const struct mikey_guard *g,
                      const struct mikey_v *v, struct mikey_octets data, struct base_error *err);
/** A KEMAC with `keys`, its MAC NULL as RFC 6043 wants it; `t` is the message's timestamp. */
int mikey_guard_seal(struct base_arena *arena, const struct mikey_guard *g, uint8_t encr,
                     uint64_t t, const struct mikey_keys *keys, unsigned mpks,
                     struct mikey_payload *kemac);
int mikey_guard_open(const struct mikey_env *env, const struct mikey_guard *g,
                     const struct mikey_kemac *kemac, uint64_t t, struct mikey_keys *ret,
                     struct base_error *err);

/** A timestamp as the 64 bits that go into an IV (RFC 3830, 6.6; RFC 6043, 6.3). Pure. */
uint64_t mikey_ts_64(const struct mikey_ts *ts);

#endif
