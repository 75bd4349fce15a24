/* SPDX-License-Identifier: Apache-2.0 */
/** @file Runs a suite over {openssl, gnutls} x {openssl, gnutls}. */
#ifndef GH_TESTS_TLS_PAIRS_H
#define GH_TESTS_TLS_PAIRS_H

#include "check.h"

/**
 * Run each test once per pair of engines, named "TEST server=ENGINE client=ENGINE"; its state is a
 * struct lab_sides. An engine that this build lacks is told and left out.
 * @return as cmocka: how many failed
 */
int pairs_run(const struct CMUnitTest *tests, size_t count);
/** The same once per server engine; the client is the test's own. */
int pairs_run_servers(const struct CMUnitTest *tests, size_t count);

#endif
