/* SPDX-License-Identifier: Apache-2.0 */
/* `media`: addresses and their realms, ports, times. */
#include <stdio.h>

#include "mg/yaml.h"

#define DEFAULT_WATCH_MS 10000U

/* One more media address, of that realm (NULL: of none). */
static int media_address(struct mg_config *c, const char *where, const char *text,
                         const char *realm, struct base_error *err)
{
	if (c->core.address_count == MG_ADDRESSES_MAX)
		return config_refuse(c->doc, err, where, "more than %u addresses in all",
		                     MG_ADDRESSES_MAX);
	c->address_realms[c->core.address_count] = realm;
	return mg_host_read(c, where, text, &c->addresses[c->core.address_count++], err);
}

static int realm_read(struct mg_config *c, unsigned n, struct base_error *err)
{
	const struct mg_yaml_realm *r = &c->yaml->media->realms[n];
	char where[MG_WHERE];
	int rc = 0;

	snprintf(where, sizeof(where), "media.realms[%u].name", n);
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(c->yaml->media->realms[i].name, r->name))
			return config_refuse(c->doc, err, where, "realm '%s' is there already",
			                     r->name);
	if (strlen(r->name) > 64)
		return config_refuse(c->doc, err, where, "longer than 64 octets");
	for (unsigned i = 0; i < r->addresses_count && !rc; i++) {
		snprintf(where, sizeof(where), "media.realms[%u].addresses[%u]", n, i);
		rc = media_address(c, where, r->addresses[i], r->name, err);
	}
	return rc;
}

static int addresses_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_media *y = c->yaml->media;
	char where[MG_WHERE];
	int rc = 0;

	for (unsigned i = 0; i < y->addresses_count && !rc; i++) {
		snprintf(where, sizeof(where), "media.addresses[%u]", i);
		rc = media_address(c, where, y->addresses[i], NULL, err);
	}
	for (unsigned i = 0; i < y->realms_count && !rc; i++)
		rc = realm_read(c, i, err);
	if (!rc && !c->core.address_count)
		rc = config_refuse(c->doc, err, "media", "neither addresses nor realms");
	c->core.addresses = c->addresses;
	c->core.address_realms = c->address_realms;
	return rc;
}

static int ports_read(struct mg_config *c, const char *text, struct base_error *err)
{
	const char *dash = text ? strchr(text, '-') : NULL;
	uint64_t min, max;

	if (!text)
		return 0;
	if (!dash ||
	    base_str_u64(base_str_trim((struct base_str){ text, (size_t)(dash - text) }), 65535,
	                 &min) ||
	    base_str_u64(base_str_trim(base_str_of(dash + 1)), 65535, &max) || !min || max < min)
		return config_refuse(c->doc, err, "media.ports",
		                     "'%s' is no range of ports: expected LOW-HIGH", text);
	c->core.port_min = (uint16_t)min;
	c->core.port_max = (uint16_t)max;
	return 0;
}

int mg_media_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_media *y = c->yaml->media;
	int rc = ports_read(c, y->ports, err);

	if (!rc)
		rc = addresses_read(c, err);
	if (!rc)
		rc = mg_withdrawn_read(c, err);
	c->watch_ms = DEFAULT_WATCH_MS;
	if (!rc)
		rc = mg_ms_read(c, "media.watch", y->watch, &c->watch_ms, err);
	if (!rc)
		rc = mg_ms_read(c, "media.connect-timeout", y->connect_timeout, &c->core.connect_ms,
		                err);
	if (!rc)
		rc = mg_ms_read(c, "media.handshake-timeout", y->handshake_timeout,
		                &c->core.handshake_ms, err);
	return rc;
}
