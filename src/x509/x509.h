/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_X509_H
#define GH_X509_H

#include "base/base.h"

#endif
