/* SPDX-License-Identifier: Apache-2.0 */
/** @file The model as octets: header and chains; the payloads are in encode_payload.c. */
#include "mikey/codec_private.h"

void mikey_put_counted(struct base_writer *w, unsigned width, struct mikey_octets o)
{
	if (o.len > (width == 1 ? 0xffu : 0xffffu))
		w->failed = true;
	else if (width == 1)
		base_writer_u8(w, (uint8_t)o.len);
	else
		base_writer_u16(w, (uint16_t)o.len);
	mikey_put(w, o);
}

static void map_write(struct base_writer *w, const struct mikey_hdr *hdr)
{
	for (unsigned i = 0; hdr->cs && i < hdr->cs_count; i++) {
		const struct mikey_cs *cs = &hdr->cs[i];

		if (hdr->map_type == MIKEY_MAP_SRTP_ID) {
			mikey_put(w, cs->policies);
			base_writer_u32(w, cs->ssrc);
			base_writer_u32(w, cs->roc);
			continue;
		}
		base_writer_u8(w, cs->id);
		base_writer_u8(w, cs->prot);
		base_writer_u8(w, (uint8_t)((cs->s ? 0x80u : 0) | (cs->policies.len & 0x7f)));
		mikey_put(w, cs->policies);
		mikey_put_counted(w, 2, cs->session_data);
		mikey_put_counted(w, 1, cs->spi);
	}
}

/* What the fields have no room for. */
static bool map_fits(const struct mikey_hdr *hdr)
{
	for (unsigned i = 0; hdr->cs && i < hdr->cs_count; i++) {
		if (hdr->map_type == MIKEY_MAP_SRTP_ID ? hdr->cs[i].policies.len != 1
		                                       : hdr->cs[i].policies.len > 0x7f)
			return false;
	}
	return hdr->cs || !hdr->cs_count || hdr->map_type == MIKEY_MAP_EMPTY;
}

int mikey_chain_encode(struct base_writer *w, const struct mikey_payload *chain)
{
	for (const struct mikey_payload *p = chain; p; p = p->next) {
		int rc;

		if (p->type == MIKEY_SIGN && p->next)
			return BASE_ERR(BASE_BUG, 0); /* it has no room to say what follows */
		if (p->type != MIKEY_SIGN)
			base_writer_u8(w, p->next ? p->next->type : MIKEY_LAST);
		rc = mikey_payload_write(w, p);
		if (rc)
			return rc;
	}
	return w->failed ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

int mikey_encode(struct base_writer *w, const struct mikey_message *msg)
{
	const struct mikey_hdr *hdr = &msg->hdr;

	if (!map_fits(hdr))
		return BASE_ERR(BASE_BUG, 0);
	base_writer_u8(w, 1);
	base_writer_u8(w, hdr->data_type);
	base_writer_u8(w, msg->first ? msg->first->type : MIKEY_LAST);
	base_writer_u8(w, (uint8_t)((hdr->v ? 0x80u : 0) | (hdr->prf & 0x7fu)));
	base_writer_u32(w, hdr->csb_id);
	base_writer_u8(w, hdr->cs_count);
	base_writer_u8(w, hdr->map_type);
	if (hdr->map_type != MIKEY_MAP_EMPTY)
		map_write(w, hdr);
	return mikey_chain_encode(w, msg->first);
}

int mikey_ticket_data_encode(struct base_writer *w, struct mikey_octets thdr,
                             const struct mikey_payload *chain)
{
	base_writer_u8(w, chain ? chain->type : MIKEY_LAST);
	mikey_put_counted(w, 2, thdr);
	return mikey_chain_encode(w, chain);
}
