/* SPDX-License-Identifier: Apache-2.0 */
/** @file Probes in words, for people. */
#ifndef GH_CHECK_WORDS_H
#define GH_CHECK_WORDS_H

#include "check/wire.h"

#define CHECK_WORDS 160

/** What silence is called that was told from slowness. */
extern const char check_silence[];
/** "handshake_failure"; constant. */
const char *check_alert_name(int alert);
const char *check_suite_name(uint16_t code);
/** "ServerHello TLS1.2, TLS_RSA_...", "refused with alert ...", in `buf`, terminated. */
const char *check_probe_words(const struct check_probe *probe, char *buf, size_t cap);

#endif
