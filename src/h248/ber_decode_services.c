/* SPDX-License-Identifier: Apache-2.0 */
/* ServiceChangeParm, ServiceChangeResParm, and mIds. */
#include "h248/ber_in.h"
#include "h248/ber_private.h"
#include "h248/text_parse.h"

/* ---- mIds ---- */

/* DomainName, IP4Address, IP6Address: closed, an address or name and a port. */
static bool host(struct ber_parser *p, size_t min, size_t max, struct base_str *host,
                 struct h248_mid *ret)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ok = ber_sized(p, min, max, host);
		} else if (tag == 1) {
			ret->has_port = true;
			ok = ber_u16(p, &ret->port);
		} else {
			ok = ber_closed(p);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

static void address(struct h248_mid *ret, enum h248_mid_kind kind, struct base_str octets)
{
	ret->kind = (uint8_t)kind;
	ret->address_len = (uint8_t)octets.len;
	memcpy(ret->address, octets.ptr, octets.len);
}

static bool all_of(struct base_str s, unsigned classes, const char *more)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!text_is(s.ptr[i], classes) && !(s.ptr[i] && strchr(more, s.ptr[i])))
			return false;
	}
	return true;
}

static bool alternative(struct ber_parser *p, int tag, struct h248_mid *ret)
{
	struct base_str s = { 0 };

	switch (tag) {
	case 0:
		if (!host(p, 4, 4, &s, ret))
			return false;
		address(ret, H248_MID_IP4, s);
		return true;
	case 1:
		if (!host(p, 16, 16, &s, ret))
			return false;
		address(ret, H248_MID_IP6, s);
		return true;
	case 2:
		ret->kind = H248_MID_DOMAIN;
		return host(p, 1, 64, &ret->name, ret) &&
		       (all_of(ret->name, CH_NAME, "-.") || ber_expected(p, "a domain name"));
	case 3:
		ret->kind = H248_MID_DEVICE;
		return ber_sized(p, 1, 64, &ret->name) &&
		       (all_of(ret->name, CH_PATH, "") || ber_expected(p, "a path name"));
	case 4:
		if (!ber_sized(p, 2, 4, &s))
			return false;
		address(ret, H248_MID_MTP, s);
		return true;
	default:
		return ber_expected(p, "a known form of address");
	}
}

bool ber_mid(struct ber_parser *p, bool is_address, struct h248_mid *ret)
{
	struct ber_box box;
	int tag = ber_explicit(p, &box);
	bool ok;

	if (tag == BER_FAIL)
		return false;
	if (is_address && tag == 0) {
		ret->kind = H248_MID_PORT;
		ret->has_port = true;
		ok = ber_u16(p, &ret->port);
	} else {
		ok = alternative(p, is_address ? tag - 1 : tag, ret);
	}
	return ok && ber_done(p, &box);
}

static bool mid(struct ber_parser *p, bool is_address, const char *name, struct h248_mid **ret)
{
	*ret = BER_NEW(p, struct h248_mid);
	return *ret && (ber_mid(p, is_address, *ret) || ber_in(p, name, -1));
}

/* ---- ServiceChange ---- */

/* "name/version"; the version may be missing in what others send. */
static bool profile(struct ber_parser *p, struct h248_services *sv)
{
	const uint8_t *from = p->h.from;
	struct base_str whole = { 0 };
	const char *slash;
	uint64_t version = 1;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag ? !ber_closed(p) : !ber_sized(p, 1, 67, &whole))
			return false;
	}
	if (tag != BER_END || !ber_need(p, &box, 1, from))
		return false;
	slash = whole.len ? memchr(whole.ptr, '/', whole.len) : NULL;
	sv->has_profile = true;
	sv->profile = whole;
	if (slash) {
		sv->profile.len = (size_t)(slash - whole.ptr);
		if (base_str_u64((struct base_str){ slash + 1, whole.len - sv->profile.len - 1 },
		                 99, &version))
			return ber_fail(p, p->syntax_code, from, "a profile name and version");
	}
	sv->profile_version = (uint8_t)version;
	return (sv->profile.len && sv->profile.len <= 64 && all_of(sv->profile, CH_NAME, "")) ||
	       ber_fail(p, p->syntax_code, from, "a profile name and version");
}

/* Value: a list, of which one string is used. */
static bool reason(struct ber_parser *p, struct h248_services *sv)
{
	struct ber_box box;
	unsigned code = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_OCTET_STRING)) {
		if (sv->has_reason)
			return ber_expected(p, "one reason");
		sv->has_reason = true;
		if (!ber_wrapped_string(p, &sv->reason))
			return false;
	}
	if (p->code)
		return false;
	for (size_t i = 0; i < sv->reason.len && i < 4 && text_is(sv->reason.ptr[i], CH_DIGIT); i++)
		code = code * 10 + (unsigned)(sv->reason.ptr[i] - '0');
	sv->reason_code = (uint16_t)code;
	return true;
}

/* One `X-name = value`: name, then Value and extraInfo as a property has them. */
static bool our_parm(struct ber_parser *p, struct h248_parm *parm)
{
	const uint8_t *from = p->h.from;
	uint8_t extra = H248_FORM_NONE;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_extension_text(p, &parm->name.item)
		    : tag == 1 ? !ber_value_list(p, NULL, parm)
		    : tag == 2 ? !ber_extra(p, &extra)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from) && ber_form(p, parm, extra);
}

static bool our_parms(struct ber_parser *p, struct h248_parm **list)
{
	struct h248_parm **tail = list;
	struct ber_box box;
	unsigned count = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_parm *parm = BER_NEW(p, struct h248_parm);
		const uint8_t *from = p->h.from;

		if (!parm || !our_parm(p, parm) ||
		    !ber_parm_append(p, list, &tail, &count, parm, from))
			return false;
	}
	return !p->code;
}

static bool info(struct ber_parser *p, struct h248_services *sv)
{
	struct h248_descriptor *d = NULL;

	if (!ber_audit(p, &d))
		return ber_in(p, "serviceChangeInfo", -1);
	sv->info = (struct h248_audit *)d;
	return true;
}

static bool delay(struct ber_parser *p, struct h248_services *sv)
{
	sv->has_delay = true;
	return ber_uint(p, UINT32_MAX, &sv->delay);
}

static bool version(struct ber_parser *p, struct h248_services *sv)
{
	sv->has_version = true;
	return ber_u8(p, 99, &sv->version);
}

struct services_extra {
	uint32_t method;
	struct base_str method_text;
};

static bool request_field(struct ber_parser *p, int tag, struct h248_services *sv,
                          struct services_extra *x)
{
	switch (tag) {
	case 0:
		return ber_uint(p, 65535, &x->method);
	case 1:
		return mid(p, true, "serviceChangeAddress", &sv->address);
	case 2:
		return version(p, sv);
	case 3:
		return BER_AT(p, "serviceChangeProfile", profile(p, sv));
	case 4:
		return BER_AT(p, "serviceChangeReason", reason(p, sv));
	case 5:
		return delay(p, sv);
	case 6:
		return mid(p, false, "serviceChangeMgcId", &sv->mgc_id);
	case 7:
		return BER_AT(p, "timeStamp", ber_time(p, &sv->time));
	case 9:
		return info(p, sv);
	case 10:
		sv->incomplete = true;
		return ber_null(p);
	case BER_OURS + BER_OURS_METHOD:
		return ber_extension_text(p, &x->method_text);
	case BER_OURS + BER_OURS_PARMS:
		return our_parms(p, &sv->parms);
	default: /* nonStandardData, 8, is kept as it is */
		return ber_extension(p, &sv->extensions);
	}
}

bool ber_services(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_services *sv = BER_NEW(p, struct h248_services);
	const uint8_t *from = p->h.from;
	struct services_extra x = { 0 };
	struct ber_box box;
	int tag;

	if (!sv || !ber_open(p, &box))
		return false;
	sv->d.kind = H248_SERVICES;
	*ret = &sv->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (!request_field(p, tag, sv, &x))
			return ber_in(p, "serviceChangeParms", -1);
	}
	if (tag != BER_END)
		return false;
	if ((box.seen & 0x11) != 0x11 || !sv->has_reason)
		return ber_fail(p, H248_E_REQUIRED_MISSING, from, "method and reason");
	if (sv->address && sv->mgc_id)
		return ber_fail(p, H248_E_CONFLICT, from,
		                "serviceChangeAddress or serviceChangeMgcId, not both");
	sv->method = (uint8_t)(x.method <= 5 ? x.method + 1 : H248_METHOD_EXTENSION);
	return x.method <= 5 ||
	       ber_extension_name(p, x.method, x.method_text, &sv->method_extension);
}

static bool reply_field(struct ber_parser *p, int tag, struct h248_services *sv)
{
	switch (tag) {
	case 0:
		return mid(p, false, "serviceChangeMgcId", &sv->mgc_id);
	case 1:
		return mid(p, true, "serviceChangeAddress", &sv->address);
	case 2:
		return version(p, sv);
	case 3:
		return BER_AT(p, "serviceChangeProfile", profile(p, sv));
	case 4:
		return BER_AT(p, "timestamp", ber_time(p, &sv->time));
	default:
		return ber_extension(p, &sv->extensions);
	}
}

/* Without any parameter *ret stays NULL: text has no empty Services. */
bool ber_services_reply(struct ber_parser *p, struct h248_services **ret)
{
	struct h248_services *sv = BER_NEW(p, struct h248_services);
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!sv || !ber_open(p, &box))
		return false;
	sv->d.kind = H248_SERVICES;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (!reply_field(p, tag, sv))
			return ber_in(p, "serviceChangeResParms", -1);
	}
	if (sv->address && sv->mgc_id)
		return ber_fail(p, H248_E_CONFLICT, from,
		                "serviceChangeAddress or serviceChangeMgcId, not both");
	if (box.seen & 31)
		*ret = sv;
	return tag == BER_END;
}
