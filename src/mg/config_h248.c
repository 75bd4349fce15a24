/* SPDX-License-Identifier: Apache-2.0 */
/* `h248` and `controllers`: who controls us, where we listen, timers, codec. */
#include <stdio.h>

#include "mg/yaml.h"

#define DEFAULT_KEEP_MS 3600000U
#define WORD_TRANSPORT  "h248.transport"
#define WRONG_TRANSPORT "'%s' is not the transport of h248 (%s)"

static int addr_read(const struct mg_config *c, const char *where, const char *text,
                     enum h248_transport_kind transport, struct h248_addr *ret,
                     struct base_error *err)
{
	struct config_address a;
	int rc = config_address(c->doc, where, text, H248_PORT_TEXT, &a, err);

	if (rc)
		return rc;
	if (a.transport[0] && strcmp(a.transport, h248_transport_name(transport)) != 0)
		return config_refuse(c->doc, err, where, WRONG_TRANSPORT, a.transport,
		                     h248_transport_name(transport));
	if (h248_addr_parse(transport, base_str_of(a.host), a.port, ret))
		return config_refuse(c->doc, err, where, "'%s' is no numeric address", a.host);
	ret->port = a.port;
	return 0;
}

/* Another than an address is a name, looked up when it is needed (RFC 3525, 9). */
static int controller_read(struct mg_config *c, const char *where, const char *text,
                           enum h248_transport_kind transport, struct base_error *err)
{
	struct h248_controller *to = &c->controllers[c->controller_count];
	struct config_address a;
	int rc = config_address(c->doc, where, text, H248_PORT_TEXT, &a, err);

	if (rc)
		return rc;
	if (a.transport[0] && strcmp(a.transport, h248_transport_name(transport)) != 0)
		return config_refuse(c->doc, err, where, WRONG_TRANSPORT, a.transport,
		                     h248_transport_name(transport));
	if (h248_addr_parse(transport, base_str_of(a.host), a.port, &to->addr)) {
		if (strlen(a.host) > H248_NAME_MAX)
			return config_refuse(c->doc, err, where,
			                     "'%s' is neither an address nor a name", a.host);
		to->addr.transport = (uint8_t)transport;
		snprintf(to->name, sizeof(to->name), "%s", a.host);
	}
	to->addr.port = a.port;
	c->controller_count++;
	return 0;
}

/* One entry: a controller, or a pool of equals between `|`. */
static int pool_read(struct mg_config *c, unsigned i, enum h248_transport_kind transport,
                     struct base_error *err)
{
	const char *text = c->yaml->controllers[i], *end;
	char where[MG_WHERE], one[256];
	int rc = 0;

	snprintf(where, sizeof(where), "controllers[%u]", i);
	for (bool first = true; text && !rc; first = false) {
		struct base_str part;

		end = strchr(text, '|');
		part = base_str_trim(end ? (struct base_str){ text, (size_t)(end - text) }
		                         : base_str_of(text));
		if (c->controller_count == MG_CONTROLLERS_MAX || part.len >= sizeof(one))
			return config_refuse(c->doc, err, where, "more than %d controllers",
			                     MG_CONTROLLERS_MAX);
		snprintf(one, sizeof(one), "%.*s", BASE_FMT(part));
		c->controllers[c->controller_count].alternative = !first;
		rc = controller_read(c, where, one, transport, err);
		text = end ? end + 1 : NULL;
	}
	return rc;
}

static int controllers_read(struct mg_config *c, enum h248_transport_kind transport,
                            struct base_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < c->yaml->controllers_count && !rc; i++)
		rc = pool_read(c, i, transport, err);
	c->assoc.controllers = c->controllers;
	c->assoc.controllers_count = c->controller_count;
	return rc;
}

/*
 * Where we listen. UDP's default: any address of the family of the first controller that has one
 * (of IPv4, when all are names), and the standard port (RFC 3525, 9).
 */
static int listen_read(struct mg_config *c, const struct mg_yaml_h248 *y,
                       enum h248_transport_kind kind, struct base_error *err)
{
	char where[MG_WHERE];
	uint8_t family = 0;
	int rc = 0;

	if (y->also_count && !y->listen)
		return config_refuse(c->doc, err, "h248.also-listen", "without h248.listen");
	if (y->also_count >= MG_ADDRESSES_MAX)
		return config_refuse(c->doc, err, "h248.also-listen", "more than %d addresses",
		                     MG_ADDRESSES_MAX - 1);
	if (y->listen)
		rc = addr_read(c, "h248.listen", y->listen, kind, &c->listen[0], err);
	for (unsigned i = 0; i < y->also_count && !rc; i++) {
		snprintf(where, sizeof(where), "h248.also-listen[%u]", i);
		rc = addr_read(c, where, y->also[i], kind, &c->listen[i + 1], err);
	}
	if (y->listen)
		c->listen_count = y->also_count + 1;
	if (y->listen || kind != H248_UDP)
		return rc;
	for (size_t i = 0; i < c->controller_count && !family; i++)
		family = c->controllers[i].addr.family;
	c->listen_count = 1;
	c->listen[0] = (struct h248_addr){ .transport = H248_UDP,
		                           .family = family ? family : 4,
		                           .port = H248_PORT_TEXT };
	return 0;
}

/* A UDP socket reaches addresses of its own family only. */
static void families_set(struct mg_config *c)
{
	uint8_t family = c->listen[0].family;

	for (size_t i = 1; i < c->listen_count; i++)
		if (c->listen[i].family != family)
			family = 0; /* both */
	for (size_t i = 0; i < c->controller_count; i++)
		if (c->controllers[i].name[0])
			c->controllers[i].addr.family = family;
}

static int h248_times_read(struct mg_config *c, const struct mg_yaml_h248 *y,
                           struct base_error *err)
{
	const struct {
		const char *where, *text;
		uint32_t *to;
	} times[] = {
		{ "h248.inactivity", y->inactivity, &c->assoc.inactivity_ms },
		{ "h248.max-waiting-delay", y->mwd, &c->assoc.mwd_ms },
		{ "h248.retry", y->retry, &c->assoc.retry_ms },
		{ "h248.retry-max", y->retry_max, &c->assoc.retry_max_ms },
		{ "h248.register-timeout", y->register_timeout, &c->assoc.register_ms },
		{ "h248.resolve-timeout", y->resolve_timeout, &c->assoc.resolve_ms },
		{ "h248.keep-contexts", y->keep_contexts, &c->keep_ms },
		{ "h248.hanging-after", y->hanging_after, &c->core.hanging_ms },
		{ "h248.leave-timeout", y->leave_timeout, &c->assoc.leave_ms },
		{ "h248.long-timer", y->long_timer, &c->node.txn.long_timer_ms },
		{ "h248.t-max", y->t_max, &c->node.txn.t_max_ms },
		{ "h248.execution-time", y->execution, &c->node.txn.execution_ms },
		{ "h248.handshake-timeout", y->link_timeout, &c->node.transport.handshake_ms },
	};
	int rc = 0;

	c->keep_ms = DEFAULT_KEEP_MS;
	for (size_t i = 0; i < BASE_COUNT(times) && !rc; i++)
		rc = mg_ms_read(c, times[i].where, times[i].text, times[i].to, err);
	c->core.execution_ms = c->node.txn.execution_ms;
	return rc;
}

int mg_h248_read(struct mg_config *c, struct base_error *err)
{
	static const char *const transports[] = { "udp", "tcp", "tls", "sctp", NULL };
	static const enum h248_transport_kind kinds[] = { H248_UDP, H248_TCP, H248_TLS, H248_SCTP };
	static const char *const encodings[] = { "compact", "pretty", "ber", NULL };
	static const struct mg_yaml_h248 none;
	const struct mg_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	unsigned transport = 0, encoding = 0;
	int rc = mg_word_pick(c, WORD_TRANSPORT, y->transport, transports, &transport, err);
	enum h248_transport_kind kind = kinds[transport];

	if (!rc)
		rc = mg_word_pick(c, "h248.encoding", y->encoding, encodings, &encoding, err);
	if (!rc)
		rc = mg_number_check(c, "h248.version", y->version, 1, H248_VERSION_MAX, err);
	if (!rc)
		rc = controllers_read(c, kind, err);
	if (!rc)
		rc = listen_read(c, y, kind, err);
	if (!rc)
		rc = h248_times_read(c, y, err);
	if (!rc)
		rc = mg_txn_read(c, kind, err);
	c->node.txn.codec = (enum h248_codec)encoding; /* in the order of enum h248_codec */
	c->node.txn.pretty = encoding == H248_CODEC_PRETTY;
	c->node.txn.pending_limit = c->core.pending_limit = y->pending_limit;
	c->assoc.version = (uint8_t)y->version;
	c->assoc.any_source = y->any_source;
	if (!rc && y->service_address)
		rc = addr_read(c, "h248.service-address", y->service_address, kind,
		               &c->service_address, err);
	if (!rc && y->service_address)
		c->assoc.service_address = &c->service_address;
	families_set(c);
	return rc ? rc : mg_profiles_read(c, err);
}
