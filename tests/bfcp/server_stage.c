/* SPDX-License-Identifier: Apache-2.0 */
#include "server_stage.h"

static void wake(void *arg)
{
	((struct party *)arg)->client_woken = true;
}

static void server_wake(void *arg, struct bfcp_peer *peer, void *peer_arg)
{
	(void)arg;
	(void)peer;
	if (peer_arg)
		((struct party *)peer_arg)->woken = true;
}

static void on_holder(void *arg, uint16_t floor, uint16_t user, bool granted)
{
	((struct world *)arg)->holder[floor] = granted ? user : 0;
}

static void on_hello(void *arg, struct base_str primitives, struct base_str attributes)
{
	assert_int_equal(attributes.len, 18);
	((struct party *)arg)->primitives = primitives.len;
}

static void on_request(void *arg, unsigned asked, const struct bfcp_request_info *info)
{
	struct party *p = arg;

	p->asked = asked;
	p->request = info->id;
	p->status = info->overall.status;
	p->queue = info->overall.queue;
	p->told++;
}

static void on_floor(void *arg, uint16_t floor, const struct bfcp_request_info *info, size_t infos)
{
	struct party *p = arg;

	p->floor = floor;
	p->floor_requests = (unsigned)infos;
	p->floor_status = infos ? info[0].overall.status : 0;
	p->floor_user = infos ? info[0].beneficiary.id : 0;
	p->floor_told++;
}

static void on_user(void *arg, const struct bfcp_user_info *about,
                    const struct bfcp_request_info *info, size_t infos)
{
	(void)about;
	(void)info;
	((struct party *)arg)->user_requests = (unsigned)infos;
}

static void on_done(void *arg)
{
	((struct party *)arg)->done++;
}

static void on_error(void *arg, unsigned asked, unsigned code, struct base_str words)
{
	struct party *p = arg;

	assert_true(words.len > 0);
	p->error = code;
	p->error_asked = asked;
}

static void on_bye(void *arg)
{
	((struct party *)arg)->bye++;
}

const struct bfcp_client_ops stage_client_ops = { wake,    on_hello, on_request, on_floor,
	                                          on_user, on_done,  on_error,   on_bye };

static const struct bfcp_server_ops server_ops = { server_wake, on_holder };

void stage_connect_party(struct world *t, uint16_t i)
{
	const struct bfcp_client_spec spec = { .conference = 100,
		                               .user = i,
		                               .reliable = t->reliable,
		                               .ops = &stage_client_ops,
		                               .arg = &t->p[i] };

	t->p[i] = (struct party){ 0 };
	assert_int_equal(bfcp_client_new(&t->p[i].client, &spec), 0);
	assert_int_equal(bfcp_peer_new(t->server, i, t->reliable, &t->p[i], &t->p[i].peer), 0);
}

struct world *stage_open_world(bool reliable)
{
	struct world *t = calloc(1, sizeof(*t));
	struct bfcp_server_spec spec = { .conference = 100, .ops = &server_ops, .arg = t };
	const struct bfcp_floor_spec open = { 0 }, chaired = { .chair = CHAIR },
	                             two = { .holders = 2 };
	struct bfcp_user_spec user = { .name = BASE_STR("somebody"),
		                       .uri = BASE_STR("sip:x@example.com") };

	t->reliable = reliable;
	t->step = 8192;
	assert_int_equal(bfcp_server_new(&t->server, &spec), 0);
	assert_int_equal(bfcp_server_floor(t->server, 1, &open, 0), 0);
	assert_int_equal(bfcp_server_floor(t->server, 2, &chaired, 0), 0);
	assert_int_equal(bfcp_server_floor(t->server, 3, &two, 0), 0);
	for (uint16_t i = ALICE; i < PEERS; i++) {
		user.third_party = i == CAROL;
		user.limited = i == CAROL;
		user.priority = BFCP_NORMAL;
		assert_int_equal(bfcp_server_user(t->server, i, &user), 0);
		stage_connect_party(t, i);
	}
	return t;
}

int set_up_tcp(void **state)
{
	*state = stage_open_world(true);
	return 0;
}

int set_up_udp(void **state)
{
	*state = stage_open_world(false);
	return 0;
}

int tear_down(void **state)
{
	struct world *t = *state;

	for (int i = ALICE; i < PEERS; i++)
		bfcp_client_free(t->p[i].client);
	bfcp_server_free(t->server);
	free(t);
	return 0;
}

static bool lost(struct world *t)
{
	return t->lose && ++t->count % t->lose == 0;
}

static bool carry(struct world *t, struct party *p)
{
	char buf[8192];
	size_t cap = t->reliable ? t->step : sizeof(buf), n, back;

	n = p->client_woken ? bfcp_client_take(p->client, buf, cap) : 0;
	p->client_woken = n > 0;
	if (n && !lost(t))
		assert_int_equal(bfcp_peer_input(p->peer, (struct base_str){ buf, n }, t->now), 0);
	back = p->woken && !p->stuck ? bfcp_peer_take(p->peer, buf, cap) : 0;
	p->woken = p->woken && back > 0;
	if (back && !lost(t))
		assert_int_equal(
		        bfcp_client_input(p->client, (struct base_str){ buf, back }, t->now), 0);
	return n || back;
}

void stage_settle(struct world *t)
{
	uint64_t due;
	bool moved;

	do {
		moved = false;
		for (int i = ALICE; i < PEERS; i++)
			moved = carry(t, &t->p[i]) || moved;
		due = bfcp_server_due(t->server);
		for (int i = ALICE; i < PEERS; i++)
			due = BASE_MIN(due, bfcp_client_due(t->p[i].client));
		if (moved || due == BFCP_NEVER)
			continue;
		t->now = due;
		bfcp_server_tick(t->server, t->now);
		for (int i = ALICE; i < PEERS; i++)
			bfcp_client_tick(t->p[i].client, t->now);
		moved = true;
	} while (moved);
}

unsigned stage_want(struct world *t, int who, uint16_t floor, int priority)
{
	const struct bfcp_wish wish = { .floor = &floor,
		                        .floors = 1,
		                        .has_priority = priority >= 0,
		                        .priority = (uint8_t)(priority < 0 ? 0 : priority) };

	t->p[who].error = 0;
	assert_int_equal(bfcp_client_request(t->p[who].client, &wish, t->now), 0);
	stage_settle(t);
	return t->p[who].request;
}

void stage_give_back(struct world *t, int who, unsigned request)
{
	t->p[who].error = 0;
	assert_int_equal(bfcp_client_release(t->p[who].client, (uint16_t)request, t->now), 0);
	stage_settle(t);
}

void stage_decide(struct world *t, int who, unsigned request, uint16_t floor, unsigned status,
                  unsigned queue)
{
	const struct bfcp_state state = { (uint8_t)status, (uint8_t)queue, BASE_STR("so be it") };

	t->p[who].error = 0;
	assert_int_equal(
	        bfcp_client_decide(t->p[who].client, (uint16_t)request, floor, &state, t->now), 0);
	stage_settle(t);
}
