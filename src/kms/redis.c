/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool's store: hashes of users and TPKs, and a key for each message that was taken.
 *
 *   PREFIX:master      what proves the master key
 *   PREFIX:users       user -> its record
 *   PREFIX:psk-names   name of a key -> user; so PREFIX:tpk-names
 *   PREFIX:tpks        generation -> its record
 *   PREFIX:last        the generation that was used last
 *   PREFIX:seen:HEX    a message that was taken, until it cannot count any more
 *
 * A user, and a name, is a type's octet and the name's octets. Records are sealed as a whole and
 * bound to where they lie. An index only says where to look: the record says whether it is so.
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kms/redis_private.h"

#define RECORD_MAX ((size_t)256 * 1024)

/* Each number once, and the one after the last. KEYS tpks, last. ARGV generation, record. */
static const char add_tpk[] =
        "local last=tonumber(redis.call('GET',KEYS[2]) or '0') "
        "if last+1~=tonumber(ARGV[1]) then return 0 end "
        "redis.call('SET',KEYS[2],ARGV[1]) redis.call('HSET',KEYS[1],ARGV[1],ARGV[2]) return 1";

static const char *const places[KMS_PLACES] = { "master",    "users", "psk-names",
	                                        "tpk-names", "tpks",  "last" };

struct redisReply *kms_redis_ask(struct kms_shared *s, int count, const struct base_str *words)
{
	return kms_link_ask(&s->link, count, words);
}

/* The number that it answers with. @return -1: none */
long long kms_redis_number(struct kms_shared *s, struct redisReply *reply)
{
	long long n = -1;

	if (reply && reply->type == REDIS_REPLY_INTEGER)
		n = reply->integer;
	else if (reply)
		(void)kms_link_odd(&s->link);
	if (reply)
		freeReplyObject(reply);
	return n;
}

/* -- records ----------------------------------------------------------------------------------- */

static struct base_str record_what(struct base_writer *w, struct base_str place,
                                   struct base_str field)
{
	base_writer_text(w, "record ");
	base_writer_str(w, place);
	base_writer_u8(w, ' ');
	base_writer_str(w, field);
	return base_writer_view(w);
}

/* @return a sealed copy, for free(); at NULL: no memory */
struct mikey_octets kms_redis_seal(const struct kms_shared *s, enum kms_place place,
                                   struct base_str field, const struct base_writer *clear)
{
	struct base_writer what = { 0 };
	size_t len = clear->len + KMS_SEAL_EXTRA;
	uint8_t *out = clear->failed ? NULL : malloc(len);

	(void)record_what(&what, kms_redis_at(s, place), field);
	if (out && (what.failed || kms_seal(s->master, base_writer_view(&what),
	                                    mikey_octets_of(clear->data, clear->len), out))) {
		free(out);
		out = NULL;
	}
	base_writer_done(&what);
	return mikey_octets_of(out, out ? len : 0);
}

/* Into the arena. @return 0; BASE_CONFIG: not ours, or not from there; BASE_LOCAL */
int kms_redis_unseal(struct kms_shared *s, enum kms_place place, struct base_str field,
                     struct base_str sealed, struct base_arena *arena, struct base_reader *ret)
{
	struct base_writer what = { 0 };
	uint8_t *clear = sealed.len <= RECORD_MAX ? base_arena_alloc(arena, sealed.len + 1) : NULL;
	int rc = clear ? 0 : BASE_ERR(BASE_LOCAL, 0);

	(void)record_what(&what, kms_redis_at(s, place), field);
	if (!rc && what.failed)
		rc = BASE_ERR(BASE_LOCAL, 0);
	if (!rc)
		rc = kms_unseal(s->master, base_writer_view(&what),
		                mikey_octets_of((const uint8_t *)sealed.ptr, sealed.len), clear);
	base_writer_done(&what);
	if (rc)
		(void)snprintf(s->link.why, sizeof(s->link.why),
		               "Redis at %.100s: a record in %.60s is damaged", s->link.shown,
		               s->place[place]);
	else
		*ret = base_reader_of(clear, sealed.len - KMS_SEAL_EXTRA);
	return rc;
}

/* -- ticket protection keys -------------------------------------------------------------------- */

static int tpk_read(struct kms_shared *s, const redisReply *field, const redisReply *value,
                    struct kms_tpk_row *ret)
{
	struct base_str name = { field->str, (size_t)field->len };
	struct base_arena arena = { .wipe = true };
	struct base_reader r;
	int rc = BASE_ERR(BASE_CONFIG, 0);

	if (field->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING &&
	    !base_str_u64(name, INT64_MAX, &ret->generation))
		rc = kms_redis_unseal(s, KMS_TPKS, name,
		                      (struct base_str){ value->str, (size_t)value->len }, &arena,
		                      &r);
	if (!rc) {
		ret->made_s = base_reader_u64(&r);
		ret->until_s = base_reader_u64(&r);
		const uint8_t *sealed = base_reader_take(&r, sizeof(ret->sealed));

		if (sealed && base_reader_done(&r))
			memcpy(ret->sealed, sealed, sizeof(ret->sealed));
		else
			rc = BASE_ERR(BASE_CONFIG, 0);
	}
	base_arena_done(&arena);
	return rc;
}

static int tpks(struct kms_backend *b, int (*each)(void *arg, const struct kms_tpk_row *row),
                void *arg)
{
	struct kms_shared *s = kms_redis_of(b);
	const struct base_str words[] = { BASE_STR("HGETALL"), kms_redis_at(s, KMS_TPKS) };
	struct redisReply *reply = kms_redis_ask(s, 2, words);
	struct kms_tpk_row row;
	int rc = 0;

	if (!reply)
		return BASE_ERR(BASE_LOCAL, 0);
	if (reply->type != REDIS_REPLY_ARRAY)
		rc = kms_link_odd(&s->link);
	for (size_t i = 0; !rc && i + 1 < reply->elements; i += 2) {
		rc = tpk_read(s, reply->element[i], reply->element[i + 1], &row);
		if (!rc)
			rc = each(arg, &row);
	}
	freeReplyObject(reply);
	return rc;
}

static int tpk_last(struct kms_backend *b, uint64_t *ret)
{
	struct kms_shared *s = kms_redis_of(b);
	const struct base_str words[] = { BASE_STR("GET"), kms_redis_at(s, KMS_LAST) };
	struct redisReply *reply = kms_redis_ask(s, 2, words);
	int rc = 0;

	if (!reply)
		return BASE_ERR(BASE_LOCAL, 0);
	*ret = 0;
	if (reply->type == REDIS_REPLY_STRING)
		rc = base_str_u64((struct base_str){ reply->str, (size_t)reply->len }, INT64_MAX,
		                  ret)
		             ? kms_link_odd(&s->link)
		             : 0;
	else if (reply->type != REDIS_REPLY_NIL)
		rc = kms_link_odd(&s->link);
	freeReplyObject(reply);
	return rc;
}

static int tpk_put(struct kms_backend *b, const struct kms_tpk_row *row)
{
	struct kms_shared *s = kms_redis_of(b);
	struct base_writer clear = { 0 };
	struct mikey_octets record;
	char name[24];
	long long done = -1;

	(void)snprintf(name, sizeof(name), "%" PRIu64, row->generation);
	base_writer_u32(&clear, (uint32_t)(row->made_s >> 32));
	base_writer_u32(&clear, (uint32_t)row->made_s);
	base_writer_u32(&clear, (uint32_t)(row->until_s >> 32));
	base_writer_u32(&clear, (uint32_t)row->until_s);
	base_writer_put(&clear, row->sealed, sizeof(row->sealed));
	record = kms_redis_seal(s, KMS_TPKS, base_str_of(name), &clear);
	if (record.at) {
		const struct base_str words[] = {
			BASE_STR("EVAL"),
			base_str_of(add_tpk),
			BASE_STR("2"),
			kms_redis_at(s, KMS_TPKS),
			kms_redis_at(s, KMS_LAST),
			base_str_of(name),
			{ (const char *)record.at, record.len },
		};

		done = kms_redis_number(s, kms_redis_ask(s, (int)BASE_COUNT(words), words));
	}
	base_writer_done(&clear);
	free((void *)record.at);
	return done == 1 ? 0 : done == 0 ? 1 : BASE_ERR(BASE_LOCAL, 0);
}

static void tpk_remove(struct kms_backend *b, uint64_t generation)
{
	struct kms_shared *s = kms_redis_of(b);
	char name[24];
	int n = snprintf(name, sizeof(name), "%" PRIu64, generation);
	const struct base_str words[] = { BASE_STR("HDEL"),
		                          kms_redis_at(s, KMS_TPKS),
		                          { name, (size_t)n } };

	(void)kms_redis_number(s, kms_redis_ask(s, 3, words)); /* best effort */
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int proof(struct kms_backend *b, const uint8_t mine[KMS_PROOF], uint8_t ret[KMS_PROOF])
{
	struct kms_shared *s = kms_redis_of(b);
	const struct base_str set[] = { BASE_STR("SET"),
		                        kms_redis_at(s, KMS_MASTER),
		                        { (const char *)mine, KMS_PROOF },
		                        BASE_STR("NX") };
	const struct base_str get[] = { BASE_STR("GET"), kms_redis_at(s, KMS_MASTER) };
	struct redisReply *reply = kms_redis_ask(s, 4, set);
	int rc = 0;

	if (!reply)
		return BASE_ERR(BASE_LOCAL, 0);
	freeReplyObject(reply);
	reply = kms_redis_ask(s, 2, get);
	if (!reply)
		return BASE_ERR(BASE_LOCAL, 0);
	if (reply->type == REDIS_REPLY_STRING && reply->len == KMS_PROOF) {
		memcpy(ret, reply->str, KMS_PROOF);
		kms_link_proven(&s->link, ret);
	} else {
		rc = kms_link_odd(&s->link);
	}
	freeReplyObject(reply);
	return rc;
}

/*
 * One question, so that of two at once one is first. What Redis forgets counts no longer by its
 * clock: twice the span, for clocks of the pool that differ; and one of ours that has gone back
 * behind that takes nothing.
 */
static int seen(struct kms_backend *b, const uint8_t digest[32], uint64_t now_s, uint64_t until_s)
{
	struct kms_shared *s = kms_redis_of(b);
	uint64_t span_s = until_s - now_s;
	char key[KMS_PREFIX_MAX + 80], ms[24];
	int n = snprintf(key, sizeof(key), "%s:seen:", s->link.prefix);
	struct redisReply *reply;
	int rc;

	if (now_s + span_s <= s->newest_s) {
		(void)snprintf(s->link.why, sizeof(s->link.why), "the clock has gone back");
		return BASE_ERR(BASE_LOCAL, 0);
	}
	s->newest_s = BASE_MAX(s->newest_s, now_s);
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(key + n + 2 * i, 3, "%02x", digest[i]);
	(void)snprintf(ms, sizeof(ms), "%" PRIu64, 2000 * span_s);
	const struct base_str words[] = { BASE_STR("SET"), base_str_of(key), BASE_STR("1"),
		                          BASE_STR("NX"),  BASE_STR("PX"),   base_str_of(ms) };

	reply = kms_redis_ask(s, 6, words);
	if (!reply)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = reply->type == REDIS_REPLY_STATUS ? 0
	     : reply->type == REDIS_REPLY_NIL  ? 1
	                                       : kms_link_odd(&s->link);
	freeReplyObject(reply);
	return rc;
}

static const char *says(struct kms_backend *b)
{
	return kms_redis_of(b)->link.why;
}

static void close_shared(struct kms_backend *b)
{
	struct kms_shared *s = kms_redis_of(b);

	kms_link_done(&s->link);
	explicit_bzero(s->master, sizeof(s->master));
	free(s);
}

int kms_redis_open(struct kms_backend **ret, const struct kms_redis *spec, const uint8_t *master,
                   struct base_error *err)
{
	static const struct kms_backend_ops ops = {
		.shared = true,
		.close = close_shared,
		.says = says,
		.proof = proof,
		.user = kms_redis_user,
		.users = kms_redis_users,
		.put = kms_redis_user_put,
		.remove = kms_redis_user_remove,
		.tpks = tpks,
		.tpk_last = tpk_last,
		.tpk_put = tpk_put,
		.tpk_remove = tpk_remove,
		.seen = seen,
	};
	struct kms_shared *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return BASE_ERR(BASE_LOCAL, 0);
	s->backend.ops = &ops;
	memcpy(s->master, master, sizeof(s->master));
	rc = kms_link_init(&s->link, spec, err);
	for (unsigned i = 0; i < KMS_PLACES; i++)
		(void)snprintf(s->place[i], sizeof(s->place[i]), "%s:%s", s->link.prefix,
		               places[i]);
	if (rc)
		close_shared(&s->backend);
	else
		*ret = &s->backend;
	return rc;
}
