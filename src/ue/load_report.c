/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "ue/load_private.h"

static double seconds(const struct load_tally *t)
{
	return t->last_us > t->first_us ? (double)(t->last_us - t->first_us) / 1e6 : 0;
}

static double per_s(const struct load_tally *t)
{
	return seconds(t) > 0 ? (double)t->done / seconds(t) : 0;
}

static double ms(const struct load_tally *t, unsigned per_mille)
{
	return (double)load_histogram_at(&t->times, per_mille) / 1000;
}

/* ---- each second ---- */

void load_report_progress(struct load *load)
{
	bool live = isatty(STDERR_FILENO);

	fprintf(stderr, "%s%4llu s  %u of %u registered", live ? "\r" : "",
	        (unsigned long long)((load_now_us() - load->began_us) / 1000000), load->up,
	        load->options.count);
	for (unsigned i = 0; i < LOAD_WORK_COUNT; i++) {
		const struct load_tally *t = &load->tally[i];

		if (t->done + t->failed + t->active)
			fprintf(stderr, "  %s %llu (%.0f/s, p99 %.1f ms)%s",
			        load_work_name((enum load_work)i), (unsigned long long)t->done,
			        per_s(t), ms(t, 990), t->failed ? " !" : "");
	}
	fputs(live ? "\033[K" : "\n", stderr);
	(void)fflush(stderr);
}

/* ---- in the end ---- */

static json_t *faults(const struct load *load)
{
	json_t *object = json_object();
	char name[8];

	for (unsigned i = 0; i < LOAD_FAULT_COUNT; i++)
		if (load->fault[i])
			(void)json_object_set_new(object, load_fault_name((enum load_fault)i),
			                          json_integer((json_int_t)load->fault[i]));
	for (unsigned i = 0; i < BASE_COUNT(load->status); i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		if (load->status[i])
			(void)json_object_set_new(object, name,
			                          json_integer((json_int_t)load->status[i]));
	}
	return object;
}

static json_t *work(const struct load_tally *t)
{
	return json_pack("{s:I,s:I,s:I,s:f,s:f,s:I,s:I,s:I,s:I}", "done", (json_int_t)t->done,
	                 "failed", (json_int_t)t->failed, "skipped", (json_int_t)t->skipped,
	                 "seconds", seconds(t), "per_s", per_s(t), "p50_us",
	                 (json_int_t)load_histogram_at(&t->times, 500), "p90_us",
	                 (json_int_t)load_histogram_at(&t->times, 900), "p99_us",
	                 (json_int_t)load_histogram_at(&t->times, 990), "max_us",
	                 (json_int_t)t->times.max_us);
}

static void as_json(const struct load *load, const char *event)
{
	json_t *works = json_object();
	json_t *all = json_pack("{s:s,s:i,s:i,s:I,s:I,s:I,s:s}", "event", event, "count",
	                        (int)load->options.count, "registered", (int)load->up, "lost",
	                        (json_int_t)load->lost, "handshakes_full", (json_int_t)load->full,
	                        "handshakes_resumed", (json_int_t)load->resumed, "tls", load->tls);

	for (unsigned i = 0; i < LOAD_WORK_COUNT; i++)
		if (load->tally[i].first_us)
			(void)json_object_set_new(works, load_work_name((enum load_work)i),
			                          work(&load->tally[i]));
	(void)json_object_set_new(all, "works", works);
	(void)json_object_set_new(all, "faults", faults(load));
	(void)json_dumpf(all, stdout, JSON_COMPACT);
	json_decref(all);
	puts("");
}

static void as_text(const struct load *load, const char *event)
{
	char *text;
	json_t *said = faults(load);

	printf("%s: %u of %u registered; handshakes: %llu full, %llu resumed; %s\n", event,
	       load->up, load->options.count, (unsigned long long)load->full,
	       (unsigned long long)load->resumed, load->tls[0] ? load->tls : "no TLS");
	for (unsigned i = 0; i < LOAD_WORK_COUNT; i++) {
		const struct load_tally *t = &load->tally[i];

		if (t->first_us)
			printf("  %-9s %9llu done %6llu failed %6llu skipped %10.1f/s   ms: p50 "
			       "%.2f  p90 %.2f  p99 %.2f  max %.2f\n",
			       load_work_name((enum load_work)i), (unsigned long long)t->done,
			       (unsigned long long)t->failed, (unsigned long long)t->skipped,
			       per_s(t), ms(t, 500), ms(t, 900), ms(t, 990),
			       (double)t->times.max_us / 1000);
	}
	text = json_object_size(said) ? json_dumps(said, 0) : NULL;
	if (text)
		printf("  failures: %s\n", text);
	free(text);
	json_decref(said);
}

void load_report(struct load *load, const char *event)
{
	if (!load->options.quiet && isatty(STDERR_FILENO))
		fputs("\n", stderr);
	if (load->options.json)
		as_json(load, event);
	else
		as_text(load, event);
	(void)fflush(stdout);
}
