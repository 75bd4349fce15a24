/* SPDX-License-Identifier: Apache-2.0 */
/** @file What `gatehouse check` prints: one report a profile, in the form that was asked for. */
#ifndef GH_CLI_CHECK_REPORT_H
#define GH_CLI_CHECK_REPORT_H

#include <stdio.h>

#include "check/check.h"

/** What all reports of one run share. */
struct cli_check {
	const struct check_target *target;
	const struct check_survey *survey; /**< NULL where a client was looked at */
	const char *versions;              /**< "TLS1.2, TLS1.3" */
	const char *role;
	struct check_report *report;
	size_t count;
	unsigned fails, warns, untested;
	int status; /**< the exit status it comes to */
};

/** "conforms" and its like, by exit status; constant. */
const char *cli_check_result(int status);
/** For people. `all` = also what passes. */
void cli_check_text(const struct cli_check *check, bool all, FILE *to);
/** One page, for people who were not there; complete in itself. */
void cli_check_html(const struct cli_check *check, FILE *to);
/** One test suite a profile, one test case a rule, as continuous integration reads it. */
void cli_check_junit(const struct cli_check *check, FILE *to);
/** @return false when memory was short, or nothing could be written */
bool cli_check_json(const struct cli_check *check, FILE *to);

#endif
