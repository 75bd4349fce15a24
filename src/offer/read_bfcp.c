/* SPDX-License-Identifier: Apache-2.0 */
/** @file Attributes of BFCP (RFC 8856, 5; RFC 4583, which may leave them out). */
#include "offer/sdp.h"

static int number(const struct sip_sdp *sdp, const struct sip_sdp_media *m, const char *name,
                  uint64_t max, uint64_t *ret, struct base_error *err)
{
	struct base_str value;

	*ret = 0;
	if (!sip_sdp_attribute(sdp, m, name, &value) || !base_str_u64(value, max, ret))
		return 0;
	return offer_bad(err, "a=confid or a=userid is no such number (RFC 8856, 5.2 and 5.3)");
}

/* role *(SP role); "c-s" is both (RFC 8856, 5.1) */
static int floorctrl(const struct sip_sdp *sdp, const struct sip_sdp_media *m,
                     struct offer_remote *ret, struct base_error *err)
{
	struct base_str rest, role;

	ret->has_floorctrl = sip_sdp_attribute(sdp, m, "floorctrl", &rest);
	if (!ret->has_floorctrl)
		return 0;
	while (rest.len) {
		role = offer_word(&rest);
		if (base_str_ieq(role, BASE_STR("c-only")))
			ret->may_be_client = true;
		else if (base_str_ieq(role, BASE_STR("s-only")))
			ret->may_serve = true;
		else if (base_str_ieq(role, BASE_STR("c-s")))
			ret->may_be_client = ret->may_serve = true;
		else if (role.len)
			return offer_bad(err, "a=floorctrl has a role of none (RFC 8856, 5.1)");
	}
	if (!ret->may_be_client && !ret->may_serve)
		return offer_bad(err, "a=floorctrl has no role (RFC 8856, 5.1)");
	return 0;
}

/* Versions of which nobody here knows anything are passed over; none at all is 1 (5.5). */
static int versions(const struct sip_sdp *sdp, const struct sip_sdp_media *m,
                    struct offer_remote *ret, struct base_error *err)
{
	struct base_str rest, word;
	uint64_t version;

	ret->bfcp.versions = OFFER_BFCP_1;
	if (!sip_sdp_attribute(sdp, m, "bfcpver", &rest))
		return 0;
	ret->bfcp.versions = 0;
	while (rest.len) {
		word = offer_word(&rest);
		if (!word.len)
			continue;
		if (base_str_u64(word, 7, &version))
			return offer_bad(err, "a=bfcpver is no version (RFC 8856, 5.5)");
		if (version == 1 || version == 2)
			ret->bfcp.versions |= version == 1 ? OFFER_BFCP_1 : OFFER_BFCP_2;
	}
	return 0;
}

/* floor-id SP "mstrm:" token *(SP token); "m-stream:" is seen, too (5.4). RFC 4583 lets the
 * streams be left out. */
static int floor_of(struct base_arena *arena, struct base_str value, struct offer_floor *ret,
                    struct base_error *err)
{
	struct base_str id = offer_word(&value);
	uint64_t n;

	value = base_str_trim(value);
	if (base_str_u64(id, UINT16_MAX, &n))
		return offer_bad(err, "a=floorid is no number (RFC 8856, 5.4)");
	*ret = (struct offer_floor){ .id = (uint16_t)n };
	if (!value.len)
		return 0;
	if (value.len > 6 && base_str_ieq((struct base_str){ value.ptr, 6 }, BASE_STR("mstrm:")))
		value = sip_from(value, 6);
	else if (value.len > 9 &&
	         base_str_ieq((struct base_str){ value.ptr, 9 }, BASE_STR("m-stream:")))
		value = sip_from(value, 9);
	else
		return offer_bad(err, "a=floorid names no streams (RFC 8856, 5.4)");
	ret->streams = offer_dup(arena, base_str_trim(value));
	return ret->streams.ptr ? 0 : BASE_ERR(BASE_LOCAL, 500);
}

static int floors(struct base_arena *arena, const struct sip_sdp_media *m, struct offer_bfcp *ret,
                  struct base_error *err)
{
	struct base_str value;
	size_t index = 0;
	int rc = 0;

	while (!rc && sip_sdp_attribute_next(m->lines, m->line_count, &index, "floorid", &value)) {
		if (ret->floors == BASE_COUNT(ret->floor))
			return offer_bad(err, "too many floors");
		rc = floor_of(arena, value, &ret->floor[ret->floors], err);
		ret->floors++;
	}
	return rc;
}

int offer_bfcp_read(struct base_arena *arena, const struct sip_sdp *sdp,
                    const struct sip_sdp_media *m, struct offer_remote *ret, struct base_error *err)
{
	uint64_t conference = 0, user = 0;
	int rc = floorctrl(sdp, m, ret, err);

	if (!rc)
		rc = versions(sdp, m, ret, err);
	if (!rc)
		rc = number(sdp, m, "confid", UINT32_MAX, &conference, err);
	if (!rc)
		rc = number(sdp, m, "userid", UINT16_MAX, &user, err);
	if (!rc)
		rc = floors(arena, m, &ret->bfcp, err);
	ret->bfcp.conference = (uint32_t)conference;
	ret->bfcp.user = (uint16_t)user;
	return rc;
}
