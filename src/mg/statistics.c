/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Statistics (RFC 3525, 7.1.15; H.248.TLSPROF 8.7): read from the bearers, summed over the
 * termination's streams (spec 5.6), since it came into its context.
 */
#include "mg/bearer.h"
#include "mg/part.h"
#include "mg/plan.h"

struct sums {
	struct relay_stats all, tls; /* of every stream; of those with TLS */
	uint64_t ms;
};

struct statistic {
	const char *package, *item;
	uint64_t (*value)(const struct sums *s);
};

static uint64_t duration(const struct sums *s)
{
	return s->ms;
}
static uint64_t octets_out(const struct sums *s)
{
	return s->all.octets_out;
}
static uint64_t octets_in(const struct sums *s)
{
	return s->all.octets_in;
}
static uint64_t wire_in(const struct sums *s)
{
	return s->all.wire_in;
}
static uint64_t wire_out(const struct sums *s)
{
	return s->all.wire_out;
}
static uint64_t retransmitted(const struct sums *s)
{
	return s->all.segments_retransmitted;
}
static uint64_t tls_in(const struct sums *s)
{
	return s->tls.octets_in;
}
static uint64_t tls_out(const struct sums *s)
{
	return s->tls.octets_out;
}
static uint64_t records_in(const struct sums *s)
{
	return s->tls.records_in;
}
static uint64_t records_out(const struct sums *s)
{
	return s->tls.records_out;
}

/* In the order they are told. */
static const struct statistic statistics[] = {
	{ "nt", "dur", duration },      { "nt", "os", octets_out },
	{ "nt", "or", octets_in },      { "tcptv", "oin", wire_in },
	{ "tcptv", "oout", wire_out },  { "tcprm", "retrans", retransmitted },
	{ "tlstv", "oin", tls_in },     { "tlstv", "oout", tls_out },
	{ "tlstv", "rin", records_in }, { "tlstv", "rout", records_out },
};

static void sum_add(struct relay_stats *to, const struct relay_stats *add)
{
	to->octets_in += add->octets_in;
	to->octets_out += add->octets_out;
	to->wire_in += add->wire_in;
	to->wire_out += add->wire_out;
	to->records_in += add->records_in;
	to->records_out += add->records_out;
	to->segments_retransmitted += add->segments_retransmitted;
}

static void sums_take(const struct mg *mg, const struct mg_term *term, struct sums *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ms = mg->ops.now_ms(mg->ops.arg) - term->born_ms;
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		struct relay_stats one;

		if (!s->leg)
			continue;
		mg_leg_stats(mg, s->leg, &one);
		sum_add(&ret->all, &one);
		if (s->leg->tls)
			sum_add(&ret->tls, &one);
	}
}

static bool name_covers(const struct h248_name *pattern, const struct statistic *s)
{
	return (base_str_eq(pattern->package, BASE_STR("*")) ||
	        base_str_ieq(pattern->package, base_str_of(s->package))) &&
	       (base_str_eq(pattern->item, BASE_STR("*")) ||
	        base_str_ieq(pattern->item, base_str_of(s->item)));
}

static bool kept(const struct mg_term *term, const struct statistic *s)
{
	if (!term->choice)
		return true;
	for (const struct h248_parm *p = term->choice->list; p; p = p->next)
		if (name_covers(&p->name, s))
			return true;
	return false;
}

static bool tell_one(struct mg_run *run, struct h248_statistics *into, const struct statistic *s,
                     const struct sums *sums, bool values)
{
	struct h248_name name = { base_str_of(s->package), base_str_of(s->item) };

	if (!values)
		return h248_parm_add(run->arena, &into->parms, name) != NULL;
	return h248_parm_set_u64(run->arena, &into->parms, name, s->value(sums)) != NULL;
}

int mg_statistics_tell(struct mg_run *run, const struct mg_term *term, const struct h248_parm *only,
                       bool values, struct h248_command *reply)
{
	struct h248_statistics *into = NULL;
	struct sums sums;

	sums_take(run->mg, term, &sums);
	if (term == &run->mg->root)
		return h248_item_add(run->arena, reply, H248_STATISTICS) ? 0 : mg_fail_memory(run);
	for (size_t i = 0; i < BASE_COUNT(statistics); i++) {
		const struct statistic *s = &statistics[i];

		if (!kept(term, s) || (only && !name_covers(&only->name, s)))
			continue;
		if (!into)
			into = h248_statistics_add(run->arena, reply);
		if (!into || !tell_one(run, into, s, &sums, values))
			return mg_fail_memory(run);
	}
	if (into)
		return 0;
	if (only)
		return mg_fail(run, H248_E_AUDIT_MISSING, "Statistics %.*s/%.*s: not kept",
		               BASE_FMT(only->name.package), BASE_FMT(only->name.item));
	return h248_item_add(run->arena, reply, H248_STATISTICS) ? 0 : mg_fail_memory(run);
}

/* The v3 choice of what is kept: each name must mean something (spec 5.6). */
int mg_choice_read(struct mg_run *run, struct mg_plan *plan, const struct h248_statistics *stats)
{
	bool all = false;

	for (const struct h248_parm *p = stats->parms; p; p = p->next) {
		size_t i = 0;

		while (i < BASE_COUNT(statistics) && !name_covers(&p->name, &statistics[i]))
			i++;
		if (i == BASE_COUNT(statistics))
			return mg_fail(run,
			               h248_package_find(p->name.package) ? H248_E_NO_STATISTIC
			                                                  : H248_E_PACKAGE,
			               "Statistics %.*s/%.*s: none such is kept",
			               BASE_FMT(p->name.package), BASE_FMT(p->name.item));
		all |= base_str_eq(p->name.package, BASE_STR("*"));
	}
	plan->clear_choice = true;
	if (all)
		return 0;
	plan->choice = mg_choice_new(stats);
	return plan->choice ? 0 : mg_fail_memory(run);
}
