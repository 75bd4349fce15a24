/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki`: the subcommands, and what they share. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/pki.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "init", pki_init_main, "make an operator's authorities" },
	{ "issue", pki_issue_main, "a certificate for a TLS client or server" },
	{ "cross-certify", pki_cross_main, "vouch for another operator's TLS authority" },
	{ "revoke", pki_revoke_main, "revoke a certificate" },
	{ "crl", pki_crl_main, "write an authority's next CRL" },
	{ "publish", pki_publish_main,
	  "CRLs and certificates of the authorities, to a folder or over LDAP" },
	{ "rollover", pki_rollover_main, "a new key for an authority, with links between both" },
	{ "status", pki_status_main, "what expires, and when" },
	{ "lint", pki_lint_main, "hold certificates and CRLs against the certificate profile" },
	{ "verify", pki_verify_main, "judge a certificate as a gateway does, step by step" },
	{ "would-connect", pki_would_connect_main, "a dry run of TLS between two configurations" },
};

static void usage(FILE *to)
{
	fprintf(to, "usage: gatehouse pki COMMAND [ARGUMENT ...]\n\n");
	for (size_t i = 0; i < BASE_COUNT(commands); i++)
		fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\n'gatehouse pki COMMAND --help' tells more.\n"
	            "Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n");
}

bool pki_list_add(struct pki_list *list, const char *item)
{
	if (list->count == PKI_LIST_MAX) {
		(void)pki_refuse("at most %d of an option: '%s'", PKI_LIST_MAX, item);
		return false;
	}
	list->item[list->count++] = item;
	return true;
}

int pki_complain(const struct base_error *err)
{
	char text[sizeof(err->file) + sizeof(err->text) + 32];

	fprintf(stderr, "gatehouse pki: %s\n",
	        *err->text ? base_error_format(err, text, sizeof(text)) : "out of memory");
	return PKI_REFUSED;
}

int pki_refuse(const char *fmt, ...)
{
	va_list args;

	fputs("gatehouse pki: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return PKI_REFUSED;
}

int pki_usage(const char *text)
{
	fputs(text, stderr);
	return PKI_MISUSED;
}

int pki_options(int argc, char **argv, const struct option *option, const char *usage,
                pki_take_fn *take, void *arg)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return PKI_DONE;
		}
		if (!take(arg, c, optarg))
			return PKI_MISUSED;
	}
	return -1;
}

bool pki_number(const char *option, const char *text, unsigned max, unsigned *ret)
{
	uint64_t value;

	if (base_str_u64(base_str_of(text), max, &value) || !value) {
		(void)pki_refuse("%s is a number from 1 to %u, not '%s'", option, max, text);
		return false;
	}
	*ret = (unsigned)value;
	return true;
}

const char *pki_time_format(int64_t when_s, char *out)
{
	time_t when = (time_t)when_s;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(out, PKI_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		(void)snprintf(out, PKI_TIME_TEXT, "?");
	return out;
}

int pki_time_parse(const char *text, int64_t *ret)
{
	struct tm tm = { .tm_year = 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	uint64_t number;

	if (end && !*end) {
		*ret = (int64_t)timegm(&tm);
		return 0;
	}
	if (base_str_u64(base_str_of(text), INT64_MAX / 2, &number))
		return -1;
	*ret = (int64_t)number;
	return 0;
}

int cli_pki_main(int argc, char **argv)
{
	(void)umask(077); /* whatever is made here may be a key; returns the old one */
	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return PKI_DONE;
	}
	for (size_t i = 0; argc >= 2 && i < BASE_COUNT(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	usage(stderr);
	return PKI_MISUSED;
}
