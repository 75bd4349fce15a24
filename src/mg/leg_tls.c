/* SPDX-License-Identifier: Apache-2.0 */
/* What a leg's session is told: its role, its keys, and who its peer has to be. */
#include "mg/bearer.h"
#include "mg/part.h"

static bool hash_of(unsigned sdp, enum x509_hash *ret)
{
	switch (sdp) {
	case H248_SDP_SHA1:
		*ret = X509_HASH_SHA1;
		return true;
	case H248_SDP_SHA224:
		*ret = X509_HASH_SHA224;
		return true;
	case H248_SDP_SHA256:
		*ret = X509_HASH_SHA256;
		return true;
	case H248_SDP_SHA384:
		*ret = X509_HASH_SHA384;
		return true;
	case H248_SDP_SHA512:
		*ret = X509_HASH_SHA512;
		return true;
	default:
		return false;
	}
}

/* Only those of the strongest hash count (RFC 8122, 5.1). */
static size_t fingers_fill(struct x509_fingerprint *finger, const struct h248_sdp_group *remote)
{
	enum h248_sdp_hash best = remote ? h248_sdp_fingerprint_best(remote) : H248_SDP_HASH_OTHER;
	size_t n = 0;

	for (const struct h248_sdp_fingerprint *f = remote ? remote->fingerprints : NULL;
	     f && n < MG_FINGERS_MAX; f = f->next) {
		if (f->hash != best || !f->usable || f->choose ||
		    !hash_of(f->hash, &finger[n].hash))
			continue;
		memcpy(finger[n].octets, f->octets, f->len);
		finger[n++].len = f->len;
	}
	return n;
}

_Static_assert((int)H248_RENEG_BOTH == (int)TLS_RENEGOTIATE_BOTH &&
                       (int)H248_RENEG_INITIATE == (int)TLS_RENEGOTIATE_INITIATE &&
                       (int)H248_RENEG_ACCEPT == (int)TLS_RENEGOTIATE_ACCEPT &&
                       (int)H248_RENEG_REFUSE == (int)TLS_RENEGOTIATE_REFUSE,
               "gatehouse/reneg is what sessions know");

void mg_leg_tls_fill(struct mg_tls_order *order, const struct mg_leg *leg,
                     const struct mg_stream *stream, const struct mg_domain *domain)
{
	struct tls_session_spec *s = &order->spec.session;

	memset(order, 0, sizeof(*order));
	order->spec.domain = domain->tls;
	order->spec.mark = leg->session->mark;
	s->role = mg_stream_tls_role(stream);
	s->fingerprint_count = fingers_fill(order->finger, stream->remote.groups);
	s->fingerprints = order->finger;
	if (stream->keys) {
		s->psks = stream->keys->psk;
		s->psk_count = stream->keys->count;
	}
	s->psk_hint = stream->psk_hint;
	s->peer_name = stream->peer_name;
	s->server_name = stream->server_name;
	s->renegotiate = (enum tls_renegotiate)stream->renegotiate;
}

static bool same_keys(const struct mg_keys *a, const struct mg_keys *b)
{
	bool same = a && b && a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = base_str_eq(a->psk[i].identity, b->psk[i].identity) &&
		       base_secret_equal(a->psk[i].key.data, a->psk[i].key.len, b->psk[i].key.data,
		                         b->psk[i].key.len);
	return same;
}

bool mg_leg_peer_anew(struct mg_leg_session *t, const struct mg_stream *stream)
{
	uint64_t prints = mg_stream_prints(stream);
	bool anew = (prints && prints != t->prints) ||
	            (stream->keys && !same_keys(stream->keys, t->keys));

	t->association = mg_stream_association(stream);
	t->mark += anew;
	t->prints = prints;
	if (t->keys != stream->keys) {
		mg_keys_unref(t->keys);
		t->keys = mg_keys_ref(stream->keys);
	}
	return anew;
}
