/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages in several datagrams: RFC 8855, 6.2.3. */
#ifndef GH_BFCP_FRAGMENT_H
#define GH_BFCP_FRAGMENT_H

#include "bfcp/link.h"

#define BFCP_MTU_MAX 1500

/**
 * The next fragment of a message, of at most `mtu` octets, into `out`.
 * @param at  where in its payload; 0 at first
 * @return its octets; 0 when there are no more
 */
size_t bfcp_fragment(struct base_str message, size_t mtu, size_t *at, uint8_t out[BFCP_MTU_MAX]);

/**
 * A datagram: a whole message is handed on as it is, of fragments the message that they make.
 * @param ret  empty when more fragments are needed
 * @return 0; BASE_PEER when the datagram is none (its Error, if one can be sent, has been told to
 * `fault`)
 */
int bfcp_gather(struct bfcp_link *l, struct base_str datagram, uint64_t now_ms, uint64_t t2_ms,
                struct base_str *ret);

#endif
