/* SPDX-License-Identifier: Apache-2.0 */
/* Responses that pass (TS 24.229, 5.2.6, R), and the REGISTER that the edge sends itself. */
#include "edge/private.h"

static bool its_own(const struct edge_bound *bound, struct base_str element, struct base_str *ret)
{
	const struct edge_identity *own;
	struct sip_addr addr;

	if (sip_addr_parse(element, &addr))
		return false;
	own = edge_identity_find(bound, addr.uri);
	if (own)
		*ret = own->uri;
	return own;
}

/* Who has answered: whom it prefers to be, whom it was called, its first identity. */
static struct base_str answered_as(const struct edge_bound *bound, const struct sip_message *msg,
                                   const struct sip_message *request)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_P_PREFERRED_IDENTITY };
	const struct sip_header *called =
	        request ? sip_header_named(request, "P-Called-Party-ID") : NULL;
	const struct edge_identity *own;
	struct base_str one, uri;

	if (sip_values_next(&values, &one) && its_own(bound, one, &uri))
		return uri;
	if (called && its_own(bound, called->value, &uri))
		return uri;
	own = edge_identity_find(bound, msg->to.uri);
	return own ? own->uri : bound->impus[0];
}

/* From a UE to the core. */
static void pass_up(struct edge_core *core, const struct edge_response *r, struct sip_edit *edit)
{
	const struct edge_flow *flow = edge_flow_find(core, r->decision->flow);
	const struct sip_header *charge =
	        r->request ? sip_header_named(r->request, "P-Charging-Vector") : NULL;

	edge_strip_up(edit);
	if (charge)
		sip_edit_push(edit, "P-Charging-Vector", charge->value);
	if (r->decision->way == EDGE_WAY_DOWN && flow && flow->bound)
		sip_edit_pushf(edit, "P-Asserted-Identity", "<%.*s>",
		               BASE_FMT(answered_as(flow->bound, r->msg, r->request)));
	if (r->request && edge_forms_dialog(r->request) && r->msg->to_tag.len && r->status < 300)
		edge_routes_restore(core, r->request, r->decision->flow, edit);
}

void edge_response_pass(struct edge_core *core, const struct edge_response *r,
                        struct sip_edit *edit)
{
	switch (r->decision->way) {
	case EDGE_WAY_REGISTER:
		if (edit)
			edge_strip_down(edit);
		edge_register_response(core, r, edit);
		break;
	case EDGE_WAY_UP:
	case EDGE_WAY_EMERGENCY:
	case EDGE_WAY_UP_DIALOG:
		if (!edit)
			break;
		edge_strip_down(edit);
		if (r->decision->way != EDGE_WAY_UP_DIALOG && r->status < 300)
			edge_routes_settle(core, r->decision->flow, edit);
		break;
	case EDGE_WAY_DOWN:
	case EDGE_WAY_DOWN_DIALOG:
		if (edit)
			pass_up(core, r, edit);
		break;
	case EDGE_WAY_OWNER: /* the other edge has done it */
		break;
	}
}

static void quoted(struct base_writer *w, struct base_str text)
{
	base_writer_u8(w, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			base_writer_u8(w, '\\');
		base_writer_u8(w, (uint8_t)text.ptr[i]);
	}
	base_writer_u8(w, '"');
}

void edge_parting_write(const struct edge_parting *p, const char *via, const char *call_id,
                        struct base_writer *w)
{
	struct sip_addr contact = { 0 };
	struct sip_param param;
	struct base_str rest;

	(void)sip_addr_parse(p->contact, &contact);
	base_writer_printf(
	        w,
	        "REGISTER %.*s SIP/2.0\r\n%s%s%sMax-Forwards: 70\r\n"
	        "From: <%.*s>;tag=%s\r\nTo: <%.*s>\r\nCall-ID: %s\r\nCSeq: 1 REGISTER\r\n",
	        BASE_FMT(p->registrar), via ? "Via: " : "", via ? via : "", via ? "\r\n" : "",
	        BASE_FMT(p->aor), call_id, BASE_FMT(p->aor), call_id);
	base_writer_printf(w, "Contact: <%.*s>", BASE_FMT(contact.uri));
	rest = contact.params;
	while (sip_param_next(&rest, &param) == 1)
		if (!base_str_ieq(param.name, BASE_STR("expires")))
			base_writer_printf(w, ";%.*s%s%.*s", BASE_FMT(param.name),
			                   param.value.ptr ? "=" : "", BASE_FMT(param.value));
	base_writer_printf(w, ";expires=0\r\nExpires: 0\r\nPath: %.*s\r\n", BASE_FMT(p->path));
	base_writer_text(
	        w, "Require: path\r\nSupported: path, outbound\r\nAuthorization: Digest username=");
	quoted(w, p->impi);
	base_writer_text(w, ", realm=");
	quoted(w, p->realm);
	base_writer_printf(w,
	                   ", nonce=\"\", uri=\"%.*s\", response=\"\", "
	                   "integrity-protected=\"tls-yes\"\r\nContent-Length: 0\r\n\r\n",
	                   BASE_FMT(p->registrar));
}
