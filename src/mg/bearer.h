/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Legs: the bearer of one stream, made from what its Local, Remote and LocalControl say.
 */
#ifndef GH_MG_BEARER_H
#define GH_MG_BEARER_H

#include "mg/run.h"
#include "mg/world.h"

/* NULL when memory is short. */
struct mg_bearer *mg_bearer_new(struct mg *mg);
/* The last one ends the relay context. NULL is fine. */
void mg_bearer_unref(struct mg *mg, struct mg_bearer *bearer);

/* stream.c: what its descriptors mean. */
/* Who connects, by a=setup of both sides and the signal (RFC 4145, 4; spec section 4). */
struct mg_tcp_role {
	bool client;
	bool fixed;    /* a=setup decided, a signal cannot */
	bool conflict; /* both sides would do the same: 473 */
	bool hold;     /* holdconn */
};
struct mg_tcp_role mg_stream_tcp_role(const struct mg_stream *stream);
/* Explicit role wins, else tlsbsc/EstBNC makes the client (TLSPROF 8.2). */
enum tls_role mg_stream_tls_role(const struct mg_stream *stream);
bool mg_stream_tls(const struct mg_stream *stream);
/* The domain the stream names, or the default one; NULL = none. */
const struct mg_domain *mg_stream_domain(const struct mg *mg, const struct mg_stream *stream);

/* dgram.c: streams of datagrams (docs/datagrams.md). */
struct mg_proto {
	const char *name; /* of an m= line */
	bool rtp, dtls;
};
/* NULL: not one of datagrams, or none that is understood. */
const struct mg_proto *mg_proto_find(const struct h248_sdp_media *media);
bool mg_stream_udp(const struct mg_stream *stream);
bool mg_stream_rtp(const struct mg_stream *stream);
bool mg_stream_dtls(const struct mg_stream *stream);
/* By a=setup of both sides and the signal. */
enum tls_role mg_stream_dtls_role(const struct mg_stream *stream);
/* Its fingerprints in Remote; 0 = none. */
uint64_t mg_stream_prints(const struct mg_stream *stream);
/* Two that differ want two DTLS associations. */
uint64_t mg_stream_association(const struct mg_stream *stream);
bool mg_term_has_rtp(const struct mg_term *term);
void mg_dgram_fill(const struct mg_stream *stream, struct relay_dgram_spec *ret);

/* leg_udp.c: their legs. */
/* Where its peer is; false: that is not known. */
bool mg_dgram_remote(const struct mg_stream *stream, struct sockaddr_storage *ret);
void mg_leg_udp_fill(struct mg_leg *leg, const struct mg_stream *stream,
                     struct relay_endpoint_spec *spec, struct relay_dgram_spec *dgram);
bool mg_leg_udp_fits(const struct mg_leg *leg, const struct mg_stream *stream);
int mg_leg_udp_update(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream);
/*
 * While a command is planned: the peer of a shared port that it brings is the leg's from now on, or
 * is refused. A command that fails forgets it.
 */
int mg_leg_peer_keep(struct mg_run *run, const struct mg_stream *stream);
void mg_leg_peer_forget(struct mg *mg, const struct mg_stream *stream);
/* Tell the bearer where Remote is now; with `latch` it learns it from who comes first. */
int mg_leg_aim(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream, bool latch);
/** Has it latched for that very Remote? Then one that is repeated is no news. */
bool mg_leg_latched(const struct mg_leg *leg, const struct mg_stream *stream);

/*
 * Bind (and, as a server, listen) for the stream's Local, in place of the leg that it has, which
 * stays as it is. Nothing else in the world changes.
 * @return 0; BASE_PEER or BASE_LOCAL with an H.248 code as detail and the reason in `err`
 */
int mg_leg_new(struct mg_leg **ret, struct mg *mg, struct mg_bearer *bearer, struct mg_term *term,
               const struct mg_stream *stream, const struct mg_domain *domain,
               struct base_error *err);
/* Its address and port. */
void mg_leg_local(const struct mg_leg *leg, struct sockaddr_storage *ret);
/* "" without TLS. */
const char *mg_leg_domain(const struct mg_leg *leg);
/* It and its partner know each other no more; the relay is told by others. */
void mg_leg_part(struct mg_leg *leg);
/* Ends the bearer. NULL is fine. */
void mg_leg_free(struct mg *mg, struct mg_leg *leg);
/* Can it serve this stream as it is now ordered, or must another one be made? */
bool mg_leg_fits(const struct mg_leg *leg, const struct mg_stream *stream,
                 const struct mg_domain *domain);
/* Tell it what may still change: remote address, fingerprints, keys, role. */
int mg_leg_update(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream,
                  const struct mg_domain *domain);
/* All that this stream has carried, over all its endpoints. */
void mg_leg_stats(const struct mg *mg, const struct mg_leg *leg, struct relay_stats *ret);

/* settle.c: link what belongs together and set directions; orders only what has changed (7.1.6,
 * 7.1.7). */
void mg_context_settle(struct mg *mg, struct mg_context *context);

/* leg_tls.c: what a leg's session is told. */
struct mg_tls_order {
	struct relay_tls_spec spec;
	struct x509_fingerprint finger[MG_FINGERS_MAX];
};
void mg_leg_tls_fill(struct mg_tls_order *order, const struct mg_leg *leg,
                     const struct mg_stream *stream, const struct mg_domain *domain);
/*
 * What the stream says of its peer is what the bearer is told next. @return whether it is another
 * than before: then a session that there is has to be held against it
 */
bool mg_leg_peer_anew(struct mg_leg_session *t, const struct mg_stream *stream);

/* leg_bind.c: its port. */
/*
 * 0 = any: CHOOSE; 9, the port of those who connect (RFC 4145, 4.1); and the port of the leg that
 * is to be replaced, which still holds it (the reply then tells another one).
 */
uint16_t mg_port_wanted(const struct h248_sdp_group *g, const struct mg_leg *old);
/* The given port, or one of the range, starting after the last one used; or the kernel's. */
int mg_leg_bind(struct mg_leg *leg, struct relay_context *relay, struct relay_endpoint_spec *spec,
                uint16_t port, struct base_error *err);
/* The bearer's errno as a code of H.248 with words. */
int mg_bind_error(int rc, uint16_t port, struct base_error *err);

/* addresses.c */
/* The host of a c= line without its port; false when the gateway has to choose. */
bool mg_host_given(const struct h248_sdp_connection *c, struct sockaddr_storage *ret);
/*
 * One of our media addresses: the one given, or the next of the family and realm asked for. One
 * that is given may be of any realm unless one is named.
 */
int mg_host_pick(struct mg *mg, const struct h248_sdp_connection *c, const char *realm,
                 struct sockaddr_storage *ret, struct base_error *err);
bool mg_host_in_realm(const struct mg_settings *set, const struct sockaddr_storage *host,
                      const char *realm);
void mg_port_set(struct sockaddr_storage *address, uint16_t port);
uint16_t mg_port_of(const struct sockaddr_storage *address);
/* Same address, whatever port. */
bool mg_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/* events.c: what the relay tells. */
void mg_leg_event(void *arg, struct relay_endpoint *endpoint, const struct relay_event *event);

/* events.c: an order for it found no memory; `kind`, a failure, is what the controller hears. */
void mg_leg_unable(struct mg_leg *leg, enum relay_event_kind kind);

#endif
