/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints that go to another worker, with their socket and the bytes they hold.
 *
 *     control                 worker A              worker B
 *     move: `moving` is set -> depart: lets go   -> arrive: takes up
 *     arrived: gives what <-------------------------- tells
 *     was held back
 *
 * While one is under way control holds back the orders for it, and links with it: so no worker
 * meets a leg that is not its own, and orders keep their order. A TLS session does not travel: its
 * engine context is its worker's, with a key in it that signs for one session at a time
 * (gnutls_key.c), and an engine may sign again at any time in a session that is up.
 *
 * Between an unlink and the link that control gives with it lies time, and a peer's end may come in
 * it. So no leg ends in order for want of a partner by itself: it asks control, whose answer comes
 * behind all orders that were given before. If it has a partner then, its end is carried to that.
 */
#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "relay/dgram.h"

enum relay_reach relay_endpoint_reach(const struct relay_endpoint *endpoint,
                                      const struct relay_context *context)
{
	if (endpoint->home == context->worker)
		return RELAY_NEAR;
	return endpoint->moving ? RELAY_BUSY : RELAY_FAR;
}

/* ---- orders that wait ---- */

static void hold(struct relay_endpoint *endpoint, struct relay_held *order)
{
	struct relay_held **at = &endpoint->held;

	if (!*at)
		base_list_append(&endpoint->pool->holders, &endpoint->holder);
	while (*at)
		at = &(*at)->next;
	order->next = NULL;
	*at = order;
}

void relay_order_post(struct relay_endpoint *endpoint, struct relay_held *order, loop_fn *fn,
                      void *arg)
{
	order->msg.fn = fn;
	order->msg.arg = arg;
	if (endpoint->moving || endpoint->held ||
	    (order->other && (order->other->moving || order->other->held)))
		hold(endpoint, order);
	else
		relay_worker_order(endpoint->home, &order->msg, fn, arg);
}

static void give(struct relay_endpoint *endpoint)
{
	struct relay_held *order;

	while (!endpoint->moving && (order = endpoint->held)) {
		if (order->other && order->other->moving)
			return;
		endpoint->held = order->next;
		relay_worker_order(endpoint->home, &order->msg, order->msg.fn, order->msg.arg);
	}
	if (!endpoint->held)
		base_list_remove(&endpoint->holder);
}

void relay_orders_forget(const struct relay_endpoint *gone)
{
	BASE_LIST_EACH(&gone->pool->holders, node, after)
	{
		struct relay_endpoint *e = BASE_CONTAINER_OF(node, struct relay_endpoint, holder);

		for (struct relay_held *order = e->held; order; order = order->next)
			if (order->other == gone) {
				order->other = NULL;
				relay_order_unlink(order);
			}
	}
}

/* ---- who has no partner ---- */

/* Is an order about it held back? */
static bool unsettled(const struct relay_endpoint *endpoint)
{
	if (endpoint->moving || endpoint->held)
		return true;
	BASE_LIST_EACH(&endpoint->pool->holders, node, after)
	{
		struct relay_endpoint *e = BASE_CONTAINER_OF(node, struct relay_endpoint, holder);

		for (struct relay_held *order = e->held; order; order = order->next)
			if (order->other == endpoint)
				return true;
	}
	return false;
}

static void on_lone(void *arg)
{
	struct relay_leg *leg = arg;

	leg->lone_asked = false;
	if (leg->partner || relay_leg_gone(leg))
		return;
	leg->lone = true;
	relay_leg_resume(leg);
}

/* Or later: an order is held back for an arrival, and each arrival comes here. */
static void answer(struct relay_endpoint *endpoint)
{
	if (unsettled(endpoint))
		return;
	base_list_remove(&endpoint->asker);
	relay_order_post(endpoint, &endpoint->lone, on_lone, &endpoint->leg);
}

static void open_asks(struct relay_letter *letter, bool discard)
{
	struct relay_endpoint *endpoint = BASE_CONTAINER_OF(letter, struct relay_endpoint, asks);

	if (discard || endpoint->removed)
		return;
	base_list_append(&endpoint->pool->askers, &endpoint->asker);
	answer(endpoint);
}

bool relay_leg_may_end_alone(struct relay_leg *leg)
{
	if (leg->lone || !leg->owner || leg->removed)
		return true;
	if (leg->lone_asked)
		return false;
	leg->lone_asked = true;
	leg->owner->asks.open = open_asks;
	relay_mailbox_post(&leg->owner->pool->mailbox, &leg->owner->asks);
	return false;
}

void relay_orders_discard(struct relay_endpoint *endpoint)
{
	struct relay_held *order;

	/* The workers have ended and the legs are gone: an order then only frees what it holds. */
	while ((order = endpoint->held)) {
		endpoint->held = order->next;
		if (order != &endpoint->remove)
			order->msg.fn(order->msg.arg);
	}
	base_list_remove(&endpoint->holder);
}

/* ---- the way ---- */

static void open_arrived(struct relay_letter *letter, bool discard)
{
	struct relay_endpoint *endpoint = BASE_CONTAINER_OF(letter, struct relay_endpoint, arrived);

	if (discard)
		return;
	endpoint->moving = false;
	BASE_LIST_EACH(&endpoint->pool->holders, node, after)
	{
		give(BASE_CONTAINER_OF(node, struct relay_endpoint, holder));
	}
	BASE_LIST_EACH(&endpoint->pool->askers, asker, then)
	{
		answer(BASE_CONTAINER_OF(asker, struct relay_endpoint, asker));
	}
}

static void on_arrive(void *arg)
{
	struct relay_endpoint *endpoint = arg;
	struct relay_leg *leg = &endpoint->leg;
	bool watched = leg->watched;

	if (!relay_leg_gone(leg)) {
		base_list_append(&leg->worker->legs, &leg->node);
		leg->judged = leg->worker->sweep;
		relay_leg_time(leg); /* what waits for something waits anew */
		leg->watched = false;
		if (!watched || relay_leg_watch(leg)) /* a failure is told as an event */
			relay_leg_resume(leg);
	}
	endpoint->arrived.open = open_arrived;
	relay_mailbox_post(&endpoint->pool->mailbox, &endpoint->arrived);
}

static void let_go(struct relay_leg *leg)
{
	struct loop *loop = leg->worker->loop;

	relay_leg_link(leg, NULL);
	if (leg->session) { /* it has begun meanwhile */
		relay_leg_input(leg, RELAY_ON_ABORT, RELAY_CAUSE_RESOURCES, 0);
		return;
	}
	loop_timer_stop(loop, &leg->timer);
	if (leg->door)
		loop_timer_stop(loop, &leg->door->timer);
	loop_defer_stop(loop, &leg->turn);
	if (leg->watched)
		loop_fd_stop(loop, &leg->watch);
	relay_dgram_unwatch(leg);
	base_list_remove(&leg->node);
}

static void on_depart(void *arg)
{
	struct relay_endpoint *endpoint = arg;
	struct relay_pool *pool = endpoint->pool;
	struct relay_leg *leg = &endpoint->leg;

	/* Once the pool ends nobody leaves any more: the other loop may be gone. */
	atomic_fetch_add(&pool->departing, 1);
	if (!atomic_load(&pool->closing)) {
		if (!relay_leg_gone(leg))
			let_go(leg);
		leg->worker = endpoint->home;
		/* Posted before this one, so it has been opened. */
		loop_post(leg->worker->loop, &endpoint->begin, on_arrive, endpoint);
	}
	atomic_fetch_sub(&pool->departing, 1);
}

/* It goes: links that wait would meet it on another worker than the other one. */
static void part_held(struct relay_endpoint *endpoint)
{
	relay_orders_forget(endpoint);
	for (struct relay_held *order = endpoint->held; order; order = order->next)
		if (order->other) {
			order->other = NULL;
			relay_order_unlink(order);
		}
}

void relay_endpoint_move(struct relay_endpoint *endpoint, struct relay_context *context)
{
	struct relay_worker *from = endpoint->home;

	base_list_remove(&endpoint->node);
	base_list_append(&context->endpoints, &endpoint->node);
	if (from == context->worker || endpoint->moving)
		return;
	assert(!endpoint->room); /* its peers come to the worker where it is */
	from->planned--;
	context->worker->planned++;
	endpoint->home = context->worker;
	endpoint->moving = true;
	part_held(endpoint);
	relay_worker_order(from, &endpoint->depart, on_depart, endpoint);
}

void relay_pool_close(struct relay_pool *pool)
{
	atomic_store(&pool->closing, true);
	while (atomic_load(&pool->departing))
		sched_yield();
}
