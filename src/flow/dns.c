/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our loop tells edges, c-ares reads a TCP connection once a call: so a descriptor with more to say
 * is looked at again at the end of the iteration.
 */
#include "flow/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define TIMEOUT_MS 2000
#define TRIES      2

/* A descriptor of c-ares's, which opens and closes it. */
struct dns_fd {
	struct base_node node;
	struct dns *dns;
	struct loop_fd w;
	struct loop_task again;
	bool closed; /* freed at the end of the iteration */
};

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct base_node fds, closed;
	struct loop_timer timer;
	struct loop_task reap;
};

static void on_reap(void *arg)
{
	struct dns *dns = arg;

	BASE_LIST_EACH(&dns->closed, node, after)
	{
		struct dns_fd *f = BASE_CONTAINER_OF(node, struct dns_fd, node);

		base_list_remove(&f->node);
		free(f);
	}
}

static void on_time(void *arg)
{
	struct dns *dns = arg;

	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_asked(dns);
}

void dns_asked(struct dns *dns)
{
	struct timeval tv, *left = ares_timeout(dns->channel, NULL, &tv);

	if (left)
		loop_timer_start(dns->loop, &dns->timer,
		                 (uint64_t)left->tv_sec * 1000 +
		                         ((uint64_t)left->tv_usec + 999) / 1000,
		                 on_time, dns);
	else
		loop_timer_stop(dns->loop, &dns->timer);
}

static void process(struct dns_fd *f, unsigned events);

static void on_again(void *arg)
{
	process(arg, LOOP_READABLE);
}

static void process(struct dns_fd *f, unsigned events)
{
	struct dns *dns = f->dns;
	bool in = events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR);
	bool out = events & (LOOP_WRITABLE | LOOP_ERROR);
	int waiting = 0;

	ares_process_fd(dns->channel, in ? f->w.fd : ARES_SOCKET_BAD,
	                out ? f->w.fd : ARES_SOCKET_BAD);
	if (!f->closed && in && ioctl(f->w.fd, FIONREAD, &waiting) == 0 && waiting > 0)
		loop_defer(dns->loop, &f->again, on_again, f);
	dns_asked(dns);
}

static void on_event(void *arg, unsigned events)
{
	process(arg, events);
}

static struct dns_fd *find(struct dns *dns, int fd)
{
	BASE_LIST_EACH(&dns->fds, node, after)
	{
		struct dns_fd *f = BASE_CONTAINER_OF(node, struct dns_fd, node);

		if (f->w.fd == fd)
			return f;
	}
	return NULL;
}

static void forget(struct dns_fd *f)
{
	loop_fd_stop(f->dns->loop, &f->w);
	loop_defer_stop(f->dns->loop, &f->again);
	base_list_remove(&f->node);
	base_list_append(&f->dns->closed, &f->node);
	f->closed = true;
	loop_defer(f->dns->loop, &f->dns->reap, on_reap, f->dns);
}

/* c-ares wants these events of it; none: it is about to be closed. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = arg;
	struct dns_fd *f = find(dns, fd);

	if (!readable && !writable) {
		if (f)
			forget(f);
		return;
	}
	if (f)
		return; /* all events are watched from the beginning */
	f = calloc(1, sizeof(*f));
	if (!f)
		return; /* the query runs into its timeout */
	f->dns = dns;
	f->w = (struct loop_fd){ fd, on_event, f };
	base_list_append(&dns->fds, &f->node);
	if (loop_fd_start(dns->loop, &f->w)) {
		base_list_remove(&f->node);
		free(f);
	}
}

int dns_new(struct dns **ret, struct loop *loop, const struct flow_resolver_config *config,
            struct base_error *err)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	char lookups[] = "fb", dns_only[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH,
		.timeout = (int)(config->timeout_ms ? config->timeout_ms : TIMEOUT_MS),
		.tries = config->tries ? (int)config->tries : TRIES,
		.lookups = config->no_hosts ? dns_only : lookups,
		.sock_state_cb = on_state,
		.sock_state_cb_data = dns,
	};
	int rc;

	if (!dns)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	dns->loop = loop;
	base_list_init(&dns->fds);
	base_list_init(&dns->closed);
	rc = ares_library_init(ARES_LIB_INIT_ALL); /* counted: once more is fine */
	if (!rc)
		rc = ares_init_options(&dns->channel, &options,
		                       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		                               ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
	if (!rc && config->servers)
		rc = ares_set_servers_ports_csv(dns->channel, config->servers);
	if (rc) {
		(void)base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no resolver%s%s: %s",
		                     config->servers ? " with servers " : "",
		                     config->servers ? config->servers : "", ares_strerror(rc));
		dns_free(dns);
		return BASE_ERR(BASE_CONFIG, 0);
	}
	*ret = dns;
	return 0;
}

void dns_free(struct dns *dns)
{
	if (!dns)
		return;
	if (dns->channel)
		ares_destroy(dns->channel);
	BASE_LIST_EACH(&dns->fds, node, after)
	forget(BASE_CONTAINER_OF(node, struct dns_fd, node));
	loop_timer_stop(dns->loop, &dns->timer);
	loop_defer_stop(dns->loop, &dns->reap);
	on_reap(dns);
	ares_library_cleanup();
	free(dns);
}

ares_channel dns_channel(const struct dns *dns)
{
	return dns->channel;
}
