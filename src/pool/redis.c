/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One connection to Redis, on our loop. hiredis expects a loop that says again and again what a
 * socket can do; ours says it once, so we read until there is nothing, and write when hiredis asks.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "config/config.h"
#include "pool/private.h"

#define FIRST_PAUSE_MS 500U
#define LAST_PAUSE_MS  5000U /**< others of the pool ask for what is not there while we are away */
#define PATIENCE_MS    5000U /**< for a connection, and for an answer */

static void link_connect(void *arg);

/* -- ends ------------------------------------------------------------------------------------ */

static void link_lost(struct pool_link *link)
{
	bool was_up = link->up;

	link->up = false;
	link->open = 0;
	link->refused = false;
	loop_timer_stop(link->loop, &link->patience);
	loop_defer_stop(link->loop, &link->flush);
	if (link->ending)
		return;
	if (was_up)
		link->on_lost(link->arg);
	if (!link->told)
		base_log(BASE_LOG_WARN, "pool",
		         "Redis at %s is lost: %s; this member of the pool goes on with keys of "
		         "its own",
		         link->shown, link->why[0] ? link->why : "it has hung up");
	link->told = true;
	link->why[0] = '\0';
	loop_timer_start(link->loop, &link->again, link->wait_ms, link_connect, link);
	link->wait_ms = BASE_MIN(2 * link->wait_ms, LAST_PAUSE_MS);
}

/** hiredis ends the connection at once, or when its callback that we are in is over. */
static void link_drop(struct pool_link *link, const char *why)
{
	if (!link->why[0])
		(void)snprintf(link->why, sizeof(link->why), "%s", why);
	if (link->redis)
		redisAsyncFree(link->redis);
}

static void on_patience(void *arg)
{
	link_drop(arg, "no answer");
}

/* -- hooks of hiredis ------------------------------------------------------------------------ */

static void hook_read(void *arg)
{
	(void)arg; /* we read whenever there is something */
}

static void flush(void *arg)
{
	struct pool_link *link = arg;

	if (link->redis && link->wants_write && link->redis->c.flags & REDIS_CONNECTED)
		redisAsyncHandleWrite(link->redis);
}

/** A connection that is up may be writable already, and nobody would say so again. */
static void hook_write(void *arg)
{
	struct pool_link *link = arg;

	link->wants_write = true;
	loop_defer(link->loop, &link->flush, flush, link);
}

static void hook_write_off(void *arg)
{
	((struct pool_link *)arg)->wants_write = false;
}

/** The last that hiredis says before it closes and frees. */
static void hook_end(void *arg)
{
	struct pool_link *link = arg;

	if (link->redis->err && !link->why[0])
		(void)snprintf(link->why, sizeof(link->why), "%s", link->redis->errstr);
	loop_fd_stop(link->loop, &link->fd);
	link->redis = NULL;
	link_lost(link);
}

static bool readable(int fd)
{
	char octet;

	return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static void on_event(void *arg, unsigned events)
{
	struct pool_link *link = arg;

	if (link->wants_write && events & (LOOP_WRITABLE | LOOP_ERROR | LOOP_HANGUP))
		redisAsyncHandleWrite(link->redis);
	while (link->redis && link->redis->c.flags & REDIS_CONNECTED && readable(link->fd.fd)) {
		redisAsyncHandleRead(link->redis);
		if (link->redis && pool_answers_long(link))
			link_drop(link, "it says more than was asked");
	}
}

/* -- connecting ------------------------------------------------------------------------------ */

static void link_is_up(struct pool_link *link)
{
	link->up = true;
	link->wait_ms = FIRST_PAUSE_MS;
	if (link->told)
		base_log(BASE_LOG_INFO, "pool", "Redis at %s is there again", link->shown);
	else
		base_log(BASE_LOG_INFO, "pool", "Redis at %s is there", link->shown);
	link->told = false;
	link->on_up(link->arg);
}

/** The first answer tells whether it talks to us: of AUTH, or of PING. */
static void on_hello(redisAsyncContext *redis, void *answer, void *arg)
{
	struct pool_link *link = redis->ev.data;
	const redisReply *reply = answer;

	(void)arg;
	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		link_drop(link, reply->str);
		return;
	}
	loop_timer_stop(link->loop, &link->patience);
	link_is_up(link);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
	struct pool_link *link = redis->ev.data;
	const char *argv[] = { "AUTH", (const char *)link->password.data };
	const size_t len[] = { 4, link->password.len };

	if (status != REDIS_OK)
		return; /* the end follows */
	if (link->password.len)
		(void)redisAsyncCommandArgv(link->redis, on_hello, NULL, 2, argv, len);
	else
		(void)redisAsyncCommand(link->redis, on_hello, NULL, "PING");
}

static void link_connect(void *arg)
{
	struct pool_link *link = arg;
	redisAsyncContext *redis = link->host[0] ? redisAsyncConnect(link->host, link->port)
	                                         : redisAsyncConnectUnix(link->path);

	if (!redis || redis->err) {
		(void)snprintf(link->why, sizeof(link->why), "%s",
		               redis ? redis->errstr : "no memory");
		if (redis)
			redisAsyncFree(redis);
		link_lost(link);
		return;
	}
	link->redis = redis;
	pool_answers_guard(link);
	link->wants_write = false;
	redis->ev.data = link;
	redis->ev.addRead = hook_read;
	redis->ev.delRead = hook_read;
	redis->ev.addWrite = hook_write;
	redis->ev.delWrite = hook_write_off;
	redis->ev.cleanup = hook_end;
	loop_timer_start(link->loop, &link->patience, PATIENCE_MS, on_patience, link);
	(void)redisAsyncSetConnectCallback(redis, on_connect);
	link->fd = (struct loop_fd){ redis->c.fd, on_event, link };
	if (loop_fd_start(link->loop, &link->fd))
		link_drop(link, "no descriptor can be watched");
}

/* -- questions ------------------------------------------------------------------------------- */

struct question {
	struct pool_link *link;
	pool_answer_fn *fn;
	void *arg;
	bool may_fail; /**< an error is an answer */
};

static void refused(struct pool_link *link, const char *why)
{
	if (!link->refused)
		base_log(BASE_LOG_WARN, "pool", "Redis at %s refuses: %s", link->shown, why);
	link->refused = true;
}

static void on_answer(redisAsyncContext *redis, void *answer, void *arg)
{
	struct question *q = arg;
	struct pool_link *link = q->link;
	const redisReply *reply = answer;
	struct base_str value = { NULL, 0 };
	bool failed = !reply || reply->type == REDIS_REPLY_ERROR, may_fail = q->may_fail;

	(void)redis;
	if (reply && --link->open == 0)
		loop_timer_stop(link->loop, &link->patience);
	else if (reply)
		loop_timer_start(link->loop, &link->patience, PATIENCE_MS, on_patience, link);
	if (reply && reply->type == REDIS_REPLY_STRING)
		value = (struct base_str){ reply->str, (size_t)reply->len };
	q->fn(q->arg, value, failed);
	free(q);
	if (!reply || !failed)
		return; /* no reply: the end of the connection */
	if (may_fail)
		refused(link, reply->str);
	else
		link_drop(link, reply->str);
}

static void say(struct pool_link *link, const struct base_str *word, size_t count,
                const struct question *what)
{
	struct question *q = link->up ? malloc(sizeof(*q)) : NULL;
	const char *argv[POOL_WORDS];
	size_t len[POOL_WORDS];

	assert(count <= POOL_WORDS);
	for (size_t i = 0; i < count; i++) {
		argv[i] = word[i].ptr;
		len[i] = word[i].len;
	}
	if (q)
		*q = *what;
	if (!q ||
	    redisAsyncCommandArgv(link->redis, on_answer, q, (int)count, argv, len) != REDIS_OK) {
		free(q);
		what->fn(what->arg, (struct base_str){ NULL, 0 }, true);
		return;
	}
	if (link->open++ == 0)
		loop_timer_start(link->loop, &link->patience, PATIENCE_MS, on_patience, link);
}

void pool_link_say(struct pool_link *link, const struct base_str *word, size_t count,
                   pool_answer_fn *fn, void *arg)
{
	say(link, word, count, &(struct question){ link, fn, arg, true });
}

void pool_link_ask(struct pool_link *link, const char *place, struct base_str value,
                   uint64_t ttl_ms, pool_answer_fn *fn, void *arg)
{
	const struct base_str get[] = { BASE_STR("GET"), base_str_of(place) };

	/* Its answer, OK or nil, adds nothing to that of the GET; an error comes with both. */
	if (value.len && link->up)
		(void)redisAsyncCommand(link->redis, NULL, NULL, "SET %s %b NX PX %llu", place,
		                        value.ptr, value.len, (unsigned long long)ttl_ms);
	say(link, get, 2, &(struct question){ link, fn, arg, false });
}

/* -- life ------------------------------------------------------------------------------------ */

static bool address_read(struct pool_link *link, const char *text)
{
	struct config_address address;
	uint8_t ip[16];

	if (strncmp(text, "unix:", 5) == 0) {
		(void)snprintf(link->path, sizeof(link->path), "%s", text + 5);
		return text[5] == '/' && strlen(text + 5) < sizeof(link->path);
	}
	if (config_address_parse(base_str_of(text), 6379, &address) || address.transport[0] ||
	    strlen(address.host) >= sizeof(link->host))
		return false;
	(void)snprintf(link->host, sizeof(link->host), "%.63s", address.host);
	link->port = address.port;
	return inet_pton(AF_INET, link->host, ip) == 1 || inet_pton(AF_INET6, link->host, ip) == 1;
}

int pool_link_check(const char *redis, struct base_error *err)
{
	struct pool_link scratch = { 0 };

	if (address_read(&scratch, redis))
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "redis: '%s' is no address and port, nor unix: and a path", redis);
}

int pool_link_init(struct pool_link *link, struct loop *loop, const struct pool_spec *spec)
{
	*link = (struct pool_link){ .loop = loop, .wait_ms = FIRST_PAUSE_MS };
	(void)address_read(link, spec->redis); /* pool_link_check() has seen it */
	(void)snprintf(link->shown, sizeof(link->shown), "%s", spec->redis);
	return spec->password.len
	               ? base_secret_set(&link->password, spec->password.data, spec->password.len)
	               : 0;
}

void pool_link_start(struct pool_link *link, loop_fn *on_up, loop_fn *on_lost, void *arg)
{
	link->on_up = on_up;
	link->on_lost = on_lost;
	link->arg = arg;
	link_connect(link);
}

void pool_link_done(struct pool_link *link)
{
	link->ending = true;
	flush(link); /* what was said last, as far as the socket takes it */
	if (link->redis)
		redisAsyncFree(link->redis);
	loop_timer_stop(link->loop, &link->again);
	loop_timer_stop(link->loop, &link->patience);
	loop_defer_stop(link->loop, &link->flush);
	base_secret_done(&link->password);
}
