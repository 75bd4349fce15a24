/* SPDX-License-Identifier: Apache-2.0 */
/** @file H.248 over SCTP as the configuration has it: who does it, UDP ports, several addresses. */
#include <stdio.h>

#include "mg/yaml.h"

/* Further addresses belong to one endpoint: same family, same port. */
static int homes_check(const struct mg_config *c, struct base_error *err)
{
	const struct h248_addr *first = &c->listen[0];
	char where[MG_WHERE];

	for (size_t i = 1; i < c->listen_count; i++) {
		if (c->listen[i].family == first->family && c->listen[i].port == first->port &&
		    first->port)
			continue;
		snprintf(where, sizeof(where), "h248.also-listen[%zu]", i - 1);
		return config_refuse(c->doc, err, where,
		                     "with sctp a further address of the same endpoint: it needs "
		                     "the family and the port of h248.listen, and that one not 0");
	}
	return 0;
}

static int port_check(const struct mg_config *c, const char *where, unsigned port,
                      struct base_error *err)
{
	if (port > 65535)
		return config_refuse(c->doc, err, where, "%u is no port", port);
	return 0;
}

int mg_sctp_read(struct mg_config *c, struct base_error *err)
{
	static const char *const words[] = { "auto", "kernel", "usrsctp" };
	static const struct mg_yaml_h248 none;
	const struct mg_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	struct h248_transport_config *to = &c->node.transport;
	unsigned by = 0;
	int rc;

	if (c->controllers[0].addr.transport != H248_SCTP) {
		if (y->sctp_by || y->sctp_udp_port || y->sctp_udp_remote)
			return config_refuse(c->doc, err, "h248.transport",
			                     "settings of sctp are only for h248.transport sctp");
		return 0;
	}
	while (y->sctp_by && by < BASE_COUNT(words) && strcmp(y->sctp_by, words[by]) != 0)
		by++;
	if (by == BASE_COUNT(words))
		return config_refuse(c->doc, err, "h248.sctp-by",
		                     "'%s' is none of: auto, kernel, usrsctp", y->sctp_by);
	rc = port_check(c, "h248.sctp-udp-port", y->sctp_udp_port, err);
	if (!rc)
		rc = port_check(c, "h248.sctp-udp-remote", y->sctp_udp_remote, err);
	if (!rc)
		rc = homes_check(c, err);
	to->sctp_backend = (enum h248_sctp_backend)by;
	to->sctp_udp_port = (uint16_t)y->sctp_udp_port;
	to->sctp_udp_remote = (uint16_t)y->sctp_udp_remote;
	return rc;
}
