/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * TLS profiles as data: rules with strength, document, clause, release and whether the source was
 * seen; what they compile to; how two of them differ; what an engine cannot meet.
 *
 * 1. Releases contradict each other. A profile is one release's text, never a merged one; whoever
 *    wants another derives a profile of their own (`extends:`).
 * 2. Compiling settles every suite, group, signature and version that a rule names: it is on, it is
 *    permitted and off, or it is forbidden. Each settled value keeps the rule that decided it.
 * 3. A profile of certificates (TS 33.310, 6) is held against facts (certificate.h). What was seen
 *    in a source fails, what was not warns.
 * 4. What an engine cannot offer is reported by clause (profile_engine_gaps), never dropped in
 *    silence.
 *
 * Objects here are immutable once made: any number of threads may read them. Making and freeing is
 * one thread's business.
 */
#ifndef GH_PROFILE_H
#define GH_PROFILE_H

#include "base/base.h"
#include "config/config.h"
#include "profile/certificate.h"
#include "profile/registry.h"
#include "profile/rule.h"
#include "profile/settings.h"
#include "profile/store.h"

#endif
