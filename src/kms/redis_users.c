/* SPDX-License-Identifier: Apache-2.0 */
/* Users in the pool's store: found by three names, changed as a whole, listed. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "kms/redis_private.h"

#define NAME_LEN 1024 /* octets of a name that is asked for */
#define TRIES    8    /* as often may somebody else be faster */

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

/* -- a user as a record ------------------------------------------------------------------------ */

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

static int user_read(struct kms_shared *s, struct base_reader *r, struct kms_user *ret)
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
static int hash_get(struct kms_shared *s, enum kms_place place, struct base_str field,
                    struct base_arena *arena, struct base_str *ret)
{
	const struct base_str words[] = { BASE_STR("HGET"), kms_redis_at(s, place), field };
	struct redisReply *reply = kms_redis_ask(s, 3, words);
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
static int user_at(struct kms_shared *s, struct base_str field, struct base_arena *arena,
                   struct base_str *sealed, struct kms_user *ret)
{
	struct base_reader r;
	int rc = hash_get(s, KMS_USERS, field, arena, sealed);

	if (rc != 1)
		return rc;
	rc = kms_redis_unseal(s, KMS_USERS, field, *sealed, arena, &r);
	if (!rc)
		rc = user_read(s, &r, ret);
	return rc ? rc : 1;
}

/* Whom nobody knows costs as many questions, and a record that does not open. */
static int nobody(struct kms_shared *s, struct base_str field, struct base_arena *arena)
{
	static const char sealed[256];
	struct base_reader r;

	(void)kms_redis_unseal(s, KMS_USERS, field, (struct base_str){ sealed, sizeof(sealed) },
	                       arena, &r); /* never opens */
	return 0;
}

int kms_redis_user(struct kms_backend *b, enum kms_by by, const struct mikey_id *name,
                   struct base_arena *arena, struct kms_user *ret)
{
	static const enum kms_place index[] = { KMS_USERS, KMS_PSK_NAMES, KMS_TPK_NAMES };
	struct kms_shared *s = kms_redis_of(b);
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
static int user_change(struct kms_shared *s, const struct mikey_id *id, const struct kms_user *next,
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
		record = kms_redis_seal(s, KMS_USERS, field, &clear);
	}
	if (!next || record.at) {
		const struct base_str words[] = {
			BASE_STR("EVAL"),
			base_str_of(change_user),
			BASE_STR("3"),
			kms_redis_at(s, KMS_USERS),
			kms_redis_at(s, KMS_PSK_NAMES),
			kms_redis_at(s, KMS_TPK_NAMES),
			field,
			sealed,
			{ (const char *)record.at, record.len },
			field_of(was[0], &old.psk_id),
			field_of(was[1], &old.tpk_id),
			field_of(is[0], next ? &next->psk_id : &none.psk_id),
			field_of(is[1], next ? &next->tpk_id : &none.tpk_id),
		};

		done = kms_redis_number(s, kms_redis_ask(s, (int)BASE_COUNT(words), words));
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
	struct kms_shared *s = kms_redis_of(b);
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

int kms_redis_user_put(struct kms_backend *b, const struct kms_user *user)
{
	if (user->psk_id.data.len > NAME_LEN || user->tpk_id.data.len > NAME_LEN) {
		(void)snprintf(kms_redis_of(b)->link.why, sizeof(kms_redis_of(b)->link.why),
		               "a name of a key of more than %d octets", NAME_LEN);
		return BASE_ERR(BASE_CONFIG, 0);
	}
	return user_try(b, &user->id, user);
}

int kms_redis_user_remove(struct kms_backend *b, const struct mikey_id *id)
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

static int list_add(struct kms_shared *s, struct listing *l, const redisReply *field,
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
	rc = kms_redis_unseal(s, KMS_USERS, (struct base_str){ field->str, (size_t)field->len },
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
static int list_more(struct kms_shared *s, struct listing *l, char cursor[24])
{
	const struct base_str words[] = { BASE_STR("HSCAN"), kms_redis_at(s, KMS_USERS),
		                          base_str_of(cursor), BASE_STR("COUNT"), BASE_STR("200") };
	struct redisReply *reply = kms_redis_ask(s, 5, words);
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

int kms_redis_users(struct kms_backend *b, int (*each)(void *arg, const struct kms_user *user),
                    void *arg)
{
	struct listing l = { .arena = { .wipe = true } };
	char cursor[24] = "0";
	int rc;

	do
		rc = list_more(kms_redis_of(b), &l, cursor);
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
