/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/loop.h"

/* Placeholder, replaced with the folder's first real code. */
int loop_placeholder(void);
int loop_placeholder(void)
{
	return 0;
}
