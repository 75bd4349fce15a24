/* SPDX-License-Identifier: Apache-2.0 */
/** @file Every payload of RFC 3830 and RFC 6043 there and back, and what has to be refused. */
#include "check.h"

#include "mikey/mikey.h"

static struct mikey_octets text(const char *s)
{
	return mikey_octets_text(s);
}

static struct mikey_octets filler(size_t len)
{
	static uint8_t octets[192];

	memset(octets, 0xa5, sizeof(octets));
	return mikey_octets_of(octets, len);
}

static void fill_3830(struct base_arena *a, struct mikey_payload **chain)
{
	struct mikey_payload *p;

	p = mikey_append(a, chain, MIKEY_T);
	p->ts = (struct mikey_ts){ .type = MIKEY_NTP_UTC, .value = 0x0123456789abcdefULL };
	mikey_append(a, chain, MIKEY_RAND)->rand.data = filler(16);
	p = mikey_append(a, chain, MIKEY_ID);
	p->idr.id = (struct mikey_id){ MIKEY_URI, text("sip:a@example.com") };
	p = mikey_append(a, chain, MIKEY_CERT);
	p->cert = (struct mikey_cert){ MIKEY_X509_URL, text("http://example.com/c") };
	p = mikey_append(a, chain, MIKEY_CHASH);
	p->chash = (struct mikey_chash){ MIKEY_SHA_256, filler(32) };
	p = mikey_append(a, chain, MIKEY_SP);
	p->sp = (struct mikey_sp){ .policy_no = 3, .prot = MIKEY_PROT_SRTP, .count = 2 };
	p->sp.param = base_arena_array(a, 2, sizeof(*p->sp.param));
	p->sp.param[0] = (struct mikey_sp_param){ 0, text("\1") };
	p->sp.param[1] = (struct mikey_sp_param){ 11, filler(1) };
	p = mikey_append(a, chain, MIKEY_PKE);
	p->pke = (struct mikey_pke){ 2, filler(128) };
	p = mikey_append(a, chain, MIKEY_DH);
	p->dh = (struct mikey_dh){ .group = 2,
		                   .kv = MIKEY_KV_INTERVAL,
		                   .value = filler(128),
		                   .from = text("1"),
		                   .to = text("22") };
	mikey_append(a, chain, MIKEY_ERR)->error_no = MIKEY_BAD_SP;
	p = mikey_append(a, chain, MIKEY_GENERAL_EXT);
	p->ext = (struct mikey_ext){ MIKEY_EXT_SDP_IDS, text("mikey;keyp1") };
	p = mikey_append(a, chain, MIKEY_KEMAC);
	p->kemac = (struct mikey_kemac){ .encr = MIKEY_AES_CM_128,
		                         .mac = MIKEY_HMAC_SHA_1_160,
		                         .data = filler(40),
		                         .tag = filler(20) };
}

static void fill_6043(struct base_arena *a, struct mikey_payload **chain)
{
	struct mikey_payload *p, *k;

	p = mikey_append(a, chain, MIKEY_RANDR);
	p->rand = (struct mikey_rand){ MIKEY_RAND_KMS, filler(16) };
	p = mikey_append(a, chain, MIKEY_IDR);
	p->idr = (struct mikey_idr){ MIKEY_ID_PSK, { MIKEY_BYTE_STRING, filler(5) } };
	p = mikey_append(a, chain, MIKEY_TP);
	p->ticket = (struct mikey_ticket){ .type = 1,
		                           .subtype = 1,
		                           .version = 1,
		                           .prf = 1,
		                           .flags = MIKEY_FLAG_D | MIKEY_FLAG_O | 0x1f };
	k = mikey_append(a, &p->ticket.policy, MIKEY_TR);
	k->ts = (struct mikey_ts){ MIKEY_TS_END, MIKEY_NTP_UTC_32, 0xdeadbeef };
	k = mikey_append(a, &p->ticket.policy, MIKEY_KEMAC);
	k = mikey_append(a, &k->kemac.keys, MIKEY_KEY_DATA);
	k->key = (struct mikey_key_data){ .type = MIKEY_TGK_SALT,
		                          .kv = MIKEY_KV_SPI,
		                          .key = filler(32),
		                          .salt = filler(14),
		                          .spi = filler(4) };
	p = mikey_append(a, chain, MIKEY_TICKET);
	p->ticket = (struct mikey_ticket){
		.type = 2, .prf = 0x7f, .flags = MIKEY_FLAG_I, .data = filler(33)
	};
	k = mikey_append(a, &p->ticket.policy, MIKEY_IDR);
	k->idr = (struct mikey_idr){ MIKEY_ID_APP, { MIKEY_NAI, text("chat") } };
	for (int i = 0; i < 2; i++) {
		k = mikey_append(a, &p->ticket.initiator, MIKEY_V);
		k->v = (struct mikey_v){ MIKEY_HMAC_SHA_1_160, filler(20) };
	}
	p = mikey_append(a, chain, MIKEY_V);
	p->v = (struct mikey_v){ MIKEY_HMAC_SHA_256_256, filler(32) };
}

static struct mikey_message *sample(struct base_arena *a)
{
	struct mikey_message *msg = BASE_NEW(a, struct mikey_message);

	msg->hdr = (struct mikey_hdr){ .data_type = MIKEY_TRANSFER_INIT,
		                       .v = true,
		                       .prf = 1,
		                       .map_type = MIKEY_MAP_GENERIC_ID,
		                       .cs_count = 2,
		                       .csb_id = 0xfeedf00d };
	msg->hdr.cs = base_arena_array(a, 2, sizeof(*msg->hdr.cs));
	msg->hdr.cs[0] = (struct mikey_cs){
		.id = 1, .prot = MIKEY_PROT_TLS, .spi = filler(4), .policies = filler(2)
	};
	msg->hdr.cs[1] = (struct mikey_cs){ .id = 9, .s = true, .session_data = filler(10) };
	fill_3830(a, &msg->first);
	fill_6043(a, &msg->first);
	return msg;
}

static struct mikey_message *again(struct base_arena *a, struct base_writer *w)
{
	struct mikey_message *msg = NULL;
	struct base_error err = { 0 };

	if (mikey_decode(a, w->data, w->len, &msg, &err))
		fail_msg("%s", err.text);
	return msg;
}

static void there_and_back(void **state)
{
	struct base_arena a = { 0 };
	struct base_writer w = { 0 }, w2 = { 0 };
	struct mikey_message *msg, *was = sample(&a);
	const struct mikey_payload *p, *q;

	(void)state;
	assert_int_equal(mikey_encode(&w, was), 0);
	msg = again(&a, &w);
	assert_int_equal(msg->hdr.csb_id, 0xfeedf00d);
	assert_int_equal(msg->hdr.cs[0].prot, MIKEY_PROT_TLS);
	assert_true(msg->hdr.cs[1].s && msg->hdr.cs[1].session_data.len == 10);
	for (p = msg->first, q = was->first; p && q; p = p->next, q = q->next)
		assert_int_equal(p->type, q->type);
	assert_true(!p && !q);
	p = mikey_find(msg->first, MIKEY_TICKET);
	assert_int_equal(p->ticket.type, 2);
	assert_int_equal(p->ticket.prf, 0x7f);
	assert_int_equal(p->ticket.flags, MIKEY_FLAG_I);
	assert_int_equal(p->ticket.initiator_span.len, 2 + 1 + 2 * 22);
	p = mikey_find(mikey_find(msg->first, MIKEY_TP)->ticket.policy, MIKEY_KEMAC);
	assert_int_equal(p->kemac.keys->key.salt.len, 14);
	assert_non_null(mikey_find_role(msg->first, MIKEY_IDR, MIKEY_ID_PSK));
	assert_null(mikey_find_role(msg->first, MIKEY_IDR, MIKEY_ID_KMS));
	assert_int_equal(mikey_final(msg->first)->type, MIKEY_V);
	assert_int_equal(mikey_encode(&w2, msg), 0);
	assert_int_equal(w.len, w2.len);
	assert_memory_equal(w.data, w2.data, w.len);
	base_writer_done(&w);
	base_writer_done(&w2);
	base_arena_done(&a);
}

/* RFC 6043, 6.10 by hand: where each bit lies. */
static void ticket_bits(void **state)
{
	static const uint8_t octets[] = {
		1, 14, 17,   0x80, 0, 0,    0,    1,    0, 1, /* HDR, TICKET next */
		0, 0,  1,    1,    1, 0x03, 0x80, 0x20,       /* type 1.1.1, PRF 1, D E O */
		0, 8,  13,   0,    3, 3,    0xe0, 0,    0, 1, /* TRe */
		0, 1,  0xaa, 0,    0,                         /* ticket data, no initiator's */
	};
	struct base_arena a = { 0 };
	struct mikey_message *msg = NULL;
	struct base_error err = { 0 };
	const struct mikey_ticket *t;

	(void)state;
	if (mikey_decode(&a, octets, sizeof(octets), &msg, &err))
		fail_msg("%s", err.text);
	t = &msg->first->ticket;
	assert_int_equal(t->type, 1);
	assert_int_equal(t->prf, 1);
	assert_int_equal(t->flags, MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_O);
	assert_int_equal(t->policy->ts.role, MIKEY_TS_END);
	assert_int_equal(t->policy->ts.value, 0xe0000001);
	assert_int_equal(t->data.len, 1);
	assert_int_equal(t->initiator_span.len, 2);
	base_arena_done(&a);
}

static void ends_too_early(void **state)
{
	struct base_arena a = { 0 };
	struct base_writer w = { 0 };
	struct mikey_message *msg = NULL;

	(void)state;
	assert_int_equal(mikey_encode(&w, sample(&a)), 0);
	for (size_t len = 0; len < w.len; len++) {
		uint8_t *cut = malloc(len + 1); /* so that a sanitizer sees one octet too many */
		struct base_error err = { 0 };
		int rc;

		memcpy(cut, w.data, len);
		rc = mikey_decode(&a, cut, len, &msg, &err);
		assert_int_equal(base_err_class(rc), BASE_PEER);
		assert_true(strlen(err.text) > 10);
		free(cut);
	}
	base_writer_u8(&w, 0);
	assert_int_not_equal(mikey_decode(&a, w.data, w.len, &msg, NULL), 0);
	base_writer_done(&w);
	base_arena_done(&a);
}

/* A message of a header and one payload, by its octets; what error number it is refused with. */
static int refused(uint8_t type, const char *body, size_t len)
{
	uint8_t octets[300] = { 1, 14, 0, 1, 0, 0, 0, 1, 0, 1 };
	struct base_arena a = { 0 };
	struct mikey_message *msg = NULL;
	int rc;

	octets[2] = type;
	memcpy(octets + 10, body, len);
	rc = mikey_decode(&a, octets, 10 + len, &msg, NULL);
	base_arena_done(&a);
	return base_err_class(rc) == BASE_PEER ? (int)base_err_detail(rc) : -1;
}

static void error_numbers(void **state)
{
	(void)state;
	assert_int_equal(refused(MIKEY_V, "\0\7", 2), MIKEY_BAD_MAC);
	assert_int_equal(refused(MIKEY_KEMAC, "\0\1\0\0\7", 5), MIKEY_BAD_MAC);
	assert_int_equal(refused(MIKEY_T, "\0\7........", 10), MIKEY_BAD_TS);
	assert_int_equal(refused(MIKEY_CHASH, "\0\7", 2), MIKEY_BAD_HA);
	assert_int_equal(refused(MIKEY_DH, "\0\7", 2), MIKEY_BAD_DH);
	assert_int_equal(refused(MIKEY_SP, "\0\1\0\0\2\0\5", 7), MIKEY_BAD_SP_PARAM);
	assert_int_equal(refused(99, "\0\0\0", 3), MIKEY_UNSUPPORTED);
	assert_int_equal(refused(MIKEY_KEY_DATA, "\0\x07\0\0", 4), MIKEY_UNSPECIFIED);
	/* a TICKET whose policy holds a TP */
	assert_int_equal(
	        refused(MIKEY_TICKET, "\0\0\1\1\1\0\0\0\0\13\20\0\0\1\1\1\0\0\0\0\0\0\0\0\0", 25),
	        MIKEY_BAD_TICKET);
}

/* Key data alone may be inside a KEMAC: no chains in chains in chains. */
static void kemacs_do_not_nest(void **state)
{
	static const char inside[] = "\0\0\0\13" /* KEMAC, NULL, 11 octets: */
	                             "\1\0\0\1k"
	                             "\0\0\0\1x\0"
	                             "\0";
	uint8_t octets[64] = { 1, 14, 1, 1, 0, 0, 0, 1, 0, 1 };
	struct base_arena a = { 0 };
	struct mikey_message *msg = NULL;

	(void)state;
	memcpy(octets + 10, inside, sizeof(inside) - 1);
	assert_int_equal(mikey_decode(&a, octets, 10 + sizeof(inside) - 1, &msg, NULL), 0);
	assert_null(msg->first->kemac.keys);
	assert_int_equal(msg->first->kemac.data.len, 11);
	base_arena_done(&a);
}

static void ticket_data(void **state)
{
	struct base_arena a = { 0 };
	struct base_writer w = { 0 };
	struct mikey_payload *chain = NULL, *back = NULL;
	struct mikey_octets thdr;

	(void)state;
	fill_3830(&a, &chain);
	assert_int_equal(mikey_ticket_data_encode(&w, text("hd"), chain), 0);
	assert_int_equal(
	        mikey_ticket_data_decode(&a, mikey_octets_of(w.data, w.len), &thdr, &back, NULL),
	        0);
	assert_true(mikey_octets_eq(thdr, text("hd")));
	assert_int_equal(back->type, MIKEY_T);
	assert_int_equal(
	        mikey_ticket_data_decode(&a, mikey_octets_of(w.data, 2), &thdr, &back, NULL),
	        BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET));
	base_writer_done(&w);
	base_arena_done(&a);
}

static void what_cannot_be_written(void **state)
{
	struct base_arena a = { 0 };
	struct base_writer w = { 0 };
	struct mikey_message msg = { .hdr = { .map_type = MIKEY_MAP_EMPTY } };
	struct mikey_payload *p = mikey_append(&a, &msg.first, MIKEY_V);

	(void)state;
	p->v = (struct mikey_v){ MIKEY_HMAC_SHA_1_160, filler(3) };
	assert_int_equal(base_err_class(mikey_encode(&w, &msg)), BASE_BUG);
	p->type = MIKEY_SIGN;
	p->sign = (struct mikey_sign){ 0, filler(3) };
	assert_int_equal(mikey_encode(&w, &msg), 0);
	mikey_append(&a, &msg.first, MIKEY_ERR);
	assert_int_equal(base_err_class(mikey_encode(&w, &msg)), BASE_BUG);
	base_writer_done(&w);
	base_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),         cmocka_unit_test(ticket_bits),
		cmocka_unit_test(ends_too_early),         cmocka_unit_test(error_numbers),
		cmocka_unit_test(kemacs_do_not_nest),     cmocka_unit_test(ticket_data),
		cmocka_unit_test(what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
