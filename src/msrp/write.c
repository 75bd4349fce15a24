/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses written (RFC 4975, 9), ids (7.1), nicknames (RFC 7701, 7.1). */
#include "msrp/message.h"

#include "msrp/lex.h"

static void field(struct base_writer *w, const char *name, struct base_str value)
{
	if (!value.ptr)
		return;
	base_writer_text(w, name);
	base_writer_put(w, ": ", 2);
	base_writer_str(w, value);
	base_writer_put(w, "\r\n", 2);
}

static void write_start(struct base_writer *w, const struct msrp_head *head)
{
	base_writer_put(w, "MSRP ", 5);
	base_writer_str(w, head->tid);
	base_writer_u8(w, ' ');
	if (head->method != MSRP_RESPONSE) {
		base_writer_str(w, head->method_name);
	} else {
		base_writer_printf(w, "%03u", head->status);
		if (head->comment.ptr) {
			base_writer_u8(w, ' ');
			base_writer_str(w, head->comment);
		}
	}
	base_writer_put(w, "\r\n", 2);
}

/* printf's way is a tenth of what a room spends */
static void write_number(struct base_writer *w, bool known, uint64_t n)
{
	char digit[20];
	size_t at = sizeof(digit);

	if (!known) {
		base_writer_u8(w, '*');
		return;
	}
	do
		digit[--at] = (char)('0' + n % 10);
	while (n /= 10);
	base_writer_put(w, digit + at, sizeof(digit) - at);
}

void msrp_range_write(struct base_writer *w, const struct msrp_range *r)
{
	base_writer_text(w, "Byte-Range: ");
	write_number(w, true, r->start);
	base_writer_u8(w, '-');
	write_number(w, r->end_known, r->end);
	base_writer_u8(w, '/');
	write_number(w, r->total_known, r->total);
	base_writer_put(w, "\r\n", 2);
}

static void write_status(struct base_writer *w, const struct msrp_head *head)
{
	base_writer_printf(w, "Status: %03u %03u", head->report_namespace, head->report_status);
	if (head->report_comment.ptr) {
		base_writer_u8(w, ' ');
		base_writer_str(w, head->report_comment);
	}
	base_writer_put(w, "\r\n", 2);
}

void msrp_head_write(struct base_writer *w, const struct msrp_head *head)
{
	static const char *const failure[] = { "yes", "partial", "no" };

	write_start(w, head);
	field(w, "To-Path", head->to_path);
	field(w, "From-Path", head->from_path);
	field(w, "Message-ID", head->message_id);
	if (head->has_success)
		field(w, "Success-Report", base_str_of(head->success ? "yes" : "no"));
	if (head->has_failure)
		field(w, "Failure-Report", base_str_of(failure[head->failure]));
	if (head->has_range)
		msrp_range_write(w, &head->range);
	if (head->has_report)
		write_status(w, head);
	field(w, "Use-Nickname", head->use_nickname);
	for (size_t i = 0; i < head->fields; i++) {
		base_writer_str(w, head->field[i]);
		base_writer_put(w, "\r\n", 2);
	}
	field(w, "Content-Type", head->content_type); /* the last one (7.1) */
	if (head->content_type.ptr)
		base_writer_put(w, "\r\n", 2);
}

void msrp_end_write(struct base_writer *w, struct base_str tid, bool body, char flag)
{
	if (body)
		base_writer_put(w, "\r\n", 2);
	base_writer_put(w, "-------", 7);
	base_writer_str(w, tid);
	base_writer_u8(w, (uint8_t)flag);
	base_writer_put(w, "\r\n", 2);
}

const char *msrp_status_words(unsigned status)
{
	static const struct {
		unsigned status;
		const char *words;
	} table[] = {
		{ MSRP_OK, "OK" },
		{ MSRP_UNINTELLIGIBLE, "Unintelligible" },
		{ MSRP_NOT_ALLOWED, "Not allowed" },
		{ MSRP_NO_RECIPIENT, "Unknown recipient" },
		{ MSRP_TIMED_OUT, "Timed out" },
		{ MSRP_STOP, "Stop sending" },
		{ MSRP_MEDIA_TYPE, "Media type not understood" },
		{ MSRP_OUT_OF_BOUNDS, "Parameter out of bounds" },
		{ MSRP_NICKNAME_MALFORMED, "Malformed nickname" },
		{ MSRP_NICKNAME_TAKEN, "Nickname reserved or in use" },
		{ MSRP_NOT_PRIVATE, "Private messages not supported" },
		{ MSRP_NO_SESSION, "No such session" },
		{ MSRP_NO_METHOD, "Unknown method" },
		{ MSRP_OTHER_CONNECTION, "Session on another connection" },
	};

	for (size_t i = 0; i < BASE_COUNT(table); i++)
		if (table[i].status == status)
			return table[i].words;
	return "Failed";
}

int msrp_nickname_read(struct base_str quoted, char *out, size_t *ret_len)
{
	const int bad = BASE_ERR(BASE_PEER, MSRP_NICKNAME_MALFORMED);
	size_t n = 0, last = quoted.len - 1;
	char c;

	if (quoted.len < 2 || quoted.ptr[0] != '"' || quoted.ptr[last] != '"' ||
	    !msrp_is_text(quoted))
		return bad;
	for (size_t i = 1; i < last; i++) {
		c = quoted.ptr[i];
		if (c == '"' || n == MSRP_NICKNAME_MAX)
			return bad;
		if (c == '\\') {
			c = quoted.ptr[++i];
			if (i == last || (c != '\\' && c != '"'))
				return bad;
		}
		out[n++] = c;
	}
	*ret_len = n;
	return 0;
}

void msrp_nickname_write(struct base_writer *w, struct base_str nickname)
{
	base_writer_u8(w, '"');
	for (size_t i = 0; i < nickname.len; i++) {
		if (nickname.ptr[i] == '"' || nickname.ptr[i] == '\\')
			base_writer_u8(w, '\\');
		base_writer_u8(w, (uint8_t)nickname.ptr[i]);
	}
	base_writer_u8(w, '"');
}

int msrp_ids_init(struct msrp_ids *ids)
{
	ids->count = 0;
	return base_random(ids->seed, sizeof(ids->seed));
}

void msrp_id_next(struct msrp_ids *ids, char out[17])
{
	uint64_t count = ids->count++, hash = base_hash(ids->seed, &count, sizeof(count));

	for (size_t i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	out[16] = '\0';
}
