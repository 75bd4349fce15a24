/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `gatehouse ue`: a user agent that is driven by a script or by what is typed (docs/ue.md).
 */
#ifndef GH_UE_UE_H
#define GH_UE_UE_H

/**
 * `gatehouse ue [--config FILE] [--script FILE]`: `argv[0]` is the subcommand's name.
 * @return 0 all was done, 1 something was not, 2 it was called wrongly, or the configuration is
 * wrong
 */
int ue_main(int argc, char **argv);

#endif
