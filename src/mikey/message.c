/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/message.h"

const struct mikey_payload *mikey_find(const struct mikey_payload *chain, uint8_t type)
{
	while (chain && chain->type != type)
		chain = chain->next;
	return chain;
}

static uint8_t role_of(const struct mikey_payload *p)
{
	switch (p->type) {
	case MIKEY_TR:
		return p->ts.role;
	case MIKEY_IDR:
		return p->idr.role;
	case MIKEY_RANDR:
		return p->rand.role;
	default:
		return 0;
	}
}

const struct mikey_payload *mikey_find_role(const struct mikey_payload *chain, uint8_t type,
                                            uint8_t role)
{
	while (chain && (chain->type != type || role_of(chain) != role))
		chain = chain->next;
	return chain;
}

const struct mikey_payload *mikey_final(const struct mikey_payload *chain)
{
	while (chain && chain->next)
		chain = chain->next;
	return chain;
}

struct mikey_payload *mikey_append(struct base_arena *arena, struct mikey_payload **chain,
                                   uint8_t type)
{
	struct mikey_payload *p = BASE_NEW(arena, struct mikey_payload);

	if (!p)
		return NULL;
	p->type = type;
	while (*chain)
		chain = &(*chain)->next;
	*chain = p;
	return p;
}
