/* SPDX-License-Identifier: Apache-2.0 */
/** @file Visits of a client that gets a session: what it does in one, and what it brings back. */
#include <stdio.h>

#include "check/client.h"
#include "check/served.h"
#include "check/words.h"

static void tell(struct check_trial *t, bool yes, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static void tell(struct check_trial *t, bool yes, const char *fmt, ...)
{
	va_list args;

	t->tried = true;
	t->yes = yes;
	t->probe.wanted = true;
	t->probe.answer.outcome = CHECK_ANSWERED;
	va_start(args, fmt);
	(void)vsnprintf(t->text, sizeof(t->text), fmt, args); /* cut short where it must */
	va_end(args);
}

/** It says neither yes nor no. */
static void tell_nothing(struct check_trial *t, const char *text)
{
	tell(t, false, "%s", text);
	t->probe.answer.outcome = CHECK_NOTHING;
}

struct visiting {
	struct check_client *client;
	struct check_served *session;
	unsigned version;
};

static bool shake(struct visiting *v, unsigned how, const struct check_resume *resume)
{
	return check_served_shake(v->session, v->version, how, resume) == CHECK_ANSWERED;
}

static void resume_keep(struct check_resume *to, struct check_resume *from)
{
	base_writer_done(&to->ticket);
	*to = *from;
	from->ticket = (struct base_writer){ 0 };
}

/* -- one visit each ---------------------------------------------------------------------------- */

/** A session, and a renegotiation that it begins by itself. */
static void visit_full(struct visiting *v)
{
	struct check_client *c = v->client;
	struct check_trial *t = &c->trial[CHECK_VISIT_FULL], *begun = &c->trial[CHECK_VISIT_BEGUN];
	bool bound;

	if (!shake(v, CHECK_SERVE_INFO, NULL)) {
		tell(t, false, "no session could be established: %s", v->session->why);
		t->probe.answer.outcome = CHECK_REFUSED;
		return;
	}
	tell(t, true, "a session of %s, %s%s", profile_version_name(v->version),
	     check_suite_name(v->session->resume.suite),
	     v->session->resume.ems ? ", with extended_master_secret" : "");
	resume_keep(&c->by_id, &v->session->resume);
	if (check_served_hear(v->session, false) != CHECK_HEARD_HELLO)
		return;
	bound = check_served_bound(v->session);
	c->unbound |= v->session->secured && !bound;
	tell(begun, true, "it began one%s%s",
	     bound ? ", secured by RFC 5746" : " that nothing secures",
	     shake(v, CHECK_SERVE_INFO, NULL) ? "" : "; the handshake did not come through");
}

static bool offers_id(const struct check_client *c, const struct check_offered *o)
{
	return c->by_id.id_len && o->session_id.len == c->by_id.id_len &&
	       !memcmp(o->session_id.data, c->by_id.id, c->by_id.id_len);
}

static bool offers_ticket(const struct check_client *c, const struct check_offered *o)
{
	const struct check_extension *e = check_offered_extension(o, 35);

	return e && e->data.len && e->data.len == c->by_ticket.ticket.len &&
	       !memcmp(e->data.data, c->by_ticket.ticket.data, e->data.len);
}

static void visit_resumed(struct visiting *v, const struct check_resume *resume,
                          struct check_trial *t, const char *what)
{
	bool up = shake(v, CHECK_SERVE_INFO, resume);

	tell(t, true, "it offered %s%s%s", what,
	     up ? ", and it was taken up" : "; then: ", up ? "" : v->session->why);
}

/** A HelloRequest, and what comes of it. @return true when it answered with a hello */
static bool request_answered(struct visiting *v, struct check_trial *t)
{
	switch (check_served_hear(v->session, true)) {
	case CHECK_HEARD_HELLO:
		return true;
	case CHECK_HEARD_DECLINED:
		tell(t, false, "a HelloRequest: it declines with no_renegotiation");
		break;
	case CHECK_HEARD_ALERT:
		tell(t, false, "a HelloRequest: it ends the session with alert %s (%d)",
		     check_alert_name(v->session->alert), v->session->alert);
		break;
	case CHECK_HEARD_CLOSED:
		tell_nothing(t, "it ended the session before it could have answered a "
		                "HelloRequest");
		break;
	case CHECK_HEARD_NOTHING:
		tell(t, false, "a HelloRequest: it takes no notice");
		break;
	default:
		tell(t, false, "a HelloRequest: what it said to it is no ClientHello");
	}
	return false;
}

static void visit_asked(struct visiting *v)
{
	struct check_trial *t = &v->client->trial[CHECK_VISIT_ASKED];
	bool bound;

	if (!shake(v, CHECK_SERVE_INFO | CHECK_SERVE_REQUEST, NULL)) {
		tell_nothing(t, v->session->why);
		return;
	}
	if (!request_answered(v, t))
		return;
	bound = check_served_bound(v->session);
	v->client->unbound |= v->session->secured && !bound;
	tell(t, true, "a HelloRequest: it renegotiated%s%s",
	     bound ? ", secured by RFC 5746" : ", and nothing secured it",
	     shake(v, CHECK_SERVE_INFO, NULL) ? "" : "; the handshake did not come through");
}

/** The same without any word of RFC 5746 from us. */
static void visit_unsecured(struct visiting *v)
{
	struct check_trial *t = &v->client->trial[CHECK_VISIT_UNSECURED];

	if (!shake(v, CHECK_SERVE_REQUEST, NULL)) {
		tell(t, false, "it has no session with a server without RFC 5746: %s",
		     v->session->why);
		return;
	}
	if (!request_answered(v, t))
		return;
	/* who cannot know yet whether this server has it decides by the second ServerHello */
	(void)shake(v, 0, NULL);
	tell(t, v->session->went_on, "a server without RFC 5746 asked it to renegotiate: %s",
	     v->session->went_on ? "it did" : v->session->why);
}

/** Wrong words of RFC 5746, in a first handshake or in a second. */
static void visit_spoilt(struct visiting *v, enum check_visit which)
{
	struct check_trial *t = &v->client->trial[which];
	bool again = which == CHECK_VISIT_SPOILT_AGAIN;

	if (again && (!shake(v, CHECK_SERVE_INFO | CHECK_SERVE_REQUEST, NULL) ||
	              check_served_hear(v->session, true) != CHECK_HEARD_HELLO)) {
		tell_nothing(t, "it did not renegotiate this time");
		return;
	}
	(void)shake(v, CHECK_SERVE_INFO | CHECK_SERVE_SPOILT_INFO, NULL);
	tell(t, !v->session->went_on, "%s", v->session->went_on ? "it went on" : v->session->why);
	v->session->up = false;
}

static void visit_certificate(struct visiting *v)
{
	struct check_client *c = v->client;
	struct check_trial *t = &c->trial[CHECK_VISIT_CERTIFICATE];
	bool up = shake(v, CHECK_SERVE_INFO | CHECK_SERVE_CERTIFICATE, NULL);

	base_writer_put(&c->certificate, v->session->cert.data, v->session->cert.len);
	c->proved = v->session->proved;
	if (v->session->cert.len)
		tell(t, true, "asked for a certificate, it shows one%s%s",
		     up ? "" : "; then: ", up ? "" : v->session->why);
	else if (v->session->asked)
		tell(t, false, "asked for a certificate, it has none to show");
	else if (v->session->keys.shape.psk)
		tell_nothing(t, "with pre-shared keys no certificate is asked for");
	else
		tell(t, false, "asked for a certificate: %s", v->session->why);
}

static void visit_finished(struct visiting *v)
{
	struct check_trial *t = &v->client->trial[CHECK_VISIT_FINISHED];
	enum check_heard heard;

	if (!shake(v, CHECK_SERVE_INFO | CHECK_SERVE_SPOILT_FINISHED, NULL)) {
		tell_nothing(t, v->session->why);
		return;
	}
	v->session->up = false;
	heard = check_served_hear(v->session, true);
	if (heard == CHECK_HEARD_ALERT)
		tell(t, true, "alert %s (%d)", check_alert_name(v->session->alert),
		     v->session->alert);
	else if (heard == CHECK_HEARD_CLOSED && v->session->alert < 0)
		tell(t, true, "it ended the connection without a word");
	else
		tell(t, false, "%s",
		     heard == CHECK_HEARD_CLOSED ? "it closed the session as if nothing were wrong"
		                                 : "it went on");
}

static void visit_no_ems(struct visiting *v)
{
	bool up = shake(v, CHECK_SERVE_INFO | CHECK_SERVE_NO_EMS, NULL);

	tell(&v->client->trial[CHECK_VISIT_NO_EMS], !up && !v->session->went_on,
	     "a server without extended_master_secret: %s", up ? "a session" : v->session->why);
}

static void visit_ticket(struct visiting *v)
{
	if (shake(v, CHECK_SERVE_INFO | CHECK_SERVE_TICKET | CHECK_SERVE_NO_ID, NULL)) {
		check_served_part(v->session);
		resume_keep(&v->client->by_ticket, &v->session->resume);
	}
	tell(&v->client->trial[CHECK_VISIT_TICKET], v->client->by_ticket.ticket.len != 0, "%s",
	     v->client->by_ticket.ticket.len ? "it got a ticket" : v->session->why);
}

/* -- of TLS 1.3 -------------------------------------------------------------------------------- */

struct visiting13 {
	struct check_client *client;
	struct check_served13 *session;
};

static bool shake13(struct visiting13 *v, unsigned how, const struct check_ticket13 *resume,
                    struct check_ticket13 *ret)
{
	return check_served13_shake(v->session, how, resume, ret) == CHECK_ANSWERED;
}

static void visit13_full(struct visiting13 *v)
{
	struct check_client *c = v->client;
	struct check_trial *t = &c->trial[CHECK_VISIT_13_FULL];

	if (shake13(v, CHECK_SERVE_TICKET, NULL, &c->by_ticket13)) {
		tell(t, true, "a session of TLS1.3, %s%s", check_suite_name(v->session->k.suite),
		     v->session->keyed ? ", by the external pre-shared key" : "");
		check_served13_part(v->session);
		return;
	}
	tell(t, false, "no session of TLS 1.3 could be established: %s", v->session->why);
	t->probe.answer.outcome = CHECK_REFUSED;
}

static void visit13_certificate(struct visiting13 *v)
{
	struct check_client *c = v->client;
	struct check_trial *t = &c->trial[CHECK_VISIT_13_CERTIFICATE];
	bool up = shake13(v, CHECK_SERVE_CERTIFICATE, NULL, NULL);

	if (v->session->cert.len && !c->certificate.len) {
		base_writer_put(&c->certificate, v->session->cert.data, v->session->cert.len);
		c->proved = v->session->proved;
	}
	if (v->session->cert.len)
		tell(t, true, "asked for a certificate in TLS 1.3, it shows one%s%s",
		     up ? "" : "; then: ", up ? "" : v->session->why);
	else if (v->session->keyed)
		tell_nothing(t, "with pre-shared keys no certificate is asked for");
	else
		tell(t, false, "asked for a certificate in TLS 1.3, %s%s",
		     v->session->asked ? "it has none to show" : "it leaves: ",
		     v->session->asked ? "" : v->session->why);
}

static void visit13_spoilt(struct visiting13 *v, enum check_visit which, unsigned how)
{
	struct check_trial *t = &v->client->trial[which];
	bool up = shake13(v, how, NULL, NULL);

	if (v->session->keyed && which != CHECK_VISIT_13_FINISHED)
		tell_nothing(t, "with pre-shared keys no certificate is shown");
	else
		tell(t, which == CHECK_VISIT_13_STRANGER ? v->session->alert > 0 : !up, "%s",
		     up ? "it went on" : v->session->why);
	v->session->up = false;
}

static void visit13_update(struct visiting13 *v)
{
	struct check_trial *t = &v->client->trial[CHECK_VISIT_13_UPDATE];

	if (shake13(v, CHECK_SERVE_REQUEST, NULL, NULL) &&
	    check_served13_hear(v->session) == CHECK_HEARD_HELLO)
		tell(t, true, "it answers with its own");
	else
		tell_nothing(t, "it sent nothing behind it, or what it sent was on its way before");
}

static void visit13(struct check_client *c, struct check_served13 *session)
{
	struct visiting13 v = { c, session };
	struct check_trial *t = &c->trial[c->next];
	bool up;

	switch (c->next) {
	case CHECK_VISIT_13_STRANGER:
		visit13_spoilt(&v, c->next, 0);
		break;
	case CHECK_VISIT_13_FULL:
		visit13_full(&v);
		break;
	case CHECK_VISIT_13_TICKET:
		up = shake13(&v, 0, &c->by_ticket13, NULL);
		tell(t, true, "it offered its ticket of TLS 1.3%s%s",
		     up ? ", and it was taken up" : "; then: ", up ? "" : session->why);
		break;
	case CHECK_VISIT_13_CERTIFICATE:
		visit13_certificate(&v);
		break;
	case CHECK_VISIT_13_FINISHED:
		visit13_spoilt(&v, c->next, CHECK_SERVE_SPOILT_FINISHED);
		break;
	case CHECK_VISIT_13_SIGNATURE:
		visit13_spoilt(&v, c->next, CHECK_SERVE_SPOILT_SIGNATURE);
		break;
	default:
		visit13_update(&v);
	}
}

/* -- which comes next -------------------------------------------------------------------------- */

static struct check_bytes hello_of(const struct check_answer *text)
{
	return (struct check_bytes){ text->text.data, text->text.len };
}

/** Has a session of that version what both sides need? */
static bool able(const struct check_client *c, enum check_visit which,
                 const struct check_answer *text, const struct check_offered *o)
{
	const struct check_host stranger = { c->nobody, NULL };
	unsigned version = check_client_version(o);

	if (which >= CHECK_VISIT_13_STRANGER)
		return check_served13_able(which == CHECK_VISIT_13_STRANGER ? &stranger : &c->host,
		                           o, hello_of(text));
	return version > PROFILE_SSL_3_0 && check_host_suite(&c->host, o, version);
}

static bool possible(const struct check_client *c, enum check_visit which,
                     const struct check_answer *text, const struct check_offered *o)
{
	enum check_visit first =
	        which > CHECK_VISIT_13_FULL ? CHECK_VISIT_13_FULL : CHECK_VISIT_FULL;

	if (!able(c, which, text, o))
		return false;
	if (which != CHECK_VISIT_FULL && which != CHECK_VISIT_13_FULL &&
	    which != CHECK_VISIT_13_STRANGER && !c->trial[first].yes)
		return false;
	switch (which) {
	case CHECK_VISIT_BEGUN:
		return false; /* looked for in the one before */
	case CHECK_VISIT_ID:
		return c->by_id.id_len != 0;
	case CHECK_VISIT_SPOILT_AGAIN:
		return c->trial[CHECK_VISIT_ASKED].yes;
	case CHECK_VISIT_NO_EMS:
		return check_offered_extension(o, 23) != NULL;
	case CHECK_VISIT_TICKET:
		return check_offered_extension(o, 35) != NULL;
	case CHECK_VISIT_TICKET_AGAIN:
		return c->by_ticket.ticket.len != 0;
	case CHECK_VISIT_13_STRANGER: /* who has earlier versions was seen by them */
		return c->host.identity && !c->lured[CHECK_LURE_STRANGER].tried;
	case CHECK_VISIT_13_TICKET: /* without psk_key_exchange_modes none may come */
		return c->by_ticket13.name_len && check_offered_extension(o, 45);
	default:
		return true;
	}
}

/** What was given before may not be offered now: that is told, and the next is tried at once. */
static bool settled_by_hello(struct check_client *c, const struct check_answer *text,
                             const struct check_offered *o)
{
	struct check_trial *t = &c->trial[c->next];

	if (c->next == CHECK_VISIT_ID && !offers_id(c, o))
		tell_nothing(t, "it came again without the session id that it had got: it keeps "
		                "none, or was started anew");
	else if ((c->next == CHECK_VISIT_TICKET_AGAIN && !offers_ticket(c, o)) ||
	         (c->next == CHECK_VISIT_13_TICKET &&
	          !check_served13_offers(o, hello_of(text), &c->by_ticket13)))
		tell_nothing(t, "it came again without the ticket that it had got: it keeps none, "
		                "or was started anew");
	else
		return false;
	return true;
}

static void advance(struct check_client *c, const struct check_answer *text,
                    const struct check_offered *o)
{
	while (c->next < CHECK_VISITS && !possible(c, c->next, text, o))
		c->next++;
}

bool check_client_sessions_left(struct check_client *c, const struct check_answer *text,
                                const struct check_offered *o)
{
	advance(c, text, o);
	return c->next < CHECK_VISITS;
}

static void visit(struct visiting *v)
{
	struct check_client *c = v->client;

	switch (c->next) {
	case CHECK_VISIT_FULL:
		visit_full(v);
		break;
	case CHECK_VISIT_ID:
		visit_resumed(v, &c->by_id, &c->trial[c->next], "its session id again");
		break;
	case CHECK_VISIT_ASKED:
		visit_asked(v);
		break;
	case CHECK_VISIT_UNSECURED:
		visit_unsecured(v);
		break;
	case CHECK_VISIT_SPOILT:
	case CHECK_VISIT_SPOILT_AGAIN:
		visit_spoilt(v, c->next);
		break;
	case CHECK_VISIT_CERTIFICATE:
		visit_certificate(v);
		break;
	case CHECK_VISIT_FINISHED:
		visit_finished(v);
		break;
	case CHECK_VISIT_NO_EMS:
		visit_no_ems(v);
		break;
	case CHECK_VISIT_TICKET:
		visit_ticket(v);
		break;
	default:
		visit_resumed(v, &c->by_ticket, &c->trial[c->next], "its ticket");
	}
}

static void session_old(struct check_client *c, struct check_wire *w,
                        const struct check_answer *text, const struct check_offered *o)
{
	struct check_probe *probe = &c->trial[c->next].probe;
	struct check_served session;
	struct visiting v = { c, &session, check_client_version(o) };

	if (check_served_begin(&session, w, &c->host, text)) {
		visit(&v);
		base_writer_put(&probe->seen, session.seen.data, session.seen.len);
		base_writer_put(&probe->sent, session.sent.data, session.sent.len);
	}
	check_served_done(&session);
}

static void session_13(struct check_client *c, struct check_wire *w,
                       const struct check_answer *text)
{
	struct check_probe *probe = &c->trial[c->next].probe;
	const struct check_host stranger = { c->nobody, NULL };
	struct check_served13 session;

	if (check_served13_begin(&session, w,
	                         c->next == CHECK_VISIT_13_STRANGER ? &stranger : &c->host, text)) {
		visit13(c, &session);
		base_writer_put(&probe->seen, session.seen.data, session.seen.len);
		base_writer_put(&probe->sent, session.sent.data, session.sent.len);
	}
	check_served13_done(&session);
}

void check_client_session(struct check_client *c, struct check_wire *w,
                          const struct check_answer *text, const struct check_offered *o)
{
	for (advance(c, text, o); c->next < CHECK_VISITS && settled_by_hello(c, text, o);
	     advance(c, text, o))
		c->next++;
	if (c->next >= CHECK_VISITS)
		return;
	if (c->next >= CHECK_VISIT_13_STRANGER)
		session_13(c, w, text);
	else
		session_old(c, w, text, o);
	c->next++;
}

void check_client_sessions_done(struct check_client *c)
{
	for (size_t i = 0; i < CHECK_VISITS; i++)
		check_probe_done(&c->trial[i].probe);
	base_writer_done(&c->by_id.ticket);
	base_writer_done(&c->by_ticket.ticket);
	base_wipe(&c->by_id, sizeof(c->by_id));
	base_wipe(&c->by_ticket, sizeof(c->by_ticket));
	base_wipe(&c->by_ticket13, sizeof(c->by_ticket13));
	base_writer_done(&c->certificate);
}
