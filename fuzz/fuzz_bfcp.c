/* SPDX-License-Identifier: Apache-2.0 */
/* One BFCP message. What is accepted is written and accepted again, and then written the same. */
#include <stdlib.h>

#include "bfcp/bfcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_arena arena = { .limit = 64 * (size * 16 + 1024) };
	struct base_writer one = { 0 }, two = { 0 };
	struct bfcp_message msg = { 0 }, again = { 0 };
	struct base_error err = { 0 };
	int rc = bfcp_decode((struct base_str){ (const char *)data, size }, &arena, &msg, &err);

	if (rc && (rc != err.rc || base_err_class(rc) != BASE_PEER))
		abort();
	if (!rc && msg.primitive && msg.primitive < BFCP_PRIMITIVES && !bfcp_encode(&one, &msg)) {
		if (bfcp_decode(base_writer_view(&one), &arena, &again, &err) ||
		    bfcp_encode(&two, &again) || one.len != two.len ||
		    memcmp(one.data, two.data, one.len))
			abort();
		if (again.infos != msg.infos || again.floors != msg.floors || again.unknowns)
			abort();
	}
	base_writer_done(&one);
	base_writer_done(&two);
	base_arena_done(&arena);
	return 0;
}
