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

static void drop(struct relay_endpoint *endpoint, struct relay_claim **claim)
{
	if (!*claim)
		return;
	base_map_remove(&endpoint->pool->claims, &(*claim)->node);
	free(*claim);
	*claim = NULL;
}

void relay_claim_drop(struct relay_endpoint *endpoint)
{
	drop(endpoint, &endpoint->claim);
	drop(endpoint, &endpoint->kept);
}

/* In `*ret`, unless the endpoint has it already. */
static int claim(struct relay_endpoint *endpoint, const union relay_address *peer,
                 struct relay_claim **ret)
{
	struct relay_claim *made = calloc(1, sizeof(*made));
	struct base_map *claims = &endpoint->pool->claims;
	struct base_map_node *found;
	struct base_str key;
	int rc = 0;

	if (!made)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	made->key.local = endpoint->local;
	made->key.peer = *peer;
	key = (struct base_str){ (const char *)&made->key, sizeof(made->key) };
	found = base_map_find(claims, key);
	if (!relay_address_port(peer))
		rc = BASE_ERR(BASE_LOCAL, EDESTADDRREQ);
	else if (found && (!endpoint->claim || found != &endpoint->claim->node) &&
	         (!endpoint->kept || found != &endpoint->kept->node))
		rc = BASE_ERR(BASE_LOCAL, EADDRINUSE);
	if (rc || found) {
		free(made); /* refused, or it has it already */
		return rc;
	}
	if (base_map_insert(claims, key, &made->node)) {
		free(made);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	drop(endpoint, ret);
	*ret = made;
	return 0;
}

static bool is_of(const struct relay_claim *claim, const union relay_address *peer)
{
	return claim && relay_address_port(peer) && relay_address_admits(&claim->key.peer, peer);
}

int relay_claim(struct relay_endpoint *endpoint, const union relay_address *peer)
{
	int rc;

	if (is_of(endpoint->kept, peer)) {
		drop(endpoint, &endpoint->claim);
		endpoint->claim = endpoint->kept;
		endpoint->kept = NULL;
		return 0;
	}
	rc = claim(endpoint, peer, &endpoint->claim);
	if (rc == 0)
		drop(endpoint, &endpoint->kept);
	return rc;
}

int relay_endpoint_peer_keep(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote)
{
	union relay_address peer;
	int rc;

	drop(endpoint, &endpoint->kept);
	if (!remote || endpoint->settled || (!endpoint->claim && !endpoint->room))
		return 0;
	rc = relay_address_set(&peer, remote);
	return rc ? rc : claim(endpoint, &peer, &endpoint->kept);
}
