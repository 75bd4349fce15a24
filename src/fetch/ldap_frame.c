/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_frame.h"

enum progress { MORE, WHOLE, GOODBYE, BAD };

/* A definite length at `*at` (X.690, 8.1.3), of up to four octets behind the first. */
static enum progress length_read(const struct fetch_ldap_frame *f, size_t *at, size_t *ret)
{
	size_t octets;

	if (*at >= f->have)
		return MORE;
	*ret = f->head[(*at)++];
	if (*ret < 0x80)
		return WHOLE;
	octets = *ret & 0x7f;
	if (!octets || octets > 4)
		return BAD;
	if (*at + octets > f->have)
		return MORE;
	for (*ret = 0; octets; octets--)
		*ret = *ret << 8 | f->head[(*at)++];
	return WHOLE;
}

/* Tag and length of one element, without its content. */
static enum progress element_read(const struct fetch_ldap_frame *f, size_t *at, uint8_t *tag,
                                  size_t *len)
{
	if (*at >= f->have)
		return MORE;
	*tag = f->head[(*at)++];
	return length_read(f, at, len);
}

/* What a directory answers (RFC 4511, 4.2.2, 4.5.2, 4.6, 4.7, 4.12, 4.13). */
static bool is_answer(uint8_t tag)
{
	return tag && strchr("\x61\x64\x65\x73\x67\x69\x78\x79", tag);
}

static enum progress number_read(const struct fetch_ldap_frame *f, size_t *at, bool *zero)
{
	size_t len;
	uint8_t tag;
	enum progress p = element_read(f, at, &tag, &len);

	if (p != WHOLE)
		return p;
	if (tag != 0x02 || !len || len > 5)
		return BAD;
	if (*at + len > f->have)
		return MORE;
	for (*zero = true; len; len--)
		*zero = !f->head[(*at)++] && *zero;
	return *zero ? GOODBYE : WHOLE;
}

/*
 * LDAPMessage ::= SEQUENCE { messageID INTEGER (0 .. maxInt), protocolOp CHOICE, controls
 * [0] OPTIONAL }: at most 24 octets until the operation's content.
 */
static enum progress head_read(struct fetch_ldap_frame *f)
{
	size_t at = 0, len, body, op_len;
	uint8_t tag, op;
	bool zero;
	enum progress p = element_read(f, &at, &tag, &len);

	if (f->head[0] != 0x30)
		return BAD;
	if (p != WHOLE)
		return p;
	body = at;
	p = number_read(f, &at, &zero);
	if (p == WHOLE)
		p = element_read(f, &at, &op, &op_len);
	if (p == MORE && f->have - body >= len)
		return BAD; /* it ends before its head does */
	if (p != WHOLE)
		return p;
	if (!is_answer(op) || at - body > len || op_len > len - (at - body))
		return BAD;
	f->left = len - (at - body);
	f->have = 0;
	return WHOLE;
}

enum fetch_ldap_framed fetch_ldap_frame_take(struct fetch_ldap_frame *f, const uint8_t *data,
                                             size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t skip = BASE_MIN(f->left, len - i);

		f->left -= skip;
		i += skip;
		if (i == len)
			break;
		f->head[f->have++] = data[i++];
		switch (head_read(f)) {
		case GOODBYE:
			return FETCH_LDAP_FRAME_GOODBYE;
		case BAD:
			return FETCH_LDAP_FRAME_BAD;
		case MORE:
		case WHOLE:
			break;
		}
	}
	return FETCH_LDAP_FRAME_OK;
}
