/* SPDX-License-Identifier: Apache-2.0 */
/** @file Header and chains; the payloads are in decode_payload.c. */
#include <stdio.h>

#include "mikey/codec_private.h"

int mikey_refuse(struct mikey_decoder *d, const uint8_t *at, unsigned error_no, const char *fmt,
                 ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* shortened is fine */
	va_end(ap);
	return base_error_set(d->err, BASE_ERR(BASE_PEER, error_no), "octet %zu: %s",
	                      (size_t)(at - d->begin), text);
}

int mikey_short(struct mikey_decoder *d, const uint8_t *at, const char *what, const char *clause)
{
	return mikey_refuse(d, at, MIKEY_UNSPECIFIED, "%s ends too early (%s)", what, clause);
}

int mikey_no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

int mikey_chain_read(struct mikey_decoder *d, uint8_t first, struct base_reader *r,
                     struct mikey_payload **ret)
{
	struct mikey_payload *chain = NULL, **end = &chain;
	uint8_t type = first;
	unsigned count = 0;

	while (type != MIKEY_LAST) {
		const uint8_t *at = r->at;
		struct mikey_payload *p = BASE_NEW(d->arena, struct mikey_payload);
		int rc;

		if (!p)
			return mikey_no_memory(d->err);
		if (++count > MIKEY_PAYLOADS_MAX)
			return mikey_refuse(d, at, MIKEY_UNSPECIFIED, "more than %d payloads",
			                    MIKEY_PAYLOADS_MAX);
		if (d->only && type != d->only)
			return mikey_refuse(d, at, MIKEY_UNSPECIFIED,
			                    "payload type %u where only key data may be "
			                    "(RFC 3830, 6.2)",
			                    type);
		p->type = type;
		/* SIGN alone has no "next payload": it is the last (RFC 3830, 6.5). */
		type = p->type == MIKEY_SIGN ? MIKEY_LAST : base_reader_u8(r);
		rc = mikey_payload_read(d, r, p);
		if (rc)
			return rc;
		p->span = mikey_octets_of(at, (size_t)(r->at - at));
		*end = p;
		end = &p->next;
	}
	*ret = chain;
	return 0;
}

int mikey_chain_whole(struct mikey_decoder *d, uint8_t first, struct mikey_octets data,
                      struct mikey_payload **ret)
{
	struct base_reader r = base_reader_of(data.at, data.len);
	struct mikey_payload *chain = NULL;
	int rc = mikey_chain_read(d, first, &r, &chain);

	if (rc)
		return rc;
	if (!base_reader_done(&r))
		return mikey_refuse(d, r.at, MIKEY_UNSPECIFIED,
		                    "%zu octets after the last payload (RFC 3830, 6.1)",
		                    base_reader_left(&r));
	*ret = chain;
	return 0;
}

int mikey_chain_decode(struct base_arena *arena, uint8_t first, struct mikey_octets data,
                       struct mikey_payload **ret, struct base_error *err)
{
	struct mikey_decoder d = { .arena = arena, .err = err, .begin = data.at };

	return mikey_chain_whole(&d, first, data, ret);
}

int mikey_keys_decode(struct base_arena *arena, struct mikey_octets data, bool padded,
                      struct mikey_payload **ret, struct base_error *err)
{
	struct mikey_decoder d = {
		.arena = arena, .err = err, .begin = data.at, .only = MIKEY_KEY_DATA
	};
	struct base_reader r = base_reader_of(data.at, data.len);
	struct mikey_payload *chain = NULL;
	int rc = data.len ? mikey_chain_read(&d, MIKEY_KEY_DATA, &r, &chain) : 0;

	if (rc)
		return rc;
	while (padded && base_reader_left(&r) && *r.at == 0)
		r.at++;
	if (!base_reader_done(&r))
		return mikey_refuse(&d, r.at, MIKEY_UNSPECIFIED,
		                    "octets after the last key data (RFC 3830, 6.2)");
	*ret = chain;
	return 0;
}

int mikey_ticket_data_decode(struct base_arena *arena, struct mikey_octets data,
                             struct mikey_octets *ret_thdr, struct mikey_payload **ret,
                             struct base_error *err)
{
	struct mikey_decoder d = { .arena = arena, .err = err, .begin = data.at };
	struct base_reader r = base_reader_of(data.at, data.len);
	uint8_t first = base_reader_u8(&r);
	struct mikey_octets thdr = mikey_take(&r, base_reader_u16(&r));
	int rc;

	if (r.failed)
		return mikey_refuse(&d, d.begin, MIKEY_BAD_TICKET,
		                    "the ticket header ends too early (RFC 6043, A.3)");
	rc = mikey_chain_whole(&d, first, mikey_octets_of(r.at, base_reader_left(&r)), ret);
	if (!rc)
		*ret_thdr = thdr;
	return rc;
}

static void srtp_id_read(struct base_reader *r, struct mikey_cs *cs, uint8_t number)
{
	cs->id = number;
	cs->policies = mikey_take(r, 1);
	cs->ssrc = base_reader_u32(r);
	cs->roc = base_reader_u32(r);
}

static void generic_id_read(struct base_reader *r, struct mikey_cs *cs)
{
	uint8_t count;

	cs->id = base_reader_u8(r);
	cs->prot = base_reader_u8(r);
	count = base_reader_u8(r);
	cs->s = count & 0x80;
	cs->policies = mikey_take(r, count & 0x7f);
	cs->session_data = mikey_take(r, base_reader_u16(r));
	cs->spi = mikey_take(r, base_reader_u8(r));
}

static int map_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_hdr *hdr)
{
	if (hdr->map_type == MIKEY_MAP_EMPTY || !hdr->cs_count)
		return 0;
	if (hdr->map_type > MIKEY_MAP_GENERIC_ID)
		return mikey_refuse(d, r->at - 1, MIKEY_UNSPECIFIED,
		                    "CS ID map type %u is not known (RFC 3830, 6.1)",
		                    hdr->map_type);
	/* a crypto session has nine octets, or seven and more: no memory for those that cannot be
	 */
	if (base_reader_left(r) / (hdr->map_type == MIKEY_MAP_SRTP_ID ? 9 : 7) < hdr->cs_count)
		return mikey_short(d, r->at, "the CS ID map info", "RFC 3830, 6.1");
	hdr->cs = base_arena_array(d->arena, hdr->cs_count, sizeof(*hdr->cs));
	if (!hdr->cs)
		return mikey_no_memory(d->err);
	for (unsigned i = 0; i < hdr->cs_count && !r->failed; i++) {
		if (hdr->map_type == MIKEY_MAP_SRTP_ID)
			srtp_id_read(r, &hdr->cs[i], (uint8_t)(i + 1));
		else
			generic_id_read(r, &hdr->cs[i]);
	}
	return r->failed ? mikey_short(d, r->at, "the CS ID map info", "RFC 3830, 6.1") : 0;
}

static int hdr_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_hdr *hdr,
                    uint8_t *ret_next)
{
	uint8_t version = base_reader_u8(r), v_prf;

	hdr->data_type = base_reader_u8(r);
	*ret_next = base_reader_u8(r);
	v_prf = base_reader_u8(r);
	hdr->v = v_prf & 0x80;
	hdr->prf = v_prf & 0x7f;
	hdr->csb_id = base_reader_u32(r);
	hdr->cs_count = base_reader_u8(r);
	hdr->map_type = base_reader_u8(r);
	if (r->failed)
		return mikey_short(d, d->begin, "the header", "RFC 3830, 6.1");
	if (version != 1)
		return mikey_refuse(d, d->begin, MIKEY_UNSPECIFIED,
		                    "version %u; MIKEY has version 1 (RFC 3830, 6.1)", version);
	return map_read(d, r, hdr);
}

int mikey_decode(struct base_arena *arena, const void *data, size_t len, struct mikey_message **ret,
                 struct base_error *err)
{
	struct mikey_decoder d = { .arena = arena, .err = err, .begin = data };
	struct base_reader r = base_reader_of(data, len);
	struct mikey_message *msg = BASE_NEW(arena, struct mikey_message);
	uint8_t next = 0;
	int rc;

	if (!msg)
		return mikey_no_memory(err);
	if (len > MIKEY_OCTETS_MAX)
		return mikey_refuse(&d, d.begin, MIKEY_UNSPECIFIED, "longer than %zu octets",
		                    MIKEY_OCTETS_MAX);
	rc = hdr_read(&d, &r, &msg->hdr, &next);
	if (!rc)
		rc = mikey_chain_whole(&d, next, mikey_octets_of(r.at, base_reader_left(&r)),
		                       &msg->first);
	if (rc)
		return rc;
	msg->octets = mikey_octets_of(data, len);
	*ret = msg;
	return 0;
}
