/* SPDX-License-Identifier: Apache-2.0 */
/* What all connections of a program share. */
#include <errno.h>
#include <stdlib.h>

#include "stream/private.h"

#define CONNS_MAX 16384
#define ASK_MS    5000

int streams_new(struct streams **ret, struct loop *loop, const struct streams_config *config)
{
	struct streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_init(&streams->conns);
	base_list_init(&streams->dead);
	base_list_init(&streams->listeners);
	base_list_init(&streams->slots);
	streams->loop = loop;
	if (config)
		streams->config = *config;
	if (!streams->config.area)
		streams->config.area = "stream";
	if (!streams->config.conns_max)
		streams->config.conns_max = CONNS_MAX;
	if (!streams->config.ask_ms)
		streams->config.ask_ms = ASK_MS;
	streams->in = malloc(STREAM_READ);
	streams->clear = malloc(STREAM_CLEAR);
	if (!streams->in || !streams->clear) {
		streams_free(streams);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	*ret = streams;
	return 0;
}

void streams_free(struct streams *streams)
{
	if (!streams)
		return;
	BASE_LIST_EACH(&streams->conns, node, after)
	stream_free(BASE_CONTAINER_OF(node, struct stream, node));
	stream_reap(streams);
	stream_listeners_free(streams);
	stream_slots_free(streams);
	base_writer_done(&streams->wire);
	free(streams->in);
	free(streams->clear);
	free(streams);
}

struct loop *streams_loop(const struct streams *streams)
{
	return streams->loop;
}

const struct streams_counters *streams_count(const struct streams *streams)
{
	return &streams->count;
}

size_t streams_conns(const struct streams *streams)
{
	return streams->conns_count;
}
