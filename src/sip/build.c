/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"

/* Words of the caller's: within one line, or nothing is written. */
static void words(struct base_writer *w, const char *text)
{
	if (strpbrk(text, "\r\n"))
		w->failed = true;
	base_writer_text(w, text);
}

static void copy_all(struct base_writer *w, const struct sip_message *msg, enum sip_header_id id)
{
	for (const struct sip_header *h = sip_header(msg, id); h; h = sip_header_after(msg, h))
		base_writer_str(w, h->whole);
}

static void copy(struct base_writer *w, const struct sip_message *msg, enum sip_header_id id)
{
	const struct sip_header *h = sip_header(msg, id);

	if (h)
		base_writer_str(w, h->whole);
}

/* Its parameters, but those that are about to be written anew. */
static void via_params(struct base_writer *w, struct base_str params)
{
	struct sip_param param;

	while (sip_param_next(&params, &param) == 1) {
		if (base_str_ieq(param.name, BASE_STR("received")) ||
		    base_str_ieq(param.name, BASE_STR("rport")))
			continue;
		base_writer_text(w, ";");
		base_writer_str(w, param.name);
		if (param.value.ptr)
			base_writer_text(w, "=");
		base_writer_str(w, param.value); /* may hold octets of value 0 */
	}
}

/* Once or twice a message that passes: printf took longer than all else here. */
static void port(struct base_writer *w, const char *before, uint16_t port)
{
	char digits[6];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + port % 10);
		port /= 10;
	} while (port);
	base_writer_text(w, before);
	base_writer_put(w, digits + at, sizeof(digits) - at);
}

bool sip_via_received(struct base_writer *w, const struct sip_via *via,
                      const struct sip_source *source)
{
	bool rport = sip_param_find(via->params, "rport", NULL);

	if (!source || !source->address || !via->host.len ||
	    (!rport && base_str_ieq(via->host, base_str_of(source->address))))
		return false;
	base_writer_text(w, "SIP/2.0/");
	base_writer_str(w, via->transport);
	base_writer_u8(w, ' ');
	base_writer_str(w, via->host);
	if (via->port)
		port(w, ":", via->port);
	via_params(w, via->params);
	base_writer_text(w, ";received=");
	base_writer_text(w, source->address);
	if (rport)
		port(w, ";rport=", source->port);
	return true;
}

static void top_via(struct base_writer *w, const struct sip_message *request,
                    const struct sip_source *source)
{
	const struct sip_header *h = sip_header(request, SIP_H_VIA);
	const struct sip_via *via = &request->via;
	size_t before = w->len;

	base_writer_text(w, "Via: ");
	if (!sip_via_received(w, via, source)) {
		if (!w->failed)
			w->len = before;
		base_writer_str(w, h->whole);
		return;
	}
	/* what else stands in the same field */
	base_writer_str(w,
	                sip_from(h->value, (size_t)(via->text.ptr - h->value.ptr) + via->text.len));
	base_writer_text(w, "\r\n");
}

static void vias(struct base_writer *w, const struct sip_message *request,
                 const struct sip_source *source)
{
	const struct sip_header *h = sip_header(request, SIP_H_VIA);

	if (!h)
		return;
	top_via(w, request, source);
	while ((h = sip_header_after(request, h)) != NULL)
		base_writer_str(w, h->whole);
}

static void to(struct base_writer *w, const struct sip_message *request, unsigned status,
               struct base_str tag)
{
	const struct sip_header *h = sip_header(request, SIP_H_TO);

	if (!h)
		return;
	if (request->to_tag.ptr || !tag.len || status == 100 || !request->to.uri.len) {
		base_writer_str(w, h->whole);
		return;
	}
	if (!sip_all(tag, SIP_CH_TOKEN))
		w->failed = true;
	base_writer_text(w, "To: ");
	base_writer_str(w, h->value); /* may hold octets of value 0 */
	base_writer_printf(w, ";tag=%.*s\r\n", BASE_FMT(tag));
}

void sip_reply_begin(struct base_writer *w, const struct sip_message *request,
                     const struct sip_source *source, unsigned status, const char *reason,
                     struct base_str to_tag)
{
	base_writer_printf(w, "SIP/2.0 %u ", status);
	words(w, reason ? reason : sip_reason(status));
	base_writer_text(w, "\r\n");
	vias(w, request, source);
	copy(w, request, SIP_H_FROM);
	to(w, request, status, to_tag);
	copy(w, request, SIP_H_CALL_ID);
	copy(w, request, SIP_H_CSEQ);
	if (status > 100 && status < 300)
		copy_all(w, request, SIP_H_RECORD_ROUTE);
	if (status == 100) { /* 8.2.6.1 */
		const struct sip_header *h = sip_header_named(request, "Timestamp");

		if (h)
			base_writer_str(w, h->whole);
	}
}

void sip_body_end(struct base_writer *w, const char *type, struct base_str body)
{
	if (type) {
		base_writer_text(w, "Content-Type: ");
		words(w, type);
		base_writer_text(w, "\r\n");
	}
	base_writer_printf(w, "Content-Length: %zu\r\n\r\n", type ? body.len : 0);
	if (type)
		base_writer_str(w, body);
}

/* What ACK and CANCEL share with their request: its Request-URI, the one Via, Route, From, Call-ID.
 */
static void follow(struct base_writer *w, const struct sip_message *request, const char *method)
{
	base_writer_printf(w, "%s %.*s SIP/2.0\r\n", method, BASE_FMT(request->target));
	base_writer_text(w, "Via: ");
	base_writer_str(w, request->via.text);
	base_writer_text(w, "\r\n");
	base_writer_text(w, "Max-Forwards: 70\r\n");
	copy_all(w, request, SIP_H_ROUTE);
	copy(w, request, SIP_H_FROM);
	copy(w, request, SIP_H_CALL_ID);
	base_writer_printf(w, "CSeq: %u %s\r\n", request->cseq, method);
}

void sip_ack_build(struct base_writer *w, const struct sip_message *invite,
                   const struct sip_message *response)
{
	follow(w, invite, "ACK");
	copy(w, response, SIP_H_TO);
	sip_body_end(w, NULL, (struct base_str){ NULL, 0 });
}

void sip_cancel_build(struct base_writer *w, const struct sip_message *request, const char *lines)
{
	follow(w, request, "CANCEL");
	copy(w, request, SIP_H_TO);
	if (lines)
		base_writer_text(w, lines);
	sip_body_end(w, NULL, (struct base_str){ NULL, 0 });
}
