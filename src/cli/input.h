/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: one message from a file or from standard input.
 */
#ifndef GH_CLI_INPUT_H
#define GH_CLI_INPUT_H

#include "base/base.h"

/**
 * All of a file, at most 1 MiB; `-` is standard input.
 * @param ret  for free(); may be NULL when the file is empty
 * @return 0, or BASE_CONFIG with the reason
 */
int cli_input_read(const char *path, char **ret, size_t *ret_len, struct base_error *err);

#endif
