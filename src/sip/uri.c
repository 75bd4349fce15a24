/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/uri.h"

#include <stdio.h>

#include "sip/text.h"

#define BAD BASE_ERR(BASE_PEER, 400)

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)base_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The octet at the start of `s`, an escape resolved; -1 for a `%` that is none. `n`: its length. */
static int octet_at(struct base_str s, size_t *n)
{
	int high, low;

	*n = 1;
	if (s.ptr && s.ptr[0] != '%')
		return (uint8_t)s.ptr[0];
	if (!s.ptr || s.len < 3)
		return -1;
	high = hex_of(s.ptr[1]);
	low = hex_of(s.ptr[2]);
	*n = 3;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Each octet of one of these classes, or a right escape. Empty is fine. */
static bool escaped_ok(struct base_str s, unsigned classes)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '%') {
			if (s.len - i < 3 || hex_of(s.ptr[i + 1]) < 0 || hex_of(s.ptr[i + 2]) < 0)
				return false;
			i += 2;
		} else if (!sip_is(s.ptr[i], classes)) {
			return false;
		}
	}
	return true;
}

/* Equal with escapes resolved. An escape of a reserved character is not that character (19.1.2). */
static bool escaped_equal(struct base_str a, struct base_str b, bool any_case)
{
	static const char reserved[] = ";/?:@&=+$,";

	while (a.len && b.len) {
		size_t na, nb;
		int ca = octet_at(a, &na), cb = octet_at(b, &nb);

		if (any_case) {
			ca = base_lower(ca);
			cb = base_lower(cb);
		}
		if (ca < 0 || ca != cb || (na != nb && ca && strchr(reserved, ca)))
			return false;
		a = sip_from(a, na);
		b = sip_from(b, nb);
	}
	return !a.len && !b.len;
}

static bool ip6_ok(struct base_str s)
{
	size_t colons = 0;

	for (size_t i = 0; i < s.len; i++) {
		colons += s.ptr[i] == ':';
		if (s.ptr[i] != ':' && s.ptr[i] != '.' && hex_of(s.ptr[i]) < 0)
			return false;
	}
	return colons >= 2 && s.len <= 45;
}

bool sip_host_ok(struct base_str host)
{
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		return ip6_ok((struct base_str){ host.ptr + 1, host.len - 2 });
	if (!host.len || host.len > 255 || host.ptr[0] == '-' || host.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		int c = base_lower(host.ptr[i]);

		/* `_` is in no host name, but in names that people have given theirs */
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      (c == '.' && host.ptr[i - 1] != '.')))
			return false;
	}
	return true;
}

/* hostport = host [ ":" port ] */
static int hostport(struct base_str s, struct sip_uri *ret)
{
	size_t n = 0;

	if (s.len && s.ptr[0] == '[') {
		const char *end = memchr(s.ptr, ']', s.len);

		n = end ? (size_t)(end - s.ptr) + 1 : s.len;
	} else {
		while (n < s.len && s.ptr[n] != ':')
			n++;
	}
	ret->host = (struct base_str){ s.ptr, n };
	if (!sip_host_ok(ret->host))
		return BAD;
	if (n < s.len) {
		uint64_t port;

		if (s.ptr[n] != ':' || base_str_u64(sip_from(s, n + 1), 65535, &port) || !port)
			return BAD;
		ret->port = (uint16_t)port;
	}
	return 0;
}

/* Take the next `;name[=value]`. */
static bool param_next(struct base_str *rest, struct sip_param *ret)
{
	struct base_str s = *rest;
	size_t n = 1, eq = 1;

	if (!s.len)
		return false;
	while (n < s.len && s.ptr[n] != ';')
		n++;
	while (eq < n && s.ptr[eq] != '=')
		eq++;
	*ret = (struct sip_param){ .name = { s.ptr + 1, eq - 1 } };
	if (eq < n)
		ret->value = (struct base_str){ s.ptr + eq + 1, n - eq - 1 };
	*rest = sip_from(s, n);
	return true;
}

static bool param_of(struct base_str params, struct base_str name, struct base_str *ret)
{
	struct sip_param param;

	while (param_next(&params, &param)) {
		if (!escaped_equal(param.name, name, true))
			continue;
		if (ret)
			*ret = param.value;
		return true;
	}
	return false;
}

/* ";" pname [ "=" pvalue ] ..., no name twice (19.1.1) */
static bool params_ok(struct base_str s)
{
	struct base_str rest = s;
	struct sip_param param;
	unsigned count = 0;

	if (s.len && s.ptr[0] != ';')
		return false;
	while (param_next(&rest, &param)) {
		if (!param.name.len || !escaped_ok(param.name, SIP_CH_PARAM) ||
		    (param.value.ptr && !escaped_ok(param.value, SIP_CH_PARAM)) ||
		    count++ == SIP_URI_PARAMS_MAX)
			return false;
		if (param_of((struct base_str){ s.ptr, (size_t)(param.name.ptr - s.ptr) - 1 },
		             param.name, NULL))
			return false;
	}
	return true;
}

/* headers = "?" header *( "&" header ): characters, and how many */
static bool headers_ok(struct base_str s)
{
	size_t count = 1;

	for (size_t i = 0; i < s.len; i++)
		count += s.ptr[i] == '&';
	return count <= SIP_URI_HEADERS_MAX && escaped_ok(s, SIP_CH_HEADER | SIP_CH_USER);
}

/* userinfo = user [ ":" password ] "@"; an `@` can be nowhere else unescaped */
static int userinfo(struct base_str s, struct sip_uri *ret)
{
	const char *colon = memchr(s.ptr, ':', s.len);

	ret->user = s;
	if (colon) {
		ret->user.len = (size_t)(colon - s.ptr);
		ret->password = sip_from(s, ret->user.len + 1);
		if (!escaped_ok(ret->password, SIP_CH_PASSWORD))
			return BAD;
	}
	return ret->user.len && escaped_ok(ret->user, SIP_CH_USER) ? 0 : BAD;
}

static int sip_rest(struct base_str s, struct sip_uri *ret)
{
	const char *at = memchr(s.ptr, '@', s.len);
	size_t n = 0;

	if (at) {
		int rc = userinfo((struct base_str){ s.ptr, (size_t)(at - s.ptr) }, ret);

		if (rc)
			return rc;
		s = sip_from(s, (size_t)(at - s.ptr) + 1);
	}
	while (n < s.len && s.ptr[n] != '?')
		n++;
	if (n < s.len) {
		ret->headers = sip_from(s, n + 1);
		if (!headers_ok(ret->headers))
			return BAD;
		s.len = n;
	}
	for (n = 0; n < s.len && s.ptr[n] != ';';)
		n++;
	ret->params = sip_from(s, n);
	if (!params_ok(ret->params))
		return BAD;
	return hostport((struct base_str){ s.ptr, n }, ret);
}

/* telephone-subscriber (RFC 3966, 3) */
static int tel_rest(struct base_str s, struct sip_uri *ret)
{
	size_t n = 0, digits = 0;

	for (; n < s.len && s.ptr[n] != ';'; n++) {
		if (s.ptr[n] == '+' ? n > 0 : !strchr("0123456789abcdefABCDEF*#-.()", s.ptr[n]))
			return BAD;
		digits += !strchr("+-.()", s.ptr[n]);
	}
	ret->user = (struct base_str){ s.ptr, n };
	ret->params = sip_from(s, n);
	return digits && n <= SIP_URI_TEL_MAX && params_ok(ret->params) ? 0 : BAD;
}

int sip_uri_parse(struct base_str text, struct sip_uri *ret)
{
	static const struct {
		const char *name;
		enum sip_scheme scheme;
	} schemes[] = { { "sip", SIP_SCHEME_SIP },
		        { "sips", SIP_SCHEME_SIPS },
		        { "tel", SIP_SCHEME_TEL } };
	struct sip_uri uri = { .text = text };
	const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	struct base_str rest;
	int rc = 0;

	if (!colon || colon == text.ptr || !escaped_ok(text, SIP_CH_URI))
		return BAD;
	uri.name = (struct base_str){ text.ptr, (size_t)(colon - text.ptr) };
	rest = sip_from(text, uri.name.len + 1);
	for (size_t i = 0; i < uri.name.len; i++) {
		int c = base_lower(uri.name.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && (!i || !strchr("0123456789+-.", c)))
			return BAD;
	}
	for (size_t i = 0; i < BASE_COUNT(schemes); i++) {
		if (base_str_ieq(uri.name, base_str_of(schemes[i].name)))
			uri.scheme = schemes[i].scheme;
	}
	if (uri.scheme == SIP_SCHEME_TEL)
		rc = tel_rest(rest, &uri);
	else if (uri.scheme)
		rc = sip_rest(rest, &uri);
	if (!rc)
		*ret = uri;
	return rc;
}

bool sip_uri_param(const struct sip_uri *uri, const char *name, struct base_str *ret)
{
	return param_of(uri->params, base_str_of(name), ret);
}

/*
 * Those of `a` against those of `b` (19.1.4): equal where both have one; user, ttl, method, maddr
 * may not be missing from either, nor may transport, which the examples there say.
 */
static bool params_match(const struct sip_uri *a, const struct sip_uri *b)
{
	static const char *const bound[] = { "user", "ttl", "method", "maddr", "transport" };
	struct base_str rest = a->params, other;
	struct sip_param param;

	while (param_next(&rest, &param)) {
		if (param_of(b->params, param.name, &other)) {
			if (!escaped_equal(param.value, other, true))
				return false;
			continue;
		}
		for (size_t i = 0; i < BASE_COUNT(bound); i++) {
			if (base_str_ieq(param.name, base_str_of(bound[i])))
				return false;
		}
	}
	return true;
}

/* Each of `a` is in `b`, with the same value (RFC 3966, 4: of a tel URI none may be missing). */
static bool params_in(const struct sip_uri *a, const struct sip_uri *b)
{
	struct base_str rest = a->params, other;
	struct sip_param param;

	while (param_next(&rest, &param)) {
		if (!param_of(b->params, param.name, &other) ||
		    !escaped_equal(param.value, other, true))
			return false;
	}
	return true;
}

/* Each `hname=hvalue` of `a` is in `b`. */
static bool headers_in(struct base_str a, struct base_str b)
{
	while (a.len) {
		const char *end = memchr(a.ptr, '&', a.len);
		struct base_str one = { a.ptr, end ? (size_t)(end - a.ptr) : a.len }, rest = b;
		bool found = false;

		a = sip_from(a, one.len + (end != NULL));
		while (rest.len && !found) {
			const char *stop = memchr(rest.ptr, '&', rest.len);
			struct base_str two = { rest.ptr,
				                stop ? (size_t)(stop - rest.ptr) : rest.len };

			found = escaped_equal(one, two, true);
			rest = sip_from(rest, two.len + (stop != NULL));
		}
		if (!found)
			return false;
	}
	return true;
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme || !base_str_ieq(a->name, b->name))
		return false;
	if (a->scheme == SIP_SCHEME_OTHER)
		return base_str_eq(sip_from(a->text, a->name.len), sip_from(b->text, b->name.len));
	if (a->scheme == SIP_SCHEME_TEL) {
		char one[SIP_URI_KEY_MAX], two[SIP_URI_KEY_MAX];
		size_t len = sip_uri_key(a, one, sizeof(one));

		return len && len == sip_uri_key(b, two, sizeof(two)) && !memcmp(one, two, len) &&
		       params_in(a, b) && params_in(b, a);
	}
	return !a->user.ptr == !b->user.ptr && escaped_equal(a->user, b->user, false) &&
	       !a->password.ptr == !b->password.ptr &&
	       escaped_equal(a->password, b->password, false) && base_str_ieq(a->host, b->host) &&
	       a->port == b->port && params_match(a, b) && params_match(b, a) &&
	       headers_in(a->headers, b->headers) && headers_in(b->headers, a->headers);
}

/* unreserved = alphanum / mark: may be escaped, and need not */
static bool unreserved(int c)
{
	return c && (sip_is((char)c, SIP_CH_TOKEN) ? !strchr("%`+", c) : c == '(' || c == ')');
}

/* The user of a sip URI as a key has it: what needs no escape loses it, others keep `%XX`. */
static size_t user_key(struct base_str s, char *out, size_t cap)
{
	size_t len = 0, n;

	for (; s.len; s = sip_from(s, n)) {
		int c = octet_at(s, &n);

		if (len + 4 > cap)
			return 0;
		if (n == 1 || unreserved(c))
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, 4, "%%%02X", (unsigned)c);
	}
	return len;
}

static size_t tel_key(struct base_str s, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (strchr("-.()", s.ptr[i]))
			continue;
		if (len == cap)
			return 0;
		out[len++] = (char)base_lower(s.ptr[i]);
	}
	return len;
}

size_t sip_uri_key(const struct sip_uri *uri, char *out, size_t cap)
{
	size_t len = 0;

	if (uri->scheme == SIP_SCHEME_TEL)
		return tel_key(uri->user, out, cap);
	if (uri->scheme == SIP_SCHEME_OTHER)
		return 0;
	if (uri->user.ptr) {
		len = user_key(uri->user, out, cap);
		if (!len || len == cap)
			return 0;
		out[len++] = '@';
	}
	if (uri->host.len + 7 > cap - len)
		return 0;
	for (size_t i = 0; i < uri->host.len; i++)
		out[len++] = (char)base_lower(uri->host.ptr[i]);
	if (uri->port)
		len += (size_t)snprintf(out + len, cap - len, ":%u", uri->port);
	return len;
}
