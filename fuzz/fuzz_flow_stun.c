/* SPDX-License-Identifier: Apache-2.0 */
/* STUN as it comes to a SIP port: what is read of it, and that what we answer can be read. */
#include <stdlib.h>

#include "flow/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct stun_message *request, const union stream_addr *from)
{
	uint8_t octets[STUN_ANSWER_MAX];
	struct base_writer w = base_writer_over(octets, sizeof(octets));
	struct stun_message again;
	enum stun_kind kind;

	stun_answer(request, from, &w);
	if (w.failed)
		abort();
	kind = stun_parse(&again, base_writer_view(&w));
	if (kind != (request->unknown_count ? STUN_ERROR : STUN_SUCCESS) ||
	    memcmp(again.id, request->id, STUN_ID) != 0)
		abort();
	if (kind == STUN_SUCCESS && !stream_addr_equal(&again.mapped, from))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct base_str octets = { (const char *)data, size };
	union stream_addr four, six;
	struct stun_message m;

	if (stream_addr_parse(&four, BASE_STR("192.0.2.7:5060"), NULL) ||
	    stream_addr_parse(&six, BASE_STR("[2001:db8::7]:5060"), NULL))
		abort();
	if (stun_parse(&m, octets) != STUN_REQUEST)
		return 0;
	answer(&m, &four);
	answer(&m, &six);
	return 0;
}
