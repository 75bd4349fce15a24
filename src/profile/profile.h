/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_PROFILE_H
#define GH_PROFILE_H

#include "base/base.h"

#endif
