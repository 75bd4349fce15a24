/* SPDX-License-Identifier: Apache-2.0 */
/* Session descriptions of SIP: all views lie within the text. */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct base_str all, struct base_str s)
{
	if (s.len && (s.ptr < all.ptr || s.ptr + s.len > all.ptr + all.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "setup", "path", "key-mgmt", "fingerprint", "" };
	struct base_str all = { (const char *)data, size }, value = { NULL, 0 };
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	struct sip_sdp sdp;
	int rc = sip_sdp_parse(&sdp, &arena, all, &err);

	if (rc && (rc != err.rc || !err.text[0]))
		abort();
	for (size_t m = 0; !rc && m <= sdp.media_count; m++) {
		const struct sip_sdp_media *media = m < sdp.media_count ? &sdp.media[m] : NULL;

		if (media) {
			inside(all, media->type);
			inside(all, media->formats);
		}
		for (size_t n = 0; n < BASE_COUNT(names); n++) {
			if (sip_sdp_attribute(&sdp, media, names[n], &value))
				inside(all, value);
		}
		if (sip_sdp_address(&sdp, media, &value))
			inside(all, value);
	}
	base_arena_done(&arena);
	return 0;
}
