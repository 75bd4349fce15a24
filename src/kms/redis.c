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

#include "kms/redis_link.h"

#define RECORD_MAX ((size_t)256 * 1024)
#define NAME_LEN   1024 /* octets of a name that is asked for */
#define TRIES      8    /* as often may somebody else be faster */

/* Change one user as a whole, where it is as we saw it. KEYS users, psk-names, tpk-names. ARGV
 * user, its record ('' none) and the next ('' none), its names before and after. */
static const char change_user[] =
        "local old=redis.call('HGET',KEYS[1],ARGV[1]) or '' "
        "if old~=ARGV[2] then return 0 end "
        "for i=2,3 do local n=ARGV[i+4] "
        "local o=n~='' and redis.call('HGET',KEYS[i],n) "
        "if o and o~=ARGV[1] then return 2 end end "
        "for i=2,3 do "
        "if ARGV[i+2]~='' then redis.call('HDEL',KEYS[i],ARGV[i+2]) end "
        "if ARGV[i+4]~='' then redis.call('HSET',KEYS[i],ARGV[i+4],ARGV[1]) end end "
        "if ARGV[3]=='' then redis.call('HDEL',KEYS[1],ARGV[1]) "
        "else redis.call('HSET',KEYS[1],ARGV[1],ARGV[3]) end return 1";

/* Each number once, and the one after the last. KEYS tpks, last. ARGV generation, record. */
static const char add_tpk[] =
        "local last=tonumber(redis.call('GET',KEYS[2]) or '0') "
        "if last+1~=tonumber(ARGV[1]) then return 0 end "
        "redis.call('SET',KEYS[2],ARGV[1]) redis.call('HSET',KEYS[1],ARGV[1],ARGV[2]) return 1";

enum place { MASTER, USERS, PSK_NAMES, TPK_NAMES, TPKS, LAST, PLACES };
static const char *const places[PLACES] = { "master",    "users", "psk-names",
	                                    "tpk-names", "tpks",  "last" };

struct shared {
	struct kms_backend backend;
	struct kms_link link;
	char place[PLACES][KMS_PREFIX_MAX + 16];
	uint8_t master[KMS_MASTER_KEY];
	uint64_t newest_s; /* the latest time that was told */
};

static struct shared *shared_of(struct kms_backend *b)
{
	return BASE_CONTAINER_OF(b, struct shared, backend);
}

static struct base_str at(const struct shared *s, enum place place)
{
	return base_str_of(s->place[place]);
}

static struct redisReply *ask(struct shared *s, int count, const struct base_str *words)
{
	return kms_link_ask(&s->link, count, words);
}

/* The number that it answers with. @return -1: none */
static long long number_of(struct shared *s, struct redisReply *reply)
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
static struct mikey_octets record_seal(const struct shared *s, enum place place,
                                       struct base_str field, const struct base_writer *clear)
{
	struct base_writer what = { 0 };
	size_t len = clear->len + KMS_SEAL_EXTRA;
	uint8_t *out = clear->failed ? NULL : malloc(len);

	(void)record_what(&what, at(s, place), field);
	if (out && (what.failed || kms_seal(s->master, base_writer_view(&what),
	                                    mikey_octets_of(clear->data, clear->len), out))) {
		free(out);
		out = NULL;
	}
	base_writer_done(&what);
	return mikey_octets_of(out, out ? len : 0);
}

/* Into the arena. @return 0; BASE_CONFIG: not ours, or not from there; BASE_LOCAL */
static int record_open(struct shared *s, enum place place, struct base_str field,
                       struct base_str sealed, struct base_arena *arena, struct base_reader *ret)
{
	struct base_writer what = { 0 };
	uint8_t *clear = sealed.len <= RECORD_MAX ? base_arena_alloc(arena, sealed.len + 1) : NULL;
	int rc = clear ? 0 : BASE_ERR(BASE_LOCAL, 0);

	(void)record_what(&what, at(s, place), field);
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

static void octets_write(struct base_writer *w, struct mikey_octets octets)
{
	if (octets.len > UINT16_MAX)
		w->failed = true;
	base_writer_u16(w, (uint16_t)octets.len);
	if (octets.len)
		base_writer_put(w, octets.at, octets.len);
}

static void id_write(struct base_writer *w, const struct mikey_id *id)
{
	base_writer_u8(w, id->type);
	octets_write(w, id->data);
}

static struct mikey_octets octets_read(struct base_reader *r)
{
	size_t len = base_reader_u16(r);

	return mikey_octets_of(base_reader_take(r, len), len);
}

static struct mikey_id id_read(struct base_reader *r)
{
	uint8_t type = base_reader_u8(r);

	return (struct mikey_id){ type, octets_read(r) };
}

static void user_write(struct base_writer *w, const struct kms_user *user)
{
	id_write(w, &user->id);
	octets_write(w, user->psk);
	id_write(w, &user->psk_id);
	octets_write(w, user->cert);
	octets_write(w, user->tpk);
	id_write(w, &user->tpk_id);
}

static int user_read(struct shared *s, struct base_reader *r, struct kms_user *ret)
{
	ret->id = id_read(r);
	ret->psk = octets_read(r);
	ret->psk_id = id_read(r);
	ret->cert = octets_read(r);
	ret->tpk = octets_read(r);
	ret->tpk_id = id_read(r);
	return base_reader_done(r) ? 0 : kms_link_odd(&s->link);
}

/* -- users ------------------------------------------------------------------------------------- */

/* A name as a field; empty where there is none. */
static struct base_str field_of(char out[NAME_LEN + 1], const struct mikey_id *id)
{
	if (!id->data.len || id->data.len > NAME_LEN)
		return (struct base_str){ out, 0 };
	out[0] = (char)id->type;
	memcpy(out + 1, id->data.at, id->data.len);
	return (struct base_str){ out, id->data.len + 1 };
}

/* @return 1 and the value, a copy in the arena; 0; BASE_LOCAL */
static int hash_get(struct shared *s, enum place place, struct base_str field,
                    struct base_arena *arena, struct base_str *ret)
{
	const struct base_str words[] = { BASE_STR("HGET"), at(s, place), field };
	struct redisReply *reply = ask(s, 3, words);
	int rc = reply ? 0 : BASE_ERR(BASE_LOCAL, 0);

	if (reply && reply->type == REDIS_REPLY_STRING && reply->len) {
		char *copy =
		        base_arena_dup(arena, (struct base_str){ reply->str, (size_t)reply->len });

		*ret = (struct base_str){ copy, (size_t)reply->len };
		rc = copy ? 1 : BASE_ERR(BASE_LOCAL, 0);
	} else if (reply && reply->type != REDIS_REPLY_NIL) {
		rc = kms_link_odd(&s->link);
	}
	if (reply)
		freeReplyObject(reply);
	return rc;
}

/* By its field; `sealed`: the record as it lies there. */
static int user_at(struct shared *s, struct base_str field, struct base_arena *arena,
                   struct base_str *sealed, struct kms_user *ret)
{
	struct base_reader r;
	int rc = hash_get(s, USERS, field, arena, sealed);

	if (rc != 1)
		return rc;
	rc = record_open(s, USERS, field, *sealed, arena, &r);
	if (!rc)
		rc = user_read(s, &r, ret);
	return rc ? rc : 1;
}

/* Whom nobody knows costs as many questions, and a record that does not open. */
static int nobody(struct shared *s, struct base_str field, struct base_arena *arena)
{
	static const char sealed[256];
	struct base_reader r;

	(void)record_open(s, USERS, field, (struct base_str){ sealed, sizeof(sealed) }, arena,
	                  &r); /* never opens */
	return 0;
}

static int user_find(struct kms_backend *b, enum kms_by by, const struct mikey_id *name,
                     struct base_arena *arena, struct kms_user *ret)
{
	static const enum place index[] = { USERS, PSK_NAMES, TPK_NAMES };
	struct shared *s = shared_of(b);
	char room[NAME_LEN + 1];
	struct base_str asked = field_of(room, name), field = asked, sealed;
	const struct mikey_id *found;
	int rc;

	if (!asked.len)
		return 0;
	if (by != KMS_BY_ID) {
		rc = hash_get(s, index[by], asked, arena, &field);
		if (rc < 0)
			return rc;
	}
	rc = user_at(s, field, arena, &sealed, ret);
	if (rc < 0)
		return rc;
	found = by == KMS_BY_ID ? &ret->id : by == KMS_BY_PSK_ID ? &ret->psk_id : &ret->tpk_id;
	return rc == 1 && mikey_id_eq(found, name) ? 1 : rc ? 0 : nobody(s, asked, arena);
}

/* `next` NULL: it goes. @return also 1: there is none */
static int user_change(struct shared *s, const struct mikey_id *id, const struct kms_user *next,
                       struct base_arena *arena)
{
	static const struct kms_user none;
	char room[NAME_LEN + 1], was[2][NAME_LEN + 1], is[2][NAME_LEN + 1];
	struct base_str field = field_of(room, id), sealed = { "", 0 };
	struct kms_user old = none;
	struct base_writer clear = { 0 };
	struct mikey_octets record = { 0 };
	long long done = -1;
	int rc = user_at(s, field, arena, &sealed, &old);

	if (rc < 0 && base_err_class(rc) != BASE_CONFIG) /* a damaged one can be replaced */
		return rc;
	if (!rc && !next)
		return 1;
	if (next) {
		user_write(&clear, next);
		record = record_seal(s, USERS, field, &clear);
	}
	if (!next || record.at) {
		const struct base_str words[] = {
			BASE_STR("EVAL"),
			base_str_of(change_user),
			BASE_STR("3"),
			at(s, USERS),
			at(s, PSK_NAMES),
			at(s, TPK_NAMES),
			field,
			sealed,
			{ (const char *)record.at, record.len },
			field_of(was[0], &old.psk_id),
			field_of(was[1], &old.tpk_id),
			field_of(is[0], next ? &next->psk_id : &none.psk_id),
			field_of(is[1], next ? &next->tpk_id : &none.tpk_id),
		};

		done = number_of(s, ask(s, (int)BASE_COUNT(words), words));
	}
	base_writer_done(&clear);
	free((void *)record.at);
	if (done == 2) /* store.c has looked, but somebody was faster */
		(void)snprintf(s->link.why, sizeof(s->link.why),
		               "another user has that name for a key");
	return done == 1   ? 0
	       : done == 0 ? BASE_ERR(BASE_AGAIN, 0)
	                   : BASE_ERR(done == 2 ? BASE_CONFIG : BASE_LOCAL, 0);
}

static int user_try(struct kms_backend *b, const struct mikey_id *id, const struct kms_user *next)
{
	struct shared *s = shared_of(b);
	int rc = BASE_ERR(BASE_AGAIN, 0);

	for (unsigned i = 0; i < TRIES && base_err_class(rc) == BASE_AGAIN; i++) {
		struct base_arena arena = { .wipe = true };

		rc = user_change(s, id, next, &arena);
		base_arena_done(&arena);
	}
	if (base_err_class(rc) != BASE_AGAIN)
		return rc;
	(void)snprintf(s->link.why, sizeof(s->link.why),
	               "Redis at %.100s: others change this user all the time", s->link.shown);
	return BASE_ERR(BASE_LOCAL, 0);
}

static int user_put(struct kms_backend *b, const struct kms_user *user)
{
	if (user->psk_id.data.len > NAME_LEN || user->tpk_id.data.len > NAME_LEN) {
		(void)snprintf(shared_of(b)->link.why, sizeof(shared_of(b)->link.why),
		               "a name of a key of more than %d octets", NAME_LEN);
		return BASE_ERR(BASE_CONFIG, 0);
	}
	return user_try(b, &user->id, user);
}

static int user_remove(struct kms_backend *b, const struct mikey_id *id)
{
	return user_try(b, id, NULL);
}

/* -- all users --------------------------------------------------------------------------------- */

struct listing {
	struct base_arena arena;
	struct kms_user *user;
	size_t count, room;
};

static int by_name(const void *a, const void *b)
{
	const struct mikey_id *x = &((const struct kms_user *)a)->id,
	                      *y = &((const struct kms_user *)b)->id;
	size_t both = BASE_MIN(x->data.len, y->data.len);
	int less = x->type != y->type ? (x->type < y->type ? -1 : 1)
	           : both             ? memcmp(x->data.at, y->data.at, both)
	                              : 0;

	return less ? less : x->data.len < y->data.len ? -1 : x->data.len > y->data.len;
}

static int list_add(struct shared *s, struct listing *l, const redisReply *field,
                    const redisReply *value)
{
	struct base_reader r;
	struct kms_user *more;
	int rc;

	if (field->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
		return kms_link_odd(&s->link);
	if (l->count == l->room) {
		more = reallocarray(l->user, 2 * l->room + 64, sizeof(*more));
		if (!more)
			return BASE_ERR(BASE_LOCAL, 0);
		l->user = more;
		l->room = 2 * l->room + 64;
	}
	rc = record_open(s, USERS, (struct base_str){ field->str, (size_t)field->len },
	                 (struct base_str){ value->str, (size_t)value->len }, &l->arena, &r);
	if (!rc)
		rc = user_read(s, &r, &l->user[l->count]);
	if (rc)
		return rc;
	l->user[l->count].psk = l->user[l->count].tpk = mikey_octets_of(NULL, 0);
	l->count++;
	return 0;
}

/* A part of them. `cursor` becomes "0" at the end. */
static int list_more(struct shared *s, struct listing *l, char cursor[24])
{
	const struct base_str words[] = { BASE_STR("HSCAN"), at(s, USERS), base_str_of(cursor),
		                          BASE_STR("COUNT"), BASE_STR("200") };
	struct redisReply *reply = ask(s, 5, words);
	const redisReply *part;
	int rc = reply ? 0 : BASE_ERR(BASE_LOCAL, 0);

	if (rc)
		return rc;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING || reply->element[0]->len > 20 ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY) {
		rc = kms_link_odd(&s->link);
	} else {
		(void)snprintf(cursor, 24, "%.20s", reply->element[0]->str);
		part = reply->element[1];
		for (size_t i = 0; i + 1 < part->elements && !rc; i += 2)
			rc = list_add(s, l, part->element[i], part->element[i + 1]);
	}
	freeReplyObject(reply);
	return rc;
}

static int users(struct kms_backend *b, int (*each)(void *arg, const struct kms_user *user),
                 void *arg)
{
	struct listing l = { .arena = { .wipe = true } };
	char cursor[24] = "0";
	int rc;

	do
		rc = list_more(shared_of(b), &l, cursor);
	while (!rc && strcmp(cursor, "0") != 0);
	if (!rc && l.count)
		qsort(l.user, l.count, sizeof(*l.user), by_name);
	for (size_t i = 0; i < l.count && !rc; i++)
		if (!i || by_name(&l.user[i - 1], &l.user[i]) != 0) /* a scan may tell one twice */
			rc = each(arg, &l.user[i]);
	free(l.user);
	base_arena_done(&l.arena);
	return rc;
}

/* -- ticket protection keys -------------------------------------------------------------------- */

static int tpk_read(struct shared *s, const redisReply *field, const redisReply *value,
                    struct kms_tpk_row *ret)
{
	struct base_str name = { field->str, (size_t)field->len };
	struct base_arena arena = { .wipe = true };
	struct base_reader r;
	int rc = BASE_ERR(BASE_CONFIG, 0);

	if (field->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING &&
	    !base_str_u64(name, INT64_MAX, &ret->generation))
		rc = record_open(s, TPKS, name, (struct base_str){ value->str, (size_t)value->len },
		                 &arena, &r);
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
	struct shared *s = shared_of(b);
	const struct base_str words[] = { BASE_STR("HGETALL"), at(s, TPKS) };
	struct redisReply *reply = ask(s, 2, words);
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
	struct shared *s = shared_of(b);
	const struct base_str words[] = { BASE_STR("GET"), at(s, LAST) };
	struct redisReply *reply = ask(s, 2, words);
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
	struct shared *s = shared_of(b);
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
	record = record_seal(s, TPKS, base_str_of(name), &clear);
	if (record.at) {
		const struct base_str words[] = {
			BASE_STR("EVAL"),
			base_str_of(add_tpk),
			BASE_STR("2"),
			at(s, TPKS),
			at(s, LAST),
			base_str_of(name),
			{ (const char *)record.at, record.len },
		};

		done = number_of(s, ask(s, (int)BASE_COUNT(words), words));
	}
	base_writer_done(&clear);
	free((void *)record.at);
	return done == 1 ? 0 : done == 0 ? 1 : BASE_ERR(BASE_LOCAL, 0);
}

static void tpk_remove(struct kms_backend *b, uint64_t generation)
{
	struct shared *s = shared_of(b);
	char name[24];
	int n = snprintf(name, sizeof(name), "%" PRIu64, generation);
	const struct base_str words[] = { BASE_STR("HDEL"), at(s, TPKS), { name, (size_t)n } };

	(void)number_of(s, ask(s, 3, words)); /* best effort */
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int proof(struct kms_backend *b, const uint8_t mine[KMS_PROOF], uint8_t ret[KMS_PROOF])
{
	struct shared *s = shared_of(b);
	const struct base_str set[] = {
		BASE_STR("SET"), at(s, MASTER), { (const char *)mine, KMS_PROOF }, BASE_STR("NX")
	};
	const struct base_str get[] = { BASE_STR("GET"), at(s, MASTER) };
	struct redisReply *reply = ask(s, 4, set);
	int rc = 0;

	if (!reply)
		return BASE_ERR(BASE_LOCAL, 0);
	freeReplyObject(reply);
	reply = ask(s, 2, get);
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
	struct shared *s = shared_of(b);
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

	reply = ask(s, 6, words);
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
	return shared_of(b)->link.why;
}

static void close_shared(struct kms_backend *b)
{
	struct shared *s = shared_of(b);

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
		.user = user_find,
		.users = users,
		.put = user_put,
		.remove = user_remove,
		.tpks = tpks,
		.tpk_last = tpk_last,
		.tpk_put = tpk_put,
		.tpk_remove = tpk_remove,
		.seen = seen,
	};
	struct shared *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return BASE_ERR(BASE_LOCAL, 0);
	s->backend.ops = &ops;
	memcpy(s->master, master, sizeof(s->master));
	rc = kms_link_init(&s->link, spec, err);
	for (unsigned i = 0; i < PLACES; i++)
		(void)snprintf(s->place[i], sizeof(s->place[i]), "%s:%s", s->link.prefix,
		               places[i]);
	if (rc)
		close_shared(&s->backend);
	else
		*ret = &s->backend;
	return rc;
}
