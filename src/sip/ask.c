/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request of ours, above its transactions: it looks for a way, is sent, and is sent anew where
 * that way does not work (RFC 3263, 4.3). Whatever ends it is told later, by its transaction or a
 * timer, so that nobody hears of an end before he has heard of the beginning.
 */
#include <stdlib.h>

#include "sip/ua_private.h"

/* Ways that are tried, even where the owner has no end of them. */
#define ATTEMPTS_MAX 8
/* Of a request without its body: with some routes and credentials. */
#define USUAL_OCTETS 700

struct sip_ask *sip_ask_find(const struct sip_ua *ua, uint64_t id)
{
	struct base_map_node *node =
	        base_map_find(&ua->by_id, (struct base_str){ (const char *)&id, sizeof(id) });

	return node ? BASE_CONTAINER_OF(node, struct sip_ask, by_id) : NULL;
}

void sip_ask_free(struct sip_ask *ask)
{
	loop_timers_stop(&ask->ua->timers, &ask->later);
	if (ask->mapped)
		base_map_remove(&ask->ua->by_id, &ask->by_id);
	base_list_remove(&ask->node);
	base_writer_done(&ask->uri);
	base_writer_done(&ask->auth);
	free(ask);
}

static void over(struct sip_ask *ask, unsigned status)
{
	if (ask->owner)
		ask->ops->over(ask->owner, ask, status);
	sip_ask_free(ask);
}

static void on_over(void *arg)
{
	struct sip_ask *ask = arg;

	over(ask, ask->failed);
}

static void over_later(struct sip_ask *ask, unsigned status)
{
	ask->failed = status;
	sip_ua_timer(ask->ua, &ask->later, 0, on_over, ask);
}

static void send_ask(struct sip_ask *ask);

/* Its way, by the owner: at once or later. */
static void look(void *arg)
{
	struct sip_ask *ask = arg;
	struct sip_way way = { .id = ask->id,
		               .uri = base_writer_view(&ask->uri),
		               .octets = ask->octets,
		               .attempt = ask->attempt++,
		               .last = ask->flow };

	if (!ask->owner) {
		sip_ask_free(ask);
		return;
	}
	if (way.attempt == ATTEMPTS_MAX || (ask->bound && way.attempt)) {
		over(ask, ask->failed);
		return;
	}
	if (ask->bound) {
		send_ask(ask);
		return;
	}
	ask->looking = true;
	ask->ua->ops.on_way(ask->ua->ops.arg, &way);
}

static int make(struct sip_ask **ret, struct sip_ua *ua, const struct sip_ask_ops *ops, void *owner,
                struct base_str uri, struct sip_flow flow)
{
	struct sip_ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return BASE_ERR(BASE_LOCAL, 500);
	ask->ua = ua;
	base_list_append(&ua->asks, &ask->node);
	ask->id = ++ua->next_id;
	base_writer_str(&ask->uri, uri);
	ask->mapped = !ask->uri.failed &&
	              !base_map_insert(&ua->by_id,
	                               (struct base_str){ (const char *)&ask->id, sizeof(ask->id) },
	                               &ask->by_id);
	if (!ask->mapped) {
		sip_ask_free(ask);
		return BASE_ERR(BASE_LOCAL, 500);
	}
	ask->ops = ops;
	ask->owner = owner;
	ask->flow = flow;
	*ret = ask;
	return 0;
}

int sip_ask_new(struct sip_ask **ret, struct sip_ua *ua, const struct sip_ask_ops *ops, void *owner,
                struct base_str uri, struct sip_flow last, size_t octets)
{
	int rc = make(ret, ua, ops, owner, uri, last);

	if (rc)
		return rc;
	(*ret)->octets = octets;
	look(*ret);
	return 0;
}

int sip_ask_by(struct sip_ask **ret, struct sip_ua *ua, const struct sip_ask_ops *ops, void *owner,
               struct base_str uri, struct sip_flow flow)
{
	int rc = make(ret, ua, ops, owner, uri, flow);

	if (rc)
		return rc;
	(*ret)->bound = true;
	look(*ret);
	return 0;
}

void sip_ask_forget(struct sip_ask *ask)
{
	if (!ask)
		return;
	ask->owner = NULL;
	if (!ask->txn && !loop_timer_active(&ask->later))
		sip_ua_timer(ask->ua, &ask->later, 0, look, ask); /* which frees it */
}

bool sip_ask_unsent(const struct sip_ask *ask)
{
	return !ask->txn;
}

/* Another way, unless nobody wants it any more or it has been answered. */
static void again(struct sip_ask *ask, unsigned status)
{
	ask->failed = status;
	ask->txn = NULL;
	sip_ua_timer(ask->ua, &ask->later, 0, look, ask);
}

static void send_ask(struct sip_ask *ask)
{
	struct sip_ua *ua = ask->ua;
	char branch[SIP_BRANCH_MAX];
	struct sip_local local = { 0 };
	const struct sip_content *content;
	struct base_writer w = { 0 };
	int rc;

	ua->ops.local(ua->ops.arg, ask->flow, &local);
	sip_branch(ua->txns, branch);
	local.branch = branch;
	content = ask->ops->build(ask->owner, &w, &local);
	if (!ask->ops->sent) {
		sip_auth_write(ask, &w, content);
		base_writer_put(&w, ask->auth.data, ask->auth.len);
		w.failed |= ask->auth.failed;
		if (ua->request_lines && !ask->bound)
			base_writer_text(&w, ua->request_lines);
	}
	sip_content_write(ua, &w, content);
	if (w.failed) {
		over_later(ask, 500);
	} else if (ask->ops->sent) { /* an ACK is no transaction (13.2.2.4) */
		ask->ops->sent(ask->owner, ask->flow, base_writer_view(&w));
		rc = ua->ops.send(ua->ops.arg, ask->flow, base_writer_view(&w));
		if (rc)
			again(ask, 503);
		else
			over_later(ask, 0);
	} else {
		rc = sip_request_send(ua->txns, ask->flow, base_writer_view(&w), ask, &ask->txn);
		if (rc && base_err_class(rc) == BASE_BUG)
			over_later(ask, 500);
		else if (rc)
			again(ask, 503);
	}
	base_writer_done(&w);
}

void sip_ua_way(struct sip_ua *ua, uint64_t id, struct sip_flow flow)
{
	struct sip_ask *ask = sip_ask_find(ua, id);

	if (!ask || !ask->looking || !ask->owner)
		return;
	ask->looking = false;
	ask->flow = flow;
	send_ask(ask);
}

void sip_ua_no_way(struct sip_ua *ua, uint64_t id, unsigned status)
{
	struct sip_ask *ask = sip_ask_find(ua, id);

	if (!ask || !ask->looking || !ask->owner)
		return;
	ask->looking = false;
	over_later(ask, ask->failed ? ask->failed : status ? status : 503);
}

void sip_ask_response(struct sip_ask *ask, const struct sip_message *msg)
{
	if (!ask->owner)
		return;
	/* 503 of one server says nothing of the next (RFC 3263, 4.3) */
	if (msg->status == 503 && !ask->told && !ask->last && !ask->bound) {
		sip_txn_user_set(ask->txn, NULL);
		again(ask, 503);
		return;
	}
	if (!ask->told && !ask->last && sip_auth_challenged(ask, msg)) {
		bool go_on = !ask->ops->challenged || ask->ops->challenged(ask->owner, msg);

		if (!ask->owner) /* he has ended it just now */
			return;
		if (go_on) {
			sip_txn_user_set(ask->txn, NULL);
			ask->txn = NULL;
			send_ask(ask);
			return;
		}
	}
	if (msg->status >= 200)
		ask->told = true;
	if (ask->ops->response)
		ask->ops->response(ask->owner, ask, msg);
}

void sip_ask_ended(struct sip_ask *ask, enum sip_end why)
{
	ask->txn = NULL;
	if (why == SIP_END_DONE || ask->told || !ask->owner)
		over(ask, 0);
	else if (ask->last)
		over(ask, why == SIP_END_TIMEOUT ? 408 : 503);
	else
		again(ask, why == SIP_END_TIMEOUT ? 408 : 503);
}

/* -- outside of dialogs --------------------------------------------------------------------------
 */

static int keep(struct base_arena *arena, struct base_str from, struct base_str *ret)
{
	char *copy = base_arena_dup(arena, from);

	*ret = (struct base_str){ copy, from.len };
	return copy ? 0 : BASE_ERR(BASE_LOCAL, 500);
}

static int keep_text(struct base_arena *arena, const char **text)
{
	if (!*text)
		return 0;
	*text = base_arena_dup(arena, base_str_of(*text));
	return *text ? 0 : BASE_ERR(BASE_LOCAL, 500);
}

int sip_content_keep(struct base_arena *arena, const struct sip_content *content,
                     struct sip_content *ret)
{
	*ret = *content;
	if (keep_text(arena, &ret->reason) || keep_text(arena, &ret->lines) ||
	    keep_text(arena, &ret->type))
		return BASE_ERR(BASE_LOCAL, 500);
	return keep(arena, content->body, &ret->body);
}

/* A fresh one where there is none. */
static int keep_random(struct sip_ua *ua, struct base_arena *arena, struct base_str from,
                       unsigned words, struct base_str *ret)
{
	char text[4 * SIP_TAG_MAX], *at = text;

	if (from.len)
		return keep(arena, from, ret);
	for (unsigned i = 0; i < words; i++, at += SIP_TAG_MAX - 1)
		sip_tag(ua, at);
	return keep(arena, base_str_of(text), ret);
}

int sip_draft_keep(struct sip_ua *ua, struct base_arena *arena, const struct sip_draft *draft,
                   struct sip_draft *ret)
{
	struct base_str *routes = base_arena_array(arena, draft->route_count + 1, sizeof(*routes));

	*ret = *draft;
	ret->routes = routes;
	if (!routes)
		return BASE_ERR(BASE_LOCAL, 500);
	for (size_t i = 0; i < draft->route_count; i++) {
		if (keep(arena, draft->routes[i], &routes[i]))
			return BASE_ERR(BASE_LOCAL, 500);
	}
	if (keep_text(arena, &ret->contact_params) || keep_text(arena, &ret->method) ||
	    keep(arena, draft->target, &ret->target) || keep(arena, draft->from, &ret->from) ||
	    keep(arena, draft->to, &ret->to) ||
	    keep_random(ua, arena, draft->call_id, 2, &ret->call_id) ||
	    keep_random(ua, arena, draft->tag, 1, &ret->tag))
		return BASE_ERR(BASE_LOCAL, 500);
	return sip_content_keep(arena, &draft->content, &ret->content);
}

struct base_str sip_draft_next_hop(const struct sip_draft *draft)
{
	struct sip_addr first;

	if (draft->route_count && !sip_addr_parse(draft->routes[0], &first))
		return first.uri;
	return draft->target;
}

size_t sip_content_octets(const struct sip_content *content)
{
	return USUAL_OCTETS + content->body.len + (content->lines ? strlen(content->lines) : 0);
}

struct plain {
	struct sip_ua *ua;
	struct base_arena arena;
	struct sip_draft draft;
	uint32_t cseq;
	sip_asked_fn *fn; /* NULL = forgotten */
	void *user;
	struct sip_ask *ask;
};

static void plain_free(struct plain *p)
{
	base_arena_done(&p->arena);
	free(p);
}

void sip_draft_write(struct base_writer *w, const struct sip_draft *d, uint32_t cseq,
                     const struct sip_local *local)
{
	base_writer_printf(w, "%s %.*s SIP/2.0\r\n", d->method, BASE_FMT(d->target));
	base_writer_printf(w, "Via: SIP/2.0/%s %s;branch=%s\r\nMax-Forwards: 70\r\n",
	                   local->transport, local->sent_by, local->branch);
	for (size_t i = 0; i < d->route_count; i++)
		base_writer_printf(w, "Route: %.*s\r\n", BASE_FMT(d->routes[i]));
	base_writer_printf(w, "From: %.*s;tag=%.*s\r\nTo: %.*s\r\n", BASE_FMT(d->from),
	                   BASE_FMT(d->tag), BASE_FMT(d->to));
	base_writer_printf(w, "Call-ID: %.*s\r\nCSeq: %u %s\r\n", BASE_FMT(d->call_id), cseq,
	                   d->method);
	if (d->contact)
		base_writer_printf(w, "Contact: <%s>%s\r\n", local->contact,
		                   d->contact_params ? d->contact_params : "");
}

static const struct sip_content *plain_build(void *owner, struct base_writer *w,
                                             const struct sip_local *local)
{
	struct plain *p = owner;

	sip_draft_write(w, &p->draft, ++p->cseq, local);
	return &p->draft.content;
}

static void plain_response(void *owner, struct sip_ask *ask, const struct sip_message *msg)
{
	struct plain *p = owner;
	sip_asked_fn *fn = p->fn;

	(void)ask;
	if (msg->status < 200 || !fn)
		return;
	p->fn = NULL;
	fn(p->user, msg, msg->status, p->cseq);
}

static void plain_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct plain *p = owner;

	(void)ask;
	if (p->fn)
		p->fn(p->user, NULL, status ? status : 408, p->cseq);
	plain_free(p);
}

static void plain_drop(void *owner)
{
	plain_free(owner);
}

static const struct sip_ask_ops plain_ops = {
	.build = plain_build, .response = plain_response, .over = plain_over, .drop = plain_drop
};

int sip_ua_ask(struct sip_ua *ua, const struct sip_draft *draft, sip_asked_fn *fn, void *user,
               uint64_t *ret_id)
{
	struct plain *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return BASE_ERR(BASE_LOCAL, 500);
	p->ua = ua;
	p->fn = fn;
	p->user = user;
	p->cseq = draft->cseq ? draft->cseq - 1 : 0;
	rc = sip_draft_keep(ua, &p->arena, draft, &p->draft);
	if (!rc)
		rc = sip_ask_new(&p->ask, ua, &plain_ops, p, sip_draft_next_hop(&p->draft),
		                 (struct sip_flow){ 0 }, sip_content_octets(&p->draft.content));
	if (rc)
		plain_free(p);
	else if (ret_id)
		*ret_id = p->ask->id;
	return rc;
}

void sip_ua_ask_forget(struct sip_ua *ua, uint64_t id)
{
	struct sip_ask *ask = sip_ask_find(ua, id);

	if (ask && ask->ops == &plain_ops)
		((struct plain *)ask->owner)->fn = NULL;
}
