/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside this folder: `gatehouse h248 convert`. */
#ifndef GH_CLI_CONVERT_H
#define GH_CLI_CONVERT_H

/**
 * One message of any form into another. `argv[0]` is the word convert.
 * @return the exit status: 0 done, 1 the message is bad, 2 wrong usage or no access
 */
int cli_convert_main(int argc, char **argv);

#endif
