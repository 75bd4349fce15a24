/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a server says in the clear, as the checker reads it. First octet: bit 0 datagrams, bit 1 the
 * connection is at its end, bit 2 messages of TLS 1.3 in the clear, bit 3 libcrypto reads the
 * certificate, too, which takes longer than all the rest. What was read in pieces is what was read
 * at once.
 */
#include <assert.h>
#include <stdlib.h>

#include "check/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct check_answer *a, struct check_bytes b)
{
	assert(!b.len || (b.data >= a->text.data && b.data + b.len <= a->text.data + a->text.len));
}

static void messages(const uint8_t *data, size_t size)
{
	struct check_session13 s = { .up = false };
	struct check_bytes finished = { NULL, 0 };
	size_t before = 0;

	base_writer_put(&s.messages, data, size);
	if (check_session13_read(&s, &finished, &before))
		assert(before + 4 + finished.len <= size);
	assert(!s.certificate.len ||
	       (s.certificate.data >= s.messages.data &&
	        s.certificate.data + s.certificate.len <= s.messages.data + s.messages.len));
	check_session13_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mode = size ? data[0] : 0;
	struct check_answer a = { .is_dtls = mode & 1, .ended = (mode & 2) != 0 };
	struct check_probe probe = { .offer = { .version = PROFILE_TLS_1_2 } };
	struct check_key_exchange ske;
	char words[CHECK_WORDS];

	if (!size)
		return 0;
	if (mode & 4) {
		messages(data + 1, size - 1);
		return 0;
	}
	for (size_t i = 0; i < 2; i++) { /* some of it, all of it */
		if (check_answer_read(&a, data + 1, (size - 1) / (2 - i)))
			abort();
		assert(a.consumed <= size - 1);
		assert(!a.hello || a.outcome == CHECK_ANSWERED || a.outcome == CHECK_GARBLED);
		for (size_t k = 0; k < a.extension_count; k++)
			inside(&a, a.extension[k].data);
		inside(&a, a.session_id);
		inside(&a, check_answer_certificate(&a));
		inside(&a, a.cookie);
		inside(&a, a.ticket_data);
		if (check_key_exchange_read(&a, &ske))
			inside(&a, ske.point);
		(void)check_answer_version(&a);
		probe.answer = a;
		assert(*check_probe_words(&probe, words, sizeof(words)));
	}
	if (mode & 8)
		(void)check_certificate_curve(&a);
	check_answer_done(&a);
	return 0;
}
