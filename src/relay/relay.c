/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/relay.h"

/* Placeholder, replaced with the folder's first real code. */
int relay_placeholder(void);
int relay_placeholder(void)
{
	return 0;
}
