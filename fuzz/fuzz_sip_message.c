/* SPDX-License-Identifier: Apache-2.0 */
/* Octets of a stream, cut into messages and read. Each part lies within its message. */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct sip_message *msg, struct base_str s)
{
	if (s.len && (s.ptr < msg->octets.ptr || s.ptr + s.len > msg->octets.ptr + msg->octets.len))
		abort();
}

static void look(const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg };
	struct base_str one;

	if (!msg->fault &&
	    (!msg->call_id.len || !msg->from.uri.len || !msg->to.uri.len || !msg->via.host.len ||
	     (msg->request ? !msg->target.len : msg->status < 100)))
		abort();
	inside(msg, msg->body);
	inside(msg, msg->call_id);
	inside(msg, msg->from_tag);
	inside(msg, msg->via.text);
	for (size_t i = 0; i < msg->header_count; i++) {
		inside(msg, msg->headers[i].value);
		inside(msg, msg->headers[i].whole);
		values = (struct sip_values){ .msg = msg, .id = msg->headers[i].id };
		for (unsigned n = 0; n < 16 && sip_values_next(&values, &one); n++) {
			struct sip_addr addr;
			char text[256];
			size_t len;

			inside(msg, one);
			if (!sip_addr_parse(one, &addr))
				inside(msg, addr.params);
			(void)sip_unquote(one, text, sizeof(text), &len);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str rest = { (const char *)data, size };
	struct sip_framer framer = { 0 };
	struct base_arena arena = { 0 };
	struct sip_message msg;
	enum sip_frame_kind kind;
	size_t len;

	if (!sip_message_parse(&msg, &arena, rest, false))
		look(&msg);
	while (rest.len && !sip_frame(&framer, rest, &kind, &len) && kind != SIP_FRAME_MORE) {
		if (!len || len > rest.len)
			abort();
		if (kind == SIP_FRAME_MESSAGE &&
		    !sip_message_parse(&msg, &arena, (struct base_str){ rest.ptr, len }, true))
			look(&msg);
		rest = sip_from(rest, len);
	}
	base_arena_done(&arena);
	return 0;
}
