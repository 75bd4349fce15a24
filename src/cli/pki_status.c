/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki status`: an expiry board over folders and over what configurations use. */
#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "cli/pki.h"
#include "config/config.h"
#include "x509/x509.h"

static const char usage[] =
        "usage: gatehouse pki status [OPTION ...] [--config FILE.yaml ...] [FILE|FOLDER ...]\n"
        "\n"
        "Every certificate and CRL in the files and folders, and in those that the TLS domains of\n"
        "gateway configurations name, the cache folder of gatehouse-fetch among them; the first "
        "to\n"
        "end comes first.\n"
        "\n"
        "  --config FILE  a configuration of gatehouse-mg (may repeat)\n"
        "  --days N       certificates that end within N days count as soon (default 30)\n"
        "  --hours N      CRLs whose nextUpdate is within N hours count as soon (default 24)\n"
        "  --time TIME    as if it were then: 2026-11-21T16:30:00Z or UNIX seconds\n"
        "  --json         machine-readable\n"
        "  --help         this text\n"
        "\n"
        "Exit status: 0 nothing ends soon, 1 something does, has ended or cannot be read, 2 wrong\n"
        "usage.\n";

enum state { GONE, UNREADABLE, NOT_YET, SOON, FINE };
static const char *const state_names[] = { "expired", "unreadable", "not-yet-valid", "soon", "ok" };

struct row {
	enum state state;
	bool crl;
	int64_t until_s;
	char name[512];  /**< subject, or issuer of a CRL; what is wrong with an unreadable file */
	char number[64]; /**< serial, or number of a CRL */
	char sha256[X509_FINGERPRINT_TEXT]; /**< "" for CRLs */
	char *file;
};

struct board {
	struct pki_list configs;
	struct row *row;
	size_t count, cap;
	int64_t now_s;
	unsigned days, hours;
	bool json, failed; /**< failed: out of memory */
};

/* -- collecting ------------------------------------------------------------------------------ */

static struct row *row_new(struct board *b, const char *file)
{
	if (b->count == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 64;
		struct row *row = realloc(b->row, cap * sizeof(*row));

		b->failed |= !row;
		if (!row)
			return NULL;
		b->row = row;
		b->cap = cap;
	}
	b->row[b->count] = (struct row){ .file = strdup(file) };
	b->failed |= !b->row[b->count].file;
	return &b->row[b->count++];
}

static enum state state_of(const struct board *b, int64_t from_s, int64_t until_s, int64_t warn_s)
{
	return until_s <= b->now_s            ? GONE
	       : from_s > b->now_s            ? NOT_YET
	       : until_s - b->now_s <= warn_s ? SOON
	                                      : FINE;
}

static void unreadable_add(struct board *b, const char *file, const char *why)
{
	struct row *row = row_new(b, file);

	if (!row)
		return;
	row->state = UNREADABLE;
	(void)snprintf(row->name, sizeof(row->name), "%s", why);
}

/* The same certificate lies in many places; it is one thing to renew. */
static bool known(const struct board *b, const char *sha256)
{
	for (size_t i = 0; i < b->count; i++)
		if (!strcmp(b->row[i].sha256, sha256))
			return true;
	return false;
}

static void cert_add(struct board *b, const char *file, X509 *cert)
{
	struct x509_about about;
	struct row *row;

	b->failed |= x509_about_cert(cert, &about) != 0;
	if (b->failed || known(b, about.sha256) || !(row = row_new(b, file)))
		return;
	row->until_s = about.until_s;
	row->state = state_of(b, about.from_s, about.until_s, (int64_t)b->days * PKI_DAY_S);
	(void)snprintf(row->name, sizeof(row->name), "%s", about.subject);
	(void)snprintf(row->number, sizeof(row->number), "%s", about.serial);
	(void)snprintf(row->sha256, sizeof(row->sha256), "%s", about.sha256);
}

static void crl_add(struct board *b, const char *file, const struct x509_about_crl *about,
                    bool delta)
{
	struct row *row = row_new(b, file);

	if (!row)
		return;
	row->crl = true;
	row->until_s = about->next_s; /* without nextUpdate it is of no use: 0, long gone */
	row->state = state_of(b, about->this_s, about->next_s, (int64_t)b->hours * 3600);
	(void)snprintf(row->name, sizeof(row->name), "%s%s", about->issuer,
	               delta ? " (delta)" : "");
	(void)snprintf(row->number, sizeof(row->number), "%s", about->number);
}

/* A file of the cache folder (docs/crl-index.md). */
static void index_add(struct board *b, const char *file)
{
	struct x509_crl_index *index = NULL;
	struct base_error err = { .rc = 0 };
	struct x509_about_crl about;

	if (x509_crl_index_map(&index, file, &err)) {
		unreadable_add(b, file, err.text);
		return;
	}
	x509_about_crl_index(index, &about);
	crl_add(b, file, &about, x509_crl_index_info(index)->flags & X509_CRL_DELTA);
	x509_crl_index_unref(index);
}

static bool ends(const char *name, const char *end)
{
	size_t len = strlen(name), tail = strlen(end);

	return len >= tail && !strcmp(name + len - tail, end);
}

/* `named`: somebody said that something is in there, so it must be. */
static void file_add(struct board *b, const char *file, bool named)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	struct base_error err = { .rc = 0 };
	bool none;

	b->failed |= !certs || !crls;
	if (ends(file, ".crlx")) {
		index_add(b, file);
	} else if (!b->failed) {
		none = x509_certs_load(file, certs, &err) && x509_crls_load(file, crls, NULL);
		for (int i = 0; i < sk_X509_num(certs); i++)
			cert_add(b, file, sk_X509_value(certs, i));
		for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
			X509_CRL *crl = sk_X509_CRL_value(crls, i);
			struct x509_about_crl about;

			x509_about_crl(crl, &about);
			crl_add(b, file, &about,
			        X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0);
		}
		/* a PEM file of something else (a key) is nobody's business in a folder */
		if (none && (named || strncmp(err.text, "there is no ", 12) != 0))
			unreadable_add(b, file, err.text);
	}
	sk_X509_pop_free(certs, X509_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}

static bool worth_a_look(const char *name)
{
	static const char *const endings[] = { ".pem", ".crt", ".cer", ".der", ".crl", ".crlx" };

	for (size_t i = 0; *name != '.' && i < BASE_COUNT(endings); i++)
		if (ends(name, endings[i]))
			return true;
	return false;
}

/* `all`: whatever lies in a folder counts, as for the gateway (docs/trust.md). */
static void path_add(struct board *b, const char *path, bool all)
{
	char *const paths[] = { (char *)path, NULL };
	FTS *tree = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	FTSENT *at;

	b->failed |= !tree;
	while (tree && (at = fts_read(tree))) {
		bool top = at->fts_level == FTS_ROOTLEVEL;
		bool look = top || worth_a_look(at->fts_name) || (all && *at->fts_name != '.');

		if (at->fts_info == FTS_F && look)
			file_add(b, at->fts_path, top);
		else if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR ||
		         at->fts_info == FTS_NS)
			unreadable_add(b, at->fts_path, strerror(at->fts_errno));
		else if (top && (at->fts_info == FTS_DEFAULT || at->fts_info == FTS_SLNONE))
			unreadable_add(b, at->fts_path, "not a regular file");
	}
	if (tree)
		(void)fts_close(tree); /* it was only read */
}

/* -- what a configuration uses ---------------------------------------------------------------- */

struct use {
	struct board *board;
	const struct config_doc *doc;
};

/* A domain's certificate, and every list of its trust. */
static void value_take(void *arg, const char *where, struct base_str text)
{
	struct use *use = arg;
	struct base_arena arena = { .chunk = NULL };
	const char *name, *path;
	bool cache = ends(where, "].trust.cache");

	if (strncmp(where, "tls-domains[", 12) != 0 ||
	    !(ends(where, "].certificate") || cache ||
	      (strstr(where, "].trust.") && ends(where, "]"))))
		return;
	name = base_arena_dup(&arena, text);
	path = name ? config_doc_path(use->doc, name, &arena) : NULL;
	use->board->failed |= !path;
	if (path)
		path_add(use->board, path, !cache); /* the cache has a file of the fetcher's own */
	base_arena_done(&arena);
}

static int config_add(struct board *b, const char *file)
{
	struct base_error err = { .rc = 0 };
	struct use use = { .board = b };
	struct config_doc *doc;

	if (config_doc_load(file, &doc, &err)) {
		(void)pki_complain(&err);
		return PKI_MISUSED;
	}
	use.doc = doc;
	config_values(doc, value_take, &use);
	config_doc_free(doc);
	return PKI_DONE;
}

/* -- telling ---------------------------------------------------------------------------------- */

static int by_end(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->until_s != y->until_s ? (x->until_s < y->until_s ? -1 : 1)
	                                : strcmp(x->file ? x->file : "", y->file ? y->file : "");
}

static const char *left_text(int64_t left_s, char *out, size_t cap)
{
	int64_t all = left_s < 0 ? -left_s : left_s;

	(void)snprintf(out, cap, "%s%lld %s", left_s < 0 ? "-" : "",
	               (long long)(all >= 2 * PKI_DAY_S ? all / PKI_DAY_S : all / 3600),
	               all >= 2 * PKI_DAY_S ? "d" : "h");
	return out;
}

static void print_board(const struct board *b)
{
	char until[PKI_TIME_TEXT], left[32];

	for (size_t i = 0; i < b->count; i++) {
		const struct row *row = &b->row[i];

		if (row->state == UNREADABLE)
			printf("%-13s %s: %s\n", state_names[row->state], row->file, row->name);
		else
			printf("%-13s %-20s %7s  %-4s %s  (%s)\n", state_names[row->state],
			       row->until_s ? pki_time_format(row->until_s, until)
			                    : "no nextUpdate",
			       row->until_s ? left_text(row->until_s - b->now_s, left, sizeof(left))
			                    : "-",
			       row->crl ? "CRL" : "cert", row->name, row->file);
	}
}

static json_t *json_row(const struct board *b, const struct row *row)
{
	char until[PKI_TIME_TEXT];

	if (row->state == UNREADABLE)
		return json_pack("{s:s, s:s, s:s}", "state", state_names[row->state], "file",
		                 row->file, "reason", row->name);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:s}", "state", state_names[row->state],
	                 "kind", row->crl ? "crl" : "certificate", "name", row->name,
	                 row->crl ? "number" : "serial", row->number, "until",
	                 row->until_s ? json_string(pki_time_format(row->until_s, until))
	                              : json_null(),
	                 "left_s", (json_int_t)(row->until_s ? row->until_s - b->now_s : 0), "file",
	                 row->file);
}

static int print_json(const struct board *b)
{
	json_t *all = json_array();
	int rc = all ? 0 : -1;

	for (size_t i = 0; !rc && i < b->count; i++)
		rc = json_array_append_new(all, json_row(b, &b->row[i]));
	if (!rc)
		rc = json_dumpf(all, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(all);
	return rc ? pki_refuse("out of memory") : PKI_DONE;
}

static int tell(struct board *b)
{
	int status = PKI_DONE;

	if (b->failed)
		return pki_refuse("out of memory");
	if (b->count)
		qsort(b->row, b->count, sizeof(*b->row), by_end);
	for (size_t i = 0; i < b->count; i++)
		if (b->row[i].state != FINE)
			status = PKI_REFUSED;
	if (b->json && print_json(b))
		return PKI_REFUSED;
	if (!b->json)
		print_board(b);
	/* a board with nothing on it watches nothing */
	return b->count ? status : pki_refuse("no certificate and no CRL found");
}

/* -- words ------------------------------------------------------------------------------------- */

static bool take(void *arg, int c, const char *word)
{
	struct board *b = arg;

	switch (c) {
	case 'c':
		return pki_list_add(&b->configs, word);
	case 'd':
		return pki_number("--days", word, 36500, &b->days);
	case 'o':
		return pki_number("--hours", word, 24 * 3650, &b->hours);
	case 't':
		if (!pki_time_parse(word, &b->now_s))
			return true;
		(void)pki_refuse("--time is 2026-11-21T16:30:00Z or UNIX seconds, not '%s'", word);
		return false;
	case 'j':
		return b->json = true;
	default:
		return false;
	}
}

static int run(struct board *b, char **path)
{
	int status = PKI_DONE;

	for (; *path && !b->failed; path++)
		path_add(b, *path, false);
	for (size_t i = 0; !status && i < b->configs.count; i++)
		status = config_add(b, b->configs.item[i]);
	return status ? status : tell(b);
}

int pki_status_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "days", required_argument, NULL, 'd' },
		{ "hours", required_argument, NULL, 'o' },
		{ "time", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct board b = { .now_s = (int64_t)time(NULL), .days = 30, .hours = 24 };
	int status = pki_options(argc, argv, option, usage, take, &b);

	if (status >= 0)
		return status;
	if (optind == argc && !b.configs.count)
		return pki_usage(usage);
	status = run(&b, argv + optind);
	for (size_t i = 0; i < b.count; i++)
		free(b.row[i].file);
	free(b.row);
	return status;
}
