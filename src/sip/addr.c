/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/message.h"

#define BAD BASE_ERR(BASE_PEER, 400)

/* *( ";" generic-param ), and nothing behind it */
static bool params_ok(struct base_str params)
{
	struct sip_param param;
	int rc;

	while ((rc = sip_param_next(&params, &param)) == 1) {
	}
	return !rc && !sip_skip(params).len;
}

/* display-name = *( token LWS ) / quoted-string; `s` ends before the `<` */
static bool display_ok(struct base_str s)
{
	size_t quoted = sip_quoted_len(s);

	return !s.len || (quoted ? quoted == s.len : sip_all(s, SIP_CH_TOKEN | SIP_CH_BLANK));
}

/* Where the `<` of a name-addr stands; SIZE_MAX when it is an addr-spec. */
static size_t angle(struct base_str s)
{
	size_t n = s.len && s.ptr[0] == '"' ? sip_quoted_len(s) : 0;

	for (; n < s.len; n++) {
		if (s.ptr[n] == '<')
			return n;
		if (s.ptr[n] == ';')
			break;
	}
	return SIZE_MAX;
}

int sip_addr_parse(struct base_str text, struct sip_addr *ret)
{
	struct base_str s = sip_trim(text);
	size_t open = angle(s), n;
	struct sip_addr addr = { .uri = s };

	if (open != SIZE_MAX) {
		const char *end = memchr(s.ptr + open, '>', s.len - open);

		if (!end)
			return BAD;
		addr.display = sip_trim((struct base_str){ s.ptr, open });
		addr.uri = (struct base_str){ s.ptr + open + 1, (size_t)(end - s.ptr) - open - 1 };
		addr.params = sip_from(s, (size_t)(end - s.ptr) + 1);
		if (!display_ok(addr.display))
			return BAD;
	} else {
		/* Without <> what follows `;` is the header's, and `,` and `?` may not be (20.10).
		 */
		for (n = 0; n < s.len && s.ptr[n] != ';' && !sip_is(s.ptr[n], SIP_CH_BLANK);)
			n++;
		addr.uri.len = n;
		addr.params = sip_from(s, n);
		if (memchr(s.ptr, '?', n) || memchr(s.ptr, ',', n))
			return BAD;
	}
	if (!sip_all(addr.uri, SIP_CH_URI) || !params_ok(addr.params))
		return BAD;
	*ret = addr;
	return 0;
}

/* The next token, LWS around it removed, and then this separator. */
static bool token_then(struct base_str *s, char separator, struct base_str *ret)
{
	size_t n = sip_span(*s, SIP_CH_TOKEN);

	*ret = (struct base_str){ s->ptr, n };
	*s = sip_skip(sip_from(*s, n));
	if (!n || (separator && (!s->len || s->ptr[0] != separator)))
		return false;
	if (separator)
		*s = sip_skip(sip_from(*s, 1));
	return true;
}

/* sent-by = host [ COLON port ]; LWS may stand around the colon */
static int sent_by(struct base_str *rest, struct sip_via *via)
{
	struct base_str s = *rest, digits;
	size_t n = 0;
	uint64_t port;

	if (s.len && s.ptr[0] == '[') {
		while (n < s.len && s.ptr[n++] != ']') {
		}
	} else {
		while (n < s.len && !sip_is(s.ptr[n], SIP_CH_BLANK) && s.ptr[n] != ':' &&
		       s.ptr[n] != ';')
			n++;
	}
	via->host = (struct base_str){ s.ptr, n };
	s = sip_skip(sip_from(s, n));
	if (!sip_host_ok(via->host))
		return BAD;
	if (s.len && s.ptr[0] == ':') {
		s = sip_skip(sip_from(s, 1));
		if (!token_then(&s, 0, &digits) || base_str_u64(digits, 65535, &port) || !port)
			return BAD;
		via->port = (uint16_t)port;
	}
	*rest = s;
	return 0;
}

int sip_via_parse(struct base_str text, struct sip_via *ret)
{
	struct base_str s = sip_trim(text), name, version;
	struct sip_via via = { .text = s };

	if (!token_then(&s, '/', &name) || !token_then(&s, '/', &version) ||
	    !token_then(&s, 0, &via.transport) || !base_str_ieq(name, BASE_STR("SIP")) ||
	    !base_str_eq(version, BASE_STR("2.0")))
		return BAD;
	if (sent_by(&s, &via))
		return BAD;
	via.params = s;
	if (!params_ok(s))
		return BAD;
	(void)sip_param_find(s, "branch", &via.branch); /* none: RFC 2543 */
	*ret = via;
	return 0;
}
