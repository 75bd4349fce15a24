/* SPDX-License-Identifier: Apache-2.0 */
/** @file What stands for a session, for who binds something to it; and that nobody resumes it. */
#include "tls/engine.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"

/** For private use without registration (RFC 5705, 4). P */
#define LABEL "EXPERIMENTAL gatehouse session binding"

static int by_exporter(struct tls_session *session, uint8_t *out)
{
	const uint32_t n = session->version == 0x0304 ? session->key_updates : 0;
	const char octets[] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };
	const struct base_str context = { octets, sizeof(octets) };

	return session->context->ops->extract(
	        session, LABEL, session->version == 0x0304 ? &context : NULL, out, TLS_BINDING_MAX);
}

static int bind_now(struct tls_session *session)
{
	size_t len = 0;
	int rc = 0;

	if (session->version != 0x0304 && session->role == TLS_ROLE_SERVER) {
		len = session->id_len;
		memcpy(session->binding, session->id, len);
	} else if (session->version != 0x0304) {
		len = session->context->ops->id(session, session->binding);
	}
	if (!len) {
		rc = by_exporter(session, session->binding);
		len = TLS_BINDING_MAX;
	}
	session->binding_len = rc ? 0 : (uint8_t)len;
	session->bound_again = session->renegotiations;
	session->bound_keys = session->key_updates;
	return rc;
}

int tls_session_binding(struct tls_session *session, uint8_t ret[TLS_BINDING_MAX], size_t *ret_len)
{
	bool known = session->binding_len && session->bound_again == session->renegotiations &&
	             session->bound_keys == session->key_updates;
	int rc = 0;

	if (!session->established || (session->rc && !known))
		return BASE_ERR(BASE_BUG, 0);
	if (!known && session->renegotiating)
		return BASE_ERR(BASE_AGAIN, 0);
	if (!known)
		rc = bind_now(session);
	if (rc)
		return rc;
	memcpy(ret, session->binding, session->binding_len);
	*ret_len = session->binding_len;
	return 0;
}

/** All that the client may come back with: ids, and tickets by their marks; of the session, and
 * while it is renegotiated of what it was before. @return false: something is not known, or stays
 * good */
static bool wipe(struct tls_session *session, uint64_t now_ms)
{
	const struct tls_ticket_ring *ring = session->context->domain->ring;
	const struct tls_before *before = &session->before;
	bool known =
	        session->id_len || session->marks.count || before->id_len || before->marks.count;
	bool all = true;

	if (ring)
		all = tls_bars_add_all(tls_ticket_ring_bars(ring), &session->marks, NULL, now_ms);
	all &= tls_renegotiation_forget(session, now_ms);
	tls_resume_forget(session);
	return known && all;
}

bool tls_session_forget(struct tls_session *session, uint64_t now_ms)
{
	uint8_t binding[TLS_BINDING_MAX];
	size_t len;
	bool wiped;

	if (session->established)
		(void)tls_session_binding(session, binding,
		                          &len); /* it is called that further on */
	wiped = wipe(session, now_ms);
	if (session->resume)
		session->resume->forgotten = true;
	return session->role == TLS_ROLE_CLIENT || !session->established || wiped ||
	       !session->tickets;
}
