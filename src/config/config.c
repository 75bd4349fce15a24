/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

/* Placeholder, replaced with the folder's first real code. */
int config_placeholder(void);
int config_placeholder(void)
{
	return 0;
}
