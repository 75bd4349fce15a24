/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse check`: a peer held against profiles, rule by rule (docs/check.md). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_report.h"
#include "cli/cli.h"
#include "x509/x509.h"

enum { CONFORMS = 0, FALLS_SHORT = 1, NO_TEST = 2, PROFILES_MAX = 8 };

static const char usage[] =
        "usage: gatehouse check HOST:PORT --profile NAME[,NAME...] [OPTION ...]\n"
        "\n"
        "Looks at a TLS server (or client), rule by rule of the profiles: each version and suite "
        "is offered "
        "alone,\n"
        "and so on (docs/check.md). A shall that is not kept fails, a should warns; what cannot be "
        "seen\n"
        "from outside is said to be not testable. Profiles whose name begins with cert- judge its\n"
        "certificate.\n"
        "\n"
        "  --profile NAME,...    what to hold it against (gatehouse profile list)\n"
        "  --profile-dir DIR     look for profiles in DIR first (may be repeated)\n"
        "  --starttls STYLE      smtp, imap, pop3, ftp or ldap: the words before TLS\n"
        "  --role client         listen at HOST:PORT for a client and look at that; each time it "
        "comes it\n"
        "                        gets another answer that it has to refuse; then sessions, by "
        "what follows\n"
        "  --cert FILE           a certificate that the client trusts, with its chain (PEM) ...\n"
        "  --key FILE            ... and its key; or a pre-shared key, as below\n"
        "  --wait SECONDS        for the client's first visit, 1 to 3600 (default 60)\n"
        "  --dtls                look at DTLS, over UDP; one connection at a time\n"
        "  --null-encryption     suites without encryption are in use: rules on them hold\n"
        "  --psk-file FILE       a pre-shared key for sessions: one line, IDENTITY:HEX\n"
        "  --unsafe-psk ID:HEX   the same on the command line, where everybody can read it\n"
        "  --timeout SECONDS     for each thing that is waited for, 1 to 120 (default 5)\n"
        "  --parallel N          connections at a time, 1 to 32 (default 4)\n"
        "  --connections N       connections at most, altogether (default 2000)\n"
        "  --all                 show also what passes, is noted or is not testable\n"
        "  --strict              warnings count for the exit status\n"
        "  --json                machine-readable, all of it\n"
        "  --html FILE           a page for people, beside what is printed\n"
        "  --junit FILE          the same for continuous integration\n"
        "  --quiet               no progress on standard error\n"
        "  --help                this text\n"
        "\n"
        "Exit status: 0 it conforms, 1 it does not, 2 it could not be tested, or wrong usage.\n";

struct checking {
	struct profile_store *store;
	const char *where, *profiles;
	struct check_target target;
	struct check_terms terms;
	bool all, strict, json, quiet;
	const char *html, *junit;
	const char *cert, *key; /**< to be shown to a client */
	struct x509_identity *identity;
	struct check_survey *survey;
	struct check_sessions sessions;
	struct check_client *client; /**< where one is looked at */
	unsigned wait_ms;            /**< for its first visit */
	bool of_client;
	struct check_psk psk;
	struct base_secret psk_key;
	char psk_identity[128];
	struct check_report report[PROFILES_MAX];
	size_t count;
	char versions[128];
};

static int complain(const char *text)
{
	fprintf(stderr, "gatehouse check: %s\n", text);
	return NO_TEST;
}

static int complain_error(const struct base_error *err)
{
	char text[sizeof(err->file) + sizeof(err->text) + 32];

	return complain(base_error_format(err, text, sizeof(text)));
}

static void on_progress(void *arg, const char *what)
{
	const struct checking *c = arg;

	if (!c->quiet)
		fprintf(stderr, "gatehouse check: %s (%u connections so far)\n", what,
		        atomic_load(&c->target.opened));
}

static void versions_name(struct checking *c, unsigned versions)
{
	size_t len = 0;

	for (unsigned v = PROFILE_SSL_2_0; v <= PROFILE_DTLS_1_3; v <<= 1)
		if (versions & v)
			len += (size_t)snprintf(c->versions + len, sizeof(c->versions) - len,
			                        "%s%s", len ? ", " : "", profile_version_name(v));
	if (!len)
		(void)snprintf(c->versions, sizeof(c->versions), "no version");
}

static int judge(struct checking *c, const struct profile *profile, struct base_error *err)
{
	struct check_report *report = &c->report[c->count++];

	report->profile = profile;
	if (c->client)
		return check_client_judge(report, c->client, profile, &c->terms, err);
	return profile->certificates
	               ? check_certificate_judge(report, c->survey, &c->sessions, profile, err)
	               : check_judge(report, c->survey, &c->sessions, profile, &c->terms);
}

/** Every profile that was named, found before anybody is asked anything. */
static int profiles_find(struct checking *c, const struct profile **ret, size_t *ret_count)
{
	char names[512];
	struct base_error err = { .rc = 0 };

	if (strlen(c->profiles) >= sizeof(names))
		return complain("--profile: too many names");
	(void)snprintf(names, sizeof(names), "%s", c->profiles);
	*ret_count = 0;
	for (char *name = names, *next; name; name = next) {
		next = strchr(name, ',');
		if (next)
			*next++ = '\0';
		if (*ret_count == PROFILES_MAX)
			return complain("--profile: at most 8 names");
		if (profile_store_find(c->store, name, &ret[*ret_count], &err))
			return complain_error(&err);
		(*ret_count)++;
	}
	return 0;
}

/** A report into a file of its own; NULL = none was asked for. */
static bool file_write(const char *name, void (*put)(const struct cli_check *check, FILE *to),
                       const struct cli_check *shown)
{
	FILE *file = name ? fopen(name, "we") : NULL;
	bool bad;

	if (!name)
		return true;
	if (file)
		put(shown, file);
	bad = !file || ferror(file);
	if (file)
		bad |= fclose(file) != 0;
	if (bad)
		fprintf(stderr, "gatehouse check: %s could not be written: %s\n", name,
		        strerror(errno));
	return !bad;
}

static int result(struct checking *c, struct cli_check *shown)
{
	unsigned fails = 0, warns = 0, untested = 0;

	for (size_t i = 0; i < c->count; i++) {
		fails += c->report[i].tally[CHECK_FAIL];
		warns += c->report[i].tally[CHECK_WARN];
		untested += c->report[i].tally[CHECK_UNTESTED];
		untested += !c->report[i].tally[CHECK_PASS] && !c->report[i].tally[CHECK_FAIL] &&
		            !c->report[i].tally[CHECK_WARN]; /* nothing is no conformance */
		if (c->report[i].failed)
			return complain("out of memory");
	}
	*shown = (struct cli_check){ .target = &c->target,
		                     .survey = c->survey,
		                     .versions = c->versions,
		                     .role = c->client ? "client" : "server",
		                     .report = c->report,
		                     .count = c->count,
		                     .fails = fails,
		                     .warns = warns,
		                     .untested = untested };
	shown->status = fails || (c->strict && warns) ? FALLS_SHORT : untested ? NO_TEST : CONFORMS;
	if (!c->json)
		cli_check_text(shown, c->all, stdout);
	if ((c->json && !cli_check_json(shown, stdout)) || fflush(stdout) || ferror(stdout))
		return complain("the report could not be written");
	if (!file_write(c->html, cli_check_html, shown) ||
	    !file_write(c->junit, cli_check_junit, shown))
		return NO_TEST;
	return shown->status;
}

static int server_look(struct checking *c, struct base_error *err)
{
	int rc;

	c->survey = calloc(1, sizeof(*c->survey));
	if (!c->survey)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	rc = check_survey_run(c->survey, &c->target, on_progress, c, err);
	if (rc)
		return rc;
	on_progress(c, "sessions");
	check_sessions_run(&c->sessions, c->survey, c->psk.identity ? &c->psk : NULL);
	versions_name(c, c->survey->versions | (c->sessions.psk13_suite ? PROFILE_TLS_1_3 : 0U));
	return 0;
}

static int client_look(struct checking *c, struct base_error *err)
{
	int rc;

	c->client = calloc(1, sizeof(*c->client));
	if (!c->client)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	rc = c->cert ? x509_identity_load(&c->identity, c->cert, c->key, err) : 0;
	if (rc)
		return rc;
	c->client->host = (struct check_host){ c->identity, c->psk.identity ? &c->psk : NULL };
	rc = check_client_run(c->client, &c->target, c->wait_ms, on_progress, c, err);
	if (!rc)
		versions_name(c, c->client->offered.versions);
	return rc;
}

static int run(struct checking *c)
{
	const struct profile *profile[PROFILES_MAX];
	struct base_error err = { .rc = 0 };
	struct cli_check shown;
	size_t count;

	if (profiles_find(c, profile, &count))
		return NO_TEST;
	if (check_target_find(&c->target, c->where, &err))
		return complain_error(&err);
	if (c->of_client ? client_look(c, &err) : server_look(c, &err))
		return complain_error(&err);
	for (size_t i = 0; i < count; i++)
		if (judge(c, profile[i], &err))
			return complain_error(&err);
	return result(c, &shown);
}

/* -- words ------------------------------------------------------------------------------------- */

static bool number(const char *word, unsigned most, unsigned *ret)
{
	uint64_t value;

	if (base_str_u64(base_str_of(word), most, &value) || !value)
		return false;
	*ret = (unsigned)value;
	return true;
}

static bool starttls(struct checking *c, const char *word)
{
	int style = check_starttls_find(word);

	if (style >= 0)
		c->target.starttls = (enum check_starttls)style;
	return style >= 0;
}

/** "ID:HEX"; the text is wiped. */
static bool psk_take(struct checking *c, char *text)
{
	char *colon = strchr(text, ':');
	size_t hex = colon ? strcspn(colon + 1, " \t\r\n") : 0;
	uint8_t key[128];
	size_t len = 0;
	bool good = colon && colon > text && (size_t)(colon - text) < sizeof(c->psk_identity) &&
	            !base_hex_decode((struct base_str){ colon + 1, hex }, key, sizeof(key), &len) &&
	            len && !base_secret_set(&c->psk_key, key, len);

	if (good) {
		memcpy(c->psk_identity, text, (size_t)(colon - text));
		c->psk = (struct check_psk){ c->psk_identity, { c->psk_key.data, c->psk_key.len } };
	}
	base_wipe(key, sizeof(key));
	base_wipe(text, strlen(text));
	return good;
}

/** The first line of a file, as --psk. */
static bool psk_file(struct checking *c, const char *name)
{
	char line[512];
	FILE *file = fopen(name, "re");
	bool good = file && !setvbuf(file, NULL, _IONBF, 0) && /* no copy that is not wiped */
	            fgets(line, sizeof(line), file) && psk_take(c, line);

	if (file)
		(void)fclose(file); /* only read from */
	base_wipe(line, sizeof(line));
	return good;
}

/** Options that are said or not. */
static bool flag_take(struct checking *c, int option)
{
	switch (option) {
	case 'D':
		return c->target.dtls = c->terms.dtls = true;
	case 'n':
		return c->terms.null_encryption = true;
	case 'a':
		return c->all = true;
	case 'S':
		return c->strict = true;
	case 'j':
		return c->json = true;
	case 'q':
		return c->quiet = true;
	default:
		return false;
	}
}

static bool take(struct checking *c, int option, char *word)
{
	switch (option) {
	case 'p':
		c->profiles = word;
		return true;
	case 'd':
		return !profile_store_dir(c->store, word);
	case 's':
		return starttls(c, word);
	case 'r':
		c->of_client = c->target.listens = !strcmp(word, "client");
		return c->of_client || !strcmp(word, "server");
	case 'w':
		if (!number(word, 3600, &c->wait_ms))
			return false;
		c->wait_ms *= 1000;
		return true;
	case 'c':
		c->cert = word;
		return true;
	case 'y':
		c->key = word;
		return true;
	case 'k':
		return psk_file(c, word);
	case 'K':
		fprintf(stderr, "gatehouse check: --unsafe-psk: everybody on this machine can read "
		                "the key of a command line; --psk-file is the way\n");
		return psk_take(c, word);
	case 't':
		if (!number(word, 120, &c->target.timeout_ms))
			return false;
		c->target.timeout_ms *= 1000;
		return true;
	case 'P':
		return number(word, 32, &c->target.parallel);
	case 'C':
		return number(word, 100000, &c->target.connections);
	case 'H':
		c->html = word;
		return true;
	case 'u':
		c->junit = word;
		return true;
	default:
		return flag_take(c, option);
	}
}

/** What is left once options are gone, and what goes together. @return as options_take */
static int settled(struct checking *c, int words, char **word)
{
	if (words != 1 || !c->profiles) {
		fprintf(stderr, "%s", usage);
		return NO_TEST;
	}
	c->where = *word;
	/* a server of datagrams may well know one peer at a time */
	if (!c->target.parallel)
		c->target.parallel = c->target.dtls ? 1 : 4;
	if (!c->cert != !c->key)
		return complain("--cert and --key go together");
	if (c->cert && !c->of_client)
		return complain("--cert is what a client is shown: --role client");
	if (c->of_client && (c->target.dtls || c->target.starttls))
		return complain("--role client is of streams, without words before TLS");
	if (c->target.dtls && c->target.starttls)
		return complain("--starttls is of streams, --dtls of datagrams");
	return -1;
}

/** @return -1 to go on, else the exit status */
static int options_take(int argc, char **argv, struct checking *c)
{
	static const struct option option[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ "profile-dir", required_argument, NULL, 'd' },
		{ "starttls", required_argument, NULL, 's' },
		{ "role", required_argument, NULL, 'r' },
		{ "wait", required_argument, NULL, 'w' },
		{ "dtls", no_argument, NULL, 'D' },
		{ "null-encryption", no_argument, NULL, 'n' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'y' },
		{ "psk-file", required_argument, NULL, 'k' },
		{ "unsafe-psk", required_argument, NULL, 'K' },
		{ "timeout", required_argument, NULL, 't' },
		{ "parallel", required_argument, NULL, 'P' },
		{ "connections", required_argument, NULL, 'C' },
		{ "all", no_argument, NULL, 'a' },
		{ "strict", no_argument, NULL, 'S' },
		{ "json", no_argument, NULL, 'j' },
		{ "html", required_argument, NULL, 'H' },
		{ "junit", required_argument, NULL, 'u' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 1;
	while ((o = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (o == 'h') {
			printf("%s", usage);
			return CONFORMS;
		}
		if (!take(c, o, optarg)) {
			if ((o == 'k' || o == 'K') && optarg)
				(void)complain("the key cannot be read: one line, IDENTITY:HEX");
			else if (o != '?' && optarg)
				fprintf(stderr, "gatehouse check: '%s' is not for this option\n",
				        optarg);
			return NO_TEST;
		}
	}
	return settled(c, argc - optind, argv + optind);
}

int cli_check_main(int argc, char **argv)
{
	struct checking *c = calloc(1, sizeof(*c));
	int status;

	if (!c || profile_store_new(&c->store)) {
		free(c);
		return complain("out of memory");
	}
	c->target.timeout_ms = 5000;
	c->target.connections = 2000;
	c->wait_ms = 60000;
	status = options_take(argc, argv, c);
	if (status < 0)
		status = run(c);
	for (size_t i = 0; i < c->count; i++)
		check_report_done(&c->report[i]);
	check_sessions_done(&c->sessions);
	if (c->client)
		check_client_done(c->client);
	free(c->client);
	x509_identity_unref(c->identity);
	base_secret_done(&c->psk_key);
	if (c->survey)
		check_survey_done(c->survey);
	free(c->survey);
	profile_store_free(c->store);
	free(c);
	return status;
}
