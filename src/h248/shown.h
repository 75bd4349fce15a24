/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder only: a peer's octets inside an error text.
 */
#ifndef GH_H248_SHOWN_H
#define GH_H248_SHOWN_H

#include "base/base.h"

/** Room for what h248_shown writes. */
#define H248_SHOWN_SIZE 52

/**
 * The start of `s` as text that may stand in an error descriptor: no double quote, nothing that
 * does not print, `...` where it was cut. @return `buf`, of H248_SHOWN_SIZE octets.
 */
const char *h248_shown(struct base_str s, char *buf);

#endif
