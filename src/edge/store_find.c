/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Whose is a flow token? Its record names an edge and the epoch that made it; what that edge says
 * of itself has to name the same epoch.
 */
#include <stdio.h>
#include <stdlib.h>

#include "edge/store_private.h"

/** After the shelf's return others may still be writing theirs. */
#define GRACE_MS EDGE_STORE_ALIVE_MS

struct edge_question {
	struct base_node node;
	struct edge_store *store;
	struct edge_search *search;
	struct pool_query query;
	struct loop_timer patience;
	char octets[EDGE_STORE_VALUE_MAX]; /**< of the record */
	struct edge_written written;       /**< in `octets` */
};

/** Nothing reaches it any more; it is to be freed. */
static void question_out(struct edge_question *q)
{
	pool_query_stop(&q->query);
	loop_timer_stop(q->store->loop, &q->patience);
	base_list_remove(&q->node);
	q->store->searching--;
}

static void question_free(struct edge_question *q)
{
	question_out(q);
	free(q);
}

static void count(struct edge_store *store, enum edge_whose whose)
{
	uint64_t *const of[] = { &store->counts.others, &store->counts.nobody,
		                 &store->counts.unknown };

	(*of[whose])++;
}

static void tell(struct edge_search *search, const struct edge_found *found)
{
	count(search->store, found->whose);
	search->question = NULL;
	search->fn(search->arg, found);
}

static void question_end(struct edge_question *q, enum edge_whose whose)
{
	struct edge_search *search = q->search;

	question_free(q);
	tell(search, &(struct edge_found){ .whose = whose });
}

static void on_patience(void *arg)
{
	question_end(arg, EDGE_WHOSE_UNKNOWN);
}

/** What should lie there does not, or the shelf says nothing. */
static void absent(struct edge_question *q, enum pool_said said)
{
	const struct edge_store *store = q->store;
	bool fresh = store->back_ms && loop_now_ms(store->loop) < store->back_ms + GRACE_MS;

	question_end(q,
	             said == POOL_SAID_NOTHING || fresh ? EDGE_WHOSE_UNKNOWN : EDGE_WHOSE_NOBODY);
}

static void ask(struct edge_question *q, const char *kind, struct base_str of, pool_said_fn *fn)
{
	char name[EDGE_STORE_NAME_MAX];

	q->query.fn = fn;
	q->query.arg = q;
	q->store->shelf->ops->get(q->store->shelf, &q->query, edge_store_name(name, kind, of));
}

static void on_owner(void *arg, enum pool_said said, struct base_str value)
{
	struct edge_question *q = arg;
	struct edge_search *search = q->search;
	struct edge_written *w = &q->written;
	char id[EDGE_STORE_ID_MAX + 1], uri[EDGE_STORE_URI_MAX + 1];
	struct base_str at;
	uint64_t epoch;

	if (said != POOL_SAID_DONE || edge_alive_read(value, &epoch, &at)) {
		absent(q, said);
		return;
	}
	if (epoch != w->epoch) {
		question_end(q, EDGE_WHOSE_NOBODY); /* it has started again since */
		return;
	}
	(void)snprintf(id, sizeof(id), "%.*s", BASE_FMT(w->id));
	(void)snprintf(uri, sizeof(uri), "%.*s", BASE_FMT(at));
	/* It keeps the octets until all is told; who is told may end the store. */
	question_out(q);
	tell(search, &(struct edge_found){ .whose = EDGE_WHOSE_OTHER,
	                                   .id = id,
	                                   .uri = uri,
	                                   .epoch = epoch,
	                                   .record = { w->token, w->impi, w->session } });
	free(q);
}

/** @return false: the question is over */
static bool take(struct edge_question *q, enum pool_said said, struct base_str value)
{
	if (said == POOL_SAID_DONE && value.len <= sizeof(q->octets)) {
		memcpy(q->octets, value.ptr, value.len);
		if (edge_written_read((struct base_str){ q->octets, value.len }, &q->written) == 0)
			return true;
	}
	absent(q, said);
	return false;
}

static void on_token(void *arg, enum pool_said said, struct base_str value)
{
	struct edge_question *q = arg;

	if (!take(q, said, value))
		return;
	if (base_str_eq(q->written.id, base_str_of(q->store->id)))
		question_end(q, EDGE_WHOSE_NOBODY); /* ours, and we do not know it any more */
	else
		ask(q, "alive", q->written.id, on_owner);
}

void edge_store_find(struct edge_store *store, struct edge_search *search, struct base_str token,
                     edge_found_fn *fn, void *arg)
{
	enum edge_whose whose = EDGE_WHOSE_UNKNOWN;
	struct edge_question *q = NULL;

	*search = (struct edge_search){ .store = store, .fn = fn, .arg = arg };
	if (!token.len || token.len > EDGE_STORE_TOKEN_MAX)
		whose = EDGE_WHOSE_NOBODY;
	else if (store->searching < EDGE_STORE_SEARCHES && edge_shelf_up(store->shelf))
		q = calloc(1, sizeof(*q));
	if (!q) {
		tell(search, &(struct edge_found){ .whose = whose });
		return;
	}
	q->store = store;
	q->search = search;
	base_list_init(&q->node);
	base_list_append(&store->questions, &q->node);
	store->searching++;
	search->question = q;
	loop_timer_start(store->loop, &q->patience, EDGE_STORE_SEARCH_MS, on_patience, q);
	ask(q, "token", token, on_token);
}

void edge_store_find_stop(struct edge_search *search)
{
	if (search->question)
		question_free(search->question);
	search->question = NULL;
}

void edge_store_find_done(struct edge_store *store)
{
	struct base_node *node;

	while ((node = store->questions.next) != &store->questions)
		edge_store_find_stop(BASE_CONTAINER_OF(node, struct edge_question, node)->search);
}
