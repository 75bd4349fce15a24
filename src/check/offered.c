/* SPDX-License-Identifier: Apache-2.0 */
#include "check/offered.h"

static struct check_bytes vector(struct base_reader *r, unsigned octets)
{
	size_t len = octets == 1 ? base_reader_u8(r) : base_reader_u16(r);
	const uint8_t *data = base_reader_take(r, len);

	return (struct check_bytes){ data, data ? len : 0 };
}

/** The one vector that an extension is made of; empty where it is not. */
static struct check_bytes inner(const struct check_offered *o, uint16_t type, unsigned octets)
{
	const struct check_extension *e = check_offered_extension(o, type);
	struct base_reader r = base_reader_of(e ? e->data.data : NULL, e ? e->data.len : 0);
	struct check_bytes list = vector(&r, octets);

	return base_reader_done(&r) ? list : (struct check_bytes){ NULL, 0 };
}

static bool extensions_read(struct check_offered *o, struct base_reader *r)
{
	struct base_reader list;

	if (!base_reader_left(r))
		return true;
	list = base_reader_sub(r, base_reader_u16(r));
	while (base_reader_left(&list) && !list.failed) {
		struct check_extension one = { .type = base_reader_u16(&list) };

		one.data = vector(&list, 2);
		if (!list.failed && o->extension_count < CHECK_EXTENSIONS_MAX)
			o->extension[o->extension_count++] = one;
	}
	return !list.failed;
}

static void versions_read(struct check_offered *o)
{
	struct check_bytes list = inner(o, 43, 1);

	o->listed = list.len != 0;
	for (unsigned v = PROFILE_SSL_3_0; v <= PROFILE_DTLS_1_3; v <<= 1) {
		uint16_t wire = profile_version_wire(v);

		if (o->listed ? check_codes_hold(list, wire) : wire == o->legacy_version)
			o->versions |= v;
	}
}

bool check_offered_read(struct check_offered *o, struct check_bytes text)
{
	struct base_reader r = base_reader_of(text.data, text.len), body;
	uint8_t type = base_reader_u8(&r);

	*o = (struct check_offered){ .legacy_version = 0 };
	body = base_reader_sub(&r, base_reader_u24(&r));
	if (r.failed || type != CHECK_CLIENT_HELLO)
		return false;
	o->legacy_version = base_reader_u16(&body);
	o->random = base_reader_take(&body, 32);
	o->session_id = vector(&body, 1);
	if (o->legacy_version >> 8 == 0xfe)
		(void)vector(&body, 1); /* a cookie */
	o->suites = vector(&body, 2);
	o->compressions = vector(&body, 1);
	if (!extensions_read(o, &body) || !base_reader_done(&body))
		return false;
	o->groups = inner(o, 10, 2);
	o->signatures = inner(o, 13, 2);
	versions_read(o);
	return true;
}

const struct check_extension *check_offered_extension(const struct check_offered *o, uint16_t type)
{
	for (size_t i = 0; i < o->extension_count; i++)
		if (o->extension[i].type == type)
			return &o->extension[i];
	return NULL;
}

bool check_codes_hold(struct check_bytes list, uint16_t code)
{
	for (size_t i = 0; i + 1 < list.len; i += 2)
		if ((list.data[i] << 8 | list.data[i + 1]) == code)
			return true;
	return false;
}
