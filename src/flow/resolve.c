/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 3263, 4: which transport, which port, which addresses. A lookup goes through three stages,
 * each of them a number of queries at once, and what they find is put into its place whenever it
 * comes:
 *
 *   NAPTR  the host -> names of services        (4.1; without port and transport)
 *   SRV    each service -> hosts and ports      (4.2; without port)
 *   hosts  each host -> addresses
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/dns.h"
#include "sip/sip.h"

#define HOST_MAX     255
#define SERVICES_MAX 8
#define HOSTS_MAX    16
#define ADDRS_MAX    8

/* A name that SRV records are asked for. */
struct service {
	struct flow_lookup *lookup;
	enum flow_transport transport;
	char name[HOST_MAX + 1];
	struct ares_srv_reply *reply;
	bool none; /* the service is not there: one record, of the target "." (RFC 2782) */
};

/* A host whose addresses are asked for. */
struct host {
	struct flow_lookup *lookup;
	enum flow_transport transport;
	uint16_t port;
	char name[HOST_MAX + 1];
	union stream_addr addrs[ADDRS_MAX];
	size_t count;
};

struct flow_lookup {
	struct base_node node;
	struct flow_resolver *resolver;
	flow_resolved_fn *fn;
	void *arg;
	struct loop_task done;
	bool cancelled, sips, long_request;
	unsigned transports;
	unsigned pending; /* queries, and who begins them */
	void (*next)(struct flow_lookup *l);
	char target[HOST_MAX + 1];
	char name[HOST_MAX + 1]; /* that a certificate has to prove */
	uint16_t port;           /* 0 = none is told */
	enum flow_transport fallback;
	unsigned status;
	const char *why;
	size_t service_count, host_count, target_count;
	/* 25 KiB, which a lookup without DNS does not touch: set as they are added */
	struct service services[SERVICES_MAX];
	struct host hosts[HOSTS_MAX];
	struct flow_target targets[FLOW_TARGETS_MAX];
};

struct flow_resolver {
	struct loop *loop;
	struct dns *dns;
	struct base_node lookups;
};

/* ---- names ---- */

static const char *const transport_names[] = { "UDP", "TCP", "TLS" };

const char *flow_transport_name(enum flow_transport transport)
{
	return transport_names[transport];
}

int flow_transport_parse(struct base_str name, enum flow_transport *ret)
{
	for (size_t i = 0; i < BASE_COUNT(transport_names); i++) {
		if (!base_str_ieq(name, base_str_of(transport_names[i])))
			continue;
		*ret = (enum flow_transport)i;
		return 0;
	}
	return BASE_ERR(BASE_CONFIG, 0);
}

static uint16_t default_port(enum flow_transport transport)
{
	return transport == FLOW_TLS ? 5061 : 5060;
}

static bool has(const struct flow_lookup *l, enum flow_transport transport)
{
	return (l->transports & 1U << transport) && (!l->sips || transport == FLOW_TLS);
}

/* ---- the end ---- */

static void lookup_free(struct flow_lookup *l)
{
	loop_defer_stop(l->resolver->loop, &l->done);
	for (size_t i = 0; i < l->service_count; i++)
		if (l->services[i].reply)
			ares_free_data(l->services[i].reply);
	base_list_remove(&l->node);
	free(l);
}

static void on_done(void *arg)
{
	struct flow_lookup *l = arg;
	flow_resolved_fn *fn = l->cancelled ? NULL : l->fn;

	if (fn)
		fn(l->arg, l->targets, l->target_count, l->name, l->target_count ? 0 : l->status,
		   l->target_count ? "" : l->why);
	lookup_free(l);
}

static void finish(struct flow_lookup *l)
{
	loop_defer(l->resolver->loop, &l->done, on_done, l);
}

static void fail(struct flow_lookup *l, unsigned status, const char *why)
{
	l->status = status;
	l->why = why;
}

/* One query is answered: when it was the last of its stage, the next begins. */
static void answered(struct flow_lookup *l)
{
	if (--l->pending)
		return;
	if (l->cancelled)
		finish(l);
	else
		l->next(l);
}

/* ---- addresses ---- */

static void add_target(struct flow_lookup *l, enum flow_transport transport,
                       const union stream_addr *addr)
{
	struct flow_target target = { transport, *addr };

	for (size_t i = 0; i < l->target_count; i++)
		if (l->targets[i].transport == transport &&
		    stream_addr_equal(&l->targets[i].addr, addr))
			return;
	if (l->target_count < FLOW_TARGETS_MAX)
		l->targets[l->target_count++] = target;
}

/* 18.1.1: what is long goes by TCP, and by UDP where the peer has none. */
static void add_targets(struct flow_lookup *l, enum flow_transport transport,
                        const union stream_addr *addr)
{
	if (transport == FLOW_UDP && l->long_request && has(l, FLOW_TCP))
		add_target(l, FLOW_TCP, addr);
	add_target(l, transport, addr);
}

static void hosts_done(struct flow_lookup *l)
{
	for (size_t i = 0; i < l->host_count; i++)
		for (size_t k = 0; k < l->hosts[i].count; k++)
			add_targets(l, l->hosts[i].transport, &l->hosts[i].addrs[k]);
	finish(l);
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	struct host *h = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS) {
		for (struct ares_addrinfo_node *n = result->nodes; n && h->count < ADDRS_MAX;
		     n = n->ai_next) {
			union stream_addr *a = &h->addrs[h->count];

			if (n->ai_addrlen > sizeof(*a))
				continue;
			memset(a, 0, sizeof(*a));
			memcpy(a, n->ai_addr, n->ai_addrlen);
			if (a->sa.sa_family == AF_INET)
				a->in.sin_port = htons(h->port);
			else if (a->sa.sa_family == AF_INET6)
				a->in6.sin6_port = htons(h->port);
			else
				continue;
			h->count++;
		}
		ares_freeaddrinfo(result);
	} else if (status == ARES_ENOTFOUND || status == ARES_ENODATA) {
		fail(h->lookup, 404, "the host has no address");
	} else {
		fail(h->lookup, 503, ares_strerror(status));
	}
	answered(h->lookup);
}

static void add_host(struct flow_lookup *l, enum flow_transport transport, const char *name,
                     uint16_t port)
{
	struct host *h = &l->hosts[l->host_count];

	if (l->host_count == HOSTS_MAX || strlen(name) > HOST_MAX)
		return;
	*h = (struct host){ .lookup = l, .transport = transport, .port = port };
	(void)snprintf(h->name, sizeof(h->name), "%s", name);
	l->host_count++;
}

static void ask_hosts(struct flow_lookup *l)
{
	static const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
		                                          .ai_socktype = SOCK_STREAM };

	l->next = hosts_done;
	l->pending = 1;
	for (size_t i = 0; i < l->host_count; i++) {
		l->pending++;
		ares_getaddrinfo(dns_channel(l->resolver->dns), l->hosts[i].name, NULL, &hints,
		                 on_addresses, &l->hosts[i]);
	}
	dns_asked(l->resolver->dns);
	answered(l);
}

/* ---- SRV ---- */

/* Records of one answer that are looked at. */
#define RECORDS_MAX 32

struct records {
	const struct ares_srv_reply *list[RECORDS_MAX];
	size_t count;
};

/* Which is next by RFC 2782: the lowest priority; among those each with its weight. */
static size_t next_record(const struct records *all, uint32_t random)
{
	uint16_t best = UINT16_MAX;
	uint32_t sum = 0, at;
	size_t last = 0;

	for (size_t i = 0; i < all->count; i++)
		best = BASE_MIN(best, all->list[i]->priority);
	for (size_t i = 0; i < all->count; i++)
		sum += all->list[i]->priority == best ? all->list[i]->weight : 0;
	at = random % (sum + 1);
	for (size_t i = 0; i < all->count; i++) {
		if (all->list[i]->priority != best)
			continue;
		last = i;
		if (all->list[i]->weight >= at)
			break;
		at -= all->list[i]->weight;
	}
	return last;
}

static void add_records(struct flow_lookup *l, const struct service *s)
{
	struct records left = { .count = 0 };

	for (const struct ares_srv_reply *r = s->reply; r && left.count < RECORDS_MAX; r = r->next)
		left.list[left.count++] = r;
	while (left.count) {
		uint32_t random = 0;
		size_t i;

		(void)base_random(&random, sizeof(random)); /* else the first goes first */
		i = next_record(&left, random);
		add_host(l, s->transport, left.list[i]->host, left.list[i]->port);
		left.list[i] = left.list[--left.count];
	}
}

static void services_done(struct flow_lookup *l)
{
	bool none = false;

	for (size_t i = 0; i < l->service_count; i++) {
		none = none || l->services[i].none;
		add_records(l, &l->services[i]);
	}
	if (l->host_count) {
		ask_hosts(l);
	} else if (none) {
		fail(l, 503, "the host says that it has no such service (RFC 2782)");
		finish(l);
	} else { /* 4.2: addresses of the host itself */
		add_host(l, l->fallback, l->target, default_port(l->fallback));
		ask_hosts(l);
	}
}

static void on_srv(void *arg, int status, int timeouts, unsigned char *abuf, int alen)
{
	struct service *s = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS && ares_parse_srv_reply(abuf, alen, &s->reply) != ARES_SUCCESS)
		s->reply = NULL;
	if (s->reply && !s->reply->next && (!*s->reply->host || !strcmp(s->reply->host, "."))) {
		s->none = true;
		ares_free_data(s->reply);
		s->reply = NULL;
	}
	answered(s->lookup);
}

static void add_service(struct flow_lookup *l, enum flow_transport transport, const char *prefix,
                        const char *name)
{
	struct service *s = &l->services[l->service_count];

	if (l->service_count == SERVICES_MAX || strlen(prefix) + strlen(name) > HOST_MAX)
		return;
	*s = (struct service){ .lookup = l, .transport = transport };
	(void)snprintf(s->name, sizeof(s->name), "%s%s", prefix, name);
	l->service_count++;
}

static void ask_services(struct flow_lookup *l)
{
	l->next = services_done;
	l->pending = 1;
	for (size_t i = 0; i < l->service_count; i++) {
		l->pending++;
		ares_query(dns_channel(l->resolver->dns), l->services[i].name, 1 /* IN */,
		           33 /* SRV */, on_srv, &l->services[i]);
	}
	dns_asked(l->resolver->dns);
	answered(l);
}

/* By the transport that the URI names, or by each that we have. */
static void own_services(struct flow_lookup *l, unsigned mask)
{
	static const struct {
		enum flow_transport transport;
		const char *prefix;
	} all[] = { { FLOW_UDP, "_sip._udp." },
		    { FLOW_TCP, "_sip._tcp." },
		    { FLOW_TLS, "_sips._tcp." } };

	for (size_t i = 0; i < BASE_COUNT(all); i++)
		if (has(l, all[i].transport) && (mask & 1U << all[i].transport))
			add_service(l, all[i].transport, all[i].prefix, l->target);
}

/* ---- NAPTR ---- */

static bool service_of(const char *text, enum flow_transport *ret)
{
	static const struct {
		const char *name;
		enum flow_transport transport;
	} all[] = { { "SIP+D2U", FLOW_UDP }, { "SIP+D2T", FLOW_TCP }, { "SIPS+D2T", FLOW_TLS } };

	for (size_t i = 0; i < BASE_COUNT(all); i++) {
		if (!base_str_ieq(base_str_of(text), base_str_of(all[i].name)))
			continue;
		*ret = all[i].transport;
		return true;
	}
	return false;
}

static bool naptr_before(const struct ares_naptr_reply *a, const struct ares_naptr_reply *b)
{
	return a->order < b->order || (a->order == b->order && a->preference < b->preference);
}

/* Those we can use, in their order (RFC 3403, 4.1). */
static void add_naptrs(struct flow_lookup *l, const struct ares_naptr_reply *all)
{
	const struct ares_naptr_reply *sorted[SERVICES_MAX];
	size_t count = 0;

	for (const struct ares_naptr_reply *r = all; r && count < SERVICES_MAX; r = r->next) {
		enum flow_transport transport;
		size_t at;

		if (!service_of((const char *)r->service, &transport) || !has(l, transport) ||
		    !base_str_ieq(base_str_of((const char *)r->flags), BASE_STR("s")))
			continue;
		for (at = count++; at && naptr_before(r, sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = r;
	}
	for (size_t i = 0; i < count; i++) {
		enum flow_transport transport = FLOW_UDP;

		(void)service_of((const char *)sorted[i]->service, &transport); /* it is one */
		add_service(l, transport, "", sorted[i]->replacement);
	}
}

static void naptrs_done(struct flow_lookup *l)
{
	if (!l->service_count)
		own_services(l, ~0U);
	ask_services(l);
}

static void on_naptr(void *arg, int status, int timeouts, unsigned char *abuf, int alen)
{
	struct flow_lookup *l = arg;
	struct ares_naptr_reply *reply = NULL;

	(void)timeouts;
	if (status == ARES_SUCCESS && ares_parse_naptr_reply(abuf, alen, &reply) == ARES_SUCCESS) {
		add_naptrs(l, reply);
		ares_free_data(reply);
	}
	answered(l);
}

static void ask_naptr(struct flow_lookup *l)
{
	l->next = naptrs_done;
	l->pending = 2;
	ares_query(dns_channel(l->resolver->dns), l->target, 1 /* IN */, 35 /* NAPTR */, on_naptr,
	           l);
	dns_asked(l->resolver->dns);
	answered(l);
}

/* ---- the beginning ---- */

static bool keep(char *to, struct base_str text)
{
	if (!text.len || text.len > HOST_MAX || memchr(text.ptr, 0, text.len))
		return false;
	memcpy(to, text.ptr, text.len);
	to[text.len] = 0;
	return true;
}

/* 4.1: the transport that the URI names. @return false: it names one that nobody knows */
static bool transport_of(struct flow_lookup *l, const struct sip_uri *uri, bool *ret_named)
{
	struct base_str value;

	*ret_named = sip_uri_param(uri, "transport", &value);
	if (!*ret_named)
		return true;
	if (flow_transport_parse(value, &l->fallback))
		return false;
	if (l->sips && l->fallback == FLOW_TCP)
		l->fallback = FLOW_TLS; /* sips over TCP is TLS (RFC 3261, 26.2.2) */
	return true;
}

static void begin(struct flow_lookup *l, const struct sip_uri *uri)
{
	struct base_str maddr;
	union stream_addr ip;
	bool named;

	l->sips = uri->scheme == SIP_SCHEME_SIPS;
	l->port = uri->port;
	l->fallback = l->sips ? FLOW_TLS : FLOW_UDP;
	if (!keep(l->name, uri->host) ||
	    !keep(l->target,
	          sip_uri_param(uri, "maddr", &maddr) && maddr.ptr ? maddr : uri->host)) {
		fail(l, 416, "the URI has no host");
		finish(l);
	} else if (!transport_of(l, uri, &named) || !has(l, l->fallback)) {
		fail(l, 503, "there is no such transport here");
		finish(l);
	} else if (!stream_addr_ip(&ip, base_str_of(l->target),
	                           l->port ? l->port : default_port(l->fallback))) {
		add_targets(l, l->fallback, &ip);
		finish(l);
	} else if (l->port) {
		add_host(l, l->fallback, l->target, l->port);
		ask_hosts(l);
	} else if (named) {
		own_services(l, 1U << l->fallback);
		ask_services(l);
	} else {
		ask_naptr(l);
	}
}

int flow_lookup_start(struct flow_lookup **ret, struct flow_resolver *resolver,
                      const struct flow_question *question, flow_resolved_fn *fn, void *arg)
{
	struct flow_lookup *l = malloc(sizeof(*l));
	struct sip_uri uri;

	if (!l)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	memset(l, 0, offsetof(struct flow_lookup, services));
	l->resolver = resolver;
	l->fn = fn;
	l->arg = arg;
	l->transports = question->transports;
	l->long_request = question->long_request;
	base_list_append(&resolver->lookups, &l->node);
	fail(l, 503, "nothing was found");
	if (sip_uri_parse(question->uri, &uri) ||
	    (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS)) {
		fail(l, 416, "it is no sip or sips URI");
		finish(l);
	} else {
		begin(l, &uri);
	}
	*ret = l;
	return 0;
}

void flow_lookup_cancel(struct flow_lookup *l)
{
	if (!l)
		return;
	l->cancelled = true;
	if (!l->pending)
		lookup_free(l);
}

int flow_resolver_new(struct flow_resolver **ret, struct loop *loop,
                      const struct flow_resolver_config *config, struct base_error *err)
{
	struct flow_resolver *resolver = calloc(1, sizeof(*resolver));
	int rc;

	if (!resolver)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	resolver->loop = loop;
	base_list_init(&resolver->lookups);
	rc = dns_new(&resolver->dns, loop, config, err);
	if (rc)
		flow_resolver_free(resolver);
	else
		*ret = resolver;
	return rc;
}

void flow_resolver_free(struct flow_resolver *resolver)
{
	if (!resolver)
		return;
	BASE_LIST_EACH(&resolver->lookups, node, after)
	BASE_CONTAINER_OF(node, struct flow_lookup, node)->cancelled = true;
	dns_free(resolver->dns); /* answers all that is pending */
	BASE_LIST_EACH(&resolver->lookups, node, after)
	lookup_free(BASE_CONTAINER_OF(node, struct flow_lookup, node));
	free(resolver);
}
