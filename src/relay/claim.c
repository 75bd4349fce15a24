/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many peers on one UDP port: each has a socket that is connected to it, so the kernel tells them
 * apart and workers need not know each other. Of two that were connected to one peer it would
 * choose one; so who has which peer is written down here, on the control thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "relay/dgram.h"

struct relay_claim {
	struct base_map_node node;
	struct {
		union relay_address local, peer;
	} key;
};

void relay_claim_drop(struct relay_endpoint *endpoint)
{
	if (!endpoint->claim)
		return;
	base_map_remove(&endpoint->pool->claims, &endpoint->claim->node);
	free(endpoint->claim);
	endpoint->claim = NULL;
}

int relay_claim(struct relay_endpoint *endpoint, const union relay_address *peer)
{
	struct relay_claim *claim = calloc(1, sizeof(*claim));
	struct base_map *claims = &endpoint->pool->claims;
	struct base_map_node *found;
	struct base_str key;
	int rc = 0;

	if (!claim)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	claim->key.local = endpoint->local;
	claim->key.peer = *peer;
	key = (struct base_str){ (const char *)&claim->key, sizeof(claim->key) };
	found = base_map_find(claims, key);
	if (!relay_address_port(peer))
		rc = BASE_ERR(BASE_LOCAL, EDESTADDRREQ);
	else if (found && (!endpoint->claim || found != &endpoint->claim->node))
		rc = BASE_ERR(BASE_LOCAL, EADDRINUSE);
	if (rc || found) {
		free(claim); /* refused, or it has it already */
		return rc;
	}
	rc = base_map_insert(claims, key, &claim->node);
	if (rc) {
		free(claim);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	relay_claim_drop(endpoint);
	endpoint->claim = claim;
	return 0;
}
