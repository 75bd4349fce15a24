/* SPDX-License-Identifier: Apache-2.0 */
/** @file Subscriptions to the reg event package, against a registrar that the test plays, on a
 * virtual clock. */
#include "check.h"

#include "edge/regevent.h"

#define ALICE "sip:alice@home.example"

struct stage {
	struct edge_regevent *events;
	uint64_t now_ms, deadline_ms;
	uint8_t chance;
	struct edge_regsub *asker;
	unsigned asked, ended, shortened;
	uint64_t shortened_flow;
	uint32_t shortened_s;
	uint64_t ended_flow[8];
	char why[64], hop[64];
	char request[2048];
	uint32_t cseq;
	char call_id[64], tag[64];
	bool refuse;
};

static struct stage st;

/* -- what the edge does ---------------------------------------------------------------------- */

static void word_after(const char *text, const char *name, char *ret, size_t cap, const char *end)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	at += strlen(name);
	(void)snprintf(ret, cap, "%.*s", (int)strcspn(at, end), at);
}

static int on_ask(void *arg, struct edge_regsub *sub, struct base_str octets, struct base_str hop)
{
	char number[16];

	(void)arg;
	if (st.refuse)
		return -1;
	st.asked++;
	st.asker = sub;
	assert_true(octets.len < sizeof(st.request));
	memcpy(st.request, octets.ptr, octets.len);
	st.request[octets.len] = '\0';
	(void)snprintf(st.hop, sizeof(st.hop), "%.*s", BASE_FMT(hop));
	word_after(st.request, "Call-ID: ", st.call_id, sizeof(st.call_id), "\r");
	word_after(st.request, ";tag=", st.tag, sizeof(st.tag), "\r;");
	word_after(st.request, "CSeq: ", number, sizeof(number), " ");
	st.cseq = (uint32_t)atoi(number);
	return 0;
}

static void tell(enum edge_told what, uint64_t flow, const char *impu, const char *contact)
{
	struct base_str identity = base_str_of(impu);
	struct edge_binding b = {
		.flow = flow, .impus = &identity, .impu_count = 1, .contact = base_str_of(contact)
	};
	struct edge_event event = { .what = what, .flow = flow, .binding = &b };

	edge_regevent_told(st.events, &event);
}

static void on_ended(void *arg, uint64_t flow, const char *why)
{
	(void)arg;
	st.ended_flow[st.ended++ % 8] = flow;
	(void)snprintf(st.why, sizeof(st.why), "%s", why);
	tell(EDGE_TOLD_UNBOUND, flow, ALICE, ""); /* as the core of the edge does at once */
}

static void on_shortened(void *arg, uint64_t flow, uint32_t expires_s)
{
	(void)arg;
	st.shortened++;
	st.shortened_flow = flow;
	st.shortened_s = expires_s;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memset(out, ++st.chance, len);
}

static uint64_t on_now(void *arg)
{
	(void)arg;
	return st.now_ms;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	st.deadline_ms = deadline_ms;
}

static void begin(const char *hop)
{
	const struct edge_regevent_spec spec = { .identity = "sip:pcscf.example",
		                                 .contact = "sip:reg@192.0.2.1:5070",
		                                 .hop = hop };
	const struct edge_regevent_ops ops = { .ask = on_ask,
		                               .ended = on_ended,
		                               .shortened = on_shortened,
		                               .random = on_random,
		                               .now_ms = on_now,
		                               .rearm = on_rearm };

	memset(&st, 0, sizeof(st));
	st.now_ms = 1000;
	st.deadline_ms = UINT64_MAX;
	assert_int_equal(edge_regevent_new(&st.events, &spec, &ops), 0);
}

static void end(void)
{
	edge_regevent_free(st.events);
}

static void advance(uint64_t ms)
{
	st.now_ms += ms;
	edge_regevent_advance(st.events);
}

/* -- what the registrar does ----------------------------------------------------------------- */

static void answer(unsigned status, const char *lines)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;
	struct edge_regsub *asker = st.asker;

	base_writer_printf(&w,
	                   "SIP/2.0 %u X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
	                   "From: <sip:pcscf.example>;tag=%s\r\nTo: <" ALICE ">;tag=reg\r\n"
	                   "Call-ID: %s\r\nCSeq: %u SUBSCRIBE\r\n%sContent-Length: 0\r\n\r\n",
	                   status, st.tag, st.call_id, st.cseq, lines);
	assert_int_equal(sip_message_parse(&msg, &arena, base_writer_view(&w), false), 0);
	assert_int_equal(msg.fault, 0);
	st.asker = NULL;
	assert_non_null(asker);
	edge_regevent_answered(asker, &msg, status);
	base_writer_done(&w);
	base_arena_done(&arena);
}

#define GRANTED "Contact: <sip:scscf.home.example:6060>\r\nExpires: 3600\r\n"

static uint32_t notify_cseq;

static unsigned notify_by(const char *tag, const char *lines, const char *body)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;
	unsigned status;

	base_writer_printf(&w,
	                   "NOTIFY sip:reg@192.0.2.1:5070 SIP/2.0\r\n"
	                   "Via: SIP/2.0/UDP h;branch=z9hG4bKy\r\n"
	                   "From: <" ALICE ">;tag=%s\r\nTo: <sip:pcscf.example>;tag=%s\r\n"
	                   "Call-ID: %s\r\nCSeq: %u NOTIFY\r\nMax-Forwards: 70\r\n"
	                   "Contact: <sip:scscf.home.example:6060>\r\n%sContent-Length: %zu\r\n"
	                   "\r\n%s",
	                   tag, st.tag, st.call_id, ++notify_cseq, lines, strlen(body), body);
	assert_int_equal(sip_message_parse(&msg, &arena, base_writer_view(&w), false), 0);
	assert_int_equal(msg.fault, 0);
	status = edge_regevent_notify(st.events, &msg);
	base_writer_done(&w);
	base_arena_done(&arena);
	return status;
}

#define LINES                                                                                      \
	"Event: reg\r\nSubscription-State: active;expires=3600\r\n"                                \
	"Content-Type: application/reginfo+xml\r\n"

/** One registration of Alice's, with these contacts. */
static unsigned notify(unsigned version, const char *kind, const char *state, const char *contacts)
{
	char body[2048];

	(void)snprintf(body, sizeof(body),
	               "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
	               "version=\"%u\" state=\"%s\"><registration aor=\"" ALICE
	               "\" id=\"a\" state=\"%s\">%s</registration></reginfo>",
	               version, kind, state, contacts);
	return notify_by("reg", LINES, body);
}

#define CONTACT(id, state, event, uri)                                                             \
	"<contact id=\"" id "\" state=\"" state "\" event=\"" event "\"><uri>" uri                 \
	"</uri></contact>"

/* -- tests ----------------------------------------------------------------------------------- */

/** One subscription for an identity; it is asked for, kept, and given up with the last flow. */
static void one_for_each_identity(void **state)
{
	(void)state;
	begin("sip:icscf.home.example;lr");
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1:5061;transport=tls>;reg-id=1");
	assert_int_equal(st.asked, 1);
	assert_string_equal(st.hop, "sip:icscf.home.example;lr");
	assert_ptr_equal(strstr(st.request, "SUBSCRIBE " ALICE " SIP/2.0\r\n"), st.request);
	assert_non_null(strstr(st.request, "\r\nEvent: reg\r\n"));
	assert_non_null(strstr(st.request, "\r\nAccept: application/reginfo+xml\r\n"));
	assert_non_null(strstr(st.request, "\r\nP-Asserted-Identity: <sip:pcscf.example>\r\n"));
	assert_non_null(strstr(st.request, "\r\nContact: <sip:reg@192.0.2.1:5070>\r\n"));
	assert_non_null(strstr(st.request, "\r\nExpires: 600000\r\n"));
	answer(200, "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n" GRANTED);
	tell(EDGE_TOLD_BOUND, 2, ALICE, "<sip:alice@10.0.0.2:5061>");
	tell(EDGE_TOLD_REFRESHED, 2, ALICE, "<sip:alice@10.0.0.2:5061>");
	assert_int_equal(st.asked, 1);
	tell(EDGE_TOLD_BOUND, 3, "sip:bob@home.example", "<sip:bob@10.0.0.3>");
	assert_int_equal(st.asked, 2);
	answer(200, GRANTED);
	assert_int_equal(edge_regevent_counts(st.events).subscriptions, 2);
	/* Kept: 600 s before the end, by the dialog's way. */
	assert_int_equal(st.deadline_ms, 1000 + 3000000);
	advance(3000000);
	assert_int_equal(st.asked, 4);
	tell(EDGE_TOLD_UNBOUND, 1, ALICE, "");
	assert_int_equal(st.asked, 4);
	tell(EDGE_TOLD_UNBOUND, 2, ALICE, "");
	tell(EDGE_TOLD_UNBOUND, 2, ALICE, "");
	tell(EDGE_TOLD_UNBOUND, 3, ALICE, "");
	end();
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:a@b>");
	assert_string_equal(st.hop, "");
	answer(200, "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n" GRANTED);
	advance(st.deadline_ms - st.now_ms);
	assert_ptr_equal(strstr(st.request, "SUBSCRIBE sip:scscf.home.example:6060 SIP/2.0\r\n"),
	                 st.request);
	assert_non_null(strstr(st.request, "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"));
	assert_non_null(strstr(st.request, "To: <" ALICE ">;tag=reg\r\n"));
	assert_int_equal(st.cseq, 2);
	answer(200, GRANTED);
	tell(EDGE_TOLD_UNBOUND, 1, ALICE, "");
	assert_non_null(strstr(st.request, "Expires: 0\r\n"));
	assert_int_equal(st.asked, 3);
	answer(200, GRANTED);
	assert_int_equal(edge_regevent_counts(st.events).subscriptions, 0);
	assert_int_equal(st.deadline_ms, UINT64_MAX);
	end();
}

/** What the registrar ends, ends here: that contact's flow and no other. */
static void the_network_ends_it(void **state)
{
	(void)state;
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1:5061;transport=tls>");
	answer(200, GRANTED);
	tell(EDGE_TOLD_BOUND, 2, ALICE, "\"A\" <sip:alice@10.0.0.2:5061>;q=0.5");
	assert_int_equal(
	        notify(0, "full", "active",
	               CONTACT("1", "active", "registered", "sip:alice@10.0.0.1:5061;transport=tls")
	                       CONTACT("2", "active", "registered", "sip:alice@10.0.0.2:5061")),
	        200);
	assert_int_equal(st.ended, 0);
	assert_int_equal(notify(1, "partial", "active",
	                        CONTACT("2", "active", "shortened\" expires=\"60",
	                                "sip:alice@10.0.0.2:5061")),
	                 200);
	assert_int_equal(st.ended, 0);
	assert_int_equal(st.shortened, 1);
	assert_int_equal(st.shortened_flow, 2);
	assert_int_equal(st.shortened_s, 60);
	assert_int_equal(notify(2, "partial", "active",
	                        CONTACT("2", "terminated", "rejected", "sip:alice@10.0.0.2:5061")),
	                 200);
	assert_int_equal(st.ended, 1);
	assert_int_equal(st.ended_flow[0], 2);
	assert_string_equal(st.why, "rejected");
	/* An older document (5.2), another one's registration. */
	assert_int_equal(notify(2, "partial", "terminated", ""), 200);
	assert_int_equal(
	        notify_by("reg", LINES,
	                  "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"3\" "
	                  "state=\"partial\"><registration aor=\"sip:bob@home.example\" "
	                  "id=\"b\" state=\"terminated\"/></reginfo>"),
	        200);
	assert_int_equal(st.ended, 1);
	/* All of it: the last flow's, so the subscription goes with it. */
	assert_int_equal(notify(4, "partial", "terminated", ""), 200);
	assert_int_equal(st.ended, 2);
	assert_int_equal(st.ended_flow[1], 1);
	assert_non_null(strstr(st.request, "Expires: 0\r\n"));
	answer(481, "");
	assert_int_equal(edge_regevent_counts(st.events).subscriptions, 0);
	assert_int_equal(notify(5, "full", "terminated", ""), 0);
	end();
}

/** The full state lacks a contact: that is over. One that was bound after we had asked is not. */
static void not_in_the_full_state(void **state)
{
	(void)state;
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1>");
	answer(200, GRANTED);
	tell(EDGE_TOLD_BOUND, 2, ALICE, "<sip:alice@10.0.0.2>");
	assert_int_equal(notify(0, "full", "active",
	                        CONTACT("9", "active", "registered", "sip:alice@10.0.0.9")),
	                 200);
	assert_int_equal(st.ended, 1);
	assert_int_equal(st.ended_flow[0], 1);
	end();
}

/** A document was lost: what has come counts, and the full state is asked for (5.2). */
static void a_gap(void **state)
{
	(void)state;
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1>");
	/* The NOTIFY is faster than the answer. */
	assert_int_equal(notify(0, "full", "active", ""), 200);
	assert_int_equal(st.ended, 0);
	answer(200, GRANTED);
	assert_int_equal(notify(2, "partial", "active",
	                        CONTACT("1", "active", "refreshed", "sip:alice@10.0.0.1")),
	                 200);
	assert_int_equal(st.asked, 2);
	assert_int_equal(notify(4, "partial", "active", ""), 200); /* once is enough */
	assert_int_equal(st.asked, 2);
	answer(200, GRANTED);
	assert_int_equal(st.asked, 3);
	assert_int_equal(st.ended, 0);
	end();
}

/** What is no NOTIFY of ours, or no good one. */
static void other_notifies(void **state)
{
	char call_id[64];

	(void)state;
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1>");
	answer(200, GRANTED);
	assert_int_equal(notify_by("other", LINES, ""), 0);
	memcpy(call_id, st.call_id, sizeof(call_id));
	(void)snprintf(st.call_id, sizeof(st.call_id), "none");
	assert_int_equal(notify(0, "full", "terminated", ""), 0);
	memcpy(st.call_id, call_id, sizeof(call_id));
	st.tag[0] ^= 1;
	assert_int_equal(notify(0, "full", "terminated", ""), 0);
	st.tag[0] ^= 1;
	assert_int_equal(notify_by("reg", "Event: presence\r\n", ""), 489);
	assert_int_equal(notify_by("reg", "", ""), 489);
	assert_int_equal(notify_by("reg", "Event: reg\r\nContent-Type: text/plain\r\n", "x"), 415);
	assert_int_equal(
	        notify_by("reg", "Event: reg\r\nContent-Type: application/reginfo+xmlx\r\n", "x"),
	        415);
	assert_int_equal(notify_by("reg", LINES, "<reginfo"), 400);
	assert_int_equal(
	        notify_by("reg",
	                  "Event: reg;id=1\r\nContent-Type: APPLICATION/reginfo+xml ;charset=x\r\n",
	                  "<reginfo"),
	        400);
	assert_int_equal(notify_by("reg", "Event: reg\r\n", ""), 200);
	notify_cseq -= 2;
	assert_int_equal(notify(0, "full", "terminated", ""), 500);
	notify_cseq += 2;
	assert_int_equal(st.ended, 0);
	assert_int_equal(notify(0, "full", "terminated", ""), 200);
	assert_int_equal(st.ended, 1);
	end();
}

/** The registrar ends the subscription, loses it, refuses it, or is not there. */
static void subscriptions_fail(void **state)
{
	char call_id[64];

	(void)state;
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1>");
	answer(200, GRANTED);
	memcpy(call_id, st.call_id, sizeof(call_id));
	assert_int_equal(notify_by("reg",
	                           "Event: reg\r\nSubscription-State: "
	                           "terminated;reason=timeout\r\n",
	                           ""),
	                 200);
	assert_int_equal(st.asked, 1);
	advance(1000);
	assert_int_equal(st.asked, 2);
	assert_string_not_equal(st.call_id, call_id);
	assert_null(strstr(st.request, ";tag=reg"));
	answer(200, GRANTED);
	advance(st.deadline_ms - st.now_ms);
	answer(481, "");
	advance(1000);
	assert_int_equal(st.asked, 4);
	answer(503, "");
	assert_int_equal(st.deadline_ms, st.now_ms + 300000);
	st.refuse = true;
	advance(300000);
	assert_int_equal(st.asked, 4);
	st.refuse = false;
	advance(300000);
	assert_int_equal(st.asked, 5);
	edge_regevent_answered(st.asker, NULL, 408);
	advance(300000);
	assert_int_equal(st.asked, 6);
	base_log_level_set(BASE_LOG_ERROR);
	answer(489, "");
	assert_int_equal(st.deadline_ms, UINT64_MAX); /* nobody is asked again */
	tell(EDGE_TOLD_UNBOUND, 1, ALICE, "");
	assert_int_equal(st.asked, 6);
	assert_int_equal(edge_regevent_counts(st.events).subscriptions, 0);
	end();
}

/** It ends while an answer is to come: that may begin what must not stay. */
static void over_before_it_begins(void **state)
{
	(void)state;
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1>");
	tell(EDGE_TOLD_UNBOUND, 1, ALICE, "");
	assert_int_equal(st.asked, 1);
	tell(EDGE_TOLD_BOUND, 2, ALICE, "<sip:alice@10.0.0.1>"); /* another one */
	assert_int_equal(st.asked, 2);
	assert_int_equal(edge_regevent_counts(st.events).subscriptions, 2);
	end();
	begin(NULL);
	tell(EDGE_TOLD_BOUND, 1, ALICE, "<sip:alice@10.0.0.1>");
	tell(EDGE_TOLD_UNBOUND, 1, ALICE, "");
	answer(200, GRANTED);
	assert_int_equal(st.asked, 2);
	assert_non_null(strstr(st.request, "Expires: 0\r\n"));
	answer(200, GRANTED);
	assert_int_equal(edge_regevent_counts(st.events).subscriptions, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_for_each_identity), cmocka_unit_test(the_network_ends_it),
		cmocka_unit_test(not_in_the_full_state), cmocka_unit_test(a_gap),
		cmocka_unit_test(other_notifies),        cmocka_unit_test(subscriptions_fail),
		cmocka_unit_test(over_before_it_begins),
	};

	base_log_level_set(BASE_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
