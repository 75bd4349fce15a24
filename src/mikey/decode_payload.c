/* SPDX-License-Identifier: Apache-2.0 */
/** @file One function per payload, in the order of RFC 3830, section 6, then RFC 6043, 6.10. */
#include "mikey/codec_private.h"

int mikey_mac_len(uint8_t mac)
{
	static const int8_t len[] = { 0, 20, 32 };

	return mac < BASE_COUNT(len) ? len[mac] : -1;
}

int mikey_hash_len(uint8_t hash)
{
	static const int8_t len[] = { 20, 16, 32 };

	return hash < BASE_COUNT(len) ? len[hash] : -1;
}

/* Key validity data (RFC 3830, 6.14). */
static int kv_read(struct mikey_decoder *d, struct base_reader *r, uint8_t kv,
                   struct mikey_octets *spi, struct mikey_octets *from, struct mikey_octets *to)
{
	switch (kv) {
	case MIKEY_KV_NULL:
		return 0;
	case MIKEY_KV_SPI:
		*spi = mikey_take(r, base_reader_u8(r));
		return 0;
	case MIKEY_KV_INTERVAL:
		*from = mikey_take(r, base_reader_u8(r));
		*to = mikey_take(r, base_reader_u8(r));
		return 0;
	default:
		return mikey_refuse(d, r->at, MIKEY_UNSPECIFIED,
		                    "key validity type %u is not known (RFC 3830, 6.13)", kv);
	}
}

static int kemac_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	struct mikey_kemac *k = &p->kemac;
	const uint8_t *at = r->at;
	int len, rc;

	k->encr = base_reader_u8(r);
	k->data = mikey_take(r, base_reader_u16(r));
	k->mac = base_reader_u8(r);
	len = mikey_mac_len(k->mac);
	if (r->failed)
		return 0;
	if (len < 0)
		return mikey_refuse(d, at, MIKEY_BAD_MAC,
		                    "MAC alg %u of the KEMAC is not known (RFC 6043, 6.2)", k->mac);
	k->tag = mikey_take(r, (size_t)len);
	if (k->encr != MIKEY_ENCR_NULL || r->failed || k->data.len == 0)
		return 0;
	/* Readable, so read: it has to hold key data, or, in a public-key message of
	 * RFC 3830, an ID before them, which no octet announces. */
	rc = mikey_keys_decode(d->arena, k->data, false, &k->keys, NULL);
	if (rc && base_err_class(rc) != BASE_PEER)
		return mikey_no_memory(d->err);
	if (rc)
		k->keys = NULL;
	return 0;
}

static int dh_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	static const uint8_t len[] = { 192, 96, 128 }; /* Table 6.4 */
	struct mikey_dh *dh = &p->dh;
	const uint8_t *at = r->at;

	dh->group = base_reader_u8(r);
	if (r->failed)
		return 0;
	if (dh->group >= BASE_COUNT(len))
		return mikey_refuse(d, at, MIKEY_BAD_DH,
		                    "DH group %u has no length (RFC 3830, 6.4)", dh->group);
	dh->value = mikey_take(r, len[dh->group]);
	dh->kv = base_reader_u8(r) & 0x0f;
	return kv_read(d, r, dh->kv, &dh->spi, &dh->from, &dh->to);
}

static int ts_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	const uint8_t *at = r->at;

	if (p->type == MIKEY_TR)
		p->ts.role = base_reader_u8(r);
	p->ts.type = base_reader_u8(r);
	if (p->ts.type > MIKEY_NTP_UTC_32)
		return mikey_refuse(d, at, MIKEY_BAD_TS,
		                    "timestamp type %u is not known (RFC 3830, 6.6)", p->ts.type);
	p->ts.value = p->ts.type >= MIKEY_COUNTER ? base_reader_u32(r) : base_reader_u64(r);
	return 0;
}

static void idr_read(struct base_reader *r, struct mikey_payload *p)
{
	if (p->type == MIKEY_IDR)
		p->idr.role = base_reader_u8(r);
	p->idr.id.type = base_reader_u8(r);
	p->idr.id.data = mikey_take(r, base_reader_u16(r));
}

static int chash_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	const uint8_t *at = r->at;
	int len;

	p->chash.hash = base_reader_u8(r);
	len = mikey_hash_len(p->chash.hash);
	if (len < 0)
		return mikey_refuse(d, at, MIKEY_BAD_HA,
		                    "hash function %u is not known (RFC 6043, 6.7)", p->chash.hash);
	p->chash.data = mikey_take(r, (size_t)len);
	return 0;
}

static int v_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	const uint8_t *at = r->at;
	int len;

	p->v.mac = base_reader_u8(r);
	len = mikey_mac_len(p->v.mac);
	if (len < 0)
		return mikey_refuse(d, at, MIKEY_BAD_MAC,
		                    "Auth alg %u is not known (RFC 6043, 6.2)", p->v.mac);
	p->v.tag = mikey_take(r, (size_t)len);
	return 0;
}

static int sp_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	struct base_reader params, count;

	p->sp.policy_no = base_reader_u8(r);
	p->sp.prot = base_reader_u8(r);
	params = base_reader_sub(r, base_reader_u16(r));
	if (r->failed)
		return 0;
	for (count = params; base_reader_left(&count) && !count.failed; p->sp.count++) {
		(void)base_reader_u8(&count); /* the type: only counted here */
		(void)mikey_take(&count, base_reader_u8(&count));
	}
	if (count.failed)
		return mikey_refuse(d, params.at, MIKEY_BAD_SP_PARAM,
		                    "a policy parameter runs past its payload (RFC 3830, 6.10)");
	if (!p->sp.count)
		return 0;
	p->sp.param = base_arena_array(d->arena, p->sp.count, sizeof(*p->sp.param));
	if (!p->sp.param)
		return mikey_no_memory(d->err);
	for (size_t i = 0; i < p->sp.count; i++) {
		p->sp.param[i].type = base_reader_u8(&params);
		p->sp.param[i].value = mikey_take(&params, base_reader_u8(&params));
	}
	return 0;
}

static int key_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	struct mikey_key_data *k = &p->key;
	uint8_t both = base_reader_u8(r);

	k->type = both >> 4;
	k->kv = both & 0x0f;
	k->key = mikey_take(r, base_reader_u16(r));
	if (k->type == MIKEY_TGK_SALT || k->type == MIKEY_TEK_SALT || k->type == MIKEY_GTGK_SALT)
		k->salt = mikey_take(r, base_reader_u16(r));
	return kv_read(d, r, k->kv, &k->spi, &k->from, &k->to);
}

/* A chain after the octet that names its first payload (RFC 6043, 6.10). */
static int inner_read(struct mikey_decoder *d, struct mikey_octets data, struct mikey_payload **ret)
{
	if (!data.len)
		return 0;
	return mikey_chain_whole(d, data.at[0], mikey_octets_of(data.at + 1, data.len - 1), ret);
}

int mikey_ticket_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	struct mikey_ticket *t = &p->ticket;
	struct mikey_octets policy, initiator = { NULL, 0 };
	const uint8_t *at = r->at;
	uint32_t bits;
	int rc;

	if (d->depth)
		return mikey_refuse(d, at, MIKEY_BAD_TICKET,
		                    "a ticket inside a ticket (RFC 6043, 6.10)");
	t->type = base_reader_u16(r);
	t->subtype = base_reader_u8(r);
	t->version = base_reader_u8(r);
	bits = base_reader_u24(r);
	t->prf = (uint8_t)(bits >> 17);
	t->flags = bits & 0x1ffff;
	policy = mikey_take(r, base_reader_u16(r));
	if (p->type == MIKEY_TICKET) {
		t->data = mikey_take(r, base_reader_u16(r));
		at = r->at;
		initiator = mikey_take(r, base_reader_u16(r));
		t->initiator_span = mikey_octets_of(at, (size_t)(r->at - at));
	}
	if (r->failed)
		return 0;
	d->depth++;
	rc = inner_read(d, policy, &t->policy);
	if (!rc)
		rc = inner_read(d, initiator, &t->initiator);
	d->depth--;
	return rc;
}

static void sign_read(struct base_reader *r, struct mikey_payload *p)
{
	uint16_t both = base_reader_u16(r);

	p->sign.type = (uint8_t)(both >> 12);
	p->sign.data = mikey_take(r, both & 0x0fff);
}

static void pke_read(struct base_reader *r, struct mikey_payload *p)
{
	uint16_t both = base_reader_u16(r);

	p->pke.cache = (uint8_t)(both >> 14);
	p->pke.data = mikey_take(r, both & 0x3fff);
}

static void rand_read(struct base_reader *r, struct mikey_payload *p)
{
	if (p->type == MIKEY_RANDR)
		p->rand.role = base_reader_u8(r);
	p->rand.data = mikey_take(r, base_reader_u8(r));
}

/* The payloads that cannot be wrong but in their length, and all others. */
static int fields_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	switch (p->type) {
	case MIKEY_KEMAC:
		return kemac_read(d, r, p);
	case MIKEY_PKE:
		return pke_read(r, p), 0;
	case MIKEY_DH:
		return dh_read(d, r, p);
	case MIKEY_SIGN:
		return sign_read(r, p), 0;
	case MIKEY_T:
	case MIKEY_TR:
		return ts_read(d, r, p);
	case MIKEY_ID:
	case MIKEY_IDR:
		return idr_read(r, p), 0;
	case MIKEY_CERT:
		p->cert.type = base_reader_u8(r);
		p->cert.data = mikey_take(r, base_reader_u16(r));
		return 0;
	case MIKEY_CHASH:
		return chash_read(d, r, p);
	case MIKEY_V:
		return v_read(d, r, p);
	case MIKEY_SP:
		return sp_read(d, r, p);
	case MIKEY_RAND:
	case MIKEY_RANDR:
		return rand_read(r, p), 0;
	case MIKEY_ERR:
		p->error_no = base_reader_u8(r);
		(void)base_reader_u16(r); /* reserved */
		return 0;
	case MIKEY_TP:
	case MIKEY_TICKET:
		return mikey_ticket_read(d, r, p);
	case MIKEY_KEY_DATA:
		return key_read(d, r, p);
	case MIKEY_GENERAL_EXT:
		p->ext.type = base_reader_u8(r);
		p->ext.data = mikey_take(r, base_reader_u16(r));
		return 0;
	default:
		return mikey_refuse(d, r->at, MIKEY_UNSUPPORTED,
		                    "payload type %u is not known, nor where it ends "
		                    "(RFC 3830, 6.1)",
		                    p->type);
	}
}

int mikey_payload_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p)
{
	const uint8_t *at = r->at;
	const char *name = mikey_name(MIKEY_SPACE_PAYLOAD, p->type);
	int rc = fields_read(d, r, p);

	if (!rc && r->failed)
		rc = mikey_short(d, at, name ? name : "a payload", "RFC 3830, section 6");
	return rc;
}
