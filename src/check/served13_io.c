/* SPDX-License-Identifier: Apache-2.0 */
/** @file Records and messages of a session of TLS 1.3 in which the checker is the server. */
#include "check/served13_io.h"

#include <stdio.h>

enum { PIECE = 16000 };

enum check_outcome check_served13_give_up(struct check_served13 *s, enum check_outcome outcome,
                                          const char *why)
{
	if (!*s->why)
		(void)snprintf(s->why, sizeof(s->why), "%s", why);
	return outcome;
}

/* -- out --------------------------------------------------------------------------------------- */

void check_served13_hold(struct check_served13 *s, enum check_record type, const void *data,
                         size_t len)
{
	s->hold.failed |= !check_tls13_seal(&s->k, type, data, len, &s->hold);
	check_record_put(&s->sent, type, 0x0303, data, len);
}

size_t check_served13_message(struct base_writer *w, enum check_message type)
{
	base_writer_reset(w);
	base_writer_u8(w, (uint8_t)type);
	return check_vector_begin(w, 3);
}

void check_served13_message_end(struct check_served13 *s, struct base_writer *w, size_t at)
{
	check_vector_end(w, at, 3);
	base_writer_put(&s->k.transcript, w->data, w->len);
	for (size_t from = 0; from < w->len; from += PIECE)
		check_served13_hold(s, CHECK_RECORD_HANDSHAKE, w->data + from,
		                    BASE_MIN(w->len - from, (size_t)PIECE));
	s->hold.failed |= w->failed || s->k.transcript.failed;
}

bool check_served13_flush(struct check_served13 *s)
{
	bool good = !s->hold.failed;

	if (good) /* what it has read enough of may be cut off: what it says still counts */
		(void)check_wire_send(s->wire, s->hold.data, s->hold.len);
	base_writer_reset(&s->hold);
	return good;
}

/* -- in ---------------------------------------------------------------------------------------- */

enum check_outcome check_served13_record(struct check_served13 *s, uint8_t *ret_type,
                                         struct base_writer *ret)
{
	for (;;) {
		struct base_reader r = base_reader_of(s->wire->in.data, s->wire->in.len);
		const uint8_t *head;
		struct check_bytes text;

		(void)base_reader_take(&r, s->read);
		head = base_reader_take(&r, 3);
		text.len = base_reader_u16(&r);
		text.data = base_reader_take(&r, text.len);
		if (r.failed) {
			if (s->read == s->wire->in.len) { /* room for as much again */
				base_writer_reset(&s->wire->in);
				s->read = 0;
			}
			if (!check_wire_more(s->wire))
				return s->wire->ended ? CHECK_REFUSED : CHECK_STALLED;
			continue;
		}
		s->read = (size_t)(r.at - s->wire->in.data);
		if (s->seen.len >= CHECK_ANSWER_MAX) /* there is an end, however fast it talks */
			return check_served13_give_up(s, CHECK_GARBLED, "it says too much");
		if (*head == CHECK_RECORD_CCS) { /* RFC 8446, D.4 */
			base_writer_put(&s->seen, head, 3);
			base_writer_u16(&s->seen, (uint16_t)text.len);
			base_writer_put(&s->seen, text.data, text.len);
			continue;
		}
		*ret_type = *head;
		base_writer_reset(ret);
		if (*head == CHECK_RECORD_ALERT)
			base_writer_put(ret, text.data, text.len);
		else
			*ret_type = *head == CHECK_RECORD_DATA
			                    ? check_tls13_open(&s->k, head, text, ret)
			                    : 0;
		if (!*ret_type)
			return check_served13_give_up(s, CHECK_GARBLED,
			                              "a record of it is not genuine");
		check_record_put(&s->seen, (enum check_record) * ret_type, 0x0303, ret->data,
		                 ret->len);
		return CHECK_ANSWERED;
	}
}

enum check_outcome check_served13_sort(struct check_served13 *s, uint8_t type,
                                       const struct base_writer *record)
{
	if (type == CHECK_RECORD_ALERT && record->len == 2)
		s->alert = record->data[1];
	else if (type == CHECK_RECORD_HANDSHAKE)
		base_writer_put(&s->inbox, record->data, record->len);
	if (s->inbox.failed || s->inbox.len > CHECK_ANSWER_MAX)
		return check_served13_give_up(s, CHECK_GARBLED, "it says too much");
	return s->alert >= 0 ? CHECK_REFUSED : CHECK_ANSWERED;
}

bool check_served13_next(struct check_served13 *s, uint8_t *ret_type, struct check_bytes *ret)
{
	struct base_reader r = base_reader_of(s->inbox.data, s->inbox.len);
	const uint8_t *begin;
	uint32_t len;

	(void)base_reader_take(&r, s->taken);
	begin = r.at;
	*ret_type = base_reader_u8(&r);
	len = base_reader_u24(&r);
	(void)base_reader_take(&r, len);
	if (r.failed)
		return false;
	*ret = (struct check_bytes){ begin, MESSAGE_HEAD + len };
	s->taken += ret->len;
	return true;
}

enum check_outcome check_served13_await(struct check_served13 *s, uint8_t *ret_type,
                                        struct check_bytes *ret)
{
	struct base_writer record = { 0 };
	enum check_outcome outcome = CHECK_ANSWERED;
	uint8_t type;

	while (outcome == CHECK_ANSWERED && !check_served13_next(s, ret_type, ret)) {
		outcome = check_served13_record(s, &type, &record);
		if (outcome == CHECK_ANSWERED)
			outcome = check_served13_sort(s, type, &record);
	}
	base_writer_done(&record);
	return outcome;
}

struct check_bytes check_served13_body(struct check_bytes message)
{
	return (struct check_bytes){ message.data + MESSAGE_HEAD, message.len - MESSAGE_HEAD };
}
