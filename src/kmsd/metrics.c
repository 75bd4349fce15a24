/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/metrics.h"

static void head(struct base_writer *out, const char *name, const char *type, const char *help)
{
	base_writer_printf(out, "# HELP gatehouse_kms_%s %s\n# TYPE gatehouse_kms_%s %s\n", name,
	                   help, name, type);
}

static void number(struct base_writer *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
	head(out, name, type, help);
	base_writer_printf(out, "gatehouse_kms_%s %llu\n", name, (unsigned long long)value);
}

static void labelled(struct base_writer *out, const char *name, const char *label,
                     const char *value, uint64_t count)
{
	base_writer_printf(out, "gatehouse_kms_%s{%s=\"%s\"} %llu\n", name, label, value,
	                   (unsigned long long)count);
}

void kmsd_metrics_write(const struct kmsd_counts *c, const struct http_counts *http,
                        struct base_writer *out)
{
	head(out, "answers_total", "counter", "Questions that were answered, by what came of them");
	for (int i = 0; i < KMSD_RESULTS; i++)
		labelled(out, "answers_total", "result", kmsd_result_name((enum kms_result)i),
		         c->results[i]);
	head(out, "errors_total", "counter",
	     "Error messages sent (RFC 3830, 6.12; RFC 6043, 6.13)");
	for (unsigned i = 0; i < KMSD_ERRORS; i++) {
		const char *name = mikey_name(MIKEY_SPACE_ERROR, i);

		if (name && c->errors[i])
			labelled(out, "errors_total", "error", name, c->errors[i]);
	}
	head(out, "turned_away_total", "counter",
	     "Requests that are no question, by what is wrong");
	for (int i = 0; i < KMSD_TURNED; i++)
		labelled(out, "turned_away_total", "why",
		         kmsd_turned_away_name((enum kmsd_turned_away)i), c->turned_away[i]);
	labelled(out, "turned_away_total", "why", "no_mikey", c->nothing);
	labelled(out, "turned_away_total", "why", "too_large", http->too_large);
	labelled(out, "turned_away_total", "why", "too_slow", http->too_slow);
	labelled(out, "turned_away_total", "why", "too_many", http->too_many);
	head(out, "answer_seconds_total", "counter", "Time spent on answers");
	base_writer_printf(out, "gatehouse_kms_answer_seconds_total %llu.%06llu\n",
	                   (unsigned long long)(c->busy_ns / 1000000000U),
	                   (unsigned long long)(c->busy_ns / 1000U % 1000000U));
	number(out, "connections_total", "counter", "Connections that were made",
	       http->connections);
	number(out, "connections", "gauge", "Connections there are", http->open);
}
