/* SPDX-License-Identifier: Apache-2.0 */
/** @file What `gatehouse check` prints: one report a profile, in the form that was asked for. */
#ifndef GH_CLI_CHECK_REPORT_H
#define GH_CLI_CHECK_REPORT_H

#include <stdio.h>

#include "check/check.h"

/** What all reports of one run share. */
struct cli_check {
	const struct check_target *target;
	const char *versions; /**< "TLS1.2, TLS1.3" */
	const char *role;
	struct check_report *report;
	size_t count;
	unsigned fails, warns, untested;
	int status; /**< the exit status it comes to */
};

/** For people. `all` = also what passes. */
void cli_check_text(const struct cli_check *check, bool all, FILE *to);
/** @return false when memory was short, or nothing could be written */
bool cli_check_json(const struct cli_check *check, FILE *to);

#endif
