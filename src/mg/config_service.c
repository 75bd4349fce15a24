/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the service life cycle: profiles, addresses out of service, overload. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "mg/yaml.h"

int mg_number_check(const struct mg_config *c, const char *where, unsigned value, unsigned min,
                    unsigned max, struct base_error *err)
{
	if (value && (value < min || value > max))
		return config_refuse(c->doc, err, where, "%u is not within %u to %u", value, min,
		                     max);
	return 0;
}

int mg_host_read(const struct mg_config *c, const char *where, const char *text,
                 struct sockaddr_storage *to, struct base_error *err)
{
	if (inet_pton(AF_INET, text, &((struct sockaddr_in *)to)->sin_addr) == 1)
		to->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)to)->sin6_addr) == 1)
		to->ss_family = AF_INET6;
	else
		return config_refuse(c->doc, err, where, "'%s' is no IPv4 or IPv6 address", text);
	return 0;
}

static int profile_read(struct mg_config *c, const char *where, const char *text,
                        struct base_error *err)
{
	struct h248_profile *p = &c->profiles[c->assoc.profiles_count];
	const char *slash = strchr(text, '/');
	uint64_t version = 1;

	if (c->assoc.profiles_count == MG_PROFILES_MAX)
		return config_refuse(c->doc, err, where, "more than %d profiles", MG_PROFILES_MAX);
	p->name = base_str_of(text);
	if (slash)
		p->name.len = (size_t)(slash - text);
	if (!p->name.len || p->name.len > 64 ||
	    (slash && (base_str_u64(base_str_of(slash + 1), 99, &version) || !version)))
		return config_refuse(c->doc, err, where,
		                     "'%s' is no profile: expected NAME/VERSION", text);
	p->version = (uint8_t)version;
	c->assoc.profiles_count++;
	return 0;
}

int mg_profiles_read(struct mg_config *c, struct base_error *err)
{
	static const struct mg_yaml_h248 none;
	const struct mg_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	char where[MG_WHERE];
	int rc = y->profile ? profile_read(c, "h248.profile", y->profile, err) : 0;

	for (unsigned i = 0; i < y->profiles_count && !rc; i++) {
		snprintf(where, sizeof(where), "h248.profiles[%u]", i);
		rc = profile_read(c, where, y->profiles[i], err);
	}
	c->assoc.profiles = c->profiles;
	return rc;
}

/* Addresses that are for the time being no good, out of those configured. */
static int states_read(struct mg_config *c, const char *key, const char *const *texts,
                       unsigned count, enum mg_address_state state, struct base_error *err)
{
	for (unsigned i = 0; i < count; i++) {
		struct sockaddr_storage a = { 0 };
		unsigned at = 0;
		char where[MG_WHERE];
		int rc;

		snprintf(where, sizeof(where), "media.%s[%u]", key, i);
		rc = mg_host_read(c, where, texts[i], &a, err);
		if (rc)
			return rc;
		while (at < c->core.address_count && memcmp(&a, &c->addresses[at], sizeof(a)) != 0)
			at++;
		if (at == c->core.address_count)
			return config_refuse(c->doc, err, where, "'%s' is no local media address",
			                     texts[i]);
		c->address_states[at] = state;
	}
	return 0;
}

int mg_withdrawn_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_media *y = c->yaml->media;
	int rc = states_read(c, "out-of-service", y->out_of_service, y->out_of_service_count,
	                     MG_ADDRESS_WITHDRAWN, err);

	return rc ? rc
	          : states_read(c, "failed", y->failed, y->failed_count, MG_ADDRESS_FAILED, err);
}

/* When to refuse new contexts, and which ones all the same. */
int mg_overload_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_overload *y = c->yaml->overload;
	int rc;

	if (!y)
		return 0;
	rc = mg_number_check(c, "overload.contexts", y->contexts, 1, 10000000, err);
	if (!rc)
		rc = mg_number_check(c, "overload.cpu", y->cpu, 1, 100, err);
	if (!rc)
		rc = mg_number_check(c, "overload.priority", y->priority, 1, 15, err);
	if (!rc)
		rc = mg_number_check(c, "overload.reduction", y->reduction, 1, 100, err);
	c->core.overload_contexts = y->contexts;
	c->core.overload_busy = y->cpu;
	c->core.overload_priority = y->priority;
	c->core.overload_reduction = y->reduction;
	return rc;
}
