/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/frame.h"

#include "sip/message.h"

/* The field's value when this line is Content-Length; ptr NULL when it is another. */
static struct base_str content_length(struct base_str line)
{
	const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
	struct base_str name = { line.ptr, colon ? (size_t)(colon - line.ptr) : 0 };

	name = sip_trim(name);
	if (!name.len || sip_header_id_of(name) != SIP_H_CONTENT_LENGTH)
		return (struct base_str){ NULL, 0 };
	return sip_trim(sip_from(line, (size_t)(colon - line.ptr) + 1));
}

/*
 * The body's length by the head `s`, which ends with the empty line. Two that differ, or one that
 * is no number, end the stream: nobody can tell where the next message begins. None is zero, for
 * whoever still speaks RFC 2543.
 */
static int body_len(struct base_str s, size_t *ret)
{
	bool seen = false;

	*ret = 0;
	while (s.len) {
		const char *end = memchr(s.ptr, '\n', s.len);
		struct base_str line = { s.ptr, end ? (size_t)(end - s.ptr) : s.len }, value;
		uint64_t len;

		s = sip_from(s, line.len + (end != NULL));
		while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) { /* folded */
			end = memchr(s.ptr, '\n', s.len);
			line.len += 1 + (end ? (size_t)(end - s.ptr) : s.len);
			s = sip_from(s, end ? (size_t)(end - s.ptr) + 1 : s.len);
		}
		value = content_length(line);
		if (!value.ptr)
			continue;
		while (value.len > 1 && value.ptr[0] == '0')
			value = sip_from(value, 1);
		if (base_str_u64(value, UINT32_MAX, &len) || (seen && len != *ret))
			return BASE_ERR(BASE_PEER, 400);
		*ret = (size_t)len;
		seen = true;
	}
	return 0;
}

/* Octets of the head with its empty line; 0 when its end has not come. */
static size_t head_len(struct sip_framer *framer, struct base_str in)
{
	size_t n = framer->scanned;

	for (; n + 4 <= in.len; n++) {
		const char *at = memchr(in.ptr + n, '\r', in.len - 3 - n);

		if (!at) {
			n = in.len - 3;
			break;
		}
		n = (size_t)(at - in.ptr);
		if (!memcmp(at, "\r\n\r\n", 4))
			return n + 4;
	}
	framer->scanned = n;
	return 0;
}

/* CRLF between messages: a ping, or a pong, or nothing (RFC 3261, 7.5) */
static int keep_alive(const struct sip_framer *framer, struct base_str in,
                      enum sip_frame_kind *ret_kind, size_t *ret_len)
{
	size_t n = in.len < 4 ? in.len : 4;

	if (in.len > 1 && in.ptr[1] != '\n')
		return BASE_ERR(BASE_PEER, 400);
	if (n == 4 && !memcmp(in.ptr, "\r\n\r\n", 4)) {
		*ret_kind = SIP_FRAME_PING;
		*ret_len = 4;
	} else if (n > 1 && (framer->pings || memcmp(in.ptr, "\r\n\r\n", n) != 0)) {
		*ret_kind = SIP_FRAME_PONG;
		*ret_len = 2;
	}
	return 0;
}

int sip_frame(struct sip_framer *framer, struct base_str in, enum sip_frame_kind *ret_kind,
              size_t *ret_len)
{
	size_t max = framer->octets_max ? framer->octets_max : SIP_MESSAGE_OCTETS_MAX;
	size_t head, body;
	int rc;

	*ret_kind = SIP_FRAME_MORE;
	*ret_len = 0;
	if (!framer->need && in.len && in.ptr[0] == '\r')
		return keep_alive(framer, in, ret_kind, ret_len);
	if (!framer->need) {
		head = head_len(framer, in);
		if (!head)
			return in.len > max ? BASE_ERR(BASE_PEER, 413) : 0;
		rc = body_len((struct base_str){ in.ptr, head }, &body);
		if (rc)
			return rc;
		if (head > max || body > max - head)
			return BASE_ERR(BASE_PEER, 413);
		framer->need = head + body;
	}
	if (in.len < framer->need)
		return 0;
	*ret_kind = SIP_FRAME_MESSAGE;
	*ret_len = framer->need;
	framer->need = framer->scanned = 0;
	return 0;
}
