/* SPDX-License-Identifier: Apache-2.0 */
/** @file What only an established session shows. */
#ifndef GH_CHECK_SESSION_H
#define GH_CHECK_SESSION_H

#include "check/wire.h"

struct check_sessions {
	bool none;
};

#endif
