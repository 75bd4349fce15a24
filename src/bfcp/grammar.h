/* SPDX-License-Identifier: Apache-2.0 */
/** @file Which attributes a message has: the ABNF of RFC 8855, 5.3, as sets of bits by type. */
#ifndef GH_BFCP_GRAMMAR_H
#define GH_BFCP_GRAMMAR_H

#include "bfcp/message.h"

struct bfcp_grammar {
	const char *name;
	uint32_t must, may, once; /* `may` includes `must` */
};

/** By primitive. */
extern const struct bfcp_grammar bfcp_grammar[BFCP_PRIMITIVES];

#endif
