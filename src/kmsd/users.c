/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/users.h"

#include <stdlib.h>

#include "stream/stream.h"

#define PSK_MIN 16 /* octets: less is guessed from one message */

static const char *const types[] = {
	[MIKEY_NAI] = "nai", [MIKEY_URI] = "uri", [MIKEY_BYTE_STRING] = "bytes"
};

/* ---- words ---- */

void kmsd_hex_write(struct base_writer *out, const char *key, const void *data, size_t len)
{
	const uint8_t *octets = data;
	char hex[4];

	base_writer_printf(out, " %s=", key);
	for (size_t i = 0; i < len; i++) {
		base_hex_encode(octets + i, 1, 0, false, hex);
		base_writer_text(out, hex);
	}
	base_wipe(hex, sizeof(hex));
}

static int type_of(struct base_str name)
{
	for (size_t i = 0; i < BASE_COUNT(types); i++)
		if (base_str_eq(name, base_str_of(types[i])))
			return (int)i;
	return -1;
}

/* `word` up to the first colon, which is taken off, too; all of it and false where there is none.
 */
static bool colon_take(struct base_str *word, struct base_str *ret)
{
	const char *colon = word->len ? memchr(word->ptr, ':', word->len) : NULL;

	if (!colon)
		return false;
	*ret = (struct base_str){ word->ptr, (size_t)(colon - word->ptr) };
	word->len -= ret->len + 1;
	word->ptr = colon + 1;
	return true;
}

int kmsd_id_write(struct base_writer *out, const char *key, const char *text,
                  struct base_error *err)
{
	struct base_str rest = base_str_of(text), name = { NULL, 0 };
	int type = colon_take(&rest, &name) ? type_of(name) : -1;
	uint8_t octets[512];
	size_t len = 0;

	if (type < 0) {
		type = MIKEY_URI;
		rest = base_str_of(text);
	}
	if (!rest.len || rest.len > 2 * sizeof(octets) ||
	    (type == MIKEY_BYTE_STRING && base_hex_decode(rest, octets, sizeof(octets), &len)))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%.100s' is no name: expected a URI, nai:NAME or bytes:HEX",
		                      text);
	if (type == MIKEY_URI && !memchr(rest.ptr, ':', rest.len))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%.100s' is no URI: sip:%.100s, or nai:%.100s?", text, text,
		                      text);
	base_writer_printf(out, " %s=%s:", key, types[type]);
	if (type != MIKEY_BYTE_STRING) {
		for (size_t i = 0; i < rest.len; i++)
			base_writer_printf(out, "%02x", (unsigned)(uint8_t)rest.ptr[i]);
	} else {
		base_writer_str(out, rest);
	}
	return 0;
}

bool kmsd_id_print(struct base_writer *out, struct base_str word)
{
	struct base_str name;
	uint8_t octets[512];
	size_t len;
	int type;

	if (!colon_take(&word, &name) || (type = type_of(name)) < 0)
		return false;
	if (type == MIKEY_BYTE_STRING) {
		base_writer_printf(out, "bytes:%.*s", BASE_FMT(word));
		return true;
	}
	if (base_hex_decode(word, octets, sizeof(octets), &len))
		return false;
	if (type == MIKEY_NAI)
		base_writer_text(out, "nai:");
	for (size_t i = 0; i < len; i++)
		base_writer_u8(out, octets[i] > ' ' && octets[i] < 0x7f ? octets[i] : '?');
	return true;
}

/* ---- an order ---- */

struct order {
	struct kms_user user;
	bool replace;
};

/* TYPE:HEX or HEX, into the arena. */
static bool value_read(struct base_arena *arena, struct base_str text, bool id, int *ret_type,
                       struct mikey_octets *ret)
{
	struct base_str name;
	uint8_t *octets;
	size_t len;

	if (id && (!colon_take(&text, &name) || (*ret_type = type_of(name)) < 0))
		return false;
	octets = base_arena_alloc(arena, text.len / 2 + 1);
	if (!octets || !text.len || base_hex_decode(text, octets, text.len / 2, &len))
		return false;
	*ret = mikey_octets_of(octets, len);
	return true;
}

static bool word_read(struct base_arena *arena, struct base_str word, struct order *order)
{
	const struct {
		const char *key;
		struct mikey_octets *octets;
		struct mikey_id *id;
	} keys[] = {
		{ "id", NULL, &order->user.id },         { "psk", &order->user.psk, NULL },
		{ "psk-id", NULL, &order->user.psk_id }, { "cert", &order->user.cert, NULL },
		{ "tpk", &order->user.tpk, NULL },       { "tpk-id", NULL, &order->user.tpk_id },
	};
	const char *equals = word.len ? memchr(word.ptr, '=', word.len) : NULL;
	size_t len = equals ? (size_t)(equals - word.ptr) : word.len;

	if (!equals) {
		order->replace = base_str_eq(word, BASE_STR("replace"));
		return order->replace;
	}
	for (size_t i = 0; i < BASE_COUNT(keys); i++) {
		struct base_str text = { equals + 1, word.len - len - 1 };
		int type = 0;
		bool ok;

		if (!base_str_eq((struct base_str){ word.ptr, len }, base_str_of(keys[i].key)))
			continue;
		ok = value_read(arena, text, keys[i].id != NULL, &type,
		                keys[i].id ? &keys[i].id->data : keys[i].octets);
		if (ok && keys[i].id)
			keys[i].id->type = (uint8_t)type;
		return ok;
	}
	return false;
}

/* What makes no sense together. */
static const char *fault_of(const struct kms_user *u)
{
	if (!u->psk.len && !u->cert.len && !u->tpk.len)
		return "a user needs a key or a certificate";
	if ((u->psk.len && u->psk.len < PSK_MIN) || (u->tpk.len && u->tpk.len < PSK_MIN))
		return "a key needs 16 octets at least";
	if (u->psk_id.data.len && !u->psk.len)
		return "a name for a key that is not there";
	if (!u->tpk.len != !u->tpk_id.data.len)
		return "a ticket key needs its name, and the name its key";
	return NULL;
}

static int add(struct kms_store *store, const struct order *order, struct base_error *err)
{
	const char *fault = fault_of(&order->user);
	struct base_arena arena = { .wipe = true };
	struct kms_user there;
	int found;

	if (fault)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", fault);
	found = kms_store_user(store, KMS_BY_ID, &order->user.id, &arena, &there);
	base_arena_done(&arena);
	if (found < 0)
		return base_error_set(err, found, "the store does not answer");
	if (found && !order->replace)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "it is a user already; --replace takes its place");
	return kms_store_user_put(store, &order->user, err);
}

static void id_tell(struct base_writer *out, const char *key, const struct mikey_id *id)
{
	if (!id->data.len || id->type >= BASE_COUNT(types))
		return;
	base_writer_printf(out, " %s=%s:", key, types[id->type]);
	for (size_t i = 0; i < id->data.len; i++)
		base_writer_printf(out, "%02x", id->data.at[i]);
}

static int tell(void *arg, const struct kms_user *user)
{
	struct base_writer *out = arg;

	base_writer_text(out, "user");
	id_tell(out, "id", &user->id);
	id_tell(out, "psk-id", &user->psk_id);
	id_tell(out, "tpk-id", &user->tpk_id);
	if (user->cert.len)
		base_writer_text(out, " cert");
	base_writer_text(out, "\n");
	return 0;
}

static int run(struct kms_store *store, struct base_str verb, const struct order *order,
               struct base_writer *out, struct base_error *err)
{
	if (base_str_eq(verb, BASE_STR("add")))
		return add(store, order, err);
	if (base_str_eq(verb, BASE_STR("remove")))
		return kms_store_user_remove(store, &order->user.id, err);
	if (base_str_eq(verb, BASE_STR("list")))
		return kms_store_users(store, tell, out);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "'%.*s' is no order",
	                      (int)BASE_MIN(verb.len, (size_t)20), verb.ptr);
}

bool kmsd_users_do(struct kms_store *store, struct base_str line, struct base_writer *out)
{
	struct base_arena arena = { .wipe = true };
	struct base_str verb = stream_order_word(&line), word;
	struct base_error err = { 0 };
	struct order order = { 0 };
	int rc = 0;

	while (!rc && (word = stream_order_word(&line)).len)
		if (!word_read(&arena, word, &order))
			rc = base_error_set(&err, BASE_ERR(BASE_CONFIG, 0),
			                    "a word of the order is none");
	if (!rc)
		rc = run(store, verb, &order, out, &err);
	base_arena_done(&arena);
	if (rc)
		base_writer_printf(out, "error %s\n", err.text[0] ? err.text : "out of memory");
	else
		base_writer_text(out, "ok\n");
	return !rc;
}
