/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gatehouse-edge: the TLS side of a P-CSCF (TS 33.203, Annex O). docs/edge.md is the manual,
 * packaging/gatehouse-edge.yaml has every key.
 */
#ifndef GH_EDGE_H
#define GH_EDGE_H

#include "edge/config.h"
#include "edge/shell.h"
#include "edge/tool.h"

#endif
