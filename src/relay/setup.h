/* SPDX-License-Identifier: Apache-2.0 */
/** @file What an endpoint is told to do: a copy of its own. */
#ifndef GH_RELAY_SETUP_H
#define GH_RELAY_SETUP_H

#include "relay/socket.h"

/** Of an endpoint with TLS; wiped when freed. */
struct relay_tls_setup {
	struct tls_domain *domain;       /**< referenced */
	struct tls_session_spec session; /**< points into `copies` */
	uint32_t mark;                   /**< its number, control's */
	size_t len;                      /**< octets of `copies` */
	_Alignas(16) uint8_t copies[];
};

/** Free after the start; counted on one thread at a time (made by control, then the worker's). */
struct relay_setup {
	unsigned refs;
	bool server : 1, connect_now : 1, linked_setup : 1, linked_tls : 1, tls_hold : 1;
	bool on_partner_open : 1;
	bool heap : 1; /**< storage of its own */
	int arrived;   /**< who came and is not judged yet (connect.c); -1 = nobody */
	unsigned connect_timeout_ms, handshake_timeout_ms; /**< 0 only for a server: for ever */
	union relay_address remote;
	struct relay_tls_setup *tls; /**< NULL without TLS */
};

/** Deep copy of `spec`, TLS included, into zeroed storage that lives longer. To be unreferenced
 * even when it fails. @return 0, or BASE_LOCAL errno */
int relay_setup_init(struct relay_setup *setup, const struct relay_endpoint_spec *spec);
/** Likewise into storage of its own. */
int relay_setup_new(struct relay_setup **ret, const struct relay_endpoint_spec *spec);
/** Replace the TLS part. @return 0, or BASE_LOCAL with the setup as it was. */
int relay_setup_tls(struct relay_setup *setup, const struct relay_tls_spec *tls);
void relay_setup_unref(struct relay_setup *setup);

#endif
