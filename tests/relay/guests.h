/* SPDX-License-Identifier: Apache-2.0 */
/** @file DTLS servers whose peers are not known yet, and clients that come to them. */
#ifndef GH_TESTS_RELAY_GUESTS_H
#define GH_TESTS_RELAY_GUESTS_H

#include "check.h"

#include "../tls/lab.h"
#include "relay/dgram.h"
#include "udp_peer.h"

struct guests {
	struct stage stage;
	struct lab_sides *sides;
	struct tls_domain *domain;
};

/** Two workers, and a domain that goes by fingerprints. */
void guests_begin(struct guests *s, void *state);
void guests_end(struct guests *s);
struct tls_domain *guests_domain(struct guests *s, const char *name);

/** A client far away: one session of its own engine. */
struct guest {
	int fd, port, to;
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer out;
	uint64_t now_ms;
	int rc;
};

void guest_make(struct guest *g, struct guests *s, struct x509_identity *identity, int to);
void guest_done(struct guest *g);
/** What it has written goes out. */
void guest_flush(struct guest *g);
/** One turn of it; after the handshake what comes is read and forgotten. */
void guest_step(struct guest *g);
void guest_say(struct guest *g, const char *text);

/** Until an endpoint has told something, or with `record` NULL the client is through. */
struct wish {
	struct guest *guest;
	size_t guests;
	const struct record *record;
	enum relay_event_kind kind;
	unsigned count;
};
void guest_until(struct guests *s, struct guest *g, const struct record *record,
                 enum relay_event_kind kind, unsigned count);

/** A gateway's end with its partner in the clear, and what is behind that. */
struct end {
	struct record front, back;
	struct relay_context *context; /**< NULL: the stage's */
	int peer, peer_port;
	struct x509_fingerprint print;
	struct relay_tls_spec tls;
};

/** Fill `ret` for its front; `port` 0 = any, `expected` NULL = no fingerprint yet. */
void end_spec(struct guests *s, struct end *e, struct relay_endpoint_spec *ret,
              const struct x509_identity *expected, const struct relay_dgram_spec *dgram, int port);
/** Its partner, and the partner's peer. */
void end_back(struct guests *s, struct end *e);
/** All of it, linked. */
void end_make(struct guests *s, struct end *e, const struct x509_identity *expected,
              const struct relay_dgram_spec *dgram, int port);
void end_done(struct end *e);
/** Another fingerprint is ordered. */
void end_expect(struct end *e, const struct x509_identity *who);
/** What the client says comes to the partner's peer. */
void end_hears(struct guests *s, struct end *e, struct guest *g, const char *text);

#endif
