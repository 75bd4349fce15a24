/* SPDX-License-Identifier: Apache-2.0 */
/* key-mgmt lines of SDP. The message inside comes back from base64. */
#include <stdlib.h>

#include "mikey/mikey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct base_str message)
{
	struct base_writer line = { 0 }, back = { 0 };
	struct mikey_sdp sdp;

	mikey_sdp_write(&line, message.ptr, message.len);
	if (message.len && (mikey_sdp_parse(base_writer_view(&line), &sdp, NULL) ||
	                    mikey_sdp_message(&sdp, &back, NULL) ||
	                    !base_str_eq(base_writer_view(&back), message)))
		abort();
	base_writer_done(&line);
	base_writer_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str line = { (const char *)data, size };
	struct base_error err = { 0 };
	struct base_writer message = { 0 };
	struct mikey_sdp sdp;
	int rc = mikey_sdp_parse(line, &sdp, &err);

	if (rc && (rc != err.rc || !err.text[0]))
		abort();
	if (!rc && base_str_eq(sdp.id, BASE_STR(MIKEY_SDP_ID))) {
		if (mikey_sdp_message(&sdp, &message, NULL))
			abort();
		check_again(base_writer_view(&message));
	}
	base_writer_done(&message);
	return 0;
}
