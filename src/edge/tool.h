/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse edge`: orders to an edge that runs. */
#ifndef GH_EDGE_TOOL_H
#define GH_EDGE_TOOL_H

/** @return the exit status */
int edge_tool_main(int argc, char **argv);

#endif
