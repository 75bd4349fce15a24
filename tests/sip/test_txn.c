/* SPDX-License-Identifier: Apache-2.0 */
/** @file Transactions on a virtual clock: RFC 3261, 17, timer by timer. */
#include "check.h"
#include "sip/sip.h"

#define SENT_MAX 64

/* One element on a stage: what it sends, what it is told. */
struct stage {
	struct sip_txns *txns;
	uint64_t now_ms, deadline_ms;
	struct base_writer sent[SENT_MAX];
	uint64_t sent_ms[SENT_MAX];
	size_t sent_count;
	int send_rc;
	uint8_t random;
	struct sip_txn *request; /* last on_request */
	unsigned requests, stray_acks, strays, responses, ends;
	unsigned status; /* last on_response */
	bool eager;      /* whatever may be done inside of a callback, is done */
	enum sip_end why;
	uint64_t end_ms;
};

static const struct sip_flow udp = { .id = 1 }, tls = { .id = 2, .reliable = true };

#define HEAD(branch)                                                                               \
	"Via: SIP/2.0/UDP ue.example:5061;branch=" branch "\r\n"                                   \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\n"
#define REQUEST(method, branch)                                                                    \
	method " sip:b@example.com SIP/2.0\r\n" HEAD(branch) "Route: <sip:p.example;lr>\r\n"       \
	                                                     "CSeq: 7 " method                     \
	                                                     "\r\nContent-Length: 0\r\n\r\n"
#define RESPONSE(status, method, branch)                                                           \
	"SIP/2.0 " status " x\r\nVia: SIP/2.0/UDP ue.example:5061;branch=" branch "\r\n"           \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\nCall-ID: x\r\n"       \
	"CSeq: 7 " method "\r\nContent-Length: 0\r\n\r\n"
#define B "z9hG4bKone"

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct stage *s = arg;

	(void)flow;
	assert_true(s->sent_count < SENT_MAX);
	s->sent_ms[s->sent_count] = s->now_ms;
	base_writer_str(&s->sent[s->sent_count++], octets);
	return s->send_rc;
}

static void answer(struct stage *s, unsigned status);
static void send_another(struct stage *s, const char *method);

static void on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct stage *s = arg;

	(void)msg;
	(void)from;
	if (txn)
		s->request = txn;
	s->requests += txn != NULL;
	s->stray_acks += txn == NULL;
	if (s->eager && txn) {
		answer(s, 183);
		answer(s, 200);
	}
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_message *msg)
{
	struct stage *s = arg;

	s->responses++;
	s->status = msg->status;
	if (!s->eager)
		return;
	if (sip_txn_is_invite(txn) && msg->status < 200)
		(void)sip_request_cancel(txn, NULL, NULL,
		                         NULL); /* the second one is one too many */
	send_another(s, "OPTIONS");
}

static void on_end(void *arg, struct sip_txn *txn, enum sip_end why)
{
	struct stage *s = arg;

	s->ends++;
	if (s->eager) { /* nothing can be had of it any more, but its request */
		assert_true(sip_txn_request(txn)->octets.len > 0);
		assert_int_equal(base_err_class(sip_request_cancel(txn, NULL, NULL, NULL)),
		                 BASE_BUG);
		assert_int_equal(sip_txn_reply(txn, BASE_STR(RESPONSE("200", "INVITE", B))), 0);
	}
	if (s->eager && s->ends < 8)
		send_another(s, "MESSAGE");
	s->why = why;
	s->end_ms = s->now_ms;
}

static void on_stray(void *arg, const struct sip_message *msg, struct sip_flow from)
{
	struct stage *s = arg;

	(void)msg;
	(void)from;
	s->strays++;
}

static void rearm(void *arg, uint64_t deadline_ms)
{
	((struct stage *)arg)->deadline_ms = deadline_ms;
}

static uint64_t now_ms(void *arg)
{
	return ((struct stage *)arg)->now_ms;
}

static void random_octets(void *arg, uint8_t *out, size_t len)
{
	memset(out, ++((struct stage *)arg)->random, len);
}

static void stage_open(struct stage *s, size_t count_max)
{
	struct sip_txn_ops ops = { .send = on_send,
		                   .on_request = on_request,
		                   .on_response = on_response,
		                   .on_end = on_end,
		                   .on_stray = on_stray,
		                   .rearm = rearm,
		                   .now_ms = now_ms,
		                   .random = random_octets,
		                   .arg = s };

	*s = (struct stage){ .deadline_ms = UINT64_MAX };
	assert_int_equal(
	        sip_txns_new(&s->txns, &(struct sip_txn_config){ .count_max = count_max }, &ops),
	        0);
}

static void stage_close(struct stage *s)
{
	sip_txns_free(s->txns);
	for (size_t i = 0; i < SENT_MAX; i++)
		base_writer_done(&s->sent[i]);
}

/* Time goes on to this, and what is due on the way is done when it is due. */
static void until(struct stage *s, uint64_t ms)
{
	while (s->deadline_ms <= ms) {
		assert_int_equal(s->deadline_ms, sip_txns_deadline(s->txns));
		s->now_ms = BASE_MAX(s->now_ms, s->deadline_ms);
		s->deadline_ms = UINT64_MAX; /* the owner's timer has run out: it is called anew */
		sip_txns_advance(s->txns);
	}
	s->now_ms = ms;
}

static struct base_str sent(const struct stage *s, size_t i)
{
	assert_true(i < s->sent_count);
	return base_writer_view(&s->sent[i]);
}

static bool has(struct base_str s, const char *text)
{
	return memmem(s.ptr, s.len, text, strlen(text)) != NULL;
}

static void in(struct stage *s, struct sip_flow flow, const char *text)
{
	sip_txns_input(s->txns, flow, NULL, base_str_of(text));
}

static struct sip_txn *begin(struct stage *s, struct sip_flow flow, const char *text)
{
	struct sip_txn *txn;

	assert_int_equal(sip_request_send(s->txns, flow, base_str_of(text), s, &txn), 0);
	assert_ptr_equal(sip_txn_user(txn), s);
	return txn;
}

static void sent_at(const struct stage *s, size_t from, const uint64_t *ms, size_t count)
{
	assert_int_equal(s->sent_count, from + count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(s->sent_ms[from + i], ms[i]);
}

/* -- client ------------------------------------------------------------------------------------ */

/** Timers A and B. */
static void invite_is_repeated(void **state)
{
	static const uint64_t due[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)begin(&s, udp, REQUEST("INVITE", B));
	until(&s, 31999);
	sent_at(&s, 0, due, BASE_COUNT(due));
	assert_int_equal(s.ends, 0);
	until(&s, 32001);
	assert_int_equal(s.ends, 1);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	assert_int_equal(sip_txns_count(s.txns), 0);
	assert_int_equal(s.deadline_ms, UINT64_MAX);
	stage_close(&s);
}

/** 17.1.1.3: ACK in the same branch, with the response's To, the request's Route; again for each.
 */
static void refusal_is_acked(void **state)
{
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	txn = begin(&s, udp, REQUEST("INVITE", B));
	in(&s, udp, RESPONSE("180", "INVITE", B));
	until(&s, 40000); /* no timer B once it has been heard */
	assert_int_equal(s.sent_count, 1);
	assert_false(sip_txn_answered(txn));
	in(&s, udp, RESPONSE("486", "INVITE", B));
	assert_true(sip_txn_answered(txn));
	assert_int_equal(s.responses, 2);
	assert_int_equal(s.sent_count, 2);
	assert_true(has(sent(&s, 1), "ACK sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
	                             "ue.example:5061;branch=" B "\r\n"));
	assert_true(has(sent(&s, 1), "Route: <sip:p.example;lr>\r\n"));
	assert_true(has(sent(&s, 1), "To: <sip:b@example.com>;tag=2\r\n"));
	assert_true(has(sent(&s, 1), "CSeq: 7 ACK\r\n"));
	in(&s, udp, RESPONSE("486", "INVITE", B));
	assert_int_equal(s.responses, 2);
	assert_int_equal(s.sent_count, 3);
	until(&s, 40000 + 31999);
	assert_int_equal(s.ends, 0);
	until(&s, 40000 + 32001);
	assert_int_equal(s.why, SIP_END_DONE);
	assert_int_equal(s.ends, 1);
	stage_close(&s);
}

/** RFC 6026, 7.2: each 2xx goes up, and the owner acknowledges it. */
static void each_2xx_goes_up(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)begin(&s, tls, REQUEST("INVITE", B));
	in(&s, tls, RESPONSE("200", "INVITE", B));
	in(&s, tls, RESPONSE("200", "INVITE", B));
	assert_int_equal(s.responses, 2);
	assert_int_equal(s.sent_count, 1);
	in(&s, tls, RESPONSE("486", "INVITE", B)); /* too late */
	assert_int_equal(s.responses, 2);
	until(&s, 32001);
	assert_int_equal(s.ends, 1);
	in(&s, tls, RESPONSE("200", "INVITE", B));
	assert_int_equal(s.strays, 1);
	stage_close(&s);
}

/** Timers E, F and K. */
static void others_are_repeated(void **state)
{
	static const uint64_t due[] = { 0,     500,   1500,  3500,  7500, 11500,
		                        15500, 19500, 23500, 27500, 31500 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)begin(&s, udp, REQUEST("MESSAGE", B));
	until(&s, 32001);
	sent_at(&s, 0, due, BASE_COUNT(due));
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	(void)begin(&s, udp, REQUEST("MESSAGE", "z9hG4bKtwo"));
	in(&s, udp, RESPONSE("100", "MESSAGE", "z9hG4bKtwo"));
	until(&s, 32001 + 4000);
	assert_int_equal(s.sent_count, BASE_COUNT(due) + 2); /* T2 from then on */
	in(&s, udp, RESPONSE("200", "MESSAGE", "z9hG4bKtwo"));
	in(&s, udp, RESPONSE("200", "MESSAGE", "z9hG4bKtwo"));
	assert_int_equal(s.responses, 2);
	until(&s, 32001 + 4000 + 4999);
	assert_int_equal(s.ends, 1);
	until(&s, 32001 + 4000 + 5001);
	assert_int_equal(s.ends, 2);
	assert_int_equal(s.why, SIP_END_DONE);
	stage_close(&s);
}

static void reliable_is_not_repeated(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)begin(&s, tls, REQUEST("MESSAGE", B));
	until(&s, 32001);
	assert_int_equal(s.sent_count, 1);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	(void)begin(&s, tls, REQUEST("MESSAGE", B));
	in(&s, tls, RESPONSE("404", "MESSAGE", B));
	until(&s, s.now_ms + 1);
	assert_int_equal(s.ends, 2); /* no linger either */
	stage_close(&s);
}

static void whose_response_it_is(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)begin(&s, tls, REQUEST("MESSAGE", B));
	in(&s, tls, RESPONSE("200", "MESSAGE", "z9hG4bKother"));
	in(&s, tls, RESPONSE("200", "OPTIONS", B));
	in(&s, tls, "SIP/2.0 200 OK\r\n\r\n"); /* at fault: thrown away */
	assert_int_equal(s.responses, 0);
	assert_int_equal(s.strays, 2);
	stage_close(&s);
}

/** 9.1: not before a provisional response, not after a final one. */
static void cancel(void **state)
{
	struct stage s;
	struct sip_txn *txn, *second = NULL;

	(void)state;
	stage_open(&s, 0);
	txn = begin(&s, tls, REQUEST("INVITE", B));
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, &second), BASE_ERR(BASE_BUG, 0));
	in(&s, tls, RESPONSE("180", "INVITE", B));
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, &second), 0);
	assert_true(has(sent(&s, 1), "CANCEL sip:b@example.com SIP/2.0\r\n"));
	assert_true(has(sent(&s, 1), ";branch=" B "\r\n"));
	assert_true(has(sent(&s, 1), "CSeq: 7 CANCEL\r\n"));
	in(&s, tls, RESPONSE("200", "CANCEL", B));
	assert_int_equal(s.status, 200);
	in(&s, tls, RESPONSE("487", "INVITE", B));
	assert_int_equal(s.status, 487);
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, &second), BASE_ERR(BASE_BUG, 0));
	stage_close(&s);
}

/** 9.1: who does not answer after a CANCEL is waited for no longer than 64 T1. */
static void cancelled_in_vain(void **state)
{
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	txn = begin(&s, tls, REQUEST("INVITE", B));
	in(&s, tls, RESPONSE("180", "INVITE", B));
	until(&s, 100000); /* rings for long */
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, NULL), 0);
	in(&s, tls, RESPONSE("200", "CANCEL", B));
	in(&s, tls, RESPONSE("183", "INVITE", B));
	until(&s, 131999);
	assert_int_equal(sip_txns_count(s.txns), 1);
	until(&s, 132001);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	assert_int_equal(sip_txns_count(s.txns), 0);
	/* nor where the CANCEL cannot be sent */
	txn = begin(&s, tls, REQUEST("INVITE", B));
	in(&s, tls, RESPONSE("180", "INVITE", B));
	s.send_rc = BASE_ERR(BASE_LOCAL, 0);
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, NULL), s.send_rc);
	until(&s, 132001 + 32001);
	assert_int_equal(sip_txns_count(s.txns), 0);
	stage_close(&s);
}

/* -- server ------------------------------------------------------------------------------------ */

static void answer(struct stage *s, unsigned status)
{
	struct base_writer w = { 0 };

	sip_reply_begin(&w, sip_txn_request(s->request), NULL, status, NULL, BASE_STR("2"));
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	assert_int_equal(sip_txn_reply(s->request, base_writer_view(&w)), 0);
	base_writer_done(&w);
}

/** 17.2.1: 100 after 200 ms, and the last response for each repetition. */
static void invite_served(void **state)
{
	static const uint64_t due[] = { 1000, 1500, 2500, 4500, 8500, 12500 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	in(&s, udp, REQUEST("INVITE", B));
	in(&s, udp, REQUEST("INVITE", B));
	until(&s, 199);
	assert_int_equal(s.sent_count, 0);
	until(&s, 200);
	assert_true(has(sent(&s, 0), "SIP/2.0 100 Trying\r\n"));
	assert_true(has(sent(&s, 0), "To: <sip:b@example.com>\r\n")); /* no tag in a 100 */
	in(&s, udp, REQUEST("INVITE", B));
	assert_int_equal(s.sent_count, 2);
	answer(&s, 180);
	until(&s, 1000);
	answer(&s, 486);
	until(&s, 12600);
	assert_int_equal(s.requests, 1);
	sent_at(&s, 3, due, BASE_COUNT(due));
	in(&s, udp, REQUEST("ACK", B));
	until(&s, 17599);
	assert_int_equal(s.sent_count, 3 + BASE_COUNT(due));
	assert_int_equal(s.ends, 0);
	in(&s, udp, REQUEST("INVITE", B)); /* a late one is absorbed */
	assert_int_equal(s.requests, 1);
	until(&s, 17601);
	assert_int_equal(s.why, SIP_END_DONE);
	assert_int_equal(s.stray_acks, 0);
	stage_close(&s);
}

/** Timer H. */
static void no_ack_comes(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	in(&s, tls, REQUEST("INVITE", B));
	answer(&s, 486);
	until(&s, 31999);
	assert_int_equal(s.sent_count, 1);
	until(&s, 32001);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	stage_close(&s);
}

/** RFC 6026, 7.1: the INVITE again is absorbed; the owner repeats the 2xx; its ACK is another's. */
static void invite_accepted(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	in(&s, udp, REQUEST("INVITE", B));
	answer(&s, 200);
	in(&s, udp, REQUEST("INVITE", B));
	until(&s, 5000);
	assert_int_equal(s.sent_count, 1);
	answer(&s, 200);
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(sip_txn_reply(s.request, BASE_STR(RESPONSE("486", "INVITE", B))),
	                 BASE_ERR(BASE_BUG, 0));
	in(&s, udp, REQUEST("ACK", "z9hG4bKtwo"));
	in(&s, udp, REQUEST("ACK", B)); /* 2543 puts it there */
	assert_int_equal(s.stray_acks, 2);
	until(&s, 32001);
	assert_int_equal(s.why, SIP_END_DONE);
	assert_int_equal(s.requests, 1);
	stage_close(&s);
}

/** 17.2.2 */
static void other_served(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	in(&s, udp, REQUEST("MESSAGE", B));
	in(&s, udp, REQUEST("MESSAGE", B));
	until(&s, 1000);
	assert_int_equal(s.sent_count, 0); /* no 100 of its own accord */
	answer(&s, 200);
	in(&s, udp, REQUEST("MESSAGE", B));
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(sip_txn_reply(s.request, BASE_STR(RESPONSE("404", "MESSAGE", B))),
	                 BASE_ERR(BASE_BUG, 0));
	until(&s, 32999);
	assert_int_equal(s.ends, 0);
	until(&s, 33001);
	assert_int_equal(s.why, SIP_END_DONE);
	in(&s, udp, REQUEST("MESSAGE", B));
	assert_int_equal(s.requests, 2); /* forgotten */
	stage_close(&s);
}

/** 17.2.3: sent-by counts, the method counts, and without the cookie all that RFC 2543 had. */
static void whose_request_it_is(void **state)
{
	static const char other_host[] =
	        "MESSAGE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP other.example;branch=" B
	        "\r\n"
	        "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\n"
	        "CSeq: 7 MESSAGE\r\n\r\n";
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	in(&s, udp, REQUEST("MESSAGE", B));
	in(&s, udp, other_host);
	in(&s, udp, REQUEST("OPTIONS", B));
	assert_int_equal(s.requests, 3);
	in(&s, udp, REQUEST("INVITE", "1"));
	in(&s, udp, REQUEST("INVITE", "1"));
	assert_int_equal(s.requests, 4);
	answer(&s, 486);
	in(&s, udp, REQUEST("ACK", "1"));
	assert_int_equal(s.stray_acks, 0);
	in(&s, udp,
	   "MESSAGE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP ue.example:5061;branch=1\r\n"
	   "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: y\r\n"
	   "CSeq: 7 MESSAGE\r\n\r\n");
	assert_int_equal(s.requests, 5);
	stage_close(&s);
}

/** 9.2 */
static void cancelled(void **state)
{
	struct stage s;
	struct sip_txn *invite;

	(void)state;
	stage_open(&s, 0);
	in(&s, udp, REQUEST("INVITE", B));
	invite = s.request;
	in(&s, udp, REQUEST("CANCEL", B));
	assert_int_equal(s.requests, 2);
	assert_ptr_equal(sip_txn_cancelled(s.txns, sip_txn_request(s.request)), invite);
	in(&s, udp, REQUEST("CANCEL", "z9hG4bKtwo"));
	assert_null(sip_txn_cancelled(s.txns, sip_txn_request(s.request)));
	stage_close(&s);
}

/* -- trouble ----------------------------------------------------------------------------------- */

static void faults_are_answered_once(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 2);
	in(&s, udp, "MESSAGE sip:b@example.com SIP/7.0\r\n" HEAD(B) "CSeq: 7 MESSAGE\r\n\r\n");
	assert_true(has(sent(&s, 0), "SIP/2.0 505 Version Not Supported\r\n"));
	assert_true(has(sent(&s, 0), "To: <sip:b@example.com>;tag="));
	in(&s, udp, "MESSAGE sip:b@example.com SIP/2.0\r\n" HEAD(B) "\r\n");
	assert_true(has(sent(&s, 1), "SIP/2.0 400 A header field is missing\r\n"));
	in(&s, udp,
	   "MESSAGE sip:b@example.com SIP/2.0\r\n" HEAD(B) "\r\n"); /* the same tag (8.2.7) */
	assert_true(base_str_eq(sent(&s, 1), sent(&s, 2)));
	base_writer_reset(&s.sent[--s.sent_count]);
	in(&s, udp, "ACK sip:b@example.com SIP/2.0\r\n" HEAD(B) "\r\n");   /* never answered */
	in(&s, udp, "MESSAGE sip:b@example.com SIP/2.0\r\nTo: x\r\n\r\n"); /* from nowhere */
	in(&s, udp, "\x16\x03\x01");
	in(&s, udp, "");
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(s.requests + s.stray_acks, 0);
	assert_int_equal(sip_txns_count(s.txns), 0);
	in(&s, udp, REQUEST("MESSAGE", B));
	in(&s, udp, REQUEST("MESSAGE", "z9hG4bKtwo"));
	in(&s, udp, REQUEST("MESSAGE", "z9hG4bKthree"));
	assert_int_equal(s.requests, 2);
	assert_true(has(sent(&s, 2), "SIP/2.0 503 Service Unavailable\r\n"));
	assert_true(has(sent(&s, 2), "Retry-After: "));
	stage_close(&s);
}

static void flows_fail(void **state)
{
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	(void)begin(&s, tls, REQUEST("MESSAGE", B));
	(void)begin(&s, udp, REQUEST("MESSAGE", "z9hG4bKtwo"));
	sip_txns_lost(s.txns, tls.id);
	assert_int_equal(s.ends, 0); /* told by the clock, not in the call */
	until(&s, 1);
	assert_int_equal(s.ends, 1);
	assert_int_equal(s.why, SIP_END_FLOW);
	assert_int_equal(sip_txns_count(s.txns), 1);
	s.send_rc = BASE_ERR(BASE_PEER, 0);
	assert_int_equal(sip_request_send(s.txns, tls, BASE_STR(REQUEST("MESSAGE", B)), NULL, &txn),
	                 s.send_rc);
	assert_int_equal(sip_txns_count(s.txns), 1);
	until(&s, 600); /* the repetition fails */
	assert_int_equal(s.ends, 2);
	s.send_rc = 0;
	in(&s, udp, REQUEST("INVITE", B));
	s.send_rc = BASE_ERR(BASE_PEER, 0);
	answer(&s, 180); /* taken, and the end comes by the clock */
	assert_int_equal(s.ends, 2);
	until(&s, 601);
	assert_int_equal(s.ends, 3);
	assert_int_equal(s.why, SIP_END_FLOW);
	stage_close(&s);
}

static void no_request_of_ours(void **state)
{
	static const char *const rows[] = { "", "nonsense", RESPONSE("200", "MESSAGE", B),
		                            REQUEST("ACK", B),
		                            "MESSAGE sip:b@example.com SIP/2.0\r\n\r\n" };
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		assert_int_not_equal(
		        sip_request_send(s.txns, udp, base_str_of(rows[i]), NULL, &txn), 0);
	(void)begin(&s, udp, REQUEST("MESSAGE", B));
	assert_int_equal(sip_request_send(s.txns, udp, BASE_STR(REQUEST("MESSAGE", B)), NULL, &txn),
	                 BASE_ERR(BASE_BUG, 0)); /* that branch is in use */
	assert_int_equal(s.sent_count, 1);
	stage_close(&s);
}

/** A request of ours from inside of a callback. */
static void send_another(struct stage *s, const char *method)
{
	struct base_writer w = { 0 };
	char branch[SIP_BRANCH_MAX];
	int rc;

	sip_branch(s->txns, branch);
	base_writer_printf(&w,
	                   "%s sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TLS me;branch=%s\r\n"
	                   "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
	                   "Call-ID: x\r\nCSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
	                   method, branch, method);
	rc = sip_request_send(s->txns, tls, base_writer_view(&w), NULL, NULL);
	assert_int_equal(rc, s->send_rc);
	base_writer_done(&w);
}

/** Callbacks that reply, send and cancel, with a flow that carries, and with one that fails. */
static void callbacks_call_back(void **state)
{
	(void)state;
	for (unsigned broken = 0; broken < 2; broken++) {
		struct stage s;

		stage_open(&s, 0);
		(void)begin(&s, tls, REQUEST("INVITE", B));
		s.eager = true;
		s.send_rc = broken ? BASE_ERR(BASE_PEER, 0) : 0;
		in(&s, tls, RESPONSE("180", "INVITE", B));
		in(&s, tls, RESPONSE("180", "INVITE", B));
		in(&s, tls, REQUEST("MESSAGE", "z9hG4bKtwo"));
		in(&s, udp, REQUEST("INVITE", "z9hG4bKthree"));
		in(&s, tls, RESPONSE("486", "INVITE", B));
		sip_txns_lost(s.txns, tls.id);
		until(&s, 200000);
		assert_true(s.ends > (broken ? 2U : 8U)); /* failed requests never began */
		assert_int_equal(sip_txns_count(s.txns), 0);
		stage_close(&s);
	}
}

/* -- built messages ---------------------------------------------------------------------------- */

/** 18.2.1 and RFC 3581, 4. */
static void where_it_came_from(void **state)
{
	static const struct {
		const char *via, *expected;
	} rows[] = {
		{ "Via: SIP/2.0/UDP 192.0.2.9;branch=" B "\r\n",
		  "Via: SIP/2.0/UDP 192.0.2.9;branch=" B "\r\n" },
		{ "v: SIP/2.0/UDP ue.example;branch=" B "\r\n",
		  "Via: SIP/2.0/UDP ue.example;branch=" B ";received=192.0.2.9\r\n" },
		{ "Via: SIP/2.0/UDP 192.0.2.9:5062;rport;branch=" B " , SIP/2.0/TCP p\r\n",
		  "Via: SIP/2.0/UDP 192.0.2.9:5062;branch=" B
		  ";received=192.0.2.9;rport=4711 , SIP/2.0/TCP p\r\n" },
		{ "Via: SIP/2.0/UDP ue.example;received=6.6.6.6;branch=" B
		  "\r\nVia: SIP/2.0/TCP q\r\n",
		  "Via: SIP/2.0/UDP ue.example;branch=" B
		  ";received=192.0.2.9\r\nVia: SIP/2.0/TCP q\r\n" },
	};
	const struct sip_source source = { .address = "192.0.2.9", .port = 4711 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct stage s;
		struct base_writer w = { 0 };

		stage_open(&s, 0);
		base_writer_printf(&w,
		                   "INVITE sip:b@example.com SIP/2.0\r\n%sFrom: <sip:a@b>;tag=1\r\n"
		                   "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
		                   "Record-Route: <sip:p;lr>\r\nTimestamp: 5\r\n\r\n",
		                   rows[i].via);
		sip_txns_input(s.txns, udp, &source, base_writer_view(&w));
		until(&s, 200);
		assert_true(has(sent(&s, 0), rows[i].expected));
		assert_true(has(sent(&s, 0), "Timestamp: 5\r\n"));
		assert_false(has(sent(&s, 0), "Record-Route"));
		base_writer_reset(&w);
		sip_reply_begin(&w, sip_txn_request(s.request), sip_txn_source(s.request), 200,
		                "Fine", BASE_STR("t"));
		sip_body_end(&w, "text/plain", BASE_STR("hello"));
		assert_int_equal(sip_txn_reply(s.request, base_writer_view(&w)), 0);
		assert_true(has(sent(&s, 1), rows[i].expected));
		assert_true(has(sent(&s, 1), "SIP/2.0 200 Fine\r\n"));
		assert_true(has(sent(&s, 1), "To: <sip:c@d>;tag=t\r\n"));
		assert_true(has(sent(&s, 1), "Record-Route: <sip:p;lr>\r\n"));
		assert_true(has(sent(&s, 1), "Content-Length: 5\r\n\r\nhello"));
		base_writer_done(&w);
		stage_close(&s);
	}
}

/** An octet of value 0 in a quoted string cuts no line of an answer short (RFC 4475, 3.1.1.2). */
static void octets_of_zero(void **state)
{
	static const char request[] =
	        "MESSAGE sip:b@example.com SIP/2.0\r\n"
	        "Via: SIP/2.0/UDP ue.example;a=\"\\\0b\";branch=" B "\r\n"
	        "From: <sip:a@example.com>;tag=1\r\nTo: \"NUL:\\\0 \" <sip:b@example.com>\r\n"
	        "Call-ID: x\r\nCSeq: 7 MESSAGE\r\n\r\n";
	static const char to[] = "To: \"NUL:\\\0 \" <sip:b@example.com>;tag=2\r\n";
	static const char via[] =
	        "Via: SIP/2.0/UDP ue.example;a=\"\\\0b\";branch=" B ";received=192.0.2.9\r\n";
	const struct sip_source source = { .address = "192.0.2.9", .port = 4711 };
	struct base_writer w = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	sip_txns_input(s.txns, udp, &source, BASE_STR(request));
	assert_int_equal(s.requests, 1);
	sip_reply_begin(&w, sip_txn_request(s.request), sip_txn_source(s.request), 200, NULL,
	                BASE_STR("2"));
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	assert_int_equal(sip_txn_reply(s.request, base_writer_view(&w)), 0);
	assert_non_null(memmem(w.data, w.len, to, sizeof(to) - 1));
	assert_non_null(memmem(w.data, w.len, via, sizeof(via) - 1));
	base_writer_done(&w);
	stage_close(&s);
}

/** What the caller says cannot become a line of its own. */
static void no_lines_are_smuggled(void **state)
{
	static const struct {
		const char *reason, *tag, *type;
	} rows[] = {
		{ "OK\r\nX: y", "t", NULL }, { "OK\rX", "t", NULL }, { "OK\nX", "t", NULL },
		{ NULL, "t\r\nX: y", NULL }, { NULL, "t;x", NULL },  { NULL, "t", "a/b\r\nX: y" },
	};
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	in(&s, udp, REQUEST("MESSAGE", B));
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_writer w = { 0 };

		sip_reply_begin(&w, sip_txn_request(s.request), NULL, 200, rows[i].reason,
		                base_str_of(rows[i].tag));
		sip_body_end(&w, rows[i].type, BASE_STR(""));
		if (!w.failed)
			fail_msg("row %zu", i);
		base_writer_done(&w);
	}
	stage_close(&s);
}

static void branches(void **state)
{
	struct stage s;
	char one[SIP_BRANCH_MAX], two[SIP_BRANCH_MAX];

	(void)state;
	stage_open(&s, 0);
	sip_branch(s.txns, one);
	sip_branch(s.txns, two);
	assert_int_equal(strncmp(one, SIP_BRANCH_COOKIE, strlen(SIP_BRANCH_COOKIE)), 0);
	assert_string_not_equal(one, two);
	stage_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(invite_is_repeated),
		cmocka_unit_test(refusal_is_acked),
		cmocka_unit_test(each_2xx_goes_up),
		cmocka_unit_test(others_are_repeated),
		cmocka_unit_test(reliable_is_not_repeated),
		cmocka_unit_test(whose_response_it_is),
		cmocka_unit_test(cancel),
		cmocka_unit_test(invite_served),
		cmocka_unit_test(no_ack_comes),
		cmocka_unit_test(invite_accepted),
		cmocka_unit_test(other_served),
		cmocka_unit_test(whose_request_it_is),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(faults_are_answered_once),
		cmocka_unit_test(flows_fail),
		cmocka_unit_test(no_request_of_ours),
		cmocka_unit_test(where_it_came_from),
		cmocka_unit_test(branches),
		cmocka_unit_test(callbacks_call_back),
		cmocka_unit_test(cancelled_in_vain),
		cmocka_unit_test(octets_of_zero),
		cmocka_unit_test(no_lines_are_smuggled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
