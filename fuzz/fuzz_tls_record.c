/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The record layer of an established session: what a peer that has the keys may say beside data
 * (alerts, handshake messages in any pieces), and what one without them may write.
 *
 * First octet: bit 0 TLS 1.3, bit 1 we are the server, bit 2 raw bytes of the wire follow.
 * Otherwise records follow: content type, length, that many octets, as they are after decryption.
 */
#include <stdlib.h>

#include "tls/record.h"

static struct tls_record_kit kit;
static struct tls_context context = { .kit = &kit };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return kit.aes128 ? 0 : tls_record_kit_init(&kit); /* kept until the program ends */
}

static void feed_wire(struct tls_session *session, struct base_reader *r)
{
	struct tls_io io = { *r, session->io->out };
	uint8_t clear[512];
	size_t n;

	while (tls_session_read(session, &io, clear, sizeof(clear), &n) == 0 && n)
		;
}

static void feed_records(struct tls_session *session, struct base_reader *r)
{
	while (base_reader_left(r) && !session->rc && !session->closed_in) {
		enum tls_content type = (enum tls_content)base_reader_u8(r);
		size_t len = base_reader_u8(r);
		const uint8_t *at = base_reader_take(r, len);

		if (!at || !len)
			break;
		(void)tls_record_post(session, type, at, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader r = base_reader_of(data, size);
	struct tls_record_keys keys = { .keyed = true };
	struct base_writer out = { .limit = 1 << 20 };
	struct tls_io io = { .out = &out };
	uint8_t mode = base_reader_u8(&r);
	struct tls_session session = {
		.context = &context,
		.io = &io,
		.alert = -1,
		.role = mode & 2 ? TLS_ROLE_SERVER : TLS_ROLE_CLIENT,
		.version = mode & 1 ? 0x0304 : 0x0303,
		.suite = mode & 1 ? 0x1301 : 0xc02b,
		.established = true,
	};

	if (tls_record_new(&session, &keys))
		return 0;
	if (mode & 4)
		feed_wire(&session, &r);
	else
		feed_records(&session, &r);
	tls_record_free(session.record);
	free(session.failure);
	base_writer_done(&out);
	return 0;
}
