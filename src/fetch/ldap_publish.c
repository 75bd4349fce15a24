/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "fetch/fetch.h"

int fetch_publish_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs("gatehouse-fetch: publishing over LDAP is not built in yet\n", stderr);
	return 2;
}
