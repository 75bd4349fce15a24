/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Our side of the shelf: that we live, and what is ours. A binding is in one of two lists: due, or
 * lying there. From `lying` it comes back to `due` when it is old, when a write has failed, and
 * when the shelf has forgotten (it was gone, or does not know that we live).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/store_private.h"

#define VERSION     1
#define WRITES_MAX  64U /**< without an answer: the rest waits here, not in buffers */
#define RENEW_MS    (EDGE_STORE_RECORD_MS / 3)
#define RENEW_COUNT 4096U /**< at one look */

/* -- what is written ------------------------------------------------------------------------- */

static void put_part(struct base_writer *w, struct base_str part)
{
	base_writer_u8(w, (uint8_t)part.len);
	base_writer_str(w, part);
}

static void put_head(struct base_writer *w, const struct edge_store *store)
{
	base_writer_u8(w, VERSION);
	base_writer_u32(w, (uint32_t)(store->epoch >> 32));
	base_writer_u32(w, (uint32_t)store->epoch);
	put_part(w, base_str_of(store->id));
}

static struct base_str take_part(struct base_reader *r)
{
	size_t len = base_reader_u8(r);

	return (struct base_str){ (const char *)base_reader_take(r, len), len };
}

static bool printable(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isgraph((unsigned char)s.ptr[i]))
			return false;
	return s.len > 0;
}

int edge_written_read(struct base_str value, struct edge_written *ret)
{
	struct base_reader r = base_reader_of(value.ptr, value.len);
	struct edge_written w;
	bool known = base_reader_u8(&r) == VERSION;

	w.epoch = base_reader_u64(&r);
	w.id = take_part(&r);
	w.token = take_part(&r);
	w.impi = take_part(&r);
	w.session = take_part(&r);
	if (!known || !base_reader_done(&r) || !w.epoch || !printable(w.id) ||
	    w.id.len > EDGE_STORE_ID_MAX || !printable(w.token) ||
	    w.token.len > EDGE_STORE_TOKEN_MAX || w.session.len > EDGE_STORE_SESSION_MAX)
		return BASE_ERR(BASE_PEER, 0);
	*ret = w;
	return 0;
}

int edge_alive_read(struct base_str value, uint64_t *ret_epoch, struct base_str *ret_uri)
{
	struct base_reader r = base_reader_of(value.ptr, value.len);
	bool known = base_reader_u8(&r) == VERSION;
	uint64_t epoch = base_reader_u64(&r);
	struct base_str id = take_part(&r), uri = take_part(&r);

	if (!known || !base_reader_done(&r) || !epoch || !printable(id) || !printable(uri))
		return BASE_ERR(BASE_PEER, 0);
	*ret_epoch = epoch;
	*ret_uri = uri;
	return 0;
}

struct base_str edge_store_name(char *buf, const char *kind, struct base_str of)
{
	struct base_writer w = base_writer_over(buf, EDGE_STORE_NAME_MAX);

	base_writer_text(&w, kind);
	base_writer_u8(&w, ' ');
	base_writer_str(&w, of);
	return w.failed ? (struct base_str){ NULL, 0 } : base_writer_view(&w);
}

/* -- bindings -------------------------------------------------------------------------------- */

static void move(struct edge_stored *stored, struct base_node *list)
{
	base_list_remove(&stored->node);
	base_list_append(list, &stored->node);
}

static struct edge_stored *stored_of(struct base_node *node)
{
	return BASE_CONTAINER_OF(node, struct edge_stored, node);
}

static void pump(struct edge_store *store);

static void on_written(void *arg, enum pool_said said, struct base_str value)
{
	struct edge_stored *stored = arg;
	struct edge_store *store = stored->store;

	(void)value;
	stored->writing = false;
	store->writing--;
	if (said != POOL_SAID_DONE || stored->again) {
		move(stored, &store->due);
		stored->again = false;
	}
	/* What has failed waits for the next look, or the shelf's return. */
	if (said == POOL_SAID_DONE)
		pump(store);
}

static void write_out(struct edge_stored *stored, uint64_t now_ms)
{
	struct edge_store *store = stored->store;
	const struct edge_record *record = &stored->record;
	uint8_t octets[EDGE_STORE_VALUE_MAX];
	struct base_writer w = base_writer_over(octets, sizeof(octets));
	uint64_t life_ms = BASE_MIN(stored->until_ms - now_ms, EDGE_STORE_RECORD_MS);
	char token[EDGE_STORE_NAME_MAX];

	put_head(&w, store);
	put_part(&w, record->token);
	put_part(&w, record->impi);
	put_part(&w, record->session);
	stored->put_ms = now_ms;
	stored->writing = true;
	stored->again = false;
	store->writing++;
	move(stored, &store->lying);
	stored->query.fn = on_written;
	stored->query.arg = stored;
	store->shelf->ops->set(store->shelf, &stored->query,
	                       edge_store_name(token, "token", record->token), base_writer_view(&w),
	                       life_ms);
}

static void pump(struct edge_store *store)
{
	uint64_t now_ms = loop_now_ms(store->loop);

	if (store->pumping)
		return;
	store->pumping = true;
	for (unsigned tries = RENEW_COUNT;
	     tries && !base_list_empty(&store->due) && store->writing < WRITES_MAX &&
	     edge_shelf_up(store->shelf);
	     tries--) {
		struct edge_stored *stored = stored_of(store->due.next);

		if (stored->until_ms > now_ms)
			write_out(stored, now_ms);
		else
			move(stored, &store->lying); /* it is over, and its owner will say so */
	}
	store->pumping = false;
}

static bool fits(const struct edge_record *record)
{
	return record->token.len && record->token.len <= EDGE_STORE_TOKEN_MAX &&
	       record->impi.len <= EDGE_STORE_IMPI_MAX &&
	       record->session.len <= EDGE_STORE_SESSION_MAX;
}

void edge_store_put(struct edge_store *store, struct edge_stored *stored,
                    const struct edge_record *record, uint64_t life_ms)
{
	if (!fits(record)) {
		edge_store_drop(stored);
		return;
	}
	if (!stored->store) {
		*stored = (struct edge_stored){ .store = store };
		base_list_init(&stored->node);
		store->counts.records++;
	}
	stored->record = *record;
	stored->until_ms = loop_now_ms(store->loop) + life_ms;
	if (stored->writing)
		stored->again = true;
	else
		move(stored, &store->due);
	pump(store);
}

void edge_store_drop(struct edge_stored *stored)
{
	struct edge_store *store = stored->store;
	char token[EDGE_STORE_NAME_MAX];

	if (!store)
		return;
	pool_query_stop(&stored->query);
	if (stored->writing)
		store->writing--;
	base_list_remove(&stored->node);
	store->counts.records--;
	store->shelf->ops->drop(store->shelf,
	                        edge_store_name(token, "token", stored->record.token));
	*stored = (struct edge_stored){ 0 };
}

/** All of `lying` that is at rest is to be written again. */
static void forgotten(struct edge_store *store)
{
	BASE_LIST_EACH(&store->lying, node, after)
	{
		if (stored_of(node)->writing)
			stored_of(node)->again = true;
		else
			move(stored_of(node), &store->due);
	}
}

static void renew(struct edge_store *store, uint64_t now_ms)
{
	for (unsigned i = 0; i < RENEW_COUNT && !base_list_empty(&store->lying); i++) {
		struct edge_stored *stored = stored_of(store->lying.next);

		if (stored->writing || stored->put_ms + RENEW_MS > now_ms)
			return;
		stored->put_ms = now_ms;
		move(stored, stored->until_ms > now_ms ? &store->due : &store->lying);
	}
}

/* -- that we live ---------------------------------------------------------------------------- */

static void say_alive(struct edge_store *store)
{
	uint8_t octets[EDGE_STORE_VALUE_MAX];
	struct base_writer w = base_writer_over(octets, sizeof(octets));
	char name[EDGE_STORE_NAME_MAX];

	put_head(&w, store);
	put_part(&w, base_str_of(store->uri));
	store->shelf->ops->set(store->shelf, NULL,
	                       edge_store_name(name, "alive", base_str_of(store->id)),
	                       base_writer_view(&w), store->alive_ms);
}

/** What the shelf had of us just before we have said it anew. */
static void on_ourselves(void *arg, enum pool_said said, struct base_str value)
{
	struct edge_store *store = arg;
	struct base_str uri;
	uint64_t epoch = store->epoch;
	bool there = said == POOL_SAID_DONE && edge_alive_read(value, &epoch, &uri) == 0;

	if (said == POOL_SAID_NOTHING)
		return;
	if (store->alive && !there)
		forgotten(store);
	if (store->alive && epoch != store->epoch && !store->namesake) {
		base_log(
		        BASE_LOG_ERROR, "edge",
		        "another edge of the pool calls itself %s, too: requests for its flows and "
		        "ours are lost; each needs a pool.id of its own",
		        store->id);
		store->namesake = true;
	}
	store->alive = true;
	pump(store);
}

static void on_tick(void *arg)
{
	struct edge_store *store = arg;
	char name[EDGE_STORE_NAME_MAX];

	loop_timer_start(store->loop, &store->tick, store->alive_ms * 3 / 10 + 1, on_tick, store);
	if (!edge_shelf_up(store->shelf))
		return;
	pool_query_stop(&store->looking);
	store->looking.fn = on_ourselves;
	store->looking.arg = store;
	store->shelf->ops->get(store->shelf, &store->looking,
	                       edge_store_name(name, "alive", base_str_of(store->id)));
	say_alive(store);
	renew(store, loop_now_ms(store->loop));
	pump(store);
}

static void on_shelf(void *arg, bool up)
{
	struct edge_store *store = arg;

	if (up && store->lost)
		store->back_ms = loop_now_ms(store->loop);
	store->lost = store->lost || !up;
	store->alive = false;
	if (!up)
		return;
	forgotten(store);
	on_tick(store);
}

/* -- life ------------------------------------------------------------------------------------ */

static int check(const struct edge_store_spec *spec, struct base_error *err)
{
	size_t len = strlen(spec->id);

	for (const char *at = spec->id; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.:[]", *at))
			len = 0;
	if (len == 0 || len > EDGE_STORE_ID_MAX)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "pool.id: '%s' is no name of 1 to %d letters, digits and "
		                      "'-_.:[]'",
		                      spec->id, EDGE_STORE_ID_MAX);
	if (strlen(spec->uri) > EDGE_STORE_URI_MAX || !printable(base_str_of(spec->uri)))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "pool.address: '%s' is no SIP URI of %d octets or less",
		                      spec->uri, EDGE_STORE_URI_MAX);
	return spec->epoch ? 0 : base_error_set(err, BASE_ERR(BASE_BUG, 0), "an epoch of 0");
}

int edge_store_new(struct edge_store **ret, struct loop *loop, const struct edge_store_spec *spec,
                   struct base_error *err)
{
	struct edge_store *store;
	int rc = check(spec, err);

	if (rc)
		return rc;
	store = calloc(1, sizeof(*store));
	if (!store)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	store->loop = loop;
	store->shelf = spec->shelf;
	store->epoch = spec->epoch;
	store->alive_ms = spec->alive_ms ? spec->alive_ms : EDGE_STORE_ALIVE_MS;
	(void)snprintf(store->id, sizeof(store->id), "%s", spec->id);
	(void)snprintf(store->uri, sizeof(store->uri), "%s", spec->uri);
	base_list_init(&store->due);
	base_list_init(&store->lying);
	base_list_init(&store->questions);
	store->watch.fn = on_shelf;
	store->watch.arg = store;
	if (store->shelf->ops->watch)
		store->shelf->ops->watch(store->shelf, &store->watch);
	on_tick(store);
	*ret = store;
	return 0;
}

void edge_store_free(struct edge_store *store)
{
	struct base_node *node;
	char name[EDGE_STORE_NAME_MAX];

	if (!store)
		return;
	/* First: of all the rest some may not be heard, and then it counts for nothing. */
	store->shelf->ops->drop(store->shelf,
	                        edge_store_name(name, "alive", base_str_of(store->id)));
	while ((node = base_list_shift(&store->due)) || (node = base_list_shift(&store->lying)))
		edge_store_drop(stored_of(node));
	edge_store_find_done(store);
	pool_query_stop(&store->looking);
	pool_watch_stop(&store->watch);
	loop_timer_stop(store->loop, &store->tick);
	free(store);
}

int edge_store_token_key(struct edge_store *store, uint64_t epoch, uint8_t ret[32])
{
	return store->shelf->ops->token_key(store->shelf, epoch, ret);
}

struct edge_store_counts edge_store_counts(const struct edge_store *store)
{
	struct edge_store_counts counts = store->counts;

	for (const struct base_node *node = store->due.next; node != &store->due; node = node->next)
		counts.waiting++;
	counts.waiting += store->writing;
	return counts;
}
