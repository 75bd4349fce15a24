/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The conformance checker: a server (or client) of others, held rule by rule against profiles.
 *
 * 1. hello builds what is sent, answer reads what came: bytes only, pure, fuzzed.
 * 2. wire and probe connect, send and wait; each connection has its deadlines, and there is an end
 *    to their number.
 * 3. survey asks everything once, whatever the profile; it judges nothing.
 * 4. judge holds a survey against a profile: each rule gets a verdict, the ones that no probe can
 *    show with the reason. Nothing passes in silence.
 */
#ifndef GH_CHECK_H
#define GH_CHECK_H

#include "check/answer.h"
#include "check/client.h"
#include "check/datagrams.h"
#include "check/fragments.h"
#include "check/hello.h"
#include "check/judge.h"
#include "check/report.h"
#include "check/session.h"
#include "check/survey.h"
#include "check/wire.h"
#include "check/words.h"

#endif
