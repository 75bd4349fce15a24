/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The vectors of tests/vectors/mikey: `vectors NAME` prints one as YAML, `vectors` their names.
 * Inputs, RANDs, messages and every key between; the second implementation that holds them against
 * the RFCs is tests/mikey/test_vectors.py.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

#define SHA256_SUITE                                                                               \
	{                                                                                          \
		MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_256_256                   \
	}

static const struct {
	const char *name, *about;
	struct stage stage;
} scenes[] = {
	{ "mode-1-psk",
	  "Both users ask the KMS, by pre-shared keys.",
	  { .mode = 1, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-1-psk-forking",
	  "The same with forked keys: Initiator Data, RANDRkms, MPKr', TGK'.",
	  { .mode = 1, .forked = true, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-1-pk-forking",
	  "Both users ask by RSA signatures and envelope keys.",
	  { .mode = 1, .pk = true, .forked = true, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-1-mikey-1",
	  "The algorithms of RFC 3830: PRF MIKEY-1, AES-CM-128, HMAC-SHA-1-160.",
	  { .mode = 1,
	    .forked = true,
	    .suite = { MIKEY_PRF_MIKEY_1, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_1_160 } } },
	{ "mode-1-pk-mikey-1",
	  "The same by RSA, whose signatures are with SHA-1 then.",
	  { .mode = 1,
	    .pk = true,
	    .suite = { MIKEY_PRF_MIKEY_1, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_1_160 } } },
	{ "mode-1-aes-kw",
	  "AES-KW-128, key data padded with zeroes.",
	  { .mode = 1,
	    .forked = true,
	    .ticket_prf = 1,
	    .suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_KW_128, MIKEY_HMAC_SHA_256_256 } } },
	{ "mode-1-aes-256-many-keys",
	  "AES-CM-256, an MPK of 48 octets, and a GTGK and a TEK, unforked.",
	  { .mode = 1,
	    .forked = true,
	    .many_keys = true,
	    .mpk_len = 48,
	    .ticket_prf = 1,
	    .suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_256, MIKEY_HMAC_SHA_256_256 } } },
	{ "mode-2-psk",
	  "The Responder has the ticket's key and opens it.",
	  { .mode = 2, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-3",
	  "The Initiator makes the ticket; the KMS resolves it.",
	  { .mode = 3, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-3-forking",
	  "What TS 33.328, annex H builds on, with a group of responders.",
	  { .mode = 3, .forked = true, .group = true, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-4", "Without a KMS.", { .mode = 4, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-4-supplied",
	  "The Initiator sends a TEK of its own in TRANSFER_INIT.",
	  { .mode = 4, .supplied = true, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-3-answered",
	  "The Responder sends a TEK of its own in TRANSFER_RESP; keys are forked.",
	  { .mode = 3, .answered = true, .forked = true, .suite = SHA256_SUITE, .ticket_prf = 1 } },
	{ "mode-4-one-way",
	  "Without TRANSFER_RESP: F and G are 0.",
	  { .mode = 4, .one_way = true, .suite = SHA256_SUITE, .ticket_prf = 1 } },
};

static void hex(const char *name, struct mikey_octets o)
{
	char text[65];

	if (!o.len)
		return;
	if (o.len <= 48) {
		char line[97];

		base_hex_encode(o.at, o.len, 0, false, line);
		printf("  %s: \"%s\"\n", name, line);
		return;
	}
	printf("  %s: |\n", name);
	for (size_t at = 0; at < o.len; at += 32) {
		base_hex_encode(o.at + at, BASE_MIN(o.len - at, (size_t)32), 0, false, text);
		printf("    %s\n", text);
	}
}

static void text(const char *name, struct mikey_octets o)
{
	printf("  %s: \"%.*s\"\n", name, (int)o.len, (const char *)o.at);
}

static const char *yes(bool b)
{
	return b ? "true" : "false";
}

static void parameters(const struct stage *s, const char *name, const char *about)
{
	printf("# MIKEY-TICKET (RFC 6043). Octets are hexadecimal. docs/mikey.md says how to read "
	       "this.\nname: %s\nabout: \"%s\"\n",
	       name, about);
	printf("parameters:\n  mode: %d\n  public_key: %s\n  forked: %s\n  one_way: %s\n", s->mode,
	       yes(s->pk), yes(s->forked), yes(s->one_way));
	printf("  prf: \"%s\"\n  ticket_prf: \"%s\"\n  encryption: \"%s\"\n  mac: \"%s\"\n",
	       mikey_name(MIKEY_SPACE_PRF, s->suite.prf),
	       mikey_name(MIKEY_SPACE_PRF, s->ticket_prf),
	       mikey_name(MIKEY_SPACE_ENCR, s->suite.encr),
	       mikey_name(MIKEY_SPACE_MAC, s->suite.mac));
	printf("  ntp_time: \"%016llx\"\n  cs_id: %u\n", (unsigned long long)STAGE_NOW, s->cs.id);
	printf("identities:\n");
	text("initiator", s->initiator.id.data);
	text("responder", s->responder.id.data);
	text("called", s->listed.data);
	text("kms", s->kms.id.data);
}

static void number(const char *who, const char *what, struct evp_pkey_st *key, const char *param)
{
	BIGNUM *n = NULL;
	uint8_t octets[512];
	char name[64];

	if (!EVP_PKEY_get_bn_param(key, param, &n) || BN_num_bytes(n) > (int)sizeof(octets))
		abort();
	(void)snprintf(name, sizeof(name), "%s_rsa_%s", who, what);
	hex(name, mikey_octets_of(octets, (size_t)BN_bn2bin(n, octets)));
	BN_free(n);
}

static void inputs(const struct stage *s)
{
	printf("inputs:\n");
	hex("psk_initiator", s->mode <= 2 ? s->initiator.cred.psk : mikey_octets_of(NULL, 0));
	hex("psk_responder", s->mode % 2 ? s->responder.cred.psk : mikey_octets_of(NULL, 0));
	if (s->pk) {
		number("kms", "n", s->kms.key, OSSL_PKEY_PARAM_RSA_N);
		number("kms", "d", s->kms.key, OSSL_PKEY_PARAM_RSA_D);
		number("initiator", "n", s->initiator.key, OSSL_PKEY_PARAM_RSA_N);
		number("responder", "n", s->responder.key, OSSL_PKEY_PARAM_RSA_N);
	}
	hex("tpk", s->tpk.key);
	for (size_t i = 0; i < s->raw.count; i++) {
		static const char *const names[] = { "mpk", "tgk", "gtgk", "tek" };

		hex(names[i], mikey_secret(&s->raw.key[i].key));
	}
	if (s->supply.count)
		hex("tek_supplied", mikey_secret(&s->supply.key[0].key));
}

static void messages(const struct stage *s)
{
	printf("messages:\n");
	hex("request_init", stage_octets(&s->request.sent));
	hex("request_resp", stage_octets(&s->request_resp));
	hex("transfer_init", stage_octets(&s->transfer.sent));
	hex("resolve_init", stage_octets(&s->resolve.sent));
	hex("resolve_resp", stage_octets(&s->resolve_resp));
	hex("transfer_resp", stage_octets(&s->transfer_resp));
}

/* auth_key, encr_key, salt_key of a message, or of the ticket (RAND given). */
static void guard(const struct stage *s, const char *name, struct mikey_octets key, uint32_t csb_id,
                  bool response, const struct mikey_rands *rands, struct mikey_octets ticket_rand,
                  bool encrypts)
{
	static const char *const uses[] = { "auth_key", "encr_key", "salt_key" };
	size_t mac = (size_t)mikey_mac_len(s->suite.mac);
	size_t encr = s->suite.encr == MIKEY_AES_CM_256 ? 32 : 16;
	size_t lens[] = { mac, encr, s->suite.encr == MIKEY_AES_KW_128 ? 8 : 14 };
	uint8_t out[32];
	char line[64];

	for (int use = 0; use < (encrypts ? 3 : 1); use++) {
		int rc =
		        ticket_rand.len
		                ? mikey_derive_ticket(NULL, s->ticket_prf, key, (enum mikey_use)use,
		                                      ticket_rand, out, lens[use])
		                : mikey_derive_message(NULL, s->suite.prf, key, (enum mikey_use)use,
		                                       csb_id, response, rands, out, lens[use]);

		if (rc)
			abort();
		(void)snprintf(line, sizeof(line), "%s_%s", name, uses[use]);
		hex(line, mikey_octets_of(out, lens[use]));
	}
}

static void asked(const struct stage *s, const char *name, const struct mikey_asking *a)
{
	const struct mikey_octets none = { NULL, 0 };
	struct mikey_rands rands = { none, none };
	char line[64];

	if (!a->sent.len)
		return;
	*(a->resolve ? &rands.responder : &rands.initiator) = mikey_secret(&a->rand);
	(void)snprintf(line, sizeof(line), "%s_rand", name);
	hex(line, mikey_secret(&a->rand));
	if (s->pk) {
		(void)snprintf(line, sizeof(line), "%s_envelope_key", name);
		hex(line, mikey_secret(&a->key));
	} else {
		(void)snprintf(line, sizeof(line), "%s_init", name);
		guard(s, line, mikey_secret(&a->key), a->csb_id, false, &rands, none, false);
	}
	(void)snprintf(line, sizeof(line), "%s_resp", name);
	guard(s, line, mikey_secret(&a->key), a->csb_id, true, &rands, none, true);
}

static void ticket(const struct stage *s, const struct mikey_keys *opened)
{
	struct base_arena arena = { 0 };
	struct mikey_payload *chain = NULL;
	struct mikey_octets thdr, rand;

	if (mikey_ticket_data_decode(&arena, s->received.ticket->ticket.data, &thdr, &chain, NULL))
		abort();
	rand = mikey_find(chain, MIKEY_RAND)->rand.data;
	hex("ticket_rand", rand);
	guard(s, "ticket", s->tpk.key, 0, false, NULL, rand, true);
	hex("mpki", mikey_keys_mpk(opened, 0));
	hex("mpkr", mikey_keys_mpk(opened, 1));
	base_arena_done(&arena);
}

static void forked(const struct stage *s)
{
	uint8_t auth[32];
	size_t len = (size_t)mikey_mac_len(s->suite.mac);

	if (!s->forked)
		return;
	if (mikey_derive_vr(NULL, s->ticket_prf, mikey_keys_mpk(&s->grant.keys, 1), auth, len))
		abort();
	hex("vr_auth_key", mikey_octets_of(auth, len));
	hex("randrkms", s->resolved.rand_kms);
	hex("mpkr_forked", mikey_keys_mpk(&s->resolved.keys, 1));
	hex("tgk_forked", mikey_secret(&s->resolved.keys.key[2].key));
}

static void keys(struct stage *s)
{
	const struct mikey_octets none = { NULL, 0 };
	struct mikey_rands rands = { mikey_secret(&s->transfer.rand), none };
	struct mikey_keys opened = { .count = 0 };
	uint8_t tek[STAGE_TEK];

	if (mikey_ticket_open(&s->kms.env, s->received.ticket, &s->tpk, &opened, &s->err))
		abort();
	printf("keys:\n");
	asked(s, "request", &s->request);
	ticket(s, &opened);
	hex("transfer_init_rand", rands.initiator);
	guard(s, "transfer_init", mikey_keys_mpk(&opened, 0), STAGE_CSB, false, &rands, none,
	      s->supplied);
	asked(s, "resolve", &s->resolve);
	forked(s);
	if (!s->one_way) {
		rands.responder = mikey_secret(&s->session_r.rand_r);
		hex("transfer_resp_rand", rands.responder);
		guard(s, "transfer_resp", mikey_keys_mpk(&s->resolved.keys, s->forked), STAGE_CSB,
		      true, &rands, none, s->answered);
	}
	if (mikey_session_tek(&s->initiator.env, &s->session_i, 1, tek, sizeof(tek), &s->err))
		abort();
	hex("tek", mikey_octets_of(tek, sizeof(tek)));
	mikey_keys_done(&opened);
}

static void tell(struct stage *s, const char *name, const char *about)
{
	parameters(s, name, about);
	inputs(s);
	messages(s);
	keys(s);
}

/* Error messages: what a Responder and a KMS answer (RFC 6043, 5.4). */
static void errors(void)
{
	struct stage s = { .mode = 1, .suite = SHA256_SUITE, .ticket_prf = 1 };
	struct base_writer plain = { 0 }, proved = { 0 };
	struct mikey_asked asked_for = { 0 };

	stage_init(&s);
	if (stage_grant(&s) || stage_offer(&s) || stage_receive(&s))
		abort();
	mikey_replay_free(s.kms.env.replay); /* the same question once more */
	s.kms.env.replay = NULL;
	if (mikey_asked_read(&s.kms.env, stage_read(&s, &s.request.sent), &s.kms.id, NULL, &s.kms_i,
	                     &asked_for, &s.err) ||
	    mikey_error_write(&s.responder.env, stage_octets(&s.transfer.sent), MIKEY_BAD_SP, &s.sp,
	                      &plain) ||
	    mikey_asked_refuse(&s.kms.env, &asked_for, s.suite.mac, MIKEY_BAD_TP_PARAM, &proved))
		abort();
	parameters(
	        &s, "errors",
	        "Invalid SP to TRANSFER_INIT, unprotected, with what is supported; Invalid TPpar "
	        "to REQUEST_INIT, with a MAC.");
	inputs(&s);
	messages(&s);
	hex("error_transfer", stage_octets(&plain));
	hex("error_request", stage_octets(&proved));
	mikey_asked_done(&asked_for);
	base_writer_done(&plain);
	base_writer_done(&proved);
	stage_done(&s);
}

/* One round of CSB updating (RFC 6043, 5.2): a TGK and a crypto session more. */
struct round {
	uint8_t tgk[32], tek[STAGE_TEK], spi[4], cs_id;
	struct mikey_updating updating;
	struct base_writer resp;
};

static void update(struct stage *s, struct round *r, bool by_initiator)
{
	static const uint8_t policy_no[1], prots[] = { MIKEY_PROT_TLS };
	struct stage_party *from = by_initiator ? &s->initiator : &s->responder;
	struct stage_party *to = by_initiator ? &s->responder : &s->initiator;
	struct mikey_session *at_from = by_initiator ? &s->session_i : &s->session_r;
	struct mikey_session *at_to = by_initiator ? &s->session_r : &s->session_i;
	struct mikey_ends ends = { s->initiator.id, s->responder.id, by_initiator };
	struct mikey_ends far = { s->initiator.id, s->responder.id, !by_initiator };
	struct mikey_octets spi = mikey_octets_of(r->spi, sizeof(r->spi));
	struct mikey_keys keys = { .count = 0 };
	struct mikey_cs cs = { .id = r->cs_id,
		               .prot = MIKEY_PROT_TLS,
		               .policies = mikey_octets_of(policy_no, 1),
		               .spi = spi };
	struct mikey_change change = { .suite = s->suite,
		                       .cs = &cs,
		                       .cs_count = 1,
		                       .sp = &s->sp,
		                       .keys = &keys,
		                       .answer = true };
	struct mikey_answer answer = { .suite = s->suite };
	struct mikey_message *msg;

	if (mikey_random(&from->env, r->tgk, sizeof(r->tgk)) ||
	    mikey_keys_add(&keys, MIKEY_TGK, mikey_octets_of(r->tgk, sizeof(r->tgk)),
	                   mikey_octets_of(NULL, 0), spi) ||
	    mikey_update_init(&from->env, at_from, &ends, &change, &r->updating, &s->err))
		abort();
	msg = stage_read(s, &r->updating.sent);
	if (!msg ||
	    mikey_update_resp(&to->env, at_to, &far, msg, prots, 1, &answer, &r->resp, &s->err) ||
	    mikey_update_finish(&from->env, at_from, &ends, &r->updating, stage_octets(&r->resp),
	                        &s->err) ||
	    mikey_session_tek(&from->env, at_from, r->cs_id, r->tek, sizeof(r->tek), &s->err))
		abort();
	mikey_keys_done(&keys);
}

/* Both ends update the bundle, one after the other. */
static void updates(void)
{
	struct stage s = {
		.mode = 3, .forked = true, .answered = true, .suite = SHA256_SUITE, .ticket_prf = 1
	};
	struct round round[] = { { .spi = "tgk2", .cs_id = 2 }, { .spi = "tgk3", .cs_id = 3 } };

	stage_init(&s);
	if (stage_play(&s))
		abort();
	parameters(&s, "update",
	           "CSB updating: the Initiator adds crypto session 2, then the Responder 3, each "
	           "with a TGK.");
	inputs(&s);
	update(&s, &round[0], true);
	update(&s, &round[1], false);
	hex("tgk_2", mikey_octets_of(round[0].tgk, sizeof(round[0].tgk)));
	hex("tgk_3", mikey_octets_of(round[1].tgk, sizeof(round[1].tgk)));
	messages(&s);
	hex("update_2_init", stage_octets(&round[0].updating.sent));
	hex("update_2_resp", stage_octets(&round[0].resp));
	hex("update_3_init", stage_octets(&round[1].updating.sent));
	hex("update_3_resp", stage_octets(&round[1].resp));
	keys(&s);
	hex("tek_2", mikey_octets_of(round[0].tek, STAGE_TEK));
	hex("tek_3", mikey_octets_of(round[1].tek, STAGE_TEK));
	for (size_t i = 0; i < BASE_COUNT(round); i++) {
		mikey_updating_done(&round[i].updating);
		base_writer_done(&round[i].resp);
	}
	stage_done(&s);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < BASE_COUNT(scenes); i++) {
		struct stage s = scenes[i].stage;

		if (argc < 2) {
			puts(scenes[i].name);
		} else if (!strcmp(argv[1], scenes[i].name)) {
			stage_init(&s);
			if (stage_play(&s)) {
				fprintf(stderr, "%s: %s\n", argv[1], s.err.text);
				return 1;
			}
			tell(&s, scenes[i].name, scenes[i].about);
			stage_done(&s);
			return 0;
		}
	}
	if (argc < 2)
		return puts("errors\nupdate") < 0;
	if (!strcmp(argv[1], "errors"))
		errors();
	else if (!strcmp(argv[1], "update"))
		updates();
	else
		return 2;
	return 0;
}
