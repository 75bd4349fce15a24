/* SPDX-License-Identifier: Apache-2.0 */
/** @file One payload as octets, in the order of RFC 3830, section 6, then RFC 6043, 6.10. */
#include "mikey/codec_private.h"

static void kv_write(struct base_writer *w, uint8_t kv, struct mikey_octets spi,
                     struct mikey_octets from, struct mikey_octets to)
{
	if (kv == MIKEY_KV_SPI) {
		mikey_put_counted(w, 1, spi);
	} else if (kv == MIKEY_KV_INTERVAL) {
		mikey_put_counted(w, 1, from);
		mikey_put_counted(w, 1, to);
	}
}

/* A field that another field's value gives the length of. */
static int put_exact(struct base_writer *w, struct mikey_octets o, int len)
{
	if (len < 0 || o.len != (size_t)len)
		return BASE_ERR(BASE_BUG, 0);
	mikey_put(w, o);
	return 0;
}

/* Two octets are kept free for the length, which is known afterwards. */
static int put_inner(struct base_writer *w, bool first_octet, const struct mikey_payload *chain)
{
	size_t at = w->len, len;
	int rc;

	base_writer_u16(w, 0);
	if (first_octet)
		base_writer_u8(w, chain ? chain->type : MIKEY_LAST);
	rc = mikey_chain_encode(w, chain);
	if (rc || w->failed)
		return rc ? rc : BASE_ERR(BASE_LOCAL, 0);
	len = w->len - at - 2;
	if (len > 0xffff)
		return BASE_ERR(BASE_BUG, 0);
	w->data[at] = (uint8_t)(len >> 8);
	w->data[at + 1] = (uint8_t)len;
	return 0;
}

static int kemac_write(struct base_writer *w, const struct mikey_kemac *k)
{
	int rc = 0;

	base_writer_u8(w, k->encr);
	if (k->keys)
		rc = put_inner(w, false, k->keys);
	else
		mikey_put_counted(w, 2, k->data);
	base_writer_u8(w, k->mac);
	return rc ? rc : put_exact(w, k->tag, mikey_mac_len(k->mac));
}

static int dh_write(struct base_writer *w, const struct mikey_dh *dh)
{
	static const uint8_t len[] = { 192, 96, 128 };
	int rc;

	base_writer_u8(w, dh->group);
	rc = put_exact(w, dh->value, dh->group < BASE_COUNT(len) ? len[dh->group] : -1);
	base_writer_u8(w, dh->kv);
	kv_write(w, dh->kv, dh->spi, dh->from, dh->to);
	return rc;
}

static int both_write(struct base_writer *w, unsigned high, unsigned bits, struct mikey_octets o)
{
	if (o.len >> bits)
		return BASE_ERR(BASE_BUG, 0);
	base_writer_u16(w, (uint16_t)(high << bits | o.len));
	mikey_put(w, o);
	return 0;
}

static void ts_write(struct base_writer *w, const struct mikey_payload *p)
{
	if (p->type == MIKEY_TR)
		base_writer_u8(w, p->ts.role);
	base_writer_u8(w, p->ts.type);
	if (p->ts.type < MIKEY_COUNTER)
		base_writer_u32(w, (uint32_t)(p->ts.value >> 32));
	base_writer_u32(w, (uint32_t)p->ts.value);
}

static int sp_write(struct base_writer *w, const struct mikey_sp *sp)
{
	size_t len = 0;

	for (size_t i = 0; i < sp->count; i++)
		len += 2 + sp->param[i].value.len;
	if (len > 0xffff)
		return BASE_ERR(BASE_BUG, 0);
	base_writer_u8(w, sp->policy_no);
	base_writer_u8(w, sp->prot);
	base_writer_u16(w, (uint16_t)len);
	for (size_t i = 0; i < sp->count; i++) {
		base_writer_u8(w, sp->param[i].type);
		mikey_put_counted(w, 1, sp->param[i].value);
	}
	return 0;
}

static void key_write(struct base_writer *w, const struct mikey_key_data *k)
{
	base_writer_u8(w, (uint8_t)(k->type << 4 | (k->kv & 0x0f)));
	mikey_put_counted(w, 2, k->key);
	if (k->type == MIKEY_TGK_SALT || k->type == MIKEY_TEK_SALT || k->type == MIKEY_GTGK_SALT)
		mikey_put_counted(w, 2, k->salt);
	kv_write(w, k->kv, k->spi, k->from, k->to);
}

static int ticket_write(struct base_writer *w, const struct mikey_payload *p)
{
	const struct mikey_ticket *t = &p->ticket;
	uint32_t bits = (uint32_t)(t->prf & 0x7fu) << 17 | (t->flags & 0x1ffff);
	int rc;

	base_writer_u16(w, t->type);
	base_writer_u8(w, t->subtype);
	base_writer_u8(w, t->version);
	base_writer_u8(w, (uint8_t)(bits >> 16));
	base_writer_u16(w, (uint16_t)bits);
	rc = put_inner(w, true, t->policy);
	if (rc || p->type == MIKEY_TP)
		return rc;
	mikey_put_counted(w, 2, t->data);
	if (t->initiator)
		return put_inner(w, true, t->initiator);
	base_writer_u16(w, 0);
	return 0;
}

static void typed_write(struct base_writer *w, bool has_role, uint8_t role, uint8_t type,
                        struct mikey_octets data)
{
	if (has_role)
		base_writer_u8(w, role);
	base_writer_u8(w, type);
	mikey_put_counted(w, 2, data);
}

/* Payloads whose lengths are fixed or bounded by another field. */
static int exact_write(struct base_writer *w, const struct mikey_payload *p)
{
	switch (p->type) {
	case MIKEY_KEMAC:
		return kemac_write(w, &p->kemac);
	case MIKEY_PKE:
		return both_write(w, p->pke.cache, 14, p->pke.data);
	case MIKEY_DH:
		return dh_write(w, &p->dh);
	case MIKEY_SIGN:
		return both_write(w, p->sign.type, 12, p->sign.data);
	case MIKEY_CHASH:
		base_writer_u8(w, p->chash.hash);
		return put_exact(w, p->chash.data, mikey_hash_len(p->chash.hash));
	case MIKEY_V:
		base_writer_u8(w, p->v.mac);
		return put_exact(w, p->v.tag, mikey_mac_len(p->v.mac));
	case MIKEY_SP:
		return sp_write(w, &p->sp);
	case MIKEY_TP:
	case MIKEY_TICKET:
		return ticket_write(w, p);
	default:
		return BASE_ERR(BASE_BUG, 0);
	}
}

int mikey_payload_write(struct base_writer *w, const struct mikey_payload *p)
{
	switch (p->type) {
	case MIKEY_T:
	case MIKEY_TR:
		return ts_write(w, p), 0;
	case MIKEY_ID:
	case MIKEY_IDR:
		typed_write(w, p->type == MIKEY_IDR, p->idr.role, p->idr.id.type, p->idr.id.data);
		return 0;
	case MIKEY_CERT:
		return typed_write(w, false, 0, p->cert.type, p->cert.data), 0;
	case MIKEY_GENERAL_EXT:
		return typed_write(w, false, 0, p->ext.type, p->ext.data), 0;
	case MIKEY_RAND:
	case MIKEY_RANDR:
		if (p->type == MIKEY_RANDR)
			base_writer_u8(w, p->rand.role);
		return mikey_put_counted(w, 1, p->rand.data), 0;
	case MIKEY_ERR:
		base_writer_u8(w, p->error_no);
		return base_writer_u16(w, 0), 0;
	case MIKEY_KEY_DATA:
		return key_write(w, &p->key), 0;
	default:
		return exact_write(w, p);
	}
}
