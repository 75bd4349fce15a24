/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_CLI_H
#define GH_CLI_H

#include "base/base.h"

#endif
