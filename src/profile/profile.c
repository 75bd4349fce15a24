/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"

/* Placeholder, replaced with the folder's first real code. */
int profile_placeholder(void);
int profile_placeholder(void)
{
	return 0;
}
