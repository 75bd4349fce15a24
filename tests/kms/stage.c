/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

struct mikey_id stage_uri(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static void enroll(struct stage *s, const char *name, const char *tpk)
{
	struct kms_user user = { .id = stage_uri(name),
		                 .psk = mikey_octets_text(name),
		                 .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(name) },
		                 .tpk = mikey_octets_text(tpk),
		                 .tpk_id = stage_uri(tpk ? tpk : "") };

	assert_int_equal(kms_store_user_put(s->store, &user, &s->err), 0);
}

void stage_open(struct stage *s)
{
	*s = (struct stage){ .now_s = NOW, .kms_id = stage_uri(config.identity) };
	folder_make(&s->folder);
	assert_int_equal(kms_store_open(&s->store, s->folder.store, master, &s->err), 0);
	assert_int_equal(kms_new(&s->kms, &config, s->store, &s->err), 0);
	enroll(s, "sip:alice@example.com", "tickets of alice");
	enroll(s, "sip:bob@example.com", NULL);
	enroll(s, "sip:carol2@example.com", NULL);
	enroll(s, "sip:mallory@example.com", "tickets of mallory");
}

void stage_close(struct stage *s)
{
	base_writer_done(&s->answer);
	base_arena_done(&s->arena);
	kms_free(s->kms);
	kms_store_close(s->store);
	folder_remove(&s->folder);
}

struct mikey_env stage_env(const struct stage *s)
{
	return (struct mikey_env){ .now = mikey_ntp(s->now_s, 0) };
}

struct mikey_ask stage_ask(struct stage *s, const char *who, const char *key)
{
	s->cred = (struct mikey_cred){ .psk = mikey_octets_text(key),
		                       .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(who) } };
	return (struct mikey_ask){ .suite = suite,
		                   .csb_id = 7,
		                   .own = stage_uri(who),
		                   .kms = s->kms_id,
		                   .cred = &s->cred };
}

struct mikey_policy stage_policy(const char *responder)
{
	return (struct mikey_policy){ .type = MIKEY_TICKET_BASE,
		                      .subtype = 1,
		                      .version = 1,
		                      .prf = MIKEY_PRF_HMAC_SHA_256,
		                      .flags = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_F |
		                               MIKEY_FLAG_G | MIKEY_FLAG_H | MIKEY_FLAG_N |
		                               MIKEY_FLAG_O,
		                      .responder = { stage_uri(responder) },
		                      .responders = 1,
		                      .want = { { MIKEY_TGK, 32 } },
		                      .wants = 1 };
}

int stage_answered(struct stage *s, enum kms_kind kind, struct mikey_octets question)
{
	base_writer_reset(&s->answer);
	return kms_answer(s->kms, s->now_s, 0, kind, question, &s->answer, &s->outcome);
}

struct mikey_octets stage_octets(const struct base_writer *w)
{
	return mikey_octets_of(w->data, w->len);
}

int stage_request(struct stage *s, const char *who, const char *key,
                  const struct mikey_policy *policy, struct mikey_grant *ret)
{
	struct mikey_env env = stage_env(s);
	struct mikey_ask ask = stage_ask(s, who, key);
	struct mikey_asking asking = { 0 };
	int rc;

	assert_int_equal(mikey_request_init(&env, &ask, policy, &asking, &s->err), 0);
	assert_int_equal(stage_answered(s, KMS_REQUEST, stage_octets(&asking.sent)), 0);
	rc = mikey_request_finish(&s->arena, &env, &asking, stage_octets(&s->answer), ret, &s->err);
	mikey_asking_done(&asking);
	return rc;
}

int stage_resolve(struct stage *s, const char *who, const struct mikey_payload *ticket,
                  struct mikey_resolved *ret)
{
	struct mikey_env env = stage_env(s);
	struct mikey_ask ask = stage_ask(s, who, who);
	struct mikey_asking asking = { 0 };
	int rc;

	assert_int_equal(mikey_resolve_init(&env, &ask, ticket, &asking, &s->err), 0);
	assert_int_equal(stage_answered(s, KMS_RESOLVE, stage_octets(&asking.sent)), 0);
	rc = mikey_resolve_finish(&env, &asking, stage_octets(&s->answer), ret, &s->err);
	mikey_asking_done(&asking);
	return rc;
}
