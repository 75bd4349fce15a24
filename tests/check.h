/* SPDX-License-Identifier: Apache-2.0 */
/** @file What every unit test includes: cmocka with the headers it wants before it, in order. */
#ifndef GH_TESTS_CHECK_H
#define GH_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
