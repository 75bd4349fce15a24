/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_RELAY_H
#define GH_RELAY_H

#include "base/base.h"

#endif
