/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Orders to an edge that runs: lines of words, `ORDER [FLOW] [json]`. Each answer ends with a line
 * `ok` or `error TEXT`. Private to this folder.
 */
#ifndef GH_EDGE_CONTROL_H
#define GH_EDGE_CONTROL_H

#include "edge/net.h"

/** @param net  the answerer. A stream_order_fn. */
void edge_control_do(void *net, struct base_str line, struct base_writer *answer);
/** Is this one of the orders? @param ret_flow  does it take a flow's number? */
bool edge_control_knows(const char *verb, bool *ret_flow);

#endif
