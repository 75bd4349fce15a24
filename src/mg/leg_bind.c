/* SPDX-License-Identifier: Apache-2.0 */
/* Binding the port of a leg: which, and what the controller is told where it cannot be had. */
#include <errno.h>

#include "mg/bearer.h"

uint16_t mg_port_wanted(const struct h248_sdp_group *g, const struct mg_leg *old)
{
	struct sockaddr_storage local;

	if (g->media.port_choose || g->media.port == 9)
		return 0;
	if (old)
		mg_leg_local(old, &local);
	return old && g->media.port == mg_port_of(&local) ? 0 : g->media.port;
}

static int leg_bind_at(struct mg_leg *leg, struct relay_context *relay,
                       struct relay_endpoint_spec *spec, uint16_t port, struct base_error *err)
{
	mg_port_set(&spec->local, port);
	return leg->mg->bearer->endpoint_add(&leg->endpoint, relay, spec, err);
}

int mg_leg_bind(struct mg_leg *leg, struct relay_context *relay, struct relay_endpoint_spec *spec,
                uint16_t port, struct base_error *err)
{
	struct mg *mg = leg->mg;
	unsigned min = mg->set.port_min, range = mg->set.port_max - min + 1U;
	int rc = BASE_ERR(BASE_LOCAL, EADDRINUSE);

	if (port || !mg->set.port_max)
		return leg_bind_at(leg, relay, spec, port, err);
	for (unsigned i = 0; i < range; i++) {
		mg->last_port = (mg->last_port + 1) % range;
		/* With the next one for RTCP, which has to be of the range too. */
		if (spec->dgram && spec->dgram->rtcp_port &&
		    ((min + mg->last_port) % 2 || min + mg->last_port == mg->set.port_max))
			continue;
		rc = leg_bind_at(leg, relay, spec, (uint16_t)(min + mg->last_port), err);
		if (!rc || base_err_detail(rc) != EADDRINUSE)
			return rc;
	}
	return rc;
}

int mg_bind_error(int rc, uint16_t port, struct base_error *err)
{
	switch (base_err_detail(rc)) {
	case EADDRINUSE:
		if (port)
			return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
			                      "Local: port %u is in use", port);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: no free port is left");
	case EDESTADDRREQ:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_MISSING_REMOTE_LOCAL),
		                      "Local: a shared port needs Remote");
	case EPROTOTYPE:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_CONFLICT),
		                      "Local: those that wait at port %u have another TLS domain",
		                      port);
	case EXDEV:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: streams that wait for unnamed peers in this TLS "
		                      "domain are on another worker than this context's sessions; "
		                      "add it before those");
	case EMFILE:
	case ENFILE:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: no descriptor is left");
	case ENOMEM:
	case ENOBUFS:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: memory is short");
	default:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: cannot bind: %s", strerror((int)base_err_detail(rc)));
	}
}
