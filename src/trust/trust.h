/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_TRUST_H
#define GH_TRUST_H

#include "base/base.h"

#endif
