/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The association of a gateway with its controller: the table `rows` is the whole of its behaviour
 * (RFC 3525, 9.2, 11.2, 11.3, 11.5; fact sheet 5.1). Each action runs after the state has changed;
 * it may raise one more event as the last thing it does.
 */
#include "h248/assoc_private.h"

#include <stdlib.h>

static const char *const event_names[] = {
	[E_START] = "start",
	[E_STOP] = "stop",
	[E_TIMER] = "timer",
	[E_ACCEPTED] = "accepted",
	[E_ACCEPTED_NAME] = "accepted at a name",
	[E_REDIRECTED] = "MgcIdToTry",
	[E_LOWER] = "refused, less may do",
	[E_REFUSED] = "refused",
	[E_NO_REPLY] = "no reply",
	[E_LOST] = "connection lost",
	[E_EXHAUSTED] = "list exhausted",
	[E_NAME] = "name",
	[E_FOUND] = "found",
	[E_NOT_FOUND] = "not found",
	[E_HEARD] = "heard",
	[E_FAILED] = "request timed out",
	[E_HANDOFF] = "HandOff",
	[E_ANSWERED] = "answered",
	[E_ACTIVITY] = "activity",
	[E_FORGOTTEN] = "forgotten",
};

/* ---- the timer of a state ---- */

static void on_timer(void *arg)
{
	assoc_fire(arg, E_TIMER);
}

void assoc_timer_start(struct h248_assoc *a, uint64_t delay_ms)
{
	h248_txn_now(a->txn);
	loop_timers_start(h248_txn_timers(a->txn), &a->timer, delay_ms, on_timer, a);
	h248_txn_timers_changed(a->txn);
}

void assoc_timer_stop(struct h248_assoc *a)
{
	loop_timers_stop(h248_txn_timers(a->txn), &a->timer);
	h248_txn_timers_changed(a->txn);
}

/* ---- the table ---- */

struct row {
	uint8_t state, event;
	void (*action)(struct h248_assoc *a);
	const char *name;
	uint8_t next;
};

#define ROW(state, event, action, next)                                                            \
	{                                                                                          \
		H248_ASSOC_##state, E_##event, assoc_act_##action, #action, H248_ASSOC_##next      \
	}

static const struct row rows[] = {
	ROW(IDLE, START, wait_mwd, WAITING),
	ROW(IDLE, STOP, gone, GONE),

	ROW(WAITING, TIMER, try_first, REGISTERING),
	ROW(WAITING, ACTIVITY, try_first, REGISTERING),
	ROW(WAITING, STOP, gone, GONE),

	ROW(RESOLVING, FOUND, go_there, REGISTERING),
	ROW(RESOLVING, NOT_FOUND, pass_over, REGISTERING),
	ROW(RESOLVING, TIMER, pass_over, REGISTERING),
	ROW(RESOLVING, FORGOTTEN, try_first, REGISTERING),
	ROW(RESOLVING, STOP, give_up, GONE),

	ROW(REGISTERING, ACCEPTED, come_up, REGISTERED),
	ROW(REGISTERING, ACCEPTED_NAME, look_up, LOCATING),
	ROW(REGISTERING, NAME, look_up, RESOLVING),
	ROW(REGISTERING, LOWER, offer_less, REGISTERING),
	ROW(REGISTERING, REDIRECTED, redirect, REGISTERING),
	ROW(REGISTERING, REFUSED, try_next, REGISTERING),
	ROW(REGISTERING, NO_REPLY, try_next, REGISTERING),
	ROW(REGISTERING, LOST, try_next, REGISTERING),
	ROW(REGISTERING, TIMER, try_next, REGISTERING),
	ROW(REGISTERING, EXHAUSTED, wait_retry, WAITING),
	ROW(REGISTERING, FORGOTTEN, try_first, REGISTERING),
	ROW(REGISTERING, STOP, give_up, GONE),

	ROW(LOCATING, FOUND, come_up_there, REGISTERED),
	ROW(LOCATING, NOT_FOUND, come_up_here, REGISTERED),
	ROW(LOCATING, TIMER, come_up_here, REGISTERED),
	ROW(LOCATING, LOST, try_next, REGISTERING),
	ROW(LOCATING, FORGOTTEN, try_first, REGISTERING),
	ROW(LOCATING, STOP, leave, LEAVING),

	ROW(REGISTERED, HEARD, heard, REGISTERED),
	ROW(REGISTERED, TIMER, probe, PROBING),
	ROW(REGISTERED, LOST, reconnect, REGISTERING),
	ROW(REGISTERED, FAILED, fail_over, REGISTERING),
	ROW(REGISTERED, HANDOFF, hand_off, REGISTERING),
	ROW(REGISTERED, STOP, leave, LEAVING),

	ROW(PROBING, HEARD, heard, REGISTERED),
	ROW(PROBING, NO_REPLY, fail_over, REGISTERING),
	ROW(PROBING, TIMER, fail_over, REGISTERING),
	ROW(PROBING, LOST, reconnect, REGISTERING),
	ROW(PROBING, FAILED, fail_over, REGISTERING),
	ROW(PROBING, HANDOFF, hand_off, REGISTERING),
	ROW(PROBING, STOP, leave, LEAVING),

	ROW(LEAVING, ANSWERED, left, GONE),
	ROW(LEAVING, LOST, left, GONE),
	ROW(LEAVING, TIMER, left, GONE),
	ROW(LEAVING, STOP, nothing, LEAVING),

	ROW(GONE, START, wait_mwd, WAITING),
};

void assoc_fire(struct h248_assoc *a, enum assoc_event event)
{
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		uint8_t from = a->state;

		if (row->state != from || row->event != event)
			continue;
		a->state = row->next;
		if (from != row->next) {
			assoc_timer_stop(a);
			if (a->ops.on_state)
				a->ops.on_state(a->user, (enum h248_assoc_state)from,
				                (enum h248_assoc_state)row->next,
				                event_names[event]);
		}
		row->action(a);
		return;
	}
}

bool h248_assoc_row(size_t index, struct h248_assoc_row *ret)
{
	const struct row *row = &rows[index < BASE_COUNT(rows) ? index : 0];

	*ret = (struct h248_assoc_row){ row->state, row->next, event_names[row->event], row->name };
	return index < BASE_COUNT(rows);
}

bool h248_assoc_state_timed(enum h248_assoc_state state)
{
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		if (rows[i].state == state && rows[i].event == E_TIMER)
			return true;
	}
	return false;
}

const char *h248_assoc_state_name(enum h248_assoc_state state)
{
	static const char *const names[H248_ASSOC_STATES] = {
		[H248_ASSOC_IDLE] = "idle",           [H248_ASSOC_WAITING] = "waiting",
		[H248_ASSOC_RESOLVING] = "resolving", [H248_ASSOC_REGISTERING] = "registering",
		[H248_ASSOC_LOCATING] = "locating",   [H248_ASSOC_REGISTERED] = "registered",
		[H248_ASSOC_PROBING] = "probing",     [H248_ASSOC_LEAVING] = "leaving",
		[H248_ASSOC_GONE] = "gone",
	};

	return (unsigned)state < H248_ASSOC_STATES ? names[state] : "?";
}

/* ---- from the transaction layer ---- */

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct h248_assoc *a = arg;

	if (h248_incoming_peer(in) == a->unfit_peer) /* 11.3: should, in any event */
		h248_txn_reply_error(in, H248_E_VERSION, NULL);
	else if (a->state == H248_ASSOC_REGISTERING) /* 11.2: shall */
		h248_txn_reply_error(in, H248_E_BEFORE_REPLY, NULL);
	else if (h248_incoming_peer(in) != a->peer)
		h248_txn_reply_error(in, H248_E_UNAUTHORIZED_ENTITY, NULL);
	else
		a->ops.on_request(a->user, in, msg, req);
}

static void on_message_error(void *arg, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	struct h248_assoc *a = arg;

	if (a->ops.on_message_error)
		a->ops.on_message_error(a->user, peer, from, code, text);
	/* It names no transaction; while we register only our ServiceChange can be meant. */
	if (a->state == H248_ASSOC_REGISTERING &&
	    (peer == a->peer || h248_addr_equal(from, &a->target)))
		assoc_refused(a, code);
}

/* 504 to all of them. One that is a controller of ours shows that it is there: no need to wait. One
 * that we cannot comply with gets another code, so it has to be known. */
static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	struct h248_assoc *a = arg;

	(void)msg;
	if (h248_addr_known(&a->unfit) && !a->unfit_peer && h248_addr_equal(from, &a->unfit))
		return true;
	if (assoc_listed_host(a, from))
		assoc_fire(a, E_ACTIVITY);
	return false;
}

static void on_heard(void *arg, struct h248_peer *peer)
{
	struct h248_assoc *a = arg;

	if (peer == a->peer)
		assoc_fire(a, E_HEARD);
	else if (!a->unfit_peer && h248_addr_equal(h248_peer_addr(peer), &a->unfit))
		a->unfit_peer = peer;
}

/* An mId is easily said: who bears our controller's has to be where a controller can be. */
static bool on_source(void *arg, struct h248_peer *peer, const struct h248_addr *from)
{
	const struct h248_assoc *a = arg;

	return a->config.any_source || assoc_same_host(from, h248_peer_addr(peer)) ||
	       assoc_same_host(from, &a->target) || assoc_listed_host(a, from);
}

static void on_lost(void *arg, struct h248_peer *peer, const char *reason)
{
	struct h248_assoc *a = arg;

	(void)reason;
	if (peer == a->peer)
		assoc_fire(a, E_LOST);
}

static void on_trace(void *arg, bool out, const struct h248_addr *peer, const void *data,
                     size_t len)
{
	struct h248_assoc *a = arg;

	if (a->ops.on_trace)
		a->ops.on_trace(a->user, out, peer, data, len);
}

void h248_assoc_txn_ops(struct h248_txn_ops *ops)
{
	ops->on_request = on_request;
	ops->on_stranger = on_stranger;
	ops->on_source = on_source;
	ops->on_message_error = on_message_error;
	ops->on_heard = on_heard;
	ops->on_lost = on_lost;
}

void h248_assoc_user_ops(struct h248_user_ops *ops)
{
	*ops = (struct h248_user_ops){ .on_request = on_request,
		                       .on_stranger = on_stranger,
		                       .on_source = on_source,
		                       .on_message_error = on_message_error,
		                       .on_heard = on_heard,
		                       .on_lost = on_lost,
		                       .on_trace = on_trace };
}

/* ---- life and orders ---- */

static void set_defaults(struct h248_assoc *a)
{
	struct h248_assoc_config *c = &a->config;

	c->controllers = NULL; /* the caller's; ours is a->controllers */
	c->profiles = NULL;    /* likewise */
	if (c->service_address) {
		a->service_address = *c->service_address;
		c->service_address = &a->service_address;
	}
	c->version = c->version ? c->version : H248_VERSION_MAX;
	c->retry_ms = c->retry_ms ? c->retry_ms : 2000;
	c->retry_max_ms = c->retry_max_ms ? c->retry_max_ms : 60000;
	c->leave_ms = c->leave_ms ? c->leave_ms : 3000;
	c->resolve_ms = c->resolve_ms ? c->resolve_ms : 10000;
	c->max_redirects = c->max_redirects ? c->max_redirects : 5;
	a->inactivity_ms = c->inactivity_ms;
	a->skip = a->at = a->last_at = a->agreed_profile = ASSOC_NONE;
}

static int profiles_copy(struct h248_assoc *a, const struct h248_assoc_config *config)
{
	size_t len = 1;
	char *to;

	for (size_t i = 0; i < config->profiles_count; i++)
		len += config->profiles[i].name.len;
	a->profiles = calloc(config->profiles_count + 1, sizeof(*a->profiles));
	a->profile_names = to = calloc(1, len);
	if (!a->profiles || !a->profile_names)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	for (size_t i = 0; i < config->profiles_count; i++) {
		const struct h248_profile *p = &config->profiles[i];

		if (p->name.len)
			memcpy(to, p->name.ptr, p->name.len);
		a->profiles[i].name = (struct base_str){ to, p->name.len };
		a->profiles[i].version = p->version;
		to += p->name.len;
	}
	return 0;
}

int h248_assoc_new(struct h248_assoc **ret, const struct h248_assoc_config *config,
                   const struct h248_assoc_ops *ops, void *user)
{
	struct h248_assoc *a = calloc(1, sizeof(*a));
	size_t count = config->controllers_count;

	if (!a)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	a->config = *config;
	a->ops = *ops;
	a->user = user;
	a->controllers = calloc(count + 1, sizeof(*a->controllers));
	a->order = calloc(count + 1, sizeof(*a->order));
	if (!a->controllers || !a->order || profiles_copy(a, config)) {
		h248_assoc_free(a);
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	}
	if (count)
		memcpy(a->controllers, config->controllers, count * sizeof(*a->controllers));
	set_defaults(a);
	*ret = a;
	return 0;
}

void h248_assoc_free(struct h248_assoc *a)
{
	if (!a)
		return;
	free(a->controllers);
	free(a->order);
	free(a->profiles);
	free(a->profile_names);
	free(a);
}

void h248_assoc_attach(struct h248_assoc *a, struct h248_txn *txn)
{
	a->txn = txn;
}

void h248_assoc_start(struct h248_assoc *a)
{
	assoc_fire(a, E_START);
}

void h248_assoc_stop(struct h248_assoc *a, enum h248_method method, unsigned reason)
{
	a->leave_method = (uint8_t)method;
	a->leave_reason = reason;
	assoc_fire(a, E_STOP);
}

void h248_assoc_resolved(struct h248_assoc *a, uint32_t lookup, const struct h248_addr *found)
{
	if (lookup != a->lookup)
		return;
	a->lookup++; /* whoever answers twice is late */
	if (found) {
		a->wanted.addr.family = found->family;
		a->wanted.addr.scope = found->scope;
		memcpy(a->wanted.addr.ip, found->ip, sizeof(found->ip));
	}
	assoc_fire(a, found ? E_FOUND : E_NOT_FOUND);
}

void h248_assoc_forget(struct h248_assoc *a)
{
	if (!a->was_up || h248_assoc_peer(a))
		return;
	a->was_up = false;
	a->config.restart_reason = H248_R_WARM_BOOT;
	a->config.inactivity_ms = a->inactivity_ms; /* what the lost one asked for is forgotten */
	a->inactivity_request = 0;
	assoc_fire(a, E_FORGOTTEN);
}

void h248_assoc_failed(struct h248_assoc *a)
{
	assoc_fire(a, E_FAILED);
}

static void on_handoff(void *arg)
{
	assoc_fire(arg, E_HANDOFF);
}

int h248_assoc_handoff(struct h248_assoc *a, const struct h248_mid *mgc)
{
	struct h248_controller target;

	if (!a->peer || assoc_controller_of_mid(mgc, &a->last, &target) != 0 ||
	    (target.name[0] && !a->ops.resolve))
		return BASE_ERR(BASE_PEER, H248_E_VALUE);
	a->handoff_to = target;
	h248_txn_now(a->txn);
	loop_timers_start(h248_txn_timers(a->txn), &a->handoff, 0, on_handoff, a);
	h248_txn_timers_changed(a->txn);
	return 0;
}

void h248_assoc_inactivity_set(struct h248_assoc *a, uint32_t inactivity_ms, uint32_t request_id)
{
	a->config.inactivity_ms = inactivity_ms;
	a->inactivity_request = request_id;
	if (a->state != H248_ASSOC_REGISTERED)
		return;
	if (inactivity_ms)
		assoc_timer_start(a, inactivity_ms);
	else
		assoc_timer_stop(a);
}

enum h248_assoc_state h248_assoc_state(const struct h248_assoc *a)
{
	return (enum h248_assoc_state)a->state;
}

struct h248_peer *h248_assoc_peer(const struct h248_assoc *a)
{
	return a->state == H248_ASSOC_REGISTERED || a->state == H248_ASSOC_PROBING ? a->peer : NULL;
}

const struct h248_profile *h248_assoc_profile(const struct h248_assoc *a)
{
	return a->agreed_profile == ASSOC_NONE ? NULL : &a->profiles[a->agreed_profile];
}

const struct h248_assoc_counters *h248_assoc_counters(const struct h248_assoc *a)
{
	return &a->counters;
}
