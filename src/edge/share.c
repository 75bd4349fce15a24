/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/share.h"

#include <stdio.h>
#include <stdlib.h>

#include "edge/share_tickets.h"

/** A binding of ours that the pool knows. */
struct shared {
	struct base_map_node node;
	uint64_t flow;
	struct edge_stored stored;
	char session[EDGE_STORE_SESSION_MAX];
	char key[EDGE_FLOW_KEY];
	size_t impi_len;
	char impi[];
};

struct edge_share {
	struct loop *loop;
	uint64_t epoch;
	struct pool *pool; /**< NULL = none */
	struct edge_shelf *shelf;
	struct edge_store *store;
	struct edge_share_tickets tickets;
	struct base_map bindings; /**< of a pool */
};

/* -- bindings -------------------------------------------------------------------------------- */

static struct base_str flow_key(const uint64_t *flow)
{
	return (struct base_str){ (const char *)flow, sizeof(*flow) };
}

static struct shared *shared_find(const struct edge_share *share, uint64_t flow)
{
	struct base_map_node *node = base_map_find(&share->bindings, flow_key(&flow));

	return node ? BASE_CONTAINER_OF(node, struct shared, node) : NULL;
}

static void shared_end(struct edge_share *share, struct shared *s)
{
	if (!s)
		return;
	edge_store_drop(&s->stored);
	base_map_remove(&share->bindings, &s->node);
	free(s);
}

static struct shared *shared_new(struct edge_share *share, const struct edge_binding *b)
{
	struct shared *s = calloc(1, sizeof(*s) + b->impi.len);

	if (!s)
		return NULL;
	s->flow = b->flow;
	s->impi_len = b->impi.len;
	memcpy(s->impi, b->impi.ptr, b->impi.len);
	memcpy(s->key, b->flow_key.ptr, BASE_MIN(b->flow_key.len, sizeof(s->key)));
	if (base_map_insert(&share->bindings, flow_key(&s->flow), &s->node)) {
		free(s);
		return NULL;
	}
	return s;
}

static void bound(struct edge_share *share, const struct edge_binding *b)
{
	struct shared *s = shared_find(share, b->flow);
	uint64_t now_ms = loop_now_ms(share->loop);
	struct edge_record record;

	if (s && !base_str_eq((struct base_str){ s->impi, s->impi_len }, b->impi)) {
		shared_end(share, s);
		s = NULL;
	}
	if (!s)
		s = shared_new(share, b);
	if (!s) {
		base_log(BASE_LOG_ERROR, "edge",
		         "flow=%llu: no memory to tell the pool of its binding",
		         (unsigned long long)b->flow);
		return;
	}
	record.token = (struct base_str){ s->key, BASE_MIN(b->flow_key.len, sizeof(s->key)) };
	record.impi = (struct base_str){ s->impi, s->impi_len };
	record.session =
	        (struct base_str){ s->session, BASE_MIN(b->session.len, sizeof(s->session)) };
	if (record.session.len)
		memcpy(s->session, b->session.ptr, record.session.len);
	edge_store_put(share->store, &s->stored, &record,
	               b->expires_ms > now_ms ? b->expires_ms - now_ms : 0);
}

void edge_share_told(struct edge_share *share, const struct edge_event *event)
{
	if (!share->pool)
		return; /* nobody else would ask */
	switch (event->what) {
	case EDGE_TOLD_BOUND:
	case EDGE_TOLD_REFRESHED:
	case EDGE_TOLD_REKEYED:
		if (event->binding)
			bound(share, event->binding);
		break;
	case EDGE_TOLD_UNBOUND:
		shared_end(share, shared_find(share, event->flow));
		break;
	case EDGE_TOLD_NOTE:
		break;
	}
}

/* -- life ------------------------------------------------------------------------------------ */

static int store_new(struct edge_share *share, const struct edge_config *config, const char *at,
                     struct base_error *err)
{
	char id[EDGE_STORE_ID_MAX + 1], uri[EDGE_STORE_URI_MAX + 1];
	struct edge_store_spec spec = { .id = config->pool_id ? config->pool_id : id,
		                        .uri = config->pool_address ? config->pool_address : uri,
		                        .epoch = share->epoch,
		                        .shelf = share->shelf };

	if (config->pool.name && !at[0])
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "pool.address: it is needed where the first of core.listen "
		                      "is of any address");
	(void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(at, ";"), at);
	(void)snprintf(uri, sizeof(uri), "sip:%s", at);
	if (!at[0])
		(void)snprintf(id, sizeof(id), "alone");
	return edge_store_new(&share->store, share->loop, &spec, err);
}

int edge_share_new(struct edge_share **ret, struct loop *loop, const struct edge_config *config,
                   const char *at, uint64_t epoch, struct base_error *err)
{
	struct edge_share *share = calloc(1, sizeof(*share));
	int rc = 0;

	if (!share)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	share->loop = loop;
	share->epoch = epoch;
	if (config->pool.name)
		rc = pool_new(&share->pool, loop, &config->pool, err);
	if (!rc)
		rc = share->pool ? edge_shelf_pool(&share->shelf, share->pool)
		                 : edge_shelf_memory(&share->shelf, loop);
	if (!rc)
		rc = store_new(share, config, at, err);
	if (rc) {
		edge_share_free(share);
		return rc;
	}
	edge_share_tickets_start(&share->tickets, loop, share->pool, config);
	*ret = share;
	return 0;
}

void edge_share_config(struct edge_share *share, const struct edge_config *config)
{
	edge_share_tickets_start(&share->tickets, share->loop, share->pool, config);
}

void edge_share_free(struct edge_share *share)
{
	struct base_map_node *node;

	if (!share)
		return;
	edge_share_tickets_stop(&share->tickets);
	edge_store_free(share->store);
	while ((node = base_map_next(&share->bindings, NULL)))
		shared_end(share, BASE_CONTAINER_OF(node, struct shared, node));
	base_map_done(&share->bindings);
	edge_shelf_free(share->shelf);
	pool_free(share->pool);
	free(share);
}

int edge_share_token_key(void *arg, uint64_t epoch, uint8_t ret[32])
{
	struct edge_share *share = arg;

	if (!share->pool && epoch != share->epoch)
		return BASE_ERR(BASE_PEER, 0);
	return edge_store_token_key(share->store, epoch, ret);
}

bool edge_share_up(const struct edge_share *share)
{
	return edge_shelf_up(share->shelf);
}

struct edge_store *edge_share_store(const struct edge_share *share)
{
	return share->store;
}
