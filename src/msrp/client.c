/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint: what it sends. RFC 4975, 7.1.1; RFC 7701, 7.1. */
#include <stdlib.h>

#include "msrp/client_private.h"

#define NO_MEMORY    BASE_ERR(BASE_LOCAL, 0)
#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct msrp_upload, node)

int msrp_client_new(struct msrp_client **ret, const struct msrp_client_spec *spec,
                    struct base_error *err)
{
	struct msrp_client *c = calloc(1, sizeof(*c));
	int rc = c ? msrp_ids_init(&c->ids) : NO_MEMORY;

	if (rc) {
		free(c);
		return base_error_set(err, rc, "no memory, or no random octets");
	}
	c->spec = *spec;
	c->spec.messages = spec->messages ? spec->messages : 16;
	c->spec.window = spec->window ? spec->window : 256 * (size_t)1024;
	c->spec.chunk_ms = spec->chunk_ms ? spec->chunk_ms : 540000;
	base_list_init(&c->uploads);
	base_list_init(&c->incoming);
	rc = msrp_link_init(&c->link, &client_link_ops, c, &c->pool, &c->ids, spec->own, spec->peer,
	                    err);
	if (rc) {
		free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void msrp_client_free(struct msrp_client *c)
{
	struct base_node *node;

	if (!c)
		return;
	while ((node = base_list_shift(&c->uploads)))
		msrp_upload_end(OF_NODE(node), '#');
	client_drop_messages(c);
	msrp_link_done(&c->link);
	msrp_pool_done(&c->pool);
	free(c);
}

/** A message's head as the link has it. */
static struct msrp_head head_of(const struct msrp_client *c, const char *id)
{
	return (struct msrp_head){ .method = MSRP_SEND,
		                   .to_path = c->link.peer,
		                   .from_path = c->link.own,
		                   .message_id = base_str_of(id) };
}

int msrp_client_hello(struct msrp_client *c)
{
	struct msrp_sending *sending = NULL;
	struct msrp_head head;
	char id[17];
	int rc;

	msrp_id_next(&c->ids, id);
	head = head_of(c, id);
	rc = msrp_out_begin(&c->link.out, &head, &sending);
	if (!rc)
		msrp_sending_end(sending, '$');
	c->spec.ops->wake(c->spec.arg);
	return rc;
}

int msrp_client_nickname(struct msrp_client *c, struct base_str nickname, uint64_t now_ms)
{
	struct msrp_head head = { .method = MSRP_NICKNAME,
		                  .method_name = BASE_STR("NICKNAME"),
		                  .to_path = c->link.peer,
		                  .from_path = c->link.own };
	struct base_writer w = { 0 };
	int rc = NO_MEMORY;

	msrp_nickname_write(&w, nickname);
	head.use_nickname = base_writer_view(&w);
	if (!w.failed)
		rc = msrp_out_ask(&c->link.out, &head, (struct base_str){ 0 }, BASE_STR("nickname"),
		                  now_ms);
	base_writer_done(&w);
	c->spec.ops->wake(c->spec.arg);
	return rc;
}

int msrp_upload_new(struct msrp_client *c, const struct msrp_upload_spec *spec, char id[17],
                    struct msrp_upload **ret)
{
	struct msrp_upload *u = calloc(1, sizeof(*u));
	struct msrp_head head;

	if (!u)
		return NO_MEMORY;
	msrp_id_next(&c->ids, id);
	head = head_of(c, id);
	head.content_type = spec->content_type;
	head.has_range = true;
	head.range = (struct msrp_range){ .start = 1,
		                          .total = spec->total,
		                          .total_known = spec->total_known };
	head.has_success = head.success = spec->success;
	head.has_failure = spec->failure != MSRP_FAILURE_YES;
	head.failure = spec->failure;
	if (msrp_out_begin(&c->link.out, &head, &u->sending)) {
		free(u);
		return NO_MEMORY;
	}
	u->client = c;
	u->feed.pool = &c->pool;
	base_list_append(&c->uploads, &u->node);
	*ret = u;
	return 0;
}

size_t msrp_upload_room(const struct msrp_upload *u)
{
	struct msrp_client *c = u->client;
	size_t queued = c->link.out.queued;

	c->hungry = c->hungry || queued >= c->spec.window;
	return queued < c->spec.window ? c->spec.window - queued : 0;
}

int msrp_upload_put(struct msrp_upload *u, struct base_str data)
{
	struct msrp_block *block;
	uint32_t at, len;

	if (!u->sending)
		return BASE_ERR(BASE_PEER, MSRP_STOP);
	while (data.len) {
		block = msrp_feed_put(&u->feed, &data, &at, &len);
		if (!block || msrp_sending_put(u->sending, block, at, len))
			return NO_MEMORY;
	}
	u->client->spec.ops->wake(u->client->spec.arg);
	return 0;
}

void msrp_upload_end(struct msrp_upload *u, char flag)
{
	if (u->sending)
		msrp_sending_end(u->sending, flag);
	u->client->spec.ops->wake(u->client->spec.arg);
	msrp_feed_done(&u->feed);
	base_list_remove(&u->node);
	free(u);
}

int msrp_client_input(struct msrp_client *c, struct base_str *in, uint64_t now_ms,
                      struct base_error *err)
{
	int rc = msrp_link_input(&c->link, in, now_ms, err);

	if (!rc && msrp_out_ready(&c->link.out))
		c->spec.ops->wake(c->spec.arg);
	return rc;
}

size_t msrp_client_take(struct msrp_client *c, void *buf, size_t cap, uint64_t now_ms)
{
	size_t n = msrp_out_take(&c->link.out, buf, cap, now_ms);

	if (c->hungry && c->link.out.queued < c->spec.window) {
		c->hungry = false;
		c->spec.ops->wake(c->spec.arg);
	}
	return n;
}

void msrp_client_tick(struct msrp_client *c, uint64_t now_ms)
{
	msrp_link_tick(&c->link, now_ms);
	client_expire(c, now_ms);
}

uint64_t msrp_client_due(const struct msrp_client *c)
{
	return BASE_MIN(msrp_out_due(&c->link.out), client_message_due(c));
}
