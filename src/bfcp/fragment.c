/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8855, 5.1 (F, Fragment Offset and Length) and 6.2.3. */
#include "bfcp/fragment.h"

#define BAD  BASE_ERR(BASE_PEER, BFCP_WRONG_LENGTH)
#define FLAG 0x08

size_t bfcp_fragment(struct base_str message, size_t mtu, size_t *at, uint8_t out[BFCP_MTU_MAX])
{
	size_t head = BFCP_HEADER_OCTETS + 4, payload = message.len - BFCP_HEADER_OCTETS, n;

	mtu = BASE_MIN(mtu, (size_t)BFCP_MTU_MAX);
	n = BASE_MIN((mtu - head) / 4 * 4, payload - *at);
	if (!n)
		return 0;
	memcpy(out, message.ptr, BFCP_HEADER_OCTETS);
	out[0] |= FLAG;
	out[12] = (uint8_t)(*at / 4 >> 8);
	out[13] = (uint8_t)(*at / 4);
	out[14] = (uint8_t)(n / 4 >> 8);
	out[15] = (uint8_t)(n / 4);
	memcpy(out + head, message.ptr + BFCP_HEADER_OCTETS + *at, n);
	*at += n;
	return head + n;
}

/** A fragment of another message than that of the last ones: those are given up. */
static int begin(struct bfcp_link *l, const uint8_t *head, size_t payload, uint64_t until)
{
	if (payload + BFCP_HEADER_OCTETS > BFCP_MESSAGE_MAX)
		return BAD;
	l->gathering = false; /* until there is room for it */
	base_writer_reset(&l->in);
	base_writer_reset(&l->have);
	memcpy(l->frag_head, head, BFCP_HEADER_OCTETS);
	if (!base_writer_reserve(&l->in, payload + BFCP_HEADER_OCTETS) ||
	    !base_writer_reserve(&l->have, payload / 4 + 1))
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(l->in.data, head, BFCP_HEADER_OCTETS);
	l->in.data[0] &= (uint8_t)~FLAG;
	l->in.len = payload + BFCP_HEADER_OCTETS;
	memset(l->have.data, 0, payload / 4 + 1);
	l->missing = payload / 4;
	l->gathering = true;
	l->gather_until = until;
	return 0;
}

static void keep(struct bfcp_link *l, size_t offset, const uint8_t *data, size_t units)
{
	memcpy(l->in.data + BFCP_HEADER_OCTETS + 4 * offset, data, 4 * units);
	for (size_t i = offset; i < offset + units; i++) {
		l->missing -= !l->have.data[i];
		l->have.data[i] = 1;
	}
}

static int wrong(struct bfcp_link *l, const uint8_t *head, uint64_t now_ms)
{
	struct base_reader r = base_reader_of(head, BFCP_HEADER_OCTETS);
	struct bfcp_message msg = { .version = 2 };

	msg.response = base_reader_u8(&r) & 0x10;
	msg.primitive = base_reader_u8(&r);
	(void)base_reader_u16(&r);
	msg.conference = base_reader_u32(&r);
	msg.transaction = base_reader_u16(&r);
	msg.user = base_reader_u16(&r);
	l->gathering = false;
	if (!msg.response)
		l->fault(l->arg, &msg, BFCP_WRONG_LENGTH, now_ms);
	return BAD;
}

int bfcp_gather(struct bfcp_link *l, struct base_str datagram, uint64_t now_ms, uint64_t t2_ms,
                struct base_str *ret)
{
	struct base_reader r = base_reader_of(datagram.ptr, datagram.len);
	const uint8_t *head = base_reader_take(&r, BFCP_HEADER_OCTETS);
	size_t payload, offset, units;
	int rc = 0;

	*ret = (struct base_str){ 0 };
	if (!head)
		return BAD;
	if (head[0] >> 5 != 2 || !(head[0] & FLAG)) {
		*ret = datagram; /* whole, or of a version that has no fragments */
		return 0;
	}
	payload = (size_t)head[2] << 8 | head[3];
	offset = base_reader_u16(&r);
	units = base_reader_u16(&r);
	if (r.failed || base_reader_left(&r) != 4 * units || !units || offset + units > payload)
		return wrong(l, head, now_ms);
	if (!l->gathering || memcmp(head, l->frag_head, BFCP_HEADER_OCTETS))
		rc = begin(l, head, 4 * payload, now_ms + t2_ms);
	if (rc)
		return base_err_class(rc) == BASE_PEER ? wrong(l, head, now_ms) : rc;
	keep(l, offset, r.at, units);
	if (l->missing)
		return 0;
	l->gathering = false;
	*ret = base_writer_view(&l->in);
	return 0;
}
