/* SPDX-License-Identifier: Apache-2.0 */
/* The memory walk: a request and its answer, in segments and bundles, with one allocation more each
 * time until all succeed. What comes out is an answer, or an error, or a time-out; never twice. */
#include <errno.h>

#include "check.h"

#include "h248/h248.h"

/* ---- allocations that fail, by the linker's --wrap ---- */

static long left = -1; /* allocations still granted; -1 = all */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool granted(void)
{
	if (left < 0)
		return true;
	if (!left) {
		errno = ENOMEM;
		return false;
	}
	left--;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return granted() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return granted() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return granted() ? __real_realloc(p, size) : NULL;
}

/* ---- two entities, and the way between them ---- */

enum { PACKETS = 256, COMMANDS = 30 };

static struct side {
	struct h248_txn *txn;
	struct h248_addr addr;
	struct side *other;
} side[2];

static struct {
	struct side *to;
	size_t len;
	char data[600];
} way[PACKETS];

static unsigned put, taken, executed, ended, replies, commands;
static uint64_t now = 1000;

static int on_send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	(void)to;
	assert_true(len <= sizeof(way[0].data));
	way[put % PACKETS].to = ((struct side *)arg)->other;
	way[put % PACKETS].len = len;
	memcpy(way[put++ % PACKETS].data, data, len);
	return 0;
}

static uint64_t clock_now(void *arg)
{
	(void)arg;
	return now;
}

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *reply;
	long saved = left;

	(void)arg;
	(void)msg;
	(void)req;
	executed++;
	left = -1; /* the user's own memory is not walked here */
	reply = h248_reply_new(&arena, 0);
	for (unsigned i = 0; i < COMMANDS; i++)
		h248_command_add(&arena, i ? reply->actions : h248_action_add(&arena, reply, 1),
		                 H248_SUBTRACT, BASE_STR("ip/1/4711"));
	left = saved;
	(void)h248_txn_reply(in, reply); /* that it cannot be kept is one of the ends */
	saved = left;
	left = -1;
	base_arena_done(&arena);
	left = saved;
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)arg;
	(void)from;
	(void)msg;
	return true;
}

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	(void)arg;
	(void)msg;
	ended++;
	replies += outcome == H248_OUTCOME_REPLY && !reply->error;
	commands = 0;
	for (const struct h248_action *a = reply ? reply->actions : NULL; a; a = a->next) {
		for (const struct h248_command *c = a->commands; c; c = c->next)
			commands++;
	}
}

static void deliver(void)
{
	for (; taken < put; taken++)
		h248_txn_input(way[taken % PACKETS].to->txn, &way[taken % PACKETS].to->other->addr,
		               way[taken % PACKETS].data, way[taken % PACKETS].len);
}

static void play(long count)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_peer *peer;
	uint64_t until = now + 120000;
	int rc;

	put = taken = executed = ended = replies = commands = 0;
	h248_command_add(&arena, h248_action_add(&arena, req, 1), H248_SUBTRACT, BASE_STR("*"));
	for (unsigned i = 0; i < 2; i++) {
		struct h248_txn_ops ops = { .send = on_send,
			                    .now_ms = clock_now,
			                    .on_request = on_request,
			                    .on_stranger = on_stranger,
			                    .arg = &side[i] };
		struct h248_txn_config config = {
			.seed = 1, .first_id = 1, .bundle_ms = 1, .ack_ms = 20, .segment_bytes = 200
		};

		side[i].other = &side[1 - i];
		side[i].addr = (struct h248_addr){ .transport = H248_UDP,
			                           .family = 4,
			                           .port = 2944,
			                           .ip = { 10, 0, 0, (uint8_t)(i + 1) } };
		config.mid = h248_addr_mid(&side[i].addr);
		assert_int_equal(h248_txn_new(&side[i].txn, &config, &ops), 0);
	}
	assert_int_equal(h248_peer_new(&peer, side[0].txn, &side[1].addr), 0);
	left = count;
	rc = h248_txn_request(peer, req, 3, on_reply, NULL, NULL);
	while (now < until) {
		deliver();
		if (ended) /* the rest has its memory */
			left = -1;
		now += 10;
		if (now + 60000 > until) /* so does what goes on for ever without */
			left = -1;
		for (unsigned i = 0; i < 2; i++)
			h248_txn_advance(side[i].txn);
	}
	left = -1;
	assert_int_equal(ended, rc == 0);
	assert_true(executed <= 1);
	assert_true(!replies || commands == COMMANDS);
	assert_int_equal(h248_txn_remembered(side[1].txn), 0);
	h248_txn_free(side[0].txn);
	h248_txn_free(side[1].txn);
	base_arena_done(&arena);
}

static void every_allocation_may_fail(void **state)
{
	long n = 0;
	unsigned failures = 0;

	(void)state;
	for (; n < 300; n++) {
		play(n);
		failures += !replies;
	}
	assert_int_equal(replies, 1); /* with that many, all went well */
	assert_true(failures >= 3);   /* with few, it did not */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };

	return cmocka_run_group_tests_name("txn_memory", tests, NULL, NULL);
}
