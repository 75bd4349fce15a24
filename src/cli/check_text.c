/* SPDX-License-Identifier: Apache-2.0 */
/** @file The report of `gatehouse check` for people and, as JSON, for machines. */
#include <jansson.h>

#include "cli/check_report.h"

static void rule_print(const struct check_verdict *v, FILE *to)
{
	const struct profile_rule *r = v->rule;

	if (!r) {
		fprintf(to, "%-12s  %s\n", check_state_name(v->state), v->topic);
		return;
	}
	fprintf(to, "%-12s  %s  %s %s %s%s%s  (%s %s, %s; %c)\n", check_state_name(v->state), r->id,
	        profile_strength_name(r->strength), profile_subject_name(r->subject), r->item,
	        r->value ? " " : "", r->value ? r->value : "", r->document, r->clause, r->release,
	        r->mark);
}

static void verdict_print(const struct check_verdict *v, FILE *to)
{
	bool evidence = v->state == CHECK_FAIL || v->state == CHECK_WARN;

	rule_print(v, to);
	fprintf(to, "              %s\n", v->text);
	if (evidence && v->rule)
		fprintf(to, "              rule: %s\n", v->rule->text);
	if (evidence && *v->seen)
		fprintf(to, "              seen: %s\n", v->seen);
}

static void report_print(const struct check_report *r, bool all, FILE *to)
{
	static const enum check_state order[] = { CHECK_FAIL,         CHECK_WARN,
		                                  CHECK_UNTESTED,     CHECK_NOTED,
		                                  CHECK_NOT_TESTABLE, CHECK_PASS,
		                                  CHECK_OVERRULED };

	fprintf(to, "\n%s: %s (%s %s, %s)\n\n", r->profile->name, r->profile->title,
	        r->profile->document, r->profile->clause, r->profile->release);
	for (size_t k = 0; k < BASE_COUNT(order); k++)
		for (size_t i = 0; i < r->count; i++)
			if (r->verdict[i].state == order[k] &&
			    (all || order[k] <= CHECK_WARN || order[k] == CHECK_UNTESTED))
				if (all || order[k] != CHECK_PASS)
					verdict_print(&r->verdict[i], to);
	fprintf(to,
	        "%s: %u pass, %u fail, %u warn, %u noted, %u not testable, %u not tested, "
	        "%u overruled\n",
	        r->profile->name, r->tally[CHECK_PASS], r->tally[CHECK_FAIL], r->tally[CHECK_WARN],
	        r->tally[CHECK_NOTED], r->tally[CHECK_NOT_TESTABLE], r->tally[CHECK_UNTESTED],
	        r->tally[CHECK_OVERRULED]);
}

const char *cli_check_result(int status)
{
	static const char *const result[] = { "conforms", "does not conform",
		                              "could not all be tested" };

	return result[status];
}

void cli_check_text(const struct cli_check *c, bool all, FILE *to)
{
	fprintf(to, "%s %s: %s; %u connections\n", c->role, c->target->name, c->versions,
	        atomic_load(&c->target->opened));
	for (size_t i = 0; i < c->count; i++)
		report_print(&c->report[i], all, to);
	fprintf(to, "\n%s %s\n", c->target->name, cli_check_result(c->status));
}

/* -- JSON -------------------------------------------------------------------------------------- */

static json_t *rule_json(const struct profile_rule *r)
{
	const char mark[2] = { r ? (char)r->mark : '\0', '\0' };

	if (!r)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", r->id,
	                 "subject", profile_subject_name(r->subject), "item", r->item, "value",
	                 r->value ? json_string(r->value) : json_null(), "strength",
	                 profile_strength_name(r->strength), "mark", mark, "document", r->document,
	                 "clause", r->clause, "release", r->release, "text", r->text, "profile",
	                 r->profile);
}

static json_t *report_json(const struct check_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->count && list; i++) {
		const struct check_verdict *v = &r->verdict[i];

		if (json_array_append_new(list,
		                          json_pack("{s:s, s:s, s:o, s:s, s:s, s:s}", "state",
		                                    check_state_name(v->state), "topic", v->topic,
		                                    "rule", rule_json(v->rule), "found", v->text,
		                                    "sent", v->sent, "seen", v->seen))) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_pack(
	        "{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "profile",
	        r->profile->name, "title", r->profile->title, "document", r->profile->document,
	        "clause", r->profile->clause, "release", r->profile->release, "pass",
	        (int)r->tally[CHECK_PASS], "fail", (int)r->tally[CHECK_FAIL], "warn",
	        (int)r->tally[CHECK_WARN], "noted", (int)r->tally[CHECK_NOTED], "not_testable",
	        (int)r->tally[CHECK_NOT_TESTABLE], "not_tested", (int)r->tally[CHECK_UNTESTED],
	        "overruled", (int)r->tally[CHECK_OVERRULED], "verdicts", list);
}

/** Every suite that it takes, whatever the profiles say of it. */
static json_t *suites_json(const struct check_survey *s)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);
	json_t *list = json_array();

	for (size_t i = 0; s && list && i < count; i++) {
		const struct check_probe *p = check_survey_takes(s, suite[i].code);

		if (p && json_array_append_new(
		                 list, json_pack("{s:i, s:s, s:s}", "code", (int)suite[i].code,
		                                 "name", suite[i].name, "version",
		                                 profile_version_name(p->offer.version)))) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

bool cli_check_json(const struct cli_check *c, FILE *to)
{
	json_t *reports = json_array(), *all;
	int rc;

	for (size_t i = 0; i < c->count && reports; i++)
		if (json_array_append_new(reports, report_json(&c->report[i]))) {
			json_decref(reports);
			reports = NULL;
		}
	all = json_pack("{s:s, s:i, s:s, s:s, s:i, s:b, s:i, s:o, s:o}", "host", c->target->host,
	                "port", (int)c->target->port, "role", c->role, "versions", c->versions,
	                "connections", (int)atomic_load(&c->target->opened), "conforms",
	                c->status == 0, "status", c->status, "suites", suites_json(c->survey),
	                "reports", reports);
	rc = all ? json_dumpf(all, to, JSON_INDENT(2)) : -1;
	json_decref(all);
	return !rc && fputc('\n', to) != EOF;
}
