/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <stdio.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/** Digits and a unit of the table; the unit may be left out when `bare` says so. */
static int number_with_unit(struct base_str text, const struct unit *unit, size_t count, bool bare,
                            uint64_t *ret)
{
	size_t digits = 0;
	uint64_t n, factor = 0;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	if (base_str_u64((struct base_str){ text.ptr, digits }, UINT64_MAX, &n))
		return BASE_ERR(BASE_CONFIG, 0);
	text.ptr += digits;
	text.len -= digits;
	for (size_t i = 0; i < count; i++) {
		if (base_str_eq(text, base_str_of(unit[i].name)))
			factor = unit[i].factor;
	}
	if (!text.len && (bare || !n))
		factor = 1;
	if (!factor || n > UINT64_MAX / factor)
		return BASE_ERR(BASE_CONFIG, 0);
	*ret = n * factor;
	return 0;
}

int config_duration_parse(struct base_str text, uint64_t *ret_ms)
{
	static const struct unit unit[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};

	return number_with_unit(text, unit, BASE_COUNT(unit), false, ret_ms);
}

int config_size_parse(struct base_str text, uint64_t *ret_octets)
{
	static const struct unit unit[] = {
		{ "KiB", 1 << 10 },
		{ "MiB", 1 << 20 },
		{ "GiB", 1 << 30 },
	};

	return number_with_unit(text, unit, BASE_COUNT(unit), true, ret_octets);
}

/** Split a lower-case word and colon off the front; before a bare port it is a host's name. */
static struct base_str take_transport(struct base_str text, char *out, size_t cap)
{
	struct base_str rest;
	uint64_t port;
	size_t n = 0;

	out[0] = '\0';
	while (n < text.len && text.ptr[n] >= 'a' && text.ptr[n] <= 'z')
		n++;
	if (!n || n >= cap || n + 1 >= text.len || text.ptr[n] != ':')
		return text;
	rest = (struct base_str){ text.ptr + n + 1, text.len - n - 1 };
	if (!base_str_u64(rest, UINT64_MAX, &port))
		return text;
	memcpy(out, text.ptr, n);
	out[n] = '\0';
	return rest;
}

static bool host_looks_right(struct base_str host, bool bracketed)
{
	for (size_t i = 0; i < host.len; i++) {
		int c = base_lower(host.ptr[i]);
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';

		if (!word && (bracketed ? c != ':' && c != '%' : c != '-' && c != '_'))
			return false;
	}
	return host.len != 0;
}

/** Split "[host]:port" or "host:port"; the port stays empty when none is written. */
static int split_host(struct base_str text, struct base_str *host, struct base_str *port,
                      bool *bracketed)
{
	const char *end = text.ptr + text.len, *p;

	*bracketed = text.len && text.ptr[0] == '[';
	p = *bracketed ? memchr(text.ptr, ']', text.len) : memchr(text.ptr, ':', text.len);
	if (*bracketed && !p)
		return BASE_ERR(BASE_CONFIG, 0);
	if (!p)
		p = end;
	host->ptr = text.ptr + *bracketed;
	host->len = (size_t)(p - host->ptr);
	p += *bracketed;
	if (p < end && *p != ':')
		return BASE_ERR(BASE_CONFIG, 0);
	*port = p < end ? (struct base_str){ p + 1, (size_t)(end - p - 1) } : BASE_STR("");
	return p + 1 == end ? BASE_ERR(BASE_CONFIG, 0) : 0;
}

int config_address_parse(struct base_str text, uint16_t default_port, struct config_address *ret)
{
	struct config_address address;
	struct base_str host, port;
	uint64_t number = default_port;
	bool bracketed;

	if (!text.len)
		return BASE_ERR(BASE_CONFIG, 0);
	text = take_transport(text, address.transport, sizeof(address.transport));
	if (split_host(text, &host, &port, &bracketed))
		return BASE_ERR(BASE_CONFIG, 0);
	if (host.len >= sizeof(address.host) || !host_looks_right(host, bracketed))
		return BASE_ERR(BASE_CONFIG, 0);
	if (port.len && base_str_u64(port, 65535, &number))
		return BASE_ERR(BASE_CONFIG, 0);
	if (!port.len && !default_port)
		return BASE_ERR(BASE_CONFIG, 0);
	memcpy(address.host, host.ptr, host.len);
	address.host[host.len] = '\0';
	address.port = (uint16_t)number;
	*ret = address;
	return 0;
}

int config_duration(const struct config_doc *doc, const char *where, const char *text,
                    uint64_t fallback_ms, uint64_t *ret_ms, struct base_error *err)
{
	if (!text) {
		*ret_ms = fallback_ms;
		return 0;
	}
	if (!config_duration_parse(base_str_of(text), ret_ms))
		return 0;
	return config_refuse(doc, err, where,
	                     "'%.64s' is no duration; write a whole number and ms, s, m, h or d, "
	                     "as in 250ms or 10s",
	                     text);
}

int config_size(const struct config_doc *doc, const char *where, const char *text,
                uint64_t fallback, uint64_t *ret_octets, struct base_error *err)
{
	if (!text) {
		*ret_octets = fallback;
		return 0;
	}
	if (!config_size_parse(base_str_of(text), ret_octets))
		return 0;
	return config_refuse(doc, err, where,
	                     "'%.64s' is no size; write a whole number of octets, or one with "
	                     "KiB, MiB or GiB",
	                     text);
}

int config_address(const struct config_doc *doc, const char *where, const char *text,
                   uint16_t default_port, struct config_address *ret, struct base_error *err)
{
	if (text && !config_address_parse(base_str_of(text), default_port, ret))
		return 0;
	return config_refuse(doc, err, where,
	                     "'%.64s' is no address; write host:port, as in 127.0.0.1:2944 or "
	                     "[::1]:2944",
	                     text ? text : "");
}

int config_enum_find(const cyaml_strval_t *table, size_t count, struct base_str word, int64_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (base_str_eq(word, base_str_of(table[i].str))) {
			*ret = table[i].val;
			return 0;
		}
	}
	return BASE_ERR(BASE_CONFIG, 0);
}

const char *config_enum_name(const cyaml_strval_t *table, size_t count, int64_t value)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].val == value)
			return table[i].str;
	}
	return "?";
}
