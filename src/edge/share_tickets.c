/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/share_tickets.h"

#include <stdlib.h>
#include <time.h>

#include "tls/tls.h"

_Static_assert(POOL_SECRET == TLS_TICKET_SECRET, "one is the other");

/** A domain. */
struct edge_share_ticket {
	struct pool_share share;
	struct edge_share_tickets *tickets;
	struct tls_domain *tls;
	bool told;
};

static void on_time(void *arg)
{
	struct edge_share_tickets *t = arg;
	uint64_t now_ms = loop_now_ms(t->loop), next = 0;

	for (size_t i = 0; i < t->count; i++) {
		uint64_t wait = tls_domain_tickets_turn(t->shares[i].tls, now_ms);

		if (wait && (!next || wait < next))
			next = wait;
	}
	if (next)
		loop_timer_start(t->loop, &t->timer, next, on_time, t);
}

/** The pool's turns are by the calendar, those of a domain by a clock that only goes forward. */
static void on_key(void *arg, const uint8_t *secret, uint64_t from_ms)
{
	struct edge_share_ticket *s = arg;
	uint64_t now_ms = loop_now_ms(s->tickets->loop);
	struct timespec wall;
	int64_t ago_ms;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 - (int64_t)from_ms;
	if (tls_domain_tickets_put(s->tls, secret, (int64_t)now_ms - ago_ms, now_ms))
		base_log(BASE_LOG_ERROR, "edge",
		         "tls domain=%s: no memory for the pool's ticket key",
		         tls_domain_name(s->tls));
	else if (!s->told)
		base_log(BASE_LOG_INFO, "edge",
		         "tls domain=%s has its ticket keys in common with its pool",
		         tls_domain_name(s->tls));
	s->told = true;
	on_time(s->tickets);
}

static void join(struct edge_share_tickets *t, struct edge_share_ticket *s)
{
	uint64_t life_ms = tls_domain_tickets_life_s(s->tls) * 1000ULL;
	uint8_t scope[32];

	if (!t->pool || !life_ms)
		return;
	tls_domain_tickets_scope(s->tls, scope);
	pool_share_start(t->pool, &s->share, scope, life_ms / TLS_TICKET_TURNS, life_ms, on_key, s);
}

void edge_share_tickets_start(struct edge_share_tickets *t, struct loop *loop, struct pool *pool,
                              const struct edge_config *config)
{
	edge_share_tickets_stop(t);
	*t = (struct edge_share_tickets){ .loop = loop, .pool = pool };
	t->shares = calloc(config->domain_count + 1, sizeof(*t->shares));
	t->count = t->shares ? config->domain_count : 0;
	for (size_t i = 0; i < t->count; i++)
		t->shares[i] =
		        (struct edge_share_ticket){ .tickets = t, .tls = config->domains[i].tls };
	on_time(t);
	for (size_t i = 0; i < t->count; i++)
		join(t, &t->shares[i]);
}

void edge_share_tickets_stop(struct edge_share_tickets *t)
{
	if (!t->loop)
		return;
	loop_timer_stop(t->loop, &t->timer);
	for (size_t i = 0; i < t->count; i++)
		pool_share_stop(&t->shares[i].share);
	free(t->shares);
	*t = (struct edge_share_tickets){ 0 };
}
