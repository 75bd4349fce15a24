/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_H248_H
#define GH_H248_H

#include "base/base.h"

#endif
