/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/tls.h"

/* Placeholder, replaced with the folder's first real code. */
int tls_placeholder(void);
int tls_placeholder(void)
{
	return 0;
}
