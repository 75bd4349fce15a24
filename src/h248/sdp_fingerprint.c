/* SPDX-License-Identifier: Apache-2.0 */
/* a=fingerprint (RFC 8122, 5). */
#include "h248/sdp_parser.h"

static const struct {
	const char *name;
	uint8_t len;
} hashes[] = {
	[H248_SDP_HASH_OTHER] = { "", 0 },     [H248_SDP_MD2] = { "md2", 16 },
	[H248_SDP_MD5] = { "md5", 16 },        [H248_SDP_SHA1] = { "sha-1", 20 },
	[H248_SDP_SHA224] = { "sha-224", 28 }, [H248_SDP_SHA256] = { "sha-256", 32 },
	[H248_SDP_SHA384] = { "sha-384", 48 }, [H248_SDP_SHA512] = { "sha-512", 64 },
	[H248_SDP_HASH_CHOOSE] = { "", 0 },
};

enum h248_sdp_hash h248_sdp_hash_of(struct base_str name)
{
	for (size_t i = H248_SDP_MD2; i <= H248_SDP_SHA512; i++) {
		if (base_str_ieq(name, base_str_of(hashes[i].name)))
			return (enum h248_sdp_hash)i;
	}
	return H248_SDP_HASH_OTHER;
}

const char *h248_sdp_hash_name(enum h248_sdp_hash hash)
{
	return (size_t)hash < BASE_COUNT(hashes) ? hashes[hash].name : "";
}

size_t h248_sdp_hash_len(enum h248_sdp_hash hash)
{
	return (size_t)hash < BASE_COUNT(hashes) ? hashes[hash].len : 0;
}

static bool is_usable(unsigned hash)
{
	return hash >= H248_SDP_SHA1 && hash <= H248_SDP_SHA512;
}

/* 2UHEX *(":" 2UHEX); lower case is taken too. */
static bool parse_octets(struct base_str s, struct h248_sdp_fingerprint *fp)
{
	size_t count = (s.len + 1) / 3, len;

	if (s.len % 3 != 2 || count > sizeof(fp->octets))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct base_str pair = { s.ptr + 3 * i, 2 };

		if (base_hex_decode(pair, fp->octets + i, 1, &len))
			return false;
		if (i + 1 < count && s.ptr[3 * i + 2] != ':')
			return false;
	}
	fp->len = (uint8_t)count;
	return true;
}

static int parse_value(struct h248_sdp_parser *p, struct base_str value,
                       struct h248_sdp_fingerprint *fp)
{
	struct base_str rest = value;

	fp->name = h248_sdp_field(&rest);
	if (h248_sdp_is_choose(fp->name) && rest.ptr == fp->name.ptr + 1) {
		fp->hash = H248_SDP_HASH_CHOOSE;
		fp->choose = true;
		return 0;
	}
	if (!h248_sdp_is_token(fp->name))
		return h248_sdp_fail(p, value, "hash function expected");
	fp->hash = (uint8_t)h248_sdp_hash_of(fp->name);
	fp->usable = is_usable(fp->hash);
	fp->choose = h248_sdp_is_choose(rest);
	if (fp->choose && !fp->usable)
		return h248_sdp_fail(p, fp->name, "hash function too weak or unknown");
	if (fp->choose)
		return 0;
	if (!parse_octets(rest, fp))
		return h248_sdp_fail(p, rest, "not a fingerprint");
	if (fp->hash && fp->len != h248_sdp_hash_len((enum h248_sdp_hash)fp->hash))
		return h248_sdp_fail(p, rest, "length does not fit the hash function");
	return 0;
}

static bool same(const struct h248_sdp_fingerprint *a, const struct h248_sdp_fingerprint *b)
{
	return base_str_ieq(a->name, b->name) && a->choose == b->choose && a->len == b->len &&
	       !memcmp(a->octets, b->octets, a->len);
}

int h248_sdp_parse_fingerprint(struct h248_sdp_parser *p, struct base_str value)
{
	struct h248_sdp_fingerprint *fp = BASE_NEW(p->arena, struct h248_sdp_fingerprint);
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_LISTED_FINGERPRINT, &first);

	if (rc)
		return rc;
	if (!fp)
		return h248_sdp_no_memory(p);
	rc = parse_value(p, value, fp);
	if (rc)
		return rc;
	if (first) { /* the media's own replace the session's (RFC 8122, 5) */
		p->group->fingerprints = NULL;
		p->fingerprint_end = &p->group->fingerprints;
		p->fingerprints = 0;
		p->unusable_number = 0;
	}
	if (!fp->usable && !p->unusable_number) {
		p->unusable = p->line;
		p->unusable_number = p->number;
	}
	for (struct h248_sdp_fingerprint *old = p->group->fingerprints; old; old = old->next) {
		if (same(old, fp))
			return 0;
	}
	if (p->fingerprints++ == H248_SDP_FINGERPRINTS_MAX)
		return h248_sdp_fail(p, p->line, "too many fingerprints");
	*p->fingerprint_end = fp;
	p->fingerprint_end = &fp->next;
	return 0;
}

int h248_sdp_fingerprint_add(struct base_arena *arena, struct h248_sdp_group *group,
                             enum h248_sdp_hash hash, const uint8_t *octets, size_t len)
{
	struct h248_sdp_fingerprint **end = &group->fingerprints;
	struct h248_sdp_fingerprint *fp;

	if (!is_usable(hash) || len != h248_sdp_hash_len(hash))
		return BASE_ERR(BASE_BUG, 0);
	fp = BASE_NEW(arena, struct h248_sdp_fingerprint);
	if (!fp)
		return BASE_ERR(BASE_LOCAL, 0);
	fp->hash = (uint8_t)hash;
	fp->name = base_str_of(h248_sdp_hash_name(hash));
	fp->usable = true;
	fp->len = (uint8_t)len;
	memcpy(fp->octets, octets, len);
	while (*end)
		end = &(*end)->next;
	*end = fp;
	return 0;
}

enum h248_sdp_hash h248_sdp_fingerprint_best(const struct h248_sdp_group *group)
{
	unsigned best = H248_SDP_HASH_OTHER;

	for (const struct h248_sdp_fingerprint *fp = group->fingerprints; fp; fp = fp->next) {
		if (fp->usable && !fp->choose && fp->hash > best)
			best = fp->hash;
	}
	return (enum h248_sdp_hash)best;
}
