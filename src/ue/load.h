/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse ue --count N`: many user agents at once (docs/ue.md); private to this folder.
 */
#ifndef GH_UE_LOAD_H
#define GH_UE_LOAD_H

#include <stdbool.h>
#include <stdio.h>

/** Does the command line ask for many? */
bool ue_load_asked(int argc, char **argv);
/** @return 0 all was done, 1 something failed, 2 it was called wrongly, or is configured wrongly */
int ue_load_main(int argc, char **argv);

#endif
