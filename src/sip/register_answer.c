/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/register_private.h"

/* The instance, which a quoted string in angle brackets names (RFC 5626, 4.1). */
static bool is_instance(struct base_str params, const char *instance)
{
	struct base_str value;
	char text[256];
	size_t len, want = strlen(instance);

	return sip_param_find(params, "+sip.instance", &value) &&
	       sip_unquote(value, text, sizeof(text), &len) && len == want + 2 && text[0] == '<' &&
	       strncasecmp(text + 1, instance, want) == 0;
}

uint32_t sip_granted(const struct sip_message *msg, uint32_t asked, const char *instance)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_CONTACT };
	const struct sip_header *h = sip_header(msg, SIP_H_EXPIRES);
	uint64_t least = UINT32_MAX, all = asked, s;
	struct base_str one, text;
	struct sip_addr addr;

	if (h && sip_header_number(h, UINT32_MAX, &s) == 0 && s > 0)
		all = s;
	while (sip_values_next(&values, &one)) {
		if (sip_addr_parse(one, &addr) || !sip_param_find(addr.params, "expires", &text) ||
		    base_str_u64(text, UINT32_MAX, &s) || !s)
			continue;
		if (instance && is_instance(addr.params, instance))
			return (uint32_t)s;
		least = BASE_MIN(least, s);
	}
	return (uint32_t)(least == UINT32_MAX ? all : least);
}

uint64_t sip_refresh_s(uint32_t expires_s)
{
	return expires_s > 1200 ? expires_s - 600 : BASE_MAX(expires_s / 2, 1);
}

void sip_routes_take(struct sip_service_routes *routes, const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_SERVICE_ROUTE };
	struct base_str one;

	base_arena_reset(&routes->arena);
	routes->count = 0;
	routes->uri = base_arena_array(&routes->arena, SIP_ROUTES_MAX, sizeof(*routes->uri));
	while (routes->uri && routes->count < SIP_ROUTES_MAX && sip_values_next(&values, &one)) {
		char *copy = base_arena_dup(&routes->arena, one);
		struct sip_addr addr;

		if (!copy || sip_addr_parse(one, &addr))
			continue;
		routes->uri[routes->count++] = (struct base_str){ copy, one.len };
	}
}

uint64_t sip_retry_after(const struct sip_message *msg, uint64_t max_s)
{
	const struct sip_header *h = msg ? sip_header(msg, SIP_H_RETRY_AFTER) : NULL;
	struct base_str digits = { h ? h->value.ptr : NULL, 0 };
	uint64_t s;

	while (h && digits.len < h->value.len && digits.ptr[digits.len] >= '0' &&
	       digits.ptr[digits.len] <= '9')
		digits.len++;
	return h && base_str_u64(digits, max_s, &s) == 0 ? s : 0;
}

uint32_t sip_min_expires(const struct sip_message *msg, uint32_t asked)
{
	const struct sip_header *h = sip_header(msg, SIP_H_MIN_EXPIRES);
	uint64_t s;

	return h && !sip_header_number(h, UINT32_MAX, &s) && s > asked ? (uint32_t)s : 0;
}
