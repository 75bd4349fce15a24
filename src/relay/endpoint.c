/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints as the control thread sees them: orders out, events in. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/dgram.h"
#include "relay/room.h"

const char *relay_cause_name(enum relay_cause cause)
{
	static const char *const names[] = {
		[RELAY_CAUSE_NONE] = "none",
		[RELAY_CAUSE_PEER_CLOSE] = "peer-close",
		[RELAY_CAUSE_PEER_RESET] = "peer-reset",
		[RELAY_CAUSE_PEER_ALERT] = "peer-alert",
		[RELAY_CAUSE_TRUNCATED] = "truncated",
		[RELAY_CAUSE_LOCAL_CLOSE] = "local-close",
		[RELAY_CAUSE_LOCAL_ALERT] = "local-alert",
		[RELAY_CAUSE_PARTNER] = "partner",
		[RELAY_CAUSE_REFUSED] = "refused",
		[RELAY_CAUSE_UNREACHABLE] = "unreachable",
		[RELAY_CAUSE_TIMEOUT] = "timeout",
		[RELAY_CAUSE_AUTH] = "not-authenticated",
		[RELAY_CAUSE_REVOKED] = "revoked",
		[RELAY_CAUSE_RESOURCES] = "resources",
		[RELAY_CAUSE_PROTOCOL] = "protocol",
	};

	return (size_t)cause < BASE_COUNT(names) ? names[cause] : "?";
}

/* ---- making and ending ---- */

static int make_socket(struct relay_endpoint *endpoint, const struct relay_endpoint_spec *spec,
                       struct relay_ports *ports)
{
	union relay_address local, remote;
	sa_family_t family;
	int rc = relay_address_set(&local, &spec->local);

	if (rc == 0)
		rc = relay_address_set(&remote, &spec->remote);
	if (rc)
		return rc;
	family = local.family ? local.family : remote.family;
	if (family == AF_UNSPEC)
		return BASE_ERR(BASE_LOCAL, EAFNOSUPPORT);
	if (spec->dgram)
		return relay_dgram_bind(endpoint, &local, ports);
	/* A place or two in the queue, so that a stranger cannot take the expected peer's. */
	rc = spec->tcp_role == RELAY_TCP_SERVER
	             ? relay_socket_listen(&local, ports, 8, false, &endpoint->leg.watch.fd)
	             : relay_socket_client(family, &local, ports, &endpoint->leg.watch.fd);
	/* Connections that a marked listener takes are marked from their SYN-ACK on. */
	if (rc == 0 && endpoint->leg.door && endpoint->leg.door->gate.dscp)
		rc = relay_socket_mark(endpoint->leg.watch.fd, family,
		                       endpoint->leg.door->gate.dscp);
	endpoint->local = local;
	if (rc == 0 && !relay_address_port(&local))
		rc = relay_socket_name(endpoint->leg.watch.fd, &endpoint->local);
	return rc;
}

static void on_begin(void *arg)
{
	struct relay_endpoint *endpoint = arg;

	relay_leg_begin(&endpoint->leg);
}

static void on_remove(void *arg)
{
	struct relay_endpoint *endpoint = arg;

	relay_leg_remove(&endpoint->leg);
}

int relay_endpoint_add(struct relay_endpoint **ret, struct relay_context *context,
                       const struct relay_endpoint_spec *spec, struct base_error *err)
{
	struct relay_pool *pool = context->pool;
	struct relay_endpoint *endpoint = NULL;
	int rc = BASE_ERR(BASE_LOCAL, EMFILE);

	if (atomic_load_explicit(&pool->open, memory_order_relaxed) >= pool->limit)
		return base_error_set(err, rc, "all %u endpoints are in use", pool->limit);
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	endpoint->pool = pool;
	rc = relay_setup_init(&endpoint->setup, spec);
	relay_leg_init(&endpoint->leg, context->worker, endpoint, &endpoint->setup);
	if (rc == 0)
		rc = relay_door_new(&endpoint->leg.door, spec->gate);
	if (rc == 0 && spec->dgram)
		rc = relay_dgram_new(&endpoint->leg, spec);
	if (rc == 0)
		rc = make_socket(endpoint, spec, &pool->ports);
	if (rc == 0 && spec->dgram && relay_dgram_unnamed(&endpoint->leg))
		rc = relay_room_join(endpoint, context, spec->tls->domain);
	if (rc)
		goto out;
	endpoint->tls = spec->tls != NULL;
	endpoint->fn = spec->fn;
	endpoint->arg = spec->arg;
	endpoint->home = context->worker;
	base_list_init(&endpoint->holder);
	base_list_init(&endpoint->asker);
	base_list_append(&context->endpoints, &endpoint->node);
	atomic_fetch_add_explicit(&pool->open, 1, memory_order_relaxed);
	context->worker->planned++;
	*ret = endpoint;
	relay_worker_order(context->worker, &endpoint->begin, on_begin, endpoint);
	return 0;
out:
	if (endpoint->leg.watch.fd >= 0)
		close(endpoint->leg.watch.fd);
	relay_setup_unref(&endpoint->setup);
	relay_claim_drop(endpoint);
	relay_room_part(endpoint);
	free(endpoint->leg.door);
	free(endpoint->leg.dgram);
	free(endpoint);
	return base_error_set(err, rc, "no endpoint: %s", strerror((int)base_err_detail(rc)));
}

void relay_endpoint_remove(struct relay_endpoint *endpoint)
{
	if (!endpoint)
		return;
	endpoint->removed = true;
	base_list_remove(&endpoint->node);
	base_list_append(&endpoint->pool->removed, &endpoint->node);
	base_list_remove(&endpoint->asker);
	relay_orders_forget(endpoint);
	relay_order_post(endpoint, &endpoint->remove, on_remove, endpoint);
}

void relay_endpoint_free(struct relay_endpoint *endpoint)
{
	base_list_remove(&endpoint->node);
	relay_claim_drop(endpoint);
	relay_room_part(endpoint);
	free(endpoint->leg.door); /* of one that never began */
	free(endpoint->leg.dgram);
	free(endpoint);
}

static void open_last(struct relay_letter *letter, bool discard)
{
	struct relay_endpoint *endpoint = BASE_CONTAINER_OF(letter, struct relay_endpoint, last);

	if (discard)
		return; /* the pool frees all that are left */
	endpoint->home->planned--;
	atomic_fetch_sub_explicit(&endpoint->pool->open, 1, memory_order_relaxed);
	relay_endpoint_free(endpoint);
}

void relay_endpoint_last(struct relay_endpoint *endpoint)
{
	endpoint->last.open = open_last;
	relay_mailbox_post(&endpoint->pool->mailbox, &endpoint->last);
}

/* ---- events ---- */

struct event_letter {
	struct relay_letter letter;
	struct relay_endpoint *endpoint;
	struct relay_event event;
};

static void tell(struct relay_endpoint *endpoint, const struct relay_event *event)
{
	if (!endpoint->removed && endpoint->fn)
		endpoint->fn(endpoint->arg, endpoint, event);
}

/* Who has come to its room is its own from now on, as if it had been named. */
static void settle(struct relay_endpoint *endpoint, const struct relay_event *event)
{
	union relay_address peer;

	endpoint->settled = true;
	if (!endpoint->removed && relay_address_set(&peer, &event->peer) == 0 &&
	    relay_claim(endpoint, &peer) != 0)
		base_log(BASE_LOG_WARN, "relay",
		         "the peer that came to a shared port is another endpoint's, too");
}

static void open_event(struct relay_letter *letter, bool discard)
{
	struct event_letter *note = BASE_CONTAINER_OF(letter, struct event_letter, letter);

	if (!discard && note->endpoint->room && note->event.kind == RELAY_TLS_UP)
		settle(note->endpoint, &note->event);
	if (!discard)
		tell(note->endpoint, &note->event);
	free(note);
}

static void open_down(struct relay_letter *letter, bool discard)
{
	struct relay_endpoint *endpoint = BASE_CONTAINER_OF(letter, struct relay_endpoint, down);
	struct relay_event event = { .tls.alert = -1 };

	if (discard)
		return;
	event.kind = (enum relay_event_kind)endpoint->down_kind;
	event.cause = (enum relay_cause)endpoint->down_cause;
	event.error = endpoint->down_error;
	tell(endpoint, &event);
}

void relay_endpoint_post(struct relay_endpoint *endpoint, const struct relay_event *event)
{
	struct event_letter *note;

	if (event->kind == RELAY_TCP_DOWN || event->kind == RELAY_TCP_FAILED) {
		endpoint->down.open = open_down;
		endpoint->down_kind = (uint8_t)event->kind;
		endpoint->down_cause = (uint8_t)event->cause;
		endpoint->down_error = (uint16_t)event->error;
		relay_mailbox_post(&endpoint->pool->mailbox, &endpoint->down);
		return;
	}
	note = malloc(sizeof(*note));
	if (!note) {
		base_log(BASE_LOG_ERROR, "relay", "out of memory: an event is lost");
		return;
	}
	note->letter.open = open_event;
	note->endpoint = endpoint;
	note->event = *event;
	relay_mailbox_post(&endpoint->pool->mailbox, &note->letter);
}

/* ---- orders ---- */

struct order {
	struct relay_held held;
	struct relay_endpoint *endpoint;
	struct relay_leg *leg;
	union {
		struct relay_leg *partner;
		struct {
			union relay_address remote, rtcp;
			uint16_t srtp_profiles[RELAY_SRTP_PROFILES];
			uint8_t srtp_count;
			bool latch;
		};
		struct relay_setup *setup; /**< owned; its TLS part is wanted */
		struct relay_door *door;   /**< owned until it hangs */
		enum tls_role role;
		bool abort;
		struct {
			bool may_send, may_receive;
		};
	};
};

static struct order *order_new(struct relay_endpoint *endpoint)
{
	struct order *order = calloc(1, sizeof(*order));

	if (order) {
		order->endpoint = endpoint;
		order->leg = &endpoint->leg;
	}
	return order;
}

/* Post it; `order` NULL = there was no memory for it. */
static int order_give(struct order *order, loop_fn *fn)
{
	if (!order)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	relay_order_post(order->endpoint, &order->held, fn, order);
	return 0;
}

static void on_remote(void *arg)
{
	struct order *order = arg;

	if (order->leg->setup)
		order->leg->setup->remote = order->remote;
	free(order);
}

int relay_endpoint_remote_set(struct relay_endpoint *endpoint,
                              const struct sockaddr_storage *remote)
{
	union relay_address address;
	int rc = relay_address_set(&address, remote);
	struct order *order;

	if (rc)
		return rc;
	order = order_new(endpoint);
	if (order)
		order->remote = address;
	return order_give(order, on_remote);
}

static void on_dgram(void *arg)
{
	struct order *order = arg;
	struct relay_dgram *d = order->leg->dgram;

	if (d) {
		d->srtp_count = order->srtp_count;
		memcpy(d->srtp_profiles, order->srtp_profiles, sizeof(d->srtp_profiles));
		relay_dgram_aim(order->leg, &order->remote, &order->rtcp, order->latch);
	}
	free(order);
}

int relay_endpoint_dgram_set(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote,
                             const struct relay_dgram_spec *spec)
{
	union relay_address address, rtcp;
	struct order *order;
	int rc = relay_address_set(&address, remote);

	if (rc == 0)
		rc = relay_address_set(&rtcp, &spec->rtcp_remote);
	if (rc)
		return rc;
	if (!endpoint->settled &&
	    (endpoint->claim || (endpoint->room && relay_address_port(&address))))
		rc = relay_claim(endpoint, &address);
	if (rc)
		return rc;
	order = order_new(endpoint);
	if (order) {
		order->remote = address;
		order->rtcp = rtcp;
		order->latch = spec->latch;
		order->srtp_count = (uint8_t)spec->srtp_count;
		memcpy(order->srtp_profiles, spec->srtp_profiles, sizeof(order->srtp_profiles));
	}
	return order_give(order, on_dgram);
}

static void on_tls(void *arg)
{
	struct order *order = arg;
	struct relay_leg *leg = order->leg;

	if (leg->setup) {
		struct relay_tls_setup *was = leg->setup->tls;

		leg->setup->tls = order->setup->tls;
		order->setup->tls = was;
		leg->tls = true;
		if (!leg->session)
			leg->role = leg->setup->tls->session.role;
	}
	if (leg->session)
		relay_shake_changed(leg, leg->setup ? leg->setup->tls : order->setup->tls);
	relay_setup_unref(order->setup);
	free(order);
}

int relay_endpoint_tls_set(struct relay_endpoint *endpoint, const struct relay_tls_spec *tls)
{
	struct relay_endpoint_spec spec = { .tls = tls };
	struct order *order = order_new(endpoint);
	int rc;

	if (!order)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = relay_setup_new(&order->setup, &spec);
	if (rc) {
		free(order);
		return rc;
	}
	return order_give(order, on_tls);
}

static void on_connect(void *arg)
{
	struct order *order = arg;

	relay_leg_input(order->leg, RELAY_ON_CONNECT, RELAY_CAUSE_NONE, 0);
	free(order);
}

int relay_endpoint_connect(struct relay_endpoint *endpoint)
{
	return order_give(order_new(endpoint), on_connect);
}

static void on_start_tls(void *arg)
{
	struct order *order = arg;
	struct relay_leg *leg = order->leg;

	/* Before TCP is up it is remembered; without a domain there is nothing to start. */
	if (leg->tls && !leg->session) {
		leg->tls_wanted = true;
		leg->role = (uint8_t)order->role;
		if (leg->state == RELAY_TCP_READY && (!leg->dgram || relay_dtls_may_begin(leg)))
			relay_leg_input(leg, RELAY_ON_START_TLS, RELAY_CAUSE_NONE, 0);
	}
	free(order);
}

int relay_endpoint_start_tls(struct relay_endpoint *endpoint, enum tls_role role)
{
	struct order *order = order_new(endpoint);

	if (order)
		order->role = role;
	return order_give(order, on_start_tls);
}

static void on_renegotiate(void *arg)
{
	struct order *order = arg;

	relay_shake_order(order->leg);
	free(order);
}

int relay_endpoint_renegotiate(struct relay_endpoint *endpoint)
{
	return order_give(order_new(endpoint), on_renegotiate);
}

static void on_release(void *arg)
{
	struct order *order = arg;

	relay_leg_input(order->leg, order->abort ? RELAY_ON_ABORT : RELAY_ON_RELEASE,
	                RELAY_CAUSE_LOCAL_CLOSE, 0);
	free(order);
}

int relay_endpoint_release(struct relay_endpoint *endpoint, bool abort)
{
	struct order *order = order_new(endpoint);

	if (order)
		order->abort = abort;
	return order_give(order, on_release);
}

static void on_mode(void *arg)
{
	struct order *order = arg;

	order->leg->may_send = order->may_send;
	order->leg->may_receive = order->may_receive;
	relay_leg_resume(order->leg);
	free(order);
}

int relay_endpoint_mode_set(struct relay_endpoint *endpoint, bool may_send, bool may_receive)
{
	struct order *order = order_new(endpoint);

	if (order) {
		order->may_send = may_send;
		order->may_receive = may_receive;
	}
	return order_give(order, on_mode);
}

static void on_gate(void *arg)
{
	struct order *order = arg;

	if (relay_leg_gone(order->leg)) {
		free(order->door);
	} else {
		relay_door_hang(order->leg, order->door);
		relay_dgram_regate(order->leg);
		relay_leg_resume(order->leg);
	}
	free(order);
}

int relay_endpoint_gate_set(struct relay_endpoint *endpoint, const struct relay_gate *gate)
{
	struct order *order = order_new(endpoint);
	int rc;

	if (!order)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = relay_door_new(&order->door, gate);
	if (rc) {
		free(order);
		return rc;
	}
	return order_give(order, on_gate);
}

static void on_link(void *arg)
{
	struct order *order = arg;

	relay_leg_link(order->leg, order->partner);
	free(order);
}

void relay_order_unlink(struct relay_held *order)
{
	BASE_CONTAINER_OF(order, struct order, held)->partner = NULL;
}

/* Are orders for it held back? */
static bool waits(const struct relay_endpoint *endpoint)
{
	return endpoint->moving || endpoint->held;
}

int relay_endpoint_link(struct relay_endpoint *endpoint, struct relay_endpoint *partner)
{
	struct order *order = order_new(endpoint);

	/* If it has to wait for one's arrival, the earlier link of the other one does not. */
	if (order && partner && waits(partner))
		(void)order_give(order_new(endpoint), on_link); /* it ends then, without memory */
	else if (order && partner && waits(endpoint))
		(void)order_give(order_new(partner), on_link);
	if (order)
		order->partner = partner ? &partner->leg : NULL;
	if (order)
		order->held.other = partner;
	if (order)
		endpoint->linked = partner != NULL;
	if (order && partner)
		partner->linked = true;
	return order_give(order, on_link);
}

/* ---- reading ---- */

void relay_endpoint_local(const struct relay_endpoint *endpoint, struct sockaddr_storage *ret)
{
	relay_address_get(&endpoint->local, ret);
}

void relay_endpoint_stats(const struct relay_endpoint *endpoint, struct relay_stats *ret)
{
#define X(name) ret->name = relay_count_get(&endpoint->leg.counters.name);
	RELAY_COUNTERS(X)
#undef X
}
