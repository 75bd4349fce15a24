/* SPDX-License-Identifier: Apache-2.0 */
/** @file A fuzz target with a fault, to prove that one is found, told, and can be had again from
 * what was told. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 5 && memcmp(data, "alarm", 5) == 0)
		abort();
	return 0;
}
