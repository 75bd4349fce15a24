/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: the n-th allocation fails, alone or with all that follow, for every n. Server
 * and client then refuse something or end a connection; neither crashes, and under ASan nothing
 * leaks. The linker leads our code's malloc here (--wrap).
 */
#include "bfcp/bfcp.h"
#include "check.h"
#include "scarce.h"

static void wake(void *arg)
{
	(void)arg;
}

static void peer_wake(void *arg, struct bfcp_peer *peer, void *peer_arg)
{
	(void)arg;
	(void)peer;
	(void)peer_arg;
}

/** All that waits, to and fro. */
static void settle(struct bfcp_client *c, struct bfcp_peer *peer)
{
	char buf[4096];
	size_t n, back;

	do {
		n = bfcp_client_take(c, buf, sizeof(buf));
		if (n)
			(void)bfcp_peer_input(peer, (struct base_str){ buf, n }, 0);
		back = bfcp_peer_take(peer, buf, sizeof(buf));
		if (back)
			(void)bfcp_client_input(c, (struct base_str){ buf, back }, 0);
	} while (n || back);
}

static void talk(struct bfcp_server *s, struct bfcp_client *c, struct bfcp_peer *peer)
{
	const uint16_t floors[] = { 1, 2 };
	const struct bfcp_wish wish = { .floor = floors,
		                        .floors = 2,
		                        .reason = BASE_STR("to talk") };
	const struct bfcp_state grant = { .status = BFCP_GRANTED, .info = BASE_STR("go on") };

	(void)bfcp_client_hello(c, 0);
	(void)bfcp_client_ask_floors(c, floors, 2, 0);
	(void)bfcp_client_request(c, &wish, 0);
	settle(c, peer);
	(void)bfcp_client_decide(c, 1, 2, &grant, 0);
	(void)bfcp_client_ask_user(c, 1, 0);
	(void)bfcp_client_release(c, 1, 0);
	settle(c, peer);
	bfcp_server_tick(s, 500);
	bfcp_client_tick(c, 500);
	(void)bfcp_client_goodbye(c, 500);
	settle(c, peer);
	bfcp_server_user_remove(s, 1, 500);
	bfcp_server_floor_remove(s, 1, 500);
	settle(c, peer);
}

static void story(bool reliable)
{
	static const struct bfcp_server_ops ops = { .wake = peer_wake };
	static const struct bfcp_client_ops client_ops = { .wake = wake };
	const struct bfcp_server_spec spec = { .conference = 1, .ops = &ops };
	const struct bfcp_client_spec client = {
		.conference = 1, .user = 1, .reliable = reliable, .ops = &client_ops
	};
	const struct bfcp_floor_spec open = { 0 }, chaired = { .chair = 1 };
	const struct bfcp_user_spec user = { .name = BASE_STR("Alice"),
		                             .uri = BASE_STR("sip:a@x") };
	struct bfcp_server *s;
	struct bfcp_client *c = NULL;
	struct bfcp_peer *peer;

	if (bfcp_server_new(&s, &spec))
		return;
	if (!bfcp_server_floor(s, 1, &open, 0) && !bfcp_server_floor(s, 2, &chaired, 0) &&
	    !bfcp_server_user(s, 1, &user) && !bfcp_client_new(&c, &client) &&
	    !bfcp_peer_new(s, 1, reliable, NULL, &peer))
		talk(s, c, peer);
	bfcp_client_free(c);
	bfcp_server_free(s);
}

static void walk(bool reliable)
{
	for (int mode = 0; mode < 2; mode++) {
		long n = 0;

		do {
			scarce_after(n, mode);
			story(reliable);
			scarce_after(-1, false);
			assert_true(++n < 1000);
		} while (scarce_failed());
	}
}

static void over_tcp(void **state)
{
	(void)state;
	walk(true);
}

static void over_udp(void **state)
{
	(void)state;
	walk(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(over_tcp),
		                            cmocka_unit_test(over_udp) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
