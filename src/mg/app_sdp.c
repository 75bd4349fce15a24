/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/app_sdp.h"

bool mg_app_attribute(const struct h248_sdp *sdp, const char *name, size_t *index,
                      struct base_str *ret)
{
	struct base_str want = base_str_of(name);
	size_t at = 0;

	for (const struct h248_sdp_line *l = sdp->groups ? sdp->groups->lines : NULL; l;
	     l = l->next) {
		struct base_str v = l->value;

		if (l->type != 'a' || at++ < *index)
			continue;
		if (v.len < want.len || memcmp(v.ptr, want.ptr, want.len) != 0 ||
		    (v.len > want.len && v.ptr[want.len] != ':'))
			continue;
		*index = at;
		ret->ptr = v.ptr + BASE_MIN(v.len, want.len + 1);
		ret->len = v.len - BASE_MIN(v.len, want.len + 1);
		*ret = base_str_trim(*ret);
		return true;
	}
	return false;
}

bool mg_app_path(const struct h248_sdp *sdp, struct base_str *ret)
{
	const struct h248_sdp_text *path = sdp->groups ? sdp->groups->paths : NULL;

	if (!path || base_str_eq(path->text, BASE_STR("$")))
		return false;
	*ret = path->text;
	return true;
}

static struct base_str word_next(struct base_str *rest)
{
	struct base_str word;
	size_t n = 0;

	*rest = base_str_trim(*rest);
	while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t')
		n++;
	word = (struct base_str){ rest->ptr, n };
	rest->ptr += n;
	rest->len -= n;
	return word;
}

bool mg_app_chatroom(const struct h248_sdp *sdp, struct base_str word)
{
	struct base_str value, one;
	size_t index = 0;

	if (!mg_app_attribute(sdp, "chatroom", &index, &value))
		return false;
	while ((one = word_next(&value)).len)
		if (base_str_ieq(one, word))
			return true;
	return false;
}

static bool number_at(const struct h248_sdp *sdp, const char *name, uint64_t max, uint64_t *ret)
{
	struct base_str value;
	size_t index = 0;

	return mg_app_attribute(sdp, name, &index, &value) && !base_str_u64(value, max, ret);
}

uint64_t mg_app_size(const struct mg_stream *s)
{
	uint64_t size = 0;

	return number_at(&s->local, "max-size", UINT64_MAX, &size) ? size : 0;
}

bool mg_app_user(const struct mg_stream *s, uint16_t *ret)
{
	uint64_t n;

	if (!number_at(&s->local, "userid", UINT16_MAX, &n) || !n)
		return false;
	*ret = (uint16_t)n;
	return true;
}

bool mg_app_conference(const struct mg_stream *s, uint32_t *ret)
{
	uint64_t n;

	if (!number_at(&s->local, "confid", UINT32_MAX, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

bool mg_app_floor(struct base_str value, uint16_t *ret)
{
	uint64_t n;

	if (base_str_u64(word_next(&value), UINT16_MAX, &n))
		return false;
	*ret = (uint16_t)n;
	return true;
}
