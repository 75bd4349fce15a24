/* SPDX-License-Identifier: Apache-2.0 */
/* A MESSAGE through the proxy core and its answer back, in memory: from a reliable flow (a UE's) to
 * one of datagrams (the core's), and the other way. No TLS, no sockets: what is left is SIP's own
 * cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sip/sip.h"

struct bench {
	struct sip_proxy *proxy;
	struct sip_flow to;
	uint64_t now_ms;
	struct base_writer sent; /* the last message */
	uint64_t seed;
	size_t count, calls;
};

static size_t allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct bench *b = arg;

	(void)flow;
	base_writer_reset(&b->sent);
	base_writer_str(&b->sent, octets);
	return 0;
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	(void)arg;
	*ret = (struct sip_local){ .transport = flow.reliable ? "TLS" : "UDP",
		                   .sent_by = "pcscf.home.example:5061" };
}

static void on_way(void *arg, const struct sip_way *way)
{
	(void)arg;
	(void)way;
}

static bool mine(void *arg, const struct sip_uri *uri, struct sip_flow from)
{
	(void)arg;
	(void)from;
	return base_str_eq(uri->host, BASE_STR("pcscf.home.example"));
}

static void on_request(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct bench *b = arg;
	struct sip_target target = { .flow = b->to };

	(void)msg;
	(void)from;
	b->calls += sip_proxy_forward(ctx, &target, 1) == 0;
}

static void on_forward(void *arg, struct sip_context *ctx, const struct sip_target *target,
                       struct sip_edit *edit)
{
	(void)arg;
	(void)ctx;
	(void)target;
	sip_edit_set(edit, "P-Asserted-Identity", BASE_STR("<sip:ue17@home.example>"));
	sip_edit_drop_all(edit, "P-Preferred-Identity");
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	(void)deadline_ms;
}

static uint64_t now_ms(void *arg)
{
	return ((struct bench *)arg)->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	struct bench *b = arg;

	for (size_t i = 0; i < len; i++) {
		b->seed = b->seed * 6364136223846793005ULL + 1442695040888963407ULL;
		out[i] = (uint8_t)(b->seed >> 56);
	}
}

static void request(struct bench *b, struct base_writer *w, const char *transport)
{
	b->count++;
	base_writer_reset(w);
	base_writer_printf(
	        w,
	        "MESSAGE sip:ue18@home.example SIP/2.0\r\n"
	        "Via: SIP/2.0/%s 127.0.0.1:40000;branch=z9hG4bKabcdef01.11.%zxq;rport\r\n"
	        "Max-Forwards: 70\r\nFrom: <sip:ue17@home.example>;tag=abcdef01.11\r\n"
	        "To: <sip:ue18@home.example>\r\nCall-ID: abcdef01.11.%zx\r\nCSeq: %zu MESSAGE\r\n"
	        "Route: <sip:pcscf.home.example:5061;transport=tls;lr>\r\n"
	        "Route: <sip:127.0.0.1:15070;lr>\r\n"
	        "Content-Type: text/plain\r\nContent-Length: 100\r\n\r\n",
	        transport, b->count, b->count, b->count);
	for (unsigned i = 0; i < 100; i++)
		base_writer_u8(w, 'x');
}

static void answer(struct bench *b, struct base_writer *w)
{
	struct sip_message msg;
	struct base_arena arena = { 0 };

	base_writer_reset(w);
	if (!sip_message_parse(&msg, &arena, base_writer_view(&b->sent), false)) {
		sip_reply_begin(w, &msg, NULL, 200, NULL, BASE_STR("t"));
		sip_body_end(w, NULL, BASE_STR(""));
	}
	base_arena_done(&arena);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Both messages of one exchange; what makes them is not counted. */
static double exchange(struct bench *b, struct sip_flow from, struct sip_flow to,
                       struct base_writer *w)
{
	const struct sip_source source = { "127.0.0.1", 40000 };
	double begun, used;

	b->to = to;
	request(b, w, from.reliable ? "TLS" : "UDP");
	begun = now_s();
	sip_proxy_input(b->proxy, from, &source, base_writer_view(w));
	used = now_s() - begun;
	answer(b, w);
	begun = now_s();
	sip_proxy_input(b->proxy, to, &source, base_writer_view(w));
	if (b->count % 8 == 0) {
		b->now_ms += 2;
		sip_proxy_advance(b->proxy);
	}
	return used + now_s() - begun;
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	struct bench b = { .now_ms = 1000, .seed = 1 };
	const struct sip_proxy_config config = { .txns = { .count_max = 1U << 20 } };
	const struct sip_proxy_ops ops = { .send = on_send,
		                           .local = on_local,
		                           .on_way = on_way,
		                           .mine = mine,
		                           .on_request = on_request,
		                           .on_forward = on_forward,
		                           .rearm = on_rearm,
		                           .now_ms = now_ms,
		                           .random = on_random,
		                           .arg = &b };
	const struct sip_flow access = { 1, true }, core = { 2, false };
	struct base_writer w = { 0 };
	double up = 0, down = 0;
	size_t before;

	if (sip_proxy_new(&b.proxy, &config, &ops))
		return 1;
	for (size_t i = 0; i < 1000; i++)
		(void)exchange(&b, access, core, &w);
	before = allocations;
	for (size_t i = 0; i < rounds; i++)
		up += exchange(&b, access, core, &w);
	printf("{\"up_us\": %.3f, \"up_mallocs\": %.1f, ", up / (double)rounds * 1e6,
	       (double)(allocations - before) / (double)rounds);
	before = allocations;
	for (size_t i = 0; i < rounds; i++)
		down += exchange(&b, core, access, &w);
	printf("\"down_us\": %.3f, \"down_mallocs\": %.1f, \"forwarded\": %zu, \"left\": %zu}\n",
	       down / (double)rounds * 1e6, (double)(allocations - before) / (double)rounds,
	       b.calls, sip_proxy_transactions(b.proxy));
	sip_proxy_free(b.proxy);
	base_writer_done(&w);
	base_writer_done(&b.sent);
	return b.calls != 2 * rounds + 1000;
}
