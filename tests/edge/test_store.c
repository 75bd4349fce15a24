/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Edges of one pool: whose a token is, in memory and in a real Redis that is killed, emptied and
 * stalled; and edges that are killed, or start again.
 */
#include "redis_server.h"

#include "edge/store_private.h"

#define TRIES 20000

static uint8_t secret_octets[40] = "0123456789abcdef0123456789abcdef01234567";

static struct base_str str(const char *text)
{
	return base_str_of(text);
}

struct found {
	struct edge_search search;
	unsigned told;
	enum edge_whose whose;
	char id[64], uri[256], token[128], impi[256], session[65];
	uint64_t epoch;
};

static void copy(char *to, size_t cap, struct base_str from)
{
	(void)snprintf(to, cap, "%.*s", BASE_FMT(from));
}

static void on_found(void *arg, const struct edge_found *found)
{
	struct found *f = arg;

	f->told++;
	f->whose = found->whose;
	f->epoch = found->epoch;
	copy(f->id, sizeof(f->id), str(found->id));
	copy(f->uri, sizeof(f->uri), str(found->uri));
	copy(f->token, sizeof(f->token), found->record.token);
	copy(f->impi, sizeof(f->impi), found->record.impi);
	copy(f->session, sizeof(f->session), found->record.session);
}

struct edge {
	struct loop *loop;
	struct pool *pool;
	struct edge_shelf *shelf;
	struct edge_store *store;
};

static void edge_open(struct edge *e, const char *id, uint64_t epoch, uint64_t alive_ms)
{
	char uri[64];
	struct edge_store_spec spec = {
		.id = id, .uri = uri, .epoch = epoch, .shelf = e->shelf, .alive_ms = alive_ms
	};
	struct base_error err = { 0 };

	(void)snprintf(uri, sizeof(uri), "sip:%s.test;transport=tcp", id);
	if (edge_store_new(&e->store, e->loop, &spec, &err))
		fail_msg("%s", err.text);
}

/** With a connection of its own to Redis. */
static void edge_join(struct edge *e, struct loop *loop, const char *redis, const char *id,
                      uint64_t epoch, uint64_t alive_ms)
{
	struct pool_spec spec = { .name = "west",
		                  .redis = redis,
		                  .secret = { secret_octets, sizeof(secret_octets) } };
	struct base_error err = { 0 };

	*e = (struct edge){ .loop = loop };
	if (pool_new(&e->pool, loop, &spec, &err))
		fail_msg("%s", err.text);
	assert_int_equal(edge_shelf_pool(&e->shelf, e->pool), 0);
	edge_open(e, id, epoch, alive_ms);
}

static void edge_leave(struct edge *e)
{
	edge_store_free(e->store);
	edge_shelf_free(e->shelf);
	pool_free(e->pool);
}

static void put(struct edge *e, struct edge_stored *stored, const char *token, const char *impi,
                const char *session)
{
	struct edge_record record = { str(token), str(impi), str(session) };

	edge_store_put(e->store, stored, &record, 3600000);
}

static enum edge_whose find(struct edge *e, const char *token, struct found *f)
{
	*f = (struct found){ 0 };
	edge_store_find(e->store, &f->search, str(token), on_found, f);
	for (int i = 0; i < TRIES && !f->told; i++)
		assert_int_equal(loop_run_once(e->loop, 5), 0);
	assert_int_equal(f->told, 1);
	return f->whose;
}

static void until(struct edge *e, const char *token, enum edge_whose whose)
{
	struct found f;

	for (int i = 0; i < TRIES && find(e, token, &f) != whose; i++)
		assert_int_equal(loop_run_once(e->loop, 5), 0);
	assert_int_equal(f.whose, whose);
}

static void until_written(struct edge *e)
{
	for (int i = 0; i < TRIES && edge_store_counts(e->store).waiting; i++)
		assert_int_equal(loop_run_once(e->loop, 5), 0);
	assert_int_equal(edge_store_counts(e->store).waiting, 0);
}

static void until_up(struct edge *e, bool up)
{
	for (int i = 0; i < TRIES && edge_shelf_up(e->shelf) != up; i++)
		assert_int_equal(loop_run_once(e->loop, 5), 0);
	assert_int_equal(edge_shelf_up(e->shelf), up);
}

/* -- in memory ------------------------------------------------------------------------------- */

struct pair {
	struct edge a, b;
};

static void pair_open(struct pair *p)
{
	*p = (struct pair){ 0 };
	assert_int_equal(loop_new(&p->a.loop), 0);
	assert_int_equal(edge_shelf_memory(&p->a.shelf, p->a.loop), 0);
	p->b = p->a;
	edge_open(&p->a, "edge-a", 7, 0);
	edge_open(&p->b, "edge-b", 8, 0);
}

static void pair_close(struct pair *p)
{
	edge_store_free(p->a.store);
	edge_store_free(p->b.store);
	edge_shelf_free(p->a.shelf);
	loop_free(p->a.loop);
}

/** Found by its token, at the other edge only; renewed, replaced, ended. */
static void another_finds_it(void **state)
{
	struct edge_stored one = { 0 }, two = { 0 };
	struct pair p;
	struct found f;

	(void)state;
	pair_open(&p);
	put(&p.a, &one, "tokenA1", "alice@home", "s1");
	assert_int_equal(find(&p.b, "tokenA1", &f), EDGE_WHOSE_OTHER);
	assert_string_equal(f.id, "edge-a");
	assert_string_equal(f.uri, "sip:edge-a.test;transport=tcp");
	assert_int_equal(f.epoch, 7);
	assert_string_equal(f.token, "tokenA1");
	assert_string_equal(f.impi, "alice@home");
	assert_string_equal(f.session, "s1");
	/* One's own is never asked for: it would go in a circle. */
	assert_int_equal(find(&p.a, "tokenA1", &f), EDGE_WHOSE_NOBODY);
	put(&p.a, &one, "tokenA1", "alice@home", "s2");
	assert_int_equal(find(&p.b, "tokenA1", &f), EDGE_WHOSE_OTHER);
	assert_string_equal(f.session, "s2");
	/* Alice comes to b, and a's binding ends: what b has is what counts. */
	put(&p.b, &two, "tokenB1", "alice@home", "s3");
	edge_store_drop(&one);
	edge_store_drop(&one);
	assert_int_equal(find(&p.b, "tokenA1", &f), EDGE_WHOSE_NOBODY);
	assert_int_equal(find(&p.a, "tokenB1", &f), EDGE_WHOSE_OTHER);
	edge_store_drop(&two);
	assert_int_equal(find(&p.a, "tokenB1", &f), EDGE_WHOSE_NOBODY);
	assert_int_equal(edge_store_counts(p.a.store).records, 0);
	pair_close(&p);
}

/** An edge that starts again has another epoch: nothing of before counts. */
static void an_epoch_ends_all(void **state)
{
	struct edge_stored one = { 0 }, two = { 0 };
	struct edge again;
	struct pair p;
	struct found f;

	(void)state;
	pair_open(&p);
	put(&p.a, &one, "tokenA1", "alice@home", "s1");
	again = p.a; /* the same name, while the first has not been ended */
	edge_open(&again, "edge-a", 9, 0);
	assert_int_equal(find(&p.b, "tokenA1", &f), EDGE_WHOSE_NOBODY);
	put(&again, &two, "tokenA2", "alice@home", "s2");
	assert_int_equal(find(&p.b, "tokenA2", &f), EDGE_WHOSE_OTHER);
	edge_store_free(again.store);
	assert_int_equal(find(&p.b, "tokenA2", &f), EDGE_WHOSE_NOBODY);
	pair_close(&p);
}

/** What is no token, too long, or a stranger's. */
static void what_is_none(void **state)
{
	char longest[400];
	struct edge_stored one = { 0 };
	struct edge_record record = { .impi = BASE_STR("alice@home") };
	struct pair p;
	struct found f;

	(void)state;
	pair_open(&p);
	memset(longest, 't', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(find(&p.b, "", &f), EDGE_WHOSE_NOBODY);
	assert_int_equal(find(&p.b, longest, &f), EDGE_WHOSE_NOBODY);
	edge_store_put(p.a.store, &one, &record, 1000);
	assert_int_equal(edge_store_counts(p.a.store).records, 0);
	longest[EDGE_STORE_TOKEN_MAX] = '\0';
	longest[200] = 'i';
	record = (struct edge_record){ str(longest), { longest + 128, 255 }, { NULL, 0 } };
	edge_store_put(p.a.store, &one, &record, 1000);
	assert_int_equal(find(&p.b, longest, &f), EDGE_WHOSE_OTHER);
	edge_store_put(p.a.store, &one, &record, 0);
	pair_close(&p);
}

/** In memory a token's key is of this process; in a pool all have it, one for each epoch. */
static void token_keys(void **state)
{
	uint8_t key[4][32];
	struct edge a, b;
	struct pair p, q;
	struct loop *loop;

	(void)state;
	pair_open(&p);
	pair_open(&q);
	assert_int_equal(edge_store_token_key(p.a.store, 7, key[0]), 0);
	assert_int_equal(edge_store_token_key(q.a.store, 7, key[1]), 0);
	assert_false(base_secret_equal(key[0], 32, key[1], 32));
	pair_close(&p);
	pair_close(&q);
	assert_int_equal(loop_new(&loop), 0);
	edge_join(&a, loop, "127.0.0.1:1", "edge-a", 7, 0); /* Redis need not be there */
	edge_join(&b, loop, "127.0.0.1:1", "edge-b", 8, 0);
	assert_int_equal(edge_store_token_key(a.store, 7, key[0]), 0);
	assert_int_equal(edge_store_token_key(b.store, 7, key[1]), 0);
	assert_int_equal(edge_store_token_key(b.store, 8, key[2]), 0);
	assert_true(base_secret_equal(key[0], 32, key[1], 32));
	assert_false(base_secret_equal(key[0], 32, key[2], 32));
	edge_leave(&a);
	edge_leave(&b);
	loop_free(loop);
}

/** Whatever lies there is read, or refused. */
static void any_octets(void **state)
{
	static const uint8_t good[] = "\1\0\0\0\0\0\0\0\5\1e\1t\2im\1s";
	struct base_str all = { (const char *)good, sizeof(good) - 1 };
	uint8_t bad[sizeof(good)];
	struct edge_written w;
	struct base_str uri;
	uint64_t epoch;

	(void)state;
	assert_int_equal(edge_written_read(all, &w), 0);
	assert_int_equal(w.epoch, 5);
	assert_true(base_str_eq(w.impi, BASE_STR("im")));
	for (size_t len = 0; len < all.len; len++)
		assert_int_not_equal(edge_written_read((struct base_str){ all.ptr, len }, &w), 0);
	for (size_t i = 0; i < all.len; i++)
		for (unsigned v = 0; v < 256; v++) {
			memcpy(bad, good, sizeof(bad));
			bad[i] = (uint8_t)v;
			(void)edge_written_read((struct base_str){ (char *)bad, all.len }, &w);
			(void)edge_alive_read((struct base_str){ (char *)bad, 13 }, &epoch, &uri);
		}
	assert_int_equal(edge_alive_read((struct base_str){ all.ptr, 13 }, &epoch, &uri), 0);
	assert_true(base_str_eq(uri, BASE_STR("t")));
	/* No URI brings a line of its own. */
	assert_int_not_equal(
	        edge_alive_read((struct base_str){ "\1\0\0\0\0\0\0\0\5\1e\3t\r\n", 15 }, &epoch,
	                        &uri),
	        0);
}

static void wrong_settings(void **state)
{
	struct edge_store_spec spec = { .id = "a b", .uri = "sip:a", .epoch = 1 };
	struct base_error err;
	struct edge_store *store;

	(void)state;
	assert_int_equal(base_err_class(edge_store_new(&store, NULL, &spec, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "pool.id"));
	spec.id = "a";
	spec.uri = "sip:a b";
	assert_int_equal(base_err_class(edge_store_new(&store, NULL, &spec, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "pool.address"));
}

/* -- in Redis -------------------------------------------------------------------------------- */

struct room {
	struct server server;
	struct edge a, b;
};

static struct room *room_open(void)
{
	static struct room room;
	struct loop *loop;

	if (!have_redis())
		skip();
	room = (struct room){ 0 };
	assert_int_equal(loop_new(&loop), 0);
	server_start(&room.server);
	edge_join(&room.a, loop, room.server.address, "edge-a", 7, 0);
	edge_join(&room.b, loop, room.server.address, "edge-b", 8, 0);
	until_up(&room.a, true);
	until_up(&room.b, true);
	return &room;
}

static void room_close(struct room *r)
{
	edge_leave(&r->a);
	edge_leave(&r->b);
	loop_free(r->a.loop);
	server_stop(&r->server);
}

static void command(struct room *r, const char *words)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)r->server.port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char said[5];

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
	assert_int_equal(recv(fd, said, 5, MSG_WAITALL), 5);
	assert_memory_equal(said, "+OK\r\n", 5);
	close(fd);
}

/** The same through Redis; many of them; gone with their owner's leave. */
static void through_redis(void **state)
{
	static struct edge_stored many[1000];
	static char token[1000][8];
	struct room *r = room_open();
	struct edge c;
	struct found f;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(token[i], sizeof(token[i]), "t%d", i);
		many[i] = (struct edge_stored){ 0 };
		put(&r->a, &many[i], token[i], token[i], "s");
	}
	until_written(&r->a);
	assert_int_equal(find(&r->b, "t0", &f), EDGE_WHOSE_OTHER);
	assert_int_equal(find(&r->b, "t999", &f), EDGE_WHOSE_OTHER);
	assert_string_equal(f.uri, "sip:edge-a.test;transport=tcp");
	for (int i = 0; i < 1000; i++)
		edge_store_drop(&many[i]);
	until(&r->b, "t999", EDGE_WHOSE_NOBODY);
	assert_int_equal(find(&r->b, "t0", &f), EDGE_WHOSE_NOBODY);
	/* Who leaves says so, and what it has not taken away counts for nothing. */
	edge_join(&c, r->a.loop, r->server.address, "edge-c", 9, 0);
	put(&c, &many[0], "tc", "c", "s");
	until(&r->b, "tc", EDGE_WHOSE_OTHER);
	edge_leave(&c);
	until(&r->b, "tc", EDGE_WHOSE_NOBODY);
	room_close(r);
}

/** More bindings than questions may be open: that it leaves is heard first, for it is not believed
 * dead for an hour. */
static void many_leave(void **state)
{
	enum { MANY = POOL_QUERIES + 1000 };
	static struct edge_stored many[MANY];
	static char token[MANY][8];
	struct room *r = room_open();
	struct edge c;
	struct found f;

	(void)state;
	edge_join(&c, r->a.loop, r->server.address, "edge-c", 9, 3600000);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(token[i], sizeof(token[i]), "t%d", i);
		many[i] = (struct edge_stored){ 0 };
		put(&c, &many[i], token[i], token[i], "s");
	}
	until_written(&c);
	assert_int_equal(find(&r->b, token[MANY - 1], &f), EDGE_WHOSE_OTHER);
	edge_leave(&c);
	for (int i = 0; i < 200 && find(&r->b, token[MANY - 1], &f) != EDGE_WHOSE_NOBODY; i++)
		assert_int_equal(loop_run_once(r->a.loop, 5), 0);
	assert_int_equal(f.whose, EDGE_WHOSE_NOBODY);
	room_close(r);
}

/** Redis is killed: nobody knows, nothing ends. It comes back empty: all is there again. */
static void redis_killed(void **state)
{
	struct edge_stored one = { 0 }, two = { 0 };
	struct room *r = room_open();
	struct found f;

	(void)state;
	put(&r->a, &one, "one", "alice@home", "s");
	until(&r->b, "one", EDGE_WHOSE_OTHER);
	server_stop(&r->server);
	until_up(&r->a, false);
	until_up(&r->b, false);
	assert_int_equal(find(&r->b, "one", &f), EDGE_WHOSE_UNKNOWN);
	put(&r->a, &two, "two", "bob@home", "s"); /* meanwhile */
	server_start(&r->server);
	until_up(&r->b, true);
	/* Until a is there, too, nothing is said of what is not there: RFC 5626, 5.3 has 430 end a
	 * flow. */
	assert_int_not_equal(find(&r->b, "one", &f), EDGE_WHOSE_NOBODY);
	assert_int_not_equal(find(&r->b, "never", &f), EDGE_WHOSE_NOBODY);
	until(&r->b, "one", EDGE_WHOSE_OTHER);
	until(&r->b, "two", EDGE_WHOSE_OTHER);
	edge_store_drop(&one);
	edge_store_drop(&two);
	room_close(r);
}

/** Redis is emptied and says nothing of it: at the next look all is written again. */
static void redis_emptied(void **state)
{
	struct edge_stored one = { 0 };
	struct room *r = room_open();

	(void)state;
	put(&r->a, &one, "one", "alice@home", "s");
	until(&r->b, "one", EDGE_WHOSE_OTHER);
	command(r, "FLUSHALL\r\n");
	until(&r->b, "one", EDGE_WHOSE_OTHER);
	edge_store_drop(&one);
	room_close(r);
}

/** Redis stops in the midst of a search: that one ends long before the connection does. */
static void redis_stalled(void **state)
{
	struct edge_stored one = { 0 };
	struct room *r = room_open();
	struct found f, g = { 0 };

	(void)state;
	put(&r->a, &one, "one", "alice@home", "s");
	until(&r->b, "one", EDGE_WHOSE_OTHER);
	kill(r->server.pid, SIGSTOP);
	edge_store_find(r->b.store, &g.search, BASE_STR("one"), on_found, &g);
	edge_store_find_stop(&g.search);
	edge_store_find_stop(&g.search);
	assert_int_equal(find(&r->b, "one", &f), EDGE_WHOSE_UNKNOWN);
	assert_int_equal(g.told, 0);
	put(&r->a, &one, "one", "alice@home", "s2"); /* in the midst of a write, twice */
	put(&r->a, &one, "one", "alice@home", "s3");
	kill(r->server.pid, SIGCONT);
	for (int i = 0; i < TRIES && strcmp(f.session, "s3") != 0; i++)
		(void)find(&r->b, "one", &f);
	assert_string_equal(f.session, "s3");
	edge_store_drop(&one);
	room_close(r);
}

/** An edge is killed in the midst of its life: its bindings count until it is missed. */
static void edge_killed(void **state)
{
	struct room *r = room_open();
	struct edge_stored one = { 0 };
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct edge c;
		struct loop *loop;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (loop_new(&loop))
			_exit(1);
		edge_join(&c, loop, r->server.address, "edge-c", 9, 1500);
		put(&c, &one, "tc", "carol@home", "s");
		(void)loop_run(loop);
		_exit(1);
	}
	until(&r->b, "tc", EDGE_WHOSE_OTHER);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	until(&r->b, "tc", EDGE_WHOSE_NOBODY);
	room_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_finds_it), cmocka_unit_test(an_epoch_ends_all),
		cmocka_unit_test(what_is_none),     cmocka_unit_test(token_keys),
		cmocka_unit_test(any_octets),       cmocka_unit_test(wrong_settings),
		cmocka_unit_test(through_redis),    cmocka_unit_test(many_leave),
		cmocka_unit_test(redis_killed),     cmocka_unit_test(redis_emptied),
		cmocka_unit_test(redis_stalled),    cmocka_unit_test(edge_killed),
	};

	signal(SIGPIPE, SIG_IGN);
	base_log_level_set(BASE_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
