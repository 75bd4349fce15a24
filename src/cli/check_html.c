/* SPDX-License-Identifier: Apache-2.0 */
/** @file The report of `gatehouse check` as a page, and as JUnit's XML. Peers' octets are hex here.
 */
#include "cli/check_report.h"

/** Text with what is markup made harmless; control characters become blanks. */
static void escape(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", to);
		else if (*text == '<')
			fputs("&lt;", to);
		else if (*text == '>')
			fputs("&gt;", to);
		else if (*text == '"')
			fputs("&quot;", to);
		else
			fputc((unsigned char)*text < 0x20 ? ' ' : *text, to);
	}
}

static void element(const char *name, const char *text, FILE *to)
{
	fprintf(to, "<%s>", name);
	escape(text, to);
	fprintf(to, "</%s>", name);
}

/* -- HTML -------------------------------------------------------------------------------------- */

static const char style[] =
        "body{font:15px/1.45 sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222}"
        "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
        "padding:.35em .6em;border-bottom:1px solid #ddd}code{font-size:12px;color:#555;"
        "word-break:break-all}b.fail{color:#b00020}b.warn{color:#a05a00}b.pass{color:#1b6e2c}"
        "small{color:#666}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}"
        "td,th{border-color:#444}code,small{color:#aaa}b.fail{color:#ff6b7f}b.warn{color:#f0b060}"
        "b.pass{color:#7fd08f}}";

static const char *class_of(enum check_state state)
{
	return state == CHECK_FAIL   ? "fail"
	       : state == CHECK_WARN ? "warn"
	       : state == CHECK_PASS ? "pass"
	                             : "other";
}

static void rule_cell(const struct check_verdict *v, FILE *to)
{
	const struct profile_rule *r = v->rule;

	fputs("<td>", to);
	escape(v->topic, to);
	if (r) {
		fprintf(to, " <small>%s %s</small> ", profile_strength_name(r->strength),
		        profile_subject_name(r->subject));
		escape(r->item, to);
		if (r->value) {
			fputc(' ', to);
			escape(r->value, to);
		}
		fputs("<br><small>", to);
		escape(r->text, to);
		fputs("</small></td><td>", to);
		escape(r->document, to);
		fputc(' ', to);
		escape(r->clause, to);
		fputs("<br><small>", to);
		escape(r->release, to);
		fprintf(to, ", mark %c</small></td>", r->mark);
	} else {
		fputs("</td><td></td>", to);
	}
}

static void row(const struct check_verdict *v, FILE *to)
{
	fprintf(to, "<tr><td><b class=\"%s\">%s</b></td>", class_of(v->state),
	        check_state_name(v->state));
	rule_cell(v, to);
	fputs("<td>", to);
	escape(v->text, to);
	if (*v->seen && (v->state == CHECK_FAIL || v->state == CHECK_WARN)) {
		fputs("<br>", to);
		element("code", v->seen, to);
	}
	fputs("</td></tr>\n", to);
}

static void table(const struct check_report *r, FILE *to)
{
	static const enum check_state order[] = { CHECK_FAIL,     CHECK_WARN,  CHECK_UNTESTED,
		                                  CHECK_PASS,     CHECK_NOTED, CHECK_NOT_TESTABLE,
		                                  CHECK_OVERRULED };

	fputs("<h2>", to);
	escape(r->profile->title, to);
	fprintf(to,
	        "</h2>\n<p>%s: %u pass, %u fail, %u warn, %u noted, %u not testable, %u not "
	        "tested, %u overruled</p>\n<table><thead><tr><th>Verdict</th><th>Rule</th>"
	        "<th>Source</th><th>Found</th></tr></thead><tbody>\n",
	        r->profile->name, r->tally[CHECK_PASS], r->tally[CHECK_FAIL], r->tally[CHECK_WARN],
	        r->tally[CHECK_NOTED], r->tally[CHECK_NOT_TESTABLE], r->tally[CHECK_UNTESTED],
	        r->tally[CHECK_OVERRULED]);
	for (size_t k = 0; k < BASE_COUNT(order); k++)
		for (size_t i = 0; i < r->count; i++)
			if (r->verdict[i].state == order[k])
				row(&r->verdict[i], to);
	fputs("</tbody></table>\n", to);
}

void cli_check_html(const struct cli_check *c, FILE *to)
{
	fprintf(to, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
	            "name=\"viewport\" content=\"width=device-width\">\n<title>");
	escape(c->target->name, to);
	fprintf(to, "</title>\n<style>%s</style></head><body>\n<h1>The %s ", style, c->role);
	escape(c->target->name, to);
	fprintf(to, " %s</h1>\n<p>%s; %u connections</p>\n", cli_check_result(c->status),
	        c->versions, atomic_load(&c->target->opened));
	for (size_t i = 0; i < c->count; i++)
		table(&c->report[i], to);
	fputs("<p><small>Marks: V source seen, D derived from what was seen, R recalled, P the "
	      "project's position.</small></p>\n</body></html>\n",
	      to);
}

/* -- JUnit ------------------------------------------------------------------------------------- */

static void attribute(const char *name, const char *text, FILE *to)
{
	fprintf(to, " %s=\"", name);
	escape(text, to);
	fputc('"', to);
}

/** A warning is no failure, so it is told beside a test that passed. */
static void test_case(const struct check_report *r, const struct check_verdict *v, FILE *to)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%s%s%s", v->topic, v->rule ? " " : "",
	               v->rule ? v->rule->item : "");
	fputs("  <testcase", to);
	attribute("classname", r->profile->name, to);
	attribute("name", name, to);
	fputs(">", to);
	if (v->state == CHECK_FAIL)
		fputs("<failure", to);
	else if (v->state == CHECK_UNTESTED)
		fputs("<error", to);
	else if (v->state == CHECK_NOT_TESTABLE || v->state == CHECK_OVERRULED)
		fputs("<skipped", to);
	else
		fputs("<system-out>", to);
	if (v->state == CHECK_PASS || v->state == CHECK_WARN || v->state == CHECK_NOTED) {
		fprintf(to, "%s: ", check_state_name(v->state));
		escape(v->text, to);
		fputs("</system-out>", to);
	} else {
		attribute("message", v->text, to);
		fputs("/>", to);
	}
	fputs("</testcase>\n", to);
}

void cli_check_junit(const struct cli_check *c, FILE *to)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", to);
	for (size_t i = 0; i < c->count; i++) {
		const struct check_report *r = &c->report[i];

		fputs(" <testsuite", to);
		attribute("name", r->profile->name, to);
		attribute("hostname", c->target->host, to);
		fprintf(to, " tests=\"%zu\" failures=\"%u\" errors=\"%u\" skipped=\"%u\">\n",
		        r->count, r->tally[CHECK_FAIL], r->tally[CHECK_UNTESTED],
		        r->tally[CHECK_NOT_TESTABLE] + r->tally[CHECK_OVERRULED]);
		for (size_t k = 0; k < r->count; k++)
			test_case(r, &r->verdict[k], to);
		fputs(" </testsuite>\n", to);
	}
	fputs("</testsuites>\n", to);
}
