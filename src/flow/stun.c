/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/stun.h"

#define COOKIE 0x2112a442U

enum { BINDING_REQUEST = 0x0001, BINDING_SUCCESS = 0x0101, BINDING_ERROR = 0x0111 };
enum { ERROR_CODE = 0x0009, UNKNOWN_ATTRIBUTES = 0x000a, XOR_MAPPED_ADDRESS = 0x0020 };
enum { FAMILY_4 = 1, FAMILY_6 = 2 };

/* ---- reading ---- */

/* Those of RFC 5389 that one has to know; they say nothing to a keep-alive. */
static bool known(uint16_t type)
{
	static const uint16_t types[] = { 0x0001 /* MAPPED-ADDRESS */,
		                          0x0006 /* USERNAME */,
		                          0x0008 /* MESSAGE-INTEGRITY */,
		                          ERROR_CODE,
		                          UNKNOWN_ATTRIBUTES,
		                          0x0014 /* REALM */,
		                          0x0015 /* NONCE */,
		                          XOR_MAPPED_ADDRESS };

	for (size_t i = 0; i < BASE_COUNT(types); i++)
		if (types[i] == type)
			return true;
	return type >= 0x8000;
}

/* The address is hidden under the cookie, an IPv6 one under the transaction's id, too. */
static void mask_of(const uint8_t id[STUN_ID], uint8_t ret[16])
{
	struct base_writer w = base_writer_over(ret, 16);

	base_writer_u32(&w, COOKIE);
	base_writer_put(&w, id, STUN_ID);
}

static bool mapped_read(struct stun_message *ret, struct base_reader r)
{
	uint8_t mask[16], *to;
	const uint8_t *octets;
	unsigned family;
	in_port_t port;
	size_t len;

	(void)base_reader_u8(&r);
	family = base_reader_u8(&r);
	port = htons((uint16_t)(base_reader_u16(&r) ^ (COOKIE >> 16)));
	len = family == FAMILY_6 ? 16 : 4;
	octets = base_reader_take(&r, len);
	if (r.failed || base_reader_left(&r) || (family != FAMILY_4 && family != FAMILY_6))
		return false;
	mask_of(ret->id, mask);
	memset(&ret->mapped, 0, sizeof(ret->mapped));
	if (family == FAMILY_4) {
		ret->mapped.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
		to = (uint8_t *)&ret->mapped.in.sin_addr;
	} else {
		ret->mapped.in6 =
		        (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		to = (uint8_t *)&ret->mapped.in6.sin6_addr;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = octets[i] ^ mask[i];
	return true;
}

static bool attributes_read(struct stun_message *ret, struct base_reader r)
{
	while (base_reader_left(&r)) {
		uint16_t type = base_reader_u16(&r), len = base_reader_u16(&r);
		struct base_reader value = base_reader_sub(&r, len);

		(void)base_reader_take(&r, (4 - len % 4) % 4);
		if (r.failed)
			return false;
		if (type == XOR_MAPPED_ADDRESS && !mapped_read(ret, value))
			return false;
		if (!known(type) && ret->unknown_count < STUN_UNKNOWN_MAX)
			ret->unknown[ret->unknown_count++] = type;
	}
	return true;
}

static enum stun_kind kind_of(uint16_t type)
{
	switch (type) {
	case BINDING_REQUEST:
		return STUN_REQUEST;
	case BINDING_SUCCESS:
		return STUN_SUCCESS;
	case BINDING_ERROR:
		return STUN_ERROR;
	default:
		return STUN_OTHER;
	}
}

enum stun_kind stun_parse(struct stun_message *ret, struct base_str octets)
{
	struct base_reader r = base_reader_of(octets.ptr, octets.len);
	uint16_t type = base_reader_u16(&r), len = base_reader_u16(&r);
	uint32_t cookie = base_reader_u32(&r);
	const uint8_t *id = base_reader_take(&r, STUN_ID);
	struct stun_message m = { .mapped = { .sa = { .sa_family = AF_UNSPEC } } };

	if (r.failed || type & 0xc000 || len % 4 || cookie != COOKIE || base_reader_left(&r) != len)
		return STUN_NONE;
	memcpy(m.id, id, STUN_ID);
	if (!attributes_read(&m, r))
		return STUN_NONE;
	*ret = m;
	return kind_of(type);
}

/* ---- writing ---- */

static void head(struct base_writer *w, uint16_t type, uint16_t len, const uint8_t id[STUN_ID])
{
	base_writer_u16(w, type);
	base_writer_u16(w, len);
	base_writer_u32(w, COOKIE);
	base_writer_put(w, id, STUN_ID);
}

void stun_request(const uint8_t id[STUN_ID], struct base_writer *w)
{
	head(w, BINDING_REQUEST, 0, id);
}

/* 420, Unknown Attribute: which. */
static void complain(const struct stun_message *request, struct base_writer *w)
{
	uint16_t list = (uint16_t)(2 * request->unknown_count);
	uint16_t padded = (uint16_t)(list + list % 4);

	head(w, BINDING_ERROR, (uint16_t)(8 + 4 + padded), request->id);
	base_writer_u16(w, ERROR_CODE);
	base_writer_u16(w, 4);
	base_writer_u32(w, 4 << 8 | 20);
	base_writer_u16(w, UNKNOWN_ATTRIBUTES);
	base_writer_u16(w, list);
	for (size_t i = 0; i < request->unknown_count; i++)
		base_writer_u16(w, request->unknown[i]);
	if (padded > list)
		base_writer_u16(w, 0);
}

void stun_answer(const struct stun_message *request, const union stream_addr *from,
                 struct base_writer *w)
{
	bool six = from->sa.sa_family == AF_INET6;
	const uint8_t *address =
	        six ? (const uint8_t *)&from->in6.sin6_addr : (const uint8_t *)&from->in.sin_addr;
	uint16_t len = six ? 16 : 4;
	uint8_t mask[16];

	if (request->unknown_count) {
		complain(request, w);
		return;
	}
	mask_of(request->id, mask);
	head(w, BINDING_SUCCESS, (uint16_t)(4 + 4 + len), request->id);
	base_writer_u16(w, XOR_MAPPED_ADDRESS);
	base_writer_u16(w, (uint16_t)(4 + len));
	base_writer_u8(w, 0);
	base_writer_u8(w, six ? FAMILY_6 : FAMILY_4);
	base_writer_u16(w, (uint16_t)(stream_addr_port(from) ^ (COOKIE >> 16)));
	for (uint16_t i = 0; i < len; i++)
		base_writer_u8(w, address[i] ^ mask[i]);
}
