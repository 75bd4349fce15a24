/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki verify`: the gateway's own decision about a certificate, step by step. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "cli/pki_lint.h"
#include "profile/profile.h"
#include "trust/trust.h"

static const char usage[] =
        "usage: gatehouse pki verify --anchor FILE [OPTION ...] CERTIFICATE\n"
        "\n"
        "Judges a certificate as a gateway judges its peer's (RFC 5280, 6; with --cross also\n"
        "TS 33.310, 5.2.2.2). The status of every certificate below the anchor must be known from\n"
        "a CRL. Prints one line for each step and marks the one that decided.\n"
        "\n"
        "  --anchor FILE       trust anchors; with --cross the own Interconnection CA (may "
        "repeat)\n"
        "  --cross FILE        cross-certificates: the path leads through one of them (may "
        "repeat)\n"
        "  --cache FOLDER      what gatehouse-fetch fetched: its CRLs, and cross-certificates as\n"
        "                      with --cross, of the role that they say themselves\n"
        "  --untrusted FILE    further certificates that the peer sends (may repeat)\n"
        "  --crl FILE          CRLs (may repeat)\n"
        "  --time TIME         judge by this time: 2026-11-21T16:30:00Z or UNIX seconds\n"
        "  --role ROLE         the peer is a client or a server (default)\n"
        "  --name HOST         the dNSName it must prove\n"
        "  --profile NAME      also judge keys and hashes, by this TLS profile; without one they\n"
        "                      are judged with --cross only\n"
        "  --certificate-profile NAME\n"
        "                      the rules that the certificate itself has to keep; none. Default:\n"
        "                      cert-ts33310 between operators, else none\n"
        "  --profile-dir DIR   look for profiles in DIR first (may repeat)\n"
        "  --policy OID        acceptable certificate policy (may repeat; default any)\n"
        "  --require-explicit-policy, --inhibit-mapping, --inhibit-any-policy\n"
        "                      initial inputs of RFC 5280, 6.1.1 (e) to (g)\n"
        "  --quiet             print nothing but the verdict\n"
        "  --help              this text\n"
        "\n"
        "Exit status: 0 accepted, 1 refused, 2 it cannot be judged: wrong usage, unreadable "
        "file.\n";

/** Steps are kept until the verdict tells which one decided. */
struct step {
	struct step *next;
	char *line, *text;
	bool ok;
};

struct verify {
	struct pki_list anchors, crosses, untrusted, crls, policies;
	const char *profile, *certificate_profile, *cert, *cache;
	struct profile_checks *checks;
	struct profile_store *profiles;
	struct trust_question question;
	bool client, quiet;
	struct step *first, **last;
	bool out_of_memory;
};

static void on_step(void *arg, const struct trust_step *step)
{
	struct verify *v = arg;
	struct step *kept = calloc(1, sizeof(*kept));

	if (kept) {
		kept->ok = step->ok;
		kept->text = strdup(step->text);
		if (asprintf(&kept->line, "%-4s %-11s %2d  %s%s%s", step->ok ? "ok" : "NO",
		             trust_look_name(step->look), step->depth, step->subject,
		             *step->subject ? ": " : "", step->text) < 0)
			kept->line = NULL;
		*v->last = kept;
		v->last = &kept->next;
	}
	v->out_of_memory |= !kept || !kept->line || !kept->text;
}

static void print_steps(const struct verify *v, const struct trust_verdict *verdict)
{
	bool marked = false;

	for (const struct step *step = v->first; step; step = step->next) {
		bool decided = !verdict->authenticated && !marked && !step->ok &&
		               !strcmp(step->text, verdict->text);

		/* accepted: what decided is that the last step is good too */
		decided |= verdict->authenticated && !step->next;
		marked |= decided;
		printf("%s%s\n", step->line, decided ? "  <- decided" : "");
	}
}

static void steps_free(struct verify *v)
{
	while (v->first) {
		struct step *step = v->first;

		v->first = step->next;
		free(step->line);
		free(step->text);
		free(step);
	}
}

/* -- what is asked ----------------------------------------------------------------------------- */

static const char *const *list(const struct pki_list *of)
{
	return of->count ? of->item : NULL;
}

static int store_load(const struct verify *v, struct trust_store **ret, struct base_error *err)
{
	struct trust_store_files files = { .anchors = list(&v->anchors),
		                           .crls = list(&v->crls),
		                           .checks = v->checks };

	files.crl_required = true;
	if (v->crosses.count || v->cache) {
		files.interconnect = true;
		files.cache = v->cache;
		files.interconnection = list(&v->anchors);
		files.cross_clients = v->client ? list(&v->crosses) : NULL;
		files.cross_servers = v->client ? NULL : list(&v->crosses);
	}
	return trust_store_load(ret, &files, err);
}

/* The certificate profile: as a gateway has it, between operators unless another is named. */
static int checks_apply(struct verify *v, struct base_error *err)
{
	bool between = v->crosses.count || v->cache;
	const char *name = v->certificate_profile;
	const struct profile *profile;
	int rc;

	if (!name)
		name = between ? PKI_LINT_PROFILE : "none";
	if (!strcmp(name, "none"))
		return 0;
	rc = profile_store_find(v->profiles, name, &profile, err);
	return rc ? rc : profile_checks_new(&v->checks, profile, err);
}

/* By a profile, SHA-1 counts only where the profile offers signatures with it. */
static int profile_apply(struct verify *v, struct base_error *err)
{
	struct profile_options options = { .null_encryption = false };
	struct profile_settings *settings;
	const struct profile *profile;
	int rc = 0;

	/* the rules of TS 33.310, 6.1.1 belong to its way between operators */
	v->question.any_strength = !v->profile && !v->crosses.count && !v->cache;
	if (!v->profile)
		return 0;
	rc = profile_store_find(v->profiles, v->profile, &profile, err);
	if (!rc)
		rc = profile_compile(profile, &options, &settings, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < settings->signatures.on; i++)
		v->question.allow_sha1 |= settings->signatures.item[i].code >> 8 == 2;
	profile_settings_free(settings);
	return 0;
}

static int chain_load(const struct verify *v, STACK_OF(X509) * certs, struct base_error *err)
{
	int rc = x509_certs_load(v->cert, certs, err);

	for (size_t i = 0; !rc && i < v->untrusted.count; i++)
		rc = x509_certs_load(v->untrusted.item[i], certs, err);
	return rc;
}

static int decide(struct verify *v, struct trust_store *store, STACK_OF(X509) * certs,
                  struct trust_verdict *verdict)
{
	size_t count = (size_t)sk_X509_num(certs), made = 0;
	struct base_str *chain = calloc(count, sizeof(*chain));
	int rc = chain ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	for (; !rc && made < count; made++)
		rc = x509_cert_der(sk_X509_value(certs, (int)made), &chain[made]);
	if (!rc)
		rc = trust_explain(store, &v->question, chain, count, on_step, v, verdict);
	for (size_t i = 0; i < made; i++)
		x509_der_free(&chain[i]);
	free(chain);
	return !rc && v->out_of_memory ? BASE_ERR(BASE_LOCAL, ENOMEM) : rc;
}

static int run(struct verify *v, struct trust_verdict *verdict, struct base_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct trust_store *store = NULL;
	int rc = certs ? profile_apply(v, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = checks_apply(v, err);
	v->question.methods = TRUST_CA;
	v->question.peer_is_server = !v->client;
	v->question.policies = list(&v->policies);
	if (!rc)
		rc = chain_load(v, certs, err);
	if (!rc)
		rc = store_load(v, &store, err);
	if (!rc)
		rc = decide(v, store, certs, verdict);
	trust_store_unref(store);
	profile_checks_unref(v->checks);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

static int tell(const struct verify *v, const struct trust_verdict *verdict)
{
	if (!v->quiet)
		print_steps(v, verdict);
	if (verdict->authenticated)
		printf("accepted: %s\n", verdict->subject);
	else
		printf("refused: %s: %s\n", trust_reason_name(verdict->reason), verdict->text);
	return verdict->authenticated ? PKI_DONE : PKI_REFUSED;
}

/* -- words ------------------------------------------------------------------------------------- */

static bool role_take(struct verify *v, const char *word)
{
	v->client = !strcmp(word, "client");
	if (v->client || !strcmp(word, "server"))
		return true;
	(void)pki_refuse("--role is client or server, not '%s'", word);
	return false;
}

static bool time_take(struct verify *v, const char *word)
{
	if (!pki_time_parse(word, &v->question.now_s) && v->question.now_s > 0)
		return true;
	(void)pki_refuse("--time is 2026-11-21T16:30:00Z or UNIX seconds, not '%s'", word);
	return false;
}

/* Digits and dots, as RFC 5280 writes policies; what is no OID must not pass for "none given". */
static bool policy_take(struct verify *v, const char *word)
{
	if (*word >= '0' && *word <= '2' && word[1] == '.' && word[2] &&
	    strspn(word, "0123456789.") == strlen(word))
		return pki_list_add(&v->policies, word);
	(void)pki_refuse("--policy is an OID like 2.5.29.32.0, not '%s'", word);
	return false;
}

static bool take(void *arg, int c, const char *word)
{
	struct verify *v = arg;

	switch (c) {
	case 'a':
		return pki_list_add(&v->anchors, word);
	case 'x':
		return pki_list_add(&v->crosses, word);
	case 'u':
		return pki_list_add(&v->untrusted, word);
	case 'c':
		return pki_list_add(&v->crls, word);
	case 'o':
		return policy_take(v, word);
	case 't':
		return time_take(v, word);
	case 'r':
		return role_take(v, word);
	case 'd':
		return !profile_store_dir(v->profiles, word);
	case 'n':
		v->question.peer_name = word;
		return true;
	case 'p':
		v->profile = word;
		return true;
	case 'f':
		v->certificate_profile = word;
		return true;
	case 'k':
		v->cache = word;
		return true;
	case 'q':
		return v->quiet = true;
	case 'E':
		return v->question.require_explicit_policy = true;
	case 'M':
		return v->question.inhibit_policy_mapping = true;
	case 'A':
		return v->question.inhibit_any_policy = true;
	default:
		return false;
	}
}

/** @return -1 to go on, else the exit status */
static int options_take(int argc, char **argv, struct verify *v)
{
	static const struct option option[] = {
		{ "anchor", required_argument, NULL, 'a' },
		{ "cross", required_argument, NULL, 'x' },
		{ "cache", required_argument, NULL, 'k' },
		{ "untrusted", required_argument, NULL, 'u' },
		{ "crl", required_argument, NULL, 'c' },
		{ "time", required_argument, NULL, 't' },
		{ "role", required_argument, NULL, 'r' },
		{ "name", required_argument, NULL, 'n' },
		{ "profile", required_argument, NULL, 'p' },
		{ "certificate-profile", required_argument, NULL, 'f' },
		{ "profile-dir", required_argument, NULL, 'd' },
		{ "policy", required_argument, NULL, 'o' },
		{ "require-explicit-policy", no_argument, NULL, 'E' },
		{ "inhibit-mapping", no_argument, NULL, 'M' },
		{ "inhibit-any-policy", no_argument, NULL, 'A' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int status = pki_options(argc, argv, option, usage, take, v);

	if (status >= 0)
		return status;
	if (!v->anchors.count || optind != argc - 1)
		return pki_usage(usage);
	v->cert = argv[optind];
	return -1;
}

int pki_verify_main(int argc, char **argv)
{
	struct verify v = { .quiet = false };
	struct base_error err = { .rc = 0 };
	struct trust_verdict verdict;
	int status;

	v.last = &v.first;
	if (profile_store_new(&v.profiles)) {
		(void)pki_refuse("out of memory");
		return PKI_MISUSED;
	}
	status = options_take(argc, argv, &v);
	if (status < 0 && run(&v, &verdict, &err)) {
		(void)pki_complain(&err);
		status = PKI_MISUSED; /* no verdict: neither 0 nor 1 */
	} else if (status < 0) {
		status = tell(&v, &verdict);
	}
	steps_free(&v);
	profile_store_free(v.profiles);
	return status;
}
