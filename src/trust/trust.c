/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust.h"

/* Placeholder, replaced with the folder's first real code. */
int trust_placeholder(void);
int trust_placeholder(void)
{
	return 0;
}
