/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_MG_H
#define GH_MG_H

#include "base/base.h"

#endif
