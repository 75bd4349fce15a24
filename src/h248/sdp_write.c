/* SPDX-License-Identifier: Apache-2.0 */
/* A group as text, in the order of RFC 8866, 9. */
#include <arpa/inet.h>

#include "h248/sdp_parser.h"

const struct h248_sdp_pass h248_sdp_passes[H248_SDP_PASS_COUNT] = {
	[H248_SDP_PASS_ABOUT] = { "iuep", false }, [H248_SDP_PASS_TIME] = { "btrzk", false },
	[H248_SDP_PASS_SESSION] = { "a", false },  [H248_SDP_PASS_MEDIA] = { "ibk", true },
	[H248_SDP_PASS_ATTR] = { "a", true },
};

const struct h248_sdp_line *h248_sdp_pass_next(const struct h248_sdp_pass *pass,
                                               const struct h248_sdp_line *line)
{
	while (line && (line->media != pass->media || !strchr(pass->types, line->type)))
		line = line->next;
	return line;
}

static void put_line(struct base_writer *w, char type, struct base_str value)
{
	base_writer_u8(w, (uint8_t)type);
	base_writer_u8(w, '=');
	base_writer_str(w, value);
	base_writer_text(w, "\r\n");
}

static void put_attribute(struct base_writer *w, const char *name, const char *value)
{
	base_writer_printf(w, "a=%s%s%s\r\n", name, value ? ":" : "", value ? value : "");
}

static void put_pass(struct base_writer *w, const struct h248_sdp_group *group, int pass)
{
	const struct h248_sdp_pass *which = &h248_sdp_passes[pass];
	const struct h248_sdp_line *line = h248_sdp_pass_next(which, group->lines);

	for (; line; line = h248_sdp_pass_next(which, line->next))
		put_line(w, line->type, line->value);
}

/* "IP4 192.0.2.1" and the like. */
static void put_address(struct base_writer *w, const struct h248_sdp_connection *c)
{
	char text[INET6_ADDRSTRLEN] = "";

	base_writer_text(w, c->family == AF_INET ? "IP4 " : c->family == AF_INET6 ? "IP6 " : "$ ");
	switch ((enum h248_sdp_address_kind)c->kind) {
	case H248_SDP_ADDRESS_ABSENT:
	case H248_SDP_ADDRESS_CHOOSE:
		base_writer_text(w, "$");
		break;
	case H248_SDP_ADDRESS_IP4:
	case H248_SDP_ADDRESS_IP6:
		base_writer_text(w,
		                 inet_ntop(c->family, c->octets, text, sizeof(text)) ? text : "");
		break;
	case H248_SDP_ADDRESS_NAME:
		base_writer_str(w, c->name);
		break;
	}
}

/* o= as a gateway fills it (spec sheet, section 8): with its address, once there is one. */
static void put_origin(struct base_writer *w, const struct h248_sdp_group *group)
{
	bool known = group->connection.kind == H248_SDP_ADDRESS_IP4 ||
	             group->connection.kind == H248_SDP_ADDRESS_IP6;

	base_writer_text(w, "o=- 0 0 IN ");
	if (known)
		put_address(w, &group->connection);
	else
		base_writer_text(w, "IP4 0.0.0.0");
	base_writer_text(w, "\r\n");
}

static bool has_time(const struct h248_sdp_group *group)
{
	const struct h248_sdp_line *line = group->lines;

	while (line && line->type != 't')
		line = line->next;
	return line != NULL;
}

static void put_session(struct base_writer *w, const struct h248_sdp_group *group,
                        enum h248_sdp_style style)
{
	base_writer_text(w, "v=0\r\n");
	if (group->origin.ptr)
		put_line(w, 'o', group->origin);
	else if (style == H248_SDP_FULL)
		put_origin(w, group);
	if (group->session.ptr)
		put_line(w, 's', group->session);
	else if (style == H248_SDP_FULL)
		base_writer_text(w, "s=-\r\n");
	put_pass(w, group, H248_SDP_PASS_ABOUT);
	if (group->connection.kind != H248_SDP_ADDRESS_ABSENT) {
		base_writer_text(w, group->connection.family ? "c=IN " : "c=$ ");
		put_address(w, &group->connection);
		base_writer_str(w, group->connection.scope);
		base_writer_text(w, "\r\n");
	}
	if (style == H248_SDP_FULL && !has_time(group))
		base_writer_text(w, "t=0 0\r\n");
	put_pass(w, group, H248_SDP_PASS_TIME);
	put_pass(w, group, H248_SDP_PASS_SESSION);
}

static void put_media(struct base_writer *w, const struct h248_sdp_media *m)
{
	base_writer_text(w, "m=");
	base_writer_str(w, m->type);
	if (m->port_choose)
		base_writer_text(w, " $");
	else
		base_writer_printf(w, " %u", m->port);
	if (m->port_count)
		base_writer_printf(w, "/%u", (unsigned)m->port_count);
	base_writer_u8(w, ' ');
	base_writer_str(w, m->proto);
	for (const struct h248_sdp_text *f = m->formats; f; f = f->next) {
		base_writer_u8(w, ' ');
		base_writer_str(w, f->text);
	}
	base_writer_text(w, "\r\n");
}

static void put_fingerprint(struct base_writer *w, const struct h248_sdp_fingerprint *fp)
{
	char text[3 * H248_SDP_FINGERPRINT_MAX + 1] = "$";

	base_writer_text(w, "a=fingerprint:");
	if (fp->hash != H248_SDP_HASH_CHOOSE) {
		base_writer_str(w, fp->name);
		base_writer_u8(w, ' ');
	}
	if (!fp->choose)
		base_hex_encode(fp->octets, fp->len, ':', true, text);
	base_writer_printf(w, "%s\r\n", text);
}

static const char *reuse_name(unsigned reuse)
{
	return reuse == H248_SDP_NEW ? "new" : reuse == H248_SDP_EXISTING ? "existing" : "$";
}

static void put_attributes(struct base_writer *w, const struct h248_sdp_group *group)
{
	static const char *const directions[] = { "", "sendrecv", "sendonly", "recvonly",
		                                  "inactive" };

	if (group->setup)
		put_attribute(w, "setup", h248_sdp_setup_name((enum h248_sdp_setup)group->setup));
	if (group->reuse)
		put_attribute(w, "connection", reuse_name(group->reuse));
	for (const struct h248_sdp_fingerprint *fp = group->fingerprints; fp; fp = fp->next)
		put_fingerprint(w, fp);
	if (group->tls_id.len) {
		base_writer_text(w, "a=tls-id:");
		base_writer_str(w, group->tls_id);
		base_writer_text(w, "\r\n");
	}
	for (const struct h248_sdp_text *path = group->paths; path; path = path->next) {
		base_writer_text(w, "a=path:");
		base_writer_str(w, path->text);
		base_writer_text(w, "\r\n");
	}
	if (group->msrp_cema)
		put_attribute(w, "msrp-cema", NULL);
	if (group->direction)
		put_attribute(w, directions[group->direction], NULL);
}

void h248_sdp_group_write(struct base_writer *w, const struct h248_sdp_group *group,
                          enum h248_sdp_style style)
{
	put_session(w, group, style);
	if (group->has_media) {
		put_media(w, &group->media);
		put_pass(w, group, H248_SDP_PASS_MEDIA);
	}
	put_attributes(w, group);
	put_pass(w, group, H248_SDP_PASS_ATTR);
}

void h248_sdp_write(struct base_writer *w, const struct h248_sdp *sdp, enum h248_sdp_style style)
{
	for (const struct h248_sdp_group *group = sdp->groups; group; group = group->next)
		h248_sdp_group_write(w, group, style);
}
