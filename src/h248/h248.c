/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/h248.h"

/* Placeholder, replaced with the folder's first real code. */
int h248_placeholder(void);
int h248_placeholder(void)
{
	return 0;
}
