/* SPDX-License-Identifier: Apache-2.0 */
/** @file Our media descriptions, with the attributes in the order of their RFCs. */
#include "offer/sdp.h"

static void attribute(struct base_writer *w, const char *name, struct base_str value)
{
	base_writer_printf(w, "a=%s:%.*s\r\n", name, BASE_FMT(value));
}

static void msrp(struct base_writer *w, const struct offer_written *m)
{
	const struct offer_msrp *own = &m->media->msrp;

	attribute(w, "accept-types", own->accept_types);
	if (own->wrapped_types.len)
		attribute(w, "accept-wrapped-types", own->wrapped_types);
	if (own->max_size)
		base_writer_printf(w, "a=max-size:%llu\r\n", (unsigned long long)own->max_size);
	attribute(w, "path", base_str_of(m->path));
	if (own->chatroom.len)
		attribute(w, "chatroom", own->chatroom);
	else if (own->has_chatroom)
		base_writer_text(w, "a=chatroom\r\n");
	if (m->cema)
		base_writer_text(w, "a=msrp-cema\r\n");
}

static void bfcp(struct base_writer *w, const struct offer_written *m)
{
	const struct offer_bfcp *own = &m->media->bfcp;

	base_writer_printf(w, "a=floorctrl:%s\r\n", own->server ? "s-only" : "c-only");
	base_writer_printf(w, "a=bfcpver:%s%s\r\n", m->versions & OFFER_BFCP_1 ? "1" : "",
	                   m->versions == OFFER_BFCP_2    ? "2"
	                   : (m->versions & OFFER_BFCP_2) ? " 2"
	                                                  : "");
	if (!own->server)
		return;
	base_writer_printf(w, "a=confid:%u\r\na=userid:%u\r\n", (unsigned)own->conference,
	                   (unsigned)own->user);
	for (size_t i = 0; i < own->floors; i++) {
		const struct offer_floor *f = &own->floor[i];

		base_writer_printf(w, "a=floorid:%u%s%.*s\r\n", (unsigned)f->id,
		                   f->streams.len ? " mstrm:" : "", BASE_FMT(f->streams));
	}
}

void offer_address_write(struct base_writer *w, const char *address)
{
	base_writer_printf(w, "IN %s %s", strchr(address, ':') ? "IP6" : "IP4", address);
}

void offer_media_write(struct base_writer *w, const struct offer_written *m)
{
	bool is_msrp = m->media->app == OFFER_MSRP;

	base_writer_printf(w, "m=%s %u TCP/TLS/%s *\r\nc=", is_msrp ? "message" : "application",
	                   (unsigned)m->port, is_msrp ? "MSRP" : "BFCP");
	offer_address_write(w, m->address);
	base_writer_text(w, "\r\n");
	base_writer_printf(w, "a=setup:%s\r\na=connection:%s\r\n", offer_setup_name(m->setup),
	                   m->existing ? "existing" : "new");
	if (m->media->label.len)
		attribute(w, "label", m->media->label);
	if (is_msrp)
		msrp(w, m);
	else
		bfcp(w, m);
	if (m->key_mgmt.len) {
		mikey_sdp_write(w, m->key_mgmt.at, m->key_mgmt.len);
		base_writer_text(w, "\r\n");
	}
}

void offer_refused_write(struct base_writer *w, struct base_str type, struct base_str proto,
                         struct base_str formats)
{
	base_writer_printf(w, "m=%.*s 0 %.*s %.*s\r\n", BASE_FMT(type), BASE_FMT(proto),
	                   BASE_FMT(formats));
}
