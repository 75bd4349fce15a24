/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a TLS handshake costs this machine. Private to this folder. */
#ifndef GH_EDGE_MEASURE_H
#define GH_EDGE_MEASURE_H

#include "tls/tls.h"

/**
 * Shake hands with ourselves in memory, some times, and take the least processor time that the
 * server's side took.
 * @return microseconds, at least 1; 0 = it could not be done
 */
uint64_t edge_measure_full(struct tls_domain *domain);

#endif
