/* SPDX-License-Identifier: Apache-2.0 */
/** @file What is tried with established sessions: again, taken up, with a name nobody knows. */
#include <stdarg.h>
#include <stdio.h>

#include "check/survey.h"
#include "check/session.h"
#include "check/words.h"

enum { OFFERED_MAX = CHECK_SUITES_MAX };

struct trying {
	struct check_sessions *all;
	const struct check_survey *survey;
	const struct check_psk *psk;
	struct check_offer offer;
	uint16_t suite[OFFERED_MAX];
};

static void tell(struct check_trial *t, bool yes, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static void tell(struct check_trial *t, bool yes, const char *fmt, ...)
{
	va_list args;

	t->tried = true;
	t->yes = yes;
	va_start(args, fmt);
	(void)vsnprintf(t->text, sizeof(t->text), fmt, args); /* cut short where it must */
	va_end(args);
}

/** Of datagrams: who is silent upon this, and before and after it answers another, has refused. */
static enum check_outcome silence_settle(struct trying *t, struct check_session *s,
                                         enum check_outcome outcome, struct check_probe *probe)
{
	struct check_target *target = t->survey->target;

	if (outcome != CHECK_STALLED || !target->known)
		return outcome;
	check_session_part(s); /* many a server hears nobody else before its end */
	if (!check_target_alive(target, NULL)) {
		(void)check_target_revive(target); /* for those that come after this */
		return outcome;
	}
	(void)snprintf(s->why, sizeof(s->why), "%s", check_silence);
	atomic_fetch_sub(&target->stalled, 1);
	if (probe)
		probe->answer.outcome = CHECK_REFUSED;
	return CHECK_REFUSED;
}

static enum check_outcome session_open(struct trying *t, struct check_session *s,
                                       const struct check_offer *offer,
                                       const struct check_resume *resume,
                                       const struct check_psk *psk, struct check_probe *probe)
{
	return silence_settle(
	        t, s, check_session_open(s, t->survey->target, offer, resume, psk, probe), probe);
}

static enum check_outcome session_again(struct trying *t, struct check_session *s,
                                        const struct check_offer *offer, struct check_probe *probe)
{
	return silence_settle(t, s, check_session_again(s, offer, probe), probe);
}

/** What the server takes and this checker can do; with forward secrecy first. */
static bool suites_choose(struct trying *t)
{
	const struct check_survey *s = t->survey;
	struct check_shape shape;
	size_t count = 0;

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < s->taken_count; i++)
			if (check_shape_of(s->taken[i], &shape) && (!shape.psk || t->psk) &&
			    (shape.exchange == CHECK_BY_ECDH) == !round)
				t->suite[count++] = s->taken[i];
	t->offer.suites = (struct profile_codes){ t->suite, count };
	return count != 0;
}

/* -- a first one ------------------------------------------------------------------------------- */

static void try_full(struct trying *t)
{
	struct check_trial *trial = &t->all->trial[CHECK_TRY_FULL];
	struct check_session s;
	bool up = session_open(t, &s, &t->offer, NULL, t->psk, &trial->probe) == CHECK_ANSWERED;

	tell(trial, up, up ? "%s%s" : "no session could be established: %s%s",
	     up ? check_suite_name(s.resume.suite) : s.why, "");
	check_session_close(&s);
}

/* -- renegotiation ----------------------------------------------------------------------------- */

/** The first handshake with these words of RFC 5746, the second with those. */
static void try_again(struct trying *t, enum check_trial_of which, unsigned first, unsigned second,
                      bool verify)
{
	struct check_trial *trial = &t->all->trial[which];
	struct check_offer offer = t->offer;
	struct check_session s;
	enum check_outcome outcome;

	offer.with |= first;
	outcome = session_open(t, &s, &offer, NULL, t->psk, NULL);
	if (outcome != CHECK_ANSWERED) {
		tell(trial, false, "the first handshake was refused: %s", s.why);
		trial->probe.answer.outcome = outcome;
		check_session_close(&s);
		return;
	}
	offer.with = (t->offer.with & ~(unsigned)CHECK_WITH_RENEGOTIATION_INFO) | second;
	if (verify)
		offer.verify = (struct check_bytes){ s.verify_client.data, s.verify_client.len };
	outcome = session_again(t, &s, &offer, &trial->probe);
	/* what it decides by is its hello: what follows may fail for other reasons */
	tell(trial, outcome == CHECK_ANSWERED || s.first_hello,
	     outcome == CHECK_ANSWERED ? "the second handshake came through%s"
	     : s.first_hello           ? "it answered with a ServerHello; then: %s"
	                               : "it was refused: %s",
	     outcome == CHECK_ANSWERED ? "" : s.why);
	check_session_close(&s);
}

/* -- taken up ---------------------------------------------------------------------------------- */

static void try_resume(struct trying *t, enum check_trial_of which)
{
	struct check_trial *trial = &t->all->trial[which];
	struct check_offer offer = t->offer;
	bool by_ticket = which == CHECK_TRY_TICKET;
	static const uint8_t marker[32] = "gatehouse check, taken up again";
	struct check_session one, two;
	bool has;

	offer.with |= by_ticket ? CHECK_WITH_TICKET : 0;
	if (session_open(t, &one, &offer, NULL, t->psk, &trial->probe) != CHECK_ANSWERED) {
		tell(trial, false, "the first handshake failed: %s", one.why);
		check_session_close(&one);
		return;
	}
	has = by_ticket ? one.resume.ticket.len != 0 : one.resume.id_len != 0;
	if (by_ticket) {
		t->all->ticket = has;
		t->all->lifetime_s = one.resume.lifetime_s;
	}
	if (!has) {
		tell(trial, false, by_ticket ? "no ticket came" : "it gave no session id");
		check_session_close(&one);
		return;
	}
	offer.ticket = (struct check_bytes){ one.resume.ticket.data, one.resume.ticket.len };
	offer.session_id = by_ticket ? (struct check_bytes){ marker, sizeof(marker) }
	                             : (struct check_bytes){ one.resume.id, one.resume.id_len };
	if (!by_ticket)
		offer.ticket = (struct check_bytes){ NULL, 0 };
	check_probe_done(&trial->probe);
	check_session_part(&one); /* many a server looks at one at a time */
	(void)session_open(t, &two, &offer, &one.resume, t->psk, &trial->probe);
	tell(trial, two.resumed,
	     two.resumed ? "it was taken up again%s"
	     : two.up    ? "a full handshake followed instead%s"
	                 : "the second handshake failed: %s",
	     two.up ? "" : two.why);
	check_session_close(&one);
	check_session_close(&two);
}

/* -- a name nobody knows ----------------------------------------------------------------------- */

static void try_identity(struct trying *t)
{
	static const uint8_t key[16] = "no key of anyone";
	const struct check_psk nobody = { "nobody-that-this-server-knows.invalid", { key, 16 } };
	struct check_trial *trial = &t->all->trial[CHECK_TRY_IDENTITY];
	const struct check_survey *survey = t->survey;
	struct check_offer offer = t->offer;
	struct check_shape shape;
	struct check_session s;
	enum check_outcome outcome;
	uint16_t suite[OFFERED_MAX];
	size_t count = 0;

	for (size_t i = 0; i < survey->taken_count; i++)
		if (check_shape_of(survey->taken[i], &shape) && shape.psk)
			suite[count++] = survey->taken[i];
	if (!count)
		return;
	offer.suites = (struct profile_codes){ suite, count };
	outcome = session_open(t, &s, &offer, NULL, &nobody, &trial->probe);
	if (outcome == CHECK_STALLED && s.first_hello && survey->target->dtls) {
		trial->probe.answer.outcome = CHECK_REFUSED;
		atomic_fetch_sub(&survey->target->stalled, 1);
		(void)snprintf(s.why, sizeof(s.why),
		               "it went on, and dropped our Finished "
		               "(RFC 6347, 4.1.2.7)");
	}
	tell(trial, s.alert == 115, "an identity that nobody has: %s", s.up ? "a session" : s.why);
	check_session_close(&s);
}

/* -- TLS 1.3 ----------------------------------------------------------------------------------- */

/** A group that the server takes and this checker has; 0 = none. */
static uint16_t group_choose(const struct check_survey *s)
{
	static const uint16_t ours[] = { 29, 23, 24, 25 };
	size_t count;
	const struct profile_code *group = profile_group_all(&count);

	for (size_t k = 0; k < BASE_COUNT(ours); k++)
		for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++)
			if (group[i].code == ours[k] &&
			    s->group_13[i].answer.outcome == CHECK_ANSWERED)
				return ours[k];
	return 0;
}

static void try_13(struct check_sessions *all, const struct check_survey *survey)
{
	struct check_trial *full = &all->trial[CHECK_TRY_13],
	                   *again = &all->trial[CHECK_TRY_13_TICKET];
	uint16_t group = group_choose(survey), suite[2];
	size_t count = 0;
	bool taken;

	for (size_t i = 0; i < survey->taken_13_count; i++)
		if (survey->taken_13[i] == 0x1301 || survey->taken_13[i] == 0x1302)
			suite[count++ % 2] = survey->taken_13[i];
	if (!group || !count || !(survey->versions & PROFILE_TLS_1_3))
		return;
	full->probe.answer.outcome = check_session13_open(
	        &all->tls13, survey->target, group,
	        (struct profile_codes){ suite, BASE_MIN(count, 2) }, &full->probe);
	tell(full, all->tls13.up, "TLS 1.3: %s", all->tls13.up ? "a session" : all->tls13.why);
	if (!all->tls13.up)
		return;
	if (!all->tls13.tickets) {
		again->probe.answer.outcome = CHECK_ANSWERED; /* the full one */
		tell(again, false, "TLS 1.3: no ticket came");
		return;
	}
	taken = check_session13_again(&all->tls13, survey->target, group, &again->probe);
	tell(again, taken, "TLS 1.3: its ticket was %s",
	     taken                       ? "taken"
	     : again->probe.answer.hello ? "offered, and a full handshake followed"
	                                 : "offered, and no hello came");
}

/* -- external pre-shared keys of TLS 1.3 ------------------------------------------------------- */

/** What became of one offer; `session` is the caller's to let go. */
static struct check_trial *psk13(struct check_sessions *all, const struct check_survey *survey,
                                 enum check_trial_of which, const struct check_psk *psk,
                                 unsigned with, struct check_session13 *session)
{
	struct check_trial *trial = &all->trial[which];

	trial->probe.answer.outcome = check_session13_psk(session, survey->target, all->psk13_group,
	                                                  psk, with, &trial->probe);
	/* whatever the server said is an answer; of what it did not say nothing follows */
	if (session->psk_taken || session->up || session->alert >= 0)
		trial->probe.answer.outcome = CHECK_ANSWERED;
	trial->probe.wanted = true;
	return trial;
}

static const char *psk13_words(const struct check_session13 *s)
{
	return s->psk_taken && s->up ? "taken"
	       : s->psk_taken        ? "taken in its hello; then the handshake did not come through"
	       : s->up               ? "passed over: a session by certificate"
	                             : s->why;
}

static void try_psk13_refusals(struct check_sessions *all, const struct check_survey *survey,
                               const struct check_psk *psk)
{
	static const uint8_t key[32] = "another key than that of anybody";
	const struct check_psk liar = { psk->identity, { key, sizeof(key) } },
	                       nobody = { "nobody-that-this-server-knows.invalid",
		                          { key, sizeof(key) } };
	struct check_session13 s = { .up = false };
	struct check_trial *t = psk13(all, survey, CHECK_TRY_13_KEY, &liar, 0, &s);

	tell(t, !s.psk_taken && !s.up, "TLS 1.3: another key: %s", psk13_words(&s));
	check_session13_done(&s);
	s = (struct check_session13){ .up = false };
	t = psk13(all, survey, CHECK_TRY_13_IDENTITY, &nobody, 0, &s);
	tell(t, s.alert == 115, "TLS 1.3: an identity that nobody has: %s", psk13_words(&s));
	check_session13_done(&s);
}

/** The group that it asks for instead (RFC 8446, 4.2.8); 0 = it asked for none. */
static uint16_t group_asked(const struct check_answer *a)
{
	const struct check_extension *e =
	        a->hello && a->retry ? check_answer_extension(a, 51) : NULL;

	return e && e->data.len == 2 ? (uint16_t)(e->data.data[0] << 8 | e->data.data[1]) : 0;
}

/** Also where the survey saw no TLS 1.3: a server may have it for those alone who show a key. */
static void try_psk13(struct check_sessions *all, const struct check_survey *survey,
                      const struct check_psk *psk)
{
	uint16_t known = group_choose(survey), asked;
	struct check_session13 s = { .up = false };
	struct check_trial *t;

	all->psk13_group = known ? known : 29;
	t = psk13(all, survey, CHECK_TRY_13_PSK, psk, 0, &s);
	asked = group_asked(&t->probe.answer);
	if (asked && asked != all->psk13_group) {
		all->psk13_group = asked;
		check_session13_done(&s);
		check_probe_done(&t->probe);
		s = (struct check_session13){ .up = false };
		t = psk13(all, survey, CHECK_TRY_13_PSK, psk, 0, &s);
	}
	all->psk13_suite = s.psk_taken && s.up ? s.suite : 0;
	tell(t, all->psk13_suite != 0, "TLS 1.3: the external pre-shared key: %s", psk13_words(&s));
	check_session13_done(&s);
	if (!all->psk13_suite)
		return;
	try_psk13_refusals(all, survey, psk);
	s = (struct check_session13){ .up = false };
	t = psk13(all, survey, CHECK_TRY_13_PSK_KE, psk, CHECK_WITH_PSK_KE, &s);
	tell(t, s.psk_taken, "TLS 1.3: with psk_ke alone: %s%s", psk13_words(&s),
	     s.psk_taken && s.dhe ? ", with a key_share that was not asked for" : "");
	check_session13_done(&s);
	s = (struct check_session13){ .up = false };
	t = psk13(all, survey, CHECK_TRY_13_EARLY, psk, CHECK_WITH_EARLY, &s);
	tell(t, s.early, "early_data beside the external pre-shared key: %s",
	     s.early ? "accepted" : "not accepted");
	check_session13_done(&s);
}

static void try_all(struct trying *t)
{
	const unsigned info = CHECK_WITH_RENEGOTIATION_INFO;

	try_again(t, CHECK_TRY_LEGACY, 0, 0, false);
	t->offer.with |= info;
	try_full(t);
	if (!t->all->trial[CHECK_TRY_FULL].yes)
		return;
	try_again(t, CHECK_TRY_SECURED, info, info, true);
	try_again(t, CHECK_TRY_SPLICED, info, info, false);
	try_resume(t, CHECK_TRY_TICKET);
	try_resume(t, CHECK_TRY_ID);
}

void check_sessions_run(struct check_sessions *sessions, const struct check_survey *survey,
                        const struct check_psk *psk)
{
	struct trying t = { .all = sessions, .survey = survey, .psk = psk };

	t.offer = (struct check_offer){ .version = survey->high,
		                        .with = CHECK_WITH_EMS,
		                        .server_name = survey->target->server_name };
	try_13(sessions, survey);
	if (psk && !survey->target->dtls)
		try_psk13(sessions, survey, psk);
	if (!survey->high)
		return;
	if (suites_choose(&t))
		try_all(&t);
	/* the last: who drops what it cannot open may hear nothing else for long (RFC
	 * 6347, 4.1.2.7) */
	t.offer.with = CHECK_WITH_EMS;
	try_identity(&t);
}

void check_sessions_done(struct check_sessions *sessions)
{
	for (size_t i = 0; i < CHECK_TRIALS; i++)
		check_probe_done(&sessions->trial[i].probe);
	check_session13_done(&sessions->tls13);
}
