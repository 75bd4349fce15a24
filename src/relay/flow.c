/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes. The fast path is one read for all that waits, one decryption of all records in it, one
 * encryption of their clear text, one write. No allocation, no lock; nothing is read that the
 * partner could not take (private.h, invariant 4).
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "relay/dgram.h"
#include "relay/seat.h"

/* ---- towards our peer ---- */

static void fail_socket(struct relay_leg *leg, int error)
{
	relay_leg_input(leg, RELAY_ON_RESET, relay_cause_of(error), error);
}

static size_t send_some(struct relay_leg *leg, const uint8_t *data, size_t len, int *ret_error)
{
	ssize_t n;

	do
		n = send(leg->watch.fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	*ret_error = n < 0 && errno != EAGAIN ? errno : 0;
	if (n < 0)
		return 0;
	relay_count_add(&leg->counters.wire_out, (uint64_t)n);
	return (size_t)n;
}

static void note_buffered(struct relay_leg *leg)
{
	uint64_t now = (uint64_t)leg->pending.len + leg->held.len;

	if (now > relay_count_get(&leg->counters.buffered_peak))
		relay_count_set(&leg->counters.buffered_peak, now);
}

static bool wait_in(struct relay_leg *leg, struct relay_queue *queue, const uint8_t *data,
                    size_t len)
{
	if (queue->len + len > leg->worker->pool->buffer_limit ||
	    relay_queue_put(queue, data, len) != 0) {
		relay_leg_input(leg, RELAY_ON_RESET, RELAY_CAUSE_RESOURCES, ENOMEM);
		return false;
	}
	note_buffered(leg);
	return true;
}

bool relay_flow_send(struct relay_leg *leg, const uint8_t *data, size_t len)
{
	size_t sent = 0;
	int error = 0;

	if (leg->dgram) {
		relay_dtls_send(leg, data, len);
		return true;
	}
	if (!leg->pending.len)
		sent = send_some(leg, data, len, &error);
	if (error) {
		fail_socket(leg, error);
		return false;
	}
	return sent == len || wait_in(leg, &leg->pending, data + sent, len - sent);
}

void relay_flow_writable(struct relay_leg *leg)
{
	while (leg->pending.len) {
		size_t len = leg->pending.len, sent;
		int error;

		sent = send_some(leg, leg->pending.data + leg->pending.at, len, &error);
		if (error) {
			fail_socket(leg, error);
			return;
		}
		relay_queue_take(&leg->pending, sent);
		if (sent < len)
			return;
	}
	relay_flow_end(leg);
	relay_leg_resume(leg); /* the partner may read again */
}

void relay_flow_say_close(struct relay_leg *leg)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .out = out };

	base_writer_reset(out);
	/* If it fails nothing more can be said in order: FIN alone then tells the truth. */
	if (tls_session_close(leg->session, &io) == 0 && out->len)
		(void)relay_flow_send(leg, out->data, out->len); /* a failure ends the leg */
}

/* Both peers have ended: is there nothing that a partner gives or gets? */
static bool all_carried(struct relay_leg *leg)
{
	if (leg->parted || leg->end_carried)
		return true;
	return !leg->partner && relay_leg_may_end_alone(leg);
}

void relay_flow_end(struct relay_leg *leg)
{
	if (leg->dgram) {
		relay_dgram_end(leg);
		return;
	}
	if (!leg->end_wanted || leg->pending.len || relay_leg_gone(leg))
		return;
	/* Nothing can be said in its midst; where nobody waits for it FIN alone tells the truth. */
	if (leg->renegotiating && leg->state != RELAY_DRAIN)
		return;
	if (!leg->ended) {
		leg->ended = true;
		if (leg->tls_up)
			relay_flow_say_close(leg);
		if (leg->pending.len || relay_leg_gone(leg))
			return;
	}
	if (leg->state == RELAY_DRAIN && leg->peer_ended) {
		if (all_carried(leg)) /* else something is held for the partner */
			relay_leg_input(leg, RELAY_ON_FLUSHED, RELAY_CAUSE_NONE, 0);
		return;
	}
	/* A half-closed TLS direction ends with close_notify; FIN comes when both have ended. */
	if (leg->shut || (leg->tls_up && leg->state != RELAY_DRAIN))
		return;
	leg->shut = true;
	if (shutdown(leg->watch.fd, SHUT_WR) < 0 && errno != ENOTCONN)
		fail_socket(leg, errno);
}

/* ---- from our peer to the partner ---- */

/* May bytes from our peer go on now? */
static bool takes(const struct relay_leg *leg)
{
	const struct relay_leg *partner = leg->partner;

	if (leg->seat)
		return leg->may_receive && relay_seat_takes(leg->seat);
	return partner && leg->may_receive && partner->may_send && !partner->pending.len &&
	       !partner->end_wanted && !partner->renegotiating &&
	       (partner->state == RELAY_OPEN || partner->state == RELAY_HALF_IN);
}

/*
 * There is no way on, and none that we could wait for: no partner, one that nobody has come to yet,
 * or the mode forbids. If then the peer leaves, we want to know it, which takes reading up to its
 * end; within the limit. And a renegotiation must not wait for others than its peer.
 */
static bool may_hold(const struct relay_leg *leg)
{
	const struct relay_leg *partner = leg->partner;
	bool wanted = leg->renegotiating || leg->asked ||
	              (leg->hangup && (!partner || partner->state < RELAY_OPEN ||
	                               !leg->may_receive || !partner->may_send));

	return wanted && leg->held.len + leg->worker->read_size + RELAY_RECORD_MAX <=
	                         leg->worker->pool->buffer_limit;
}

static void pass_encrypted(struct relay_leg *to, const uint8_t *data, size_t len)
{
	struct base_writer *out = &to->worker->out;
	struct tls_io io = { .out = out };
	int rc;

	base_writer_reset(out);
	rc = tls_session_write(to->session, &io, data, len);
	if (rc == 0 && out->failed)
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	if (rc == 0) {
		(void)relay_flow_send(to, out->data, out->len); /* a failure ends the leg */
	} else {
		struct tls_info info;

		tls_session_info(to->session, &info);
		relay_leg_input(to, RELAY_ON_TLS_BROKEN, relay_shake_cause(&info, rc), 0);
	}
}

void relay_flow_give(struct relay_leg *leg, const uint8_t *data, size_t len)
{
	relay_meter_octets(leg, false, len);
	if (leg->session)
		pass_encrypted(leg, data, len);
	else
		(void)relay_flow_send(leg, data, len); /* a failure ends the leg */
}

/* @return how much of it went on; less than all of it only into a hub */
static size_t pass(struct relay_leg *leg, const uint8_t *data, size_t len)
{
	if (leg->seat)
		return relay_seat_input(leg->seat, data, len);
	relay_flow_give(leg->partner, data, len);
	return len;
}

/* Clear text from our peer: to the partner or the hub, or held. */
static void forward(struct relay_leg *leg, const uint8_t *data, size_t len)
{
	size_t gone = 0;

	relay_meter_octets(leg, true, len);
	if (!leg->held.len && takes(leg))
		gone = pass(leg, data, len);
	if (gone < len)
		(void)wait_in(leg, &leg->held, data + gone, len - gone); /* likewise */
}

static void pass_held(struct relay_leg *leg)
{
	size_t len, gone;

	while (leg->held.len && takes(leg)) {
		len = BASE_MIN(leg->held.len, leg->worker->read_size);
		gone = pass(leg, leg->held.data + leg->held.at, len);
		if (relay_leg_gone(leg))
			return;
		if (gone)
			relay_queue_take(&leg->held, gone);
		if (gone < len)
			return;
	}
}

void relay_flow_carry_end(struct relay_leg *leg)
{
	struct relay_leg *partner = leg->partner;

	if (!leg->peer_ended || leg->end_carried || leg->held.len)
		return;
	if (leg->seat) {
		relay_seat_ended(leg->seat);
	} else if (!partner) {
		/* If nobody will ever send through us, this is all. */
		if (leg->state == RELAY_HALF_IN && relay_leg_may_end_alone(leg))
			relay_leg_input(leg, RELAY_ON_PARTNER_END, RELAY_CAUSE_NONE, 0);
	} else if (partner->state == RELAY_OPEN || partner->state == RELAY_HALF_IN) {
		leg->end_carried = true;
		relay_leg_input(partner, RELAY_ON_PARTNER_END, RELAY_CAUSE_PARTNER, 0);
		relay_flow_end(leg);
	} else if (partner->state == RELAY_HALF_OUT || partner->state == RELAY_DRAIN) {
		leg->end_carried = true; /* it has ended already, before the two were linked */
		relay_flow_end(leg);
	}
}

/* ---- TLS ---- */

/* Records into `clear` until there are no more or no room; `*ret_more` says which. */
static int read_records(struct relay_leg *leg, struct tls_io *io, size_t *ret_len, bool *ret_more)
{
	uint8_t *clear = leg->worker->clear;
	size_t used = 0, got;
	int rc;

	do {
		got = 0;
		rc = tls_session_read(leg->session, io, clear + used, RELAY_CLEAR_SIZE - used,
		                      &got);
		used += got;
	} while (rc == 0 && got && used < RELAY_CLEAR_SIZE);
	*ret_len = used;
	*ret_more = rc == 0 && got;
	return rc;
}

static void end_records(struct relay_leg *leg, int rc)
{
	struct tls_info info;

	if (rc == 0) {
		relay_leg_input(leg, RELAY_ON_PEER_END, RELAY_CAUSE_PEER_CLOSE, 0);
	} else if (base_err_class(rc) != BASE_AGAIN) {
		tls_session_info(leg->session, &info);
		leg->renegotiating = info.renegotiating;
		relay_leg_input(leg, RELAY_ON_TLS_BROKEN, relay_shake_cause(&info, rc), 0);
	}
}

void relay_flow_records(struct relay_leg *leg, struct tls_io *io)
{
	struct base_writer *out = &leg->worker->out;
	bool more;
	size_t len;
	int rc;

	io->out = out;
	io->now_ms = loop_now_ms(leg->worker->loop);
	do {
		base_writer_reset(out);
		rc = read_records(leg, io, &len, &more);
		/* What TLS itself has to say goes first: passing on uses the same buffer. */
		if (out->len && !relay_flow_send(leg, out->data, out->len))
			return;
		if (len)
			forward(leg, leg->worker->clear, len);
		if (relay_leg_gone(leg) || !leg->session)
			return;
		relay_shake_again(leg);
	} while (more && leg->session);
	if (leg->session && leg->state != RELAY_DRAIN)
		end_records(leg, rc);
}

/* ---- reading ---- */

/* @return octets read; 0 at the end; -1 when nothing was to be had, or the gate lets nothing
 * through now, or the leg has failed */
static ssize_t read_some(struct relay_leg *leg)
{
	struct relay_worker *worker = leg->worker;
	size_t size = worker->read_size;
	ssize_t n;

	if (leg->door && leg->state != RELAY_DRAIN) {
		size = relay_door_quota(leg, size);
		if (!size)
			return -1; /* still readable: the door resumes us */
	}
	do
		n = recv(leg->watch.fd, worker->in, size, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		leg->readable = leg->urgent = false;
		if (errno != EAGAIN)
			fail_socket(leg, errno);
		return -1;
	}
	relay_count_add(&leg->counters.wire_in, (uint64_t)n);
	if (leg->door)
		relay_door_charge(leg->door, (size_t)n);
	/* A short read has emptied the socket: the loop tells when more comes (edge triggered).
	 * Unless the peer has hung up, of which we have been told already: read up to it. Or it
	 * has sent urgent data, at which a read stops (tcp(7)). */
	if (n == 0 || ((size_t)n < size && !leg->hangup && !leg->urgent))
		leg->readable = false;
	return n;
}

/* FIN. With TLS it must come after close_notify, else the data may have been cut off: such an end
 * is not carried to the partner as one in order (RFC 5246, 7.2.1: truncation attack). */
static void end_of_stream(struct relay_leg *leg)
{
	leg->peer_ended = true;
	if (leg->session)
		relay_leg_input(leg, RELAY_ON_TLS_BROKEN, RELAY_CAUSE_TRUNCATED, 0);
	else
		relay_leg_input(leg, RELAY_ON_PEER_END, RELAY_CAUSE_PEER_CLOSE, 0);
}

static void run_open(struct relay_leg *leg)
{
	size_t quota = RELAY_QUOTA;

	pass_held(leg);
	while (leg->readable && (leg->state == RELAY_OPEN || leg->state == RELAY_HALF_OUT) &&
	       ((takes(leg) && !leg->held.len) || may_hold(leg))) {
		ssize_t n = read_some(leg);

		if (n < 0)
			return;
		if (n == 0) {
			end_of_stream(leg);
		} else if (leg->session) {
			struct tls_io io = { .in = base_reader_of(leg->worker->in, (size_t)n) };

			relay_flow_records(leg, &io);
		} else {
			forward(leg, leg->worker->in, (size_t)n);
		}
		if (quota <= (size_t)BASE_MAX(n, 0)) {
			relay_leg_resume(leg);
			break;
		}
		quota -= (size_t)n;
	}
	if (leg->state == RELAY_HALF_IN || leg->state == RELAY_DRAIN)
		relay_flow_carry_end(leg);
}

static void run_handshake(struct relay_leg *leg)
{
	size_t quota = RELAY_QUOTA; /* records that mean nothing are not all refused */

	while (leg->readable && leg->state == RELAY_HANDSHAKE && !leg->fetch) {
		ssize_t n = read_some(leg);

		if (n < 0)
			return;
		if (n > 0) {
			relay_shake_step(leg, leg->worker->in, (size_t)n);
		} else {
			leg->peer_ended = true;
			relay_shake_fail(leg, RELAY_CAUSE_PEER_CLOSE);
		}
		if (quota <= (size_t)n) {
			relay_leg_resume(leg);
			return;
		}
		quota -= (size_t)n;
	}
	if (leg->state == RELAY_OPEN && leg->readable)
		run_open(leg);
}

/* Closing while bytes wait unread would reset the connection under our last words. */
static void run_drain(struct relay_leg *leg)
{
	size_t quota = RELAY_QUOTA;

	pass_held(leg);
	relay_flow_carry_end(leg);
	relay_flow_end(leg); /* it may have lost its partner */
	while (leg->readable && leg->state == RELAY_DRAIN && !leg->peer_ended) {
		ssize_t n = read_some(leg);

		if (n == 0) {
			leg->peer_ended = true;
			relay_flow_end(leg);
		}
		if (n <= 0)
			return;
		if (quota <= (size_t)n) {
			relay_leg_resume(leg);
			return;
		}
		quota -= (size_t)n;
	}
}

/* TLS is held and nothing is read. If the peer has left without a byte it is over. */
static void run_ready(struct relay_leg *leg)
{
	int waiting = 0;

	if (leg->hangup && ioctl(leg->watch.fd, FIONREAD, &waiting) == 0 && !waiting &&
	    (leg->partner || relay_leg_may_end_alone(leg))) {
		leg->peer_ended = true;
		relay_leg_input(leg, RELAY_ON_PEER_END, RELAY_CAUSE_PEER_CLOSE, 0);
	}
}

static void count_records(struct relay_leg *leg)
{
	if (leg && leg->owner && leg->session)
		relay_shake_count(leg);
}

void relay_flow_run(struct relay_leg *leg)
{
	if (leg->dgram) {
		relay_dgram_run(leg);
		return;
	}
	switch ((enum relay_state)leg->state) {
	case RELAY_TCP_READY:
		run_ready(leg);
		break;
	case RELAY_HANDSHAKE:
		run_handshake(leg);
		break;
	case RELAY_OPEN:
	case RELAY_HALF_OUT:
	case RELAY_HALF_IN:
		run_open(leg);
		if (leg->seat)
			relay_seat_run(leg->seat);
		break;
	case RELAY_DRAIN:
		run_drain(leg);
		break;
	default:
		return;
	}
	count_records(leg);
	count_records(leg->partner);
}
