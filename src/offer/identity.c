/* SPDX-License-Identifier: Apache-2.0 */
/** @file Who is who: MIKEY identities of SIP URIs, and who may stand for whom. */
#include "offer/exchange.h"

#define KEY_ROOM 4 /* "sip:" */

size_t offer_identity(struct base_str uri, char *out, size_t cap)
{
	struct sip_uri u = { .scheme = SIP_SCHEME_OTHER };
	size_t len;

	if (cap <= KEY_ROOM + 1 || sip_uri_parse(uri, &u) || u.scheme == SIP_SCHEME_OTHER)
		return 0;
	len = sip_uri_key(&u, out + KEY_ROOM, cap - KEY_ROOM - 1);
	if (!len)
		return 0;
	memcpy(out, u.scheme == SIP_SCHEME_TEL ? "tel:" : "sip:", KEY_ROOM);
	out[KEY_ROOM + len] = '\0';
	return KEY_ROOM + len;
}

static bool fits(const char *pattern, const struct mikey_id *id)
{
	return strcmp(pattern, "*") == 0 || mikey_octets_eq(mikey_octets_text(pattern), id->data);
}

bool offer_stands_for(const struct offer_party *party, const struct mikey_id *meant,
                      const struct mikey_id *who)
{
	if (mikey_id_eq(meant, who))
		return true;
	for (size_t i = 0; i < party->alias_count; i++) {
		const struct offer_alias *a = &party->aliases[i];

		if (fits(a->name, meant) && fits(a->stands_for_it, who))
			return true;
	}
	return false;
}

/* type "/" subtype of an entry, without its parameters. */
static struct base_str bare(struct base_str entry)
{
	const char *end = entry.len ? memchr(entry.ptr, ';', entry.len) : NULL;

	return (struct base_str){ entry.ptr, end ? (size_t)(end - entry.ptr) : entry.len };
}

static bool entry_fits(struct base_str entry, struct base_str type)
{
	const char *slash = entry.len ? memchr(entry.ptr, '/', entry.len) : NULL;
	size_t major = slash ? (size_t)(slash - entry.ptr) + 1 : 0;

	if (base_str_eq(entry, BASE_STR("*")) || base_str_ieq(entry, type))
		return true;
	return major && entry.len == major + 1 && entry.ptr[major] == '*' && type.len > major &&
	       base_str_ieq((struct base_str){ entry.ptr, major },
	                    (struct base_str){ type.ptr, major });
}

bool offer_type_fits(struct base_str list, struct base_str type)
{
	while (list.len) {
		const char *sp = memchr(list.ptr, ' ', list.len);
		struct base_str one = { list.ptr, sp ? (size_t)(sp - list.ptr) : list.len };

		if (one.len && entry_fits(bare(one), bare(type)))
			return true;
		list = sip_from(list, one.len + (sp != NULL));
	}
	return false;
}
