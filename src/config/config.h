/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_CONFIG_H
#define GH_CONFIG_H

#include "base/base.h"

#endif
