/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

/* Placeholder, replaced with the folder's first real code. */
int cli_placeholder(void);
int cli_placeholder(void)
{
	return 0;
}
