/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an endpoint on its worker: runs the table of state.c. */
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/dgram.h"
#include "relay/room.h"
#include "relay/seat.h"

void relay_leg_init(struct relay_leg *leg, struct relay_worker *worker,
                    struct relay_endpoint *owner, struct relay_setup *setup)
{
	leg->worker = worker;
	leg->owner = owner;
	leg->setup = setup;
	leg->watch.fd = -1;
	leg->may_send = leg->may_receive = true;
	leg->tls = setup->tls != NULL;
	leg->role = setup->tls ? setup->tls->session.role : TLS_ROLE_SERVER;
	leg->state = setup->server ? RELAY_LISTENING : RELAY_IDLE;
	base_list_init(&leg->node);
}

/* ---- telling control ---- */

void relay_leg_tell(struct relay_leg *leg, enum relay_event_kind kind)
{
	struct relay_event event;

	if (!leg->owner || leg->removed)
		return;
	memset(&event, 0, sizeof(event));
	event.kind = kind;
	event.mark = leg->mark;
	event.tls.alert = -1;
	if (kind != RELAY_TCP_UP && kind != RELAY_TLS_UP && kind != RELAY_TLS_RENEGOTIATED &&
	    kind != RELAY_TLS_REKEYED) {
		event.cause = leg->cause;
		event.error = leg->error;
	}
	if (leg->dgram)
		relay_address_get(&leg->dgram->remote[RELAY_WAY_MEDIA], &event.peer);
	else if (leg->setup)
		relay_address_get(&leg->setup->remote, &event.peer);
	if (leg->session)
		relay_shake_result(leg, &event.tls);
	if (kind == RELAY_TLS_RENEGOTIATED || kind == RELAY_TLS_RENEGOTIATE_FAILED ||
	    kind == RELAY_TLS_REKEYED) {
		event.ordered = leg->ordered;
		leg->ordered = false;
	}
	relay_endpoint_post(leg->owner, &event);
}

static void note_retransmissions(struct relay_leg *leg)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (leg->owner && getsockopt(leg->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
		relay_count_set(&leg->counters.segments_retransmitted, info.tcpi_total_retrans);
}

/* ---- links ---- */

static struct relay_leg *unlink_partner(struct relay_leg *leg)
{
	struct relay_leg *partner = leg->partner;

	if (partner)
		partner->partner = NULL;
	leg->partner = NULL;
	return partner;
}

/* Part from the partner and tell it how the stream ended. */
static void part(struct relay_leg *leg, enum relay_input how)
{
	struct relay_leg *partner;

	relay_dgram_settle(leg->worker);
	partner = unlink_partner(leg);
	leg->parted = true;
	relay_seat_leave(leg, how);
	if (!partner) {
		leg->broke_alone |= how == RELAY_ON_PARTNER_BROKEN;
		return;
	}
	/* Datagrams have no end that could be carried. */
	if (partner->dgram)
		return;
	/* One that has not begun is its controller's to use again; a listener's has none. */
	if (!partner->owner && partner->state == RELAY_IDLE)
		how = RELAY_ON_RELEASE;
	relay_leg_input(partner, how, RELAY_CAUSE_PARTNER, 0);
}

/* The linked partner has come as far as `leg` was waiting for (H.248.92 seplink). */
static void follow(struct relay_leg *leg, const struct relay_leg *partner)
{
	const struct relay_setup *setup = leg->setup;
	bool open = partner->state >= RELAY_OPEN && partner->state <= RELAY_HALF_OUT;

	if (!setup)
		return;
	if (leg->state == RELAY_IDLE &&
	    ((setup->linked_setup && partner->tcp_up) || (setup->on_partner_open && open)))
		relay_leg_input(leg, RELAY_ON_CONNECT, RELAY_CAUSE_NONE, 0);
	if (leg->state == RELAY_TCP_READY && !leg->dgram && setup->linked_tls && partner->tls_up)
		relay_leg_input(leg, RELAY_ON_START_TLS, RELAY_CAUSE_NONE, 0);
}

static void on_turn(void *arg)
{
	struct relay_leg *leg = arg;

	if (leg->state == RELAY_LISTENING)
		relay_leg_judge(leg);
	else
		relay_flow_run(leg);
}

static void resume_one(struct relay_leg *leg)
{
	if (!relay_leg_gone(leg))
		loop_defer(leg->worker->loop, &leg->turn, on_turn, leg);
}

void relay_leg_resume(struct relay_leg *leg)
{
	resume_one(leg);
	if (leg->partner)
		resume_one(leg->partner);
}

/* Who has lost its partner may have waited for it with its peer's end unread. */
static void set_free(struct relay_leg *leg)
{
	struct relay_leg *partner = unlink_partner(leg);

	leg->lone = false;
	resume_one(leg);
	if (partner)
		resume_one(partner);
}

/* Of two that are linked one has ended already: a failure that nobody was there to hear is told
 * now. */
static void tell_late(struct relay_leg *gone, struct relay_leg *other)
{
	if (!gone->broke_alone || relay_leg_gone(other) || other->dgram)
		return;
	gone->broke_alone = false;
	relay_leg_input(other, RELAY_ON_PARTNER_BROKEN, RELAY_CAUSE_PARTNER, 0);
}

void relay_leg_link(struct relay_leg *leg, struct relay_leg *partner)
{
	assert(!partner || partner->worker == leg->worker);
	if (partner && (relay_leg_gone(leg) || relay_leg_gone(partner))) {
		tell_late(leg, partner);
		tell_late(partner, leg);
		return;
	}
	if (relay_leg_gone(leg))
		return;
	set_free(leg);
	if (!partner)
		return;
	set_free(partner);
	leg->partner = partner;
	partner->partner = leg;
	leg->end_carried = partner->end_carried = false;
	follow(leg, partner);
	if (leg->partner)
		follow(leg->partner, leg);
	relay_leg_resume(leg);
}

/* ---- the socket ---- */

static int socket_error(const struct relay_leg *leg)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(leg->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

static void on_event(void *arg, unsigned events)
{
	struct relay_leg *leg = arg;
	int error;

	if (leg->state == RELAY_LISTENING) {
		relay_leg_accept(leg);
		return;
	}
	if (events & LOOP_HANGUP)
		leg->hangup = true;
	if (events & LOOP_URGENT)
		leg->urgent = true;
	if (events & LOOP_READABLE)
		leg->readable = true;
	if (events & LOOP_ERROR) {
		error = socket_error(leg);
		if (error) {
			relay_leg_input(leg,
			                leg->state == RELAY_CONNECTING ? RELAY_ON_FAILED
			                                               : RELAY_ON_RESET,
			                relay_cause_of(error), error);
			return;
		}
	}
	if (leg->state == RELAY_CONNECTING) {
		if (events & LOOP_WRITABLE)
			relay_leg_input(leg, RELAY_ON_UP, RELAY_CAUSE_NONE, 0);
		return;
	}
	if ((events & LOOP_WRITABLE) && leg->pending.len)
		relay_flow_writable(leg);
	if (leg->readable)
		relay_flow_run(leg);
}

bool relay_leg_watch(struct relay_leg *leg)
{
	int rc;

	leg->watch.fn = leg->dgram ? relay_dgram_event : on_event;
	leg->watch.arg = leg;
	rc = loop_fd_start(leg->worker->loop, &leg->watch);
	if (rc == 0 && leg->dgram)
		rc = relay_dgram_watch(leg);
	if (rc) {
		relay_leg_input(leg,
		                leg->state <= RELAY_CONNECTING ? RELAY_ON_FAILED : RELAY_ON_RESET,
		                RELAY_CAUSE_RESOURCES, (int)base_err_detail(rc));
		return false;
	}
	leg->watched = true;
	return true;
}

static void close_socket(struct relay_leg *leg)
{
	if (leg->watch.fd < 0)
		return;
	if (leg->abortive && leg->tcp_up)
		relay_socket_abortive(leg->watch.fd);
	if (leg->watched)
		loop_fd_close(leg->worker->loop, &leg->watch);
	else
		close(leg->watch.fd);
	leg->watch.fd = -1;
}

/* ---- actions ---- */

static void do_tcp_up(struct relay_leg *leg)
{
	const struct relay_setup *setup = leg->setup;

	leg->tcp_up = true;
	if (!leg->dgram)
		relay_leg_tell(leg, RELAY_TCP_UP);
	if (leg->partner)
		follow(leg->partner, leg);
	if (leg->state != RELAY_TCP_READY)
		return; /* the partner has failed already and took us along */
	if (!leg->tls)
		relay_leg_input(leg, RELAY_ON_PLAIN, RELAY_CAUSE_NONE, 0);
	else if (leg->dgram) {
		if (relay_dtls_may_begin(leg))
			relay_leg_input(leg, RELAY_ON_START_TLS, RELAY_CAUSE_NONE, 0);
	} else if (leg->tls_wanted || !setup->tls_hold ||
	           (setup->linked_tls && leg->partner && leg->partner->tls_up))
		relay_leg_input(leg, RELAY_ON_START_TLS, RELAY_CAUSE_NONE, 0);
	else
		relay_leg_resume(leg); /* the peer may have left already */
}

static void do_open(struct relay_leg *leg)
{
	if (leg->session) {
		leg->tls_up = true;
		relay_leg_tell(leg, RELAY_TLS_UP);
	}
	if (leg->partner)
		follow(leg->partner, leg);
	relay_setup_unref(leg->setup);
	leg->setup = NULL;
	if (leg->seat)
		relay_seat_up(leg->seat);
	relay_leg_resume(leg);
}

static void do_end(struct relay_leg *leg)
{
	leg->end_wanted = true;
	relay_flow_end(leg);
	relay_leg_resume(leg);
}

/* Who hears of it may ask for the numbers at once, so they come first. */
static void session_over(struct relay_leg *leg, enum relay_event_kind kind)
{
	if (leg->session) {
		relay_shake_count(leg);
		relay_meter_end(leg);
	}
	relay_leg_tell(leg, kind);
}

static void do_break_tls(struct relay_leg *leg)
{
	part(leg, RELAY_ON_PARTNER_BROKEN);
	if (leg->shaking)
		session_over(leg, RELAY_TLS_FAILED);
	relay_shake_again_failed(leg);
	if (!leg->shaking && leg->tls_up)
		session_over(leg, RELAY_TLS_DOWN);
	leg->shaking = leg->tls_up = false; /* no close_notify after a fatal alert */
	do_end(leg);
}

static void free_session(struct relay_leg *leg)
{
	if (leg->session)
		relay_shake_count(leg);
	tls_session_free(leg->session);
	leg->session = NULL;
	if (leg->slot)
		relay_slot_release(leg->slot);
	leg->slot = NULL;
}

/* Not the end: the next one may come. */
static void do_dismiss(struct relay_leg *leg)
{
	session_over(leg, RELAY_TLS_FAILED);
	leg->shaking = leg->proving = false;
	relay_sentence_free(leg);
	relay_wait_end(leg);
	relay_queue_done(&leg->held);
	leg->fetch_until_ms = 0;
	free_session(leg);
	leg->cause = RELAY_CAUSE_NONE;
	leg->error = 0;
	relay_dtls_time(leg);
	relay_guest_gone(leg);
}

static void finish(struct relay_leg *leg)
{
	struct loop *loop = leg->worker->loop;

	loop_timer_stop(loop, &leg->timer);
	loop_defer_stop(loop, &leg->turn);
	relay_sentence_free(leg);
	relay_wait_end(leg);
	if (leg->tcp_up)
		note_retransmissions(leg);
	if (leg->shaking) {
		relay_meter_failed(leg, leg->cause);
		relay_shake_log(leg, leg->cause);
		session_over(leg, RELAY_TLS_FAILED);
	} else if (leg->tls_up) {
		relay_shake_again_failed(leg);
		session_over(leg, RELAY_TLS_DOWN);
	}
	leg->shaking = leg->tls_up = false;
	relay_dgram_free(leg);
	close_socket(leg);
	relay_door_hang(leg, NULL);
	free_session(leg);
	relay_queue_done(&leg->pending);
	relay_queue_done(&leg->held);
	relay_leg_tell(leg, leg->tcp_up || leg->cause == RELAY_CAUSE_LOCAL_CLOSE
	                            ? RELAY_TCP_DOWN
	                            : RELAY_TCP_FAILED);
	relay_setup_unref(leg->setup);
	leg->setup = NULL;
	base_list_remove(&leg->node);
	if (!leg->owner || leg->removed)
		relay_leg_end(leg);
}

static void act(struct relay_leg *leg, enum relay_action action)
{
	switch (action) {
	case RELAY_DO_CONNECT:
		relay_leg_connect(leg);
		break;
	case RELAY_DO_TCP_UP:
		do_tcp_up(leg);
		break;
	case RELAY_DO_TLS:
		relay_shake_start(leg);
		break;
	case RELAY_DO_OPEN:
		do_open(leg);
		break;
	case RELAY_DO_PEER_END:
		leg->peer_ended = true;
		relay_flow_carry_end(leg);
		relay_flow_end(leg);
		relay_leg_resume(leg);
		break;
	case RELAY_DO_END:
		do_end(leg);
		break;
	case RELAY_DO_RELEASE:
		part(leg, RELAY_ON_PARTNER_RELEASED);
		do_end(leg);
		break;
	case RELAY_DO_BREAK_TLS:
		do_break_tls(leg);
		break;
	case RELAY_DO_DISMISS:
		do_dismiss(leg);
		break;
	case RELAY_DO_RECEIVE:
	case RELAY_DO_PASS_ON:
		leg->shaking = action == RELAY_DO_RECEIVE;
		break;
	case RELAY_DO_ABORT:
		leg->abortive = true;
		part(leg, RELAY_ON_PARTNER_BROKEN);
		finish(leg);
		break;
	case RELAY_DO_CLOSE:
		part(leg, RELAY_ON_PARTNER_RELEASED);
		finish(leg);
		break;
	case RELAY_ACTIONS:
		break;
	}
}

/*
 * What control is told as the reason of the end: who ended first when it goes in order, else what
 * broke it. Once the end has begun, anything more is its consequence.
 */
static void note_cause(struct relay_leg *leg, const struct relay_step *step, enum relay_input input,
                       enum relay_cause cause, int error)
{
	bool half = input == RELAY_ON_PEER_END || input == RELAY_ON_PARTNER_END;

	if (cause != RELAY_CAUSE_NONE && !leg->cause_firm && (!leg->cause || !half)) {
		leg->cause = (uint8_t)cause;
		leg->error = (uint16_t)error;
	}
	if (step->next >= RELAY_DRAIN)
		leg->cause_firm = true;
}

void relay_leg_input(struct relay_leg *leg, enum relay_input input, enum relay_cause cause,
                     int error)
{
	struct relay_step step = relay_state_step(leg->state, input);
	enum relay_state before = leg->state;

	if (!step.on) {
		base_log(BASE_LOG_DEBUG, "relay", "endpoint %p: %s refused in state %s",
		         (void *)leg, relay_input_name(input), relay_state_info(before)->name);
		return;
	}
	note_cause(leg, &step, input, cause, error);
	leg->state = step.next;
	if (step.next != before)
		relay_leg_time(leg);
	act(leg, step.action);
}

void relay_leg_begin(struct relay_leg *leg)
{
	base_list_append(&leg->worker->legs, &leg->node);
	relay_room_enter(leg);
	leg->judged = leg->worker->sweep;
	relay_leg_time(leg);
	if (leg->state == RELAY_LISTENING)
		(void)relay_leg_watch(leg); /* a failure is told as an event */
	else if (leg->setup->connect_now)
		relay_leg_input(leg, RELAY_ON_CONNECT, RELAY_CAUSE_NONE, 0);
}

void relay_leg_adopt(struct relay_leg *leg)
{
	base_list_append(&leg->worker->legs, &leg->node);
	leg->judged = leg->worker->sweep;
	/* The kernel gave us this one when its first bytes came (TCP_DEFER_ACCEPT): read them
	 * before the loop could tell, and register for what comes after. */
	leg->readable = leg->tls;
	relay_leg_input(leg, RELAY_ON_UP, RELAY_CAUSE_NONE, 0);
	if (leg->readable)
		relay_flow_run(leg);
	if (!relay_leg_gone(leg))
		(void)relay_leg_watch(leg); /* a failure ends the leg */
}

void relay_leg_end(struct relay_leg *leg)
{
	assert(relay_leg_gone(leg));
	unlink_partner(leg);
	relay_worker_bury(leg->worker, leg);
}

void relay_leg_remove(struct relay_leg *leg)
{
	leg->removed = true;
	if (relay_leg_gone(leg))
		relay_leg_end(leg);
	else
		relay_leg_input(leg, RELAY_ON_RELEASE, RELAY_CAUSE_LOCAL_CLOSE, 0);
}
