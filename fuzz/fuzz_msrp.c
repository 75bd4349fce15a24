/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A stream of MSRP from a peer. First octet: how long the pieces are that it comes in (0: one).
 * However it is cut, the same comes out; what comes out, written and read again, is written the
 * same.
 */
#include <stdlib.h>

#include "msrp/msrp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Names of all that a head has are looked at, so that a sanitizer sees a text out of bounds. */
static void use(const struct msrp_head *head)
{
	char nickname[MSRP_NICKNAME_MAX];
	struct msrp_uri uri;
	struct base_str path = head->to_path;
	size_t len;

	if (!msrp_path_count(head->from_path) || msrp_uri_parse(msrp_path_next(&path), &uri) ||
	    !msrp_uri_equal(&uri, &uri))
		abort();
	if (!msrp_nickname_read(head->use_nickname, nickname, &len) && len > MSRP_NICKNAME_MAX)
		abort();
}

/** What the stream says, written anew. @return false when it had a fault anywhere */
static bool retell(const uint8_t *data, size_t size, size_t step, struct base_writer *w)
{
	struct msrp_parser p = { 0 };
	enum msrp_event event;
	struct base_str in;
	bool fine = true;
	size_t n;

	for (size_t at = 0; at < size && !p.failed; at += n) {
		n = BASE_MIN(step ? step : size, size - at);
		in = (struct base_str){ (const char *)data + at, n };
		for (event = MSRP_HEAD; !p.failed && event != MSRP_MORE;) {
			if (msrp_parser_next(&p, &in, &event, NULL))
				break;
			if (event == MSRP_HEAD) {
				use(&p.head);
				fine = fine && !p.head.fault;
				msrp_head_write(w, &p.head);
			} else if (event == MSRP_BODY) {
				if (!p.piece.len)
					abort();
				base_writer_str(w, p.piece);
			} else if (event == MSRP_END) {
				msrp_end_write(w, p.head.tid, p.has_body, p.flag);
			}
		}
		if (!p.failed && in.len)
			abort();
	}
	fine = fine && !p.failed && msrp_parser_idle(&p);
	msrp_parser_done(&p);
	return fine;
}

static bool same(const struct base_writer *a, const struct base_writer *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_writer whole = { 0 }, cut = { 0 }, again = { 0 };
	size_t step;
	bool fine;

	if (size == 0)
		return 0;
	step = data[0];
	fine = retell(data + 1, size - 1, 0, &whole);
	if (retell(data + 1, size - 1, step ? step : 1, &cut) != fine || !same(&whole, &cut))
		abort();
	if (fine && (!retell(whole.data, whole.len, step, &again) || !same(&whole, &again)))
		abort();
	base_writer_done(&whole);
	base_writer_done(&cut);
	base_writer_done(&again);
	return 0;
}
