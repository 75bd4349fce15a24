/* SPDX-License-Identifier: Apache-2.0 */
/* c= and m= lines (RFC 8866, 5.7 and 5.14), with CHOOSE (RFC 3525, 7.1.8). */
#include <arpa/inet.h>

#include "h248/errors.h"
#include "h248/sdp_parser.h"

/* A domain name: letters, digits, `-` and `.`, one letter at least, so that no broken number is
 * taken for a name. */
static bool is_name(struct base_str s)
{
	bool letter = false;

	for (size_t i = 0; i < s.len; i++) {
		int c = base_lower((unsigned char)s.ptr[i]);

		if (c >= 'a' && c <= 'z')
			letter = true;
		else if (!(c >= '0' && c <= '9') && c != '-' && c != '.')
			return false;
	}
	return letter && s.len <= 255;
}

/* `/ttl`, `/ttl/count` of a multicast address. */
static bool is_scope(struct base_str s)
{
	size_t slashes = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool slash = s.ptr[i] == '/';

		slashes += slash;
		if (!slash && (s.ptr[i] < '0' || s.ptr[i] > '9'))
			return false;
		if (slash && (i + 1 == s.len || s.ptr[i + 1] == '/'))
			return false;
	}
	return slashes <= 2;
}

/* An address literal of the wanted family (0: either). */
static bool parse_literal(struct base_str s, int family, struct h248_sdp_connection *c)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = 0;
	if (family != AF_INET6 && inet_pton(AF_INET, text, c->octets) == 1) {
		c->kind = H248_SDP_ADDRESS_IP4;
		c->family = AF_INET;
		return true;
	}
	if (family != AF_INET && inet_pton(AF_INET6, text, c->octets) == 1) {
		c->kind = H248_SDP_ADDRESS_IP6;
		c->family = AF_INET6;
		return true;
	}
	return false;
}

static int parse_address(struct h248_sdp_parser *p, struct base_str s,
                         struct h248_sdp_connection *c)
{
	const char *slash = memchr(s.ptr, '/', s.len);
	struct base_str host = { s.ptr, slash ? (size_t)(slash - s.ptr) : s.len };

	c->scope = (struct base_str){ s.ptr + host.len, s.len - host.len };
	if (!is_scope(c->scope))
		return h248_sdp_fail(p, c->scope, "not a scope of an address");
	if (h248_sdp_is_choose(host)) {
		c->kind = H248_SDP_ADDRESS_CHOOSE;
	} else if (!parse_literal(host, c->family, c)) {
		if (!is_name(host))
			return h248_sdp_fail(p, s, "not an address of this type");
		c->kind = H248_SDP_ADDRESS_NAME;
		c->name = host;
	}
	return 0;
}

int h248_sdp_parse_connection(struct h248_sdp_parser *p, struct base_str value)
{
	struct base_str rest = value;
	struct base_str net = h248_sdp_field(&rest);
	struct base_str type = h248_sdp_field(&rest);
	struct h248_sdp_connection c = { 0 };
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_ONCE_CONNECTION, &first);

	if (rc)
		return rc;
	if (!base_str_eq(net, BASE_STR("IN")) && !h248_sdp_is_choose(net))
		return h248_sdp_fail(p, net, "network type is not IN");
	if (base_str_eq(type, BASE_STR("IP4")))
		c.family = AF_INET;
	else if (base_str_eq(type, BASE_STR("IP6")))
		c.family = AF_INET6;
	else if (!h248_sdp_is_choose(type))
		return h248_sdp_fail(p, type, "address type is neither IP4 nor IP6");
	if (!rest.len || memchr(rest.ptr, ' ', rest.len))
		return h248_sdp_fail(p, rest, "one address expected");
	rc = parse_address(p, rest, &c);
	if (!rc)
		p->group->connection = c;
	return rc;
}

static int parse_port(struct h248_sdp_parser *p, struct base_str s, struct h248_sdp_media *m)
{
	const char *slash = memchr(s.ptr ? s.ptr : "", '/', s.len);
	struct base_str port = { s.ptr, slash ? (size_t)(slash - s.ptr) : s.len };
	uint64_t n = 0;

	m->port_choose = h248_sdp_is_choose(port);
	if (!m->port_choose && base_str_u64(port, 65535, &n))
		return h248_sdp_fail(p, s, "not a port");
	m->port = (uint16_t)n;
	if (slash) {
		port = (struct base_str){ slash + 1, s.len - port.len - 1 };
		if (base_str_u64(port, 65535, &n) || n == 0)
			return h248_sdp_fail(p, s, "not a number of ports");
		m->port_count = (uint32_t)n;
	}
	return 0;
}

static bool is_proto(struct base_str s)
{
	while (s.len) {
		const char *slash = memchr(s.ptr, '/', s.len);
		size_t len = slash ? (size_t)(slash - s.ptr) : s.len;

		if (!h248_sdp_is_token((struct base_str){ s.ptr, len }))
			return false;
		if (!slash)
			return true;
		s.ptr += len + 1;
		s.len -= len + 1;
	}
	return false;
}

static int parse_formats(struct h248_sdp_parser *p, struct base_str rest, struct h248_sdp_media *m)
{
	struct h248_sdp_text **end = &m->formats;

	do {
		struct base_str format = h248_sdp_field(&rest);
		struct h248_sdp_text *text;

		if (!h248_sdp_is_token(format))
			return h248_sdp_fail(p, format, "not a format");
		text = BASE_NEW(p->arena, struct h248_sdp_text);
		if (!text)
			return h248_sdp_no_memory(p);
		text->text = format;
		*end = text;
		end = &text->next;
	} while (rest.len);
	return 0;
}

int h248_sdp_parse_media(struct h248_sdp_parser *p, struct base_str value)
{
	struct h248_sdp_media *m = &p->group->media;
	struct base_str rest = value, port;
	int rc;

	if (p->group->has_media)
		return h248_sdp_fail(p, p->line, "more than one m= in a group");
	m->type = h248_sdp_field(&rest);
	port = h248_sdp_field(&rest);
	m->proto = h248_sdp_field(&rest);
	if (!h248_sdp_is_token(m->type))
		return h248_sdp_fail(p, m->type, "not a media type");
	rc = parse_port(p, port, m);
	if (rc)
		return rc;
	if (!is_proto(m->proto))
		return h248_sdp_fail(p, m->proto, "not a transport protocol");
	h248_sdp_proto_classify(m);
	p->group->has_media = true;
	return parse_formats(p, rest, m);
}

static bool one_of(struct base_str s, const char *a, const char *b, const char *c)
{
	return base_str_ieq(s, base_str_of(a)) || base_str_ieq(s, base_str_of(b)) ||
	       base_str_ieq(s, base_str_of(c));
}

void h248_sdp_proto_classify(struct h248_sdp_media *media)
{
	struct base_str rest = media->proto, part = { 0 };
	bool tls = false, dtls = false;

	media->transport = H248_SDP_TRANSPORT_OTHER;
	for (size_t i = 0; rest.len; i++) {
		const char *slash = memchr(rest.ptr, '/', rest.len);

		part = (struct base_str){ rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len };
		rest.ptr += part.len + (slash ? 1 : 0);
		rest.len -= part.len + (slash ? 1 : 0);
		if (i == 0 && base_str_ieq(part, BASE_STR("TCP")))
			media->transport = H248_SDP_TCP;
		else if (i == 0 && one_of(part, "UDP", "RTP", "UDPTL"))
			media->transport = H248_SDP_UDP;
		tls |= base_str_ieq(part, BASE_STR("TLS"));
		dtls |= base_str_ieq(part, BASE_STR("DTLS"));
	}
	if (dtls || (tls && media->transport == H248_SDP_UDP))
		media->security = H248_SDP_DTLS; /* UDP/TLS is DTLS (RFC 5764, 8) */
	else
		media->security = tls ? H248_SDP_TLS : H248_SDP_CLEAR;
	media->application = base_str_ieq(part, BASE_STR("MSRP"))   ? H248_SDP_MSRP
	                     : base_str_ieq(part, BASE_STR("BFCP")) ? H248_SDP_BFCP
	                                                            : H248_SDP_NO_APPLICATION;
}
