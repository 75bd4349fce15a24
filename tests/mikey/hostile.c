/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

struct stage *hostile_begin(int mode, bool pk)
{
	struct stage *s = calloc(1, sizeof(*s));

	*s = (struct stage){
		.mode = mode, .pk = pk, .forked = mode % 2, .suite = SHA256_SUITE, .ticket_prf = 1
	};
	stage_init(s);
	return s;
}

void hostile_end(struct stage *s)
{
	stage_done(s);
	free(s);
}

void hostile_forget(struct stage *s)
{
	mikey_replay_free(s->kms.env.replay);
	mikey_replay_free(s->responder.env.replay);
	s->kms.env.replay = s->responder.env.replay = NULL;
}

int hostile_fault(int rc)
{
	if (!rc || base_err_class(rc) != BASE_PEER)
		fail_msg("result %d (class %u)", rc, rc ? (unsigned)base_err_class(rc) : 0);
	return (int)base_err_detail(rc);
}

int hostile_ask_kms(struct stage *s, const struct base_writer *message,
                    const struct mikey_cred *cred)
{
	struct mikey_asked asked = { 0 };
	const struct mikey_message *msg = stage_read(s, message);
	int rc = msg ? mikey_asked_read(&s->kms.env, msg, &s->kms.id, NULL, cred, &asked, &s->err)
	             : s->err.rc;

	if (rc)
		assert_null(asked.key.data);
	mikey_asked_done(&asked);
	return rc;
}

int hostile_request_finish(struct stage *s)
{
	struct mikey_grant grant = { 0 };
	int rc = mikey_request_finish(&s->arena, &s->initiator.env, &s->request,
	                              stage_octets(&s->request_resp), &grant, &s->err);

	if (rc)
		assert_int_equal(grant.keys.count, 0);
	mikey_grant_done(&grant);
	return rc;
}

int hostile_respond(struct stage *s)
{
	const struct mikey_answer answer = { .suite = s->suite };
	struct mikey_session session = { 0 };
	int rc;

	mikey_asking_done(&s->resolve);
	mikey_resolved_done(&s->resolved);
	s->resolve = (struct mikey_asking){ 0 };
	s->resolved = (struct mikey_resolved){ 0 };
	base_writer_done(&s->resolve_resp);
	base_writer_done(&s->transfer_resp);
	rc = stage_receive(s);
	if (!rc)
		rc = stage_resolve(s);
	if (!rc)
		rc = mikey_transfer_resp(&s->responder.env, &s->received, &s->resolved, &answer,
		                         &s->transfer_resp, &session, &s->err);
	if (rc) {
		assert_int_equal(session.keys.count, 0);
		assert_int_equal(s->transfer_resp.len, 0);
	}
	mikey_session_done(&session);
	return rc;
}

int hostile_at_kms_i(struct stage *s)
{
	return hostile_ask_kms(s, &s->request.sent, &s->kms_i);
}

int hostile_at_kms_r(struct stage *s)
{
	return hostile_ask_kms(s, &s->resolve.sent, &s->kms_r);
}
