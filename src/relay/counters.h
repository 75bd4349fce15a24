/* SPDX-License-Identifier: Apache-2.0 */
/** @file The counters of a leg, and those of the pool. */
#ifndef GH_RELAY_COUNTERS_H
#define GH_RELAY_COUNTERS_H

#include <stdatomic.h>

#include "base/base.h"

/** The one list of them: struct, snapshot and their order (relay.h, struct relay_stats). */
#define RELAY_COUNTERS(X)                                                                          \
	X(octets_in)                                                                               \
	X(octets_out)                                                                              \
	X(wire_in)                                                                                 \
	X(wire_out)                                                                                \
	X(records_in)                                                                              \
	X(records_out)                                                                             \
	X(handshakes)                                                                              \
	X(handshake_failures)                                                                      \
	X(resumptions)                                                                             \
	X(handshake_ms)                                                                            \
	X(auth_failures)                                                                           \
	X(alerts_in)                                                                               \
	X(alerts_out)                                                                              \
	X(renegotiations)                                                                          \
	X(renegotiation_failures)                                                                  \
	X(segments_retransmitted)                                                                  \
	X(buffered_peak)                                                                           \
	X(condemned)                                                                               \
	X(refused)                                                                                 \
	X(packets_in)                                                                              \
	X(packets_out)                                                                             \
	X(packets_lost)                                                                            \
	X(messages_in)                                                                             \
	X(messages_out)

struct relay_counters {
#define X(name) _Atomic uint64_t name;
	RELAY_COUNTERS(X)
#undef X
};

/** The one writer needs no locked instruction. */
static inline void relay_count_set(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}
static inline uint64_t relay_count_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}
static inline void relay_count_add(_Atomic uint64_t *counter, uint64_t value)
{
	relay_count_set(counter, relay_count_get(counter) + value);
}

/** Of the pool; many writers, seldom. */
#define RELAY_TRUST_COUNTERS(X)                                                                    \
	X(revoked)                                                                                 \
	X(crl_missing)                                                                             \
	X(crl_stale)                                                                               \
	X(condemned)                                                                               \
	X(waits)                                                                                   \
	X(waits_lost)

struct relay_trust_counters {
#define X(name) _Atomic uint64_t name;
	RELAY_TRUST_COUNTERS(X)
#undef X
};
static inline void relay_trust_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif
