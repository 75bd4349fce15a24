/* SPDX-License-Identifier: Apache-2.0 */
/* a= lines that a gateway has to understand; all others are kept as they are. */
#include "h248/sdp_parser.h"

struct choice {
	const char *name;
	uint8_t value;
};

/* One of a few words, or CHOOSE when the list has `$`. The words are literals of RFC 4145's ABNF,
 * so their case does not count; -1 when it is none of them. */
static int pick(const struct choice *choices, size_t count, struct base_str s)
{
	for (size_t i = 0; i < count; i++) {
		if (base_str_ieq(s, base_str_of(choices[i].name)))
			return choices[i].value;
	}
	return -1;
}

static const struct choice setups[] = {
	{ "$", H248_SDP_SETUP_CHOOSE },    { "active", H248_SDP_ACTIVE },
	{ "passive", H248_SDP_PASSIVE },   { "actpass", H248_SDP_ACTPASS },
	{ "holdconn", H248_SDP_HOLDCONN },
};
static const struct choice reuses[] = {
	{ "$", H248_SDP_REUSE_CHOOSE },
	{ "new", H248_SDP_NEW },
	{ "existing", H248_SDP_EXISTING },
};

const char *h248_sdp_setup_name(enum h248_sdp_setup setup)
{
	for (size_t i = 0; i < BASE_COUNT(setups); i++) {
		if (setups[i].value == setup)
			return setups[i].name;
	}
	return "";
}

/* RFC 4145, 4. */
static int parse_setup(struct h248_sdp_parser *p, struct base_str value)
{
	int setup = pick(setups, BASE_COUNT(setups), value);
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_ONCE_SETUP, &first);

	if (rc)
		return rc;
	if (setup < 0)
		return h248_sdp_fail(p, value, "not a setup role");
	p->group->setup = (uint8_t)setup;
	return 0;
}

/* RFC 4145, 5. */
static int parse_reuse(struct h248_sdp_parser *p, struct base_str value)
{
	int reuse = pick(reuses, BASE_COUNT(reuses), value);
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_ONCE_REUSE, &first);

	if (rc)
		return rc;
	if (reuse < 0)
		return h248_sdp_fail(p, value, "neither new nor existing");
	p->group->reuse = (uint8_t)reuse;
	return 0;
}

/* RFC 8842, 4: 20 to 255 letters, digits, `+`, `/`, `-`, `_`. */
static int parse_tls_id(struct h248_sdp_parser *p, struct base_str value)
{
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_ONCE_TLS_ID, &first);

	if (rc)
		return rc;
	if (!h248_sdp_is_choose(value) && (value.len < 20 || value.len > 255))
		return h248_sdp_fail(p, value, "tls-id has 20 to 255 characters");
	for (size_t i = 0; i < value.len && !h248_sdp_is_choose(value); i++) {
		int c = base_lower((unsigned char)value.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !(c && strchr("+/-_", c)))
			return h248_sdp_fail(p, value, "not a tls-id");
	}
	p->group->tls_id = value;
	return 0;
}

/* RFC 4975, 8.1: one or more URIs; several attributes show relays (RFC 6714, 4.3). */
static int parse_path(struct h248_sdp_parser *p, struct base_str value)
{
	struct h248_sdp_text *path = BASE_NEW(p->arena, struct h248_sdp_text);
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_LISTED_PATH, &first);

	if (rc)
		return rc;
	if (!path)
		return h248_sdp_no_memory(p);
	if (first)
		p->path_end = &p->group->paths;
	path->text = value;
	*p->path_end = path;
	p->path_end = &path->next;
	return 0;
}

static int parse_direction(struct h248_sdp_parser *p, enum h248_sdp_direction direction)
{
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_ONCE_DIRECTION, &first);

	if (!rc)
		p->group->direction = (uint8_t)direction;
	return rc;
}

static int parse_cema(struct h248_sdp_parser *p)
{
	bool first;
	int rc = h248_sdp_claim(p, H248_SDP_ONCE_CEMA, &first);

	p->group->msrp_cema = true;
	return rc;
}

/* Attributes without a value: -1 when it is none of the known ones, else as for lines. */
static const struct choice flags[] = {
	{ "sendrecv", H248_SDP_SENDRECV },
	{ "sendonly", H248_SDP_SENDONLY },
	{ "recvonly", H248_SDP_RECVONLY },
	{ "inactive", H248_SDP_INACTIVE },
	{ "msrp-cema", 0 },
};

static const struct {
	const char *name;
	int (*parse)(struct h248_sdp_parser *p, struct base_str value);
} valued[] = {
	{ "setup", parse_setup },
	{ "connection", parse_reuse },
	{ "fingerprint", h248_sdp_parse_fingerprint },
	{ "tls-id", parse_tls_id },
	{ "path", parse_path },
};

static int parse_flag(struct h248_sdp_parser *p, struct base_str name)
{
	for (size_t i = 0; i < BASE_COUNT(flags); i++) {
		if (!base_str_eq(name, base_str_of(flags[i].name)))
			continue;
		if (!flags[i].value)
			return parse_cema(p);
		return parse_direction(p, (enum h248_sdp_direction)flags[i].value);
	}
	return h248_sdp_keep_line(p, 'a', name);
}

/* Attribute names are case-sensitive (RFC 8866, 5.13). */
int h248_sdp_parse_attribute(struct h248_sdp_parser *p, struct base_str value)
{
	const char *colon = memchr(value.ptr, ':', value.len);
	struct base_str name = { value.ptr, colon ? (size_t)(colon - value.ptr) : value.len };
	struct base_str rest = { name.ptr + name.len + 1, value.len - name.len - 1 };

	if (!h248_sdp_is_token(name))
		return h248_sdp_fail(p, value, "not an attribute");
	for (size_t i = 0; i < BASE_COUNT(valued); i++) {
		if (!base_str_eq(name, base_str_of(valued[i].name)))
			continue;
		if (!colon || !rest.len)
			return h248_sdp_fail(p, value, "the attribute needs a value");
		return valued[i].parse(p, rest);
	}
	if (!colon)
		return parse_flag(p, name);
	for (size_t i = 0; i < BASE_COUNT(flags); i++) {
		if (base_str_eq(name, base_str_of(flags[i].name)))
			return h248_sdp_fail(p, value, "the attribute takes no value");
	}
	return h248_sdp_keep_line(p, 'a', value);
}
