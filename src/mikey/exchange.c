/* SPDX-License-Identifier: Apache-2.0 */
/** @file What is asked of every message that comes in. */
#include "mikey/exchange_private.h"
#include "mikey/replay.h"

int mikey_blame(struct base_error *err, unsigned no, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, no), "%s", why);
}

int mikey_own_fault(struct base_error *err, int rc, const char *what)
{
	if (rc == BASE_ERR(BASE_CONFIG, 0))
		return base_error_set(err, rc, "%s: the key is not one that fits", what);
	return base_error_set(err, rc, "%s: out of memory or random octets", what);
}

int mikey_need(const struct mikey_message *msg, uint8_t type, const struct mikey_payload **ret,
               struct base_error *err)
{
	const struct mikey_payload *p = mikey_find(msg->first, type);

	if (!p)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_UNSPECIFIED),
		                      "the message has no %s (RFC 6043, 4.2)",
		                      mikey_name(MIKEY_SPACE_PAYLOAD, type));
	*ret = p;
	return 0;
}

int mikey_need_rand(const struct mikey_message *msg, uint8_t role, struct mikey_octets *ret,
                    struct base_error *err)
{
	const struct mikey_payload *p = mikey_find_role(msg->first, MIKEY_RANDR, role);

	if (!p || p->rand.data.len < MIKEY_RAND_LEN)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_UNSPECIFIED),
		                      "no RANDR of 16 octets by the %s (RFC 6043, 4.2; RFC 3830, "
		                      "6.11)",
		                      mikey_name(MIKEY_SPACE_RAND_ROLE, role));
	*ret = p->rand.data;
	return 0;
}

static uint64_t skew(const struct mikey_env *env)
{
	return (uint64_t)(env->skew_s ? env->skew_s : 300) << 32;
}

int mikey_time_check(const struct mikey_env *env, const struct mikey_message *msg, uint64_t *ret,
                     struct base_error *err)
{
	const struct mikey_payload *p = NULL;
	uint64_t t, apart;
	int rc = mikey_need(msg, MIKEY_T, &p, err);

	if (rc || !p)
		return rc;
	if (p->ts.type == MIKEY_COUNTER)
		return mikey_blame(err, MIKEY_BAD_TS,
		                   "a counter is no timestamp here (RFC 3830, 6.6)");
	t = mikey_ts_64(&p->ts);
	apart = t - env->now; /* modulo 2^64: right across 2036, too */
	if (apart >> 63)
		apart = env->now - t;
	if (apart > skew(env))
		return mikey_blame(err, MIKEY_BAD_TS,
		                   "the timestamp is too far from this clock (RFC 3830, 5.3)");
	*ret = t;
	return 0;
}

int mikey_replay_check(const struct mikey_env *env, uint64_t t, struct mikey_octets covered,
                       uint8_t ret_digest[MIKEY_TAG_MAX], struct base_error *err)
{
	int rc = mikey_digest(env->kept, MIKEY_SHA_256, covered, ret_digest);

	if (rc)
		return mikey_own_fault(err, rc, "SHA-256");
	return mikey_replay_seen(env->replay, t, ret_digest)
	               ? mikey_blame(err, MIKEY_BAD_TS,
	                             "the message was seen before (RFC 3830, 5.4)")
	               : 0;
}

int mikey_replay_keep(const struct mikey_env *env, uint64_t t, const uint8_t digest[MIKEY_TAG_MAX],
                      struct base_error *err)
{
	int rc = mikey_replay_add(env->replay, t, env->now - skew(env), digest);

	return rc ? mikey_own_fault(err, rc, "replay cache") : 0;
}

/* An Error message instead of the answer. Without a MAC it is only a hint (RFC 3830, 5.1.2). */
static int told(const struct mikey_env *env, const struct mikey_message *msg,
                const struct mikey_guard *asked, struct base_error *err)
{
	const struct mikey_payload *e = mikey_find(msg->first, MIKEY_ERR);
	const struct mikey_payload *v = mikey_final(msg->first);
	const char *name = e ? mikey_name(MIKEY_SPACE_ERROR, e->error_no) : NULL;
	bool proved =
	        v && v->type == MIKEY_V &&
	        mikey_guard_check(env, asked, &v->v,
	                          mikey_octets_of(msg->octets.at, msg->octets.len - v->v.tag.len),
	                          NULL) == 0;

	return base_error_set(err, BASE_ERR(BASE_PEER, e ? e->error_no : MIKEY_UNSPECIFIED),
	                      "told: %s%s (RFC 6043, 5.4)", name ? name : "an error",
	                      proved ? "" : ", by a message without proof");
}

int mikey_answer_read(struct base_arena *arena, const struct mikey_env *env,
                      struct mikey_octets data, uint8_t data_type, const struct mikey_guard *asked,
                      struct mikey_message **ret, struct base_error *err)
{
	struct mikey_message *msg = NULL;
	int rc = mikey_decode(arena, data.at, data.len, &msg, err);

	if (rc)
		return rc;
	if (msg->hdr.csb_id != asked->csb_id)
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "the answer is for another CSB ID (RFC 6043, 4.2)");
	if (msg->hdr.data_type == MIKEY_ERROR)
		return told(env, msg, asked, err);
	if (msg->hdr.data_type != data_type)
		return mikey_blame(err, MIKEY_BAD_DATA_TYPE,
		                   "it is no answer to what was asked (RFC 6043, 4.2)");
	if (msg->hdr.prf != asked->prf)
		return mikey_blame(err, MIKEY_BAD_PRF,
		                   "the answer has another PRF (RFC 6043, 4.2)");
	*ret = msg;
	return 0;
}

int mikey_answer_check(const struct mikey_env *env, const struct mikey_message *msg,
                       const struct mikey_guard *g, struct mikey_octets sent,
                       struct base_error *err)
{
	const struct mikey_payload *v = mikey_final(msg->first);
	struct base_writer covered = { 0 };
	int rc;

	if (!v || v->type != MIKEY_V)
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "the last payload is not V (RFC 6043, 4.2)");
	(void)base_writer_reserve(&covered,
	                          msg->octets.len + sent.len); /* what fails fails below */
	base_writer_put(&covered, msg->octets.at, msg->octets.len - v->v.tag.len);
	rc = mikey_join(&covered, &sent, 1);
	rc = rc ? mikey_own_fault(err, rc, "MAC")
	        : mikey_guard_check(env, g, &v->v, mikey_octets_of(covered.data, covered.len), err);
	base_writer_done(&covered);
	return rc;
}

int mikey_fork(struct mikey_kept *kept, uint8_t prf, struct mikey_octets id_data,
               struct mikey_octets rand_kms, struct mikey_keys *keys)
{
	unsigned mpks = 0;

	for (size_t i = 0; i < keys->count; i++) {
		struct mikey_key *k = &keys->key[i];
		bool tgk = k->type == MIKEY_TGK || k->type == MIKEY_TGK_SALT;
		struct base_secret forked = { 0 };
		int rc;

		if (!tgk && (k->type != MIKEY_MPK || mpks++ == 0))
			continue;
		rc = base_secret_set(&forked, k->key.data, k->key.len);
		if (!rc)
			rc = mikey_derive_fork(kept, prf, mikey_secret(&k->key), tgk, id_data,
			                       rand_kms, forked.data);
		base_secret_done(rc ? &forked : &k->key);
		if (rc)
			return rc;
		k->key = forked;
	}
	return 0;
}
