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

static void tell_down(struct h248_assoc *a, enum h248_assoc_cause cause)
{
	if (!a->up)
		return;
	a->up = false;
	a->counters.downs++;
	if (a->ops.on_down)
		a->ops.on_down(a->user, a->peer, cause);
}

static void go_down(struct h248_assoc *a, enum h248_assoc_cause cause)
{
	tell_down(a, cause);
	drop_peer(a);
}

static unsigned method_for(const struct h248_assoc *a, const struct h248_addr *target)
{
	if (!a->was_up)
		return H248_RESTART;
	return h248_addr_equal(target, &a->last) ? H248_DISCONNECTED : H248_FAILOVER;
}

/* Say our ServiceChange, by the peer we have or, when there is none, a new one. */
static void say(struct h248_assoc *a)
{
	uint32_t wait = a->config.register_ms;

	if (a->peer)
		h248_peer_addr_set(a->peer, &a->target);
	/* What cannot even be sent is tried elsewhere, in a moment. */
	if ((!a->peer && h248_peer_new(&a->peer, a->txn, &a->target) != 0) ||
	    assoc_register_send(a) != 0)
		wait = 1;
	assoc_timer_start(a, wait ? wait : (uint64_t)UINT32_MAX);
}

static void attempt_at(struct h248_assoc *a, const struct h248_addr *target)
{
	if (h248_addr_equal(target, &a->unfit))
		assoc_unfit_forget(a); /* its next answer may be another */
	a->target = *target;
	if (a->method == H248_METHOD_ABSENT)
		a->method = (uint8_t)method_for(a, target);
	a->offer = a->config.version;
	a->offer_profile = 0;
	say(a);
}

/* Register with a controller; a name is an address first. */
static void attempt(struct h248_assoc *a, const struct h248_controller *to, unsigned method)
{
	drop_peer(a);
	a->method = (uint8_t)method;
	if (to->name[0]) {
		a->wanted = *to;
		assoc_fire(a, E_NAME);
	} else {
		attempt_at(a, &to->addr);
	}
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
	const struct h248_controller *to = assoc_round_next(a);

	a->redirects = 0;
	if (to)
		attempt(a, to, H248_METHOD_ABSENT);
	else
		assoc_fire(a, E_EXHAUSTED);
}

void assoc_act_try_first(struct h248_assoc *a)
{
	assoc_round_begin(a, ASSOC_NONE);
	assoc_act_try_next(a);
}

void assoc_act_redirect(struct h248_assoc *a)
{
	struct h248_controller target = a->redirect_to;

	a->counters.redirected++;
	if (++a->redirects > a->config.max_redirects) {
		assoc_tell_refused(a, &a->target, 0, "too many MgcIdToTry in a row", BASE_STR(""));
		assoc_act_try_next(a);
		return;
	}
	a->at = ASSOC_NONE;
	attempt(a, &target, a->method);
}

/* The same controller again: a lower version, another profile, another method. */
void assoc_act_offer_less(struct h248_assoc *a)
{
	say(a);
}

/* ---- names ---- */

void assoc_act_look_up(struct h248_assoc *a)
{
	a->lookup++;
	a->counters.lookups++;
	assoc_timer_start(a, a->config.resolve_ms);
	if (a->ops.resolve)
		a->ops.resolve(a->ops.resolve_arg ? a->ops.resolve_arg : a->user, a->lookup,
		               a->wanted.name, a->wanted.addr.family);
	else
		assoc_fire(a, E_NOT_FOUND);
}

void assoc_act_go_there(struct h248_assoc *a)
{
	struct h248_addr target = a->wanted.addr;

	attempt_at(a, &target);
}

static void tell_unresolved(struct h248_assoc *a)
{
	struct h248_addr nowhere = a->wanted.addr;

	a->counters.unresolved++;
	a->lookup++; /* an answer that comes after all is late */
	nowhere.family = 0;
	assoc_tell_refused(a, &nowhere, 0,
	                   a->ops.resolve ? "its name has no address"
	                                  : "it is a name, and names are not resolved",
	                   base_str_of(a->wanted.name));
}

void assoc_act_pass_over(struct h248_assoc *a)
{
	tell_unresolved(a);
	assoc_act_try_next(a);
}

void assoc_act_come_up_there(struct h248_assoc *a)
{
	h248_peer_addr_set(a->peer, &a->wanted.addr);
	assoc_act_come_up(a);
}

/* It has accepted us: what it says and what cannot be found is no reason to part (P). */
void assoc_act_come_up_here(struct h248_assoc *a)
{
	tell_unresolved(a);
	assoc_act_come_up(a);
}

/* ---- waiting, and being up ---- */

/*
 * 11.2: "wait a random amount of time as described in 9.2": up to MWD, but no less than half of a
 * bound of our own that doubles with each round (P), so that an MWD of milliseconds is no attack.
 */
void assoc_act_wait_retry(struct h248_assoc *a)
{
	uint64_t least = a->wait_ms / 2, most = BASE_MAX(a->wait_ms, a->config.mwd_ms);
	uint32_t random = 0;

	(void)base_random(&random, sizeof(random));
	drop_peer(a);
	assoc_timer_start(a, least + random % (most - least + 1));
	a->wait_ms = (uint32_t)BASE_MIN((uint64_t)a->wait_ms * 2, (uint64_t)a->config.retry_max_ms);
}

void assoc_act_heard(struct h248_assoc *a)
{
	if (a->config.inactivity_ms)
		assoc_timer_start(a, a->config.inactivity_ms);
}

void assoc_act_come_up(struct h248_assoc *a)
{
	a->up = a->was_up = true;
	a->counters.accepted++;
	a->last = a->target;
	a->last_at = a->at;
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

	a->counters.probes++;
	assoc_timer_start(a, PROBE_GUARD_MS);
	if (observed && h248_observed_event_add(&arena, observed, ito))
		(void)h248_txn_request(a->peer, req, 0, on_probed, a, &a->probe);
	base_arena_done(&arena);
}

/* 11.5: from the beginning of the list, but not the one that has failed. */
void assoc_act_fail_over(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_SILENT);
	assoc_round_begin(a, assoc_last_index(a));
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

	tell_down(a, H248_CAUSE_LOST);
	h248_txn_cancel(a->txn, a->probe); /* it asked about a connection that is no more */
	assoc_round_begin(a, assoc_last_index(a));
	a->at = a->skip;
	a->method = H248_DISCONNECTED;
	attempt_at(a, &last);
}

void assoc_act_hand_off(struct h248_assoc *a)
{
	struct h248_controller target = a->handoff_to;

	go_down(a, H248_CAUSE_HANDOFF);
	assoc_round_begin(a, assoc_last_index(a));
	a->at = ASSOC_NONE;
	a->redirects = 0;
	attempt(a, &target, H248_HAND_OFF);
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
