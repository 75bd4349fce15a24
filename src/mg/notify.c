/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/notify.h"

struct mg_notice *mg_notice_new(struct mg_term *term)
{
	struct mg_notice *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	base_list_init(&n->node);
	n->term = term;
	return n;
}

void mg_notice_free(struct mg_notice *notice)
{
	if (!notice)
		return;
	base_list_remove(&notice->node);
	base_arena_done(&notice->arena);
	free(notice);
}

static void lost(struct mg *mg, const struct mg_notice *notice, int rc)
{
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg", "term=%s: a Notify is lost (%u.%u)", notice->term->name,
	         base_err_class(rc), base_err_detail(rc));
}

/* Send from the head until one is out. */
static void push(struct mg *mg, struct mg_term *term)
{
	int rc;

	BASE_LIST_EACH(&term->notices, node, after)
	{
		struct mg_notice *n = BASE_CONTAINER_OF(node, struct mg_notice, node);

		if (n->out)
			return;
		n->out = true;
		mg->counts.notifies++;
		rc = mg->ops.request(mg->ops.arg, n->request, n);
		if (!rc)
			return;
		lost(mg, n, rc);
		mg_notice_free(n);
	}
}

void mg_notice_send(struct mg *mg, struct mg_notice *notice)
{
	base_list_append(&notice->term->notices, &notice->node);
	push(mg, notice->term);
}

void mg_request_done(struct mg *mg, struct mg_notice *notice)
{
	struct mg_term *term = notice->term;

	mg_notice_free(notice);
	if (term)
		push(mg, term);
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
