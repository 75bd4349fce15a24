/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "mg/tickets.h"

_Static_assert(POOL_SECRET == TLS_TICKET_SECRET, "one is the other");

struct mg_ticket_share {
	struct pool_share share;
	struct mg_tickets *tickets;
	struct tls_domain *tls;
	bool told;
};

static void on_time(void *arg)
{
	struct mg_tickets *t = arg;
	uint64_t now_ms = loop_now_ms(t->loop), next = 0;

	for (const struct mg_domain_table *table = t->table; table; table = table->older)
		for (size_t i = 0; i < table->count; i++) {
			uint64_t wait = tls_domain_tickets_turn(table->domains[i].tls, now_ms);

			if (wait && (!next || wait < next))
				next = wait;
		}
	if (next)
		loop_timer_start(t->loop, &t->timer, next, on_time, t);
}

/* ---- the pool ---- */

/* The pool's turns are by the calendar, the ring's time only goes forward. */
static void on_key(void *arg, const uint8_t *secret, uint64_t from_ms)
{
	struct mg_ticket_share *s = arg;
	uint64_t now_ms = loop_now_ms(s->tickets->loop);
	struct timespec wall;
	int64_t ago_ms;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 - (int64_t)from_ms;
	if (tls_domain_tickets_put(s->tls, secret, (int64_t)now_ms - ago_ms, now_ms))
		base_log(BASE_LOG_ERROR, "mg", "tls domain=%s: no memory for the pool's ticket key",
		         tls_domain_name(s->tls));
	else if (!s->told)
		base_log(BASE_LOG_INFO, "mg",
		         "tls domain=%s has its ticket keys in common with its pool",
		         tls_domain_name(s->tls));
	s->told = true;
	on_time(s->tickets);
}

static void shares_stop(struct mg_tickets *t)
{
	for (size_t i = 0; i < t->share_count; i++)
		pool_share_stop(&t->shares[i].share);
	free(t->shares);
	t->shares = NULL;
	t->share_count = 0;
}

static void shares_start(struct mg_tickets *t)
{
	size_t count = t->pool ? t->table->count : 0;

	t->shares = count ? calloc(count, sizeof(*t->shares)) : NULL;
	t->share_count = t->shares ? count : 0;
	for (size_t i = 0; i < t->share_count; i++) {
		struct mg_ticket_share *s = &t->shares[i];
		uint64_t life_ms = tls_domain_tickets_life_s(t->table->domains[i].tls) * 1000ULL;
		uint8_t scope[32];

		*s = (struct mg_ticket_share){ .tickets = t, .tls = t->table->domains[i].tls };
		tls_domain_tickets_scope(s->tls, scope);
		if (life_ms)
			pool_share_start(t->pool, &s->share, scope, life_ms / TLS_TICKET_TURNS,
			                 life_ms, on_key, s);
	}
}

/* ---- life ---- */

int mg_tickets_start(struct mg_tickets *t, struct loop *loop, const struct mg_domain_table *table,
                     const struct pool_spec *pool, struct base_error *err)
{
	int rc = pool->name ? pool_new(&t->pool, loop, pool, err) : 0;

	if (rc)
		return rc;
	t->loop = loop;
	mg_tickets_reload(t, table);
	return 0;
}

void mg_tickets_reload(struct mg_tickets *t, const struct mg_domain_table *table)
{
	shares_stop(t);
	t->table = table;
	loop_timer_stop(t->loop, &t->timer);
	on_time(t);
	shares_start(t);
}

void mg_tickets_stop(struct mg_tickets *t)
{
	if (!t->loop)
		return;
	loop_timer_stop(t->loop, &t->timer);
	shares_stop(t);
	pool_free(t->pool);
}
