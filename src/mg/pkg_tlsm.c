/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * tlsm, TLS session maintenance (H.248.90; H.248.TLSPROF 8.4): the controller's order to
 * renegotiate. What can be known here is an error of the command; what only the worker or the peer
 * knows comes as tlsm/RenegDone, beside tlsbsc/BNCChange. In TLS 1.3 keys are changed instead.
 */
#include "mg/happen.h"
#include "mg/pkg.h"

static const struct mg_equipment_event events[] = { { .name = "RenegDone" }, { 0 } };
static const struct mg_equipment_signal signals[] = { { .name = "Reneg" }, { 0 } };

/* ---- the order ---- */

static bool session_up(const struct mg_stream *s)
{
	return s->leg && s->leg->session && s->leg->session->up && !s->fresh;
}

static int refuse(struct mg_run *run, const struct mg_stream *s)
{
	const struct mg_leg_session *session = s->leg->session;

	if (session->ordered)
		return mg_fail(run, H248_E_BUSY,
		               "Stream %u, Signals tlsm/Reneg: the last one is not over (RFC 5246, "
		               "7.4.1.1)",
		               s->id);
	if (!session->secured)
		return mg_fail(run, H248_E_SIGNAL_UNEQUIPPED, "Stream %u, Signals tlsm/Reneg: %s",
		               s->id, tls_again_text(TLS_AGAIN_UNSECURED));
	if (!session->orderable)
		return mg_fail(
		        run, H248_E_SIGNAL_UNEQUIPPED,
		        "Stream %u, Signals tlsm/Reneg, TLS domain %s: %s", s->id,
		        session->domain_name,
		        tls_again_text(session->unable ? TLS_AGAIN_UNABLE : TLS_AGAIN_FORBIDDEN));
	return 0;
}

int mg_tlsm_order(struct mg_run *run, struct mg_media *media, uint16_t stream)
{
	unsigned found = 0;
	int rc = 0;

	for (struct mg_stream *s = media->streams; s && !rc; s = s->next) {
		if ((stream && s->id != stream) || !session_up(s))
			continue;
		found++;
		rc = refuse(run, s);
		s->again = !rc;
	}
	if (rc || found)
		return rc;
	if (stream)
		return mg_fail(run, H248_E_NOT_READY,
		               "Stream %u, Signals tlsm/Reneg: no TLS session is up", stream);
	return mg_fail(run, H248_E_NOT_READY, "Signals tlsm/Reneg: no TLS session is up");
}

void mg_tlsm_give(struct mg *mg, struct mg_stream *s)
{
	if (!s->again)
		return;
	s->again = false;
	s->leg->session->ordered = true;
	if (s->fresh || mg->bearer->endpoint_renegotiate(s->leg->endpoint))
		mg_leg_unable(s->leg, RELAY_TLS_UNCHANGED);
}

/* ---- what came of it ---- */

void mg_tlsm_remember(struct mg_leg_session *session, const struct relay_tls_result *tls)
{
	session->up = true;
	session->secured = tls->secured;
	session->orderable = tls->orderable;
	session->unable = tls->unable;
}

static const char *result_of(const struct relay_event *e)
{
	switch (e->kind) {
	case RELAY_TLS_RENEGOTIATED:
		return "done";
	case RELAY_TLS_REKEYED:
		return "keys";
	case RELAY_TLS_UNCHANGED:
		if (e->cause == RELAY_CAUSE_TIMEOUT)
			return "ignored";
		return e->cause == RELAY_CAUSE_PEER_ALERT ? "refused" : "not-begun";
	default:
		return "failed";
	}
}

void mg_tlsm_told(struct mg_leg *leg, const struct relay_event *e)
{
	struct mg_leg_session *session = leg->session;
	bool down = e->kind == RELAY_TLS_DOWN || e->kind == RELAY_TCP_DOWN;
	struct mg_happening *h;

	if (!session)
		return;
	if (down || e->kind == RELAY_TLS_FAILED)
		session->up = false;
	if (!session->ordered || (!e->ordered && !down))
		return;
	session->ordered = false;
	h = mg_happening_new(leg->mg, leg->term, leg->stream, "tlsm", "RenegDone");
	mg_happening_word(h, "Result", result_of(e));
	if (e->kind == RELAY_TLS_RENEGOTIATED || e->kind == RELAY_TLS_REKEYED) {
		mg_happening_text(h, "Version", e->tls.version_name);
		mg_happening_text(h, "Suite", e->tls.suite_name);
	} else {
		mg_happening_text(h, "Cause", relay_cause_name(e->cause));
		mg_happening_text(h, "Reason", e->tls.text);
	}
	mg_happening_tell(leg->mg, h);
}

/* ---- audit ---- */

static bool tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                 struct h248_parm **list)
{
	const struct mg_leg_session *session = s && s->leg ? s->leg->session : NULL;
	const char *words[4];
	unsigned n = 0;

	(void)term;
	if (!session || !session->up)
		return true;
	words[n++] = session->secured ? "secured" : "unsecured";
	if (session->orderable)
		words[n++] =
		        strcmp(session->version, "TLS1.3") == 0 ? "key-update" : "renegotiation";
	words[n] = NULL;
	return mg_pkg_names_tell(run, list, "tlsm/can", words, H248_FORM_AND);
}

const struct mg_equipment mg_pkg_tlsm = {
	.package = "tlsm",
	.on = MG_ON_TERM,
	.events = events,
	.signals = signals,
	.tell = tell,
};
