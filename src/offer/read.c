/* SPDX-License-Identifier: Apache-2.0 */
/** @file A peer's media description: what MSRP and BFCP have in common. */
#include "offer/sdp.h"

int offer_bad(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 488), "%s", why);
}

struct base_str offer_dup(struct base_arena *arena, struct base_str s)
{
	char *copy = base_arena_dup(arena, s);

	return (struct base_str){ copy, copy ? s.len : 0 };
}

struct base_str offer_word(struct base_str *rest)
{
	const char *sp = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
	struct base_str one = { rest->ptr, sp ? (size_t)(sp - rest->ptr) : rest->len };

	*rest = sip_from(*rest, one.len + (sp != NULL));
	return one;
}

bool offer_app_of(const struct sip_sdp_media *m, enum offer_app *ret)
{
	static const struct {
		const char *type, *proto;
		enum offer_app app;
	} known[] = {
		{ "message", "TCP/TLS/MSRP", OFFER_MSRP },     /* RFC 4975, 8.1 */
		{ "application", "TCP/TLS/BFCP", OFFER_BFCP }, /* RFC 8856, 4 */
	};

	for (size_t i = 0; i < BASE_COUNT(known); i++) {
		if (base_str_ieq(m->type, base_str_of(known[i].type)) &&
		    base_str_ieq(m->proto, base_str_of(known[i].proto))) {
			*ret = known[i].app;
			return true;
		}
	}
	return false;
}

static int transport(const struct sip_sdp *sdp, const struct sip_sdp_media *m, bool answer,
                     struct offer_remote *ret, struct base_error *err)
{
	struct base_str value;

	ret->setup = answer ? OFFER_PASSIVE : OFFER_ACTIVE;
	if (sip_sdp_attribute(sdp, m, "setup", &value) && !offer_setup_of(value, &ret->setup))
		return offer_bad(err, "a=setup is none of RFC 4145, 4");
	if (!sip_sdp_attribute(sdp, m, "connection", &value))
		return 0;
	ret->existing = base_str_ieq(value, BASE_STR("existing"));
	if (!ret->existing && !base_str_ieq(value, BASE_STR("new")))
		return offer_bad(err, "a=connection is none of RFC 4145, 5");
	return 0;
}

static int address(struct base_arena *arena, const struct sip_sdp *sdp,
                   const struct sip_sdp_media *m, struct offer_remote *ret, struct base_error *err)
{
	struct base_str host = { NULL, 0 };

	if (!sip_sdp_address(sdp, m, &host))
		return offer_bad(err, "no c= of IP4 or IP6 (RFC 8866, 5.7)");
	if (host.len >= OFFER_HOST_MAX || !host.len ||
	    !sip_all(host, SIP_CH_TOKEN | SIP_CH_USER | SIP_CH_PARAM))
		return offer_bad(err, "the address of c= is none (RFC 8866, 5.7)");
	ret->host = offer_dup(arena, host);
	ret->port = m->port;
	return ret->host.ptr ? 0 : BASE_ERR(BASE_LOCAL, 500);
}

/* Lines of one level: which protocols, in their order, and the one of MIKEY. */
static int key_lines(struct base_arena *arena, const struct sip_sdp_line *lines, size_t count,
                     struct offer_remote *ret, struct base_error *err)
{
	char text[1024];
	struct base_writer list = base_writer_over(text, sizeof(text));
	struct base_str value;
	size_t index = 0;
	int rc = 0;

	while (!rc && sip_sdp_attribute_next(lines, count, &index, "key-mgmt", &value)) {
		struct base_str rest, id;
		bool mikey;

		rest = value.len && value.ptr[0] == ' ' ? sip_from(value, 1) : value;
		id = offer_word(&rest);
		mikey = base_str_ieq(id, BASE_STR(MIKEY_SDP_ID));
		if (!id.len || !rest.len)
			rc = offer_bad(err,
			               "a=key-mgmt has no protocol or no data (RFC 4567, 3.1)");
		else if (mikey && ret->key_mgmt.len)
			rc = offer_bad(err, "two offers of one key-mgmt protocol (RFC 4567, "
			                    "4.1.2: not to negotiate within it)");
		else if (mikey)
			ret->key_mgmt = rest;
		if (list.len)
			base_writer_u8(&list, ';');
		base_writer_str(&list, mikey ? BASE_STR(MIKEY_SDP_ID) : id);
	}
	if (!rc && list.failed)
		rc = offer_bad(err, "too many key-mgmt protocols");
	if (!rc && list.len) {
		ret->listed = offer_dup(arena, base_writer_view(&list));
		rc = ret->listed.ptr ? 0 : BASE_ERR(BASE_LOCAL, 500);
	}
	return rc;
}

/* How many media descriptions go by the session's key-mgmt. */
static size_t by_the_session(const struct sip_sdp *sdp)
{
	size_t count = 0;

	for (size_t i = 0; i < sdp->media_count; i++) {
		const struct sip_sdp_media *m = &sdp->media[i];
		struct base_str value;
		size_t index = 0;

		count += m->port && !sip_sdp_attribute_next(m->lines, m->line_count, &index,
		                                            "key-mgmt", &value);
	}
	return count;
}

/* The media description's own, which overrides the session's (RFC 4567, 3.1). One message at the
 * session's level has one crypto session (TS 33.328, H.3), so it can be one stream's only. */
static int keys(struct base_arena *arena, const struct sip_sdp *sdp, const struct sip_sdp_media *m,
                struct offer_remote *ret, struct base_error *err)
{
	int rc = key_lines(arena, m->lines, m->line_count, ret, err);

	if (rc || ret->listed.len)
		return rc;
	rc = key_lines(arena, sdp->lines, sdp->line_count, ret, err);
	if (!rc && ret->listed.len && by_the_session(sdp) > 1)
		return offer_bad(err, "one a=key-mgmt for several streams, with one crypto session "
		                      "(TS 33.328, H.3)");
	return rc;
}

int offer_remote_read(struct base_arena *arena, const struct sip_sdp *sdp,
                      const struct sip_sdp_media *m, enum offer_app app, bool answer,
                      struct offer_remote *ret, struct base_error *err)
{
	struct offer_remote r = { .app = app };
	int rc = address(arena, sdp, m, &r, err);

	if (!rc)
		rc = transport(sdp, m, answer, &r, err);
	if (!rc)
		rc = app == OFFER_MSRP ? offer_msrp_read(arena, sdp, m, &r, err)
		                       : offer_bfcp_read(arena, sdp, m, &r, err);
	if (!rc)
		rc = keys(arena, sdp, m, &r, err);
	if (!rc)
		*ret = r;
	return rc;
}
