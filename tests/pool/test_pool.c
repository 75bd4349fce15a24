/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Members of a pool and a real Redis, which is killed and comes back. The wall clock is lent; it
 * moves only when a test says so.
 */
#include "redis_server.h"

#include "pool/pool.h"

#define TURN_MS 20U /* the looks in between are by the real clock */
#define LIFE_MS 80U
#define TRIES   20000

static uint64_t wall = 1000000000000;

static uint64_t wall_ms(void *arg)
{
	(void)arg;
	return wall;
}

/* -- members --------------------------------------------------------------------------------- */

struct member {
	struct loop *loop;
	struct pool *pool;
	struct pool_share share;
	uint8_t secret[16][POOL_SECRET];
	uint64_t from_ms[16];
	unsigned count;
};

static uint8_t secret_octets[40] = "0123456789abcdef0123456789abcdef01234567";

static struct pool_spec spec_of(const struct server *s)
{
	return (struct pool_spec){ .name = "west",
		                   .redis = s->address,
		                   .secret = { secret_octets, sizeof(secret_octets) },
		                   .wall_ms = wall_ms };
}

static void on_key(void *arg, const uint8_t *secret, uint64_t from_ms)
{
	struct member *m = arg;

	assert_true(m->count < 16);
	memcpy(m->secret[m->count], secret, POOL_SECRET);
	m->from_ms[m->count++] = from_ms;
}

static void member_open(struct member *m, struct loop *loop, const struct pool_spec *spec,
                        uint8_t scope)
{
	const uint8_t scopes[32] = { scope };
	struct base_error err = { 0 };

	*m = (struct member){ .loop = loop };
	if (pool_new(&m->pool, loop, spec, &err))
		fail_msg("%s", err.text);
	pool_share_start(m->pool, &m->share, scopes, TURN_MS, LIFE_MS, on_key, m);
}

static void until_keys(struct member *m, unsigned count)
{
	for (int i = 0; i < TRIES && m->count < count; i++)
		assert_int_equal(loop_run_once(m->loop, 5), 0);
	assert_int_equal(m->count, count);
}

static void until_up(struct member *m, bool up)
{
	for (int i = 0; i < TRIES && pool_connected(m->pool) != up; i++)
		assert_int_equal(loop_run_once(m->loop, 5), 0);
	assert_int_equal(pool_connected(m->pool), up);
}

static void assert_same(const struct member *a, const struct member *b, unsigned i)
{
	assert_int_equal(a->from_ms[i], b->from_ms[i]);
	assert_memory_equal(a->secret[i], b->secret[i], POOL_SECRET);
}

struct room {
	struct server server;
	struct loop *loop;
	struct member a, b;
};

static struct room *room_open(const char *password)
{
	static struct room room;

	if (!have_redis())
		skip();
	room = (struct room){ .server.password = password };
	wall = wall - wall % TURN_MS + 10ULL * TURN_MS;
	assert_int_equal(loop_new(&room.loop), 0);
	server_start(&room.server);
	return &room;
}

static void room_close(struct room *r)
{
	server_stop(&r->server);
	loop_free(r->loop);
}

/** One turn after another, the same secret at both; the next one before its turn. */
static void the_same_at_all(void **state)
{
	struct room *r = room_open(NULL);
	struct pool_spec spec = spec_of(&r->server);
	uint64_t begin = wall;

	(void)state;
	member_open(&r->a, r->loop, &spec, 1);
	until_keys(&r->a, 1);
	member_open(&r->b, r->loop, &spec, 1);
	until_keys(&r->b, 1);
	assert_int_equal(r->a.from_ms[0], begin);
	assert_same(&r->a, &r->b, 0);
	wall += TURN_MS / 2;
	until_keys(&r->a, 2);
	until_keys(&r->b, 2);
	assert_int_equal(r->a.from_ms[1], begin + TURN_MS);
	assert_same(&r->a, &r->b, 1);
	assert_memory_not_equal(r->a.secret[0], r->a.secret[1], POOL_SECRET);
	/* Who comes later is told what is still accepted, too. */
	pool_free(r->b.pool);
	wall += TURN_MS / 2;
	member_open(&r->b, r->loop, &spec, 1);
	until_keys(&r->b, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_same(&r->a, &r->b, i);
	pool_free(r->a.pool);
	pool_free(r->b.pool);
	room_close(r);
}

/** Redis is killed, and comes back with nothing in it: nobody falls, and all agree again. */
static void killed_and_back(void **state)
{
	struct room *r = room_open(NULL);
	struct pool_spec spec = spec_of(&r->server);

	(void)state;
	member_open(&r->a, r->loop, &spec, 1);
	member_open(&r->b, r->loop, &spec, 1);
	until_keys(&r->a, 1);
	until_keys(&r->b, 1);
	server_stop(&r->server);
	until_up(&r->a, false);
	until_up(&r->b, false);
	wall += TURN_MS;
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	assert_int_equal(r->a.count, 1);
	server_start(&r->server);
	until_up(&r->a, true);
	until_up(&r->b, true);
	until_keys(&r->a, 2);
	until_keys(&r->b, 2);
	assert_same(&r->a, &r->b, 1);
	assert_int_equal(r->a.from_ms[1], wall);
	pool_free(r->a.pool);
	pool_free(r->b.pool);
	room_close(r);
}

/** Not there at the start: it is found when it comes. */
static void late(void **state)
{
	struct room *r = room_open(NULL);
	struct pool_spec spec = spec_of(&r->server);

	(void)state;
	server_stop(&r->server);
	member_open(&r->a, r->loop, &spec, 1);
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	assert_false(pool_connected(r->a.pool));
	server_start(&r->server);
	until_keys(&r->a, 1);
	pool_free(r->a.pool);
	room_close(r);
}

/** Another scope, another pool's name: other secrets. Another pool's secret: none. */
static void apart(void **state)
{
	uint8_t other[40] = "another secret, of the same length......";
	struct room *r = room_open(NULL);
	struct pool_spec spec = spec_of(&r->server);

	(void)state;
	member_open(&r->a, r->loop, &spec, 1);
	until_keys(&r->a, 1);
	member_open(&r->b, r->loop, &spec, 2);
	until_keys(&r->b, 1);
	assert_memory_not_equal(r->a.secret[0], r->b.secret[0], POOL_SECRET);
	pool_free(r->b.pool);
	spec.name = "east";
	member_open(&r->b, r->loop, &spec, 1);
	until_keys(&r->b, 1);
	assert_memory_not_equal(r->a.secret[0], r->b.secret[0], POOL_SECRET);
	pool_free(r->b.pool);
	spec = spec_of(&r->server);
	spec.secret.data = other;
	member_open(&r->b, r->loop, &spec, 1);
	until_up(&r->b, true);
	wall += TURN_MS; /* which a makes, and b cannot read */
	until_keys(&r->a, 2);
	for (int i = 0; i < 50; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	for (unsigned i = 0; i < r->b.count; i++)
		assert_memory_not_equal(r->a.secret[1], r->b.secret[i], POOL_SECRET);
	pool_free(r->a.pool);
	pool_free(r->b.pool);
	room_close(r);
}

static void with_a_password(void **state)
{
	uint8_t right[] = "open sesame", wrong[] = "open barley";
	struct room *r = room_open("open sesame");
	struct pool_spec spec = spec_of(&r->server);

	(void)state;
	spec.password = (struct base_secret){ right, sizeof(right) - 1 };
	member_open(&r->a, r->loop, &spec, 1);
	until_keys(&r->a, 1);
	spec.password.data = wrong;
	member_open(&r->b, r->loop, &spec, 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	assert_false(pool_connected(r->b.pool));
	spec.password.len = 0; /* PING is refused, too */
	pool_free(r->b.pool);
	member_open(&r->b, r->loop, &spec, 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	assert_false(pool_connected(r->b.pool));
	pool_free(r->a.pool);
	pool_free(r->b.pool);
	room_close(r);
}

/** A share may end while its question is out, and before or after its pool. */
static void ends(void **state)
{
	struct room *r = room_open(NULL);
	struct pool_spec spec = spec_of(&r->server);
	const uint8_t scope[32] = { 7 };
	struct pool_share more;

	(void)state;
	member_open(&r->a, r->loop, &spec, 1);
	until_up(&r->a, true);
	until_keys(&r->a, 1);
	pool_share_start(r->a.pool, &more, scope, TURN_MS, LIFE_MS, on_key, &r->a);
	pool_share_stop(&more);
	pool_share_stop(&more);
	for (int i = 0; i < 50; i++)
		assert_int_equal(loop_run_once(r->loop, 1), 0);
	assert_int_equal(r->a.count, 1);
	pool_share_start(r->a.pool, &more, scope, TURN_MS, LIFE_MS, on_key, &r->a);
	pool_free(r->a.pool);
	pool_share_stop(&more);
	room_close(r);
}

/* -- a Redis that is none -------------------------------------------------------------------- */

/** Take the member in, and answer its PING. */
static void impostor_welcome(struct impostor *x, struct member *m)
{
	x->fd = accept(x->listens, NULL, NULL);
	assert_true(x->fd >= 0);
	assert_int_equal(send(x->fd, "+PONG\r\n", 7, MSG_NOSIGNAL), 7);
	until_up(m, true);
}

/** Whatever it says that no answer of ours can be: the connection ends, and nothing else does. */
static void says_what_nobody_asked(void **state)
{
	static const char *const say[] = {
		"+OK\r\n",                                /* nobody asked */
		":1\r\n",                                 /* the same */
		"$-1\r\n",                                /* the same */
		"*2\r\n$7\r\nmessage\r\n$1\r\nx\r\n",     /* the same */
		"*1000000\r\n",                           /* and much of it */
		"$536870912\r\n",                         /* a long one, that comes */
		"+",                                      /* the same, of no length */
		"-ERR max number of clients reached\r\n", /* what Redis does say unasked */
	};
	static char much[8192];
	struct impostor x;
	struct pool_spec spec;
	struct member m = { 0 };

	(void)state;
	memset(much, 'x', sizeof(much));
	assert_int_equal(loop_new(&m.loop), 0);
	for (size_t i = 0; i < BASE_COUNT(say); i++) {
		struct server at = { 0 };
		struct base_error err = { 0 };

		impostor_open(&x);
		(void)snprintf(at.address, sizeof(at.address), "%s", x.address);
		spec = spec_of(&at);
		assert_int_equal(pool_new(&m.pool, m.loop, &spec, &err), 0);
		impostor_welcome(&x, &m);
		assert_true(send(x.fd, say[i], strlen(say[i]), MSG_NOSIGNAL) > 0);
		if (!strchr(say[i], '\n') || say[i][1] == '5')
			assert_true(send(x.fd, much, sizeof(much), MSG_NOSIGNAL) > 0);
		until_up(&m, false);
		pool_free(m.pool);
		close(x.fd);
		close(x.listens);
	}
	loop_free(m.loop);
}

/** What is asked, answered by something else, is no key. */
static void answers_something_else(void **state)
{
	static const char *const say[] = { "*1\r\n$1\r\nx\r\n", "$2000\r\n", ":5\r\n" };
	static char much[2002];

	(void)state;
	memset(much, 'x', sizeof(much));
	memcpy(much + 2000, "\r\n", 2);
	for (size_t i = 0; i < BASE_COUNT(say); i++) {
		struct server at = { 0 };
		struct impostor x;
		struct pool_spec spec;
		struct member m;
		struct loop *loop;
		char line[4];

		assert_int_equal(loop_new(&loop), 0);
		impostor_open(&x);
		(void)snprintf(at.address, sizeof(at.address), "%s", x.address);
		spec = spec_of(&at);
		member_open(&m, loop, &spec, 1);
		impostor_welcome(&x, &m);
		while (recv(x.fd, line, sizeof(line), MSG_DONTWAIT) < 4)
			assert_int_equal(loop_run_once(loop, 1), 0);
		assert_true(send(x.fd, say[i], strlen(say[i]), MSG_NOSIGNAL) > 0);
		if (say[i][0] == '$')
			assert_true(send(x.fd, much, sizeof(much), MSG_NOSIGNAL) > 0);
		if (say[i][0] != ':')
			until_up(&m, false);
		assert_int_equal(m.count, 0);
		pool_free(m.pool);
		close(x.fd);
		close(x.listens);
		loop_free(loop);
	}
}

static void wrong_settings(void **state)
{
	static const char *const bad[] = { "redis.example:6379", "unix:redis.sock", "",
		                           "tcp:127.0.0.1:1" };
	struct server none = { .address = "127.0.0.1:1" };
	struct base_error err;
	struct pool_spec spec;
	struct pool *pool;
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	for (size_t i = 0; i < 4; i++) {
		spec = spec_of(&none);
		spec.redis = bad[i];
		assert_int_equal(base_err_class(pool_new(&pool, loop, &spec, &err)), BASE_CONFIG);
	}
	spec = spec_of(&none);
	spec.name = "a:b";
	assert_int_equal(base_err_class(pool_new(&pool, loop, &spec, &err)), BASE_CONFIG);
	spec = spec_of(&none);
	spec.secret.len = POOL_SECRET_MIN - 1;
	assert_int_equal(base_err_class(pool_new(&pool, loop, &spec, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "openssl rand"));
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_at_all),
		cmocka_unit_test(killed_and_back),
		cmocka_unit_test(late),
		cmocka_unit_test(apart),
		cmocka_unit_test(with_a_password),
		cmocka_unit_test(ends),
		cmocka_unit_test(says_what_nobody_asked),
		cmocka_unit_test(answers_something_else),
		cmocka_unit_test(wrong_settings),
	};

	signal(SIGPIPE, SIG_IGN);
	base_log_level_set(BASE_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
