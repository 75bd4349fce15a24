/* SPDX-License-Identifier: Apache-2.0 */
/** @file Records of a pool and a real Redis, which is killed, stalled, emptied, full, and lies. */
#include "redis_server.h"

#include "pool/private.h"

#define TRIES 20000

static uint8_t secret_octets[40] = "0123456789abcdef0123456789abcdef01234567";
static uint64_t ahead; /* of the wall clock */

static uint64_t wall_ms(void *arg)
{
	(void)arg;
	return 1000000000000 + ahead;
}

struct teller {
	struct pool_query query;
	unsigned told;
	enum pool_said said;
	char value[POOL_RECORD_MAX + 1];
	size_t len;
};

static void on_said(void *arg, enum pool_said said, struct base_str value)
{
	struct teller *t = arg;

	t->told++;
	t->said = said;
	t->len = value.len;
	assert_true(value.len <= POOL_RECORD_MAX);
	if (value.len)
		memcpy(t->value, value.ptr, value.len);
	t->value[value.len] = '\0';
}

struct room {
	struct server server;
	struct impostor impostor;
	struct loop *loop;
	struct pool *a, *b;
	struct pool_watch watch;
	unsigned ups, downs;
};

static void on_watch(void *arg, bool up)
{
	struct room *r = arg;

	if (up)
		r->ups++;
	else
		r->downs++;
}

static struct pool *member(struct room *r, const char *name, const char *redis)
{
	struct pool_spec spec = { .name = name,
		                  .redis = redis,
		                  .secret = { secret_octets, sizeof(secret_octets) },
		                  .wall_ms = wall_ms };
	struct base_error err = { 0 };
	struct pool *pool;

	if (pool_new(&pool, r->loop, &spec, &err))
		fail_msg("%s", err.text);
	return pool;
}

static void until_up(struct room *r, struct pool *pool, bool up)
{
	for (int i = 0; i < TRIES && pool_connected(pool) != up; i++)
		assert_int_equal(loop_run_once(r->loop, 5), 0);
	assert_int_equal(pool_connected(pool), up);
}

static void until_told(struct room *r, struct teller *t)
{
	for (int i = 0; i < TRIES && !t->told; i++)
		assert_int_equal(loop_run_once(r->loop, 5), 0);
	assert_int_equal(t->told, 1);
}

static struct room *room_open(void)
{
	static struct room room;

	if (!have_redis())
		skip();
	room = (struct room){ 0 };
	ahead = 0;
	assert_int_equal(loop_new(&room.loop), 0);
	server_start(&room.server);
	room.a = member(&room, "west", room.server.address);
	room.b = member(&room, "west", room.server.address);
	room.watch = (struct pool_watch){ .fn = on_watch, .arg = &room };
	pool_watch_start(room.a, &room.watch);
	until_up(&room, room.a, true);
	until_up(&room, room.b, true);
	return &room;
}

static void room_close(struct room *r)
{
	pool_watch_stop(&r->watch);
	pool_free(r->a);
	pool_free(r->b);
	loop_free(r->loop);
	server_stop(&r->server);
}

static enum pool_said get(struct room *r, struct pool *pool, const char *name, struct teller *t)
{
	*t = (struct teller){ .query = { .fn = on_said, .arg = t } };
	pool_record_get(pool, &t->query, base_str_of(name));
	until_told(r, t);
	return t->said;
}

static enum pool_said set(struct room *r, struct pool *pool, const char *name, const char *value,
                          uint64_t life_ms)
{
	struct teller t = { .query = { .fn = on_said, .arg = &t } };

	pool_record_set(pool, &t.query, base_str_of(name), base_str_of(value), life_ms);
	until_told(r, &t);
	return t.said;
}

/** Put by one, found by the other; replaced, taken away; empty and of full length. */
static void put_found_taken_away(void **state)
{
	struct room *r = room_open();
	char full[POOL_RECORD_MAX + 2];
	struct teller t;

	(void)state;
	assert_int_equal(get(r, r->b, "x", &t), POOL_SAID_NONE);
	assert_int_equal(set(r, r->a, "x", "one", 60000), POOL_SAID_DONE);
	assert_int_equal(get(r, r->b, "x", &t), POOL_SAID_DONE);
	assert_string_equal(t.value, "one");
	assert_int_equal(set(r, r->b, "x", "", 60000), POOL_SAID_DONE);
	assert_int_equal(get(r, r->a, "x", &t), POOL_SAID_DONE);
	assert_int_equal(t.len, 0);
	memset(full, 'v', sizeof(full));
	full[POOL_RECORD_MAX] = '\0';
	assert_int_equal(set(r, r->a, "x", full, 60000), POOL_SAID_DONE);
	assert_int_equal(get(r, r->a, "x", &t), POOL_SAID_DONE);
	assert_int_equal(t.len, POOL_RECORD_MAX);
	full[POOL_RECORD_MAX] = 'v';
	full[POOL_RECORD_MAX + 1] = '\0';
	assert_int_equal(set(r, r->a, "x", full, 60000), POOL_SAID_NOTHING);
	pool_record_drop(r->a, BASE_STR("x"));
	assert_int_equal(get(r, r->a, "x", &t), POOL_SAID_NONE);
	room_close(r);
}

/** Its time is in Redis, and in the seal: a record that is brought back later counts for nothing.
 */
static void over(void **state)
{
	struct room *r = room_open();
	struct teller t;

	(void)state;
	assert_int_equal(set(r, r->a, "short", "v", 1), POOL_SAID_DONE);
	for (int i = 0; i < TRIES && get(r, r->a, "short", &t) == POOL_SAID_DONE; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	assert_int_equal(t.said, POOL_SAID_NONE);
	assert_int_equal(set(r, r->a, "x", "v", 10000), POOL_SAID_DONE);
	ahead = 10000 + 30000;
	assert_int_equal(get(r, r->b, "x", &t), POOL_SAID_DONE); /* clocks differ */
	ahead++;
	assert_int_equal(get(r, r->b, "x", &t), POOL_SAID_NONE);
	room_close(r);
}

/** Another pool in the same Redis. */
static void apart(void **state)
{
	struct room *r = room_open();
	struct pool *east = member(r, "east", r->server.address);
	uint8_t key[4][32];
	struct teller t;

	(void)state;
	until_up(r, east, true);
	assert_int_equal(set(r, r->a, "x", "west's", 60000), POOL_SAID_DONE);
	assert_int_equal(get(r, east, "x", &t), POOL_SAID_NONE);
	assert_int_equal(pool_derive(r->a, "p", 1, key[0]), 0);
	assert_int_equal(pool_derive(r->b, "p", 1, key[1]), 0);
	assert_int_equal(pool_derive(r->a, "p", 2, key[2]), 0);
	assert_int_equal(pool_derive(east, "p", 1, key[3]), 0);
	assert_true(base_secret_equal(key[0], 32, key[1], 32));
	assert_false(base_secret_equal(key[0], 32, key[2], 32));
	assert_false(base_secret_equal(key[0], 32, key[3], 32));
	pool_free(east);
	room_close(r);
}

static int command(struct room *r, const char *words, char *ret, size_t cap)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)r->server.port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n;

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
	n = recv(fd, ret, cap - 1, 0);
	assert_true(n > 0);
	ret[n] = '\0';
	close(fd);
	return (int)n;
}

/** What lies there names nobody, and moved to another place is nothing. */
static void of_no_use(void **state)
{
	struct room *r = room_open();
	char said[2048], move[400], *key;
	struct teller t;
	int n;

	(void)state;
	assert_int_equal(set(r, r->a, "impi alice@home", "owner edge-1", 60000), POOL_SAID_DONE);
	n = command(r, "KEYS *\r\n", said, sizeof(said));
	assert_null(memmem(said, (size_t)n, "alice", 5));
	key = strstr(said, "gatehouse:");
	assert_non_null(key);
	key[strcspn(key, "\r")] = '\0';
	(void)snprintf(move, sizeof(move), "GET %s\r\n", key);
	{
		char value[2048];

		n = command(r, move, value, sizeof(value));
		assert_null(memmem(value, (size_t)n, "edge-1", 6));
	}
	assert_int_equal(set(r, r->a, "impi bob@home", "owner edge-2", 60000), POOL_SAID_DONE);
	pool_record_drop(r->a, BASE_STR("impi bob@home"));
	assert_int_equal(get(r, r->a, "impi bob@home", &t), POOL_SAID_NONE);
	{
		/* Alice's octets where Bob's were. */
		uint8_t hash[32];
		char place[200] = "gatehouse:west:record:", text[2048];

		assert_int_equal(pool_key_of(r->a->root, "place", BASE_STR("impi bob@home"), hash),
		                 0);
		base_hex_encode(hash, 32, 0, false, place + strlen(place));
		(void)snprintf(move, sizeof(move), "RENAME %s %s\r\n", key, place);
		command(r, move, text, sizeof(text));
		assert_string_equal(text, "+OK\r\n");
	}
	assert_int_equal(get(r, r->a, "impi bob@home", &t), POOL_SAID_NONE);
	room_close(r);
}

/** Many go out at once, all are told, in order; too many are told at once that it is too much. */
static void many(void **state)
{
	struct room *r = room_open();
	static struct teller t[POOL_QUERIES + 10];
	unsigned done = 0, nothing = 0;
	char name[16];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(t); i++) {
		t[i] = (struct teller){ .query = { .fn = on_said, .arg = &t[i] } };
		(void)snprintf(name, sizeof(name), "n%zu", i);
		if (i % 2)
			pool_record_get(r->a, &t[i].query, base_str_of(name));
		else
			pool_record_set(r->a, &t[i].query, base_str_of(name), base_str_of(name),
			                60000);
	}
	until_told(r, &t[POOL_QUERIES - 1]);
	for (size_t i = 0; i < BASE_COUNT(t); i++) {
		assert_int_equal(t[i].told, 1);
		done += t[i].said != POOL_SAID_NOTHING;
		nothing += t[i].said == POOL_SAID_NOTHING;
	}
	assert_int_equal(done, POOL_QUERIES);
	assert_int_equal(nothing, 10);
	assert_int_equal(get(r, r->b, "n100", &t[0]), POOL_SAID_DONE);
	assert_string_equal(t[0].value, "n100");
	room_close(r);
}

/** Killed: who waits is told once, who asks is told at once; both watch it come back. */
static void killed_and_back(void **state)
{
	struct room *r = room_open();
	struct teller t = { .query = { .fn = on_said, .arg = &t } }, u;

	(void)state;
	kill(r->server.pid, SIGSTOP);
	pool_record_get(r->a, &t.query, BASE_STR("x"));
	assert_int_equal(t.told, 0);
	kill(r->server.pid, SIGCONT);
	server_stop(&r->server);
	until_up(r, r->a, false);
	until_up(r, r->b, false);
	assert_int_equal(t.told, 1); /* it may have been answered before */
	assert_int_equal(r->downs, 1);
	assert_int_equal(get(r, r->a, "x", &u), POOL_SAID_NOTHING);
	assert_int_equal(set(r, r->a, "x", "v", 1000), POOL_SAID_NOTHING);
	pool_record_set(r->a, NULL, BASE_STR("x"), BASE_STR("v"), 1000);
	pool_record_drop(r->a, BASE_STR("x"));
	server_start(&r->server);
	until_up(r, r->a, true);
	until_up(r, r->b, true);
	assert_int_equal(r->ups, 2);
	assert_int_equal(set(r, r->a, "x", "v", 60000), POOL_SAID_DONE);
	assert_int_equal(get(r, r->b, "x", &u), POOL_SAID_DONE);
	room_close(r);
}

/** One that stops answering is left after 5 s. */
static void stalled(void **state)
{
	struct room *r = room_open();
	struct teller t = { .query = { .fn = on_said, .arg = &t } };

	(void)state;
	kill(r->server.pid, SIGSTOP);
	pool_record_get(r->a, &t.query, BASE_STR("x"));
	until_told(r, &t);
	assert_int_equal(t.said, POOL_SAID_NOTHING);
	until_up(r, r->a, false);
	kill(r->server.pid, SIGCONT);
	until_up(r, r->a, true);
	room_close(r);
}

/** One that has no room says so; the connection and what lies there stay. */
static void full(void **state)
{
	struct room *r = room_open();
	char said[200];
	struct teller t;

	(void)state;
	assert_int_equal(set(r, r->a, "x", "v", 60000), POOL_SAID_DONE);
	command(r, "CONFIG SET maxmemory 1\r\n", said, sizeof(said));
	assert_string_equal(said, "+OK\r\n");
	assert_int_equal(set(r, r->a, "y", "v", 60000), POOL_SAID_NOTHING);
	assert_true(pool_connected(r->a));
	assert_int_equal(get(r, r->a, "x", &t), POOL_SAID_DONE);
	command(r, "CONFIG SET maxmemory 0\r\n", said, sizeof(said));
	assert_int_equal(set(r, r->a, "y", "v", 60000), POOL_SAID_DONE);
	room_close(r);
}

/** Who has stopped is not told, whatever comes; nor is anybody after the pool's end but of it. */
static void stopped(void **state)
{
	struct room *r = room_open();
	struct teller t = { .query = { .fn = on_said, .arg = &t } },
	              u = { .query = { .fn = on_said, .arg = &u } };
	struct pool *pool = member(r, "west", r->server.address);

	(void)state;
	until_up(r, pool, true);
	pool_record_get(pool, &t.query, BASE_STR("x"));
	pool_record_get(pool, &u.query, BASE_STR("x"));
	pool_query_stop(&t.query);
	pool_query_stop(&t.query);
	pool_free(pool);
	assert_int_equal(t.told, 0);
	assert_int_equal(u.told, 1);
	assert_int_equal(u.said, POOL_SAID_NOTHING);
	room_close(r);
}

/** Answers that are no record of ours: none, or no answer; nothing else is harmed. */
static void lies(void **state)
{
	static const struct {
		const char *say;
		enum pool_said said;
		bool ends;
	} table[] = {
		{ "$3\r\nxyz\r\n", POOL_SAID_NONE, false },
		{ "$0\r\n\r\n", POOL_SAID_NONE, false },
		{ "+OK\r\n", POOL_SAID_NONE, false },
		{ ":1\r\n", POOL_SAID_NONE, false },
		{ "-ERR no\r\n", POOL_SAID_NOTHING, false },
		{ "*1\r\n$1\r\nx\r\n", POOL_SAID_NOTHING, true },
		{ "$100000\r\n", POOL_SAID_NOTHING, true },
		{ "?\r\n", POOL_SAID_NOTHING, true },
	};
	static char much[8192];
	struct room r = { 0 };

	(void)state;
	memset(much, 'x', sizeof(much));
	assert_int_equal(loop_new(&r.loop), 0);
	for (size_t i = 0; i < BASE_COUNT(table); i++) {
		struct teller t = { .query = { .fn = on_said, .arg = &t } };
		int fd;

		impostor_open(&r.impostor);
		r.a = member(&r, "west", r.impostor.address);
		fd = accept(r.impostor.listens, NULL, NULL);
		assert_true(fd >= 0);
		assert_int_equal(send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL), 7);
		until_up(&r, r.a, true);
		pool_record_get(r.a, &t.query, BASE_STR("x"));
		assert_true(send(fd, table[i].say, strlen(table[i].say), MSG_NOSIGNAL) > 0);
		if (table[i].say[1] == '1' && table[i].ends)
			assert_true(send(fd, much, sizeof(much), MSG_NOSIGNAL) > 0);
		until_told(&r, &t);
		assert_int_equal(t.said, table[i].said);
		if (table[i].ends)
			until_up(&r, r.a, false);
		else
			assert_true(pool_connected(r.a));
		pool_free(r.a);
		close(fd);
		close(r.impostor.listens);
	}
	loop_free(r.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_found_taken_away),
		cmocka_unit_test(over),
		cmocka_unit_test(apart),
		cmocka_unit_test(of_no_use),
		cmocka_unit_test(many),
		cmocka_unit_test(killed_and_back),
		cmocka_unit_test(stalled),
		cmocka_unit_test(full),
		cmocka_unit_test(stopped),
		cmocka_unit_test(lies),
	};

	signal(SIGPIPE, SIG_IGN);
	base_log_level_set(BASE_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
