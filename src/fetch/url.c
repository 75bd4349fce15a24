/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/url.h"

#include <stdio.h>

static const struct {
	const char *name;
	uint16_t port;
} schemes[FETCH_SCHEMES] = {
	[FETCH_HTTP] = { "http", 80 },
	[FETCH_HTTPS] = { "https", 443 },
	[FETCH_LDAP] = { "ldap", 389 },
	[FETCH_LDAPS] = { "ldaps", 636 },
};

const char *fetch_scheme_name(enum fetch_scheme scheme)
{
	return schemes[scheme].name;
}

uint16_t fetch_scheme_port(enum fetch_scheme scheme)
{
	return schemes[scheme].port;
}

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.';
}

static bool is_v6(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
	       c == ':' || c == '.';
}

static int refuse(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "not a URL we use: %s", why);
}

static bool scheme_take(struct base_str *s, enum fetch_scheme *ret)
{
	for (unsigned i = 0; i < FETCH_SCHEMES; i++) {
		size_t len = strlen(schemes[i].name);

		if (s->len > len + 3 && !memcmp(s->ptr + len, "://", 3) &&
		    base_str_ieq((struct base_str){ s->ptr, len }, base_str_of(schemes[i].name))) {
			*ret = (enum fetch_scheme)i;
			s->ptr += len + 3;
			s->len -= len + 3;
			return true;
		}
	}
	return false;
}

/* The host at the beginning of `s`, in lower case. @return whether there is one */
static bool host_take(struct base_str *s, char host[256], bool *v6)
{
	size_t len = 0, skip;
	bool bracket = s->len && s->ptr[0] == '[';

	if (bracket) {
		s->ptr++;
		s->len--;
	}
	while (len < s->len && (bracket ? is_v6(s->ptr[len]) : is_name(s->ptr[len])))
		len++;
	if (!len || len > 255 || (bracket && (len == s->len || s->ptr[len] != ']')))
		return false;
	for (size_t i = 0; i < len; i++)
		host[i] = (char)base_lower((unsigned char)s->ptr[i]);
	host[len] = '\0';
	*v6 = bracket;
	skip = len + (bracket ? 1 : 0);
	s->ptr += skip;
	s->len -= skip;
	return true;
}

static bool port_take(struct base_str *s, uint16_t *port)
{
	size_t len = 0;
	uint64_t value;

	if (!s->len || s->ptr[0] != ':')
		return true;
	while (len + 1 < s->len && s->ptr[len + 1] >= '0' && s->ptr[len + 1] <= '9')
		len++;
	if (len > 5 || base_str_u64((struct base_str){ s->ptr + 1, len }, 65535, &value) || !value)
		return false;
	*port = (uint16_t)value;
	s->ptr += len + 1;
	s->len -= len + 1;
	return true;
}

int fetch_url_parse(struct base_str text, struct fetch_url *ret, struct base_error *err)
{
	struct fetch_url url = { 0 };
	struct base_str s = text;

	if (text.len > FETCH_URL_MAX)
		return refuse(err, "longer than 1023 octets");
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr("\\\"<>#", text.ptr[i]))
			return refuse(err, "a character that does not belong there");
	if (!scheme_take(&s, &url.scheme))
		return refuse(err, "neither http, https, ldap nor ldaps");
	url.port = schemes[url.scheme].port;
	if (!host_take(&s, url.host, &url.v6))
		return refuse(err, "no host");
	if (!port_take(&s, &url.port))
		return refuse(err, "no port between 1 and 65535");
	if (s.len && s.ptr[0] != '/' && s.ptr[0] != '?')
		return refuse(err, "no path behind the host");
	*ret = url;
	return 0;
}

/* An entry's parts. `any_port` where it ends in ":*"; port 0 = the scheme's own. */
struct entry {
	char host[256];
	bool v6, below, any_port;
	uint16_t port;
};

static bool entry_parse(const char *text, struct entry *ret)
{
	struct base_str s = base_str_of(text);

	*ret = (struct entry){ .below = s.len > 2 && !memcmp(s.ptr, "*.", 2) };
	if (ret->below) {
		s.ptr += 2;
		s.len -= 2;
	}
	if (!host_take(&s, ret->host, &ret->v6) || (ret->below && ret->v6))
		return false;
	if (s.len == 2 && !memcmp(s.ptr, ":*", 2)) {
		ret->any_port = true;
		return true;
	}
	return port_take(&s, &ret->port) && s.len == 0;
}

int fetch_allow_check(const char *entry, struct base_error *err)
{
	struct entry e;

	if (!entry_parse(entry, &e))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%s' is no host: expected crl.example, *.crl.example or an "
		                      "address (IPv6 in brackets), with :port or :* behind it "
		                      "where it is not the usual one",
		                      entry);
	return 0;
}

static bool entry_matches(const struct entry *e, const struct fetch_url *url)
{
	size_t host = strlen(url->host), tail = strlen(e->host);

	if (e->v6 != url->v6)
		return false;
	if (!e->any_port && url->port != (e->port ? e->port : schemes[url->scheme].port))
		return false;
	if (!e->below)
		return !strcmp(e->host, url->host);
	return host > tail + 1 && url->host[host - tail - 1] == '.' &&
	       !strcmp(url->host + host - tail, e->host);
}

int fetch_allow_url(const struct fetch_allow *allow, const struct fetch_url *url,
                    struct base_error *err)
{
	struct entry e;

	if (!(allow->schemes & 1U << url->scheme))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s is not allowed: it would have to be in allow.schemes",
		                      schemes[url->scheme].name);
	for (size_t i = 0; i < allow->host_count; i++)
		if (entry_parse(allow->hosts[i], &e) && entry_matches(&e, url))
			return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "host %s port %u is not allowed: it would have to be in allow.hosts",
	                      url->host, url->port);
}

int fetch_allow_redirect(const struct fetch_allow *allow, const struct fetch_url *from,
                         const struct fetch_url *to, struct base_error *err)
{
	if (to->scheme != from->scheme &&
	    !(from->scheme == FETCH_HTTP && to->scheme == FETCH_HTTPS))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "a redirect from %s to %s",
		                      schemes[from->scheme].name, schemes[to->scheme].name);
	return fetch_allow_url(allow, to, err);
}
