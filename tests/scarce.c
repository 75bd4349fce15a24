/* SPDX-License-Identifier: Apache-2.0 */
#include "scarce.h"

#include <stddef.h>

static long left = -1; /* allocations that still succeed; < 0 = all */
static bool failed, all;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void scarce_after(long count, bool for_good)
{
	if (count >= 0)
		failed = false;
	left = count;
	all = for_good;
}

bool scarce_failed(void)
{
	return failed;
}

static bool refused(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	left = all ? 0 : -1;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return refused() ? NULL : __real_realloc(old, size);
}
