/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: RFC 8855, 6.2 (one at a time), 8 (ids), 8.3 (timers). */
#include "bfcp/link.h"

#include "bfcp/fragment.h"

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)
#define TOO_LONG  BASE_ERR(BASE_BUG, 0) /* for whoever takes as much as we do */

void bfcp_link_done(struct bfcp_link *l)
{
	base_writer_done(&l->in);
	base_arena_done(&l->arena);
	base_writer_done(&l->out);
	base_writer_done(&l->queue);
	base_writer_done(&l->request);
	base_writer_done(&l->answer);
	base_writer_done(&l->have);
}

/** What has been taken from the front makes room. */
static void compact(struct base_writer *w, size_t *at)
{
	if (*at <= w->len / 2 && *at < w->len)
		return;
	if (*at < w->len)
		memmove(w->data, w->data + *at, w->len - *at);
	w->len -= *at;
	*at = 0;
}

/** Octets behind their length, in a list that is used up from its front. */
static int list_put(struct base_writer *list, size_t *at, const void *data, size_t len)
{
	compact(list, at);
	if (list->len + len > BFCP_QUEUE_MAX + BFCP_MESSAGE_MAX)
		return NO_MEMORY;
	base_writer_u32(list, (uint32_t)len);
	base_writer_put(list, data, len);
	return list->failed ? NO_MEMORY : 0;
}

/** The next of a list. @return false when it is empty */
static bool list_next(const struct base_writer *list, size_t at, struct base_str *ret)
{
	struct base_reader r = base_reader_of(list->data, list->len);

	if (at == list->len || !base_reader_take(&r, at))
		return false;
	ret->len = base_reader_u32(&r);
	ret->ptr = (const char *)base_reader_take(&r, ret->len);
	return ret->ptr != NULL;
}

/** A whole message onto the connection, in fragments where it has to be. */
static int put_out(struct bfcp_link *l, struct base_str octets)
{
	uint8_t part[BFCP_MTU_MAX];
	size_t n, mtu = l->mtu ? l->mtu : BFCP_MTU, at = 0;

	l->went++;
	if (l->reliable) {
		compact(&l->out, &l->out_at);
		if (l->out.len + octets.len > BFCP_QUEUE_MAX + BFCP_MESSAGE_MAX)
			return NO_MEMORY;
		base_writer_str(&l->out, octets);
		return l->out.failed ? NO_MEMORY : 0;
	}
	if (octets.len <= mtu)
		return list_put(&l->out, &l->out_at, octets.ptr, octets.len);
	while ((n = bfcp_fragment(octets, mtu, &at, part)))
		if (list_put(&l->out, &l->out_at, part, n))
			return NO_MEMORY;
	return 0;
}

size_t bfcp_link_take(struct bfcp_link *l, void *buf, size_t cap)
{
	struct base_str one;

	if (l->out_at == l->out.len)
		return 0;
	if (l->reliable) {
		one = (struct base_str){ (char *)l->out.data + l->out_at, l->out.len - l->out_at };
		one.len = BASE_MIN(one.len, cap);
		l->out_at += one.len;
	} else {
		if (!list_next(&l->out, l->out_at, &one) || one.len > cap)
			return 0;
		l->out_at += 4 + one.len;
	}
	if (one.len)
		memcpy(buf, one.ptr, one.len);
	return one.len;
}

static uint64_t t1_of(const struct bfcp_link *l)
{
	return l->t1 ? l->t1 : BFCP_T1_MS;
}

/** (T1 * 2^4) * 1.25 (8.3.3) */
static uint64_t t2_of(const struct bfcp_link *l)
{
	return t1_of(l) * 20;
}

/** 8.3.1, RFC 6298: alpha 1/8, beta 1/4, granularity 100 ms, not under 500 ms. */
static void measure(struct bfcp_link *l, uint64_t rtt)
{
	uint64_t off;

	if (!l->measured) {
		l->srtt = rtt;
		l->rttvar = rtt / 2;
	} else {
		off = l->srtt > rtt ? l->srtt - rtt : rtt - l->srtt;
		l->rttvar = (3 * l->rttvar + off) / 4;
		l->srtt = (7 * l->srtt + rtt) / 8;
	}
	l->measured = true;
	l->t1 = BASE_MAX((uint64_t)BFCP_T1_MS, l->srtt + BASE_MAX((uint64_t)100, 4 * l->rttvar));
}

/** The request that has waited longest goes out, when none is under way. */
static int start_next(struct bfcp_link *l, uint64_t now_ms)
{
	struct base_str one;

	if (l->waiting || l->broken || !list_next(&l->queue, l->queue_at, &one))
		return 0;
	base_writer_reset(&l->request);
	base_writer_str(&l->request, one);
	if (l->request.failed)
		return NO_MEMORY;
	l->queue_at += 4 + one.len;
	l->last_tid = l->last_tid == UINT16_MAX ? 1 : (uint16_t)(l->last_tid + 1);
	l->tid = l->last_tid;
	l->request.data[8] = (uint8_t)(l->tid >> 8);
	l->request.data[9] = (uint8_t)l->tid;
	l->primitive = l->request.data[1];
	l->waiting = true;
	l->tries = 0;
	l->sent_ms = now_ms;
	l->due_ms = l->reliable ? BFCP_NEVER : now_ms + t1_of(l);
	return put_out(l, base_writer_view(&l->request));
}

int bfcp_link_ask(struct bfcp_link *l, const struct bfcp_message *msg, uint64_t now_ms)
{
	struct bfcp_message ours = *msg;
	struct base_writer w = { 0 };
	int rc;

	ours.version = l->reliable ? 1 : 2;
	ours.response = false;
	ours.conference = l->conference;
	ours.transaction = 0;
	rc = bfcp_encode(&w, &ours);
	if (!rc && w.len > BFCP_MESSAGE_MAX)
		rc = TOO_LONG;
	if (!rc && l->reliable && !l->client)
		rc = put_out(l, base_writer_view(&w)); /* notifications: id 0, no answer (8.2) */
	else if (!rc)
		rc = list_put(&l->queue, &l->queue_at, w.data, w.len);
	base_writer_done(&w);
	return rc ? rc : start_next(l, now_ms);
}

int bfcp_link_answer(struct bfcp_link *l, const struct bfcp_message *to,
                     const struct bfcp_message *msg, uint64_t now_ms)
{
	struct bfcp_message ours = *msg;
	int rc;

	ours.version = l->reliable ? 1 : 2;
	ours.response = true;
	ours.conference = to->conference;
	ours.transaction = to->transaction;
	ours.user = to->user;
	l->answered = false;
	base_writer_reset(&l->answer);
	rc = bfcp_encode(&l->answer, &ours);
	if (!rc && l->answer.len > BFCP_MESSAGE_MAX)
		rc = TOO_LONG;
	if (rc)
		return rc;
	l->answered = !l->reliable;
	l->answered_tid = to->transaction;
	l->answer_until = now_ms + t2_of(l);
	l->done[l->done_next++ % BFCP_REMEMBERED] =
	        (struct bfcp_link_done){ to->transaction, to->primitive, l->answer_until };
	return put_out(l, base_writer_view(&l->answer));
}

/** Does this end the transaction under way? @return its primitive, or 0 */
static unsigned ends(struct bfcp_link *l, const struct bfcp_message *msg, uint64_t now_ms)
{
	if (!l->waiting || msg->transaction != l->tid || (!l->reliable && !msg->response))
		return 0;
	if (!l->tries) /* answers to what was repeated tell nothing (8.3.1) */
		measure(l, now_ms - l->sent_ms);
	l->waiting = false;
	return l->primitive;
}

/** Answered before the last one: it comes late, and is not done again (8.3.2). */
static bool was_done(const struct bfcp_link *l, const struct bfcp_message *msg, uint64_t now_ms)
{
	for (size_t i = 0; i < BFCP_REMEMBERED; i++)
		if (l->done[i].tid == msg->transaction && l->done[i].primitive == msg->primitive &&
		    now_ms < l->done[i].until)
			return true;
	return false;
}

/** A whole message has come. */
static int take_message(struct bfcp_link *l, struct base_str octets, uint64_t now_ms)
{
	struct bfcp_message msg;
	unsigned answers = 0;
	int rc;

	l->came++;
	base_arena_reset(&l->arena);
	rc = bfcp_decode(octets, &l->arena, &msg, NULL);
	if (!rc && msg.version != (l->reliable ? 1 : 2))
		rc = BASE_ERR(BASE_PEER, BFCP_UNSUPPORTED_VERSION);
	if (rc) {
		if (base_err_class(rc) == BASE_PEER && base_err_detail(rc) && !msg.response)
			l->fault(l->arg, &msg, base_err_detail(rc), now_ms);
		return rc;
	}
	if (!l->reliable && !msg.response && l->answered && msg.transaction == l->answered_tid) {
		if (now_ms < l->answer_until) /* the answer was lost: again (8.3.2) */
			return put_out(l, base_writer_view(&l->answer));
		l->answered = false;
	}
	if (!l->reliable && !msg.response && was_done(l, &msg, now_ms))
		return 0;
	if (l->client || !l->reliable)
		answers = ends(l, &msg, now_ms);
	if (msg.response && !answers)
		return 0; /* of a transaction that is over */
	l->message(l->arg, &msg, answers, now_ms);
	return start_next(l, now_ms);
}

static int stream_input(struct bfcp_link *l, struct base_str octets, uint64_t now_ms)
{
	struct base_str one;
	size_t need, n;
	int rc = 0;

	while (!rc && octets.len) {
		need = BFCP_HEADER_OCTETS;
		if (l->in.len >= need)
			need += 4 * ((size_t)l->in.data[2] << 8 | l->in.data[3]);
		if (need > BFCP_MESSAGE_MAX)
			return BASE_ERR(BASE_PEER, BFCP_WRONG_LENGTH);
		n = BASE_MIN(need - l->in.len, octets.len);
		base_writer_put(&l->in, octets.ptr, n);
		if (l->in.failed)
			return NO_MEMORY;
		octets = (struct base_str){ octets.ptr + n, octets.len - n };
		if (l->in.len < need ||
		    (need == BFCP_HEADER_OCTETS && (l->in.data[2] || l->in.data[3])))
			continue;
		one = base_writer_view(&l->in);
		rc = take_message(l, one, now_ms);
		base_writer_reset(&l->in);
	}
	return rc;
}

int bfcp_link_input(struct bfcp_link *l, struct base_str octets, uint64_t now_ms)
{
	struct base_str whole;
	int rc;

	if (l->reliable)
		return stream_input(l, octets, now_ms);
	rc = bfcp_gather(l, octets, now_ms, t2_of(l), &whole);
	if (!rc && whole.len)
		rc = take_message(l, whole, now_ms);
	return rc && base_err_class(rc) == BASE_PEER ? 0 : rc; /* the next datagram may be right */
}

void bfcp_link_tick(struct bfcp_link *l, uint64_t now_ms)
{
	if (l->gathering && now_ms >= l->gather_until)
		l->gathering = false;
	if (!l->waiting || now_ms < l->due_ms || l->broken)
		return;
	if (l->tries == 3) {
		l->broken = true;
		return;
	}
	l->tries++;
	l->due_ms = now_ms + (t1_of(l) << l->tries);
	/* What does not go out now is repeated later. */
	(void)put_out(l, base_writer_view(&l->request));
}

uint64_t bfcp_link_due(const struct bfcp_link *l)
{
	uint64_t due = l->waiting && !l->broken ? l->due_ms : BFCP_NEVER;

	return l->gathering ? BASE_MIN(due, l->gather_until) : due;
}
