/* SPDX-License-Identifier: Apache-2.0 */
/* MSRP URIs: RFC 4975, 6 (meaning), 6.1 (comparison), 9 (syntax). */
#include "msrp/uri.h"

#include <arpa/inet.h>

#include "msrp/lex.h"

#define BAD BASE_ERR(BASE_PEER, 400)

static struct base_str cut(struct base_str s, size_t from)
{
	return (struct base_str){ s.ptr + from, s.len - from };
}

/** The octets before the first of `stop`, or all; taken off `s`. */
static struct base_str until(struct base_str *s, const char *stop)
{
	size_t n = 0;

	while (n < s->len && !(s->ptr[n] && strchr(stop, s->ptr[n])))
		n++;
	*s = (struct base_str){ s->ptr + n, s->len - n };
	return (struct base_str){ s->ptr - n, n };
}

static bool all(struct base_str s, bool (*is)(unsigned char))
{
	for (size_t i = 0; i < s.len; i++)
		if (!is((unsigned char)s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool is_unreserved(unsigned char c)
{
	return msrp_is_alphanum(c) || (c && strchr("-._~", c));
}

static bool is_session(unsigned char c)
{
	return is_unreserved(c) || (c && strchr("+=/", c));
}

/* reg-name and userinfo of RFC 3986; "%" is let stand wherever it is */
static bool is_host(unsigned char c)
{
	return is_unreserved(c) || (c && strchr("%!$&'()*+,=", c));
}

static bool is_user(unsigned char c)
{
	return is_host(c) || c == ';' || c == ':';
}

static bool is_address(unsigned char c)
{
	return msrp_is_alphanum(c) || c == ':' || c == '.';
}

static int read_port(struct base_str s, struct msrp_uri *uri)
{
	uint64_t port;

	if (!s.len)
		return 0;
	if (s.ptr[0] != ':' || base_str_u64(cut(s, 1), UINT16_MAX, &port))
		return BAD;
	uri->has_port = true;
	uri->port = (uint16_t)port;
	return 0;
}

static int read_authority(struct base_str s, struct msrp_uri *uri)
{
	const char *at = memrchr(s.ptr, '@', s.len), *close;

	if (at) {
		uri->user = (struct base_str){ s.ptr, (size_t)(at - s.ptr) };
		s = cut(s, uri->user.len + 1);
		if (uri->user.len && !all(uri->user, is_user))
			return BAD;
	}
	if (s.len && s.ptr[0] == '[') {
		close = memchr(s.ptr, ']', s.len);
		if (!close)
			return BAD;
		uri->host = (struct base_str){ s.ptr, (size_t)(close - s.ptr) + 1 };
		if (!all((struct base_str){ s.ptr + 1, uri->host.len - 2 }, is_address))
			return BAD;
		return read_port(cut(s, uri->host.len), uri);
	}
	uri->host = until(&s, ":");
	return all(uri->host, is_host) ? read_port(s, uri) : BAD;
}

/** *( ";" token ["=" token] ) */
static int read_params(struct base_str s)
{
	struct base_str word;

	while (s.len) {
		s = cut(s, 1);
		word = until(&s, ";=");
		if (!all(word, msrp_is_token))
			return BAD;
		if (!s.len || s.ptr[0] == ';')
			continue;
		s = cut(s, 1);
		if (!all(until(&s, ";"), msrp_is_token))
			return BAD;
	}
	return 0;
}

static int read_rest(struct base_str s, struct msrp_uri *uri)
{
	if (s.len && s.ptr[0] == '/') {
		s = cut(s, 1);
		uri->session = until(&s, ";");
		if (!all(uri->session, is_session))
			return BAD;
	}
	if (!s.len)
		return BAD; /* the transport is not optional */
	s = cut(s, 1);
	uri->transport = until(&s, ";");
	uri->params = s;
	return all(uri->transport, msrp_is_alphanum) ? read_params(s) : BAD;
}

/** "msrp" or "msrps", and "://". */
static int read_scheme(struct base_str *s, struct msrp_uri *uri)
{
	static const char *const schemes[] = { "msrp://", "msrps://" };
	struct base_str scheme;

	for (size_t i = 0; i < BASE_COUNT(schemes); i++) {
		scheme = base_str_of(schemes[i]);
		if (s->len < scheme.len ||
		    !base_str_ieq((struct base_str){ s->ptr, scheme.len }, scheme))
			continue;
		uri->secure = i == 1;
		*s = cut(*s, scheme.len);
		return 0;
	}
	return BAD;
}

int msrp_uri_parse(struct base_str text, struct msrp_uri *ret)
{
	struct msrp_uri uri = { 0 };
	struct base_str rest, authority;
	const char *at;
	size_t user;

	if (read_scheme(&text, &uri) || !text.len)
		return BAD;
	/* No "@" can stand behind the authority, but ";" can stand in a user's name. */
	at = memrchr(text.ptr, '@', text.len);
	user = at ? (size_t)(at - text.ptr) : 0;
	rest = cut(text, user);
	authority = (struct base_str){ text.ptr, user + until(&rest, "/;").len };
	if (read_authority(authority, &uri) || read_rest(rest, &uri))
		return BAD;
	*ret = uri;
	return 0;
}

static int hex(unsigned char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, base_lower(c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/** One character of a host, normalised (RFC 3986, 6.2.2); taken off `s`, which is not empty. */
static int next_char(struct base_str *s)
{
	unsigned char c = (unsigned char)s->ptr[0];
	int high = -1, low = -1;

	if (c == '%' && s->len >= 3) {
		high = hex((unsigned char)s->ptr[1]);
		low = hex((unsigned char)s->ptr[2]);
	}
	if (high < 0 || low < 0) {
		*s = cut(*s, 1);
		return base_lower(c);
	}
	*s = cut(*s, 3);
	c = (unsigned char)(high << 4 | low);
	return is_unreserved(c) ? base_lower(c) : 0x100 | c;
}

/** The octets of an IPv6 address in brackets. */
static bool address6(struct base_str s, struct in6_addr *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len < 3 || s.ptr[0] != '[' || s.len - 2 >= sizeof(text))
		return false;
	memcpy(text, s.ptr + 1, s.len - 2);
	text[s.len - 2] = '\0';
	return inet_pton(AF_INET6, text, ret) == 1;
}

static bool same_host(struct base_str a, struct base_str b)
{
	struct in6_addr x, y;

	if (address6(a, &x) && address6(b, &y))
		return memcmp(&x, &y, sizeof(x)) == 0;
	while (a.len && b.len)
		if (next_char(&a) != next_char(&b))
			return false;
	return !a.len && !b.len;
}

bool msrp_uri_equal(const struct msrp_uri *a, const struct msrp_uri *b)
{
	return a->secure == b->secure && a->has_port == b->has_port && a->port == b->port &&
	       base_str_eq(a->session, b->session) && base_str_ieq(a->transport, b->transport) &&
	       same_host(a->host, b->host);
}

bool msrp_uri_same(struct base_str a, struct base_str b)
{
	struct msrp_uri x, y;

	return !msrp_uri_parse(a, &x) && !msrp_uri_parse(b, &y) && msrp_uri_equal(&x, &y);
}

struct base_str msrp_path_next(struct base_str *path)
{
	while (path->len && path->ptr[0] == ' ')
		*path = cut(*path, 1);
	return path->len ? until(path, " ") : (struct base_str){ 0 };
}

size_t msrp_path_count(struct base_str path)
{
	struct msrp_uri uri;
	struct base_str text;
	size_t n = 0;

	for (text = msrp_path_next(&path); text.len; text = msrp_path_next(&path), n++)
		if (msrp_uri_parse(text, &uri))
			return 0;
	return n;
}
