/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/sdp.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int not_base64(struct base_error *err, size_t at)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 12),
	                      "character %zu is no base64 (RFC 4567, 3.1)", at + 1);
}

int mikey_base64_decode(struct base_str text, struct base_writer *w, struct base_error *err)
{
	uint32_t bits = 0;
	unsigned have = 0, padding = 0;

	for (size_t i = 0; i < text.len; i++) {
		int v = value_of(text.ptr[i]);

		if (is_blank(text.ptr[i]))
			continue;
		if (text.ptr[i] == '=' ? have + padding < 2 : v < 0 || padding)
			return not_base64(err, i);
		if (text.ptr[i] == '=') {
			if (have + ++padding > 4)
				return not_base64(err, i);
			continue;
		}
		bits = bits << 6 | (uint32_t)v;
		if (++have < 4)
			continue;
		base_writer_u8(w, (uint8_t)(bits >> 16));
		base_writer_u16(w, (uint16_t)bits);
		bits = have = 0;
	}
	if (have && have + padding != 4)
		return base_error_set(err, BASE_ERR(BASE_PEER, 12),
		                      "base64 ends too early (RFC 4567, 3.1)");
	if (have == 3)
		base_writer_u16(w, (uint16_t)(bits >> 2));
	else if (have == 2)
		base_writer_u8(w, (uint8_t)(bits >> 4));
	return w->failed ? base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory") : 0;
}

void mikey_base64_encode(struct base_writer *w, const void *data, size_t len)
{
	const uint8_t *in = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
		                (left > 2 ? in[i + 2] : 0);

		base_writer_u8(w, (uint8_t)digits[bits >> 18]);
		base_writer_u8(w, (uint8_t)digits[bits >> 12 & 63]);
		base_writer_u8(w, left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=');
		base_writer_u8(w, left > 2 ? (uint8_t)digits[bits & 63] : '=');
	}
}

/* Step past a literal at the front, whatever its case. */
static bool skip(struct base_str *s, struct base_str what)
{
	if (s->len < what.len || !base_str_ieq((struct base_str){ s->ptr, what.len }, what))
		return false;
	s->ptr += what.len;
	s->len -= what.len;
	return true;
}

int mikey_sdp_parse(struct base_str line, struct mikey_sdp *ret, struct base_error *err)
{
	struct base_str s = base_str_trim(line), id;
	struct base_error why = { 0 };
	struct base_writer all = { 0 };
	const char *end;
	int rc;

	(void)skip(&s, BASE_STR("a=")); /* the caller may have taken it off */
	if (!skip(&s, BASE_STR("key-mgmt:")))
		return base_error_set(err, BASE_ERR(BASE_PEER, 12),
		                      "no key-mgmt attribute (RFC 4567, 3.1)");
	(void)skip(&s, BASE_STR(" ")); /* one blank is allowed there */
	end = s.len ? memchr(s.ptr, ' ', s.len) : NULL;
	if (!end || end == s.ptr || end + 1 == s.ptr + s.len)
		return base_error_set(err, BASE_ERR(BASE_PEER, 12),
		                      "key-mgmt has no protocol or no data (RFC 4567, 3.1)");
	id = (struct base_str){ s.ptr, (size_t)(end - s.ptr) };
	s = (struct base_str){ end + 1, s.len - id.len - 1 };
	rc = memchr(s.ptr, ' ', s.len) ? not_base64(&why, 0) : mikey_base64_decode(s, &all, &why);
	base_writer_done(&all);
	if (rc)
		return base_error_set(err, rc, "key-mgmt: %.300s", why.text);
	*ret = (struct mikey_sdp){ base_str_ieq(id, BASE_STR(MIKEY_SDP_ID)) ? BASE_STR(MIKEY_SDP_ID)
		                                                            : id,
		                   s };
	return 0;
}

int mikey_sdp_message(const struct mikey_sdp *sdp, struct base_writer *w, struct base_error *err)
{
	if (!base_str_eq(sdp->id, BASE_STR(MIKEY_SDP_ID)))
		return base_error_set(err, BASE_ERR(BASE_PEER, 12),
		                      "key-mgmt is of %.*s, not of mikey (RFC 4567, 7)",
		                      BASE_FMT(sdp->id));
	return mikey_base64_decode(sdp->data, w, err);
}

void mikey_sdp_write(struct base_writer *w, const void *message, size_t len)
{
	base_writer_text(w, "a=key-mgmt:" MIKEY_SDP_ID " ");
	mikey_base64_encode(w, message, len);
}
