/* SPDX-License-Identifier: Apache-2.0 */
/** @file One ClientHello and what comes of it; many of them, some at a time. */
#include "check/wire.h"

#include <pthread.h>

enum { COOKIES = 2, SENT_AGAIN = 3, QUICK_MS = 10 };

/** Read what has come, until it is whole or nothing more comes. */
static void answer_await(struct check_wire *w, struct check_answer *a)
{
	bool more = true;

	while (!a->whole && more) {
		more = check_wire_more(w);
		a->ended = w->ended;
		if (check_answer_read(a, w->in.data, w->in.len))
			return;
	}
	if (!a->whole && a->outcome == CHECK_NOTHING)
		a->outcome = CHECK_STALLED;
}

static void probe_stream(struct check_wire *w, struct check_probe *p)
{
	check_hello_wire(&p->offer, &p->sent);
	/* a server that has read enough may end it before all is sent: what it said still counts */
	(void)check_wire_send(w, p->sent.data, p->sent.len);
	answer_await(w, &p->answer);
	if (p->answer.outcome == CHECK_STALLED)
		atomic_fetch_add(&w->target->stalled, 1);
}

/* -- datagrams --------------------------------------------------------------------------------- */

/** One datagram's hello on its way. */
struct hello {
	struct check_wire *wire;
	struct check_probe *probe;
	uint32_t record; /**< number of the next record */
	bool again;      /**< with the cookie */
};

/** A cookie that comes twice is no answer to the hello that brought it. */
static void hello_await(struct hello *h)
{
	struct check_answer *a = &h->probe->answer;

	answer_await(h->wire, a);
	while (h->again && a->cookie.len && !a->hello && a->outcome == CHECK_NOTHING) {
		base_writer_reset(&h->wire->in);
		(void)check_answer_read(a, NULL, 0); /* of nothing it forgets */
		answer_await(h->wire, a);
	}
}

static void hello_send(struct hello *h)
{
	struct check_probe *p = h->probe;

	base_writer_reset(&p->sent);
	check_hello_datagram(&p->offer, h->again, h->record++, &p->sent);
	if (check_wire_send(h->wire, p->sent.data, p->sent.len))
		hello_await(h);
	else
		h->wire->ended = true;
	if (h->wire->ended) /* ICMP said so: nobody is there */
		p->answer.outcome = CHECK_UNREACHABLE;
}

/** A datagram may be lost: it is sent three times within `timeout_ms` (RFC 6347, 4.2.4). */
static void patient_exchange(struct hello *h)
{
	h->wire->wait_ms = BASE_MAX(h->wire->target->timeout_ms / SENT_AGAIN, 1U);
	for (int round = 0; round < SENT_AGAIN; round++) {
		hello_send(h);
		if (h->probe->answer.outcome != CHECK_STALLED)
			return;
	}
}

/**
 * With one at hand that is answered nothing is waited for long: who hears one thing after the other
 * and answers that one has heard this before.
 * @return false where neither was answered
 */
static bool quick_exchange(struct hello *h)
{
	struct check_answer *a = &h->probe->answer;
	struct check_target *t = h->wire->target;
	unsigned wait_ms = BASE_MIN(atomic_load(&t->known_ms) * 5 / 4 + QUICK_MS, t->timeout_ms);
	int rounds = atomic_load(&t->lost) ? SENT_AGAIN : SENT_AGAIN - 1;
	bool alive = true;

	if (!atomic_load(
	            &t->silences)) /* it may be busy: another beside this one would confuse it */
		wait_ms = BASE_MAX(wait_ms, t->timeout_ms / SENT_AGAIN);

	/* again, for what may be lost; not before it is known that nothing is under way */
	for (int round = 0; round < rounds && alive; round++) {
		h->wire->wait_ms = wait_ms;
		hello_send(h);
		if (a->outcome != CHECK_STALLED)
			return true;
		alive = check_target_alive(t, h->wire);
	}
	/* what has begun to come is awaited; what the network turned round, a little */
	h->wire->wait_ms = alive ? 2 * QUICK_MS : t->timeout_ms;
	if (alive || check_wire_ready(h->wire))
		hello_await(h);
	if (a->outcome != CHECK_STALLED)
		return true;
	a->silent = alive;
	atomic_fetch_add(&t->silences, alive);
	a->outcome = alive ? CHECK_REFUSED : CHECK_STALLED;
	return alive;
}

static void datagram_exchange(struct hello *h)
{
	struct check_target *t = h->wire->target;

	if (!t->known)
		patient_exchange(h);
	else if (!quick_exchange(h) && check_target_revive(t))
		(void)quick_exchange(h);
}

/** An alert that ends a handshake; who is in none may well not bear it. */
static void abort_send(struct hello *h)
{
	static const uint8_t cancelled[] = { 2, 90 };
	struct base_writer out = { 0 };

	check_record_put_dtls(&out, CHECK_RECORD_ALERT, 0xfefd, h->record++, cancelled, 2);
	(void)check_wire_send(h->wire, out.data, out.len); /* nothing comes upon it */
	base_writer_done(&out);
}

static void probe_datagram(struct check_wire *w, struct check_probe *p)
{
	struct hello h = { .wire = w, .probe = p };
	uint8_t random[32], cookie[256];

	if (base_random(random, sizeof(random)))
		return;
	p->offer.random = random; /* RFC 6347, 4.2.1: the same again with the cookie */
	for (int round = 0; round < COOKIES; round++) {
		datagram_exchange(&h);
		if (p->answer.hello || !p->answer.cookie.len)
			break;
		atomic_store(&w->target->cookies, true);
		p->cookied = true;
		if (p->first)
			break;
		memcpy(cookie, p->answer.cookie.data, p->answer.cookie.len);
		p->offer.cookie = (struct check_bytes){ cookie, p->answer.cookie.len };
		base_writer_reset(&w->in);
		(void)check_answer_read(&p->answer, NULL, 0); /* of nothing it forgets */
		h.again = true;
	}
	if (p->answer.outcome == CHECK_STALLED)
		atomic_fetch_add(&w->target->stalled, 1);
	/* else it would go on sending its flight, and many a server hears nobody meanwhile */
	if (p->answer.outcome == CHECK_ANSWERED || (p->answer.outcome == CHECK_STALLED && p->last))
		abort_send(&h);
	p->offer.random = NULL;
	p->offer.cookie = (struct check_bytes){ NULL, 0 };
}

/** One that it is known to answer; `last`: what it hangs in may end by an alert. */
static bool known_ask(struct check_target *t, const struct check_wire *beside, bool last)
{
	/* patient itself: a target of its own that knows nothing */
	struct check_target patient = { .address = t->address,
		                        .address_len = t->address_len,
		                        .dtls = true,
		                        .timeout_ms = t->timeout_ms,
		                        .connections = 1 };
	struct check_probe p = { .offer = *t->known,
		                 .first = atomic_load(&t->cookies) && atomic_load(&t->silences),
		                 .last = last,
		                 .answer = { .alert = -1, .is_dtls = true } };
	struct check_wire w;
	int64_t began = check_now_ms();
	unsigned took;
	bool answered;

	if (atomic_fetch_add(&t->opened, 1) >= t->connections) {
		atomic_fetch_sub(&t->opened, 1); /* it was not made */
		return false;
	}
	p.answer.outcome = check_wire_open(&w, &patient);
	w.beside = beside;
	if (p.answer.outcome == CHECK_NOTHING)
		probe_datagram(&w, &p);
	/* a hello before any cookie would be another's: a server of one peer may have taken us for
	 * it */
	answered = (p.first || p.answer.outcome == CHECK_ANSWERED) &&
	           (p.cookied || !atomic_load(&t->cookies));
	took = (unsigned)(check_now_ms() - began);
	if (answered && !p.first &&
	    (!atomic_load(&t->known_ms) || took < atomic_load(&t->known_ms)))
		atomic_store(&t->known_ms, took);
	check_wire_close(&w);
	check_probe_done(&p);
	return answered;
}

bool check_target_alive(struct check_target *t, const struct check_wire *beside)
{
	return t->known && known_ask(t, beside, false);
}

bool check_target_revive(struct check_target *t)
{
	/* whose habit is silence is not stuck in a handshake, and does not bear an alert outside of
	 * one */
	bool stuck = !atomic_load(&t->silences);
	bool alive = t->known && (known_ask(t, NULL, stuck) || known_ask(t, NULL, false));

	if (alive && stuck)
		atomic_fetch_add(&t->lost, 1);
	return alive;
}

static void probe_run(struct check_target *t, struct check_probe *p)
{
	struct check_wire w;
	enum check_outcome outcome;

	p->answer = (struct check_answer){ .alert = -1, .alert_level = -1, .is_dtls = t->dtls };
	if (atomic_load(&t->stalled) >= CHECK_STALLS_MAX) {
		p->answer.outcome = CHECK_STALLED;
		return;
	}
	outcome = check_wire_open(&w, t);
	p->answer.outcome = outcome;
	if (outcome == CHECK_NOTHING && t->dtls)
		probe_datagram(&w, p);
	else if (outcome == CHECK_NOTHING)
		probe_stream(&w, p);
	base_writer_put(&p->seen, w.in.data, w.in.len);
	check_wire_close(&w);
}

void check_probe_done(struct check_probe *p)
{
	check_answer_done(&p->answer);
	base_writer_done(&p->sent);
	base_writer_done(&p->seen); /* the offer stays: it may be asked again */
}

/* -- many -------------------------------------------------------------------------------------- */

struct crew {
	struct check_target *target;
	struct check_probe *probe;
	size_t count;
	atomic_size_t next;
};

static void *crew_work(void *arg)
{
	struct crew *crew = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&crew->next, 1);

		if (i >= crew->count)
			return NULL;
		if (crew->probe[i].wanted && crew->probe[i].answer.outcome == CHECK_NOTHING)
			probe_run(crew->target, &crew->probe[i]);
	}
}

void check_probes_run(struct check_target *target, struct check_probe *probe, size_t count)
{
	enum { HANDS = 32 };
	struct crew crew = { .target = target, .probe = probe, .count = count };
	pthread_t hand[HANDS];
	unsigned hands = 0, wanted = BASE_MIN(target->parallel, (unsigned)HANDS);

	while (hands + 1 < wanted && hands + 1 < count &&
	       !pthread_create(&hand[hands], NULL, crew_work, &crew))
		hands++;
	(void)crew_work(&crew); /* this thread works, too; alone where no other could be had */
	while (hands)
		(void)pthread_join(hand[--hands], NULL); /* it was made above */
}
