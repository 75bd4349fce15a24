/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a request: its addresses one after the other (RFC 3263, 4.3), those that failed a
 * moment ago last. */
#include <stdlib.h>

#include "flow/private.h"

/* No request is tried anew after so long: timer B is over by then. */
#define HUNT_MS 40000

static struct base_str id_key(const uint64_t *id)
{
	return (struct base_str){ (const char *)id, sizeof(*id) };
}

/* ---- addresses that failed ---- */

static bool same(const struct flow_target *a, const struct flow_target *b)
{
	return a->transport == b->transport && stream_addr_equal(&a->addr, &b->addr);
}

static bool has_failed(const struct flows *flows, const struct flow_target *target)
{
	for (size_t i = 0; i < FLOW_FAILED_MAX; i++)
		if (flows->failed[i].until_ms > loop_now_ms(flows->loop) &&
		    same(&flows->failed[i].target, target))
			return true;
	return false;
}

static void note_failed(struct flows *flows, const struct flow_target *target)
{
	struct flow_failed *f = &flows->failed[flows->failed_next++ % FLOW_FAILED_MAX];

	f->target = *target;
	f->until_ms = loop_now_ms(flows->loop) + flows->config.avoid_ms;
}

/* ---- one way ---- */

static void hunt_free(struct flow_hunt *h)
{
	flow_lookup_cancel(h->lookup);
	base_map_remove(&h->flows->hunts, &h->by_id);
	base_list_remove(&h->node);
	free(h->targets);
	free(h->name);
	free(h);
}

static void on_forget(void *arg)
{
	struct flows *flows = arg;
	uint64_t now = loop_now_ms(flows->loop);

	BASE_LIST_EACH(&flows->hunting, node, after)
	{
		struct flow_hunt *h = BASE_CONTAINER_OF(node, struct flow_hunt, node);

		if (h->used_ms + HUNT_MS > now) {
			loop_timer_start(flows->loop, &flows->forget, h->used_ms + HUNT_MS - now,
			                 on_forget, flows);
			return;
		}
		hunt_free(h);
	}
}

static void touch(struct flow_hunt *h)
{
	struct flows *flows = h->flows;

	if (base_list_empty(&flows->hunting))
		loop_timer_start(flows->loop, &flows->forget, HUNT_MS, on_forget, flows);
	base_list_remove(&h->node);
	base_list_append(&flows->hunting, &h->node);
	h->used_ms = loop_now_ms(flows->loop);
}

static void tell(struct flows *flows, uint64_t id, struct sip_flow flow, unsigned status)
{
	flows->ops.on_way(flows->ops.arg, id, flow, status);
}

static void no_way(struct flow_hunt *h, unsigned status)
{
	struct flows *flows = h->flows;
	uint64_t id = h->id;

	flows->count.lookups_failed += !h->count;
	hunt_free(h);
	tell(flows, id, (struct sip_flow){ 0 }, status);
}

/* There is no other way after this one: nothing has to be remembered. */
static void last_way(struct flow_hunt *h, struct sip_flow flow)
{
	struct flows *flows = h->flows;
	uint64_t id = h->id;

	hunt_free(h);
	tell(flows, id, flow, 0);
}

static void take_next(struct flow_hunt *h)
{
	struct sip_flow flow;

	while (h->next < h->count) {
		const struct flow_target *target = &h->targets[h->next++];

		if (flows_to(h->flows, target, h->name, &flow)) {
			note_failed(h->flows, target);
			continue;
		}
		h->tried = true;
		if (h->next == h->count)
			last_way(h, flow);
		else
			tell(h->flows, h->id, flow, 0);
		return;
	}
	no_way(h, 503);
}

/* The flow that the request would rather have, if it leads to one of the hosts. */
static bool take_last(struct flow_hunt *h)
{
	const struct flow *f = h->last.id ? flow_find(h->flows, h->last.id) : NULL;
	char a[STREAM_ADDR_TEXT], b[STREAM_ADDR_TEXT];

	if (!f)
		return false;
	(void)stream_addr_host(&f->remote, a, sizeof(a));
	for (size_t i = 0; i < h->count; i++) {
		if (h->targets[i].transport != f->transport ||
		    strcmp(a, stream_addr_host(&h->targets[i].addr, b, sizeof(b))) != 0)
			continue;
		/* A connection that came in leaves from any port; others go to that very one. */
		if (!f->accepted && !stream_addr_equal(&f->remote, &h->targets[i].addr))
			continue;
		tell(h->flows, h->id, flow_of(f), 0);
		return true;
	}
	return false;
}

/* At most ten a second: a peer can ask for them as fast as he likes. */
static void no_way_tell(struct flows *flows, const char *host, const char *why)
{
	uint64_t second = loop_now_ms(flows->loop) / 1000;

	flows->no_way = second == flows->no_way_s ? flows->no_way + 1 : 1;
	flows->no_way_s = second;
	if (flows->no_way <= 10)
		base_log(BASE_LOG_INFO, "flow", "no way to %s: %s", host, why);
}

static void on_resolved(void *arg, const struct flow_target *targets, size_t count,
                        const char *host, unsigned status, const char *why)
{
	struct flow_hunt *h = arg;

	h->lookup = NULL;
	if (!count) {
		no_way_tell(h->flows, host, why);
		no_way(h, status);
		return;
	}
	h->name = strdup(host);
	h->targets = malloc(count * sizeof(*h->targets));
	if (!h->name || !h->targets) {
		no_way(h, 503);
		return;
	}
	for (int failed = 0; failed < 2; failed++)
		for (size_t i = 0; i < count; i++)
			if (has_failed(h->flows, &targets[i]) == (failed == 1))
				h->targets[h->count++] = targets[i];
	if (!take_last(h))
		take_next(h);
}

static struct flow_hunt *hunt_find(const struct flows *flows, uint64_t id)
{
	struct base_map_node *node = base_map_find(&flows->hunts, id_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct flow_hunt, by_id) : NULL;
}

static struct flow_hunt *hunt_new(struct flows *flows, uint64_t id)
{
	struct flow_hunt *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->flows = flows;
	h->id = id;
	base_list_init(&h->node);
	if (base_map_insert(&flows->hunts, id_key(&h->id), &h->by_id)) {
		free(h);
		return NULL;
	}
	touch(h);
	return h;
}

static void begin(struct flows *flows, uint64_t id, const struct flow_question *question,
                  struct sip_flow last)
{
	struct flow_hunt *h = hunt_new(flows, id);

	flows->count.lookups++;
	if (!h) {
		tell(flows, id, (struct sip_flow){ 0 }, 503);
		return;
	}
	h->last = last;
	if (flow_lookup_start(&h->lookup, flows->resolver, question, on_resolved, h))
		no_way(h, 503);
}

void flows_seek(struct flows *flows, uint64_t id, struct base_str uri, size_t octets,
                unsigned attempt, struct sip_flow last)
{
	struct flow_hunt *h = hunt_find(flows, id);
	const struct flow_question question = {
		.uri = uri,
		.transports =
		        1U << FLOW_UDP | 1U << FLOW_TCP | (flows->domain ? 1U << FLOW_TLS : 0),
		.long_request = octets > flows->config.datagram_max,
	};

	if (h && !attempt) {
		hunt_free(h);
		h = NULL;
	}
	if (!attempt) {
		begin(flows, id, &question, last);
	} else if (!h || h->lookup) {
		tell(flows, id, (struct sip_flow){ 0 }, 503);
	} else {
		if (h->tried)
			note_failed(flows, &h->targets[h->next - 1]);
		h->tried = false;
		touch(h);
		take_next(h);
	}
}

void flow_hunts_free(struct flows *flows)
{
	BASE_LIST_EACH(&flows->hunting, node, after)
	hunt_free(BASE_CONTAINER_OF(node, struct flow_hunt, node));
	loop_timer_stop(flows->loop, &flows->forget);
}
