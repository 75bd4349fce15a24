/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/validators.h"

/* RFC 9110, 8.8.3, without obs-text: visible ASCII between quotes. */
static bool etag_ok(struct base_str v)
{
	if (v.len > 2 && !memcmp(v.ptr, "W/", 2))
		v = (struct base_str){ v.ptr + 2, v.len - 2 };
	if (v.len < 2 || v.ptr[0] != '"' || v.ptr[v.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < v.len; i++)
		if (v.ptr[i] <= ' ' || v.ptr[i] > '~' || v.ptr[i] == '"')
			return false;
	return true;
}

/* IMF-fixdate (RFC 9110, 5.6.7) by its form: what it says is the server's own to understand. */
static bool date_ok(struct base_str v)
{
	static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 ";

	if (v.len != sizeof(form) - 1 + 3 || memcmp(v.ptr + sizeof(form) - 1, "GMT", 3) != 0)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		char c = v.ptr[i], like = form[i];
		bool ok = like == 'A'   ? c >= 'A' && c <= 'Z'
		          : like == 'a' ? c >= 'a' && c <= 'z'
		          : like == '0' ? c >= '0' && c <= '9'
		                        : c == like;

		if (!ok)
			return false;
	}
	return true;
}

static bool value_of(struct base_str line, struct base_str name, struct base_str *ret)
{
	if (line.len <= name.len || line.ptr[name.len] != ':' ||
	    !base_str_ieq((struct base_str){ line.ptr, name.len }, name))
		return false;
	*ret = base_str_trim((struct base_str){ line.ptr + name.len + 1, line.len - name.len - 1 });
	return true;
}

enum { SEEN_ETAG = 1, SEEN_MODIFIED = 2, SEEN_DATE = 4 };

/* Two of a kind cannot both be right. */
static void put(struct fetch_validators *v, unsigned what, struct base_str value, bool ok)
{
	char *into = what == SEEN_ETAG ? v->etag : what == SEEN_DATE ? v->date : v->modified;
	size_t cap = what == SEEN_ETAG ? sizeof(v->etag) : sizeof(v->modified);

	if (v->seen & what || !ok || value.len >= cap)
		value.len = 0;
	if (value.len)
		memcpy(into, value.ptr, value.len);
	into[value.len] = '\0';
	v->seen |= what;
}

void fetch_validators_line(struct fetch_validators *v, struct base_str line)
{
	struct base_str value;

	if (line.len >= 5 && !memcmp(line.ptr, "HTTP/", 5))
		*v = (struct fetch_validators){ .seen = 0 };
	else if (value_of(line, BASE_STR("ETag"), &value))
		put(v, SEEN_ETAG, value, etag_ok(value));
	else if (value_of(line, BASE_STR("Last-Modified"), &value))
		put(v, SEEN_MODIFIED, value, date_ok(value));
	else if (value_of(line, BASE_STR("Date"), &value))
		put(v, SEEN_DATE, value, date_ok(value));
}
