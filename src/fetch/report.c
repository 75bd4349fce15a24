/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/report.h"

#include <stdlib.h>

#include <jansson.h>

static const char *const kinds[FETCH_KINDS] = { "complete", "delta", "repository" };

/* A label's value: backslash, quote and line end are escaped, what is no UTF-8 is nobody's. */
static void label(struct base_writer *w, const char *name, const char *value)
{
	base_writer_printf(w, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			base_writer_printf(w, "\\%c", *value);
		else if (*value == '\n')
			base_writer_text(w, "\\n");
		else
			base_writer_u8(w, (uint8_t)*value);
	}
	base_writer_text(w, "\"");
}

static const char *from(const struct fetch_source *s)
{
	return s->config->url ? s->config->url : s->config->file;
}

static void head(struct base_writer *w, const char *name, const char *type, const char *help)
{
	base_writer_printf(w, "# HELP gatehouse_fetch_%s %s\n# TYPE gatehouse_fetch_%s %s\n", name,
	                   help, name, type);
}

enum { OF_NEXT, OF_THIS, OF_SUCCESS, OF_ENTRIES, OF_OCTETS, OF_ALARM };

static long long crl_value(const struct fetch_crl *crl, int what)
{
	switch (what) {
	case OF_NEXT:
		return crl->stored.next_update_s;
	case OF_THIS:
		return crl->stored.this_update_s;
	case OF_SUCCESS:
		return crl->success_ms / 1000;
	case OF_ENTRIES:
		return (long long)crl->stored.entries;
	case OF_OCTETS:
		return (long long)crl->stored.octets;
	default:
		return crl->alarm.level;
	}
}

static void crl_metric(struct fetch_engine *e, struct base_writer *w, const char *name, int what)
{
	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));)
		for (size_t i = 0; i < s->crl_count; i++) {
			base_writer_printf(w, "gatehouse_fetch_%s{", name);
			label(w, "source", s->config->name);
			base_writer_text(w, ",");
			label(w, "from", from(s));
			base_writer_text(w, ",");
			label(w, "issuer", s->crls[i].stored.issuer);
			base_writer_text(w, ",");
			label(w, "file", s->crls[i].stored.name);
			base_writer_printf(w, ",delta=\"%d\"} %lld\n", s->crls[i].stored.delta,
			                   crl_value(&s->crls[i], what));
		}
}

enum { OF_SOURCE_SUCCESS, OF_FAILURES, OF_FETCHES, OF_FETCHES_FAILED, OF_SOURCE_ALARM };

static long long source_value(const struct fetch_source *s, int what)
{
	switch (what) {
	case OF_SOURCE_SUCCESS:
		return s->success_ms / 1000;
	case OF_FAILURES:
		return s->plan.failures;
	case OF_FETCHES:
		return (long long)s->successes;
	case OF_FETCHES_FAILED:
		return (long long)s->failures;
	default:
		return fetch_source_alarm(s);
	}
}

static void source_metric(struct fetch_engine *e, struct base_writer *w, const char *name, int what)
{
	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));) {
		base_writer_printf(w, "gatehouse_fetch_%s{", name);
		label(w, "source", s->config->name);
		base_writer_text(w, ",");
		label(w, "from", from(s));
		base_writer_printf(w, ",kind=\"%s\"} %lld\n", kinds[s->config->kind],
		                   source_value(s, what));
	}
}

void fetch_report_metrics(struct fetch_engine *e, struct base_writer *w)
{
	static const struct {
		const char *name, *type, *help;
		int what;
		bool of_source;
	} rows[] = {
		{ "crl_next_update_seconds", "gauge",
		  "nextUpdate, since 1970; 0 seconds after it peers are refused", OF_NEXT, false },
		{ "crl_this_update_seconds", "gauge", "thisUpdate, since 1970", OF_THIS, false },
		{ "crl_last_success_seconds", "gauge",
		  "when it was last fetched and good, since 1970; 0 = not since the start",
		  OF_SUCCESS, false },
		{ "crl_entries", "gauge", "revoked certificates in it", OF_ENTRIES, false },
		{ "crl_octets", "gauge", "size as it was fetched; 0 = not since the start",
		  OF_OCTETS, false },
		{ "crl_alarm", "gauge", "0 fresh, 1 expires soon, 2 very soon, 3 expired", OF_ALARM,
		  false },
		{ "source_last_success_seconds", "gauge", "last good fetch, since 1970",
		  OF_SOURCE_SUCCESS, true },
		{ "source_failures", "gauge", "failed fetches in a row", OF_FAILURES, true },
		{ "source_fetches_total", "counter", "good fetches since the start", OF_FETCHES,
		  true },
		{ "source_fetches_failed_total", "counter", "failed fetches since the start",
		  OF_FETCHES_FAILED, true },
		{ "source_alarm", "gauge", "the worst of its CRLs; 4 = it never brought one",
		  OF_SOURCE_ALARM, true },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		head(w, rows[i].name, rows[i].type, rows[i].help);
		if (rows[i].of_source)
			source_metric(e, w, rows[i].name, rows[i].what);
		else
			crl_metric(e, w, rows[i].name, rows[i].what);
	}
}

/* ---- lines ---- */

static json_t *crl_json(const struct fetch_crl *crl)
{
	return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:s}", "file", crl->stored.name,
	                 "issuer", crl->stored.issuer, "delta", crl->stored.delta, "entries",
	                 (json_int_t)crl->stored.entries, "octets", (json_int_t)crl->stored.octets,
	                 "this_update", (json_int_t)crl->stored.this_update_s, "next_update",
	                 (json_int_t)crl->stored.next_update_s, "alarm",
	                 fetch_alarm_name(crl->alarm.level));
}

static void source_json(const struct fetch_source *s, struct base_writer *w)
{
	json_t *crls = json_array(), *all;
	char *text;

	for (size_t i = 0; crls && i < s->crl_count; i++)
		(void)json_array_append_new(crls, crl_json(&s->crls[i])); /* no UTF-8: left out */
	all = json_pack("{s:s, s:s, s:s, s:b, s:s, s:i, s:I, s:s, s:o}", "source", s->config->name,
	                "from", from(s), "kind", kinds[s->config->kind], "ok", s->rc == 0, "error",
	                s->error, "failures", (int)s->plan.failures, "last_success",
	                (json_int_t)(s->success_ms / 1000), "alarm",
	                fetch_alarm_name(fetch_source_alarm(s)), "crls", crls);
	text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	base_writer_printf(w, "%s\n", text ? text : "{}");
	free(text);
	json_decref(all);
}

void fetch_report_source(const struct fetch_source *s, bool json, struct base_writer *w)
{
	if (json) {
		source_json(s, w);
		return;
	}
	base_writer_printf(w, "%s %s %s alarm=%s", s->rc ? "failed" : "ok", s->config->name,
	                   from(s), fetch_alarm_name(fetch_source_alarm(s)));
	for (size_t i = 0; i < s->crl_count; i++)
		base_writer_printf(w, " %s=%s,entries=%zu,next-update=%lld",
		                   s->crls[i].stored.delta ? "delta" : "crl",
		                   s->crls[i].stored.name, s->crls[i].stored.entries,
		                   (long long)s->crls[i].stored.next_update_s);
	base_writer_printf(w, "%s%s\n", s->error[0] ? ": " : "", s->error);
}
