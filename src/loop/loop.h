/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_LOOP_H
#define GH_LOOP_H

#include "base/base.h"

#endif
