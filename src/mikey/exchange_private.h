/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside this folder: what the messages of all exchanges have in common. */
#ifndef GH_MIKEY_EXCHANGE_PRIVATE_H
#define GH_MIKEY_EXCHANGE_PRIVATE_H

#include "mikey/codec.h"
#include "mikey/exchange.h"
#include "mikey/guard.h"

#define MIKEY_RAND_LEN 16
/* What is asked for at once, so that little is moved: most messages, and two identities. */
#define MIKEY_USUAL_LEN 768
#define MIKEY_IDS_LEN   128

/** A message under way: scratch memory, wiped, and its model. */
struct mikey_draft {
	struct base_arena arena;
	struct mikey_message msg;
	bool failed; /**< memory was short */
};
void mikey_draft_done(struct mikey_draft *d);
/** Append a payload; a dummy when memory is short, so that it may be filled in. */
struct mikey_payload *mikey_draft_add(struct mikey_draft *d, uint8_t type);
void mikey_draft_time(struct mikey_draft *d, uint64_t now);
void mikey_draft_rand(struct mikey_draft *d, uint8_t role, struct mikey_octets rand);
/** Left out without data. */
void mikey_draft_id(struct mikey_draft *d, uint8_t role, const struct mikey_id *id);
/** A payload, or a chain of them, of somebody else's, copied (what they point to is not). */
void mikey_draft_copy(struct mikey_draft *d, const struct mikey_payload *chain);

/** Append V, write the message, and fill in its MAC, over it and `after`. */
int mikey_draft_seal(struct mikey_draft *d, const struct mikey_guard *g, uint8_t mac,
                     const struct mikey_octets *after, size_t count, struct base_writer *out);

/** Octets one after the other. */
int mikey_join(struct base_writer *w, const struct mikey_octets *part, size_t count);

/**
 * The timestamp of a message (RFC 3830, 5.3): near enough to now? BASE_PEER with MIKEY_BAD_TS.
 * @param ret  as it goes into an IV
 */
int mikey_time_check(const struct mikey_env *env, const struct mikey_message *msg, uint64_t *ret,
                     struct base_error *err);
/** Was the message whose covered octets these are seen? BASE_PEER with MIKEY_BAD_TS. */
int mikey_replay_check(const struct mikey_env *env, uint64_t t, struct mikey_octets covered,
                       uint8_t ret_digest[MIKEY_TAG_MAX], struct base_error *err);
int mikey_replay_keep(const struct mikey_env *env, uint64_t t, const uint8_t digest[MIKEY_TAG_MAX],
                      struct base_error *err);

/**
 * Read an answer: it may be an Error message, which is told. BASE_PEER with MIKEY_BAD_DATA_TYPE
 * when it is another message, with MIKEY_UNSPECIFIED when it is another bundle's.
 * @param first  what is answered
 */
int mikey_answer_read(struct base_arena *arena, const struct mikey_env *env,
                      struct mikey_octets data, uint8_t data_type, const struct mikey_guard *asked,
                      struct mikey_message **ret, struct base_error *err);
/** The MAC of an answer, over it and all of the message that it answers (RFC 6043, 5.5). */
int mikey_answer_check(const struct mikey_env *env, const struct mikey_message *msg,
                       const struct mikey_guard *g, struct mikey_octets sent,
                       struct base_error *err);

/** A payload that has to be there. BASE_PEER with MIKEY_UNSPECIFIED, by its name. */
int mikey_need(const struct mikey_message *msg, uint8_t type, const struct mikey_payload **ret,
               struct base_error *err);
/** A RANDR of at least 16 octets (RFC 3830, 6.11). */
int mikey_need_rand(const struct mikey_message *msg, uint8_t role, struct mikey_octets *ret,
                    struct base_error *err);
/** P: the hash of signatures and of CHASH goes with the PRF; RFC 3830, 4.2.6 leaves it to the
 * certificate. Pure. */
static inline uint8_t mikey_sign_hash(uint8_t prf)
{
	return prf == MIKEY_PRF_MIKEY_1 ? MIKEY_SHA_1 : MIKEY_SHA_256;
}
/** Error no `no` of the peer's. */
int mikey_blame(struct base_error *err, unsigned no, const char *why);
/** Memory, or something else of our own. */
int mikey_own_fault(struct base_error *err, int rc, const char *what);

/** MPKr' and TGK' of MPKr and TGKs (RFC 6043, 5.1.1), in place. */
int mikey_fork(struct mikey_kept *kept, uint8_t prf, struct mikey_octets id_data,
               struct mikey_octets rand_kms, struct mikey_keys *keys);

#endif
