/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/x509.h"

/* Placeholder, replaced with the folder's first real code. */
int x509_placeholder(void);
int x509_placeholder(void)
{
	return 0;
}
