/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What has to come about whatever the network does: cases of bfcp/server, played again with losses
 * by bfcp/server_wire.
 */
#ifndef GH_TESTS_BFCP_SERVER_STORIES_H
#define GH_TESTS_BFCP_SERVER_STORIES_H

#include "server_stage.h"

void hello(void **state);
void in_turn(void **state);
void a_package(void **state);
void chair(void **state);
void queries(void **state);
void goodbye(void **state);

#endif
