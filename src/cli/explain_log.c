/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse explain`: refused handshakes out of the gateway's log, in words, with a remedy.
 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/log_line.h"

enum { DONE = 0, NONE = 1, MISUSED = 2 };

static const char usage[] =
        "usage: gatehouse explain [OPTION ...] [FILE ...]\n"
        "       gatehouse explain 'LINE'\n"
        "\n"
        "Explains the refused handshakes among the log lines of gatehouse-mg: in files, in a line\n"
        "given as it is (it begins with a year or holds \"tls failed\"), or from standard input.\n"
        "Says who refused whom, which certificate and step decided, by which clause, what to do.\n"
        "\n"
        "  --last   only the last one\n"
        "  --json   machine-readable\n"
        "  --help   this text\n"
        "\n"
        "Exit status: 0 explained, 1 no refused handshake was found, 2 wrong usage, unreadable "
        "file.\n";

/* %s of the remedies: what of the line is put there. */
enum blank { NOTHING, ISSUER, CULPRIT, CRL, SERIAL, RULES, DOMAIN };

struct advice {
	const char *word; /**< reason of our refusal, or the peer's alert */
	const char *what;
	struct {
		const char *text;
		enum blank blank;
	} todo[3];
};

/* clang-format off: tables of words */
/** We refused: by the reason (docs/trust.md). */
static const struct advice reasons[] = {
	{ "no-certificate",
	  "the peer sent no certificate, and this domain asks for one",
	  { { "the peer's operator configures a certificate for this connection", NOTHING },
	    { "or the domain does not ask: client-auth in tls-domains '%s'", DOMAIN } } },
	{ "no-fingerprint",
	  "the controller gave no fingerprint, and this domain needs one",
	  { { "the controller sends the peer's a=fingerprint in Remote (H.248.TLSPROF, 8.3.2.2)",
	      NOTHING } } },
	{ "fingerprint-mismatch",
	  "the peer's certificate is not the one that SDP announced",
	  { { "compare SHA-256 of the peer's certificate with the a=fingerprint it signalled",
	      NOTHING },
	    { "if they differ for no reason you know, somebody is between you", NOTHING } } },
	{ "malformed",
	  "the peer's certificate cannot be read",
	  { { "the peer's operator issues it anew", NOTHING } } },
	{ "unknown-ca",
	  "nobody here vouches for the authority that issued the certificate",
	  { { "if %s is a partner's TLS CA: gatehouse pki cross-certify, then reload", ISSUER },
	    { "if it has a new key, its cross-certificate has to be made anew", NOTHING },
	    { "if it is yours: put it into trust.client-cas, server-cas or anchors of '%s'",
	      DOMAIN } } },
	{ "expired",
	  "a certificate is past its end",
	  { { "renew %s (gatehouse pki issue; a cross-certificate: cross-certify)", CULPRIT },
	    { "look at what ends next: gatehouse pki status", NOTHING } } },
	{ "not-yet-valid",
	  "a certificate is not valid yet",
	  { { "compare the clocks of both ends", NOTHING },
	    { "wait, or issue %s anew", CULPRIT } } },
	{ "revoked",
	  "a certificate was revoked",
	  { { "ask %s why; if it stands, the peer needs a new certificate", ISSUER },
	    { "serial number %s", SERIAL } } },
	{ "crl-missing",
	  "no usable CRL says whether the certificate is good (hard fail, TS 33.310, 5.2.2.2)",
	  { { "fetch the CRL of %s", ISSUER },
	    { "it lies at %s", CRL },
	    { "put it into trust.crls, or have gatehouse-fetch keep it in trust.cache",
	      NOTHING } } },
	{ "crl-stale",
	  "the CRL is out of date (hard fail, TS 33.310, 5.2.2.2)",
	  { { "%s has to publish its next CRL (own ones: gatehouse pki crl, publish)", ISSUER },
	    { "renew the CRL from %s", CRL },
	    { "see that gatehouse-fetch runs, and that both clocks are right", NOTHING } } },
	{ "wrong-purpose",
	  "the certificate, or who vouches for it, is not for the role that the peer plays",
	  { { "the peer uses a certificate of its TLS client CA as client, of its TLS server CA as "
	      "server",
	      NOTHING },
	    { "cross-certify the other CA too, if it was forgotten", NOTHING } } },
	{ "wrong-name",
	  "the certificate does not name the host that was asked for",
	  { { "issue it with that host as dNSName, or correct the name in the configuration",
	      NOTHING } } },
	{ "weak",
	  "a key or a hash is too weak",
	  { { "issue %s anew: SHA-256, RSA 2048 or P-256", CULPRIT } } },
	{ "profile",
	  "the certificate does not keep the certificate profile",
	  { { "see the rules: gatehouse pki lint on the certificate (%s)", RULES },
	    { "issue %s anew, so that it keeps them", CULPRIT },
	    { "to let it pass for now: certificate-faults: warn in tls-domains '%s'", DOMAIN } } },
	{ "path",
	  "the path from the certificate to an anchor does not hold",
	  { { "see every step: gatehouse pki verify with the same files", NOTHING } } },
	{ "psk-failed",
	  "the pre-shared keys of both ends differ, or the identity is unknown",
	  { { "compare identity and key of both ends", NOTHING } } },
};

/** The peer refused us: by its alert (RFC 5246, 7.2.2; RFC 8446, 6.2). */
static const struct advice alerts[] = {
	{ "unknown_ca",
	  "the peer knows nobody who vouches for our certificate's authority",
	  { { "the peer's operator cross-certifies our TLS CA (5.2.2.2), or repeats it after our "
	      "roll-over",
	      NOTHING },
	    { "hand it pki/tls-client/ca.pem or tls-server/ca.pem, by the role that we play",
	      NOTHING } } },
	{ "certificate_revoked",
	  "the peer's CRL says that our certificate, or the cross-certificate for our CA, is "
	  "revoked",
	  { { "look into our own CRL (gatehouse pki status), then ask the peer's operator",
	      NOTHING } } },
	{ "certificate_expired",
	  "our certificate, or the cross-certificate for our CA, is out of date for the peer",
	  { { "gatehouse pki status --config FILE tells what ended; compare the clocks",
	      NOTHING } } },
	{ "certificate_unknown",
	  "the peer could not check our certificate: most often our CRL is missing or stale there",
	  { { "see that our CRLs are published and in date (gatehouse pki crl, publish)", NOTHING },
	    { "and that the peer can reach the address in our certificates", NOTHING },
	    { "gatehouse pki lint our certificate: the peer may hold it against the profile",
	      NOTHING } } },
	{ "bad_certificate",
	  "the peer finds our certificate broken or too weak",
	  { { "gatehouse pki lint our certificate", NOTHING } } },
	{ "unsupported_certificate",
	  "our certificate, or the cross-certificate for our CA, is for another role",
	  { { "a client shows one of the TLS client CA, a server one of the TLS server CA",
	      NOTHING } } },
	{ "bad_certificate_status_response",
	  "the peer did not take our OCSP staple",
	  { { "see our responder", NOTHING } } },
	{ "certificate_required",
	  "the peer wants a certificate, and we showed none",
	  { { "configure certificate and key in tls-domains '%s'", DOMAIN } } },
	{ "handshake_failure",
	  "the peer found nothing in common, or wants a certificate that we did not show",
	  { { "compare both: gatehouse pki would-connect --as A.yaml --to B.yaml", NOTHING } } },
	{ "insufficient_security",
	  "the peer wants more than we offer",
	  { { "compare both: gatehouse pki would-connect --as A.yaml --to B.yaml", NOTHING } } },
	{ "protocol_version",
	  "the two ends have no TLS version in common",
	  { { "compare the profiles: gatehouse profile diff", NOTHING } } },
	{ "decrypt_error",
	  "a signature or a pre-shared key does not fit",
	  { { "see that certificate and key belong together, or that both have the same pre-shared "
	      "key",
	      NOTHING } } },
	{ "unknown_psk_identity",
	  "the peer does not know our PSK identity",
	  { { "compare the identities of both ends", NOTHING } } },
	{ "access_denied",
	  "the peer knows us and does not let us in",
	  { { "ask the peer's operator", NOTHING } } },
};

/** tls-down tells an alert's number. */
static const struct {
	const char *number, *name;
} numbers[] = {
	{ "40", "handshake_failure" },
	{ "42", "bad_certificate" },
	{ "43", "unsupported_certificate" },
	{ "44", "certificate_revoked" },
	{ "45", "certificate_expired" },
	{ "46", "certificate_unknown" },
	{ "48", "unknown_ca" },
	{ "49", "access_denied" },
	{ "51", "decrypt_error" },
	{ "70", "protocol_version" },
	{ "71", "insufficient_security" },
	{ "113", "bad_certificate_status_response" },
	{ "115", "unknown_psk_identity" },
	{ "116", "certificate_required" },
};

static const struct advice nothing_common = {
	"handshake_failure",
	"the two ends found no version, suite, group or signature in common",
	{ { "compare both: gatehouse pki would-connect --as A.yaml --to B.yaml", NOTHING },
	  { "what the domain offers: gatehouse profile show", NOTHING } }
};
static const struct advice broken_off = {
	"",
	"the handshake ended without a decision about anybody",
	{ { "see whether the peer speaks TLS there at all, and its own log", NOTHING } }
};
/* clang-format on */

static const struct advice *find(const struct advice *table, size_t count, struct base_str word)
{
	for (size_t i = 0; i < count; i++)
		if (base_str_eq(word, base_str_of(table[i].word)))
			return &table[i];
	return NULL;
}

static struct base_str alert_name(struct base_str number)
{
	for (size_t i = 0; i < BASE_COUNT(numbers); i++)
		if (base_str_eq(number, base_str_of(numbers[i].number)))
			return base_str_of(numbers[i].name);
	return number;
}

static const struct advice *advice_for(const struct log_line *l)
{
	const struct advice *found = NULL;

	if (l->from_peer && l->down)
		found = find(alerts, BASE_COUNT(alerts), alert_name(l->alert));
	else if (l->from_peer)
		found = find(alerts, BASE_COUNT(alerts), l->alert);
	else
		found = find(reasons, BASE_COUNT(reasons), l->auth);
	if (!found && !l->from_peer &&
	    (base_str_eq(l->alert, base_str_of("handshake_failure")) ||
	     base_str_eq(l->alert, base_str_of("protocol_version"))))
		found = &nothing_common;
	return found ? found : &broken_off;
}

static struct base_str blank_of(const struct log_line *l, enum blank blank)
{
	switch (blank) {
	case ISSUER:
		return l->issuer;
	case CULPRIT:
		return l->culprit;
	case CRL:
		return base_str_eq(l->crl, base_str_of("-")) ? (struct base_str){ "", 0 } : l->crl;
	case SERIAL:
		return l->serial;
	case RULES:
		return l->rules;
	case DOMAIN:
		return l->domain;
	default:
		return (struct base_str){ "", 0 };
	}
}

/** A remedy's words; false where it speaks of something that the line does not tell. */
static bool todo_format(const struct log_line *l, const struct advice *a, size_t i, char *buf,
                        size_t cap)
{
	struct base_str value = blank_of(l, a->todo[i].blank);
	const char *text = a->todo[i].text, *at = text ? strstr(text, "%s") : NULL;

	if (!text || (at && !value.len))
		return false;
	if (at)
		(void)snprintf(buf, cap, "%.*s%.*s%s", (int)(at - text), text, (int)value.len,
		               value.ptr, at + 2);
	else
		(void)snprintf(buf, cap, "%s", text);
	return true;
}

/* The last words in brackets; with those of a rule of the profile within. */
static struct base_str clause_of(const struct log_line *l)
{
	struct base_str none = { "", 0 };
	size_t end = l->words.len, depth = 0;

	while (end && l->words.ptr[end - 1] != ')')
		end--;
	for (size_t i = end; i-- > 0;) {
		depth += l->words.ptr[i] == ')';
		depth -= l->words.ptr[i] == '(';
		if (!depth)
			return (struct base_str){ l->words.ptr + i + 1, end - i - 2 };
	}
	return none;
}

/* -- telling ----------------------------------------------------------------------------------- */

static const char *certificate_words(const struct log_line *l)
{
	if (!l->serial.len)
		return NULL;
	return base_str_eq(l->depth, base_str_of("0")) ? "the peer's own certificate"
	                                               : "a certificate above the peer's";
}

static void print_pair(const char *name, struct base_str value)
{
	if (value.len)
		printf("  %-9s %.*s\n", name, (int)value.len, value.ptr);
}

static void print_text(const struct log_line *l, const struct advice *a)
{
	const char *certificate = certificate_words(l);
	bool client = base_str_eq(l->side, base_str_of("client"));
	const char *label = "do";
	char todo[700];

	printf("%.*s  %s %.*s%s, domain %.*s%s%s: %s\n", (int)l->time.len, l->time.ptr,
	       l->from_peer ? "refused by" : "refused", (int)(l->peer.len ? l->peer.len : 8),
	       l->peer.len ? l->peer.ptr : "the peer", l->renegotiation ? " (renegotiation)" : "",
	       (int)l->domain.len, l->domain.ptr, l->side.len ? ", we were TLS " : "",
	       !l->side.len ? ""
	       : client     ? "client"
	                    : "server",
	       a->what);
	print_pair("peer", l->subject);
	if (certificate)
		printf("  %-9s %s: %.*s, serial %.*s, issued by %.*s\n", "decided", certificate,
		       (int)l->culprit.len, l->culprit.ptr, (int)l->serial.len, l->serial.ptr,
		       (int)l->issuer.len, l->issuer.ptr);
	print_pair("step", l->words);
	print_pair("clause", clause_of(l));
	print_pair("rules", l->rules);
	print_pair(l->from_peer ? "alert got" : "alert", l->alert);
	for (size_t i = 0; i < BASE_COUNT(a->todo); i++) {
		if (!todo_format(l, a, i, todo, sizeof(todo)))
			continue;
		printf("  %-9s %s\n", label, todo);
		label = "";
	}
}

static json_t *json_str(struct base_str s)
{
	/* names are the peer's: what is no UTF-8 is told as nothing */
	json_t *text = s.len ? json_stringn(s.ptr, s.len) : json_null();

	return text ? text : json_null();
}

static json_t *json_line(const struct log_line *l, const struct advice *a)
{
	json_t *todo = json_array();
	char text[700];

	for (size_t i = 0; i < BASE_COUNT(a->todo); i++)
		if (todo_format(l, a, i, text, sizeof(text)))
			(void)json_array_append_new(todo, json_string(text));
	return json_pack(
	        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
	        "s:s, s:o}",
	        "time", json_str(l->time), "by", l->from_peer ? "peer" : "us", "peer",
	        json_str(l->peer), "side", json_str(l->side), "domain", json_str(l->domain),
	        "reason", json_str(l->auth), "alert", json_str(alert_name(l->alert)), "depth",
	        json_str(l->depth), "subject", json_str(l->subject), "certificate",
	        json_str(l->culprit), "serial", json_str(l->serial), "issuer", json_str(l->issuer),
	        "crl", json_str(blank_of(l, CRL)), "clause", json_str(clause_of(l)), "step",
	        json_str(l->words), "what", a->what, "do", todo);
}

/* -- reading ----------------------------------------------------------------------------------- */

struct explaining {
	bool json, last;
	size_t count;
	char heard[128]; /* domain and alert of the last refusal by a peer */
	char *kept;      /* the last line, with --last */
	json_t *all;
	bool failed;
};

/* A refused handshake is told by the line of the handshake, and once more when its session ends. */
static bool told_twice(struct explaining *e, const struct log_line *l)
{
	struct base_str alert = alert_name(l->alert);
	char heard[sizeof(e->heard)];
	bool twice;

	(void)snprintf(heard, sizeof(heard), "%.*s %.*s", (int)l->domain.len, l->domain.ptr,
	               (int)alert.len, alert.ptr);
	twice = l->down && !strcmp(heard, e->heard);
	(void)snprintf(e->heard, sizeof(e->heard), "%s", l->from_peer && !l->down ? heard : "");
	return twice;
}

static void tell(struct explaining *e, struct base_str line)
{
	struct log_line l;

	if (!log_line_read(line, &l) || !l.failed || told_twice(e, &l))
		return;
	e->count++;
	if (e->json)
		e->failed |= json_array_append_new(e->all, json_line(&l, advice_for(&l))) != 0;
	else
		print_text(&l, advice_for(&l));
}

static void line_take(struct explaining *e, struct base_str line)
{
	struct log_line l;

	while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	if (!e->last) {
		tell(e, line);
	} else if (log_line_read(line, &l) && l.failed) {
		free(e->kept);
		e->kept = strndup(line.ptr, line.len);
		e->failed |= !e->kept;
	}
}

static int stream_take(struct explaining *e, FILE *f)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&line, &cap, f)) >= 0)
		line_take(e, (struct base_str){ line, (size_t)len });
	free(line);
	return ferror(f) ? -1 : 0;
}

/* Is that a line, and no file's name? */
static bool is_line(const char *word)
{
	return strstr(word, ": tls ") != NULL;
}

static int word_take(struct explaining *e, const char *word)
{
	FILE *f;
	int rc;

	if (is_line(word)) {
		line_take(e, base_str_of(word));
		return 0;
	}
	f = strcmp(word, "-") != 0 ? fopen(word, "r") : stdin;
	rc = f ? stream_take(e, f) : -1;
	if (rc)
		fprintf(stderr, "gatehouse explain: cannot read %s: %s\n", word, strerror(errno));
	if (f && f != stdin)
		(void)fclose(f); /* it was only read */
	return rc;
}

static int run(struct explaining *e, char **words)
{
	int rc = 0;

	e->all = e->json ? json_array() : NULL;
	if (!*words)
		rc = word_take(e, "-");
	for (; !rc && *words; words++)
		rc = word_take(e, *words);
	if (!rc && e->kept)
		tell(e, base_str_of(e->kept));
	if (!rc && e->json) {
		e->failed |= json_dumpf(e->all, stdout, JSON_INDENT(2)) != 0;
		printf("\n");
	}
	json_decref(e->all);
	free(e->kept);
	if (e->failed)
		fprintf(stderr, "gatehouse explain: out of memory\n");
	if (rc || e->failed)
		return MISUSED;
	if (!e->count)
		fprintf(stderr, "gatehouse explain: no refused handshake was found\n");
	return e->count ? DONE : NONE;
}

int cli_explain_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "last", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct explaining e = { .json = false };
	int c;

	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (c == 'h') {
			printf("%s", usage);
			return DONE;
		}
		if (c == '?') {
			fputs(usage, stderr);
			return MISUSED;
		}
		e.json |= c == 'j';
		e.last |= c == 'l';
	}
	return run(&e, argv + optind);
}
