/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/load_text.h"

#include <stdio.h>

/* Nobody plays it: a description has to be there and be right. */
static const char description[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
                                  "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
#define SDP "application/sdp"

void load_text_numbered(struct base_writer *w, struct base_str name, uint32_t number)
{
	const char *at = name.len ? memchr(name.ptr, '@', name.len) : NULL;
	size_t head = at ? (size_t)(at - name.ptr) : name.len;

	base_writer_put(w, name.ptr, head);
	base_writer_printf(w, "%u", number);
	base_writer_put(w, name.ptr + head, name.len - head);
}

static void own_name(struct base_writer *w, const struct load_voice *who)
{
	load_text_numbered(w, who->home->identity, who->number);
}

/* ---- requests ---- */

static void via(struct base_writer *w, const struct load_voice *who, uint32_t cseq, char kind)
{
	base_writer_printf(w,
	                   "Via: SIP/2.0/%s %s;branch=z9hG4bK%08x.%x.%x%c;rport\r\n"
	                   "Max-Forwards: 70\r\n",
	                   who->home->transport, who->address, who->home->run, who->number, cseq,
	                   kind);
}

static void contact(struct base_writer *w, const struct load_voice *who, bool registers)
{
	const struct load_home *home = who->home;

	base_writer_text(w, "Contact: <sip:ue");
	base_writer_printf(w, "%u@%s;transport=%s%s>", who->number, who->address,
	                   home->contact_transport, home->outbound ? ";ob" : "");
	if (registers && home->outbound)
		base_writer_printf(w,
		                   ";reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-"
		                   "%012x>\"",
		                   who->number);
	base_writer_text(w, "\r\n");
}

/** From, To, Call-ID, CSeq. */
static void heads(struct base_writer *w, const struct load_voice *who, enum sip_method method,
                  uint32_t to)
{
	base_writer_text(w, "From: <");
	own_name(w, who);
	base_writer_printf(w, ">;tag=%x.%x\r\nTo: <", who->home->run, who->number);
	load_text_numbered(w, who->home->identity, to);
	base_writer_printf(w, ">\r\nCall-ID: %08x.%x.%x\r\nCSeq: %u %s\r\n", who->home->run,
	                   who->number, method == SIP_REGISTER ? 0 : who->cseq, who->cseq,
	                   sip_method_name(method));
}

static int prove(struct base_writer *w, struct base_arena *arena, const struct load_voice *who)
{
	struct sip_challenge challenge;
	struct base_writer user = { 0 };
	char cnonce[24];
	struct sip_proof proof = { .password = who->home->password,
		                   .nc = who->answered,
		                   .cnonce = cnonce,
		                   .method = BASE_STR("REGISTER"),
		                   .uri = who->home->registrar };
	int rc;

	if (!who->challenge.len)
		return 0;
	(void)snprintf(cnonce, sizeof(cnonce), "%08x%08x", who->home->run, who->cseq);
	load_text_numbered(&user, who->home->user, who->number);
	proof.user = base_writer_view(&user);
	rc = sip_challenge_read(who->challenge, arena, &challenge);
	if (!rc) {
		base_writer_text(w, "Authorization: ");
		rc = sip_challenge_answer(&challenge, &proof, w);
		base_writer_text(w, "\r\n");
	}
	base_writer_done(&user);
	return rc;
}

int load_text_register(struct base_writer *w, struct base_arena *arena,
                       const struct load_voice *who, uint32_t expires_s)
{
	int rc;

	base_writer_printf(w, "REGISTER %.*s SIP/2.0\r\n", BASE_FMT(who->home->registrar));
	via(w, who, who->cseq, 'r');
	heads(w, who, SIP_REGISTER, who->number);
	contact(w, who, true);
	base_writer_printf(w, "Expires: %u\r\nSupported: path%s\r\n%s", expires_s,
	                   who->home->outbound ? ", outbound" : "", who->home->proxies);
	rc = prove(w, arena, who);
	sip_body_end(w, NULL, BASE_STR(""));
	return rc || !w->failed ? rc : BASE_ERR(BASE_LOCAL, 0);
}

void load_text_request(struct base_writer *w, const struct load_voice *who, enum sip_method method,
                       uint32_t to)
{
	bool invite = method == SIP_INVITE;

	base_writer_printf(w, "%s ", sip_method_name(method));
	load_text_numbered(w, who->home->identity, to);
	base_writer_text(w, " SIP/2.0\r\n");
	via(w, who, who->cseq, 'q');
	heads(w, who, method, to);
	base_writer_text(w, who->routes ? who->routes : who->home->proxies);
	if (invite) {
		contact(w, who, false);
		sip_body_end(w, SDP, BASE_STR(description));
		return;
	}
	base_writer_printf(w, "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
	                   who->home->octets);
	if (base_writer_reserve(w, who->home->octets)) {
		memset(w->data + w->len, 'x', who->home->octets);
		w->len += who->home->octets;
	}
}

void load_text_ack(struct base_writer *w, const struct load_voice *who,
                   const struct sip_message *answer)
{
	const struct sip_header *from = sip_header(answer, SIP_H_FROM);
	const struct sip_header *to = sip_header(answer, SIP_H_TO);

	base_writer_printf(w, "ACK %.*s SIP/2.0\r\n", BASE_FMT(answer->to.uri));
	via(w, who, answer->cseq, 'q');
	base_writer_text(w, who->routes ? who->routes : who->home->proxies);
	base_writer_printf(w, "From: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\nCSeq: %u ACK\r\n",
	                   BASE_FMT(from->value), BASE_FMT(to->value), BASE_FMT(answer->call_id),
	                   answer->cseq);
	sip_body_end(w, NULL, BASE_STR(""));
}

/* ---- in a dialog (RFC 3261, 12.2.1.1) ---- */

/** The route set of who has called: Record-Route from its end (12.1.2). */
static void route_set(struct base_writer *w, const struct sip_message *answer)
{
	struct sip_values values = { .msg = answer, .id = SIP_H_RECORD_ROUTE };
	struct base_str element[16];
	size_t count = 0;

	while (count < BASE_COUNT(element) && sip_values_next(&values, &element[count]))
		count++;
	while (count--)
		base_writer_printf(w, "Route: %.*s\r\n", BASE_FMT(element[count]));
}

static void in_dialog(struct base_writer *w, const struct load_voice *who,
                      const struct sip_message *answer, const char *method, uint32_t cseq)
{
	const struct sip_header *header = sip_header(answer, SIP_H_CONTACT);
	const struct sip_header *from = sip_header(answer, SIP_H_FROM);
	const struct sip_header *to = sip_header(answer, SIP_H_TO);
	struct sip_addr remote;

	if (!header || sip_addr_parse(header->value, &remote))
		remote = answer->to;
	base_writer_printf(w, "%s %.*s SIP/2.0\r\n", method, BASE_FMT(remote.uri));
	via(w, who, cseq, method[0]);
	route_set(w, answer);
	base_writer_printf(w, "From: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\nCSeq: %u %s\r\n",
	                   BASE_FMT(from->value), BASE_FMT(to->value), BASE_FMT(answer->call_id),
	                   cseq, method);
	sip_body_end(w, NULL, BASE_STR(""));
}

void load_text_ack_bye(struct base_writer *w, const struct load_voice *who,
                       const struct sip_message *answer)
{
	in_dialog(w, who, answer, "ACK", answer->cseq);
	in_dialog(w, who, answer, "BYE", answer->cseq + 1);
}

/* ---- answers ---- */

static unsigned status_of(const struct sip_message *request)
{
	switch (request->method) {
	case SIP_MESSAGE:
	case SIP_INVITE:
	case SIP_BYE:
	case SIP_OPTIONS:
	case SIP_NOTIFY:
		return 200;
	case SIP_CANCEL:
		return 481; /* its INVITE has been answered */
	default:
		return 405;
	}
}

void load_text_answer(struct base_writer *w, const struct load_voice *who,
                      const struct sip_message *request)
{
	unsigned status = request->fault ? request->fault : status_of(request);
	char tag[24];

	if (request->method == SIP_ACK)
		return;
	(void)snprintf(tag, sizeof(tag), "%x.%x", who->home->run, who->number);
	sip_reply_begin(w, request, NULL, status, NULL, base_str_of(tag));
	if (status == 200 && request->method == SIP_INVITE) {
		contact(w, who, false);
		sip_body_end(w, SDP, BASE_STR(description));
		return;
	}
	if (status == 405)
		base_writer_text(w,
		                 "Allow: INVITE, ACK, BYE, CANCEL, MESSAGE, OPTIONS, NOTIFY\r\n");
	sip_body_end(w, NULL, BASE_STR(""));
}

/* ---- what the registrar says ---- */

bool load_text_challenge(const struct sip_message *answer, struct base_arena *arena,
                         struct base_str *ret)
{
	const struct sip_header *header = sip_header(answer, SIP_H_WWW_AUTHENTICATE);
	struct sip_challenge one;
	int best = -1;

	for (; header; header = sip_header_after(answer, header)) {
		if (sip_challenge_read(header->value, arena, &one) || (int)one.hash <= best)
			continue;
		best = (int)one.hash;
		*ret = header->value;
	}
	return best >= 0;
}

const char *load_text_routes(const struct load_home *home, const struct sip_message *answer,
                             struct base_arena *arena)
{
	struct sip_values values = { .msg = answer, .id = SIP_H_SERVICE_ROUTE };
	struct base_writer w = { 0 };
	struct base_str element;
	const char *routes;

	base_writer_text(&w, home->proxies);
	while (sip_values_next(&values, &element))
		base_writer_printf(&w, "Route: %.*s\r\n", BASE_FMT(element));
	routes = w.failed ? NULL : base_arena_dup(arena, base_writer_view(&w));
	base_writer_done(&w);
	return routes;
}
