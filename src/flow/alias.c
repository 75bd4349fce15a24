/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection reuse (RFC 5923): who connects by TLS, shows a certificate and puts `alias` into its
 * Via is called by that connection, for the SIP domains that the certificate has proven.
 */
#include <stdlib.h>

#include "flow/private.h"

/* A name that two have proven at one address: the younger connection has it. */
static void insert(struct flow *f, const union stream_addr *at, struct base_str domain)
{
	struct flow_alias *a = &f->aliases[f->alias_count];
	struct base_map *map = &f->flows->aliases;
	struct base_map_node *old;
	char name[256];
	size_t len;

	if (f->alias_count == FLOW_ALIASES_MAX || domain.len >= sizeof(name))
		return;
	memcpy(name, domain.ptr, domain.len);
	name[domain.len] = 0;
	len = flow_peer_key(a->key, FLOW_TLS, 0, at, name);
	old = base_map_find(map, (struct base_str){ (char *)a->key, len });
	if (old) {
		base_map_remove(map, old);
		BASE_CONTAINER_OF(old, struct flow_alias, node)->mapped = false;
	}
	a->flow = f;
	a->mapped = base_map_insert(map, (struct base_str){ (char *)a->key, len }, &a->node) == 0;
	f->alias_count++;
}

/* 8.2: the advertised address is that of sent-by; where it is a name, what it came from stands for
 * it (18.2.1 of RFC 3261). */
static union stream_addr advertised(const struct flow *f, const struct sip_via *via)
{
	uint16_t port = via->port ? via->port : 5061;
	union stream_addr at = f->remote;

	if (!stream_addr_ip(&at, via->host, port))
		return at;
	if (at.sa.sa_family == AF_INET)
		at.in.sin_port = htons(port);
	else
		at.in6.sin6_port = htons(port);
	return at;
}

static void form(struct flow *f, const union stream_addr *at, const char *domains)
{
	f->aliases = calloc(FLOW_ALIASES_MAX, sizeof(*f->aliases));
	while (f->aliases && *domains) { /* without memory it is not called this way, no more */
		size_t len = strcspn(domains, " ");

		insert(f, at, (struct base_str){ domains, len });
		domains += len + (domains[len] == ' ');
	}
}

void flow_alias_heard(struct flow *f, struct base_str octets)
{
	const char *domains = tls_session_sip_domains(stream_session(f->stream));
	struct base_arena arena = { 0 };
	struct sip_message msg;
	union stream_addr at;

	/* 9.2: without a certificate as if there were no `alias` */
	if (!domains || !memmem(octets.ptr, octets.len, ";alias", 6))
		return;
	if (!sip_message_parse(&msg, &arena, octets, true) && msg.request && !msg.fault &&
	    sip_param_find(msg.via.params, "alias", NULL)) {
		at = advertised(f, &msg.via);
		form(f, &at, domains);
	}
	base_arena_done(&arena);
}

/* 8.1: a server's connection is that of all domains that it has proven. */
void flow_alias_up(struct flow *f)
{
	const char *domains = tls_session_sip_domains(stream_session(f->stream));

	if (domains)
		form(f, &f->remote, domains);
}

struct flow *flow_alias_find(const struct flows *flows, const union stream_addr *addr,
                             const char *name)
{
	uint8_t key[FLOW_KEY_MAX];
	size_t len = flow_peer_key(key, FLOW_TLS, 0, addr, name);
	struct base_map_node *node =
	        base_map_find(&flows->aliases, (struct base_str){ (char *)key, len });

	return node ? BASE_CONTAINER_OF(node, struct flow_alias, node)->flow : NULL;
}

void flow_alias_drop(struct flow *f)
{
	for (size_t i = 0; i < f->alias_count; i++)
		if (f->aliases[i].mapped)
			base_map_remove(&f->flows->aliases, &f->aliases[i].node);
	free(f->aliases);
	f->aliases = NULL;
	f->alias_count = 0;
}
