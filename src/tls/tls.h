/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_TLS_H
#define GH_TLS_H

#include "base/base.h"

#endif
