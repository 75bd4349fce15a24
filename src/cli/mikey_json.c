/* SPDX-License-Identifier: Apache-2.0 */
/** @file The model as JSON; the words are made of it (mikey_words.c). */
#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#include "cli/mikey.h"

/* Appending to JSON out of memory leaves a message with less in it; mikey_json checks at its end.
 */
static void put(json_t *o, const char *name, json_t *value)
{
	if (value)
		(void)json_object_set_new(o, name, value); /* see above */
}

static json_t *named(enum mikey_space space, unsigned value)
{
	const char *name = mikey_name(space, value);

	return name ? json_string(name) : json_sprintf("%u (not known)", value);
}

static json_t *hex(struct mikey_octets o)
{
	char *text = malloc(3 * o.len + 1);
	json_t *json;

	if (!text)
		return NULL;
	base_hex_encode(o.at, o.len, 0, false, text);
	json = json_string(text);
	free(text);
	return json;
}

/* Identities are text, unless they are not. */
static json_t *text_or_hex(struct mikey_octets o)
{
	for (size_t i = 0; i < o.len; i++) {
		if (o.at[i] < 0x20 || o.at[i] > 0x7e)
			return hex(o);
	}
	return json_stringn((const char *)o.at, o.len);
}

static json_t *length(struct mikey_octets o)
{
	return json_sprintf("%zu octets", o.len);
}

/* NTP counts from 1900; below 2^31 it has gone round, in 2036 (RFC 4330, 3). */
static json_t *time_of(const struct mikey_ts *ts)
{
	uint64_t s = ts->type == MIKEY_NTP_UTC_32 ? ts->value : ts->value >> 32;
	time_t at;
	struct tm tm;
	char text[64];

	if (ts->type == MIKEY_COUNTER)
		return json_integer((json_int_t)ts->value);
	if (ts->role == MIKEY_TS_REKEY)
		return json_sprintf("%llu s", (unsigned long long)s);
	if (s < 0x80000000U)
		s += 0x100000000U;
	at = (time_t)(s - 2208988800U);
	if (!gmtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return json_string(text);
}

static json_t *chain(const struct mikey_payload *p);

static void kv_put(json_t *o, uint8_t kv, struct mikey_octets spi, struct mikey_octets from,
                   struct mikey_octets to)
{
	put(o, "validity", named(MIKEY_SPACE_KV, kv));
	if (kv == MIKEY_KV_SPI)
		put(o, "SPI", hex(spi));
	if (kv == MIKEY_KV_INTERVAL) {
		put(o, "from", hex(from));
		put(o, "to", hex(to));
	}
}

static void kemac_put(json_t *o, const struct mikey_kemac *k)
{
	put(o, "encryption", named(MIKEY_SPACE_ENCR, k->encr));
	put(o, "MAC algorithm", named(MIKEY_SPACE_MAC, k->mac));
	put(o, "data", length(k->data));
	if (k->keys)
		put(o, "keys", chain(k->keys));
	if (k->tag.len)
		put(o, "MAC", hex(k->tag));
}

static void sp_put(json_t *o, const struct mikey_sp *sp)
{
	json_t *list = json_array();

	put(o, "policy number", json_integer(sp->policy_no));
	put(o, "protocol", named(MIKEY_SPACE_PROT, sp->prot));
	for (size_t i = 0; i < sp->count; i++) {
		json_t *param = json_object();
		const char *name = sp->prot == MIKEY_PROT_SRTP
		                           ? mikey_name(MIKEY_SPACE_SRTP_PARAM, sp->param[i].type)
		                           : NULL;

		put(param, "type", json_integer(sp->param[i].type));
		if (name)
			put(param, "meaning", json_string(name));
		put(param, "value", hex(sp->param[i].value));
		(void)json_array_append_new(list, param); /* checked at the end of mikey_json */
	}
	put(o, "parameters", list);
}

/* As in the RFC: the letters of the flags that are set. */
static json_t *flags(uint32_t bits)
{
	char text[16];
	size_t n = 0;

	for (unsigned i = 0; i < 12; i++) {
		if (bits & (uint32_t)MIKEY_FLAG_D >> i)
			text[n++] = (char)('D' + (int)i);
	}
	return json_stringn(text, n);
}

static void ticket_put(json_t *o, const struct mikey_payload *p)
{
	const struct mikey_ticket *t = &p->ticket;

	put(o, "ticket type", named(MIKEY_SPACE_TICKET_TYPE, t->type));
	put(o, "subtype", json_integer(t->subtype));
	put(o, "version", json_integer(t->version));
	put(o, "PRF", named(MIKEY_SPACE_PRF, t->prf));
	put(o, "flags", flags(t->flags));
	put(o, "policy", chain(t->policy));
	if (p->type == MIKEY_TP)
		return;
	put(o, "ticket data", length(t->data));
	if (t->type == MIKEY_TICKET_BASE) {
		struct base_arena arena = { 0 };
		struct mikey_payload *inside = NULL;
		struct mikey_octets thdr = { NULL, 0 };

		if (mikey_ticket_data_decode(&arena, t->data, &thdr, &inside, NULL) == 0) {
			put(o, "ticket header", hex(thdr));
			put(o, "ticket", chain(inside));
		}
		base_arena_done(&arena);
	}
	if (t->initiator)
		put(o, "initiator data", chain(t->initiator));
}

/* RFC 4563, 4 */
static json_t *key_ids(struct mikey_octets data)
{
	static const char *const names[] = { "MBMS Key Domain ID", "MBMS Service Key ID",
		                             "MBMS Traffic Key ID" };
	struct base_reader r = base_reader_of(data.at, data.len);
	json_t *list = json_array();

	while (base_reader_left(&r)) {
		uint8_t type = base_reader_u8(&r), len = base_reader_u8(&r);
		const uint8_t *at = base_reader_take(&r, len);
		json_t *id = json_object();

		if (at)
			put(id, type < BASE_COUNT(names) ? names[type] : "Key ID",
			    hex(mikey_octets_of(at, len)));
		(void)json_array_append_new(list, id); /* checked at the end of mikey_json */
	}
	return list;
}

static void ext_put(json_t *o, const struct mikey_ext *e)
{
	put(o, "type", named(MIKEY_SPACE_EXT, e->type));
	if (e->type == MIKEY_EXT_KEY_ID)
		put(o, "key IDs", key_ids(e->data));
	else
		put(o, "data", text_or_hex(e->data));
}

static void dh_put(json_t *o, const struct mikey_dh *dh)
{
	put(o, "group", named(MIKEY_SPACE_DH_GROUP, dh->group));
	put(o, "value", hex(dh->value));
	kv_put(o, dh->kv, dh->spi, dh->from, dh->to);
}

static void typed_put(json_t *o, enum mikey_space space, unsigned type, json_t *data)
{
	put(o, "type", named(space, type));
	put(o, "data", data);
}

static void id_put(json_t *o, const struct mikey_payload *p)
{
	if (p->type == MIKEY_IDR)
		put(o, "role", named(MIKEY_SPACE_ID_ROLE, p->idr.role));
	typed_put(o, MIKEY_SPACE_ID_TYPE, p->idr.id.type, text_or_hex(p->idr.id.data));
}

static void key_put(json_t *o, const struct mikey_key_data *k)
{
	put(o, "type", named(MIKEY_SPACE_KEY_TYPE, k->type));
	put(o, "key", json_sprintf("%zu octets, not shown", k->key.len));
	if (k->salt.len)
		put(o, "salt", json_sprintf("%zu octets, not shown", k->salt.len));
	kv_put(o, k->kv, k->spi, k->from, k->to);
}

static void fields_put(json_t *o, const struct mikey_payload *p)
{
	switch (p->type) {
	case MIKEY_KEMAC:
		kemac_put(o, &p->kemac);
		break;
	case MIKEY_PKE:
		typed_put(o, MIKEY_SPACE_CACHE, p->pke.cache, length(p->pke.data));
		break;
	case MIKEY_DH:
		dh_put(o, &p->dh);
		break;
	case MIKEY_SIGN:
		typed_put(o, MIKEY_SPACE_SIGN, p->sign.type, hex(p->sign.data));
		break;
	case MIKEY_T:
	case MIKEY_TR:
		if (p->type == MIKEY_TR)
			put(o, "role", named(MIKEY_SPACE_TS_ROLE, p->ts.role));
		typed_put(o, MIKEY_SPACE_TS_TYPE, p->ts.type, time_of(&p->ts));
		break;
	case MIKEY_ID:
	case MIKEY_IDR:
		id_put(o, p);
		break;
	case MIKEY_CERT:
		typed_put(o, MIKEY_SPACE_CERT, p->cert.type,
		          p->cert.type == MIKEY_X509_URL ? text_or_hex(p->cert.data)
		                                         : length(p->cert.data));
		break;
	case MIKEY_CHASH:
		typed_put(o, MIKEY_SPACE_HASH, p->chash.hash, hex(p->chash.data));
		break;
	case MIKEY_V:
		typed_put(o, MIKEY_SPACE_MAC, p->v.mac, hex(p->v.tag));
		break;
	case MIKEY_SP:
		sp_put(o, &p->sp);
		break;
	case MIKEY_RAND:
	case MIKEY_RANDR:
		if (p->type == MIKEY_RANDR)
			put(o, "role", named(MIKEY_SPACE_RAND_ROLE, p->rand.role));
		put(o, "data", hex(p->rand.data));
		break;
	case MIKEY_ERR:
		put(o, "error", named(MIKEY_SPACE_ERROR, p->error_no));
		break;
	case MIKEY_TP:
	case MIKEY_TICKET:
		ticket_put(o, p);
		break;
	case MIKEY_KEY_DATA:
		key_put(o, &p->key);
		break;
	default:
		ext_put(o, &p->ext);
		break;
	}
}

static json_t *chain(const struct mikey_payload *p)
{
	json_t *list = json_array();

	for (; p; p = p->next) {
		json_t *o = json_object();

		put(o, "payload", named(MIKEY_SPACE_PAYLOAD, p->type));
		fields_put(o, p);
		(void)json_array_append_new(list, o); /* checked at the end of mikey_json */
	}
	return list;
}

static json_t *cs_json(const struct mikey_hdr *hdr, const struct mikey_cs *cs)
{
	json_t *o = json_object();

	put(o, "CS ID", json_integer(cs->id));
	put(o, "protocol", named(MIKEY_SPACE_PROT, cs->prot));
	put(o, "policies", hex(cs->policies));
	if (hdr->map_type == MIKEY_MAP_SRTP_ID) {
		put(o, "SSRC", json_sprintf("0x%08x", (unsigned)cs->ssrc));
		put(o, "ROC", json_integer(cs->roc));
		return o;
	}
	if (cs->session_data.len)
		put(o, "session data", hex(cs->session_data));
	put(o, "SPI", hex(cs->spi));
	return o;
}

json_t *mikey_json(const struct mikey_message *msg)
{
	const struct mikey_hdr *hdr = &msg->hdr;
	json_t *o = json_object(), *list;

	put(o, "message", named(MIKEY_SPACE_DATA_TYPE, hdr->data_type));
	put(o, "octets", json_integer((json_int_t)msg->octets.len));
	put(o, "CSB ID", json_sprintf("0x%08x", (unsigned)hdr->csb_id));
	put(o, "PRF", named(MIKEY_SPACE_PRF, hdr->prf));
	put(o, "response expected", json_boolean(hdr->v));
	put(o, "CS ID map", named(MIKEY_SPACE_MAP, hdr->map_type));
	list = json_array();
	for (unsigned i = 0; hdr->cs && i < hdr->cs_count; i++)
		(void)json_array_append_new(list, cs_json(hdr, &hdr->cs[i])); /* as above */
	put(o, "crypto sessions", list);
	put(o, "payloads", chain(msg->first));
	if (o && !json_object_get(o, "payloads")) {
		json_decref(o);
		return NULL;
	}
	return o;
}
