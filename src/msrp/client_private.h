/* SPDX-License-Identifier: Apache-2.0 */
/** @file An endpoint from inside, shared by client*.c. */
#ifndef GH_MSRP_CLIENT_PRIVATE_H
#define GH_MSRP_CLIENT_PRIVATE_H

#include "msrp/client.h"
#include "msrp/link.h"

#define CLIENT_REMEMBERED 16 /* ids of messages that came whole */

struct msrp_client {
	struct msrp_client_spec spec;
	struct msrp_pool pool;
	struct msrp_ids ids;
	struct msrp_link link;
	struct base_node uploads;
	struct base_node incoming;
	size_t messages;
	struct client_message *now; /* whose chunk is being read */
	char seen[CLIENT_REMEMBERED][MSRP_ID_OCTETS + 1];
	size_t seen_next;
	bool hungry; /* an upload was told that there is no room */
};

struct msrp_upload {
	struct base_node node;
	struct msrp_client *client;
	struct msrp_sending *sending; /* NULL: the peer has refused it */
	struct msrp_feed feed;
};

/* client_in.c */
extern const struct msrp_link_ops client_link_ops;
void client_drop_messages(struct msrp_client *c);
void client_expire(struct msrp_client *c, uint64_t now_ms);
uint64_t client_message_due(const struct msrp_client *c);

#endif
