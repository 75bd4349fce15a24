/* SPDX-License-Identifier: Apache-2.0 */
#include "check/survey.h"

/** Key exchanges in which the server signs nothing. */
#define UNSIGNED (PROFILE_SUITE_PSK | PROFILE_SUITE_ANON)

enum { FAIR = CHECK_WITH_RENEGOTIATION_INFO | CHECK_WITH_EMS };

/** Extensions that are shown to be known by an answer; what is sent for it. */
static const struct {
	uint16_t type;
	unsigned with;
} asked[] = {
	{ 1, CHECK_WITH_MAX_FRAGMENT },
	{ 2, CHECK_WITH_CLIENT_URL },
	{ 3, CHECK_WITH_TRUSTED_CA },
	{ 4, CHECK_WITH_TRUNCATED_HMAC },
	{ 5, CHECK_WITH_STATUS },
	{ 14, CHECK_WITH_SRTP },
	{ 22, CHECK_WITH_ETM },
	{ 23, CHECK_WITH_EMS },
	{ 28, CHECK_WITH_RECORD_LIMIT },
	{ 35, CHECK_WITH_TICKET },
	{ 0xff01, CHECK_WITH_RENEGOTIATION_INFO },
};

unsigned check_version_index(unsigned version)
{
	unsigned i = 0;

	while (version >> i > 1)
		i++;
	return i;
}

static unsigned all_versions(const struct check_target *t)
{
	return t->dtls ? PROFILE_DTLS_ALL : PROFILE_TLS_ALL | PROFILE_SSL_2_0 | PROFILE_SSL_3_0;
}

static void offer(const struct check_survey *s, struct check_probe *p, unsigned version)
{
	p->wanted = true;
	p->offer.version = version;
	p->offer.with = version == PROFILE_SSL_3_0 ? CHECK_WITH_RENEGOTIATION_SCSV : FAIR;
	p->offer.server_name = s->target->server_name;
}

static void run(struct check_survey *s, struct check_probe *p, size_t count)
{
	check_probes_run(s->target, p, count);
}

static bool answered(const struct check_probe *p)
{
	return p->answer.outcome == CHECK_ANSWERED;
}

/* -- versions ---------------------------------------------------------------------------------- */

static void keys_note(struct check_survey *s, const struct check_probe *p)
{
	const struct profile_suite *suite = profile_suite_find(p->answer.suite);

	if (!answered(p) || !suite)
		return;
	s->rsa |= (suite->flags & PROFILE_SUITE_RSA_AUTH) && !(suite->flags & PROFILE_SUITE_ANON);
	s->ecdsa |= (suite->flags & PROFILE_SUITE_ECDSA) != 0;
}

/** Of datagrams: with one that was answered at hand, what met silence is asked again. */
static void silence_ask(struct check_survey *s)
{
	for (unsigned i = 0; i < CHECK_VERSIONS && s->target->dtls; i++)
		if (answered(&s->version[i]))
			s->target->known = &s->version[i].offer;
	if (s->target->known && !check_target_alive(s->target, NULL) &&
	    !check_target_revive(s->target))
		s->target->known = NULL;
	if (!s->target->known)
		return;
	for (unsigned i = 0; i < CHECK_VERSIONS; i++) {
		if (s->version[i].answer.outcome != CHECK_STALLED)
			continue;
		check_probe_done(&s->version[i]);
		atomic_fetch_sub(&s->target->stalled, 1);
	}
	run(s, s->version, CHECK_VERSIONS);
}

static int versions_ask(struct check_survey *s, struct base_error *err)
{
	static const char *const why[] = { [CHECK_STALLED] = "does not answer in time",
		                           [CHECK_UNREACHABLE] = "cannot be reached",
		                           [CHECK_GARBLED] = "does not speak TLS there" };
	enum check_outcome worst = CHECK_NOTHING;
	bool some = false;

	for (unsigned i = 0; i < CHECK_VERSIONS; i++)
		if (all_versions(s->target) & 1U << i)
			offer(s, &s->version[i], 1U << i);
	run(s, s->version, CHECK_VERSIONS);
	silence_ask(s);
	for (unsigned i = 0; i < CHECK_VERSIONS; i++) {
		const struct check_answer *a = &s->version[i].answer;

		if (!s->version[i].wanted)
			continue;
		if (check_answer_version(a) == 1U << i)
			s->versions |= 1U << i;
		some |= a->alert >= 0 || a->hello;
		if (a->outcome >= CHECK_STALLED)
			worst = BASE_MAX(worst, a->outcome);
		keys_note(s, &s->version[i]);
	}
	if (some)
		return 0;
	/* all of them were ended without a word: this is not how TLS refuses */
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s %s", s->target->name,
	                      worst == CHECK_NOTHING ? "ends every connection without a word of TLS"
	                                             : why[worst]);
}

static void versions_sum(struct check_survey *s)
{
	unsigned old = s->versions & ~(unsigned)(PROFILE_TLS_1_3 | PROFILE_DTLS_1_3 |
	                                         PROFILE_SSL_2_0 | PROFILE_SSL_3_0);

	s->has_13 = (s->versions & (PROFILE_TLS_1_3 | PROFILE_DTLS_1_3)) != 0;
	for (unsigned v = 1; v && v <= PROFILE_DTLS_1_3; v <<= 1) {
		if (!(old & v))
			continue;
		s->low = s->low ? s->low : v;
		s->high = v;
	}
}

/* -- suites ------------------------------------------------------------------------------------ */

static unsigned the_13(const struct check_survey *s)
{
	return s->versions & (PROFILE_TLS_1_3 | PROFILE_DTLS_1_3);
}

/** The last (or first) version that it takes and that can have the suite. */
static unsigned version_for(const struct check_survey *s, const struct profile_suite *suite,
                            bool lowest)
{
	unsigned found = 0;

	for (unsigned v = PROFILE_TLS_1_0; v <= PROFILE_DTLS_1_3; v <<= 1)
		if ((s->versions & v) && check_suite_fits(suite, v) && !(found && lowest))
			found = v;
	/* it is offered all the same where the version should not have it */
	return found || profile_suite_tls13(suite->code) ? found : s->high;
}

static void suites_ask(struct check_survey *s)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	for (size_t i = 0; i < count && i < CHECK_SUITES_MAX; i++) {
		unsigned version = version_for(s, &suite[i], false);
		struct check_probe *p = &s->suite[i];

		if (!version)
			continue;
		offer(s, p, version);
		p->offer.suites = check_probe_one(p, suite[i].code);
	}
	run(s, s->suite, BASE_MIN(count, (size_t)CHECK_SUITES_MAX));
	for (size_t i = 0; i < count && i < CHECK_SUITES_MAX; i++) {
		unsigned version = version_for(s, &suite[i], true);
		struct check_probe *p = &s->suite_low[i];

		if (!version || answered(&s->suite[i]) || version == s->suite[i].offer.version)
			continue;
		offer(s, p, version);
		p->offer.suites = check_probe_one(p, suite[i].code);
	}
	run(s, s->suite_low, BASE_MIN(count, (size_t)CHECK_SUITES_MAX));
}

static bool takes_at(const struct check_probe *p, uint16_t suite)
{
	return answered(p) && p->answer.suite == suite;
}

const struct check_probe *check_survey_takes(const struct check_survey *s, uint16_t code)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	for (size_t i = 0; i < count && i < CHECK_SUITES_MAX; i++) {
		if (suite[i].code != code)
			continue;
		return takes_at(&s->suite[i], code)       ? &s->suite[i]
		       : takes_at(&s->suite_low[i], code) ? &s->suite_low[i]
		                                          : NULL;
	}
	return NULL;
}

static void suites_sum(struct check_survey *s)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	s->psk_only = true;
	for (size_t i = 0; i < count && i < CHECK_SUITES_MAX; i++) {
		const struct check_probe *p = check_survey_takes(s, suite[i].code);

		if (!p)
			continue;
		keys_note(s, p);
		if (!s->curve)
			s->curve = check_certificate_curve(&p->answer);
		s->psk_only &= (suite[i].flags & PROFILE_SUITE_PSK) != 0;
		if (profile_suite_tls13(suite[i].code) && s->taken_13_count < 8)
			s->taken_13[s->taken_13_count++] = suite[i].code;
		/* precedence is asked in the highest version, so of its suites alone */
		if (profile_suite_tls13(suite[i].code) || p->offer.version != s->high)
			continue;
		s->taken[s->taken_count++] = suite[i].code;
		if ((suite[i].flags & PROFILE_SUITE_PFS) && !(suite[i].flags & UNSIGNED) &&
		    (suite[i].flags & PROFILE_SUITE_ECDSA))
			s->by_ecdsa[s->by_ecdsa_count++] = suite[i].code;
		else if ((suite[i].flags & PROFILE_SUITE_PFS) && !(suite[i].flags & UNSIGNED))
			s->by_rsa[s->by_rsa_count++] = suite[i].code;
		if (suite[i].flags & PROFILE_SUITE_CBC)
			s->cbc[s->cbc_count++] = suite[i].code;
		if (strstr(suite[i].name, "_ECDHE_") && !(suite[i].flags & PROFILE_SUITE_PSK))
			s->part[s->part_count++] = suite[i].code;
	}
	for (size_t i = 0; i < s->taken_count; i++)
		s->taken_reversed[i] = s->taken[s->taken_count - 1 - i];
	for (size_t i = 0; i < s->taken_13_count; i++)
		s->taken_13_reversed[i] = s->taken_13[s->taken_13_count - 1 - i];
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void groups_offer(struct check_survey *s)
{
	size_t count;
	const struct profile_code *group = profile_group_all(&count);

	uint16_t curve = s->rsa ? 0 : s->curve;

	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++) {
		if (the_13(s)) {
			offer(s, &s->group_13[i], the_13(s));
			s->group_13[i].offer.groups =
			        check_probe_one(&s->group_13[i], group[i].code);
			s->group_13[i].offer.with |= CHECK_WITH_NO_SHARE;
		}
		if (!s->part_count)
			continue;
		offer(s, &s->group[i], s->high);
		s->group[i].offer.suites = (struct profile_codes){ s->part, s->part_count };
		/* before TLS 1.3 the list is of the certificate's curves, too (RFC 8422, 5.1.1) */
		s->pair[i][0] = group[i].code;
		s->pair[i][1] = curve;
		s->group[i].offer.groups = (struct profile_codes){ s->pair[i], curve ? 2 : 1 };
	}
}

/** Suites in which the server signs with a key for that scheme (RFC 5246, 7.4.3). */
static struct profile_codes signed_by(const struct check_survey *s, uint16_t scheme)
{
	bool rsa = scheme < 0x0800 ? (scheme & 0xff) == 1 : scheme != 0x0807 && scheme != 0x0808;

	return rsa ? (struct profile_codes){ s->by_rsa, s->by_rsa_count }
	           : (struct profile_codes){ s->by_ecdsa, s->by_ecdsa_count };
}

static void signatures_offer(struct check_survey *s)
{
	struct profile_codes suites;
	size_t count;
	const struct profile_code *signature = profile_signature_all(&count);

	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++) {
		if (the_13(s)) {
			offer(s, &s->signature_13[i], the_13(s));
			s->signature_13[i].offer.signatures =
			        check_probe_one(&s->signature_13[i], signature[i].code);
		}
		suites = signed_by(s, signature[i].code);
		if (!suites.count || check_tls_of(s->high) != PROFILE_TLS_1_2)
			continue;
		offer(s, &s->signature[i], s->high);
		s->signature[i].offer.signatures =
		        check_probe_one(&s->signature[i], signature[i].code);
		s->signature[i].offer.suites = suites;
	}
}

static void extensions_offer(struct check_survey *s)
{
	size_t count;
	const struct profile_code *extension = profile_extension_all(&count);

	for (size_t i = 0; i < count && i < CHECK_CODES_MAX && s->high; i++) {
		for (size_t k = 0; k < BASE_COUNT(asked); k++) {
			if (asked[k].type != extension[i].code)
				continue;
			offer(s, &s->extension[i], s->high);
			s->extension[i].offer.with |= asked[k].with;
		}
		if (extension[i].code == 22 && s->cbc_count) /* RFC 7366, 2: of CBC alone */
			s->extension[i].offer.suites =
			        (struct profile_codes){ s->cbc, s->cbc_count };
		s->extension[i].wanted &= extension[i].code != 22 || s->cbc_count;
		if (!extension[i].code && s->target->server_name)
			offer(s, &s->extension[i], s->high);
	}
}

static void order_offer(struct check_survey *s)
{
	if (s->taken_count > 1) {
		offer(s, &s->single[CHECK_ASK_ORDER], s->high);
		offer(s, &s->single[CHECK_ASK_ORDER_2], s->high);
		s->single[CHECK_ASK_ORDER].offer.suites =
		        (struct profile_codes){ s->taken, s->taken_count };
		s->single[CHECK_ASK_ORDER_2].offer.suites =
		        (struct profile_codes){ s->taken_reversed, s->taken_count };
	}
	if (s->taken_13_count > 1) {
		offer(s, &s->single[CHECK_ASK_ORDER_13], the_13(s));
		offer(s, &s->single[CHECK_ASK_ORDER_13_2], the_13(s));
		s->single[CHECK_ASK_ORDER_13].offer.suites =
		        (struct profile_codes){ s->taken_13, s->taken_13_count };
		s->single[CHECK_ASK_ORDER_13_2].offer.suites =
		        (struct profile_codes){ s->taken_13_reversed, s->taken_13_count };
	}
}

static void singles_offer(struct check_survey *s)
{
	struct check_probe *p = s->single;

	order_offer(s);
	if (!s->high)
		return;
	offer(s, &p[CHECK_ASK_DEFLATE], s->high);
	p[CHECK_ASK_DEFLATE].offer.with |= CHECK_WITH_DEFLATE;
	offer(s, &p[CHECK_ASK_NO_EMS], s->high);
	p[CHECK_ASK_NO_EMS].offer.with &= ~(unsigned)CHECK_WITH_EMS;
	offer(s, &p[CHECK_ASK_NO_RI], s->high);
	p[CHECK_ASK_NO_RI].offer.with &= ~(unsigned)CHECK_WITH_RENEGOTIATION_INFO;
	offer(s, &p[CHECK_ASK_SCSV], s->high);
	p[CHECK_ASK_SCSV].offer.with = CHECK_WITH_EMS | CHECK_WITH_RENEGOTIATION_SCSV;
	/* the second version from above: what a client falls back to */
	if (s->has_13 || s->low != s->high) {
		unsigned below = s->high;

		while (!s->has_13 && below == s->high)
			for (below >>= 1; !(below & s->versions); below >>= 1)
				;
		offer(s, &p[CHECK_ASK_FALLBACK], below);
		p[CHECK_ASK_FALLBACK].offer.with |= CHECK_WITH_FALLBACK_SCSV;
	}
}

/** In TLS 1.3 a key shows by what it signs with alone. */
static void signatures_sum(struct check_survey *s)
{
	size_t count;
	const struct profile_code *signature = profile_signature_all(&count);

	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++) {
		uint16_t code = signature[i].code;

		if (!answered(&s->signature_13[i]))
			continue;
		s->rsa |= code >= 0x0804 && code <= 0x0806;
		if (code != 0x0403 && code != 0x0503 && code != 0x0603)
			continue;
		s->ecdsa = true;
		if (!s->curve) /* RFC 8446, 4.2.3: the scheme names the curve, of which 23 is the
		                  first */
			s->curve = (uint16_t)(23 + (code >> 8) - 4);
	}
}

int check_survey_run(struct check_survey *s, struct check_target *target,
                     check_progress_fn *progress, void *arg, struct base_error *err)
{
	int rc;

	s->target = target;
	progress(arg, "versions");
	rc = versions_ask(s, err);
	if (rc)
		return rc;
	versions_sum(s);
	progress(arg, "suites");
	suites_ask(s);
	suites_sum(s);
	progress(arg, "groups");
	groups_offer(s);
	run(s, s->group, CHECK_CODES_MAX);
	run(s, s->group_13, CHECK_CODES_MAX);
	progress(arg, "signatures");
	signatures_offer(s);
	run(s, s->signature, CHECK_CODES_MAX);
	run(s, s->signature_13, CHECK_CODES_MAX);
	signatures_sum(s);
	progress(arg, "extensions, precedence, compression, fallback");
	extensions_offer(s);
	run(s, s->extension, CHECK_CODES_MAX);
	singles_offer(s);
	run(s, s->single, CHECK_SINGLES);
	return 0;
}

static void probes_done(struct check_probe *p, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_probe_done(&p[i]);
}

void check_survey_done(struct check_survey *s)
{
	probes_done(s->version, CHECK_VERSIONS);
	probes_done(s->suite, CHECK_SUITES_MAX);
	probes_done(s->suite_low, CHECK_SUITES_MAX);
	probes_done(s->group, CHECK_CODES_MAX);
	probes_done(s->group_13, CHECK_CODES_MAX);
	probes_done(s->signature, CHECK_CODES_MAX);
	probes_done(s->signature_13, CHECK_CODES_MAX);
	probes_done(s->extension, CHECK_CODES_MAX);
	probes_done(s->single, CHECK_SINGLES);
}
