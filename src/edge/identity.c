/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose identity a request may carry, and what is said about identities across the border of trust
 * (RFC 3325, R; RFC 7315; TS 24.229, 5.2.6, R).
 */
#include <stdio.h>

#include "edge/private.h"

/* With its parameters, which have one order (RFC 3966, 3 and 4, R); no key of another is like it.
 */
static struct base_str number_key(const struct sip_uri *u, char buf[SIP_URI_KEY_MAX])
{
	size_t head = (size_t)snprintf(buf, SIP_URI_KEY_MAX, "tel:");
	size_t len = head + sip_uri_key(u, buf + head, SIP_URI_KEY_MAX - head);

	if (len == head || u->params.len > SIP_URI_KEY_MAX - len)
		return u->text;
	for (size_t i = 0; i < u->params.len; i++)
		buf[len++] = (char)base_lower(u->params.ptr[i]);
	return (struct base_str){ buf, len };
}

struct base_str edge_identity_key(struct base_str uri, char buf[SIP_URI_KEY_MAX])
{
	struct sip_uri u;
	size_t len;

	if (sip_uri_parse(uri, &u))
		return uri;
	/* a local number is one with its phone-context alone, an extension is somebody else's */
	if (u.scheme == SIP_SCHEME_TEL && (u.user.ptr[0] != '+' || u.params.len))
		return number_key(&u, buf);
	len = sip_uri_key(&u, buf, SIP_URI_KEY_MAX);
	return len ? (struct base_str){ buf, len } : uri;
}

const struct edge_identity *edge_identity_find(const struct edge_bound *bound, struct base_str uri)
{
	char buf[SIP_URI_KEY_MAX];
	struct base_str key = edge_identity_key(uri, buf);

	for (size_t i = 0; i < bound->impu_count; i++)
		if (base_str_eq(bound->identities[i].key, key))
			return &bound->identities[i];
	return NULL;
}

/* RFC 3323, 4.1.1.3 (R) */
static bool is_anonymous(struct base_str uri)
{
	char buf[SIP_URI_KEY_MAX];

	return base_str_eq(edge_identity_key(uri, buf), BASE_STR("anonymous@anonymous.invalid"));
}

/* A caller who was called goes by the URI it was called by, which need not be one of the binding:
 * the token of our Record-Route knows it. */
bool edge_identity_dialogs(const struct edge_token *token, struct base_str uri)
{
	uint8_t self[8];

	if (!token || token->kind == EDGE_TOKEN_PATH)
		return false;
	edge_token_self(uri, self);
	return base_secret_equal(self, sizeof(self), token->self, sizeof(token->self));
}

const char *edge_identity_judge(const struct edge_bound *bound, const struct sip_message *msg,
                                bool in_dialog, const struct edge_token *token)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_P_PREFERRED_IDENTITY };
	struct base_str one;

	while (sip_values_next(&values, &one)) {
		struct sip_addr addr;

		if (sip_addr_parse(one, &addr) || !edge_identity_find(bound, addr.uri))
			return "P-Preferred-Identity is not of this registration";
	}
	if (edge_identity_find(bound, msg->from.uri) || is_anonymous(msg->from.uri) ||
	    (in_dialog && edge_identity_dialogs(token, msg->from.uri)))
		return NULL;
	return "From is not of this registration";
}

struct base_str edge_identity_assert(const struct edge_bound *bound, const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_P_PREFERRED_IDENTITY };
	const struct edge_identity *own = NULL;
	struct sip_addr addr;
	struct base_str one;

	if (sip_values_next(&values, &one) && !sip_addr_parse(one, &addr))
		own = edge_identity_find(bound, addr.uri);
	return own ? own->uri : bound->identities[0].uri;
}

/* -- the border of trust -- */

/* What only those within the domain of trust may say to each other. */
static const char *const ours[] = {
	"P-Charging-Vector",    "P-Charging-Function-Addresses",
	"P-Visited-Network-ID", "P-Asserted-Service",
	"P-Served-User",        "P-Profile-Key",
	"P-User-Database",      "P-Private-Network-Indication",
	"P-Refused-URI-List",
};

/* Those begin with `P-`, as few others do. */
static bool is_p(const struct sip_header *h)
{
	return h->name.len > 2 && base_lower(h->name.ptr[0]) == 'p' && h->name.ptr[1] == '-';
}

static bool is_one(const struct sip_header *h, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (base_str_ieq(h->name, base_str_of(names[i])))
			return true;
	return false;
}

/* `np` and network-provided say that a network has put it in (RFC 7315, 4.4). */
static bool by_a_network(const struct sip_header *h)
{
	struct base_str rest = h->value, one;

	if (!base_str_ieq(h->name, BASE_STR("P-Access-Network-Info")))
		return false;
	while (sip_list_next(&rest, &one)) {
		struct base_str params = sip_from(one, sip_span(one, SIP_CH_TOKEN));
		struct sip_param param;
		int more;

		while ((more = sip_param_next(&params, &param)) == 1)
			if (base_str_ieq(param.name, BASE_STR("network-provided")) ||
			    base_str_ieq(param.name, BASE_STR("np")))
				return true;
		if (more || sip_skip(params).len) /* who knows what others read there */
			return true;
	}
	return false;
}

/* May a UE say that? */
static bool not_a_ues(const struct sip_header *h)
{
	switch (h->id) {
	case SIP_H_P_ASSERTED_IDENTITY:
	case SIP_H_P_PREFERRED_IDENTITY:
	case SIP_H_P_ASSOCIATED_URI:
	case SIP_H_PATH:
	case SIP_H_SERVICE_ROUTE:
	case SIP_H_SECURITY_CLIENT:
	case SIP_H_SECURITY_VERIFY:
		return true;
	case SIP_H_OTHER:
		if (!is_p(h)) /* what came before RFC 3325 says who it is, too */
			return base_str_ieq(h->name, BASE_STR("Remote-Party-ID"));
		return base_str_ieq(h->name, BASE_STR("P-Called-Party-ID")) ||
		       is_one(h, ours, BASE_COUNT(ours)) || by_a_network(h);
	default:
		return false;
	}
}

void edge_strip_up(struct sip_edit *edit)
{
	for (size_t i = 0; i < edit->msg->header_count; i++)
		if (not_a_ues(&edit->msg->headers[i]))
			sip_edit_drop(edit, &edit->msg->headers[i]);
	edge_agree_strip(edit);
	if (edit->msg->request)
		edge_credentials_mark(edit, NULL);
}

/* Does it want to be nobody? Values stand apart by `;` (RFC 3323, 4.2, R). */
static bool wants_id(const struct sip_header *privacy)
{
	struct base_str rest = privacy->value;

	while (rest.len) {
		struct base_str word = { rest.ptr, sip_span(rest, SIP_CH_TOKEN) };

		if (base_str_ieq(word, BASE_STR("id")))
			return true;
		rest = sip_from(rest, word.len);
		while (rest.len && !sip_is(rest.ptr[0], SIP_CH_TOKEN))
			rest = sip_from(rest, 1);
	}
	return false;
}

void edge_strip_down(struct sip_edit *edit)
{
	const struct sip_message *msg = edit->msg;
	const struct sip_header *privacy = sip_header(msg, SIP_H_PRIVACY);
	bool hide = false;

	for (; privacy && !hide; privacy = sip_header_after(msg, privacy))
		hide = wants_id(privacy);
	for (size_t i = 0; i < msg->header_count; i++) {
		const struct sip_header *h = &msg->headers[i];

		if (h->id == SIP_H_P_ASSERTED_IDENTITY
		            ? hide
		            : h->id == SIP_H_OTHER && is_p(h) && is_one(h, ours, BASE_COUNT(ours)))
			sip_edit_drop(edit, h);
	}
}

void edge_charge(struct edge_core *core, struct sip_edit *edit)
{
	sip_edit_pushf(edit, "P-Charging-Vector",
	               "icid-value=\"%016llx%08llx\";icid-generated-at=%.*s",
	               (unsigned long long)core->epoch, (unsigned long long)++core->charged,
	               BASE_FMT(core->rules->core_name));
}
