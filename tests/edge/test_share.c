/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the core of an edge tells becomes what the other edges of its pool find. */
#include "redis_server.h"

#include "edge/share.h"

#define TRIES 20000

static uint8_t secret_octets[40] = "0123456789abcdef0123456789abcdef01234567";

struct found {
	struct edge_search search;
	unsigned told;
	enum edge_whose whose;
	char uri[256], session[65];
};

static void on_found(void *arg, const struct edge_found *found)
{
	struct found *f = arg;

	f->told++;
	f->whose = found->whose;
	(void)snprintf(f->uri, sizeof(f->uri), "%s", found->uri ? found->uri : "");
	(void)snprintf(f->session, sizeof(f->session), "%.*s", BASE_FMT(found->record.session));
}

static void until(struct loop *loop, struct edge_share *share, const char *key,
                  enum edge_whose whose, const char *session)
{
	struct found f = { 0 };

	for (int i = 0; i < TRIES; i++) {
		f = (struct found){ 0 };
		edge_store_find(edge_share_store(share), &f.search, base_str_of(key), on_found, &f);
		for (int j = 0; j < TRIES && !f.told; j++)
			assert_int_equal(loop_run_once(loop, 5), 0);
		if (f.whose == whose && strcmp(f.session, session) == 0)
			break;
		assert_int_equal(loop_run_once(loop, 5), 0);
	}
	assert_int_equal(f.whose, whose);
	assert_string_equal(f.session, session);
	if (whose == EDGE_WHOSE_OTHER)
		assert_string_equal(f.uri, "sip:127.0.0.1:5070;transport=tcp");
}

static void tell(struct edge_share *share, enum edge_told what, struct edge_binding *b)
{
	const struct edge_event event = { .what = what, .flow = b->flow, .binding = b };

	edge_share_told(share, &event);
}

static struct edge_share *open_share(struct loop *loop, struct edge_config *config,
                                     const char *core, uint64_t epoch)
{
	struct base_error err = { 0 };
	struct edge_share *share;

	if (edge_share_new(&share, loop, config, core, epoch, &err))
		fail_msg("%s", err.text);
	return share;
}

static void bindings_are_found(void **state)
{
	struct server server = { 0 };
	struct edge_config config = { 0 };
	struct edge_share *a, *b;
	struct edge_binding binding;
	struct loop *loop;
	char session[] = "s1";

	(void)state;
	if (!have_redis())
		skip();
	server_start(&server);
	assert_int_equal(loop_new(&loop), 0);
	config.pool = (struct pool_spec){ .name = "west",
		                          .redis = server.address,
		                          .secret = { secret_octets, sizeof(secret_octets) } };
	a = open_share(loop, &config, "127.0.0.1:5070;transport=tcp", 7);
	b = open_share(loop, &config, "127.0.0.2:5070;transport=tcp", 8);
	binding = (struct edge_binding){ .flow = 3,
		                         .impi = BASE_STR("alice@home"),
		                         .session = { session, 2 },
		                         .flow_key = BASE_STR("0123456789abcdef012345"),
		                         .expires_ms = loop_now_ms(loop) + 600000 };
	tell(a, EDGE_TOLD_BOUND, &binding);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_OTHER, "s1");
	session[1] = '2';
	tell(a, EDGE_TOLD_REKEYED, &binding);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_OTHER, "s2");
	binding.impi = BASE_STR("alice.private@home"); /* as nobody should */
	tell(a, EDGE_TOLD_REFRESHED, &binding);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_OTHER, "s2");
	tell(a, EDGE_TOLD_NOTE, &binding);
	tell(a, EDGE_TOLD_UNBOUND, &binding);
	tell(a, EDGE_TOLD_UNBOUND, &binding);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_NOBODY, "");
	/* Without TLS there is no session. */
	binding.session = (struct base_str){ NULL, 0 };
	tell(a, EDGE_TOLD_BOUND, &binding);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_OTHER, "");
	tell(a, EDGE_TOLD_UNBOUND, &binding);
	binding.session = (struct base_str){ session, 2 };
	/* One that ends with its bindings. */
	tell(a, EDGE_TOLD_BOUND, &binding);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_OTHER, "s2");
	edge_share_free(a);
	until(loop, b, "0123456789abcdef012345", EDGE_WHOSE_NOBODY, "");
	edge_share_free(b);
	loop_free(loop);
	server_stop(&server);
}

/** Without a pool no token of another start is worth a look. */
static void alone(void **state)
{
	struct edge_config config = { 0 };
	struct edge_binding binding = { .flow = 3 };
	struct edge_share *a;
	struct loop *loop;
	uint8_t key[32];

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	a = open_share(loop, &config, "[::1]:5070;transport=tcp", 7);
	assert_int_equal(edge_share_token_key(a, 7, key), 0);
	assert_int_not_equal(edge_share_token_key(a, 8, key), 0);
	tell(a, EDGE_TOLD_BOUND, &binding);
	assert_int_equal(edge_store_counts(edge_share_store(a)).records, 0);
	edge_share_config(a, &config);
	edge_share_free(a);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bindings_are_found),
		cmocka_unit_test(alone),
	};

	signal(SIGPIPE, SIG_IGN);
	base_log_level_set(BASE_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
