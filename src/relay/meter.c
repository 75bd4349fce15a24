/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What TLS has come to, counted once for an endpoint (relay_stats) and for its domain
 * (relay_meter). Each worker has counters of its own for each domain, made with the first session
 * there and kept to the end, so that nobody who reads them needs a lock: a list that only grows at
 * its head, and numbers with one writer.
 */
#include <stdlib.h>

#include "relay/private.h"

/* ---- the table ---- */

enum family {
	HANDSHAKES,
	FAILURES,
	SUITES,
	ALERTS,
	AUTHENTICATIONS,
	RENEGOTIATIONS,
	CONDEMNED,
	OCTETS,
	RECORDS,
	TIME,
	FAMILIES
};

#define ALERT_NUMBERS 128 /* the last one is all that have no name */

static const unsigned time_bounds[] = { 1,   2,   5,    10,   20,   50,    100,
	                                200, 500, 1000, 2000, 5000, 10000, 0 };

unsigned relay_time_bound(unsigned bucket)
{
	return bucket < BASE_COUNT(time_bounds) ? time_bounds[bucket] : 0;
}

static const uint16_t versions[] = { 0, 0x0301, 0x0302, 0x0303, 0x0304, 0xfeff, 0xfefd };

static const char *version_word(unsigned i)
{
	static const char *const words[] = { "unknown", "TLS1.0",  "TLS1.1", "TLS1.2",
		                             "TLS1.3",  "DTLS1.0", "DTLS1.2" };

	return words[i];
}

static const char *role_word(unsigned i)
{
	return i == TLS_ROLE_SERVER ? "server" : "client";
}

static const char *yes_word(unsigned i)
{
	return i ? "yes" : "no";
}

static const char *cause_word(unsigned i)
{
	return relay_cause_name((enum relay_cause)i);
}

static const char *reason_word(unsigned i)
{
	return i == TRUST_OK ? "" : trust_reason_name((enum trust_reason)i);
}

static const char *sent_word(unsigned i)
{
	return i ? "received" : "sent";
}

static const char *way_word(unsigned i)
{
	return i ? "in" : "out";
}

static const char *result_word(unsigned i)
{
	return i ? "done" : "failed";
}

static bool alert_named(unsigned i)
{
	return strcmp(tls_alert_name((int)i), "unknown") != 0;
}

static const char *alert_word(unsigned i)
{
	return i == ALERT_NUMBERS - 1 || alert_named(i) ? tls_alert_name((int)i) : "";
}

static const char *suite_word(unsigned i)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	return i < count ? suite[i].name : "unknown";
}

#define FAMILY(family, text) .name = family, .help = text
static struct relay_family families[FAMILIES] = {
	[HANDSHAKES] = { FAMILY("handshakes", "TLS handshakes completed."),
	                 .label = { { "role", 2, role_word },
	                            { "version", BASE_COUNT(versions), version_word },
	                            { "resumed", 2, yes_word } } },
	[FAILURES] = { FAMILY("handshake_failures", "TLS handshakes that failed or were given up."),
	               .label = { { "role", 2, role_word },
	                          { "cause", RELAY_CAUSES, cause_word } } },
	[SUITES] = { FAMILY("handshake_suites", "TLS handshakes completed, by cipher suite."),
	             .label = { { "suite", 0, suite_word } } },
	[ALERTS] = { FAMILY("session_alerts",
	                    "TLS sessions by the alert that ended them, or their handshake."),
	             .label = { { "side", 2, sent_word },
	                        { "alert", ALERT_NUMBERS, alert_word } } },
	[AUTHENTICATIONS] = { FAMILY("authentication_failures",
	                             "Peers refused for their certificate or its revocation "
	                             "check."),
	                      .label = { { "reason", TRUST_REASON_COUNT, reason_word } } },
	[RENEGOTIATIONS] = { FAMILY("renegotiations", "Renegotiations that have ended."),
	                     .label = { { "result", 2, result_word } } },
	[CONDEMNED] = { FAMILY("condemned",
	                       "Sessions whose peer was revoked while they were up.") },
	[OCTETS] = { FAMILY("octets", "Octets of clear text."),
	             .label = { { "direction", 2, way_word } } },
	[RECORDS] = { FAMILY("records", "Records of application data."),
	              .label = { { "direction", 2, way_word } } },
	[TIME] = { FAMILY("handshake_seconds", "Time in handshakes that were completed."),
	           .times = true },
};

/** Place the counters; by the pool, before it has workers. */
static void families_place(void)
{
	unsigned at = 0;
	size_t suites;

	(void)profile_suite_all(&suites);
	families[SUITES].label[0].count = (unsigned)suites + 1;
	for (unsigned f = 0; f < FAMILIES; f++) {
		struct relay_family *family = &families[f];
		unsigned count = family->times ? BASE_COUNT(time_bounds) + 1 : 1;

		for (unsigned l = 0; l < BASE_COUNT(family->label); l++)
			count *= family->label[l].name ? family->label[l].count : 1;
		family->at = at;
		family->count = count;
		at += count;
	}
}

const struct relay_family *relay_families(size_t *ret_count)
{
	if (!families[0].count)
		families_place();
	*ret_count = FAMILIES;
	return families;
}

static unsigned values_count(void)
{
	return families[FAMILIES - 1].at + families[FAMILIES - 1].count;
}

/* ---- a worker's own ---- */

struct relay_own_meter {
	struct relay_own_meter *next;
	char *domain, *profile;
	_Atomic uint64_t slots; /**< engine contexts that count here */
	_Atomic uint64_t value[];
};

static void own_free(struct relay_own_meter *own)
{
	if (!own)
		return;
	free(own->domain);
	free(own->profile);
	free(own);
}

static bool own_is(const struct relay_own_meter *own, const char *domain, const char *profile)
{
	return !strcmp(own->domain, domain) && !strcmp(own->profile, profile);
}

struct relay_own_meter *relay_meter_of(struct relay_worker *worker, const struct tls_domain *domain)
{
	const char *name = tls_domain_name(domain), *profile = tls_domain_profile(domain)->name;
	struct relay_own_meter *head = atomic_load_explicit(&worker->meters, memory_order_relaxed);
	struct relay_own_meter *own;

	for (own = head; own; own = own->next)
		if (own_is(own, name, profile)) {
			relay_count_add(&own->slots, 1);
			return own;
		}
	own = calloc(1, sizeof(*own) + values_count() * sizeof(own->value[0]));
	if (!own)
		return NULL;
	own->domain = strdup(name);
	own->profile = strdup(profile);
	own->next = head;
	relay_count_set(&own->slots, 1);
	if (!own->domain || !own->profile) {
		own_free(own);
		return NULL;
	}
	atomic_store_explicit(&worker->meters, own, memory_order_release);
	return own;
}

void relay_meter_leave(struct relay_own_meter *own)
{
	if (own)
		relay_count_set(&own->slots, relay_count_get(&own->slots) - 1);
}

void relay_meters_free(struct relay_worker *worker)
{
	struct relay_own_meter *own = atomic_load(&worker->meters);

	while (own) {
		struct relay_own_meter *next = own->next;

		own_free(own);
		own = next;
	}
	atomic_store(&worker->meters, NULL);
}

/* ---- counting ---- */

static void count(const struct relay_leg *leg, enum family family, unsigned index, uint64_t n)
{
	struct relay_own_meter *own = leg->slot ? leg->slot->meter : NULL;

	if (own && index < families[family].count)
		relay_count_add(&own->value[families[family].at + index], n);
}

static unsigned version_index(uint16_t version)
{
	for (unsigned i = 1; i < BASE_COUNT(versions); i++)
		if (versions[i] == version)
			return i;
	return 0;
}

static unsigned suite_index(uint16_t code)
{
	size_t total;
	const struct profile_suite *first = profile_suite_all(&total);
	const struct profile_suite *suite = profile_suite_find(code);

	return (unsigned)(suite ? (size_t)(suite - first) : total);
}

static void count_time(struct relay_leg *leg)
{
	uint32_t ms = (uint32_t)loop_now_ms(leg->worker->loop) - leg->shake_ms;
	unsigned bucket = 0;

	while (time_bounds[bucket] && ms > time_bounds[bucket])
		bucket++;
	count(leg, TIME, bucket, 1);
	count(leg, TIME, BASE_COUNT(time_bounds), ms);
	relay_count_add(&leg->counters.handshake_ms, ms);
}

void relay_meter_up(struct relay_leg *leg)
{
	struct tls_info info;

	tls_session_info(leg->session, &info);
	relay_count_add(&leg->counters.handshakes, 1);
	relay_count_add(&leg->counters.resumptions, info.resumed);
	count(leg, HANDSHAKES,
	      (leg->role * BASE_COUNT(versions) + version_index(info.version)) * 2 + info.resumed,
	      1);
	count(leg, SUITES, suite_index(info.suite), 1);
	count_time(leg);
}

/** Refused for its certificate, or for want of a check of it. */
static void count_refused(struct relay_leg *leg)
{
	struct tls_info info = { 0 };

	if (leg->session)
		tls_session_info(leg->session, &info);
	if (!info.has_verdict || info.verdict.authenticated || info.verdict.tolerated)
		return;
	relay_count_add(&leg->counters.auth_failures, 1);
	count(leg, AUTHENTICATIONS, info.verdict.reason, 1);
}

void relay_meter_failed(struct relay_leg *leg, enum relay_cause cause)
{
	relay_count_add(&leg->counters.handshake_failures, 1);
	count(leg, FAILURES, leg->role * RELAY_CAUSES + cause, 1);
	count_refused(leg);
}

void relay_meter_again(struct relay_leg *leg, bool done, uint32_t n)
{
	relay_count_add(
	        done ? &leg->counters.renegotiations : &leg->counters.renegotiation_failures, n);
	count(leg, RENEGOTIATIONS, done, n);
	if (!done)
		count_refused(leg);
}

void relay_meter_octets(struct relay_leg *leg, bool in, size_t len)
{
	relay_count_add(in ? &leg->counters.octets_in : &leg->counters.octets_out, len);
	count(leg, OCTETS, in, len);
}

void relay_meter_records(struct relay_leg *leg, uint64_t in, uint64_t out)
{
	count(leg, RECORDS, 1, in - relay_count_get(&leg->counters.records_in));
	count(leg, RECORDS, 0, out - relay_count_get(&leg->counters.records_out));
	relay_count_set(&leg->counters.records_in, in);
	relay_count_set(&leg->counters.records_out, out);
}

void relay_meter_condemned(struct relay_leg *leg)
{
	relay_count_add(&leg->counters.condemned, 1);
	count(leg, CONDEMNED, 0, 1);
}

void relay_meter_end(struct relay_leg *leg)
{
	struct tls_info info;
	unsigned number;
	bool received;

	tls_session_info(leg->session, &info);
	if (info.alert < 0 || info.alert_side == TLS_SIDE_NONE)
		return;
	received = info.alert_side == TLS_SIDE_REMOTE;
	number = BASE_MIN((unsigned)info.alert, ALERT_NUMBERS - 1U);
	if (!alert_named(number))
		number = ALERT_NUMBERS - 1;
	count(leg, ALERTS, received * ALERT_NUMBERS + number, 1);
	if (info.alert)
		relay_count_add(received ? &leg->counters.alerts_in : &leg->counters.alerts_out, 1);
}

/* ---- reading ---- */

static struct relay_meter *meter_find(struct relay_meter *list, size_t n,
                                      const struct relay_own_meter *own)
{
	for (size_t i = 0; i < n; i++)
		if (own_is(own, list[i].domain, list[i].profile))
			return &list[i];
	return NULL;
}

static bool meter_add(struct base_arena *arena, struct relay_meter *list, size_t *n,
                      const struct relay_own_meter *own)
{
	struct relay_meter *to = meter_find(list, *n, own);

	if (!to) {
		to = &list[*n];
		to->domain = base_arena_dup(arena, base_str_of(own->domain));
		to->profile = base_arena_dup(arena, base_str_of(own->profile));
		to->value = base_arena_array(arena, values_count(), sizeof(*to->value));
		if (!to->domain || !to->profile || !to->value)
			return false;
		memset(to->value, 0, values_count() * sizeof(*to->value));
		to->used = false;
		++*n;
	}
	to->used |= relay_count_get(&own->slots) > 0;
	for (unsigned i = 0; i < values_count(); i++)
		to->value[i] += relay_count_get(&own->value[i]);
	return true;
}

int relay_meters_read(const struct relay_pool *pool, struct base_arena *arena,
                      struct relay_meter **ret, size_t *ret_count)
{
	struct relay_meter *list;
	size_t most = 0, n = 0;

	for (unsigned i = 0; i < pool->worker_count; i++)
		for (const struct relay_own_meter *own =
		             atomic_load_explicit(&pool->worker[i].meters, memory_order_acquire);
		     own; own = own->next)
			most++;
	list = base_arena_array(arena, most + 1, sizeof(*list));
	if (!list)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned i = 0; i < pool->worker_count; i++)
		for (const struct relay_own_meter *own =
		             atomic_load_explicit(&pool->worker[i].meters, memory_order_acquire);
		     own; own = own->next)
			/* one that has come since waits for the next reading */
			if ((n < most || meter_find(list, n, own)) &&
			    !meter_add(arena, list, &n, own))
				return BASE_ERR(BASE_LOCAL, 0);
	*ret = list;
	*ret_count = n;
	return 0;
}
