/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/redis_link.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <time.h>

#define REST_MS   500 /* after a failure: so nobody waits for long who has a question meanwhile */
#define WORDS_MAX 16

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* always there */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void drop(struct kms_link *link)
{
	if (link->redis)
		redisFree(link->redis);
	link->redis = NULL;
}

static void because(struct kms_link *link, const char *why)
{
	(void)snprintf(link->why, sizeof(link->why), "Redis at %.100s: %.80s", link->shown, why);
}

static void tell_lost(struct kms_link *link)
{
	if (!link->told)
		base_log(BASE_LOG_ERROR, "kms", "event=redis-lost why=\"%s\"", link->why);
	link->told = true;
}

static void tell_there(struct kms_link *link)
{
	if (link->told)
		base_log(BASE_LOG_INFO, "kms", "event=redis-there at=%s", link->shown);
	link->told = false;
}

static struct redisReply *lost(struct kms_link *link)
{
	drop(link);
	link->rest_until_ms = now_ms() + REST_MS;
	tell_lost(link);
	return NULL;
}

static struct redisReply *say(struct kms_link *link, int count, const struct base_str *words)
{
	const char *argv[WORDS_MAX];
	size_t len[WORDS_MAX];

	for (int i = 0; i < count; i++) {
		argv[i] = words[i].ptr ? words[i].ptr : "";
		len[i] = words[i].len;
	}
	errno = 0;
	return redisCommandArgv(link->redis, count, argv, len);
}

/* Is it ours still? One that came back empty has forgotten what was taken. */
static bool same(struct kms_link *link)
{
	char key[KMS_PREFIX_MAX + 16];
	struct base_str get[2] = { BASE_STR("GET") };
	struct redisReply *reply;
	bool ok;

	if (!link->proven)
		return true;
	(void)snprintf(key, sizeof(key), "%s:master", link->prefix);
	get[1] = base_str_of(key);
	reply = say(link, 2, get);
	ok = reply && reply->type == REDIS_REPLY_STRING && reply->len == KMS_PROOF &&
	     base_secret_equal(reply->str, KMS_PROOF, link->proof, KMS_PROOF);
	if (!ok)
		because(link, !reply ? link->redis->errstr
		              : reply->type == REDIS_REPLY_ERROR
		                      ? reply->str
		                      : "it has lost what it kept: users, "
		                        "keys, messages taken");
	if (reply)
		freeReplyObject(reply);
	return ok;
}

static bool authenticated(struct kms_link *link)
{
	const struct base_str password = { (const char *)link->password.data, link->password.len };
	struct base_str words[3] = { BASE_STR("AUTH"), base_str_of(link->user), password };
	struct redisReply *reply;
	bool ok;

	if (!password.len)
		return true;
	if (!link->user[0])
		words[1] = password;
	reply = say(link, link->user[0] ? 3 : 2, words);
	ok = reply && reply->type == REDIS_REPLY_STATUS;
	if (!ok)
		because(link, reply && reply->type == REDIS_REPLY_ERROR ? reply->str
		                                                        : link->redis->errstr);
	if (reply)
		freeReplyObject(reply);
	return ok;
}

static bool connected(struct kms_link *link)
{
	const struct timeval patience = { .tv_sec = link->patience_ms / 1000,
		                          .tv_usec = link->patience_ms % 1000 * 1000L };

	link->redis = link->host[0] ? redisConnectWithTimeout(link->host, link->port, patience)
	                            : redisConnectUnixWithTimeout(link->path, patience);
	if (!link->redis || link->redis->err || redisSetTimeout(link->redis, patience)) {
		because(link, link->redis ? link->redis->errstr : "out of memory");
		return false;
	}
	return authenticated(link) && same(link);
}

struct redisReply *kms_link_ask(struct kms_link *link, int count, const struct base_str *words)
{
	bool fresh = false;

	if (now_ms() < link->rest_until_ms)
		return NULL;
	for (;;) {
		struct redisReply *reply;
		bool hung_up;

		if (!link->redis) {
			fresh = true;
			if (!connected(link))
				return lost(link);
		}
		reply = say(link, count, words);
		if (reply && reply->type != REDIS_REPLY_ERROR) {
			tell_there(link);
			return reply;
		}
		if (reply) { /* it refuses: full, read-only, loading */
			because(link, reply->str);
			freeReplyObject(reply);
			tell_lost(link);
			return NULL;
		}
		hung_up =
		        link->redis->err == REDIS_ERR_EOF || errno == ECONNRESET || errno == EPIPE;
		because(link, errno == EAGAIN ? "no answer in time" : link->redis->errstr);
		if (fresh || !hung_up)
			return lost(link);
		drop(link);
	}
}

void kms_link_proven(struct kms_link *link, const uint8_t proof[KMS_PROOF])
{
	memcpy(link->proof, proof, KMS_PROOF);
	link->proven = true;
}

int kms_link_odd(struct kms_link *link)
{
	because(link, "an answer that was not expected");
	return BASE_ERR(BASE_LOCAL, 0);
}

static bool fits(char *to, size_t cap, const char *from)
{
	int n = snprintf(to, cap, "%s", from ? from : "");

	return n >= 0 && (size_t)n < cap;
}

int kms_link_init(struct kms_link *link, const struct kms_redis *spec, struct base_error *err)
{
	*link = (struct kms_link){ .port = spec->port,
		                   .patience_ms =
		                           spec->patience_ms ? spec->patience_ms : KMS_REDIS_MS };
	if (!fits(link->host, sizeof(link->host), spec->host) ||
	    !fits(link->path, sizeof(link->path), spec->path) ||
	    !fits(link->user, sizeof(link->user), spec->user) ||
	    !fits(link->shown, sizeof(link->shown), spec->address) ||
	    !fits(link->prefix, sizeof(link->prefix), spec->prefix))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "Redis: an address, user or prefix that is too long");
	return spec->password && spec->password->len
	               ? base_secret_set(&link->password, spec->password->data, spec->password->len)
	               : 0;
}

void kms_link_done(struct kms_link *link)
{
	drop(link);
	base_secret_done(&link->password);
}
