/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library keeps state of the process (srtp_init), as it has no other way. What it keeps of a
 * peer grows with each SSRC, which anybody who can send may choose; so these are counted here.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>

#include "relay/srtp.h"

struct direction {
	srtp_t session;
	unsigned count, last; /**< of `ssrc`; where the one before was */
	uint32_t ssrc[RELAY_SRTP_SSRCS];
};

struct relay_srtp {
	struct direction out, in;
	struct direction old; /**< what was `in`, for a time (RFC 5764, 5.2) */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static srtp_err_status_t begun = srtp_err_status_init_fail;
static srtp_t kept;

/* NSS, where libsrtp2 stands on it, loads its modules with the first session and unloads them with
 * the last: 1.5 ms for each endpoint that is alone. So there is always one, which nobody uses. */
static srtp_err_status_t keep_one(void)
{
	uint8_t key[SRTP_MAX_KEY_LEN] = { 0 };
	srtp_policy_t policy = { .ssrc = { .type = ssrc_any_outbound },
		                 .key = key,
		                 .window_size = 128 };

	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	return srtp_create(&kept, &policy);
}

static void begin(void)
{
	begun = srtp_init();
	if (begun == srtp_err_status_ok)
		begun = keep_one();
}

int relay_srtp_ready(void)
{
	if (pthread_once(&once, begin) != 0 || begun != srtp_err_status_ok) {
		base_log(BASE_LOG_ERROR, "relay", "libsrtp2 does not start (%d)", (int)begun);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	return 0;
}

static int policy_of(srtp_policy_t *ret, uint16_t profile, const struct base_secret *key,
                     srtp_ssrc_type_t which)
{
	srtp_profile_t p = (srtp_profile_t)profile; /* both are IANA's numbers */
	srtp_policy_t policy;
	srtp_err_status_t rc;
	size_t len, salt;

	memset(&policy, 0, sizeof(policy));
	if (!tls_srtp_sizes(profile, &len, &salt) || key->len != len + salt)
		return BASE_ERR(BASE_BUG, 0);
	rc = srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, p);
	if (rc == srtp_err_status_ok)
		rc = srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, p);
	if (rc != srtp_err_status_ok)
		return BASE_ERR(BASE_BUG, 0);
	policy.ssrc.type = which;
	policy.key = key->data;
	policy.window_size = 128;
	*ret = policy;
	return 0;
}

static int direction_init(struct direction *d, uint16_t profile, const struct base_secret *key,
                          srtp_ssrc_type_t which)
{
	srtp_policy_t policy;
	int rc = policy_of(&policy, profile, key, which);

	if (rc)
		return rc;
	return srtp_create(&d->session, &policy) == srtp_err_status_ok ? 0
	                                                               : BASE_ERR(BASE_LOCAL, 0);
}

static void direction_done(struct direction *d)
{
	if (d->session)
		(void)srtp_dealloc(d->session); /* fails for no session alone */
	*d = (struct direction){ 0 };
}

int relay_srtp_new(struct relay_srtp **ret, const struct tls_srtp_keys *keys)
{
	struct relay_srtp *srtp;
	int rc = relay_srtp_ready();

	if (rc)
		return rc;
	srtp = calloc(1, sizeof(*srtp));
	if (!srtp)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = direction_init(&srtp->out, keys->profile, &keys->ours, ssrc_any_outbound);
	if (rc == 0)
		rc = direction_init(&srtp->in, keys->profile, &keys->theirs, ssrc_any_inbound);
	if (rc) {
		relay_srtp_free(srtp);
		return rc;
	}
	*ret = srtp;
	return 0;
}

void relay_srtp_free(struct relay_srtp *srtp)
{
	if (!srtp)
		return;
	direction_done(&srtp->out);
	direction_done(&srtp->in);
	direction_done(&srtp->old);
	free(srtp);
}

/** What a peer sends under new keys goes on with its rollover counter (RFC 3711, 3.3.1). */
static int counters_keep(struct direction *fresh, const struct direction *was,
                         const struct tls_srtp_keys *keys)
{
	srtp_policy_t policy;
	int rc = policy_of(&policy, keys->profile, &keys->theirs, ssrc_specific);

	for (unsigned i = 0; i < was->count && !rc; i++) {
		uint32_t roc = 0;

		policy.ssrc.value = ntohl(was->ssrc[i]);
		if (srtp_get_stream_roc(was->session, policy.ssrc.value, &roc) ||
		    (roc && (srtp_add_stream(fresh->session, &policy) ||
		             srtp_set_stream_roc(fresh->session, policy.ssrc.value, roc))))
			rc = BASE_ERR(BASE_LOCAL, 0);
	}
	return rc;
}

int relay_srtp_rekey(struct relay_srtp *srtp, const struct tls_srtp_keys *keys)
{
	struct direction fresh = { 0 };
	srtp_policy_t policy;
	int rc = direction_init(&fresh, keys->profile, &keys->theirs, ssrc_any_inbound);

	if (rc == 0)
		rc = counters_keep(&fresh, &srtp->in, keys);
	if (rc == 0)
		rc = policy_of(&policy, keys->profile, &keys->ours, ssrc_any_outbound);
	/* This one keeps counters itself. */
	if (rc == 0 && srtp_update(srtp->out.session, &policy) != srtp_err_status_ok)
		rc = BASE_ERR(BASE_LOCAL, 0);
	if (rc) {
		direction_done(&fresh);
		return rc;
	}
	direction_done(&srtp->old);
	srtp->old = srtp->in;
	srtp->in = fresh;
	return 0;
}

void relay_srtp_forget(struct relay_srtp *srtp)
{
	direction_done(&srtp->old);
}

/* ---- SSRCs ---- */

static bool is_known(struct direction *d, uint32_t ssrc)
{
	if (d->count && d->ssrc[d->last] == ssrc)
		return true;
	for (unsigned i = 0; i < d->count; i++)
		if (d->ssrc[i] == ssrc) {
			d->last = i;
			return true;
		}
	return false;
}

static void learn(struct direction *d, uint32_t ssrc)
{
	d->last = d->count++;
	d->ssrc[d->last] = ssrc;
}

static enum relay_srtp_verdict verdict_of(srtp_err_status_t status)
{
	switch (status) {
	case srtp_err_status_ok:
		return RELAY_SRTP_OK;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return RELAY_SRTP_REPLAYED;
	case srtp_err_status_key_expired:
	case srtp_err_status_alloc_fail:
		return RELAY_SRTP_SPENT;
	default:
		return RELAY_SRTP_BAD;
	}
}

typedef srtp_err_status_t step(srtp_t session, void *data, int *len);

static enum relay_srtp_verdict run(struct direction *d, step *fn, uint8_t *data, size_t *len,
                                   bool rtcp)
{
	size_t at = rtcp ? 4 : 8; /* RFC 3550, 5.1 and 6.4.1 */
	int n = (int)*len;
	enum relay_srtp_verdict verdict;
	uint32_t ssrc;
	bool known;

	if (*len < at + 4)
		return RELAY_SRTP_BAD;
	memcpy(&ssrc, data + at, sizeof(ssrc));
	known = is_known(d, ssrc);
	if (!known && d->count == RELAY_SRTP_SSRCS)
		return RELAY_SRTP_CROWDED;
	verdict = verdict_of(fn(d->session, data, &n));
	if (verdict != RELAY_SRTP_OK)
		return verdict;
	if (!known)
		learn(d, ssrc);
	*len = (size_t)n;
	return verdict;
}

enum relay_srtp_verdict relay_srtp_protect(struct relay_srtp *srtp, uint8_t *data, size_t *len,
                                           bool rtcp)
{
	return run(&srtp->out, rtcp ? srtp_protect_rtcp : srtp_protect, data, len, rtcp);
}

enum relay_srtp_verdict relay_srtp_unprotect(struct relay_srtp *srtp, uint8_t *data, size_t *len,
                                             bool rtcp)
{
	step *fn = rtcp ? srtp_unprotect_rtcp : srtp_unprotect;
	uint8_t copy[RELAY_SRTP_OLD_MAX];
	enum relay_srtp_verdict verdict;
	bool twice = srtp->old.session && *len <= sizeof(copy);

	if (twice)
		memcpy(copy, data, *len); /* a mode of the library decrypts before it knows */
	verdict = run(&srtp->in, fn, data, len, rtcp);
	if (!twice || verdict != RELAY_SRTP_BAD)
		return verdict;
	memcpy(data, copy, *len);
	return run(&srtp->old, fn, data, len, rtcp);
}
