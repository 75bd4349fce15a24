/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pool/private.h"

#define PLACE_TEXT 200
#define TTL_SPARE  60000U /**< for clocks that differ */

/** One secret asked for. */
struct ask {
	struct base_node node;
	struct pool *pool;
	struct pool_share *share; /**< NULL: it is over */
	uint64_t turn;
	char place[PLACE_TEXT];
};

static uint64_t wall_clock(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* -- one secret ------------------------------------------------------------------------------ */

static bool share_had(const struct pool_share *share, uint64_t turn)
{
	for (size_t i = 0; i < BASE_COUNT(share->had); i++)
		if (share->had[i] == turn)
			return true;
	return false;
}

static void share_has(struct pool_share *share, uint64_t turn)
{
	share->had[share->had_next++ % BASE_COUNT(share->had)] = turn;
}

static void complain(struct pool_share *share, const char *place)
{
	if (!share->complained)
		base_log(BASE_LOG_ERROR, "pool",
		         "%s in Redis is not sealed with this pool's secret: who else writes "
		         "there, or is pool.secret-file another one?",
		         place);
	share->complained = true;
}

static void on_value(void *arg, struct base_str value, bool failed)
{
	struct ask *ask = arg;
	struct pool_share *share = ask->share;
	uint8_t secret[POOL_SECRET];

	base_list_remove(&ask->node);
	if (share && !failed && !share_had(share, ask->turn)) {
		share_has(share, ask->turn);
		if (value.len && pool_unseal(ask->pool->key, ask->place, value, secret) == 0)
			share->fn(share->arg, secret, ask->turn * share->turn_ms);
		else if (value.len)
			complain(share, ask->place);
		base_wipe(secret, sizeof(secret));
	}
	free(ask);
}

/** Ask for that turn's secret; `make`: where nobody has made it, this is it. */
static void share_ask(struct pool_share *share, uint64_t turn, uint64_t now_ms, bool make)
{
	struct pool *pool = share->pool;
	uint64_t end_ms = turn * share->turn_ms + share->life_ms;
	uint8_t secret[POOL_SECRET], sealed[POOL_SEALED];
	struct base_str value = { NULL, 0 };
	struct ask *ask = malloc(sizeof(*ask));

	if (!ask)
		return;
	*ask = (struct ask){ .pool = pool, .share = share, .turn = turn };
	base_list_init(&ask->node);
	base_list_append(&pool->asks, &ask->node);
	(void)snprintf(ask->place, sizeof(ask->place), "gatehouse:%s:%s:%llu", pool->name,
	               share->scope, (unsigned long long)turn);
	if (make && base_random(secret, sizeof(secret)) == 0 &&
	    pool_seal(pool->key, ask->place, secret, sealed) == 0)
		value = (struct base_str){ (const char *)sealed, sizeof(sealed) };
	base_wipe(secret, sizeof(secret));
	pool_link_ask(&pool->link, ask->place, value, end_ms - now_ms + TTL_SPARE, on_value, ask);
}

/* -- which when ------------------------------------------------------------------------------ */

static bool share_asks(const struct pool_share *share, uint64_t turn)
{
	BASE_LIST_EACH(&share->pool->asks, node, after)
	{
		const struct ask *ask = BASE_CONTAINER_OF(node, struct ask, node);

		if (ask->share == share && ask->turn == turn)
			return true;
	}
	return false;
}

/** All that is of use now and not there yet. */
static void share_look(struct pool_share *share)
{
	uint64_t now_ms = share->pool->wall_ms(share->pool->arg);
	uint64_t turn = now_ms / share->turn_ms, back = share->life_ms / share->turn_ms;
	uint64_t last = now_ms % share->turn_ms >= share->turn_ms / 2 ? turn + 1 : turn;

	back = BASE_MIN(back, turn);
	for (uint64_t t = turn - back; t <= last; t++)
		if (t && t * share->turn_ms + share->life_ms > now_ms && !share_had(share, t) &&
		    !share_asks(share, t))
			share_ask(share, t, now_ms, t >= turn);
}

static void tell(struct pool *pool, bool up)
{
	BASE_LIST_EACH(&pool->watches, node, after)
	{
		struct pool_watch *watch = BASE_CONTAINER_OF(node, struct pool_watch, node);

		watch->fn(watch->arg, up);
	}
}

static void look(void *arg)
{
	struct pool *pool = arg;
	uint64_t now_ms = pool->wall_ms(pool->arg), next = UINT64_MAX;

	BASE_LIST_EACH(&pool->shares, node, after)
	{
		struct pool_share *share = BASE_CONTAINER_OF(node, struct pool_share, node);
		uint64_t half = share->turn_ms / 2;

		if (pool->link.up)
			share_look(share);
		next = BASE_MIN(next, half - now_ms % half);
	}
	if (next != UINT64_MAX)
		loop_timer_start(pool->loop, &pool->timer, next + 1, look, pool);
}

static void on_up(void *arg)
{
	look(arg);
	tell(arg, true);
}

static void on_lost(void *arg)
{
	tell(arg, false);
}

/* -- life ------------------------------------------------------------------------------------ */

int pool_check(const struct pool_spec *spec, struct base_error *err)
{
	size_t len = strlen(spec->name);

	for (const char *at = spec->name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
			len = 0;
	if (len == 0 || len > POOL_NAME_MAX)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "name: '%s' is no name of 1 to %d letters, digits, '-', '_' "
		                      "and '.'",
		                      spec->name, POOL_NAME_MAX);
	if (spec->secret.len < POOL_SECRET_MIN)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "secret-file: a secret of %d octets or more is needed "
		                      "(openssl rand -hex %d)",
		                      POOL_SECRET_MIN, POOL_SECRET_MIN);
	return pool_link_check(spec->redis, err);
}

int pool_new(struct pool **ret, struct loop *loop, const struct pool_spec *spec,
             struct base_error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int rc;

	if (!pool)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	pool->loop = loop;
	pool->wall_ms = spec->wall_ms ? spec->wall_ms : wall_clock;
	pool->arg = spec->arg;
	base_list_init(&pool->shares);
	base_list_init(&pool->asks);
	base_list_init(&pool->watches);
	rc = pool_check(spec, err);
	if (!rc)
		rc = pool_link_init(&pool->link, loop, spec);
	if (!rc)
		rc = pool_seal_key(&spec->secret, spec->name, pool->key);
	if (!rc)
		rc = pool_root_key(&spec->secret, spec->name, pool->root);
	if (rc) {
		base_secret_done(&pool->link.password);
		base_wipe(pool->key, sizeof(pool->key));
		base_wipe(pool->root, sizeof(pool->root));
		free(pool);
		return rc;
	}
	(void)snprintf(pool->name, sizeof(pool->name), "%s", spec->name);
	pool_link_start(&pool->link, on_up, on_lost, pool);
	*ret = pool;
	return 0;
}

void pool_free(struct pool *pool)
{
	struct base_node *node;

	if (!pool)
		return;
	while ((node = base_list_shift(&pool->shares)))
		pool_share_stop(BASE_CONTAINER_OF(node, struct pool_share, node));
	loop_timer_stop(pool->loop, &pool->timer);
	pool_link_done(&pool->link); /* what is asked ends */
	base_wipe(pool->key, sizeof(pool->key));
	base_wipe(pool->root, sizeof(pool->root));
	free(pool);
}

bool pool_connected(const struct pool *pool)
{
	return pool->link.up;
}

void pool_watch_start(struct pool *pool, struct pool_watch *watch)
{
	base_list_init(&watch->node);
	base_list_append(&pool->watches, &watch->node);
}

void pool_watch_stop(struct pool_watch *watch)
{
	if (watch->node.next)
		base_list_remove(&watch->node);
}

void pool_share_start(struct pool *pool, struct pool_share *share, const uint8_t scope[32],
                      uint64_t turn_ms, uint64_t life_ms, pool_key_fn *fn, void *arg)
{
	*share = (struct pool_share){ .pool = pool,
		                      .turn_ms = BASE_MAX(turn_ms, 2),
		                      .life_ms = life_ms,
		                      .fn = fn,
		                      .arg = arg };
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(share->scope + 2 * i, 3, "%02x", scope[i]);
	base_list_init(&share->node);
	base_list_append(&pool->shares, &share->node);
	look(pool);
}

void pool_share_stop(struct pool_share *share)
{
	if (!share->pool)
		return;
	BASE_LIST_EACH(&share->pool->asks, node, after)
	{
		struct ask *ask = BASE_CONTAINER_OF(node, struct ask, node);

		if (ask->share == share)
			ask->share = NULL;
	}
	base_list_remove(&share->node);
	share->pool = NULL;
}
