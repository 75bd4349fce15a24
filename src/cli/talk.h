/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside this folder: `gatehouse h248 talk`. */
#ifndef GH_CLI_TALK_H
#define GH_CLI_TALK_H

/** @return the exit status: 0, 1 something was not answered, 2 wrong usage or no socket */
int cli_talk_main(int argc, char **argv);

#endif
