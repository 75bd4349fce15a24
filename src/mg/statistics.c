/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Statistics (RFC 3525, 7.1.15; H.248.TLSPROF 8.7; sheet 5.6): read from the bearers, of a stream
 * or summed over a termination, since it came into its context, and which of them are kept.
 *
 * The values are the bearers' counters, which nobody resets. One that was dropped and is taken up
 * again is told from where it stood then: `base`.
 */
#include <stdlib.h>

#include "mg/app.h"
#include "mg/bearer.h"
#include "mg/equip.h"
#include "mg/part.h"
#include "mg/pkg.h"

/* ---- the ones of core and relay ---- */

static void sum_add(struct relay_stats *to, const struct relay_stats *add)
{
	to->octets_in += add->octets_in;
	to->octets_out += add->octets_out;
	to->wire_in += add->wire_in;
	to->wire_out += add->wire_out;
	to->records_in += add->records_in;
	to->records_out += add->records_out;
	to->segments_retransmitted += add->segments_retransmitted;
	to->refused += add->refused;
	to->handshakes += add->handshakes;
	to->handshake_failures += add->handshake_failures;
	to->resumptions += add->resumptions;
	to->auth_failures += add->auth_failures;
	to->handshake_ms += add->handshake_ms;
	to->renegotiations += add->renegotiations;
	to->renegotiation_failures += add->renegotiation_failures;
	to->alerts_in += add->alerts_in;
	to->alerts_out += add->alerts_out;
	to->packets_in += add->packets_in;
	to->packets_out += add->packets_out;
	to->messages_in += add->messages_in;
	to->messages_out += add->messages_out;
}

static void stream_sum(const struct mg *mg, const struct mg_stream *s, bool tls_only,
                       struct relay_stats *to)
{
	struct relay_stats one;

	if (!s->leg || (tls_only && !s->leg->tls))
		return;
	mg_leg_stats(mg, s->leg, &one);
	sum_add(to, &one);
}

static struct relay_stats sum_of(const struct mg *mg, const struct mg_term *term,
                                 const struct mg_stream *s, bool tls_only)
{
	struct relay_stats sum = { 0 };

	if (s)
		stream_sum(mg, s, tls_only, &sum);
	for (s = s || !term->media ? NULL : term->media->streams; s; s = s->next)
		stream_sum(mg, s, tls_only, &sum);
	return sum;
}

static uint64_t duration(const struct mg *mg, const struct mg_term *term, const struct mg_stream *s)
{
	(void)s;
	return mg->ops.now_ms(mg->ops.arg) - term->born_ms;
}

#define COUNTER(function, field, tls_only)                                                         \
	static uint64_t function(const struct mg *mg, const struct mg_term *term,                  \
	                         const struct mg_stream *s)                                        \
	{                                                                                          \
		return sum_of(mg, term, s, tls_only).field;                                        \
	}
COUNTER(octets_out, octets_out, false)
COUNTER(octets_in, octets_in, false)
COUNTER(wire_in, wire_in, false)
COUNTER(wire_out, wire_out, false)
COUNTER(retransmitted, segments_retransmitted, false)
COUNTER(refused, refused, false)
COUNTER(packets_out, packets_out, false)
COUNTER(packets_in, packets_in, false)
COUNTER(tls_in, octets_in, true)
COUNTER(tls_out, octets_out, true)
COUNTER(records_in, records_in, true)
COUNTER(records_out, records_out, true)
COUNTER(handshakes, handshakes, true)
COUNTER(handshake_failures, handshake_failures, true)
COUNTER(resumptions, resumptions, true)
COUNTER(auth_failures, auth_failures, true)
COUNTER(handshake_ms, handshake_ms, true)
COUNTER(renegotiations, renegotiations, true)
COUNTER(renegotiation_failures, renegotiation_failures, true)
COUNTER(alerts_in, alerts_in, true)
COUNTER(alerts_out, alerts_out, true)

/* Sums over those streams of the termination whose application it is. */
static uint64_t messages(const struct mg *mg, const struct mg_term *term, const struct mg_stream *s,
                         bool floor, bool out)
{
	struct relay_stats one;
	uint64_t sum = 0;

	for (const struct mg_stream *i = s             ? s
	                                 : term->media ? term->media->streams
	                                               : NULL;
	     i; i = s ? NULL : i->next)
		if (i->leg && i->leg->app != MG_APP_NONE &&
		    (i->leg->app == MG_APP_FLOOR) == floor) {
			mg_leg_stats(mg, i->leg, &one);
			sum += out ? one.messages_out : one.messages_in;
		}
	return sum;
}
#define MESSAGES(function, floor, out)                                                             \
	static uint64_t function(const struct mg *mg, const struct mg_term *term,                  \
	                         const struct mg_stream *s)                                        \
	{                                                                                          \
		return messages(mg, term, s, floor, out);                                          \
	}
MESSAGES(msrp_in, false, false)
MESSAGES(msrp_out, false, true)
MESSAGES(bfcp_in, true, false)
MESSAGES(bfcp_out, true, true)

static bool has_app(const struct mg_term *term, bool floor)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (s->leg && s->leg->app != MG_APP_NONE && (s->leg->app == MG_APP_FLOOR) == floor)
			return true;
	return false;
}

static bool has_msrp(const struct mg_term *term)
{
	return has_app(term, false);
}

static bool has_bfcp(const struct mg_term *term)
{
	return has_app(term, true);
}

static bool has_tls(const struct mg_term *term)
{
	const struct mg_stream *s = term->media ? term->media->streams : NULL;

	while (s && !(s->leg && s->leg->tls))
		s = s->next;
	return s != NULL;
}

const struct mg_equipment_statistic mg_statistics_nt[] = {
	{ .name = "dur", .value = duration, .whole_only = true },
	{ .name = "os", .value = octets_out },
	{ .name = "or", .value = octets_in },
	{ 0 },
};
/* What has to be taken from RTCP reports (pl, jit, delay) is not: nobody here reads them. */
const struct mg_equipment_statistic mg_statistics_rtp[] = {
	{ .name = "ps", .value = packets_out, .useful = mg_term_has_rtp },
	{ .name = "pr", .value = packets_in, .useful = mg_term_has_rtp },
	{ 0 },
};
const struct mg_equipment_statistic mg_statistics_tcptv[] = {
	{ .name = "oin", .value = wire_in },
	{ .name = "oout", .value = wire_out },
	{ 0 },
};
const struct mg_equipment_statistic mg_statistics_tcprm[] = {
	{ .name = "retrans", .value = retransmitted },
	{ 0 },
};
/* gm/dp: what its filter has kept out; told where there is one. */
const struct mg_equipment_statistic mg_statistics_gm[] = {
	{ .name = "dp", .value = refused, .useful = mg_gm_filters },
	{ 0 },
};
/* Told where there is TLS, or asked for by name. */
const struct mg_equipment_statistic mg_statistics_tlsbsc[] = {
	{ .name = "hs", .value = handshakes, .useful = has_tls },
	{ .name = "hsfail", .value = handshake_failures, .useful = has_tls },
	{ .name = "resum", .value = resumptions, .useful = has_tls },
	{ .name = "hsauth", .value = auth_failures, .useful = has_tls },
	{ .name = "hstime", .value = handshake_ms, .useful = has_tls },
	{ .name = "reneg", .value = renegotiations, .useful = has_tls },
	{ .name = "renegfail", .value = renegotiation_failures, .useful = has_tls },
	{ .name = "ain", .value = alerts_in, .useful = has_tls },
	{ .name = "aout", .value = alerts_out, .useful = has_tls },
	{ 0 },
};
const struct mg_equipment_statistic mg_statistics_tlstv[] = {
	{ .name = "oin", .value = tls_in },
	{ .name = "oout", .value = tls_out },
	{ .name = "rin", .value = records_in },
	{ .name = "rout", .value = records_out },
	{ 0 },
};
/* Told where the gateway knows the application. */
const struct mg_equipment_statistic mg_statistics_msrp[] = {
	{ .name = "min", .value = msrp_in, .useful = has_msrp },
	{ .name = "mout", .value = msrp_out, .useful = has_msrp },
	{ 0 },
};
const struct mg_equipment_statistic mg_statistics_bfcp[] = {
	{ .name = "min", .value = bfcp_in, .useful = has_bfcp },
	{ .name = "mout", .value = bfcp_out, .useful = has_bfcp },
	{ 0 },
};

/* ---- all of them, in the order they are told ---- */

struct walk {
	size_t package, item;
	const struct mg_equipment *e;
};

static const struct mg_equipment_statistic *walk_next(struct walk *w)
{
	for (; (w->e = mg_equipment_at(w->package)); w->package++, w->item = 0) {
		const struct mg_equipment_statistic *s = w->e->statistics;

		if (s && (w->e->on & MG_ON_TERM) && s[w->item].name)
			return &s[w->item++];
	}
	return NULL;
}

static size_t all_count(void)
{
	struct walk w = { 0 };
	size_t n = 0;

	while (walk_next(&w))
		n++;
	return n;
}

static bool name_covers(const struct h248_name *pattern, const char *package, const char *item)
{
	return (base_str_eq(pattern->package, BASE_STR("*")) ||
	        base_str_ieq(pattern->package, base_str_of(package))) &&
	       (base_str_eq(pattern->item, BASE_STR("*")) ||
	        base_str_ieq(pattern->item, base_str_of(item)));
}

/* ---- which are kept ---- */

void mg_choice_free(struct mg_choice *choice)
{
	free(choice);
}

static const struct mg_kept *kept(const struct mg_choice *choice,
                                  const struct mg_equipment_statistic *row)
{
	for (size_t i = 0; choice && i < choice->count; i++)
		if (choice->kept[i].row == row)
			return &choice->kept[i];
	return NULL;
}

static bool package_here(struct base_str name)
{
	const struct h248_package *package = h248_package_find(name);

	return package && mg_equipment_find(package);
}

/* What each name means must be kept here: 440, 453; on a stream 460. */
static int names_check(struct mg_run *run, const struct h248_statistics *stats,
                       const struct mg_stream *s)
{
	for (const struct h248_parm *p = stats->parms; p; p = p->next) {
		const struct mg_equipment_statistic *row;
		bool found = false, possible = false;
		struct walk w = { 0 };

		while ((row = walk_next(&w)))
			if (name_covers(&p->name, w.e->package, row->name)) {
				found = true;
				possible |= !s || !row->whole_only;
			}
		if (!found)
			return mg_fail(run,
			               package_here(p->name.package) ? H248_E_NO_STATISTIC
			                                             : H248_E_PACKAGE,
			               "Statistics %.*s/%.*s: none such is kept",
			               BASE_FMT(p->name.package), BASE_FMT(p->name.item));
		if (!possible)
			return mg_fail(run, H248_E_STATISTIC_STREAM,
			               "Stream %u, Statistics %.*s/%.*s: of the termination only",
			               s->id, BASE_FMT(p->name.package), BASE_FMT(p->name.item));
	}
	return 0;
}

static bool chosen(const struct h248_statistics *stats, const char *package, const char *item)
{
	for (const struct h248_parm *p = stats->parms; p; p = p->next)
		if (name_covers(&p->name, package, item))
			return true;
	return false;
}

/* `old` NULL: all were kept at a termination, none on a stream. */
static void choice_fill(const struct mg *mg, const struct mg_term *term, const struct mg_stream *s,
                        const struct mg_choice *old, const struct h248_statistics *stats,
                        struct mg_choice *into)
{
	const struct mg_equipment_statistic *row;
	struct walk w = { 0 };

	while ((row = walk_next(&w))) {
		const struct mg_kept *before = kept(old, row);
		struct mg_kept *k = &into->kept[into->count];

		if (!chosen(stats, w.e->package, row->name) || (s && row->whole_only))
			continue;
		into->count++;
		k->row = row;
		k->package = w.e->package;
		if (before)
			k->base = before->base;
		else if (old)
			k->base = row->value(mg, term, s); /* it comes back: reset (sheet 5.6) */
	}
}

#define CHOICE_SIZE(n) (sizeof(struct mg_choice) + (n) * sizeof(struct mg_kept))

int mg_choice_read(struct mg_run *run, struct mg_plan *plan, const struct h248_statistics *stats)
{
	int rc = names_check(run, stats, NULL);

	if (rc)
		return rc;
	plan->choice = calloc(1, CHOICE_SIZE(all_count()));
	if (!plan->choice)
		return mg_fail_memory(run);
	choice_fill(run->mg, plan->term, NULL, plan->term->choice, stats, plan->choice);
	return 0;
}

int mg_stream_choice_read(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                          const struct h248_statistics *stats)
{
	struct base_arena *arena = &plan->media->arena;
	int rc = names_check(run, stats, s);
	struct mg_choice *choice;

	if (rc)
		return rc;
	choice = base_arena_alloc(arena, CHOICE_SIZE(all_count()));
	if (!choice)
		return mg_fail_memory(run);
	choice_fill(run->mg, plan->term, s, s->choice, stats, choice);
	s->choice = choice;
	return 0;
}

struct mg_choice *mg_choice_copy(struct base_arena *arena, const struct mg_choice *from)
{
	struct mg_choice *to = base_arena_alloc(arena, CHOICE_SIZE(from->count));

	if (to)
		memcpy(to, from, CHOICE_SIZE(from->count));
	return to;
}

/* ---- telling ---- */

/* What is to be told of which. */
struct telling {
	const struct mg_term *term;
	const struct mg_stream *s;    /* NULL: of the termination */
	const struct h248_parm *only; /* NULL: all that are kept */
	bool values;
};

/* @return how many were told, or -1 when memory is short */
static int tell(struct mg_run *run, const struct telling *t, struct h248_statistics **into)
{
	const struct mg_choice *choice = t->s ? t->s->choice : t->term->choice;
	const struct mg_equipment_statistic *row;
	struct walk w = { 0 };
	int told = 0;

	while ((row = walk_next(&w))) {
		const struct mg_kept *k = kept(choice, row);
		struct h248_name name = { base_str_of(w.e->package), base_str_of(row->name) };
		uint64_t base = k ? k->base : 0, now;

		if ((choice && !k) || (t->s && !choice) ||
		    (t->only && !name_covers(&t->only->name, w.e->package, row->name)))
			continue;
		if (!choice && !t->only && t->values && row->useful && !row->useful(t->term))
			continue;
		if (!*into)
			*into = h248_statistics_add(run->arena, NULL);
		if (!*into)
			return -1;
		now = row->value(run->mg, t->term, t->s);
		if (t->values ? !h248_parm_set_u64(run->arena, &(*into)->parms, name,
		                                   now > base ? now - base : 0)
		              : !h248_parm_add(run->arena, &(*into)->parms, name))
			return -1;
		told++;
	}
	return told;
}

int mg_statistics_tell(struct mg_run *run, const struct mg_term *term, const struct h248_parm *only,
                       bool values, struct h248_command *reply)
{
	struct telling t = { .term = term, .only = only, .values = values };
	struct h248_statistics *into = NULL;
	int told = term == &run->mg->root ? 0 : tell(run, &t, &into);

	if (told < 0)
		return mg_fail_memory(run);
	if (told) {
		h248_descriptor_append(reply, &into->d);
		return 0;
	}
	if (only)
		return mg_fail(run, H248_E_AUDIT_MISSING, "Statistics %.*s/%.*s: not kept",
		               BASE_FMT(only->name.package), BASE_FMT(only->name.item));
	return h248_item_add(run->arena, reply, H248_STATISTICS) ? 0 : mg_fail_memory(run);
}

int mg_stream_statistics_tell(struct mg_run *run, const struct mg_term *term,
                              const struct mg_stream *s, const struct h248_parm *only,
                              struct h248_stream *into)
{
	struct telling t = { .term = term, .s = s, .only = only, .values = true };
	int told = tell(run, &t, &into->statistics);

	if (told < 0)
		return mg_fail_memory(run);
	if (!told && only)
		return mg_fail(run, H248_E_AUDIT_MISSING,
		               "Stream %u, Statistics %.*s/%.*s: not kept", s->id,
		               BASE_FMT(only->name.package), BASE_FMT(only->name.item));
	return 0;
}

int mg_streams_statistics_tell(struct mg_run *run, const struct mg_term *term,
                               struct h248_command *reply)
{
	struct h248_media *media = NULL;

	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		struct h248_stream *out;
		int rc;

		if (!s->choice || !s->choice->count)
			continue;
		if (!media)
			media = h248_media_add(run->arena, reply);
		out = h248_stream_add(run->arena, media, s->id);
		if (!out)
			return mg_fail_memory(run);
		rc = mg_stream_statistics_tell(run, term, s, NULL, out);
		if (rc)
			return rc;
	}
	return 0;
}
