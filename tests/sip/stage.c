/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "stage.h"

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct stage *s = arg;

	(void)flow;
	assert_true(s->sent_count < SENT_MAX);
	s->sent_ms[s->sent_count] = s->now_ms;
	base_writer_str(&s->sent[s->sent_count++], octets);
	return s->send_rc;
}

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
		stage_answer(s, 183);
		stage_answer(s, 200);
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
	stage_send_another(s, "OPTIONS");
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
		stage_send_another(s, "MESSAGE");
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

void stage_open(struct stage *s, size_t count_max)
{
	stage_open_short(s, count_max, 0);
}

void stage_open_short(struct stage *s, size_t count_max, size_t lingering_max)
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
	assert_int_equal(sip_txns_new(&s->txns,
	                              &(struct sip_txn_config){ .count_max = count_max,
	                                                        .lingering_max = lingering_max },
	                              &ops),
	                 0);
}

void stage_close(struct stage *s)
{
	sip_txns_free(s->txns);
	for (size_t i = 0; i < SENT_MAX; i++)
		base_writer_done(&s->sent[i]);
}

void stage_until(struct stage *s, uint64_t ms)
{
	while (s->deadline_ms <= ms) {
		assert_int_equal(s->deadline_ms, sip_txns_deadline(s->txns));
		s->now_ms = BASE_MAX(s->now_ms, s->deadline_ms);
		s->deadline_ms = UINT64_MAX; /* the owner's timer has run out: it is called anew */
		sip_txns_advance(s->txns);
	}
	s->now_ms = ms;
}

struct base_str stage_sent(const struct stage *s, size_t i)
{
	assert_true(i < s->sent_count);
	return base_writer_view(&s->sent[i]);
}

bool stage_has(struct base_str s, const char *text)
{
	return memmem(s.ptr, s.len, text, strlen(text)) != NULL;
}

void stage_in(struct stage *s, struct sip_flow flow, const char *text)
{
	sip_txns_input(s->txns, flow, NULL, base_str_of(text));
}

struct sip_txn *stage_begin(struct stage *s, struct sip_flow flow, const char *text)
{
	struct sip_txn *txn;

	assert_int_equal(sip_request_send(s->txns, flow, base_str_of(text), s, &txn), 0);
	assert_ptr_equal(sip_txn_user(txn), s);
	return txn;
}

void stage_sent_at(const struct stage *s, size_t from, const uint64_t *ms, size_t count)
{
	assert_int_equal(s->sent_count, from + count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(s->sent_ms[from + i], ms[i]);
}

void stage_answer(struct stage *s, unsigned status)
{
	struct base_writer w = { 0 };

	sip_reply_begin(&w, sip_txn_request(s->request), NULL, status, NULL, BASE_STR("2"));
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	assert_int_equal(sip_txn_reply(s->request, base_writer_view(&w)), 0);
	base_writer_done(&w);
}

void stage_send_another(struct stage *s, const char *method)
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
