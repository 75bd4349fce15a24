/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream's descriptors mean: is it TLS, who connects, who is TLS client, which domain. */
#include "mg/bearer.h"

bool mg_stream_tls(const struct mg_stream *stream)
{
	const struct h248_sdp_group *g = stream->local.groups;

	return g && g->has_media && g->media.security != H248_SDP_CLEAR;
}

struct mg_tcp_role mg_stream_tcp_role(const struct mg_stream *stream)
{
	const struct h248_sdp_group *l = stream->local.groups, *r = stream->remote.groups;
	unsigned ours = l ? l->setup : H248_SDP_SETUP_ABSENT;
	unsigned theirs = r ? r->setup : H248_SDP_SETUP_ABSENT;
	bool we_say = ours == H248_SDP_ACTIVE || ours == H248_SDP_PASSIVE;
	bool they_say = theirs == H248_SDP_ACTIVE || theirs == H248_SDP_PASSIVE;
	struct mg_tcp_role role = { .fixed = we_say || they_say };

	if (mg_stream_udp(stream)) /* a=setup speaks of something else there */
		return (struct mg_tcp_role){ 0 };
	role.conflict = we_say && they_say && ours == theirs;
	role.hold = ours == H248_SDP_HOLDCONN || theirs == H248_SDP_HOLDCONN;
	if (we_say)
		role.client = ours == H248_SDP_ACTIVE;
	else if (they_say)
		role.client = theirs == H248_SDP_PASSIVE;
	else
		role.client = stream->signalled_connect || role.hold;
	return role;
}

enum tls_role mg_stream_tls_role(const struct mg_stream *stream)
{
	if (stream->role == H248_ROLE_CLIENT)
		return TLS_ROLE_CLIENT;
	if (stream->role == H248_ROLE_SERVER)
		return TLS_ROLE_SERVER;
	if (mg_stream_dtls(stream))
		return mg_stream_dtls_role(stream);
	return stream->signalled_client ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
}

const struct mg_domain *mg_stream_domain(const struct mg *mg, const struct mg_stream *stream)
{
	if (!stream->domain_name[0])
		return mg->default_domain;
	for (size_t i = 0; i < mg->domain_count; i++)
		if (!strcmp(mg->domains[i].name, stream->domain_name))
			return &mg->domains[i];
	return NULL;
}
