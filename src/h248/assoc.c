/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The association of a gateway with its controller: the table `rows` is the whole of its behaviour
 * (RFC 3525, 9.2, 11.2, 11.3, 11.5; fact sheet 5.1). Each action runs after the state has changed;
 * it may raise one more event as the last thing it does.
 */
#include "h248/assoc.h"

#include <stdlib.h>

enum event {
	E_START,
	E_STOP,
	E_TIMER,
	E_ACCEPTED,
	E_REDIRECTED,
	E_REFUSED,
	E_NO_REPLY,
	E_LOST,
	E_EXHAUSTED,
	E_HEARD,
	E_FAILED,
	E_HANDOFF,
	E_ANSWERED,
};

static const char *const event_names[] = {
	[E_START] = "start",
	[E_STOP] = "stop",
	[E_TIMER] = "timer",
	[E_ACCEPTED] = "accepted",
	[E_REDIRECTED] = "MgcIdToTry",
	[E_REFUSED] = "refused",
	[E_NO_REPLY] = "no reply",
	[E_LOST] = "connection lost",
	[E_EXHAUSTED] = "list exhausted",
	[E_HEARD] = "heard",
	[E_FAILED] = "request timed out",
	[E_HANDOFF] = "HandOff",
	[E_ANSWERED] = "answered",
};

struct h248_assoc {
	struct h248_assoc_config config;
	struct h248_addr *controllers;
	char *profile;
	struct h248_addr service_address;
	struct h248_assoc_ops ops;
	void *user;
	struct h248_txn *txn;
	uint8_t state;

	struct loop_timer timer;   /* of the present state */
	struct loop_timer handoff; /* lets the reply to the HandOff leave first */
	struct h248_addr handoff_to;
	struct h248_peer *peer;  /* the controller we register with, or are registered with */
	struct h248_addr target; /* where the present attempt goes */
	struct h248_addr redirect_to;
	uint8_t method; /* of the present attempt */

	size_t next; /* the controller to try after this one */
	size_t skip; /* not in this round: it has just failed */
	uint32_t redirects, wait_ms;

	bool was_up; /* ever registered: `last` and `version` are set */
	struct h248_addr last;
	uint8_t version;
	uint32_t inactivity_request;

	uint8_t leave_method;
	unsigned leave_reason;
};

#define NONE SIZE_MAX
/* T-MAX ends a probe; this only guards against one that could not be sent. */
#define PROBE_GUARD_MS 60000

static void fire(struct h248_assoc *a, enum event event);

/* ---- helpers ---- */

static void on_timer(void *arg)
{
	fire(arg, E_TIMER);
}

static void timer_start(struct h248_assoc *a, uint64_t delay_ms)
{
	h248_txn_now(a->txn);
	loop_timers_start(h248_txn_timers(a->txn), &a->timer, delay_ms, on_timer, a);
	h248_txn_timers_changed(a->txn);
}

static void timer_stop(struct h248_assoc *a)
{
	loop_timers_stop(h248_txn_timers(a->txn), &a->timer);
	h248_txn_timers_changed(a->txn);
}

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

/* ---- ServiceChange ---- */

static struct h248_services *service_change(struct base_arena *arena, struct h248_transaction *req,
                                            unsigned method, unsigned reason)
{
	struct h248_action *action = h248_action_add(arena, req, H248_CONTEXT_NULL);
	struct h248_command *command =
	        h248_command_add(arena, action, H248_SERVICE_CHANGE, BASE_STR("ROOT"));
	struct h248_services *s = h248_services_add(arena, command);

	if (!s)
		return NULL;
	s->method = (uint8_t)method;
	s->has_reason = true;
	s->reason_code = (uint16_t)reason;
	s->reason = base_str_of(h248_reason_text(reason));
	return s;
}

static unsigned reason_of(const struct h248_assoc *a)
{
	switch (a->method) {
	case H248_FAILOVER:
		return H248_R_MGC_FAILURE;
	case H248_DISCONNECTED:
		return H248_R_SERVICE_RESTORED;
	case H248_HAND_OFF:
		return H248_R_MGC_DIRECTED;
	default:
		return a->config.restart_reason ? a->config.restart_reason : H248_R_COLD_BOOT;
	}
}

/* What only a registration carries (fact sheet 5.1, 6.3). */
static void add_offer(struct h248_assoc *a, struct h248_services *s, struct h248_mid *address)
{
	s->has_version = true;
	s->version = a->config.version;
	if (a->profile[0]) {
		s->has_profile = true;
		s->profile = base_str_of(a->profile);
		s->profile_version = a->config.profile_version;
	}
	if (a->config.service_address) {
		*address = h248_addr_mid(a->config.service_address);
		s->address = address;
	}
	if (a->ops.wall_time)
		s->time = a->ops.wall_time(a->user);
}

static void on_registered(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                          const struct h248_transaction *reply);

static int send_registration(struct h248_assoc *a)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_services *s = req ? service_change(&arena, req, a->method, reason_of(a)) : NULL;
	struct h248_mid address;
	unsigned version = 1; /* whatever we offer, the offer is a version 1 message (5.1) */
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	if (s) {
		if (a->method != H248_DISCONNECTED)
			add_offer(a, s, &address);
		else
			version = a->version;
		rc = h248_txn_request(a->peer, req, version, on_registered, a, NULL);
	}
	base_arena_done(&arena);
	return rc;
}

/* Register with `target`. */
static void attempt(struct h248_assoc *a, const struct h248_addr *target, unsigned method)
{
	uint32_t wait = a->config.register_ms;

	a->target = *target;
	a->method = (uint8_t)method;
	drop_peer(a);
	/* What cannot even be sent is tried elsewhere, in a moment. */
	if (h248_peer_new(&a->peer, a->txn, target) != 0 || send_registration(a) != 0)
		wait = 1;
	timer_start(a, wait ? wait : (uint64_t)UINT32_MAX);
}

static unsigned method_for(const struct h248_assoc *a, const struct h248_addr *target)
{
	if (!a->was_up)
		return H248_RESTART;
	return h248_addr_equal(target, &a->last) ? H248_DISCONNECTED : H248_FAILOVER;
}

/* ---- actions ---- */

static void act_nothing(struct h248_assoc *a)
{
	(void)a;
}

/* 9.2: a random part of the maximum waiting delay, so that gateways do not start as one. */
static void act_wait_mwd(struct h248_assoc *a)
{
	uint32_t random = 0;

	(void)base_random(&random, sizeof(random)); /* without it all wait the same: still right */
	a->wait_ms = a->config.retry_ms;
	timer_start(a, a->config.mwd_ms ? random % ((uint64_t)a->config.mwd_ms + 1) : 0);
}

static void act_try_next(struct h248_assoc *a)
{
	while (a->next < a->config.controllers_count) {
		const struct h248_addr *target = &a->controllers[a->next];

		if (a->next++ == a->skip)
			continue;
		a->redirects = 0;
		attempt(a, target, method_for(a, target));
		return;
	}
	fire(a, E_EXHAUSTED);
}

static void act_try_first(struct h248_assoc *a)
{
	a->next = 0;
	a->skip = NONE;
	act_try_next(a);
}

static void act_redirect(struct h248_assoc *a)
{
	struct h248_addr target = a->redirect_to;

	if (++a->redirects > a->config.max_redirects)
		act_try_next(a);
	else
		attempt(a, &target, a->method);
}

/* 11.2: "wait a random amount of time"; longer after each round, up to a bound. */
static void act_wait_retry(struct h248_assoc *a)
{
	uint32_t random = 0;

	(void)base_random(&random, sizeof(random));
	drop_peer(a);
	timer_start(a, a->wait_ms / 2 + random % (a->wait_ms / 2 + 1));
	a->wait_ms = (uint32_t)BASE_MIN((uint64_t)a->wait_ms * 2, (uint64_t)a->config.retry_max_ms);
}

static void act_heard(struct h248_assoc *a)
{
	if (a->config.inactivity_ms)
		timer_start(a, a->config.inactivity_ms);
}

static void act_come_up(struct h248_assoc *a)
{
	a->was_up = true;
	a->last = a->target;
	a->wait_ms = a->config.retry_ms;
	act_heard(a);
	if (a->ops.on_up)
		a->ops.on_up(a->user, a->peer);
}

static void on_probed(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                      const struct h248_transaction *reply)
{
	(void)msg;
	(void)reply; /* whatever it says, it was an answer, and on_heard has told */
	if (outcome == H248_OUTCOME_TIMEOUT)
		fire(arg, E_NO_REPLY);
}

/* Notify of it/ito on ROOT (package `it`, H.248.14; its ids are marked R in the fact sheet). When
 * no controller asked for the event the Notify is of our own making (P): an error is an answer. */
static void act_probe(struct h248_assoc *a)
{
	static const struct h248_name ito = { { "it", 2 }, { "ito", 3 } };
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_action *action = req ? h248_action_add(&arena, req, H248_CONTEXT_NULL) : NULL;
	struct h248_command *command =
	        h248_command_add(&arena, action, H248_NOTIFY, BASE_STR("ROOT"));
	struct h248_observed_events *observed =
	        command ? h248_observed_add(&arena, command, a->inactivity_request) : NULL;

	timer_start(a, PROBE_GUARD_MS);
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
	return NONE;
}

/* 11.5: from the beginning of the list, but not the one that has failed. */
static void act_fail_over(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_SILENT);
	a->next = 0;
	a->skip = index_of(a, &a->last);
	act_try_next(a);
}

/* D.1.5: the same controller first, with method Disconnected; then the others. */
static void act_reconnect(struct h248_assoc *a)
{
	struct h248_addr last = a->last;

	go_down(a, H248_CAUSE_LOST);
	a->next = 0;
	a->skip = index_of(a, &last);
	attempt(a, &last, H248_DISCONNECTED);
}

static void act_hand_off(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_HANDOFF);
	a->next = 0;
	a->skip = index_of(a, &a->last);
	attempt(a, &a->handoff_to, H248_HAND_OFF);
}

static void on_left(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                    const struct h248_transaction *reply)
{
	(void)msg;
	(void)reply;
	if (outcome != H248_OUTCOME_CANCELLED)
		fire(arg, E_ANSWERED);
}

/* 11.4: ServiceChange with Graceful or Forced on ROOT. */
static void act_leave(struct h248_assoc *a)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);

	timer_start(a, a->config.leave_ms);
	if (req && service_change(&arena, req, a->leave_method, a->leave_reason))
		(void)h248_txn_request(a->peer, req, 0, on_left, a,
		                       NULL); /* else the timer ends it */
	base_arena_done(&arena);
}

static void act_gone(struct h248_assoc *a)
{
	timer_stop(a);
	if (a->ops.on_gone)
		a->ops.on_gone(a->user);
}

static void act_give_up(struct h248_assoc *a)
{
	drop_peer(a);
	act_gone(a);
}

static void act_left(struct h248_assoc *a)
{
	go_down(a, H248_CAUSE_LEFT);
	act_gone(a);
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
		H248_ASSOC_##state, E_##event, act_##action, #action, H248_ASSOC_##next            \
	}

static const struct row rows[] = {
	ROW(IDLE, START, wait_mwd, WAITING),
	ROW(IDLE, STOP, gone, GONE),

	ROW(WAITING, TIMER, try_first, REGISTERING),
	ROW(WAITING, STOP, gone, GONE),

	ROW(REGISTERING, ACCEPTED, come_up, REGISTERED),
	ROW(REGISTERING, REDIRECTED, redirect, REGISTERING),
	ROW(REGISTERING, REFUSED, try_next, REGISTERING),
	ROW(REGISTERING, NO_REPLY, try_next, REGISTERING),
	ROW(REGISTERING, LOST, try_next, REGISTERING),
	ROW(REGISTERING, TIMER, try_next, REGISTERING),
	ROW(REGISTERING, EXHAUSTED, wait_retry, WAITING),
	ROW(REGISTERING, STOP, give_up, GONE),

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

static void fire(struct h248_assoc *a, enum event event)
{
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		uint8_t from = a->state;

		if (row->state != from || row->event != event)
			continue;
		a->state = row->next;
		if (from != row->next) {
			timer_stop(a);
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
		[H248_ASSOC_IDLE] = "idle",
		[H248_ASSOC_WAITING] = "waiting",
		[H248_ASSOC_REGISTERING] = "registering",
		[H248_ASSOC_REGISTERED] = "registered",
		[H248_ASSOC_PROBING] = "probing",
		[H248_ASSOC_LEAVING] = "leaving",
		[H248_ASSOC_GONE] = "gone",
	};

	return (unsigned)state < H248_ASSOC_STATES ? names[state] : "?";
}

/* ---- what the controller says ---- */

static const struct h248_command *service_change_reply(const struct h248_transaction *reply)
{
	for (const struct h248_action *action = reply->actions; action; action = action->next) {
		for (const struct h248_command *c = action->commands; c; c = c->next) {
			if (c->kind == H248_SERVICE_CHANGE && !c->fault && !h248_command_error(c))
				return c;
		}
	}
	return NULL;
}

/* Take over what was negotiated. False: we cannot comply (11.3). */
static bool negotiate(struct h248_assoc *a, const struct h248_services *s,
                      const struct h248_message *msg)
{
	unsigned version = msg->version; /* a reply without Version breaks a rule; be lenient (P) */
	struct h248_addr addr;

	if (a->method == H248_DISCONNECTED && !(s && s->has_version))
		version = a->version; /* no registration: the agreed one stays */
	else if (s && s->has_version)
		version = s->version;
	if (version < 1 || version > a->config.version)
		return false;
	a->version = (uint8_t)version;
	h248_peer_version_set(a->peer, version);
	if (s && s->address && h248_addr_of_mid(s->address, &a->target, &addr) == 0)
		h248_peer_addr_set(a->peer, &addr);
	return true;
}

static void on_registered(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                          const struct h248_transaction *reply)
{
	struct h248_assoc *a = arg;
	const struct h248_command *command;
	const struct h248_services *s;

	if (outcome == H248_OUTCOME_CANCELLED)
		return;
	if (outcome == H248_OUTCOME_TIMEOUT) {
		fire(a, E_NO_REPLY);
		return;
	}
	command = reply->error || reply->fault ? NULL : service_change_reply(reply);
	s = command ? h248_command_services(command) : NULL;
	if (command && s && s->mgc_id) {
		struct h248_addr target;

		if (h248_addr_of_mid(s->mgc_id, &a->target, &target) == 0) {
			a->redirect_to = target;
			fire(a, E_REDIRECTED);
			return;
		}
		command = NULL; /* a name that we cannot resolve: as good as refused */
	}
	fire(a, command && negotiate(a, s, msg) ? E_ACCEPTED : E_REFUSED);
}

/* ---- from the transaction layer ---- */

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct h248_assoc *a = arg;

	if (a->state == H248_ASSOC_REGISTERING) /* 11.2: shall */
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
		fire(a, E_REFUSED);
}

static void on_heard(void *arg, struct h248_peer *peer)
{
	struct h248_assoc *a = arg;

	if (peer == a->peer)
		fire(a, E_HEARD);
}

static void on_lost(void *arg, struct h248_peer *peer, const char *reason)
{
	struct h248_assoc *a = arg;

	(void)reason;
	if (peer == a->peer)
		fire(a, E_LOST);
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
	ops->on_stranger = NULL; /* 504 */
	ops->on_message_error = on_message_error;
	ops->on_heard = on_heard;
	ops->on_lost = on_lost;
}

void h248_assoc_user_ops(struct h248_user_ops *ops)
{
	*ops = (struct h248_user_ops){ .on_request = on_request,
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
	c->profile = (struct base_str){ NULL, 0 };
	if (c->service_address) {
		a->service_address = *c->service_address;
		c->service_address = &a->service_address;
	}
	c->version = c->version ? c->version : H248_VERSION_MAX;
	c->retry_ms = c->retry_ms ? c->retry_ms : 2000;
	c->retry_max_ms = c->retry_max_ms ? c->retry_max_ms : 60000;
	c->leave_ms = c->leave_ms ? c->leave_ms : 3000;
	c->max_redirects = c->max_redirects ? c->max_redirects : 5;
	a->skip = NONE;
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
	a->profile = calloc(1, config->profile.len + 1);
	if (!a->controllers || !a->profile) {
		h248_assoc_free(a);
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	}
	if (count)
		memcpy(a->controllers, config->controllers, count * sizeof(*a->controllers));
	if (config->profile.len)
		memcpy(a->profile, config->profile.ptr, config->profile.len);
	set_defaults(a);
	*ret = a;
	return 0;
}

void h248_assoc_free(struct h248_assoc *a)
{
	if (!a)
		return;
	free(a->controllers);
	free(a->profile);
	free(a);
}

void h248_assoc_attach(struct h248_assoc *a, struct h248_txn *txn)
{
	a->txn = txn;
}

void h248_assoc_start(struct h248_assoc *a)
{
	fire(a, E_START);
}

void h248_assoc_stop(struct h248_assoc *a, enum h248_method method, unsigned reason)
{
	a->leave_method = (uint8_t)method;
	a->leave_reason = reason;
	fire(a, E_STOP);
}

void h248_assoc_failed(struct h248_assoc *a)
{
	fire(a, E_FAILED);
}

static void on_handoff(void *arg)
{
	fire(arg, E_HANDOFF);
}

int h248_assoc_handoff(struct h248_assoc *a, const struct h248_mid *mgc)
{
	struct h248_addr target;

	if (!a->peer || h248_addr_of_mid(mgc, &a->last, &target) != 0)
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
		timer_start(a, inactivity_ms);
	else
		timer_stop(a);
}

enum h248_assoc_state h248_assoc_state(const struct h248_assoc *a)
{
	return (enum h248_assoc_state)a->state;
}

struct h248_peer *h248_assoc_peer(const struct h248_assoc *a)
{
	return a->state == H248_ASSOC_REGISTERED || a->state == H248_ASSOC_PROBING ? a->peer : NULL;
}
