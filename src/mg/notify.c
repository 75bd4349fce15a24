/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/notify.h"
#include "mg/service.h"

/* Most are smaller than this. */
#define NOTICE_CHUNK 2048

struct mg_notice *mg_notice_new(struct mg *mg, struct mg_term *term)
{
	struct mg_notice *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	base_list_init(&n->node);
	n->arena.chunk_size = NOTICE_CHUNK;
	n->mg = mg;
	n->term = term;
	mg->notices++;
	return n;
}

void mg_notice_free(struct mg_notice *notice)
{
	if (!notice)
		return;
	base_list_remove(&notice->node);
	notice->mg->notices--;
	base_arena_done(&notice->arena);
	free(notice);
}

static void lost(struct mg *mg, const struct mg_notice *notice, int rc)
{
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg", "term=%s: a Notify is lost (%u.%u)", notice->term->name,
	         base_err_class(rc), base_err_detail(rc));
}

/* Try to send. @return 0 when it is out, H248_E_NOT_READY in the detail when it has to wait. */
static int offer(struct mg *mg, struct mg_notice *n)
{
	int rc;

	if (n->out)
		return 0;
	n->out = true;
	rc = mg->ops.request(mg->ops.arg, n->request, n);
	if (rc)
		n->out = false;
	else
		mg->counts.notifies++;
	return rc;
}

/* Send from the head until one is out; with no controller they wait. */
static void push(struct mg *mg, struct mg_term *term)
{
	struct base_node *node;

	while ((node = base_list_shift(&term->notices))) {
		struct mg_notice *n = BASE_CONTAINER_OF(node, struct mg_notice, node);
		int rc = offer(mg, n);

		if (!rc || base_err_detail(rc) == H248_E_NOT_READY) {
			base_list_insert(&term->notices, node); /* stays at the head */
			return;
		}
		lost(mg, n, rc);
		mg_notice_free(n);
	}
}

static bool room(const struct mg *mg, const struct mg_term *term)
{
	size_t n = 0;

	for (const struct base_node *node = term->notices.next; node != &term->notices;
	     node = node->next)
		n++;
	return n < MG_NOTICES_MAX && mg->notices <= MG_NOTICES_MAX_ALL;
}

void mg_notice_send(struct mg *mg, struct mg_notice *notice)
{
	struct mg_term *term = notice->term;

	if (!room(mg, term)) {
		lost(mg, notice, BASE_ERR(BASE_LOCAL, H248_E_BUSY));
		mg_notice_free(notice);
		return;
	}
	base_list_append(&term->notices, &notice->node);
	push(mg, term);
}

void mg_request_done(struct mg *mg, struct mg_notice *notice, bool answered)
{
	struct mg_term *term = notice->term;

	if (answered || !term)
		mg_notice_free(notice);
	else
		notice->out = false; /* it is the first of its list still */
	if (term && answered)
		mg_hang_touch(mg, term);
	if (term)
		push(mg, term);
}

void mg_resume(struct mg *mg)
{
	push(mg, &mg->root);
	for (struct base_node *n = mg->context_list.next; n != &mg->context_list; n = n->next) {
		struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

		for (struct mg_term *t = mg_context_term_first(c); t;
		     t = mg_context_term_next(c, t))
			push(mg, t);
	}
}

void mg_notices_forget(struct mg_term *term)
{
	if (!term->notices.next)
		return;
	BASE_LIST_EACH(&term->notices, node, after)
	{
		struct mg_notice *n = BASE_CONTAINER_OF(node, struct mg_notice, node);

		base_list_remove(node);
		n->term = NULL;
		if (!n->out)
			mg_notice_free(n);
	}
}
