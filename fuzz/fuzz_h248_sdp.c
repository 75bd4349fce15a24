/* SPDX-License-Identifier: Apache-2.0 */
/* SDP of a Local or Remote descriptor. What is accepted is written and accepted again, as equal. */
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct base_arena *arena, const struct h248_sdp *sdp,
                        enum h248_sdp_style style)
{
	struct base_writer w = { 0 };
	struct h248_sdp again = { 0 };

	h248_sdp_write(&w, sdp, style);
	if (w.failed || w.len > H248_SDP_OCTETS_MAX) {
		base_writer_done(&w); /* added v= lines may push a huge one over the limit */
		return;
	}
	if (h248_sdp_parse(arena, base_writer_view(&w), &again, NULL))
		abort();
	if (again.count != sdp->count)
		abort();
	if (style == H248_SDP_AS_IS && !h248_sdp_equal(sdp, &again))
		abort();
	for (const struct h248_sdp_group *g = again.groups; g; g = g->next)
		(void)h248_sdp_group_is_open(g);
	base_writer_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	struct h248_sdp sdp = { 0 };
	int rc = h248_sdp_parse(&arena, (struct base_str){ (const char *)data, size }, &sdp, &err);

	if (rc && (rc != err.rc || !err.line || !err.column || strchr(err.text, '"')))
		abort();
	if (!rc) {
		check_again(&arena, &sdp, H248_SDP_AS_IS);
		if (size < H248_SDP_OCTETS_MAX / 2)
			check_again(&arena, &sdp, H248_SDP_FULL);
	}
	base_arena_done(&arena);
	return 0;
}
