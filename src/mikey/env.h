/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the library asks of its caller: random octets, the time, what to remember of messages that
 * were taken.
 */
#ifndef GH_MIKEY_ENV_H
#define GH_MIKEY_ENV_H

#include "base/base.h"

struct evp_pkey_st; /* libcrypto's EVP_PKEY */
struct mikey_replay;
struct mikey_kept;

/** Fill with random octets. @return 0, or BASE_LOCAL. base_random fits behind it. */
typedef int mikey_random_fn(void *arg, void *out, size_t len);

struct mikey_env {
	mikey_random_fn *random; /**< NULL: base_random */
	void *random_arg;
	uint64_t now;                /**< NTP-UTC: seconds since 1900, and 32 bits of fraction */
	uint32_t skew_s;             /**< how far a timestamp may be from `now`; 0 = 300 s */
	struct mikey_replay *replay; /**< NULL: replays are not looked for */
	struct mikey_kept *kept;     /**< NULL: what hashes and encrypts is made anew each time */
	/** What is taken from peers: bit n is the algorithm with that number, 0 = all. NULL is
	 * never taken. */
	uint32_t prfs, encrs, macs;
};

int mikey_random(const struct mikey_env *env, void *out, size_t len);
/** NTP-UTC of a time of the kernel's (RFC 4330, 3). Pure. */
uint64_t mikey_ntp(uint64_t unix_s, uint32_t ns);
/** Seconds since 1900 as a number that does not go round in 2036, of the 32 bits of a timestamp in
 * 1968 to 2104 (RFC 4330, 3). Pure. */
uint64_t mikey_ntp_seconds(uint32_t s);

/**
 * A replay cache (RFC 3830, 5.4) for `max` messages. When it is full its oldest is forgotten, and
 * nothing as old as that is taken any more: the window shrinks, a replay never gets in.
 * @return NULL when memory is short
 */
struct mikey_replay *mikey_replay_new(size_t max);
void mikey_replay_free(struct mikey_replay *replay);
/** How many are remembered. */
size_t mikey_replay_count(const struct mikey_replay *replay);

/**
 * libcrypto's HMAC, hashes and ciphers, looked up once and ready for the next key: an exchange then
 * takes a third of the time. What was derived from the last key stays in it until the next use, or
 * until it is freed.
 * @return NULL when memory is short
 */
struct mikey_kept *mikey_kept_new(void);
void mikey_kept_free(struct mikey_kept *kept);

#endif
