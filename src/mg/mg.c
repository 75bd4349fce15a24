/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/mg.h"

/* Placeholder, replaced with the folder's first real code. */
int mg_placeholder(void);
int mg_placeholder(void)
{
	return 0;
}
