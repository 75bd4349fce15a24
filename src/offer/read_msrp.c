/* SPDX-License-Identifier: Apache-2.0 */
/** @file Attributes of MSRP (RFC 4975, 8; RFC 6714, 5; RFC 7701, 8). */
#include "msrp/msrp.h"
#include "offer/sdp.h"

/* The first URI says where to connect (RFC 4975, 8.3). */
static int path_check(struct offer_remote *r, struct base_error *err)
{
	struct base_str rest = r->msrp.path, first = msrp_path_next(&rest);
	size_t count = msrp_path_count(r->msrp.path);
	struct msrp_uri uri = { .has_port = false };

	if (!count || msrp_uri_parse(first, &uri) || !uri.has_port || !uri.port)
		return offer_bad(err, "a=path is no list of MSRP URIs with ports (RFC 4975, 8.2)");
	if (!uri.secure)
		return offer_bad(err, "a=path is msrp, and the transport TLS (RFC 4975, 14.2)");
	r->relayed = count > 1;
	r->path_port = uri.port;
	r->path_host = uri.host;
	if (uri.host.len > 2 && uri.host.ptr[0] == '[')
		r->path_host = (struct base_str){ uri.host.ptr + 1, uri.host.len - 2 };
	return 0;
}

static bool text(struct base_arena *arena, const struct sip_sdp *sdp, const struct sip_sdp_media *m,
                 const char *name, struct base_str *ret, int *rc)
{
	struct base_str value;

	if (!sip_sdp_attribute(sdp, m, name, &value))
		return false;
	*ret = offer_dup(arena, base_str_trim(value));
	if (!ret->ptr)
		*rc = BASE_ERR(BASE_LOCAL, 500);
	return true;
}

int offer_msrp_read(struct base_arena *arena, const struct sip_sdp *sdp,
                    const struct sip_sdp_media *m, struct offer_remote *ret, struct base_error *err)
{
	struct offer_msrp *msrp = &ret->msrp;
	struct base_str value;
	int rc = 0;

	if (!text(arena, sdp, m, "path", &msrp->path, &rc))
		return offer_bad(err, "no a=path (RFC 4975, 8.2)");
	if (!text(arena, sdp, m, "accept-types", &msrp->accept_types, &rc) ||
	    (!rc && !msrp->accept_types.len))
		return offer_bad(err, "no a=accept-types (RFC 4975, 8.6)");
	(void)text(arena, sdp, m, "accept-wrapped-types", &msrp->wrapped_types, &rc);
	msrp->has_chatroom = text(arena, sdp, m, "chatroom", &msrp->chatroom, &rc);
	if (rc)
		return rc;
	msrp->cema = sip_sdp_attribute(sdp, m, "msrp-cema", &value);
	if (sip_sdp_attribute(sdp, m, "max-size", &value) &&
	    base_str_u64(value, UINT64_MAX, &msrp->max_size))
		return offer_bad(err, "a=max-size is no number (RFC 4975, 8.6)");
	return path_check(ret, err);
}
