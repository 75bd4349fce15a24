/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a server of DTLS sends, as a session of the checker takes it. First octet: bit 0, a ticket
 * goes before the ChangeCipherSpec. Then datagrams, each behind two octets of length; no epoch is
 * encrypted, so what else only a holder of the keys could say is read, too. What was read goes on
 * into check_answer_read, as in a session.
 */
#include <assert.h>
#include <stdlib.h>

#include "check/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct check_datagrams d;
	struct check_keys keys;
	struct check_answer answer;
	struct base_writer clear;
};

static void drain(struct reading *s, bool ticket)
{
	struct base_writer record = { 0 };
	uint8_t type;

	while (check_datagrams_next(&s->d, s->answer.hello && (s->answer.ticket || !ticket), &type,
	                            &record)) {
		assert(type != CHECK_RECORD_HANDSHAKE || record.len >= 4);
		assert(type != CHECK_RECORD_ALERT || record.len == 2);
		check_record_put(&s->clear, (enum check_record)type, 0x0303, record.data,
		                 record.len);
		if (check_answer_read(&s->answer, s->clear.data, s->clear.len))
			abort();
		if (type != CHECK_RECORD_CCS)
			continue;
		check_keys_change_theirs(&s->keys);
		check_datagrams_changed(&s->d, &s->keys);
	}
	base_writer_done(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading s = { .keys = { .dtls = true, .version = 0xfefd },
		             .answer = { .alert = -1 },
		             .clear = { .limit = CHECK_ANSWER_MAX } };
	struct base_reader r = base_reader_of(data, size);
	bool ticket = base_reader_u8(&r) & 1;

	check_datagrams_begin(&s.d, &s.keys);
	while (base_reader_left(&r) > 2) {
		size_t said = base_reader_u16(&r), len = BASE_MIN(said, base_reader_left(&r));

		check_datagrams_take(&s.d, &s.keys, base_reader_take(&r, len), len);
		drain(&s, ticket);
	}
	assert(s.d.taken <= size);
	check_datagrams_done(&s.d);
	check_answer_done(&s.answer);
	base_writer_done(&s.clear);
	return 0;
}
