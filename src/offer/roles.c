/* SPDX-License-Identifier: Apache-2.0 */
/** @file What two descriptions come to: who connects, who serves, which versions and types. */
#include <arpa/inet.h>

#include "offer/sdp.h"

static const char *const setups[] = { [OFFER_ACTPASS] = "actpass",
	                              [OFFER_ACTIVE] = "active",
	                              [OFFER_PASSIVE] = "passive",
	                              [OFFER_HOLDCONN] = "holdconn" };

const char *offer_setup_name(enum offer_setup setup)
{
	return setups[setup];
}

bool offer_setup_of(struct base_str name, enum offer_setup *ret)
{
	for (size_t i = 0; i < BASE_COUNT(setups); i++) {
		if (base_str_ieq(name, base_str_of(setups[i]))) {
			*ret = (enum offer_setup)i;
			return true;
		}
	}
	return false;
}

enum offer_setup offer_setup_answer(enum offer_setup offered, enum offer_setup preferred)
{
	switch (offered) {
	case OFFER_ACTIVE:
		return OFFER_PASSIVE;
	case OFFER_PASSIVE:
		return OFFER_ACTIVE;
	case OFFER_HOLDCONN:
		return OFFER_HOLDCONN;
	case OFFER_ACTPASS:
		break;
	}
	return preferred == OFFER_ACTIVE || preferred == OFFER_HOLDCONN ? preferred : OFFER_PASSIVE;
}

bool offer_setup_fits(enum offer_setup offered, enum offer_setup answered)
{
	/* RFC 4145, 4.1: rows are offers, bits are answers */
	static const unsigned table[] = {
		[OFFER_ACTPASS] = 1U << OFFER_ACTIVE | 1U << OFFER_PASSIVE | 1U << OFFER_HOLDCONN,
		[OFFER_ACTIVE] = 1U << OFFER_PASSIVE | 1U << OFFER_HOLDCONN,
		[OFFER_PASSIVE] = 1U << OFFER_ACTIVE | 1U << OFFER_HOLDCONN,
		[OFFER_HOLDCONN] = 1U << OFFER_HOLDCONN,
	};

	return table[offered] & 1U << answered;
}

/* An address in octets, so that spellings of IPv6 are one (RFC 6714, 4.4); 0 for a name. */
static size_t octets_of(struct base_str host, uint8_t out[16])
{
	char text[64];

	if (host.len >= sizeof(text))
		return 0;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

bool offer_path_matches(const struct offer_remote *r)
{
	uint8_t a[16], b[16];
	size_t a_len = octets_of(r->host, a), b_len = octets_of(r->path_host, b);

	if (r->port != r->path_port)
		return false;
	if (!a_len || !b_len)
		return a_len || b_len || base_str_ieq(r->host, r->path_host);
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* One of our types has to be one that the peer takes (RFC 4975, 8.6). */
static bool types_meet(struct base_str ours, struct base_str theirs)
{
	while (ours.len) {
		struct base_str one = offer_word(&ours);

		if (one.len && (offer_type_fits(theirs, one) || base_str_eq(one, BASE_STR("*"))))
			return true;
	}
	return false;
}

static int msrp_agree(const struct offer_media *own, bool cema, const struct offer_remote *r,
                      bool answer, struct offer_stream *ret, struct base_error *err)
{
	bool matches = offer_path_matches(r);

	if (!types_meet(own->msrp.accept_types, r->msrp.accept_types))
		return offer_bad(err, "the peer takes no type of ours (RFC 4975, 8.6)");
	if (!answer && cema && !r->msrp.cema && !matches)
		return offer_bad(err, "c= and m= are not what a=path is, without msrp-cema: a "
		                      "middlebox that does not know MSRP (RFC 6714, 4.3)");
	ret->msrp = r->msrp;
	ret->cema_failed =
	        answer && cema && !r->msrp.cema && !matches && (!ret->tcp_client || r->relayed);
	ret->host = r->path_host;
	ret->port = r->path_port;
	if (cema && r->msrp.cema) {
		ret->host = r->host;
		ret->port = r->port;
	}
	return 0;
}

/* The answerer's role is the opposite of the offerer's; without the attribute the offerer is client
 * (RFC 8856, 5.1). */
static int roles(const struct offer_media *own, const struct offer_remote *r, bool answer,
                 bool *ret_peer_serves, struct base_error *err)
{
	bool peer_serves = !own->bfcp.server;

	if (!r->has_floorctrl && peer_serves != answer)
		return offer_bad(err, "without a=floorctrl the answerer is floor control server "
		                      "(RFC 8856, 5.1)");
	if (r->has_floorctrl && !(peer_serves ? r->may_serve : r->may_be_client))
		return offer_bad(err, "both would be floor control server, or both client (RFC "
		                      "8856, 5.1)");
	*ret_peer_serves = peer_serves;
	return 0;
}

static int bfcp_agree(const struct offer_media *own, const struct offer_remote *r, bool answer,
                      struct offer_stream *ret, struct base_error *err)
{
	unsigned versions = own->bfcp.versions & r->bfcp.versions;
	bool peer_serves = false;
	int rc = roles(own, r, answer, &peer_serves, err);

	if (rc)
		return rc;
	if (!versions)
		return offer_bad(err, "no version of BFCP in common (RFC 8856, 10.2)");
	ret->bfcp = peer_serves ? r->bfcp : own->bfcp;
	ret->bfcp.server = peer_serves;
	ret->bfcp.versions = versions;
	ret->host = r->host;
	ret->port = r->port;
	return 0;
}

int offer_agree(const struct offer_media *own, bool cema, const struct offer_remote *remote,
                bool answer, struct offer_stream *ret, struct base_error *err)
{
	return own->app == OFFER_MSRP ? msrp_agree(own, cema, remote, answer, ret, err)
	                              : bfcp_agree(own, remote, answer, ret, err);
}
