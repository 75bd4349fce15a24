/* SPDX-License-Identifier: Apache-2.0 */
/* Times of repetitions: from the measured round trip (RFC 3525, D.1.3), or by a rule of the user.
 */
#include "h248/txn_private.h"

/* The "N" of D.1.3: deviations added to the average. */
#define DEVIATIONS 4

/* A rule may grow without bounds; no timer needs more than a day. */
#define RULE_MAX_MS 86400000

uint32_t txn_rule_next(const struct h248_timer_rule *rule, uint32_t last_ms)
{
	int64_t next = rule->wait_ms;

	if (last_ms)
		next = (int64_t)last_ms * txn_or(rule->factor, 1) + rule->incr_ms;
	return (uint32_t)BASE_MIN(BASE_MAX(next, (int64_t)1), (int64_t)RULE_MAX_MS);
}

/* ---- the round trip ---- */

uint32_t h248_peer_rtt_ms(const struct h248_peer *peer)
{
	return peer->aad_x8 / 8;
}

static uint32_t clamp_rto(const struct h248_txn *txn, uint32_t ms)
{
	return BASE_MAX(BASE_MIN(ms, txn->config.rto_max_ms), txn->config.rto_min_ms);
}

uint32_t txn_rtt_aad(const struct h248_peer *peer)
{
	uint32_t aad =
	        peer->aad_x8 ? BASE_MAX(peer->aad_x8 / 8, 1U) : peer->txn->config.rto_first_ms;

	return BASE_MAX(aad, peer->backed_off_ms);
}

static uint32_t deviations_of(const struct h248_peer *peer)
{
	return peer->adev_x4 * DEVIATIONS / 4;
}

uint32_t h248_peer_rto_ms(const struct h248_peer *peer)
{
	return clamp_rto(peer->txn, txn_rtt_aad(peer) + deviations_of(peer));
}

/* Exponential smoothing with 1/8 and 1/4, in fixed point, as TCP does. */
void txn_rtt_measured(struct h248_peer *peer, uint64_t rtt)
{
	int64_t diff, aad = peer->aad_x8, adev = peer->adev_x4;

	peer->backed_off_ms = 0;
	rtt = BASE_MIN(BASE_MAX(rtt, (uint64_t)1), (uint64_t)peer->txn->config.rto_max_ms);
	if (!aad) {
		peer->aad_x8 = (uint32_t)rtt * 8;
		peer->adev_x4 = (uint32_t)rtt * 2;
		return;
	}
	diff = (int64_t)rtt - aad / 8;
	aad += diff;
	adev += (diff < 0 ? -diff : diff) - adev / 4;
	peer->aad_x8 = (uint32_t)BASE_MAX(aad, (int64_t)8);
	peer->adev_x4 = (uint32_t)BASE_MAX(adev, (int64_t)0);
}

/* D.1.3, "After any retransmission": double the average, take a random share of it. What is sent
 * next starts from there too, until a request answered at its first sending measures anew (only
 * such a one can: else a round trip longer than the first timer would never be learned). */
uint32_t txn_rtt_back_off(struct h248_peer *peer, uint32_t *aad_ms)
{
	struct h248_txn *txn = peer->txn;

	*aad_ms = BASE_MIN(*aad_ms * 2, txn->config.rto_max_ms);
	peer->backed_off_ms = BASE_MAX(peer->backed_off_ms, *aad_ms);
	return clamp_rto(txn, txn_random(txn, *aad_ms / 2, *aad_ms) + deviations_of(peer));
}
