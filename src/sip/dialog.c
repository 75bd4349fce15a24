/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/dialog.h"

#include <stdlib.h>

struct sip_dialog {
	struct base_arena arena;
	struct base_str call_id;
	struct base_str local_tag, remote_tag; /* ptr NULL = none (RFC 2543) */
	struct base_str local, remote;         /* values of From and To of our requests */
	struct base_str target;
	struct base_writer target_text;         /* apart, for a peer may move and move */
	struct base_str routes[SIP_ROUTES_MAX]; /* elements, in our requests' order */
	size_t route_count;
	uint32_t local_seq, invite_seq, remote_seq;
	bool remote_seen; /* remote_seq is one */
	bool confirmed;
};

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 500)
#define BAD       BASE_ERR(BASE_PEER, 400)

static int keep(struct sip_dialog *d, struct base_str from, struct base_str *ret)
{
	char *copy;

	if (!from.ptr) {
		*ret = from;
		return 0;
	}
	copy = base_arena_dup(&d->arena, from);
	if (!copy)
		return NO_MEMORY;
	*ret = (struct base_str){ copy, from.len };
	return 0;
}

/* The one Contact, which is a sip or sips URI (12.1.1, 12.1.2). */
static int keep_target(struct sip_dialog *d, const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_CONTACT };
	struct base_str one, second;
	struct sip_addr addr;
	struct sip_uri uri;

	if (!sip_values_next(&values, &one) || sip_values_next(&values, &second) ||
	    sip_addr_parse(one, &addr) || sip_uri_parse(addr.uri, &uri) ||
	    (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS) || uri.headers.ptr)
		return BAD; /* headers: it becomes a Request-URI, which has none (19.1.1, table 1)
		             */
	base_writer_reset(&d->target_text);
	if (!base_writer_reserve(&d->target_text, addr.uri.len))
		return NO_MEMORY; /* its octets are there yet: it goes on to where it went */
	base_writer_str(&d->target_text, addr.uri);
	d->target = base_writer_view(&d->target_text);
	return 0;
}

/* Record-Route, in its order for who is asked, turned round for who asks (12.1.1, 12.1.2). */
static int keep_routes(struct sip_dialog *d, const struct sip_message *msg, bool turned)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_RECORD_ROUTE };
	struct base_str one;

	d->route_count = 0;
	while (sip_values_next(&values, &one)) {
		struct sip_addr addr;
		struct sip_uri uri;

		if (d->route_count == SIP_ROUTES_MAX || sip_addr_parse(one, &addr) ||
		    sip_uri_parse(addr.uri, &uri) || uri.headers.ptr)
			return BAD;
		if (keep(d, one, &d->routes[d->route_count]))
			return NO_MEMORY;
		d->route_count++;
	}
	for (size_t i = 0; turned && i < d->route_count / 2; i++) {
		struct base_str swap = d->routes[i];

		d->routes[i] = d->routes[d->route_count - 1 - i];
		d->routes[d->route_count - 1 - i] = swap;
	}
	return 0;
}

/* `From` or `To` as it will stand in our requests: with this tag, if it has none yet. */
static int keep_party(struct sip_dialog *d, const struct sip_message *msg, enum sip_header_id id,
                      struct base_str tag, struct base_str *ret)
{
	struct base_str value = sip_header(msg, id)->value;
	static const char name[] = ";tag=";
	const size_t name_len = sizeof(name) - 1;
	char *text;

	if (!tag.len ||
	    sip_param_find(id == SIP_H_TO ? msg->to.params : msg->from.params, "tag", NULL))
		return keep(d, value, ret);
	text = base_arena_alloc(&d->arena, value.len + name_len + tag.len);
	if (!text)
		return NO_MEMORY;
	*ret = (struct base_str){ text, value.len + name_len + tag.len };
	memcpy(text, value.ptr, value.len); /* no printf: octets of value 0 may be in it */
	memcpy(text + value.len, name, name_len);
	memcpy(text + value.len + name_len, tag.ptr, tag.len);
	return 0;
}

static int dialog_new(struct sip_dialog **ret, struct base_str call_id, struct base_str local_tag,
                      struct base_str remote_tag)
{
	struct sip_dialog *d = calloc(1, sizeof(*d));

	if (!d)
		return NO_MEMORY;
	d->arena.chunk_size = 1024;
	d->arena.limit = (size_t)4 * SIP_MESSAGE_OCTETS_MAX;
	if (keep(d, call_id, &d->call_id) || keep(d, local_tag, &d->local_tag) ||
	    keep(d, remote_tag, &d->remote_tag)) {
		sip_dialog_free(d);
		return NO_MEMORY;
	}
	*ret = d;
	return 0;
}

static int publish(struct sip_dialog **ret, struct sip_dialog *d, int rc)
{
	if (rc)
		sip_dialog_free(d);
	else
		*ret = d;
	return rc;
}

int sip_dialog_served(struct sip_dialog **ret, const struct sip_message *request,
                      struct base_str tag)
{
	struct sip_dialog *d;
	int rc;

	if (request->fault || !request->request || !request->from_tag.len)
		return BAD;
	rc = dialog_new(&d, request->call_id, tag, request->from_tag);
	if (rc)
		return rc;
	d->remote_seq = request->cseq;
	d->remote_seen = d->confirmed = true;
	rc = keep_party(d, request, SIP_H_TO, tag, &d->local);
	if (!rc)
		rc = keep_party(d, request, SIP_H_FROM, request->from_tag, &d->remote);
	if (!rc)
		rc = keep_target(d, request);
	if (!rc)
		rc = keep_routes(d, request, false);
	return publish(ret, d, rc);
}

int sip_dialog_begun(struct sip_dialog **ret, const struct sip_message *request,
                     const struct sip_message *response)
{
	struct sip_dialog *d;
	int rc;

	if (request->fault || response->fault || response->request || response->status <= 100 ||
	    response->status >= 300 || !base_str_eq(request->call_id, response->call_id))
		return BAD;
	rc = dialog_new(&d, request->call_id, request->from_tag, response->to_tag);
	if (rc)
		return rc;
	d->local_seq = d->invite_seq = request->cseq;
	d->confirmed = response->status >= 200;
	rc = keep_party(d, request, SIP_H_FROM, request->from_tag, &d->local);
	if (!rc)
		rc = keep_party(d, response, SIP_H_TO, response->to_tag, &d->remote);
	if (!rc)
		rc = keep_target(d, response);
	if (!rc)
		rc = keep_routes(d, response, true);
	return publish(ret, d, rc);
}

void sip_dialog_free(struct sip_dialog *dialog)
{
	if (!dialog)
		return;
	base_arena_done(&dialog->arena);
	base_writer_done(&dialog->target_text);
	free(dialog);
}

bool sip_dialog_has(const struct sip_dialog *dialog, const struct sip_message *msg)
{
	struct base_str local = msg->request ? msg->to_tag : msg->from_tag;
	struct base_str remote = msg->request ? msg->from_tag : msg->to_tag;

	return !msg->fault && base_str_eq(dialog->call_id, msg->call_id) &&
	       base_str_eq(dialog->local_tag, local) && base_str_eq(dialog->remote_tag, remote);
}

static bool refreshes(const struct sip_message *msg)
{
	return (msg->method == SIP_INVITE || msg->method == SIP_UPDATE) &&
	       sip_header(msg, SIP_H_CONTACT);
}

int sip_dialog_request_in(struct sip_dialog *dialog, const struct sip_message *request)
{
	if (dialog->remote_seen && request->cseq <= dialog->remote_seq)
		return BASE_ERR(BASE_PEER, 500);
	dialog->remote_seq = request->cseq;
	dialog->remote_seen = true;
	return refreshes(request) ? keep_target(dialog, request) : 0;
}

int sip_dialog_response_in(struct sip_dialog *dialog, const struct sip_message *response)
{
	int rc = 0;

	if (response->status < 200 || response->status >= 300)
		return 0;
	if (refreshes(response))
		rc = keep_target(dialog, response);
	/* only the INVITE's: that of an UPDATE before it brings no route set along (RFC 3311) */
	if (!rc && !dialog->confirmed && response->method == SIP_INVITE) {
		dialog->confirmed = true;
		rc = keep_routes(dialog, response, true);
	}
	return rc;
}

/* Does the first route know loose routing (12.2.1.1)? */
static bool loose(const struct sip_dialog *d, struct sip_addr *first)
{
	struct sip_uri uri;

	return sip_addr_parse(d->routes[0], first) || sip_uri_parse(first->uri, &uri) ||
	       sip_uri_param(&uri, "lr", NULL);
}

/* What is kept of a peer's may hold octets of value 0, which end a %s. */
static void field(struct base_writer *w, const char *name, struct base_str value)
{
	base_writer_text(w, name);
	base_writer_str(w, value);
	base_writer_text(w, "\r\n");
}

uint32_t sip_dialog_request(struct sip_dialog *dialog, struct base_writer *w, const char *method,
                            const struct sip_local *local)
{
	struct sip_addr first = { 0 };
	bool strict = dialog->route_count && !loose(dialog, &first);
	bool ack = !strcmp(method, "ACK");
	uint32_t seq = ack ? dialog->invite_seq : ++dialog->local_seq;

	if (!strcmp(method, "INVITE"))
		dialog->invite_seq = seq;
	base_writer_printf(w, "%s %.*s SIP/2.0\r\n", method,
	                   BASE_FMT(strict ? first.uri : dialog->target));
	base_writer_printf(w, "Via: SIP/2.0/%s %s;branch=%s\r\nMax-Forwards: 70\r\n",
	                   local->transport, local->sent_by, local->branch);
	for (size_t i = strict; i < dialog->route_count; i++)
		field(w, "Route: ", dialog->routes[i]);
	if (strict)
		base_writer_printf(w, "Route: <%.*s>\r\n", BASE_FMT(dialog->target));
	field(w, "From: ", dialog->local);
	field(w, "To: ", dialog->remote);
	field(w, "Call-ID: ", dialog->call_id);
	base_writer_printf(w, "CSeq: %u %s\r\n", seq, method);
	if (local->contact)
		base_writer_printf(w, "Contact: <%s>\r\n", local->contact);
	return seq;
}

struct base_str sip_dialog_next_hop(const struct sip_dialog *dialog)
{
	struct sip_addr first;

	if (dialog->route_count && !sip_addr_parse(dialog->routes[0], &first))
		return first.uri;
	return dialog->target;
}

struct base_str sip_dialog_call_id(const struct sip_dialog *dialog)
{
	return dialog->call_id;
}

struct base_str sip_dialog_target(const struct sip_dialog *dialog)
{
	return dialog->target;
}
