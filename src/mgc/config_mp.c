/* SPDX-License-Identifier: Apache-2.0 */
/** @file H.248 as the configuration has it: where MRFPs come to, who they must prove to be. */
#include <stdio.h>

#include "mgc/yaml.h"

#define VERSION 3

static int addr_read(const struct mgc_config *c, const char *where, const char *text,
                     enum h248_transport_kind transport, struct h248_addr *ret,
                     struct base_error *err)
{
	struct config_address a;
	int rc = config_address(c->doc, where, text, H248_PORT_TEXT, &a, err);

	if (rc)
		return rc;
	if (a.transport[0])
		return config_refuse(c->doc, err, where, "the transport is said by h248.transport");
	if (h248_addr_parse(transport, base_str_of(a.host), a.port, ret))
		return config_refuse(c->doc, err, where, "'%s' is no numeric address", a.host);
	ret->port = a.port;
	return 0;
}

static int gateways_read(struct mgc_config *c, const struct mgc_yaml_h248 *y,
                         struct base_error *err)
{
	struct h248_mid mid;
	char where[MGC_WHERE];

	for (unsigned i = 0; i < y->gateways_count; i++) {
		(void)snprintf(where, sizeof(where), "h248.gateways[%u]", i);
		if (h248_mid_parse(base_str_of(y->gateways[i]), &mid))
			return config_refuse(c->doc, err, where,
			                     "'%s' is no mId: expected [ADDRESS]:PORT, "
			                     "<DOMAIN>:PORT or a device name",
			                     y->gateways[i]);
	}
	c->mp.gateways = y->gateways;
	c->mp.gateways_count = y->gateways_count;
	return 0;
}

static int link_read(struct mgc_config *c, const struct mgc_yaml_h248 *y, bool tls,
                     struct base_error *err)
{
	if (!tls && (y->domain || y->peer_name))
		return config_refuse(c->doc, err, "h248",
		                     "domain and peer-name are for transport "
		                     "tls");
	if (!tls)
		return 0;
	if (!y->domain)
		return config_refuse(c->doc, err, "h248.transport",
		                     "tls needs h248.domain: the name of a TLS domain");
	if (!y->peer_name && !y->any_peer_name)
		return config_refuse(c->doc, err, "h248.domain",
		                     "whom to expect? Set h248.peer-name to the name in the "
		                     "MRFPs' certificates");
	c->link_domain = y->domain;
	c->link.peer_name = y->peer_name;
	return mgc_domain_check(c, "h248.domain", y->domain, err);
}

static int times_read(struct mgc_config *c, const struct mgc_yaml_h248 *y, struct base_error *err)
{
	int rc;

	c->mp.lost_ms = 10000;
	rc = mgc_ms_read(c, "h248.audit", y->audit, &c->mp.audit_ms, err);
	if (!rc)
		rc = mgc_ms_read(c, "h248.lost-after", y->lost, &c->mp.lost_ms, err);
	if (!rc)
		rc = mgc_ms_read(c, "h248.t-max", y->t_max, &c->mp.node.txn.t_max_ms, err);
	return rc;
}

/* Our mId: as configured, or where we listen. */
static int mid_read(struct mgc_config *c, const struct mgc_yaml_h248 *y, struct base_error *err)
{
	struct h248_mid *mid = &c->mp.node.txn.mid;

	*mid = h248_addr_mid(&c->mp.listen);
	mid->has_port = c->mp.listen.port != 0;
	if (y->mid && (h248_mid_parse(base_str_of(y->mid), mid) || mid->kind == H248_MID_PORT))
		return config_refuse(c->doc, err, "h248.mid",
		                     "'%s' is no mId such as [192.0.2.1]:2944 or <mgc.example.net>",
		                     y->mid);
	return 0;
}

int mgc_mp_read(struct mgc_config *c, struct base_error *err)
{
	static const struct mgc_yaml_h248 none;
	const struct mgc_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	unsigned transport =
	        y->transport ? h248_transport_find(base_str_of(y->transport)) : H248_UDP;
	int rc;

	if (!transport)
		return config_refuse(c->doc, err, "h248.transport",
		                     "'%s' is none of: udp, tcp, tls, sctp", y->transport);
	if (y->version > VERSION)
		return config_refuse(c->doc, err, "h248.version", "1 to %d", VERSION);
	c->mp.version = y->version ? y->version : VERSION;
	c->mp.unprotected_keys = y->unprotected_keys;
	if (y->encoding && h248_codec_by_name(base_str_of(y->encoding), &c->mp.node.txn.codec))
		return config_refuse(c->doc, err, "h248.encoding",
		                     "'%s' is none of: compact, pretty, ber", y->encoding);
	rc = addr_read(c, "h248.listen", y->listen ? y->listen : "127.0.0.1:2944",
	               (enum h248_transport_kind)transport, &c->mp.listen, err);
	if (!rc)
		rc = mid_read(c, y, err);
	if (!rc && y->handoff) {
		rc = addr_read(c, "h248.hand-off-to", y->handoff,
		               (enum h248_transport_kind)transport, &c->handoff, err);
		c->mp.handoff = &c->handoff;
	}
	if (!rc)
		rc = gateways_read(c, y, err);
	if (!rc)
		rc = times_read(c, y, err);
	return rc ? rc : link_read(c, y, transport == H248_TLS, err);
}
