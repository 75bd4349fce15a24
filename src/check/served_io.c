/* SPDX-License-Identifier: Apache-2.0 */
/** @file Records and messages of a session in which the checker is the server. */
#include "check/served_io.h"

#include <stdio.h>

enum { PIECE = 16000 };

enum check_outcome check_served_give_up(struct check_served *s, enum check_outcome outcome,
                                        const char *why)
{
	if (!*s->why)
		(void)snprintf(s->why, sizeof(s->why), "%s", why);
	return outcome;
}

/* -- out --------------------------------------------------------------------------------------- */

void check_served_hold(struct check_served *s, enum check_record type, const void *data, size_t len)
{
	s->hold.failed |= !check_keys_seal(&s->keys, type, data, len, &s->hold);
	check_record_put(&s->sent, type, s->keys.version, data, len);
}

/** A message of ours; one whose chain is long goes into several records (RFC 5246, 6.2.1). */
static void message_hold(struct check_served *s, const struct base_writer *message)
{
	base_writer_put(&s->transcript, message->data, message->len);
	for (size_t at = 0; at < message->len; at += PIECE)
		check_served_hold(s, CHECK_RECORD_HANDSHAKE, message->data + at,
		                  BASE_MIN(message->len - at, (size_t)PIECE));
	s->hold.failed |= message->failed || s->transcript.failed;
}

/** What the client has read enough of may be cut off: what it says still counts. */
bool check_served_flush(struct check_served *s)
{
	bool good = !s->hold.failed;

	if (good)
		(void)check_wire_send(s->wire, s->hold.data, s->hold.len);
	base_writer_reset(&s->hold);
	return good;
}

size_t check_served_message(struct base_writer *w, enum check_message type)
{
	base_writer_reset(w);
	base_writer_u8(w, (uint8_t)type);
	return check_vector_begin(w, 3);
}

void check_served_message_end(struct check_served *s, struct base_writer *w, size_t at)
{
	check_vector_end(w, at, 3);
	message_hold(s, w);
}

/* -- in ---------------------------------------------------------------------------------------- */

/** The next record, opened into `ret`. */
enum check_outcome check_served_record(struct check_served *s, uint8_t *ret_type,
                                       struct base_writer *ret)
{
	for (;;) {
		struct base_reader r = base_reader_of(s->wire->in.data, s->wire->in.len);
		struct check_bytes text;

		(void)base_reader_take(&r, s->read);
		*ret_type = base_reader_u8(&r);
		(void)base_reader_u16(&r);
		text.len = base_reader_u16(&r);
		text.data = base_reader_take(&r, text.len);
		if (!r.failed) {
			s->read = (size_t)(r.at - s->wire->in.data);
			base_writer_reset(ret);
			if (!check_keys_open(&s->keys, *ret_type, text, ret))
				return check_served_give_up(s, CHECK_GARBLED,
				                            "a record of it is not genuine");
			/* there is an end, however fast it talks */
			if (s->seen.len >= CHECK_ANSWER_MAX)
				return check_served_give_up(s, CHECK_GARBLED, "it says too much");
			check_record_put(&s->seen, (enum check_record) * ret_type, s->keys.version,
			                 ret->data, ret->len);
			return CHECK_ANSWERED;
		}
		if (s->read == s->wire->in.len) { /* room for as much again */
			base_writer_reset(&s->wire->in);
			s->read = 0;
		}
		if (!check_wire_more(s->wire))
			return s->wire->ended ? CHECK_REFUSED : CHECK_STALLED;
	}
}

static void alert_note(struct check_served *s, const struct base_writer *record)
{
	if (record->len == 2 &&
	    (record->data[0] == 2 || record->data[1] == 100 || !record->data[1]))
		s->alert = record->data[1];
}

/** A record is put where it belongs. @return CHECK_ANSWERED when the handshake may go on */
enum check_outcome check_served_sort(struct check_served *s, uint8_t type,
                                     const struct base_writer *record)
{
	if (type == CHECK_RECORD_HANDSHAKE)
		base_writer_put(&s->inbox, record->data, record->len);
	else if (type == CHECK_RECORD_CCS && !s->changed)
		s->changed = true;
	else if (type == CHECK_RECORD_ALERT)
		alert_note(s, record);
	else if (type != CHECK_RECORD_DATA) /* data may come in between */
		return check_served_give_up(s, CHECK_GARBLED, "what came is no record of TLS");
	if (s->inbox.failed || s->inbox.len > CHECK_ANSWER_MAX)
		return check_served_give_up(s, CHECK_GARBLED, "it says too much");
	return s->alert >= 0 ? CHECK_REFUSED : CHECK_ANSWERED;
}

/** Its next whole message with its head; it stays in `inbox` until the next is asked for. */
bool check_served_next(struct check_served *s, uint8_t *ret_type, struct check_bytes *ret)
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

enum check_outcome check_served_await(struct check_served *s, uint8_t *ret_type,
                                      struct check_bytes *ret)
{
	struct base_writer record = { 0 };
	enum check_outcome outcome = CHECK_ANSWERED;
	uint8_t type;

	if (s->taken == s->inbox.len) {
		base_writer_reset(&s->inbox);
		s->taken = 0;
	}
	while (outcome == CHECK_ANSWERED && !check_served_next(s, ret_type, ret)) {
		outcome = check_served_record(s, &type, &record);
		if (outcome == CHECK_ANSWERED && type == CHECK_RECORD_CCS)
			outcome = check_served_give_up(s, CHECK_GARBLED,
			                               "a ChangeCipherSpec at the wrong place");
		else if (outcome == CHECK_ANSWERED)
			outcome = check_served_sort(s, type, &record);
	}
	base_writer_done(&record);
	return outcome;
}

/** Its ChangeCipherSpec; a message in between is out of place. */
enum check_outcome check_served_change(struct check_served *s)
{
	struct base_writer record = { 0 };
	enum check_outcome outcome = CHECK_ANSWERED;
	uint8_t type;

	while (outcome == CHECK_ANSWERED && !s->changed) {
		outcome = check_served_record(s, &type, &record);
		if (outcome == CHECK_ANSWERED)
			outcome = check_served_sort(s, type, &record);
	}
	base_writer_done(&record);
	if (outcome == CHECK_ANSWERED && s->taken != s->inbox.len)
		return check_served_give_up(s, CHECK_GARBLED,
		                            "a message where its ChangeCipherSpec belongs");
	if (outcome == CHECK_ANSWERED)
		s->keys.theirs = s->keys.theirs_next;
	s->changed = false;
	return outcome;
}
