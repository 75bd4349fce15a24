/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/message.h"

/* One message being read. */
struct reading {
	struct sip_message *msg;
	struct base_str rest; /* of the head, then the body */
	size_t header_max;
};

static void fault(struct sip_message *msg, unsigned status, const char *text)
{
	if (msg->fault)
		return;
	msg->fault = status;
	msg->fault_text = text;
}

/*
 * Take a line off `rest`, folded ones as one; without its CRLF. False when no CRLF ends it. Nothing
 * folds an empty line: the body behind it may begin with a blank.
 */
static bool line_next(struct base_str *rest, bool folds, struct base_str *ret)
{
	size_t n = 0;

	for (;;) {
		const char *at = n < rest->len ? memchr(rest->ptr + n, '\n', rest->len - n) : NULL;

		if (!at)
			return false;
		n = (size_t)(at - rest->ptr) + 1;
		if (!folds || n <= 2 || n == rest->len ||
		    (rest->ptr[n] != ' ' && rest->ptr[n] != '\t'))
			break;
	}
	if (n < 2 || rest->ptr[n - 2] != '\r')
		return false;
	*ret = (struct base_str){ rest->ptr, n - 2 };
	*rest = sip_from(*rest, n);
	return true;
}

/* Each CR and LF in it is part of a CRLF that folds. */
static bool folded_ok(struct base_str s)
{
	if (!memchr(s.ptr, '\r', s.len) && !memchr(s.ptr, '\n', s.len))
		return true;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n')
			return false;
		if (s.ptr[i] != '\r')
			continue;
		if (s.len - i < 3 || s.ptr[i + 1] != '\n' ||
		    (s.ptr[i + 2] != ' ' && s.ptr[i + 2] != '\t'))
			return false;
		i++;
	}
	return true;
}

/* -- the first line (7.1, 7.2) ----------------------------------------------------------------- */

/* SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT; 0 when it is none */
static unsigned version_of(struct base_str s)
{
	size_t dot = 4;

	if (s.len < 7 || !base_str_ieq((struct base_str){ s.ptr, 4 }, BASE_STR("SIP/")))
		return 0;
	for (size_t i = 4; i < s.len; i++) {
		if (s.ptr[i] == '.' && dot == 4 && i > 4)
			dot = i;
		else if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return 0;
	}
	if (dot == 4 || dot + 1 == s.len)
		return 0;
	return base_str_ieq(s, BASE_STR("SIP/2.0")) ? 2 : 1;
}

/* Status-Line = SIP-Version SP 3DIGIT SP Reason-Phrase */
static int status_line(struct sip_message *msg, struct base_str line)
{
	const char *sp = memchr(line.ptr, ' ', line.len);
	struct base_str s = { line.ptr, sp ? (size_t)(sp - line.ptr) : line.len };
	unsigned version = version_of(s);
	uint64_t status;

	if (!version)
		return BASE_ERR(BASE_PEER, 400);
	if (version == 1)
		fault(msg, 505, "Version Not Supported");
	s = sip_from(line, s.len + (sp != NULL));
	if (s.len < 4 || s.ptr[3] != ' ' ||
	    base_str_u64((struct base_str){ s.ptr, 3 }, 699, &status) || status < 100) {
		fault(msg, 400, "Malformed Status-Line");
		return 0;
	}
	msg->status = (unsigned)status;
	msg->reason = sip_from(s, 4);
	if (msg->reason.len && memchr(msg->reason.ptr, '\r', msg->reason.len))
		fault(msg, 400, "Malformed Status-Line");
	return 0;
}

/* Request-Line = Method SP Request-URI SP SIP-Version; liberal where its end is clear */
static int request_line(struct sip_message *msg, struct base_str line)
{
	struct base_str s = sip_trim(line);
	size_t n = s.len, method = sip_span(s, SIP_CH_TOKEN);
	unsigned version;

	while (n && s.ptr[n - 1] != ' ')
		n--;
	version = version_of(sip_from(s, n));
	if (!version || !method || n < method + 2)
		return BASE_ERR(BASE_PEER, 400);
	msg->request = true;
	msg->method_name = (struct base_str){ s.ptr, method };
	msg->method = sip_method_of(msg->method_name);
	msg->target = (struct base_str){ s.ptr + method + 1, n > method + 2 ? n - method - 2 : 0 };
	if (version == 1)
		fault(msg, 505, "Version Not Supported");
	if (s.len != line.len || s.ptr[method] != ' ')
		fault(msg, 400, "Malformed Request-Line");
	if (sip_uri_parse(msg->target, &msg->uri))
		fault(msg, 400, "Malformed Request-URI");
	else if (msg->uri.headers.ptr)
		fault(msg, 400, "Headers in Request-URI"); /* 19.1.1, table 1 */
	return 0;
}

/* -- header fields (7.3) ----------------------------------------------------------------------- */

static void header_line(struct reading *in, struct base_str line)
{
	struct sip_message *msg = in->msg;
	struct sip_header *h = &msg->headers[msg->header_count];
	size_t n = sip_span(line, SIP_CH_TOKEN);
	struct base_str rest = sip_from(line, n);

	while (rest.len && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t'))
		rest = sip_from(rest, 1);
	if (!n || !rest.len || rest.ptr[0] != ':' || !folded_ok(line)) {
		fault(msg, 400, "Malformed header field");
		return;
	}
	h->name = (struct base_str){ line.ptr, n };
	h->id = sip_header_id_of(h->name);
	h->value = sip_trim(sip_from(rest, 1));
	h->whole = (struct base_str){ line.ptr, line.len + 2 };
	msg->header_count++;
}

/* All header fields, up to the empty line. */
static int headers(struct reading *in)
{
	struct base_str line;
	size_t count = 0;

	while (line_next(&in->rest, true, &line)) {
		if (!line.len)
			return 0;
		if (count++ == in->header_max)
			return BASE_ERR(BASE_PEER, 400);
		header_line(in, line);
	}
	fault(in->msg, 400, "The header section has no end");
	in->rest = (struct base_str){ in->rest.ptr + in->rest.len, 0 };
	return 0;
}

/* The body's length by Content-Length (18.3) */
static void body(struct reading *in, bool stream)
{
	struct sip_message *msg = in->msg;
	const struct sip_header *h = sip_header(msg, SIP_H_CONTENT_LENGTH);
	uint64_t len = stream ? 0 : in->rest.len;

	if (h && sip_header_number(h, UINT32_MAX, &len)) {
		fault(msg, 400, "Malformed Content-Length");
		len = 0;
	}
	if (len > in->rest.len || (stream && len < in->rest.len)) {
		fault(msg, 400, "Content-Length does not fit");
		len = in->rest.len;
	}
	msg->body = (struct base_str){ in->rest.ptr, (size_t)len };
	msg->octets.len = (size_t)(msg->body.ptr - msg->octets.ptr) + msg->body.len;
}

/* -- what each message has (8.1.1) ------------------------------------------------------------- */

/* The only field of this kind; NULL when it is missing or there are several (20, table 2). */
static const struct sip_header *single(struct sip_message *msg, enum sip_header_id id, bool needed)
{
	const struct sip_header *h = sip_header(msg, id);

	if (!h && needed)
		fault(msg, 400, "A header field is missing");
	if (!h || !sip_header_after(msg, h))
		return h;
	fault(msg, 400, "A header field stands twice");
	return NULL;
}

/*
 * The value of a parameter that tells messages apart. False where it stands twice (7.3.1), or
 * without a value: who reads the other one takes it for another message.
 */
static bool one_param(struct base_str params, const char *name, struct base_str *ret)
{
	struct sip_param param;
	unsigned count = 0;

	while (sip_param_next(&params, &param) == 1) {
		if (!base_str_ieq(param.name, base_str_of(name)))
			continue;
		if (!param.value.ptr || count++)
			return false;
		*ret = param.value;
	}
	return true;
}

static void address(struct sip_message *msg, enum sip_header_id id, struct sip_addr *ret,
                    struct base_str *ret_tag)
{
	const struct sip_header *h = single(msg, id, true);
	struct sip_uri uri;

	if (!h)
		return;
	if (sip_addr_parse(h->value, ret) || sip_uri_parse(ret->uri, &uri)) {
		*ret = (struct sip_addr){ 0 };
		fault(msg, 400, id == SIP_H_FROM ? "Malformed From" : "Malformed To");
		return;
	}
	/* none: RFC 2543, or a first request's To */
	if (!one_param(ret->params, "tag", ret_tag))
		fault(msg, 400, "Not one tag");
}

/* Call-ID = word [ "@" word ] */
static void call_id(struct sip_message *msg)
{
	const struct sip_header *h = single(msg, SIP_H_CALL_ID, true);
	const char *at;
	size_t n;

	if (!h)
		return;
	at = h->value.len ? memchr(h->value.ptr, '@', h->value.len) : NULL;
	n = at ? (size_t)(at - h->value.ptr) : h->value.len;
	if (!sip_all((struct base_str){ h->value.ptr, n }, SIP_CH_WORD) ||
	    (at && !sip_all(sip_from(h->value, n + 1), SIP_CH_WORD))) {
		fault(msg, 400, "Malformed Call-ID");
		return;
	}
	msg->call_id = h->value;
}

/* CSeq = 1*DIGIT LWS Method, the number below 2**31 (8.1.1.5) */
static void cseq(struct sip_message *msg)
{
	const struct sip_header *h = single(msg, SIP_H_CSEQ, true);
	struct base_str number, method;
	uint64_t value;
	size_t n;

	if (!h)
		return;
	n = sip_span(h->value, SIP_CH_TOKEN);
	method = sip_skip(sip_from(h->value, n));
	number = (struct base_str){ h->value.ptr, n };
	while (number.len > 1 && number.ptr[0] == '0')
		number = sip_from(number, 1);
	if (method.len == h->value.len - n || !sip_all(method, SIP_CH_TOKEN) ||
	    base_str_u64(number, INT32_MAX, &value)) {
		fault(msg, 400, "Malformed CSeq");
		return;
	}
	msg->cseq = (uint32_t)value;
	if (msg->request && !base_str_eq(method, msg->method_name)) {
		fault(msg, 400, "CSeq names another method"); /* 8.1.1.5 */
	} else {
		msg->method_name = method;
		msg->method = sip_method_of(method);
	}
}

static void max_forwards(struct sip_message *msg)
{
	const struct sip_header *h = single(msg, SIP_H_MAX_FORWARDS, false);
	uint64_t value = 70;

	if (h && sip_header_number(h, UINT8_MAX, &value))
		fault(msg, 400, "Malformed Max-Forwards");
	msg->max_forwards = (uint8_t)value;
}

/* All values are Vias; the topmost is kept. */
static void vias(struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_VIA };
	struct base_str one;
	struct sip_via via;
	bool first = true;

	while (sip_values_next(&values, &one)) {
		if (sip_via_parse(one, &via) || !one_param(via.params, "branch", &via.branch)) {
			fault(msg, 400, "Malformed Via");
			return;
		}
		if (first)
			msg->via = via;
		first = false;
	}
	if (first)
		fault(msg, 400, "Via is missing");
}

static void fields(struct sip_message *msg)
{
	vias(msg);
	address(msg, SIP_H_FROM, &msg->from, &msg->from_tag);
	address(msg, SIP_H_TO, &msg->to, &msg->to_tag);
	call_id(msg);
	cseq(msg);
	if (msg->request)
		max_forwards(msg);
	(void)single(msg, SIP_H_CONTENT_LENGTH, false); /* the call tells the fault */
	(void)single(msg, SIP_H_CONTENT_TYPE, false);
	(void)single(msg, SIP_H_EXPIRES, false);
	(void)single(msg, SIP_H_EVENT, false);
}

/* At most so many are header fields; beyond the limit nobody counts. */
static size_t lines_of(struct base_str s)
{
	size_t lines = 0;

	while (s.len && lines < SIP_HEADERS_MAX) {
		const char *end = memchr(s.ptr, '\n', s.len);

		if (!end)
			break;
		lines++;
		s = sip_from(s, (size_t)(end - s.ptr) + 1);
	}
	return lines;
}

int sip_message_parse(struct sip_message *ret, struct base_arena *arena, struct base_str octets,
                      bool stream)
{
	struct sip_message msg = { .max_forwards = 70 };
	struct reading in = { .msg = &msg };
	struct base_str line;
	size_t lines;
	int rc;

	while (octets.len > 1 && !memcmp(octets.ptr, "\r\n", 2)) /* 7.5 */
		octets = sip_from(octets, 2);
	if (!octets.len || octets.len > SIP_MESSAGE_OCTETS_MAX)
		return BASE_ERR(BASE_PEER, 413);
	msg.octets = in.rest = octets;
	if (!line_next(&in.rest, false, &line) || !line.len)
		return BASE_ERR(BASE_PEER, 400);
	rc = line.len > 3 && base_str_ieq((struct base_str){ line.ptr, 4 }, BASE_STR("SIP/"))
	             ? status_line(&msg, line)
	             : request_line(&msg, line);
	if (rc)
		return rc;
	in.header_max = lines = lines_of(in.rest);
	msg.headers = base_arena_array(arena, lines + 1, sizeof(*msg.headers));
	if (!msg.headers)
		return BASE_ERR(BASE_LOCAL, 500);
	rc = headers(&in);
	if (rc)
		return rc;
	body(&in, stream);
	fields(&msg);
	*ret = msg;
	return 0;
}

/* -- copies ------------------------------------------------------------------------------------ */

struct move {
	const char *from, *to;
	size_t len;
};

/* What lies in the octets that were copied; texts of ours do not. */
static void moved(const struct move *move, struct base_str *s)
{
	if ((uintptr_t)s->ptr - (uintptr_t)move->from <= move->len)
		s->ptr = move->to + (s->ptr - move->from);
}

static void moved_addr(const struct move *move, struct sip_addr *addr)
{
	moved(move, &addr->display);
	moved(move, &addr->uri);
	moved(move, &addr->params);
}

static void moved_uri(const struct move *move, struct sip_uri *uri)
{
	moved(move, &uri->name);
	moved(move, &uri->text);
	moved(move, &uri->user);
	moved(move, &uri->password);
	moved(move, &uri->host);
	moved(move, &uri->params);
	moved(move, &uri->headers);
}

static void moved_fields(const struct move *move, struct sip_message *msg)
{
	moved(move, &msg->method_name);
	moved(move, &msg->target);
	moved_uri(move, &msg->uri);
	moved(move, &msg->reason);
	moved(move, &msg->body);
	moved(move, &msg->via.transport);
	moved(move, &msg->via.host);
	moved(move, &msg->via.branch);
	moved(move, &msg->via.params);
	moved(move, &msg->via.text);
	moved_addr(move, &msg->from);
	moved_addr(move, &msg->to);
	moved(move, &msg->from_tag);
	moved(move, &msg->to_tag);
	moved(move, &msg->call_id);
}

int sip_message_copy(struct sip_message *ret, struct base_arena *arena,
                     const struct sip_message *msg)
{
	struct move move = { .from = msg->octets.ptr,
		             .to = base_arena_dup(arena, msg->octets),
		             .len = msg->octets.len };
	struct sip_header *headers =
	        base_arena_array(arena, msg->header_count + 1, sizeof(*headers));

	if (!move.to || !headers)
		return BASE_ERR(BASE_LOCAL, 500);
	*ret = *msg;
	ret->octets.ptr = move.to;
	ret->headers = headers;
	for (size_t i = 0; i < msg->header_count; i++) {
		headers[i] = msg->headers[i];
		moved(&move, &headers[i].name);
		moved(&move, &headers[i].value);
		moved(&move, &headers[i].whole);
	}
	moved_fields(&move, ret);
	return 0;
}
