/* SPDX-License-Identifier: Apache-2.0 */
/* Media addresses: as a c= line gives them, and which of ours is taken. */
#include <netinet/in.h>

#include "mg/bearer.h"
#include "mg/pkg.h"
#include "mg/service.h"

uint16_t mg_port_of(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
	return ntohs(((const struct sockaddr_in *)a)->sin_port);
}

void mg_port_set(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)a)->sin_port = htons(port);
}

bool mg_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		               &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

bool mg_host_given(const struct h248_sdp_connection *c, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (c->kind == H248_SDP_ADDRESS_IP4) {
		ret->ss_family = AF_INET;
		memcpy(&((struct sockaddr_in *)ret)->sin_addr, c->octets, 4);
		return true;
	}
	if (c->kind == H248_SDP_ADDRESS_IP6) {
		ret->ss_family = AF_INET6;
		memcpy(&((struct sockaddr_in6 *)ret)->sin6_addr, c->octets, 16);
		return true;
	}
	return false;
}

int mg_host_pick(struct mg *mg, const struct h248_sdp_connection *c, const char *realm,
                 struct sockaddr_storage *ret, struct base_error *err)
{
	size_t count = mg->set.address_count;
	struct sockaddr_storage given;
	bool has = mg_host_given(c, &given);

	if (c->kind == H248_SDP_ADDRESS_NAME)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_VALUE),
		                      "Local: a host name is no address of this gateway");
	for (size_t i = 0; i < count; i++) {
		size_t n = (mg->last_address + 1 + i) % count;
		const struct sockaddr_storage *a = &mg->set.addresses[n];

		if (!mg_address_good(mg, n))
			continue;
		if (has ? !mg_same_host(a, &given) : c->family && a->ss_family != c->family)
			continue;
		if ((!has || realm[0]) && !mg_ipdc_fits(&mg->set, n, realm))
			continue;
		if (!has)
			mg->last_address = n;
		*ret = *a;
		return 0;
	}
	if (has)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_VALUE),
		                      "Local: the address in c= is none of this gateway, or out of "
		                      "service%s%s",
		                      realm[0] ? " in realm " : "", realm);
	return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
	                      "Local: no media address of that family is in service %s%s",
	                      realm[0] ? "in realm " : "outside of realms", realm);
}

bool mg_host_in_realm(const struct mg_settings *set, const struct sockaddr_storage *host,
                      const char *realm)
{
	for (size_t i = 0; i < set->address_count; i++)
		if (mg_same_host(&set->addresses[i], host) && mg_ipdc_fits(set, i, realm))
			return true;
	return false;
}
