/* SPDX-License-Identifier: Apache-2.0 */
/** @file What others have written, in a line of fields; private to this folder. */
#ifndef GH_EDGE_WORD_H
#define GH_EDGE_WORD_H

#include "base/base.h"

#define EDGE_WORD_MAX 161

/**
 * One word of it, so that no field begins in it, nor a line: what is neither letter, digit nor
 * mark stands as `\xXX`, quotes and backslashes too. What is long ends in `...`.
 */
const char *edge_word(struct base_str text, char out[EDGE_WORD_MAX]);

#endif
