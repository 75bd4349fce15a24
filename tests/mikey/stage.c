/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "mikey/crypto.h"

static int next_octets(void *arg, void *out, size_t len)
{
	struct stage_random *r = arg;
	uint8_t *to = out, in[64];

	for (size_t i = 0; i < len; i++) {
		if (!r->left) {
			int n = snprintf((char *)in, sizeof(in), "%s %u", r->seed,
			                 (unsigned)r->count++);

			if (mikey_digest(NULL, MIKEY_SHA_256, mikey_octets_of(in, (size_t)n),
			                 r->block))
				return BASE_ERR(BASE_LOCAL, 0);
			r->left = sizeof(r->block);
		}
		to[i] = r->block[sizeof(r->block) - r->left--];
	}
	return 0;
}

/* A key and a certificate out of one PEM file beside the vectors. */
static void load(struct stage_party *p, const char *name)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char path[1024];
	uint8_t *at = p->cert;
	FILE *file;
	X509 *cert;

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/mikey/%s.pem", root ? root : ".",
	               name);
	file = fopen(path, "re");
	if (!file) {
		perror(path);
		exit(1);
	}
	p->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	(void)fclose(file); /* only read from */
	p->cert_len = (size_t)i2d_X509(cert, &at);
	X509_free(cert);
}

static void party(struct stage_party *p, const char *name, const char *uri)
{
	load(p, name);
	p->random = (struct stage_random){ .seed = name };
	p->env = (struct mikey_env){ .random = next_octets,
		                     .random_arg = &p->random,
		                     .now = STAGE_NOW,
		                     .replay = mikey_replay_new(16) };
	if (strcmp(name, "responder") != 0) /* who makes all anew gets the same */
		p->env.kept = mikey_kept_new();
	p->id = (struct mikey_id){ MIKEY_URI, mikey_octets_text(uri) };
}

/* How a user and the KMS know each other, from both sides. */
static void acquaint(struct stage *s, struct stage_party *user, struct mikey_cred *at_kms,
                     struct mikey_octets *certs, const char *psk, const char *psk_id)
{
	if (!s->pk) {
		user->cred.psk = mikey_octets_text(psk);
		user->cred.psk_id =
		        (struct mikey_id){ MIKEY_BYTE_STRING, mikey_octets_text(psk_id) };
		at_kms->psk = user->cred.psk;
		return;
	}
	*certs = mikey_octets_of(user->cert, user->cert_len);
	user->cred =
	        (struct mikey_cred){ .own = user->key,
		                     .peer = s->kms.key,
		                     .certs = certs,
		                     .cert_count = 1,
		                     .peer_cert = mikey_octets_of(s->kms.cert, s->kms.cert_len) };
	*at_kms = (struct mikey_cred){ .own = s->kms.key,
		                       .peer = user->key,
		                       .peer_cert = user->cred.peer_cert };
}

static uint32_t flags_of(const struct stage *s)
{
	uint32_t flags = MIKEY_FLAG_N | MIKEY_FLAG_O | MIKEY_FLAG_H;

	flags |= s->mode <= 2 ? MIKEY_FLAG_D : MIKEY_FLAG_L;
	flags |= s->mode == 1 || s->mode == 3 ? MIKEY_FLAG_E : 0;
	flags |= s->one_way ? 0 : MIKEY_FLAG_F | MIKEY_FLAG_G;
	flags |= s->forked ? MIKEY_FLAG_I : 0;
	flags |= s->answered ? MIKEY_FLAG_M : 0;
	return flags | (s->supplied ? MIKEY_FLAG_L : 0);
}

static void policy(struct stage *s)
{
	struct mikey_policy *p = &s->policy;

	*p = (struct mikey_policy){ .type = MIKEY_TICKET_BASE,
		                    .subtype = 1,
		                    .version = 1,
		                    .prf = s->ticket_prf,
		                    .flags = flags_of(s),
		                    .kms = s->kms.id,
		                    .initiator = s->initiator.id,
		                    .start = (STAGE_NOW >> 32) - 60,
		                    .end = (STAGE_NOW >> 32) + 3600,
		                    .responders = 1 };
	s->listed =
	        s->group ? (struct mikey_id){ MIKEY_URI, mikey_octets_text("sip:room@example.com") }
	                 : s->responder.id;
	p->responder[0] = s->listed;
	if (s->mode <= 2) {
		p->want[p->wants++] = (struct mikey_want){ MIKEY_TGK, 32 };
		if (s->many_keys)
			p->want[p->wants++] = (struct mikey_want){ MIKEY_GTGK, 32 };
	}
}

static void key_add(struct stage *s, struct mikey_keys *to, struct stage_random *random,
                    uint8_t type, size_t len, const char *spi)
{
	uint8_t octets[64];

	(void)s;
	if (next_octets(random, octets, len) ||
	    mikey_keys_add(to, type, mikey_octets_of(octets, len), mikey_octets_of(NULL, 0),
	                   mikey_octets_text(spi)))
		abort();
}

static void keys(struct stage *s)
{
	struct stage_random random = { .seed = "ticket keys" };

	key_add(s, &s->raw, &random, MIKEY_MPK, s->mpk_len ? s->mpk_len : 32, "mpk");
	key_add(s, &s->raw, &random, MIKEY_TGK, 32, "tgk1");
	if (s->many_keys) {
		key_add(s, &s->raw, &random, MIKEY_GTGK, 40, "gtgk");
		key_add(s, &s->raw, &random, MIKEY_TEK, STAGE_TEK, "tek1");
	}
	if (s->supplied || s->answered)
		key_add(s, &s->supply, &random, MIKEY_TEK, STAGE_TEK, "mine");
}

void stage_init(struct stage *s)
{
	static struct mikey_octets certs[2];
	static const uint8_t policy_no[1];

	party(&s->initiator, "initiator", "sip:alice@example.com");
	party(&s->responder, "responder", "sip:bob@example.com");
	party(&s->kms, "kms", "sip:kms.example.com");
	acquaint(s, &s->initiator, &s->kms_i, &certs[0], "alice and the KMS, 32 octets....",
	         "alice");
	acquaint(s, &s->responder, &s->kms_r, &certs[1], "bob and the KMS, 32 octets......", "bob");
	s->tpk = (struct mikey_tpk){ mikey_octets_text("ticket protection key, 32 octets"),
		                     { MIKEY_BYTE_STRING, mikey_octets_text("tpk-1") } };
	if (s->mode > 2)
		s->tpk.owner = s->initiator.id;
	policy(s);
	keys(s);
	s->cs = (struct mikey_cs){ .id = 1,
		                   .prot = MIKEY_PROT_TLS,
		                   .policies = mikey_octets_of(policy_no, 1) };
	if (s->one_way)
		s->cs.spi = mikey_octets_text("tgk1");
	s->sp = (struct mikey_payload){ .type = MIKEY_SP, .sp = { .prot = MIKEY_PROT_TLS } };
}

static void party_done(struct stage_party *p)
{
	EVP_PKEY_free(p->key);
	mikey_replay_free(p->env.replay);
	mikey_kept_free(p->env.kept);
}

void stage_done(struct stage *s)
{
	party_done(&s->initiator);
	party_done(&s->responder);
	party_done(&s->kms);
	mikey_keys_done(&s->raw);
	mikey_keys_done(&s->supply);
	mikey_asking_done(&s->request);
	mikey_asking_done(&s->resolve);
	base_writer_done(&s->request_resp);
	base_writer_done(&s->resolve_resp);
	base_writer_done(&s->transfer_resp);
	mikey_grant_done(&s->grant);
	mikey_transfer_done(&s->transfer);
	mikey_resolved_done(&s->resolved);
	mikey_session_done(&s->session_i);
	mikey_session_done(&s->session_r);
	base_arena_done(&s->arena);
}

struct mikey_octets stage_octets(const struct base_writer *w)
{
	return mikey_octets_of(w->data, w->len);
}

struct mikey_message *stage_read(struct stage *s, const struct base_writer *w)
{
	struct mikey_message *msg = NULL;

	return mikey_decode(&s->arena, w->data, w->len, &msg, &s->err) ? NULL : msg;
}

static struct mikey_ask ask_of(struct stage *s, const struct stage_party *who, uint32_t csb_id)
{
	return (struct mikey_ask){ .suite = s->suite,
		                   .csb_id = csb_id,
		                   .own = who->id,
		                   .kms = s->kms.id,
		                   .cred = &who->cred };
}

static int make_ticket(struct stage *s, struct stage_party *maker,
                       const struct mikey_policy *policy, struct mikey_payload **ret,
                       struct mikey_keys *ret_keys)
{
	return mikey_ticket_make(&s->arena, &maker->env, policy, &s->tpk, s->suite,
	                         mikey_octets_text("thdr"), &s->raw, ret, ret_keys, &s->err);
}

/* The KMS grants what is asked for. */
static int kms_grants(struct stage *s)
{
	struct mikey_asked asked = { 0 };
	struct mikey_payload *ticket = NULL;
	struct mikey_keys granted = { .count = 0 };
	const struct mikey_message *msg = stage_read(s, &s->request.sent);
	int rc = msg ? mikey_asked_read(&s->kms.env, msg, &s->kms.id, NULL, &s->kms_i, &asked,
	                                &s->err)
	             : s->err.rc;

	if (!rc)
		rc = make_ticket(s, &s->kms, &asked.policy, &ticket, &granted);
	if (!rc)
		rc = mikey_request_resp(&s->kms.env, &asked, s->suite, &s->kms.id, ticket, &granted,
		                        &s->request_resp, &s->err);
	mikey_asked_done(&asked);
	mikey_keys_done(&granted);
	return rc;
}

int stage_grant(struct stage *s)
{
	struct mikey_ask ask = ask_of(s, &s->initiator, STAGE_CSB + 1);
	int rc;

	if (s->mode > 2) {
		s->grant.policy = s->policy;
		return make_ticket(s, &s->initiator, &s->policy, &s->grant.ticket, &s->grant.keys);
	}
	rc = mikey_request_init(&s->initiator.env, &ask, &s->policy, &s->request, &s->err);
	if (!rc)
		rc = kms_grants(s);
	if (!rc)
		rc = mikey_request_finish(&s->arena, &s->initiator.env, &s->request,
		                          stage_octets(&s->request_resp), &s->grant, &s->err);
	return rc;
}

int stage_offer(struct stage *s)
{
	struct mikey_offer offer = { .suite = s->suite,
		                     .csb_id = STAGE_CSB,
		                     .initiator = s->initiator.id,
		                     .responder = s->listed,
		                     .cs = &s->cs,
		                     .cs_count = 1,
		                     .sp = &s->sp,
		                     .keys = s->supplied ? &s->supply : NULL };

	return mikey_transfer_init(&s->initiator.env, &offer, &s->grant, &s->transfer, &s->err);
}

int stage_receive(struct stage *s)
{
	static const uint8_t prots[] = { MIKEY_PROT_TLS };

	s->transfer_init = stage_read(s, &s->transfer.sent);
	return s->transfer_init ? mikey_received_read(&s->responder.env, s->transfer_init,
	                                              &s->listed, prots, 1, &s->received, &s->err)
	                        : s->err.rc;
}

static int kms_resolves(struct stage *s)
{
	struct mikey_asked asked = { 0 };
	const struct mikey_message *msg = stage_read(s, &s->resolve.sent);
	int rc = msg ? mikey_asked_read(&s->kms.env, msg, &s->kms.id, NULL, &s->kms_r, &asked,
	                                &s->err)
	             : s->err.rc;

	if (!rc)
		rc = mikey_resolve_resp(&s->kms.env, &asked, s->suite, &s->kms.id, &s->tpk,
		                        &s->listed, &asked.asker, &s->resolve_resp, &s->err);
	mikey_asked_done(&asked);
	return rc;
}

int stage_resolve(struct stage *s)
{
	struct mikey_ask ask = ask_of(s, &s->responder, STAGE_CSB + 2);
	int rc;

	if (s->mode == 2 || s->mode == 4)
		return mikey_received_open(&s->responder.env, &s->received, &s->tpk, &s->resolved,
		                           &s->err);
	rc = mikey_resolve_init(&s->responder.env, &ask, s->received.ticket, &s->resolve, &s->err);
	if (!rc)
		rc = kms_resolves(s);
	if (!rc)
		rc = mikey_resolve_finish(&s->responder.env, &s->resolve,
		                          stage_octets(&s->resolve_resp), &s->resolved, &s->err);
	return rc;
}

int stage_answer(struct stage *s)
{
	const struct mikey_answer answer = { .suite = s->suite,
		                             .keys = s->answered ? &s->supply : NULL };
	int rc = mikey_transfer_resp(&s->responder.env, &s->received, &s->resolved, &answer,
	                             &s->transfer_resp, &s->session_r, &s->err);

	if (!rc)
		rc = mikey_transfer_finish(&s->initiator.env, &s->transfer, &s->grant,
		                           stage_octets(&s->transfer_resp), &s->session_i, &s->err);
	return rc;
}

int stage_play(struct stage *s)
{
	int rc = stage_grant(s);

	if (!rc)
		rc = stage_offer(s);
	if (!rc)
		rc = stage_receive(s);
	if (!rc)
		rc = stage_resolve(s);
	return rc ? rc : stage_answer(s);
}
