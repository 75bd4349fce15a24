/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/metrics.h"

#include <inttypes.h>

#include "mg/world.h"

#define PREFIX "gatehouse_"

static void head(struct base_writer *w, const char *name, const char *type, const char *help)
{
	base_writer_printf(w, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
	                   type);
}

static void plain(struct base_writer *w, const char *name, const char *type, const char *help,
                  uint64_t value)
{
	head(w, name, type, help);
	base_writer_printf(w, PREFIX "%s %" PRIu64 "\n", name, value);
}

/* A label's value: backslash, quote and newline are written with a backslash. */
static void quoted(struct base_writer *w, const char *text)
{
	base_writer_u8(w, '"');
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			base_writer_u8(w, '\\');
		if (*text == '\n')
			base_writer_text(w, "\\n");
		else
			base_writer_u8(w, (uint8_t)*text);
	}
	base_writer_u8(w, '"');
}

/* {domain="a",profile="b" and no brace yet. */
static void whose(struct base_writer *w, const struct relay_meter *meter)
{
	base_writer_text(w, "{domain=");
	quoted(w, meter->domain);
	base_writer_text(w, ",profile=");
	quoted(w, meter->profile);
}

/* ---- families ---- */

/* The words of the labels at this index; false where it is none that is counted. */
static bool words_of(const struct relay_family *family, unsigned index,
                     const char *words[BASE_COUNT(family->label)])
{
	for (size_t l = BASE_COUNT(family->label); l-- > 0;) {
		const struct relay_label *label = &family->label[l];

		if (!label->name)
			continue;
		words[l] = label->value(index % label->count);
		index /= label->count;
		if (!*words[l])
			return false;
	}
	return true;
}

static void sample(struct base_writer *w, const struct relay_family *family, unsigned index,
                   const struct relay_meter *meter)
{
	const char *words[BASE_COUNT(family->label)] = { NULL };
	uint64_t value = meter->value[family->at + index];

	if ((!value && family->count > 2) || !words_of(family, index, words))
		return;
	base_writer_printf(w, PREFIX "tls_%s_total", family->name);
	whose(w, meter);
	for (size_t l = 0; l < BASE_COUNT(words); l++)
		if (words[l]) {
			base_writer_printf(w, ",%s=", family->label[l].name);
			quoted(w, words[l]);
		}
	base_writer_printf(w, "} %" PRIu64 "\n", value);
}

static void seconds(struct base_writer *w, uint64_t ms)
{
	base_writer_printf(w, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

/* Buckets add up, by the format; the last one is all. */
static void times(struct base_writer *w, const struct relay_family *family,
                  const struct relay_meter *meter)
{
	unsigned buckets = family->count - 1;
	uint64_t sum = 0;

	for (unsigned i = 0; i < buckets; i++) {
		sum += meter->value[family->at + i];
		base_writer_printf(w, PREFIX "tls_%s_bucket", family->name);
		whose(w, meter);
		base_writer_text(w, ",le=\"");
		if (relay_time_bound(i))
			seconds(w, relay_time_bound(i));
		else
			base_writer_text(w, "+Inf");
		base_writer_printf(w, "\"} %" PRIu64 "\n", sum);
	}
	base_writer_printf(w, PREFIX "tls_%s_sum", family->name);
	whose(w, meter);
	base_writer_text(w, "} ");
	seconds(w, meter->value[family->at + buckets]);
	base_writer_printf(w, "\n" PREFIX "tls_%s_count", family->name);
	whose(w, meter);
	base_writer_printf(w, "} %" PRIu64 "\n", sum);
}

static void family_text(struct base_writer *w, const struct relay_family *family,
                        const struct relay_meter *meters, size_t count)
{
	base_writer_printf(w, "# HELP " PREFIX "tls_%s%s %s\n# TYPE " PREFIX "tls_%s%s %s\n",
	                   family->name, family->times ? "" : "_total", family->help, family->name,
	                   family->times ? "" : "_total", family->times ? "histogram" : "counter");
	for (size_t m = 0; m < count; m++) {
		if (family->times) {
			times(w, family, &meters[m]);
			continue;
		}
		for (unsigned i = 0; i < family->count; i++)
			sample(w, family, i, &meters[m]);
	}
}

/* ---- the rest ---- */

static void core_text(struct base_writer *w, const struct mg *mg)
{
	struct mg_counts c;

	mg_counts(mg, &c);
	plain(w, "contexts", "gauge", "H.248 contexts now.", c.contexts);
	plain(w, "terminations", "gauge", "Terminations now, without ROOT.", c.terminations);
	plain(w, "commands_total", "counter", "H.248 commands executed.", c.commands);
	plain(w, "commands_failed_total", "counter", "H.248 commands refused.", c.failed);
	plain(w, "notifies_total", "counter", "Notify requests handed over.", c.notifies);
	plain(w, "notifies_lost_total", "counter",
	      "Notify requests lost for lack of memory or controller.", c.notifies_lost);
	plain(w, "overload_refused_total", "counter", "New contexts refused in overload.",
	      c.overload_refused);
}

static void relay_text(struct base_writer *w, const struct relay_pool *pool)
{
	struct relay_trust_counts trust;
	unsigned open, limit;

	relay_pool_usage(pool, &open, &limit);
	plain(w, "endpoints", "gauge", "Stream endpoints now.", open);
	plain(w, "endpoints_limit", "gauge", "The most there may be.", limit);
	relay_pool_trust_counts(pool, &trust);
	plain(w, "crl_waits_total", "counter", "CRLs that handshakes have waited for.",
	      trust.waits);
	plain(w, "crl_waits_lost_total", "counter", "Of those, in vain.", trust.waits_lost);
}

/* For an alert on `- time()`. */
static void staples_text(struct base_writer *w, const struct mg *mg)
{
	int64_t until_s;

	head(w, "tls_staple_until_seconds", "gauge",
	     "UNIX time from which a certificate's OCSP staple is not sent any more.");
	for (size_t d = 0; d < mg->domain_count; d++)
		for (size_t i = 0; tls_domain_staple_until(mg->domains[d].tls, i, &until_s); i++) {
			if (!until_s)
				continue;
			base_writer_text(w, PREFIX "tls_staple_until_seconds{domain=");
			quoted(w, mg->domains[d].name);
			base_writer_printf(w, ",certificate=\"%zu\"} %" PRId64 "\n", i, until_s);
		}
}

/* A domain that a reload has taken away is told as long as sessions of it are there. */
static bool told(const struct mg *mg, const struct relay_meter *meter)
{
	for (size_t d = 0; d < mg->domain_count; d++)
		if (!strcmp(mg->domains[d].name, meter->domain) &&
		    !strcmp(tls_domain_profile(mg->domains[d].tls)->name, meter->profile))
			return true;
	return meter->used;
}

static size_t told_only(const struct mg *mg, struct relay_meter *meters, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		if (told(mg, &meters[i]))
			meters[left++] = meters[i];
	return left;
}

bool mg_metrics_text(const struct mg *mg, const struct relay_pool *pool, struct base_writer *w)
{
	struct base_arena arena = { .chunk_size = 16384 };
	struct relay_meter *meters;
	size_t count, families;
	const struct relay_family *family = relay_families(&families);
	int rc = relay_meters_read(pool, &arena, &meters, &count);

	core_text(w, mg);
	relay_text(w, pool);
	staples_text(w, mg);
	count = rc ? 0 : told_only(mg, meters, count);
	for (size_t f = 0; !rc && f < families; f++)
		family_text(w, &family[f], meters, count);
	base_arena_done(&arena);
	return !rc && !w->failed;
}
