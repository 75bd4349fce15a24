/* SPDX-License-Identifier: Apache-2.0 */
/* Messages read: RFC 8855, 5.1 (header), 5.2 (attributes), 5.3 (messages). */
#include "bfcp/grammar.h"
#include "bfcp/message.h"

#define ERR(code) BASE_ERR(BASE_PEER, code)
#define BAD       ERR(BFCP_CANNOT_PARSE)
#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)

/** One attribute: its contents without padding, for groups with that of those inside. */
struct attribute {
	unsigned type;
	bool mandatory;
	struct base_reader in;
};

static struct base_str text_of(const struct base_reader *r)
{
	return (struct base_str){ (const char *)r->at, base_reader_left(r) };
}

/** Step past one attribute and its padding (5.2). */
static int next(struct base_reader *r, struct attribute *ret)
{
	unsigned first = base_reader_u8(r), len = base_reader_u8(r), padding;

	if (r->failed || len < 2)
		return BAD;
	ret->type = first >> 1;
	ret->mandatory = first & 1;
	ret->in = base_reader_sub(r, len - 2);
	padding = (4 - len % 4) % 4;
	return base_reader_take(r, padding) ? 0 : BAD;
}

static int read_u16(struct base_reader in, uint16_t *ret)
{
	*ret = base_reader_u16(&in);
	return base_reader_done(&in) ? 0 : BAD;
}

/** REQUEST-STATUS: status and queue position (5.2.5). */
static int read_status(struct base_reader in, struct bfcp_state *ret)
{
	ret->status = base_reader_u8(&in);
	ret->queue = base_reader_u8(&in);
	return base_reader_done(&in) && ret->status ? 0 : BAD;
}

static int read_priority(struct base_reader in, bool *has, uint8_t *ret)
{
	uint16_t v;

	if (read_u16(in, &v))
		return BAD;
	*has = true;
	*ret = (uint8_t)BASE_MIN(v >> 13, BFCP_HIGHEST);
	return 0;
}

/** What we do not know: with the M bit it is kept for the Error (13). */
static void keep_unknown(const struct attribute *a, struct bfcp_message *msg)
{
	if (a->type >= BFCP_ATTRIBUTES && a->mandatory && msg->unknowns < BFCP_UNKNOWN_MAX)
		msg->unknown[msg->unknowns++] = (uint8_t)a->type;
	else if (a->type == 0 && a->mandatory && msg->unknowns < BFCP_UNKNOWN_MAX)
		msg->unknown[msg->unknowns++] = 0;
}

/** OVERALL-REQUEST-STATUS and FLOOR-REQUEST-STATUS behind their id (5.2.17, 5.2.18). */
static int read_state(struct base_reader in, uint16_t *id, struct bfcp_state *ret,
                      struct bfcp_message *msg)
{
	struct attribute a;
	int rc = 0;

	*id = base_reader_u16(&in);
	if (in.failed)
		return BAD;
	while (!rc && base_reader_left(&in)) {
		rc = next(&in, &a);
		if (rc)
			break;
		if (a.type == BFCP_REQUEST_STATUS && !ret->status)
			rc = read_status(a.in, ret);
		else if (a.type == BFCP_STATUS_INFO && !ret->info.len)
			ret->info = text_of(&a.in);
		else
			keep_unknown(&a, msg);
	}
	return rc;
}

static int read_user(struct base_reader in, struct bfcp_user_info *ret, struct bfcp_message *msg)
{
	struct attribute a;

	ret->there = true;
	ret->id = base_reader_u16(&in);
	if (in.failed)
		return BAD;
	while (base_reader_left(&in)) {
		if (next(&in, &a))
			return BAD;
		if (a.type == BFCP_USER_DISPLAY_NAME && !ret->name.len)
			ret->name = text_of(&a.in);
		else if (a.type == BFCP_USER_URI && !ret->uri.len)
			ret->uri = text_of(&a.in);
		else
			keep_unknown(&a, msg);
	}
	return 0;
}

/** How many attributes of a type there are. */
static size_t count(struct base_reader r, unsigned type)
{
	struct attribute a;
	size_t n = 0;

	while (base_reader_left(&r) && !next(&r, &a))
		n += a.type == type;
	return n;
}

static int read_info_part(const struct attribute *a, struct bfcp_request_info *ret,
                          struct bfcp_message *msg)
{
	uint16_t id;

	switch (a->type) {
	case BFCP_OVERALL_REQUEST_STATUS:
		if (ret->has_overall)
			return BAD;
		ret->has_overall = true;
		return read_state(a->in, &id, &ret->overall, msg);
	case BFCP_FLOOR_REQUEST_STATUS_GROUP:
		ret->floors++;
		return read_state(a->in, &ret->floor[ret->floors - 1].floor,
		                  &ret->floor[ret->floors - 1].state, msg);
	case BFCP_BENEFICIARY_INFORMATION:
		return ret->beneficiary.there ? BAD : read_user(a->in, &ret->beneficiary, msg);
	case BFCP_REQUESTED_BY_INFORMATION:
		return ret->requested_by.there ? BAD : read_user(a->in, &ret->requested_by, msg);
	case BFCP_PRIORITY:
		return read_priority(a->in, &ret->has_priority, &ret->priority);
	case BFCP_PARTICIPANT_PROVIDED_INFO:
		ret->info = text_of(&a->in);
		return 0;
	default:
		keep_unknown(a, msg);
		return 0;
	}
}

static int read_info(struct base_reader in, struct base_arena *arena, struct bfcp_request_info *ret,
                     struct bfcp_message *msg)
{
	struct attribute a;
	int rc = 0;

	ret->id = base_reader_u16(&in);
	if (in.failed)
		return BAD;
	ret->floor = base_arena_array(arena, count(in, BFCP_FLOOR_REQUEST_STATUS_GROUP) + 1,
	                              sizeof(*ret->floor));
	if (!ret->floor)
		return NO_MEMORY;
	while (!rc && base_reader_left(&in)) {
		rc = next(&in, &a);
		if (!rc)
			rc = read_info_part(&a, ret, msg);
	}
	return rc ? rc : ret->floors ? 0 : BAD;
}

static int read_error(const struct attribute *a, struct bfcp_message *msg)
{
	struct base_reader in = a->in;

	msg->error = base_reader_u8(&in);
	msg->error_details = text_of(&in);
	return in.failed || !msg->error ? BAD : 0;
}

/** An attribute that this message may have. */
static int read_attribute(const struct attribute *a, struct base_arena *arena,
                          struct bfcp_message *msg)
{
	switch (a->type) {
	case BFCP_BENEFICIARY_ID:
		msg->has_beneficiary = true;
		return read_u16(a->in, &msg->beneficiary);
	case BFCP_FLOOR_ID:
		return read_u16(a->in, &msg->floor[msg->floors++]);
	case BFCP_FLOOR_REQUEST_ID:
		msg->has_request = true;
		return read_u16(a->in, &msg->request);
	case BFCP_PRIORITY:
		return read_priority(a->in, &msg->has_priority, &msg->priority);
	case BFCP_ERROR_CODE:
		return read_error(a, msg);
	case BFCP_ERROR_INFO:
		msg->error_info = text_of(&a->in);
		return 0;
	case BFCP_PARTICIPANT_PROVIDED_INFO:
		msg->info = text_of(&a->in);
		return 0;
	case BFCP_SUPPORTED_ATTRIBUTES:
		msg->attributes = text_of(&a->in);
		return 0;
	case BFCP_SUPPORTED_PRIMITIVES:
		msg->primitives = text_of(&a->in);
		return 0;
	case BFCP_BENEFICIARY_INFORMATION:
		return read_user(a->in, &msg->about, msg);
	default: /* FLOOR-REQUEST-INFORMATION */
		return read_info(a->in, arena, &msg->info_of[msg->infos++], msg);
	}
}

/** 5.3: what must be there is there, and once where the grammar has it once. */
static int read_attributes(struct base_reader r, struct base_arena *arena, struct bfcp_message *msg)
{
	const struct bfcp_grammar *g = &bfcp_grammar[msg->primitive];
	struct attribute a;
	uint32_t seen = 0;
	int rc;

	msg->floor = base_arena_array(arena, count(r, BFCP_FLOOR_ID) + 1, sizeof(*msg->floor));
	msg->info_of = base_arena_array(arena, count(r, BFCP_FLOOR_REQUEST_INFORMATION) + 1,
	                                sizeof(*msg->info_of));
	if (!msg->floor || !msg->info_of)
		return NO_MEMORY;
	while (base_reader_left(&r)) {
		rc = next(&r, &a);
		if (rc)
			return rc;
		if (a.type >= BFCP_ATTRIBUTES || !(g->may & 1U << a.type)) {
			keep_unknown(&a, msg);
			continue;
		}
		if (seen & g->once & 1U << a.type)
			return BAD;
		seen |= 1U << a.type;
		rc = read_attribute(&a, arena, msg);
		if (rc)
			return rc;
	}
	return (seen & g->must) == g->must ? 0 : BAD;
}

int bfcp_decode(struct base_str octets, struct base_arena *arena, struct bfcp_message *ret,
                struct base_error *err)
{
	struct base_reader r = base_reader_of(octets.ptr, octets.len);
	struct bfcp_message msg = { 0 };
	unsigned first = base_reader_u8(&r);
	size_t len;
	int rc;

	msg.version = (uint8_t)(first >> 5);
	msg.primitive = base_reader_u8(&r);
	len = (size_t)base_reader_u16(&r) * 4;
	msg.conference = base_reader_u32(&r);
	msg.transaction = base_reader_u16(&r);
	msg.user = base_reader_u16(&r);
	if (r.failed)
		return base_error_set(err, ERR(0), "less than a header (RFC 8855, 5.1)");
	msg.response = msg.version == 2 && first & 0x10;
	*ret = msg;
	if (msg.version != 1 && msg.version != 2)
		return base_error_set(err, ERR(BFCP_UNSUPPORTED_VERSION), "version %u",
		                      (unsigned)msg.version);
	if (len != base_reader_left(&r) || (msg.version == 2 && first & 0x08))
		return base_error_set(err, ERR(BFCP_WRONG_LENGTH),
		                      "%zu octets of attributes, not the %zu that the header tells",
		                      base_reader_left(&r), len);
	if (msg.primitive == 0 || msg.primitive >= BFCP_PRIMITIVES)
		return 0;
	rc = read_attributes(r, arena, &msg);
	if (rc)
		return base_error_set(err, rc, "attributes of %s (RFC 8855, 5.2 and 5.3)",
		                      bfcp_primitive_name(msg.primitive));
	*ret = msg;
	return 0;
}
