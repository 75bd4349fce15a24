/* SPDX-License-Identifier: Apache-2.0 */
/** @file The bearer of a stage: it carries nothing and writes down what it is told (st->orders). */
#ifndef GH_TESTS_MG_FAKE_BEARER_H
#define GH_TESTS_MG_FAKE_BEARER_H

#include "stage.h"

/** From now on it is this stage's; one runs at a time. */
const struct mg_bearer_ops *fake_bearer(struct stage *stage);

#endif
