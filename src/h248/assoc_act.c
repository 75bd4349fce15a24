/* SPDX-License-Identifier: Apache-2.0 */
/* What the association does when its table says so. Each action runs after the state has changed;
 * it may raise one more event as the last thing it does. */
#include "h248/assoc_private.h"

/* T-MAX ends a probe; this only guards against one that could not be sent. */
#define PROBE_GUARD_MS 60000

static void drop_peer(struct h248_assoc *a)
{
	struct h248_peer *peer = a->peer;

	a->peer = NULL; /* first: the callbacks of its requests look here */
	h248_peer_free(peer);
}

static void go_down(struct h248_assoc *a, enum h248_assoc_cause cause)
{
	if (a->ops.on_down)
		a->ops.on_down(a->user, a->peer, cause);
	drop_peer(a);
}

/* Register with `target`, by the peer we have or, when there is none, a new one. */
static void attempt_by(struct h248_assoc *a, const struct h248_addr *target, unsigned method)
{
	uint32_t wait = a->config.register_ms;

	a->target = *target;
	a->method = (uint8_t)method;
	if (a->peer)
		h248_peer_addr_set(a->peer, target);
	/* What cannot even be sent is tried elsewhere, in a moment. */
	if ((!a->peer && h248_peer_new(&a->peer, a->txn, target) != 0) ||
	    assoc_register_send(a) != 0)
		wait = 1;
	assoc_timer_start(a, wait ? wait : (uint64_t)UINT32_MAX);
}

static void attempt(struct h248_assoc *a, const struct h248_addr *target, unsigned method)
{
	drop_peer(a);
	attempt_by(a, target, method);
}

static unsigned method_for(const struct h248_assoc *a, const struct h248_addr *target)
{
	if (!a->was_up)
		return H248_RESTART;
	return h248_addr_equal(target, &a->last) ? H248_DISCONNECTED : H248_FAILOVER;
}

void assoc_act_nothing(struct h248_assoc *a)
{
	(void)a;
}

/* 9.2: a random part of the maximum waiting delay, so that gateways do not start as one. */
void assoc_act_wait_mwd(struct h248_assoc *a)
{
	uint32_t random = 0;

	(void)base_random(&random, sizeof(random)); /* without it all wait the same: still right */
	a->wait_ms = a->config.retry_ms;
	assoc_timer_start(a, a->config.mwd_ms ? random % ((uint64_t)a->config.mwd_ms + 1) : 0);
}

void assoc_act_try_next(struct h248_assoc *a)
{
	while (a->next < a->config.controllers_count) {
		const struct h248_addr *target = &a->controllers[a->next];

		if (a->next++ == a->skip)
			continue;
		a->redirects = 0;
		attempt(a, target, method_for(a, target));
		return;
	}
	assoc_fire(a, E_EXHAUSTED);
}

void assoc_act_try_first(struct h248_assoc *a)
{
	a->next = 0;
	a->skip = ASSOC_NONE;
	assoc_act_try_next(a);
}

void assoc_act_redirect(struct h248_assoc *a)
{
	struct h248_addr target = a->redirect_to;

	if (++a->redirects > a->config.max_redirects)
		assoc_act_try_next(a);
	else
		attempt(a, &target, a->method);
}

/* 11.2: "wait a random amount of time"; longer after each round, up to a bound. */
void assoc_act_wait_retry(struct h248_assoc *a)
{
	uint32_t random = 0;

	(void)base_random(&random, sizeof(random));
	drop_peer(a);
	assoc_timer_start(a, a->wait_ms / 2 + random % (a->wait_ms / 2 + 1));
	a->wait_ms = (uint32_t)BASE_MIN((uint64_t)a->wait_ms * 2, (uint64_t)a->config.retry_max_ms);
}

void assoc_act_heard(struct h248_assoc *a)
{
	if (a->config.inactivity_ms)
		assoc_timer_start(a, a->config.inactivity_ms);
}

void assoc_act_come_up(struct h248_assoc *a)
{
	a->was_up = true;
	a->last = a->target;
	a->wait_ms = a->config.retry_ms;
	assoc_act_heard(a);
	h248_peer_resend(a->peer); /* what a lost connection has left unanswered (D.2) */
	if (a->ops.on_up)
		a->ops.on_up(a->user, a->peer);
}

static void on_probed(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                      const struct h248_transaction *reply)
{
	const struct h248_assoc *a = arg;

	(void)msg;
	(void)reply; /* whatever it says, it was an answer, and on_heard has told */
	/* One that has outlived a lost connection says nothing about the state of today. */
	if (outcome == H248_OUTCOME_TIMEOUT && a->state == H248_ASSOC_PROBING)
		assoc_fire(arg, E_NO_REPLY);
}

/* Notify of it/ito on ROOT (package `it`, H.248.14; its ids are marked R in the fact sheet). When
 * no controller asked for the event the Notify is of our own making (P): an error is an answer. */
void assoc_act_probe(struct h248_assoc *a)
{
	static const struct h248_name ito = { { "it", 2 }, { "ito", 3 } };
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_action *action = req ? h248_action_add(&arena, req, H248_CONTEXT_NULL) : NULL;
	struct h248_command *command =
	        h248_command_add(&arena, action, H248_NOTIFY, BASE_STR("ROOT"));
	struct h248_observed_events *observed =
	        command ? h248_observed_add(&arena, command, a->inactivity_request) : NULL;

	assoc_timer_start(a, PROBE_GUARD_MS);
	if (observed && h248_observed_event_add(&arena, observed, ito))
		(void)h248_txn_request(a->peer, req, 0, on_probed, a, NULL);
	base_arena_done(&arena);
}

static size_t index_of(const struct h248_assoc *a, const struct h248_addr *addr)
{
	for (size_t i = 0; i < a->config.controllers_count; i++) {
		if (h248_addr_equal(&a->controllers[i], addr))
			return i;
	}
	return ASSOC_NONE;
}

/* 11.5: from the beginning of the list, but not the one that has failed. */
void assoc_act_fail_over(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_SILENT);
	a->next = 0;
	a->skip = index_of(a, &a->last);
	assoc_act_try_next(a);
}

/*
 * D.1.5: the same controller first, with method Disconnected; then the others. Only the connection
 * is lost: the peer stays with all that it asked and that we asked, so that what either side
 * repeats afterwards is known and not executed twice (8.2.3, D.1.1).
 */
void assoc_act_reconnect(struct h248_assoc *a)
{
	struct h248_addr last = a->last;

	if (a->ops.on_down)
		a->ops.on_down(a->user, a->peer, H248_CAUSE_LOST);
	a->next = 0;
	a->skip = index_of(a, &last);
	attempt_by(a, &last, H248_DISCONNECTED);
}

void assoc_act_hand_off(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_HANDOFF);
	a->next = 0;
	a->skip = index_of(a, &a->last);
	attempt(a, &a->handoff_to, H248_HAND_OFF);
}

/* 11.4: ServiceChange with Graceful or Forced on ROOT. */
void assoc_act_leave(struct h248_assoc *a)
{
	assoc_timer_start(a, a->config.leave_ms);
	assoc_leave_send(a);
}

void assoc_act_gone(struct h248_assoc *a)
{
	assoc_timer_stop(a);
	if (a->ops.on_gone)
		a->ops.on_gone(a->user);
}

void assoc_act_give_up(struct h248_assoc *a)
{
	drop_peer(a);
	assoc_act_gone(a);
}

void assoc_act_left(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_LEFT);
	assoc_act_gone(a);
}
