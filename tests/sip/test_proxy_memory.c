/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk of a proxy: every allocation in a forked call, a cancelled one, a MESSAGE that
 * finds another way, an ACK and a request of its own fails once, or all do from there on. Each
 * context is over once, nothing is left once time has passed, and under ASan there is no leak.
 */
#include "../scarce.h"
#include "proxy_stage.h"

#define LINES                                                                                      \
	"Route: <sip:t@edge.example;lr>, <sip:strict.example>\r\nSupported: path, gruu\r\n"        \
	"Record-Route: <sip:p;lr>\r\nReason: SIP;cause=200\r\n"

/* All requests that have not been answered yet get this. What they say is said again. */
static void all_answer(struct proxy_stage *s, const char *status)
{
	static char text[4096];
	size_t count = s->count;

	for (; s->seen < count; s->seen++) {
		const struct proxy_sent *sent = &s->sent[s->seen];
		const char *rest = strstr(sent->text, "\r\n");

		if (!strncmp(sent->text, "SIP/", 4) || !strncmp(sent->text, "ACK ", 4))
			continue;
		assert_non_null(rest);
		(void)snprintf(text, sizeof(text), "SIP/2.0 %s%s", status, rest);
		proxy_in(s, sent->flow, text);
	}
}

static void own(void *user, const struct sip_message *response, unsigned status)
{
	(void)response;
	(void)status;
	++*(unsigned *)user;
}

static void play(struct proxy_stage *s)
{
	static const char request[] =
	        "OPTIONS sip:home.example SIP/2.0\r\nMax-Forwards: 70\r\n" ALICE_IDS
	        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct sip_target target = { 0 };
	unsigned answers = 0, asked = 0;
	size_t first;

	s->target_count = 3;
	s->targets[0] = (struct sip_target){ .flow = proxy_flow(BOB) };
	s->targets[1] = (struct sip_target){ .uri = BASE_STR("sips:c@h;method=X?a=b") };
	s->targets[2] = (struct sip_target){ .hop = BASE_STR("sip:d.example") };
	for (size_t i = 0; i < BASE_COUNT(s->ways); i++)
		s->ways[i] = CORE + i % 3;
	s->record = "<sip:token@edge.example;lr>";
	s->line = "edge";
	proxy_in(s, ALICE, ASK("INVITE", B, LINES));
	first = s->seen;
	all_answer(s, "183 Progress");
	proxy_in(s, ALICE, ASK("CANCEL", B, "Reason: SIP;cause=200\r\n"));
	s->seen = first;
	all_answer(s, "407 Challenged");
	proxy_in(s, ALICE, ASK("INVITE", "z9hG4bK2", LINES));
	all_answer(s, "200 OK");
	proxy_in(s, ALICE, ASK("MESSAGE", "z9hG4bK3", "Proxy-Require: foo\r\n"));
	s->targets[0] = s->targets[1];
	s->target_count = 1;
	proxy_in(s, ALICE, ASK("ACK", "z9hG4bK4", LINES));
	proxy_in(s, CORE, ASK("MESSAGE", "z9hG4bK5", ""));
	all_answer(s, "503 Later");
	all_answer(s, "200 OK");
	asked += !sip_proxy_ask(s->proxy, BASE_STR(request), &target, own, &answers, NULL);
	proxy_until(s, s->now_ms + 1);
	all_answer(s, "200 OK");
	proxy_until(s, s->now_ms + 400000);
	assert_int_equal(answers, asked);
}

static void walk(bool for_good)
{
	static struct proxy_stage s;
	long n = 0;

	do {
		proxy_open(&s, NULL);
		scarce_after(n++, for_good);
		play(&s);
		scarce_after(-1, false);
		proxy_close(&s);
	} while (scarce_failed());
	assert_true(n > 60);
	assert_int_equal(s.forwards, 3 + 3 + 1 + 1); /* with all the memory it wants */
	assert_int_equal(s.answers, 4);
}

static void once(void **state)
{
	(void)state;
	walk(false);
}

static void for_good(void **state)
{
	(void)state;
	walk(true);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
