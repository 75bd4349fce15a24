/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_url.h"

static const struct {
	const char *name;
	unsigned bit;
} attributes[FETCH_LDAP_ATTRIBUTES] = {
	{ "certificateRevocationList", FETCH_LDAP_CRL },
	{ "authorityRevocationList", FETCH_LDAP_ARL },
	{ "deltaRevocationList", FETCH_LDAP_DELTA },
	{ "cACertificate", FETCH_LDAP_CA },
	{ "crossCertificatePair", FETCH_LDAP_CROSS },
};

const char *fetch_ldap_attribute_name(enum fetch_ldap_attribute attribute)
{
	for (size_t i = 0; i < BASE_COUNT(attributes); i++)
		if (attributes[i].bit == attribute)
			return attributes[i].name;
	return "";
}

unsigned fetch_ldap_attribute_of(struct base_str description)
{
	const struct base_str binary = BASE_STR(";binary");
	struct base_str s = description;

	if (s.len > binary.len &&
	    base_str_ieq((struct base_str){ s.ptr + s.len - binary.len, binary.len }, binary))
		s.len -= binary.len;
	for (size_t i = 0; i < BASE_COUNT(attributes); i++)
		if (base_str_ieq(s, base_str_of(attributes[i].name)))
			return attributes[i].bit;
	return 0;
}

static int refuse(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "not an LDAP URL we use: %s (RFC 4516)",
	                      why);
}

/* What stands before the next '?', which is skipped; false when nothing is left. */
static bool field_take(struct base_str *s, struct base_str *ret)
{
	const char *mark = s->ptr ? memchr(s->ptr, '?', s->len) : NULL;

	if (!s->ptr)
		return false;
	*ret = (struct base_str){ s->ptr, mark ? (size_t)(mark - s->ptr) : s->len };
	*s = mark ? (struct base_str){ mark + 1, s->len - ret->len - 1 } : (struct base_str){ 0 };
	return true;
}

/* Undo percent-encoding; `out` holds as much as `s`, and an end. */
static bool decode(struct base_str s, char *out)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t octet = (uint8_t)s.ptr[i];
		size_t len;

		if (octet == '%') {
			if (s.len - i < 3 ||
			    base_hex_decode((struct base_str){ s.ptr + i + 1, 2 }, &octet, 1,
			                    &len) ||
			    !octet)
				return false;
			i += 2;
		}
		*out++ = (char)octet;
	}
	*out = '\0';
	return true;
}

static const char *attributes_read(struct base_str s, unsigned *ret)
{
	char text[FETCH_URL_MAX + 1];
	const char *at = text;

	if (!decode(s, text))
		return "bad percent-encoding in its attributes";
	while (*at) {
		size_t len = strcspn(at, ",");
		unsigned bit = fetch_ldap_attribute_of((struct base_str){ at, len });

		if (!bit)
			return "an attribute that holds neither CRLs nor certificates of "
			       "authorities";
		*ret |= bit;
		at += len + (at[len] == ',');
	}
	return NULL;
}

static const char *scope_read(struct base_str s, struct fetch_ldap_url *url)
{
	static const char *const scopes[] = { "base", "one", "sub" };

	if (!s.len)
		return NULL;
	url->has_scope = true;
	for (unsigned i = 0; i < BASE_COUNT(scopes); i++)
		if (base_str_ieq(s, base_str_of(scopes[i]))) {
			url->scope = (enum fetch_ldap_scope)i;
			return NULL;
		}
	return "its scope is neither base, one nor sub";
}

/* We implement none, so one that is critical forbids the URL (RFC 4516, 2). */
static const char *extensions_read(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '!' && (i == 0 || s.ptr[i - 1] == ','))
			return "it has a critical extension";
	return memchr(s.len ? s.ptr : "", '?', s.len) ? "too many question marks" : NULL;
}

static const char *parts_read(struct base_str rest, struct fetch_ldap_url *url)
{
	const char *why = NULL;
	struct base_str part;

	if (field_take(&rest, &part)) {
		url->has_dn = part.len != 0;
		why = decode(part, url->dn) ? NULL : "bad percent-encoding in its DN";
	}
	if (!why && field_take(&rest, &part))
		why = attributes_read(part, &url->attributes);
	if (!why && field_take(&rest, &part))
		why = scope_read(part, url);
	if (!why && field_take(&rest, &part))
		why = decode(part, url->filter) ? NULL : "bad percent-encoding in its filter";
	return why ? why : extensions_read(rest);
}

int fetch_ldap_url_parse(struct base_str text, struct fetch_ldap_url *ret, struct base_error *err)
{
	struct fetch_ldap_url url = { .dn = "" };
	struct base_str rest = text;
	struct fetch_url at;
	const char *why;
	int rc = fetch_url_parse(text, &at, err);

	if (rc)
		return rc;
	if (at.scheme != FETCH_LDAP && at.scheme != FETCH_LDAPS)
		return refuse(err, "its scheme is another");
	/* what fetch_url_parse() took has exactly two slashes before the host's end */
	rest.ptr = (const char *)memchr(text.ptr, '/', text.len) + 2;
	rest.len = text.len - (size_t)(rest.ptr - text.ptr);
	while (rest.len && *rest.ptr != '/' && *rest.ptr != '?') {
		rest.ptr++;
		rest.len--;
	}
	if (rest.len && *rest.ptr == '?')
		return refuse(err, "no slash behind the host");
	rest = rest.len ? (struct base_str){ rest.ptr + 1, rest.len - 1 } : (struct base_str){ 0 };
	why = parts_read(rest, &url);
	if (why)
		return refuse(err, why);
	*ret = url;
	return 0;
}
