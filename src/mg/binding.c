/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/core.h"

const struct mg_bearer_ops mg_bearer_relay = {
	.context_new = relay_context_new,
	.context_free = relay_context_free,
	.endpoint_add = relay_endpoint_add,
	.endpoint_local = relay_endpoint_local,
	.endpoint_remote_set = relay_endpoint_remote_set,
	.endpoint_dgram_set = relay_endpoint_dgram_set,
	.endpoint_peer_keep = relay_endpoint_peer_keep,
	.endpoint_tls_set = relay_endpoint_tls_set,
	.endpoint_connect = relay_endpoint_connect,
	.endpoint_start_tls = relay_endpoint_start_tls,
	.endpoint_renegotiate = relay_endpoint_renegotiate,
	.endpoint_release = relay_endpoint_release,
	.endpoint_mode_set = relay_endpoint_mode_set,
	.endpoint_gate_set = relay_endpoint_gate_set,
	.endpoint_link = relay_endpoint_link,
	.endpoint_reach = relay_endpoint_reach,
	.endpoint_move = relay_endpoint_move,
	.endpoint_remove = relay_endpoint_remove,
	.endpoint_stats = relay_endpoint_stats,
	.endpoint_seat = relay_endpoint_seat,
	.hub_new = relay_hub_new,
	.hub_free = relay_hub_free,
	.hub_conference = relay_hub_conference,
};
