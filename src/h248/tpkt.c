/* SPDX-License-Identifier: Apache-2.0 */
/* TPKT (RFC 1006, 6), as RFC 3525, D.2 wants it around each message on TCP. */
#include "h248/transport.h"

#define TPKT_VERSION 3

int h248_tpkt_next(struct base_str data, struct base_str *ret, size_t *ret_used)
{
	struct base_reader r = base_reader_of(data.ptr, data.len);
	uint8_t version = base_reader_u8(&r);
	uint16_t len;

	/* Tell at the first wrong octet, not when four have come. */
	if (data.len && version != TPKT_VERSION)
		return BASE_ERR(BASE_PEER, 0);
	(void)base_reader_u8(&r); /* reserved: not to be looked at */
	len = base_reader_u16(&r);
	if (r.failed)
		return BASE_ERR(BASE_AGAIN, 0);
	if (len < H248_TPKT_HEADER)
		return BASE_ERR(BASE_PEER, 0);
	if (data.len < len)
		return BASE_ERR(BASE_AGAIN, 0);
	*ret = (struct base_str){ data.ptr + H248_TPKT_HEADER, (size_t)len - H248_TPKT_HEADER };
	*ret_used = len;
	return 0;
}

void h248_tpkt_header(size_t len, uint8_t ret[H248_TPKT_HEADER])
{
	len += H248_TPKT_HEADER;
	ret[0] = TPKT_VERSION;
	ret[1] = 0;
	ret[2] = (uint8_t)(len >> 8);
	ret[3] = (uint8_t)len;
}
