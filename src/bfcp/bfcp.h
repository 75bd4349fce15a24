/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The Binary Floor Control Protocol (RFC 4582, RFC 8855): reading and writing it, the floor control
 * server and a client. No sockets, no clock. Other folders include this header only. docs/bfcp.md
 * tells how.
 */
#ifndef GH_BFCP_BFCP_H
#define GH_BFCP_BFCP_H

#include "bfcp/client.h"
#include "bfcp/link.h"
#include "bfcp/message.h"
#include "bfcp/server.h"
#include "bfcp/state.h"

#endif
