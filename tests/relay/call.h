/* SPDX-License-Identifier: Apache-2.0 */
/** @file An endpoint with DTLS and its partner in the clear; the peers of both are the test's. */
#ifndef GH_TESTS_RELAY_CALL_H
#define GH_TESTS_RELAY_CALL_H

#include "../tls/lab.h"
#include "relay/dgram.h"
#include "udp_peer.h"

/** An endpoint with DTLS, its partner in the clear, and the peers of both. */
struct call {
	struct stage stage;
	struct lab_sides *sides;
	struct record front, back;
	struct tls_domain *domain;
	struct relay_tls_spec tls;
	int peer[2], peer_port; /**< the partner's, RTCP second */
	/* The far end: */
	int fd, port, to; /**< its socket, and where the endpoint is */
	struct tls_domain *far_domain;
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer out;
	struct relay_srtp *srtp;
	unsigned lose; /**< bits: datagrams of the far end that do not arrive, by their number */
	unsigned sent;
	unsigned asked; /**< for a cookie */
	uint64_t now_ms;
};

/** Both endpoints, linked. `role` is that of the one with DTLS. */
void call_make(struct call *call, void *state, enum tls_role role,
               const struct relay_dgram_spec *front, const struct relay_dgram_spec *back);
/** The same by this domain, in such a pool; NULL = the usual. */
void call_make_as(struct call *call, void *state, enum tls_role role,
                  const struct relay_dgram_spec *front, const struct relay_dgram_spec *back,
                  const struct tls_domain_spec *domain, const struct relay_pool_spec *pool);
/** Another call by the same domains and contexts, when the last one is over. */
void call_again(struct call *call, enum tls_role role, const struct relay_dgram_spec *front,
                const struct relay_dgram_spec *back);
/** Both endpoints are gone then. */
void call_over(struct call *call);
void call_done(struct call *call);

/** The far end, in the other role. */
void dtls_make(struct call *call, enum tls_role role, const uint16_t *profiles, size_t count);
void dtls_make_as(struct call *call, enum tls_role role, const uint16_t *profiles, size_t count,
                  const struct tls_domain_spec *domain);
/** What it has written goes out. */
void dtls_flush(struct call *call);
/** The next datagram, or what its session does at its deadline when none comes: its clock is the
 * test's and goes only then. */
int dtls_step(struct call *call);
/** Until its handshake is done. */
void dtls_shake(struct call *call);
void dtls_write(struct call *call, const void *data, size_t len);
/** One message, or with `len` 0 the end. */
void dtls_expect(struct call *call, const void *data, size_t len);
/** Make `srtp` of what was agreed on. */
void dtls_keys(struct call *call);
/** Messages of several lengths go both ways. */
void talk(struct call *call);

#endif
