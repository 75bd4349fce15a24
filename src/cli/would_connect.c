/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `gatehouse pki would-connect`: a dry run of the handshakes between two operators' gateways, out
 * of their configurations, by the decision that the gateways make; and what will break it next.
 * When comes from the decision too: it is asked at later times until it refuses.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "cli/pair.h"
#include "cli/pki.h"

static const char usage[] =
        "usage: gatehouse pki would-connect --as A.yaml --to B.yaml [OPTION ...]\n"
        "\n"
        "Would TLS come up between two gateways? Takes a TLS domain of each configuration, the\n"
        "certificates, CRLs and cross-certificates it names, and asks what each would decide "
        "about\n"
        "the other. Private keys are not read.\n"
        "\n"
        "  --as FILE           one end's configuration of gatehouse-mg\n"
        "  --to FILE           the other end's\n"
        "  --as-domain NAME    its TLS domain (default: the default one, or the only one)\n"
        "  --to-domain NAME    the other's\n"
        "  --role ROLE         what --as plays: client, server; default both, one after the other\n"
        "  --server-name HOST  the dNSName that the client asks the server to prove\n"
        "  --time TIME         as if it were then: 2026-11-21T16:30:00Z or UNIX seconds\n"
        "  --json              machine-readable\n"
        "  --help              this text\n"
        "\n"
        "Exit status: 0 it would connect in each role asked for, 1 it would not, 2 it cannot be "
        "told\n"
        "(unreadable file, a method that the controller or a key has a part in), or wrong usage.\n";

enum outcome { CONNECTS, REFUSED, UNKNOWN };
static const char *const outcome_names[] = { "would connect", "would not connect", "cannot tell" };

/** One step of a decision, kept for the telling. */
struct step {
	struct step *next;
	bool ok;
	char look[16], text[400];
};

/** One end judges the other. */
struct check {
	const struct pair_end *judge, *peer;
	bool asked; /**< does it ask for a certificate at all? */
	bool peer_is_server;
	enum outcome outcome;
	struct trust_verdict verdict;
	const char *note; /**< instead of a verdict */
	struct step *first, **last;
	int64_t breaks_s; /**< first second of refusal; 0 = none seen */
	struct trust_verdict later;
};

/** One handshake. */
struct direction {
	const struct pair_end *client, *server;
	struct pair_common common;
	struct check of_server, of_client;
	enum outcome outcome;
};

struct would {
	const char *as_file, *to_file, *as_domain, *to_domain, *server_name;
	struct pair_end as, to;
	bool as_client, as_server, json;
	int64_t now_s;
	bool out_of_memory;
};

/* -- one judging the other --------------------------------------------------------------------- */

static void on_step(void *arg, const struct trust_step *step)
{
	struct check *c = arg;
	struct step *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return; /* the verdict stands without it */
	kept->ok = step->ok;
	(void)snprintf(kept->look, sizeof(kept->look), "%s", trust_look_name(step->look));
	(void)snprintf(kept->text, sizeof(kept->text), "%s%s%s", step->subject,
	               *step->subject ? ": " : "", step->text);
	*c->last = kept;
	c->last = &kept->next;
}

static int ask(struct check *c, const char *name, int64_t when_s, bool explain,
               struct trust_verdict *ret)
{
	const struct trust_question question = {
		.methods = c->peer_is_server ? c->judge->server_methods : c->judge->client_methods,
		.peer_is_server = c->peer_is_server,
		.peer_name = c->peer_is_server ? name : NULL,
		.continue_on = c->judge->continue_on,
		.allow_sha1 = c->judge->sha1,
		.now_s = when_s,
	};
	const struct pair_end *peer = c->peer;

	if (explain)
		return trust_explain(c->judge->trust, &question, peer->der, peer->der_count,
		                     on_step, c, ret);
	return trust_decide(c->judge->trust, &question, peer->der, peer->der_count, ret);
}

static bool lets_in(const struct trust_verdict *verdict)
{
	return verdict->authenticated || verdict->tolerated;
}

/* What is past its end stays so: the first second of refusal is found by halving. */
static int break_find(struct check *c, const char *name, int64_t now_s)
{
	static const int64_t horizon = INT64_C(50) * 366 * PKI_DAY_S;
	int64_t good = now_s, bad = 0;
	struct trust_verdict verdict;

	for (int64_t ahead = 3600; !bad && ahead < horizon; ahead *= 2) {
		if (ask(c, name, now_s + ahead, false, &verdict))
			return BASE_ERR(BASE_LOCAL, ENOMEM);
		if (lets_in(&verdict))
			good = now_s + ahead;
		else
			bad = now_s + ahead;
	}
	while (bad && bad - good > 1) {
		int64_t middle = good + (bad - good) / 2;

		if (ask(c, name, middle, false, &verdict))
			return BASE_ERR(BASE_LOCAL, ENOMEM);
		if (lets_in(&verdict))
			good = middle;
		else
			bad = middle;
	}
	c->breaks_s = bad;
	return bad ? ask(c, name, bad, false, &c->later) : 0;
}

/* What no file tells: fingerprints come from the controller, CRLs may still be fetched. */
static enum outcome outcome_of(struct check *c)
{
	unsigned methods = c->peer_is_server ? c->judge->server_methods : c->judge->client_methods;

	if (lets_in(&c->verdict))
		return CONNECTS;
	if (c->verdict.reason == TRUST_NO_FINGERPRINT ||
	    (c->verdict.failures && methods & TRUST_FINGERPRINT && c->peer->der_count)) {
		c->note = "fingerprints come from the controller, with each stream";
		return UNKNOWN;
	}
	if (c->verdict.reason == TRUST_CRL_MISSING && c->judge->fetches) {
		c->note = "the CRL is not there now; the gateway would have it fetched";
		return UNKNOWN;
	}
	return REFUSED;
}

static int judge(struct check *c, const char *name, int64_t now_s)
{
	int rc;

	c->last = &c->first;
	c->outcome = CONNECTS;
	if (!c->asked) {
		c->note = c->peer_is_server ? "servers are not authenticated (unsafe)"
		                            : "clients are not asked for a certificate";
		return 0;
	}
	if (!c->peer_is_server && !c->peer->der_count &&
	    c->judge->client_auth == PAIR_AUTH_REQUEST) {
		c->note = "a certificate is asked for, and may be left out";
		return 0;
	}
	rc = ask(c, name, now_s, true, &c->verdict);
	if (rc)
		return rc;
	c->outcome = outcome_of(c);
	return c->outcome == CONNECTS ? break_find(c, name, now_s) : 0;
}

static int direction_run(struct direction *d, const char *name, int64_t now_s)
{
	bool shows = d->server->client_auth != PAIR_AUTH_NONE;
	int rc;

	d->common = pair_common_find(d->client, d->server, shows);
	d->of_server = (struct check){ .judge = d->client,
		                       .peer = d->server,
		                       .peer_is_server = true,
		                       .asked = d->client->server_methods != 0 };
	d->of_client = (struct check){ .judge = d->server, .peer = d->client, .asked = shows };
	rc = judge(&d->of_server, name, now_s);
	if (!rc)
		rc = judge(&d->of_client, name, now_s);
	d->outcome = d->common.lacks ? REFUSED : CONNECTS;
	if (d->outcome == REFUSED && (d->client->psks || d->server->psks || !d->server->der_count))
		d->outcome =
		        UNKNOWN; /* by a pre-shared key, or with a certificate made on demand */
	if (d->of_server.outcome == REFUSED || d->of_client.outcome == REFUSED)
		d->outcome = REFUSED;
	else if (d->outcome == CONNECTS &&
	         (d->of_server.outcome == UNKNOWN || d->of_client.outcome == UNKNOWN ||
	          d->client->unknown_count || d->server->unknown_count))
		d->outcome = UNKNOWN;
	return rc;
}

/** What breaks first: a check, or NULL. */
static const struct check *next_break(const struct direction *d)
{
	const struct check *a = &d->of_server, *b = &d->of_client;

	if (!a->breaks_s || (b->breaks_s && b->breaks_s < a->breaks_s))
		return b->breaks_s ? b : NULL;
	return a;
}

static void direction_done(struct direction *d)
{
	struct check *all[] = { &d->of_server, &d->of_client };

	for (size_t i = 0; i < BASE_COUNT(all); i++) {
		while (all[i]->first) {
			struct step *step = all[i]->first;

			all[i]->first = step->next;
			free(step);
		}
	}
}

/* -- telling ----------------------------------------------------------------------------------- */

static const char *left_text(int64_t left_s, char *out, size_t cap)
{
	(void)snprintf(out, cap, left_s >= 2 * PKI_DAY_S ? "%lld d" : "%lld h",
	               (long long)(left_s / (left_s >= 2 * PKI_DAY_S ? PKI_DAY_S : 3600)));
	return out;
}

static void print_check(const struct check *c)
{
	printf("  %s judges the %s of %s: %s%s%s\n", c->judge->file,
	       c->peer_is_server ? "server" : "client", c->peer->file,
	       !c->asked || (c->note && c->outcome == CONNECTS)    ? c->note
	       : lets_in(&c->verdict) && !c->verdict.authenticated ? "tolerated"
	       : c->outcome == CONNECTS                            ? "accepted"
	       : c->outcome == UNKNOWN                             ? "cannot tell"
	                                                           : "refused",
	       c->outcome == CONNECTS ? "" : ": ",
	       c->outcome == CONNECTS  ? ""
	       : c->outcome == UNKNOWN ? c->note
	                               : trust_reason_name(c->verdict.reason));
	for (const struct step *step = c->first; step; step = step->next)
		printf("    %-4s %-11s %s%s\n", step->ok ? "ok" : "NO", step->look, step->text,
		       !step->ok && strstr(step->text, c->verdict.text) ? "  <- decided" : "");
	if (c->outcome == REFUSED && *c->verdict.culprit.crl)
		printf("    its CRL lies at %s\n", c->verdict.culprit.crl);
	if (c->asked && *c->verdict.rules)
		printf("    certificate profile, not kept: %s (gatehouse pki lint)\n",
		       c->verdict.rules);
}

static void print_break(const struct check *c, const char *word, int64_t now_s)
{
	char until[PKI_TIME_TEXT], left[32];

	printf("  %-9s %s (%s): %s will refuse %s: %s: %s%s%s\n", word,
	       pki_time_format(c->breaks_s, until),
	       left_text(c->breaks_s - now_s, left, sizeof(left)), c->judge->file, c->peer->file,
	       trust_reason_name(c->later.reason), c->later.text,
	       *c->later.culprit.crl ? "; CRL at " : "", c->later.culprit.crl);
}

static void print_direction(const struct would *w, const struct direction *d)
{
	const struct check *next = next_break(d),
	                   *other = next == &d->of_server ? &d->of_client : &d->of_server;
	const struct pair_common *c = &d->common;
	const struct pair_end *ends[] = { d->client, d->server };

	printf("%s (%s) as TLS client -> %s (%s) as TLS server: %s\n", d->client->file,
	       d->client->domain, d->server->file, d->server->domain, outcome_names[d->outcome]);
	if (c->lacks)
		printf("  common    NO: %s is missing (profiles %s and %s)\n", c->lacks,
		       d->client->settings->profile->name, d->server->settings->profile->name);
	else
		printf("  common    %s, %s%s%s%s%s\n", c->version, c->suite, c->group ? ", " : "",
		       c->group ? c->group : "", *c->signature ? ", " : "", c->signature);
	for (size_t i = 0; i < BASE_COUNT(ends); i++)
		for (size_t j = 0; j < ends[i]->unknown_count; j++)
			printf("  unknown   %s: the key '%s' is not understood here\n",
			       ends[i]->file, ends[i]->unknown[j]);
	print_check(&d->of_server);
	print_check(&d->of_client);
	if (next && d->outcome != REFUSED)
		print_break(next, "next", w->now_s);
	if (next && other->breaks_s && d->outcome != REFUSED)
		print_break(other, "then", w->now_s);
}

static json_t *json_check(const struct check *c)
{
	json_t *steps = json_array();
	char until[PKI_TIME_TEXT];

	for (const struct step *step = c->first; step; step = step->next)
		(void)json_array_append_new(steps,
		                            json_pack("{s:b, s:s, s:s}", "ok", step->ok, "look",
		                                      step->look, "text", step->text));
	return json_pack(
	        "{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "judge",
	        c->judge->file, "peer", c->peer->file, "outcome", outcome_names[c->outcome],
	        "asked", c->asked, "reason", trust_reason_name(c->verdict.reason), "text",
	        c->verdict.text, "rules", c->verdict.rules, "crl", c->verdict.culprit.crl, "note",
	        c->note ? json_string(c->note) : json_null(), "breaks",
	        c->breaks_s ? json_string(pki_time_format(c->breaks_s, until)) : json_null(),
	        "breaks_reason", c->breaks_s ? trust_reason_name(c->later.reason) : "",
	        "breaks_text", c->later.text, "breaks_crl", c->later.culprit.crl, "steps", steps);
}

static json_t *json_text(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *json_direction(const struct direction *d)
{
	const struct check *next = next_break(d);
	const struct pair_common *c = &d->common;
	char until[PKI_TIME_TEXT];

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "client",
	                 d->client->file, "server", d->server->file, "outcome",
	                 outcome_names[d->outcome], "version",
	                 json_text(c->lacks ? NULL : c->version), "suite",
	                 json_text(c->lacks ? NULL : c->suite), "group",
	                 json_text(c->lacks ? NULL : c->group), "signature",
	                 json_text(c->lacks ? NULL : c->signature), "lacks", json_text(c->lacks),
	                 "server_judged", json_check(&d->of_server), "client_judged",
	                 json_check(&d->of_client), "next_break",
	                 next ? json_string(pki_time_format(next->breaks_s, until)) : json_null());
}

/* -- all --------------------------------------------------------------------------------------- */

static int one(struct would *w, const struct pair_end *client, const struct pair_end *server,
               json_t *all, enum outcome *worst)
{
	struct direction d = { .client = client, .server = server };
	int rc = direction_run(&d, w->server_name, w->now_s);

	if (!rc && all)
		w->out_of_memory |= json_array_append_new(all, json_direction(&d)) != 0;
	else if (!rc)
		print_direction(w, &d);
	if (!rc && (d.outcome == REFUSED || *worst == CONNECTS))
		*worst = d.outcome;
	direction_done(&d);
	return rc;
}

static int run(struct would *w, enum outcome *ret, struct base_error *err)
{
	json_t *all = w->json ? json_array() : NULL;
	int rc = pair_end_load(&w->as, w->as_file, w->as_domain, err);

	if (!rc)
		rc = pair_end_load(&w->to, w->to_file, w->to_domain, err);
	if (!rc && w->as_client)
		rc = one(w, &w->as, &w->to, all, ret);
	if (!rc && w->as_server)
		rc = one(w, &w->to, &w->as, all, ret);
	if (!rc && all) {
		w->out_of_memory |= json_dumpf(all, stdout, JSON_INDENT(2)) != 0;
		printf("\n");
	}
	json_decref(all);
	return !rc && w->out_of_memory ? BASE_ERR(BASE_LOCAL, ENOMEM) : rc;
}

static bool role_take(struct would *w, const char *word)
{
	w->as_client = !strcmp(word, "client") || !strcmp(word, "both");
	w->as_server = !strcmp(word, "server") || !strcmp(word, "both");
	if (w->as_client || w->as_server)
		return true;
	(void)pki_refuse("--role is client, server or both, not '%s'", word);
	return false;
}

static bool take(void *arg, int c, const char *word)
{
	struct would *w = arg;

	switch (c) {
	case 'a':
		w->as_file = word;
		return true;
	case 't':
		w->to_file = word;
		return true;
	case 'A':
		w->as_domain = word;
		return true;
	case 'T':
		w->to_domain = word;
		return true;
	case 'n':
		w->server_name = word;
		return true;
	case 'r':
		return role_take(w, word);
	case 'w':
		if (!pki_time_parse(word, &w->now_s) && w->now_s > 0)
			return true;
		(void)pki_refuse("--time is 2026-11-21T16:30:00Z or UNIX seconds, not '%s'", word);
		return false;
	case 'j':
		return w->json = true;
	default:
		return false;
	}
}

int pki_would_connect_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "as", required_argument, NULL, 'a' },
		{ "to", required_argument, NULL, 't' },
		{ "as-domain", required_argument, NULL, 'A' },
		{ "to-domain", required_argument, NULL, 'T' },
		{ "server-name", required_argument, NULL, 'n' },
		{ "role", required_argument, NULL, 'r' },
		{ "time", required_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct would w = { .as_client = true, .as_server = true, .now_s = (int64_t)time(NULL) };
	struct base_error err = { .rc = 0 };
	enum outcome worst = CONNECTS;
	int rc, status;

	status = pki_options(argc, argv, option, usage, take, &w);
	if (status >= 0)
		return status;
	if (!w.as_file || !w.to_file || optind != argc)
		return pki_usage(usage);
	rc = run(&w, &worst, &err);
	if (rc)
		(void)pki_complain(&err);
	pair_end_done(&w.as);
	pair_end_done(&w.to);
	return rc || worst == UNKNOWN ? PKI_MISUSED : worst == REFUSED ? PKI_REFUSED : PKI_DONE;
}
