/* SPDX-License-Identifier: Apache-2.0 */
/* ServiceChange descriptors and mIds. */
#include <stdio.h>

#include "h248/ber_out.h"
#include "h248/ber_private.h"

static void put_host(struct ber_out *o, unsigned tag, const void *host, size_t len,
                     const struct h248_mid *mid)
{
	size_t at = ber_begin(o, tag);

	ber_put(o, TAG(0), host, len);
	ber_put_uint_if(o, mid->has_port, TAG(1), mid->port);
	ber_close(o, at);
}

/* MId, or ServiceChangeAddress, which has a port before the same alternatives. */
void ber_put_mid(struct ber_out *o, unsigned tag, const struct h248_mid *mid, bool address)
{
	size_t at = ber_begin(o, tag);
	unsigned first = address ? 1 : 0;

	switch (mid->kind) {
	case H248_MID_IP4:
		put_host(o, BOX(first), mid->address, 4, mid);
		break;
	case H248_MID_IP6:
		put_host(o, BOX(first + 1), mid->address, 16, mid);
		break;
	case H248_MID_DOMAIN:
		put_host(o, BOX(first + 2), mid->name.ptr, mid->name.len, mid);
		break;
	case H248_MID_DEVICE:
		ber_put_str(o, TAG(first + 3), mid->name);
		break;
	case H248_MID_MTP:
		ber_put(o, TAG(first + 4), mid->address,
		        BASE_MIN(mid->address_len, sizeof(mid->address)));
		break;
	default:
		if (!address || mid->kind != H248_MID_PORT)
			o->bad = true;
		ber_put_uint(o, TAG(0), mid->port);
	}
	ber_close(o, at);
}

static void put_profile(struct ber_out *o, unsigned tag, const struct h248_services *sv)
{
	char text[80];
	size_t at = ber_begin(o, tag);
	int len =
	        snprintf(text, sizeof(text), "%.*s/%u", BASE_FMT(sv->profile), sv->profile_version);

	if (len < 0 || len > 67)
		o->bad = true;
	else
		ber_put(o, TAG(0), text, (size_t)len);
	ber_close(o, at);
}

static void put_reason(struct ber_out *o, const struct h248_services *sv)
{
	size_t at = ber_begin(o, BOX(4));

	if (sv->has_reason)
		ber_put_wrapped(o, TAG_OCTETS, sv->reason);
	ber_close(o, at);
}

static const struct h248_extension *put_upto(struct ber_out *o, const struct h248_extension *ext,
                                             uint32_t tag)
{
	for (; ext && ext->tag < tag; ext = ext->next)
		ber_put_raw(o, ext->data.ptr, ext->data.len);
	return ext;
}

/* X-name = value, which nonStandardData cannot hold more than one of (P). */
static void put_parms(struct ber_out *o, const struct h248_parm *parm)
{
	size_t at = ber_begin(o, OUR_BOX(BER_OURS_PARMS));

	for (; parm; parm = parm->next) {
		size_t one = ber_begin(o, TAG_SEQUENCE);

		ber_put_str(o, TAG(0), parm->name.item);
		ber_put_parm_value(o, BOX(1), NULL, parm);
		ber_close(o, one);
	}
	ber_close(o, at);
}

/* The number of `X-9`, else BER_OURS_ENUM with the name beside it. */
static bool method_number(const struct h248_services *sv, uint32_t *ret)
{
	uint64_t v = 0;
	struct base_str name = sv->method_extension;

	*ret = sv->method - 1U;
	if (sv->method != H248_METHOD_EXTENSION)
		return true;
	*ret = BER_OURS_ENUM;
	if (name.len < 3 || (name.ptr[0] | 0x20) != 'x' || name.ptr[1] != '-' ||
	    name.ptr[2] == '0' ||
	    base_str_u64((struct base_str){ name.ptr + 2, name.len - 2 }, 65535, &v) || v <= 5)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static void put_request(struct ber_out *o, const struct h248_services *sv)
{
	const struct h248_extension *ext = sv->extensions;
	uint32_t method;
	bool numbered = method_number(sv, &method);

	if (!sv->method)
		o->bad = true;
	ber_put_uint(o, TAG(0), method);
	if (sv->address)
		ber_put_mid(o, BOX(1), sv->address, true);
	ber_put_uint_if(o, sv->has_version, TAG(2), sv->version);
	if (sv->has_profile)
		put_profile(o, BOX(3), sv);
	put_reason(o, sv);
	ber_put_uint_if(o, sv->has_delay, TAG(5), sv->delay);
	if (sv->mgc_id)
		ber_put_mid(o, BOX(6), sv->mgc_id, false);
	if (sv->time.digits[0])
		ber_put_time(o, BOX(7), &sv->time);
	ext = put_upto(o, ext, 2U << 30 | 9); /* nonStandardData */
	if (sv->info)
		ber_put_audit(o, BOX(9), sv->info);
	ber_put_null_if(o, sv->incomplete, TAG(10));
	if (!numbered)
		ber_put_str(o, OUR_TAG(BER_OURS_METHOD), sv->method_extension);
	if (sv->parms)
		put_parms(o, sv->parms);
	ber_put_extensions(o, ext);
}

void ber_put_services(struct ber_out *o, unsigned tag, const struct h248_services *sv, bool reply)
{
	size_t at = ber_begin(o, tag);

	if (!reply) {
		put_request(o, sv);
		ber_close(o, at);
		return;
	}
	if (sv->mgc_id)
		ber_put_mid(o, BOX(0), sv->mgc_id, false);
	if (sv->address)
		ber_put_mid(o, BOX(1), sv->address, true);
	ber_put_uint_if(o, sv->has_version, TAG(2), sv->version);
	if (sv->has_profile)
		put_profile(o, BOX(3), sv);
	if (sv->time.digits[0])
		ber_put_time(o, BOX(4), &sv->time);
	ber_put_extensions(o, sv->extensions);
	ber_close(o, at);
}
