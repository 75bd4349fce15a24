/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The media resource function controller (TS 23.333, 5.20.2): SIP towards the S-CSCF on one side,
 * H.248 towards MRFPs on the other, keys of MIKEY-TICKET between them. docs/mgc.md is the manual,
 * docs/state-mrfc.md the logic of a member's call.
 */
#ifndef GH_MGC_H
#define GH_MGC_H

#include "mgc/config.h"
#include "mgc/mp.h"
#include "mgc/shell.h"

#endif
