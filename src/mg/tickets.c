/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/tickets.h"

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

void mg_tickets_start(struct mg_tickets *t, struct loop *loop, const struct mg_domain_table *table)
{
	t->loop = loop;
	mg_tickets_reload(t, table);
}

void mg_tickets_reload(struct mg_tickets *t, const struct mg_domain_table *table)
{
	t->table = table;
	loop_timer_stop(t->loop, &t->timer);
	on_time(t);
}

void mg_tickets_stop(struct mg_tickets *t)
{
	if (t->loop)
		loop_timer_stop(t->loop, &t->timer);
}
