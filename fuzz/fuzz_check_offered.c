/* SPDX-License-Identifier: Apache-2.0 */
/** @file A ClientHello as the checker reads it: all that it hands out lies inside what came. */
#include <assert.h>

#include "check/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_offered o;

	if (!check_offered_read(&o, (struct check_bytes){ data, size }))
		return 0;
	assert(o.random >= data && o.random + 32 <= data + size);
	for (size_t i = 0; i < o.extension_count; i++)
		assert(!o.extension[i].data.len ||
		       (o.extension[i].data.data >= data &&
		        o.extension[i].data.data + o.extension[i].data.len <= data + size));
	for (uint32_t code = 0; code < 0x10000; code += 251) {
		(void)check_codes_hold(o.suites, (uint16_t)code);
		(void)check_codes_hold(o.groups, (uint16_t)code);
		(void)check_codes_hold(o.signatures, (uint16_t)code);
	}
	return 0;
}
