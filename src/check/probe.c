/* SPDX-License-Identifier: Apache-2.0 */
/** @file One ClientHello and what comes of it; many of them, some at a time. */
#include "check/wire.h"

#include <pthread.h>

enum { COOKIES = 2, SENT_AGAIN = 3 };

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

/** A datagram may be lost: it is sent three times within `timeout_ms` (RFC 6347, 4.2.4). */
static void datagram_exchange(struct check_wire *w, struct check_probe *p, bool again)
{
	for (int round = 0; round < SENT_AGAIN; round++) {
		base_writer_reset(&p->sent);
		check_hello_datagram(&p->offer, again, &p->sent);
		if (check_wire_send(w, p->sent.data, p->sent.len))
			answer_await(w, &p->answer);
		else
			w->ended = true;
		if (w->ended) /* ICMP said so: nobody is there */
			p->answer.outcome = CHECK_UNREACHABLE;
		if (p->answer.outcome != CHECK_STALLED)
			return;
	}
	atomic_fetch_add(&w->target->stalled, 1);
}

static void probe_datagram(struct check_wire *w, struct check_probe *p)
{
	static const uint8_t abort_it[] = {
		CHECK_RECORD_ALERT, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 2, 90
	};
	uint8_t random[32], cookie[256];
	bool again = false;

	if (base_random(random, sizeof(random)))
		return;
	w->wait_ms = BASE_MAX(w->target->timeout_ms / SENT_AGAIN, 1U);
	p->offer.random = random; /* RFC 6347, 4.2.1: the same again with the cookie */
	for (int round = 0; round < COOKIES; round++) {
		datagram_exchange(w, p, again);
		if (p->answer.hello || !p->answer.cookie.len)
			break;
		memcpy(cookie, p->answer.cookie.data, p->answer.cookie.len);
		p->offer.cookie = (struct check_bytes){ cookie, p->answer.cookie.len };
		base_writer_reset(&w->in);
		(void)check_answer_read(&p->answer, NULL, 0); /* of nothing it forgets */
		again = true;
	}
	/* else it would go on sending its flight, and many a server hears nobody meanwhile */
	if (p->answer.outcome == CHECK_ANSWERED)
		(void)check_wire_send(w, abort_it, sizeof(abort_it));
	p->offer.random = NULL;
	p->offer.cookie = (struct check_bytes){ NULL, 0 };
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
	base_writer_done(&p->seen);
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
