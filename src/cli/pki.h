/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Shared by the files of `gatehouse pki`. Each subcommand gets its own words (`argv[0]` is its
 * name) and returns the exit status: 0 done, 1 refused or failed, 2 called wrongly.
 */
#ifndef GH_CLI_PKI_H
#define GH_CLI_PKI_H

#include <stdio.h>

#include "base/base.h"

#define PKI_DAY_S    INT64_C(86400)
#define PKI_LIST_MAX 32

enum { PKI_DONE = 0, PKI_REFUSED = 1, PKI_MISUSED = 2 };

/** The authorities of an operator, each a folder of this name in the operator's folder. */
#define PKI_INTERCONNECTION "interconnection"
#define PKI_TLS_CLIENT      "tls-client"
#define PKI_TLS_SERVER      "tls-server"

int pki_init_main(int argc, char **argv);
int pki_issue_main(int argc, char **argv);
int pki_cross_main(int argc, char **argv);
int pki_revoke_main(int argc, char **argv);
int pki_crl_main(int argc, char **argv);
int pki_publish_main(int argc, char **argv);
int pki_rollover_main(int argc, char **argv);
int pki_verify_main(int argc, char **argv);
int pki_status_main(int argc, char **argv);
int pki_lint_main(int argc, char **argv);
int pki_would_connect_main(int argc, char **argv);

/** A list of words from repeated options, NULL-terminated. All zero is the empty one. */
struct pki_list {
	const char *item[PKI_LIST_MAX + 1];
	size_t count;
};
/** Append, borrowed; complains and returns false when there are too many. */
bool pki_list_add(struct pki_list *list, const char *item);

/** Tell standard error what went wrong. @return PKI_REFUSED */
int pki_complain(const struct base_error *err);
/** The same in words of one's own. */
int pki_refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** How it is called, to standard error. @return PKI_MISUSED */
int pki_usage(const char *text);
/** An option `c` and its word; says what is wrong with it and returns false. */
typedef bool pki_take_fn(void *arg, int c, const char *word);
struct option;
/**
 * Give every option to `take`; what is left begins at optind. --help prints `usage`.
 * @return -1 to go on, else the program's status
 */
int pki_options(int argc, char **argv, const struct option *option, const char *usage,
                pki_take_fn *take, void *arg);
/** A whole number of an option, 1 to `max`; complains and returns false for another. */
bool pki_number(const char *option, const char *text, unsigned max, unsigned *ret);
/** "2026-11-21T16:30:00Z"; `out` holds PKI_TIME_TEXT octets. @return `out` */
const char *pki_time_format(int64_t when_s, char *out);
#define PKI_TIME_TEXT 32
/** The form above, or a plain number of seconds. @return 0 or -1 */
int pki_time_parse(const char *text, int64_t *ret);

#endif
