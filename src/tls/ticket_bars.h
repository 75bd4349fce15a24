/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions that were deleted while their clients have tickets: a ticket cannot be taken back, but
 * be refused. All tickets that go back to one full handshake bear its mark, under their protection;
 * the mark of a session that was deleted is barred. Invariants:
 * 1. One set for all workers of a domain, handed on with its ticket keys.
 * 2. Bounded: the mark barred first goes first, when there are TLS_BARS_MAX of them, or a ticket's
 *    lifetime later, when nothing bears it any more.
 */
#ifndef GH_TLS_TICKET_BARS_H
#define GH_TLS_TICKET_BARS_H

#include "base/base.h"

#define TLS_MARK     16 /**< octets */
#define TLS_BARS_MAX 16384

/** Those of one session: OpenSSL's tickets bear one of their own; of GnuTLS's the hash is it, of
 * the one it came by and the one it gave. */
struct tls_marks {
	uint8_t count;
	uint8_t mark[2][TLS_MARK];
};

struct tls_bars;

/** @return 0 or BASE_LOCAL */
int tls_bars_new(struct tls_bars **ret, uint32_t lifetime_s);
/** NULL is fine. */
void tls_bars_free(struct tls_bars *bars);
/** @param now_ms  0 = not known: the latest that was said to it. @return false: no memory, so it is
 * not */
bool tls_bars_add(struct tls_bars *bars, const uint8_t mark[TLS_MARK], uint64_t now_ms);
/** All of them, but those that `others` (may be NULL) has, too. @return false: not all are */
bool tls_bars_add_all(struct tls_bars *bars, const struct tls_marks *marks,
                      const struct tls_marks *others, uint64_t now_ms);
bool tls_bars_has(struct tls_bars *bars, const uint8_t mark[TLS_MARK]);

#endif
