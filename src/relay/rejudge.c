/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that are up, held against what is known of revocations now. Control says so to each
 * worker, which looks at its legs a few at a time: the legs not looked at yet stand in front of its
 * list. A leg that a new session gets meanwhile is judged by what is known already.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "relay/private.h"

#define SLICE 256 /* legs before the others on the worker get their turn */

/** Sessions of a domain of that name are held against that one's store, by its policy. */
struct relay_judge {
	struct tls_domain *domain; /* referenced */
	struct trust_sweep *sweep;
};

/** One that was condemned and goes on, for a time or for good. */
struct relay_sentence {
	struct loop_timer timer; /* GRACE */
	struct trust_condemned why;
	bool ends; /* the timer runs */
};

/* ---- one leg ---- */

static const char *domain_of(const struct relay_leg *leg)
{
	return tls_domain_name(leg->slot->domain);
}

static void condemned_log(const struct relay_leg *leg, enum tls_on_revocation action,
                          uint32_t grace_ms, const char *why)
{
	union relay_address peer = { .family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	char text[RELAY_ADDRESS_TEXT];
	struct tls_info info;

	(void)getpeername(leg->watch.fd, &peer.sa, &len); /* it may have gone */
	tls_session_info(leg->session, &info);
	base_log(BASE_LOG_WARN, "relay",
	         "tls condemned peer=%s side=%s domain=%s action=%s grace=%us subject=\"%s\": %s",
	         relay_address_format(&peer, text, sizeof(text)),
	         leg->role == TLS_ROLE_SERVER ? "server" : "client", domain_of(leg),
	         tls_on_revocation_name(action), grace_ms / 1000,
	         info.has_verdict ? info.verdict.subject : "", why);
}

static void condemned_tell(struct relay_leg *leg, enum tls_on_revocation action, const char *why)
{
	struct relay_event event;

	if (!leg->owner || leg->removed)
		return;
	memset(&event, 0, sizeof(event));
	event.kind = RELAY_TLS_CONDEMNED;
	event.cause = RELAY_CAUSE_REVOKED;
	event.action = action;
	relay_shake_result(leg, &event.tls);
	event.tls.reason = TRUST_REVOKED;
	(void)snprintf(event.tls.text, sizeof(event.tls.text), "%s", why);
	relay_endpoint_post(leg->owner, &event);
}

/* In order where something was agreed on, with the alert where nothing is yet. */
static void end_now(struct relay_leg *leg, const char *why)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .out = out, .now_ms = loop_now_ms(leg->worker->loop) };

	tls_session_condemn(leg->session, why);
	if (leg->state != RELAY_HANDSHAKE) {
		relay_leg_input(leg, RELAY_ON_RELEASE, RELAY_CAUSE_REVOKED, 0);
		return;
	}
	base_writer_reset(out);
	tls_session_abort(leg->session, &io, 44); /* certificate_revoked (RFC 5246, 7.2.2) */
	if (out->len && !relay_flow_send(leg, out->data, out->len))
		return;
	relay_shake_fail(leg, RELAY_CAUSE_REVOKED);
}

void relay_sentence_free(struct relay_leg *leg)
{
	if (!leg->sentence)
		return;
	loop_timer_stop(leg->worker->loop, &leg->sentence->timer);
	free(leg->sentence);
	leg->sentence = NULL;
}

static void on_grace(void *arg)
{
	struct relay_leg *leg = arg;
	struct trust_condemned why = leg->sentence->why;

	relay_sentence_free(leg);
	condemned_log(leg, TLS_REVOKED_END, 0, why.text);
	end_now(leg, why.text);
}

/* Told once for each revocation; a reload may have made the policy stricter meanwhile. */
static void condemn(struct relay_leg *leg, const struct relay_judge *by,
                    const struct trust_condemned *why)
{
	struct relay_sentence *had = leg->sentence, *now;
	uint32_t grace_ms;
	enum tls_on_revocation action = tls_domain_on_revocation(by->domain, &grace_ms);

	if (had && action != TLS_REVOKED_END && had->ends == (action == TLS_REVOKED_GRACE))
		return;
	now = action == TLS_REVOKED_END || had ? had : calloc(1, sizeof(*now));
	if (!now)
		action = TLS_REVOKED_END; /* nothing to remember it by: the stricter way */
	if (!had)
		relay_meter_condemned(leg);
	if (!had)
		relay_trust_count(&leg->worker->pool->trust.condemned);
	condemned_log(leg, action, grace_ms, why->text);
	condemned_tell(leg, action, why->text);
	if (action == TLS_REVOKED_END) {
		relay_sentence_free(leg);
		end_now(leg, why->text);
		return;
	}
	leg->sentence = now;
	now->why = *why;
	now->ends = action == TLS_REVOKED_GRACE;
	if (now->ends)
		loop_timer_start(leg->worker->loop, &now->timer, grace_ms, on_grace, leg);
	else
		loop_timer_stop(leg->worker->loop, &now->timer);
}

/* certificateHold may be taken back (RFC 5280, 5.3.1). */
static void acquit(struct relay_leg *leg)
{
	relay_sentence_free(leg);
	base_log(BASE_LOG_INFO, "relay", "tls condemned no longer domain=%s", domain_of(leg));
}

static void judge(struct relay_leg *leg, const struct relay_judge *by)
{
	const struct trust_standing *standing = tls_session_standing(leg->session);
	struct trust_condemned why;

	if (!standing || leg->state == RELAY_DRAIN)
		return;
	if (trust_sweep_condemns(by->sweep, standing, &why))
		condemn(leg, by, &why);
	else if (leg->sentence)
		acquit(leg);
}

/* ---- all of them ---- */

static const struct relay_judge *judge_find(const struct relay_worker *worker,
                                            const struct relay_leg *leg)
{
	for (size_t i = 0; leg->session && i < worker->judge_count; i++)
		if (!strcmp(tls_domain_name(worker->judges[i].domain), domain_of(leg)))
			return &worker->judges[i];
	return NULL;
}

void relay_judges_free(struct relay_worker *worker)
{
	for (size_t i = 0; i < worker->judge_count; i++) {
		trust_sweep_free(worker->judges[i].sweep);
		tls_domain_unref(worker->judges[i].domain);
	}
	free(worker->judges);
	worker->judges = NULL;
	worker->judge_count = 0;
}

static void on_slice(void *arg)
{
	struct relay_worker *worker = arg;

	for (unsigned i = 0; i < SLICE; i++) {
		struct relay_leg *leg =
		        BASE_CONTAINER_OF(worker->legs.next, struct relay_leg, node);
		const struct relay_judge *by;

		if (base_list_empty(&worker->legs) || leg->judged == worker->sweep) {
			relay_judges_free(worker);
			return;
		}
		leg->judged = worker->sweep;
		base_list_remove(&leg->node);
		base_list_append(&worker->legs, &leg->node);
		by = judge_find(worker, leg);
		if (by)
			judge(leg, by); /* it may be gone */
	}
	loop_defer(worker->loop, &worker->slice, on_slice, worker);
}

struct rejudge {
	struct loop_msg msg;
	struct relay_worker *worker;
	size_t count;
	struct tls_domain *domain[]; /* referenced */
};

static void on_rejudge(void *arg)
{
	struct rejudge *order = arg;
	struct relay_worker *worker = order->worker;

	relay_judges_free(worker); /* of a sweep that goes on: this one knows more */
	worker->judges = order->count ? calloc(order->count, sizeof(*worker->judges)) : NULL;
	for (size_t i = 0; i < order->count; i++) {
		struct trust_sweep *sweep = NULL;

		if (worker->judges &&
		    !trust_sweep_new(&sweep, tls_domain_trust(order->domain[i]), 0)) {
			worker->judges[worker->judge_count++] =
			        (struct relay_judge){ order->domain[i], sweep };
			continue;
		}
		base_log(BASE_LOG_ERROR, "relay", "domain=%s: no memory to judge its sessions",
		         tls_domain_name(order->domain[i]));
		tls_domain_unref(order->domain[i]);
	}
	free(order);
	worker->sweep++;
	loop_defer(worker->loop, &worker->slice, on_slice, worker);
}

int relay_pool_rejudge(struct relay_pool *pool, struct tls_domain *const *domains, size_t count)
{
	for (unsigned i = 0; i < pool->worker_count; i++) {
		struct rejudge *order =
		        malloc(sizeof(*order) + count * sizeof(struct tls_domain *));

		if (!order)
			return BASE_ERR(BASE_LOCAL, ENOMEM);
		order->worker = &pool->worker[i];
		order->count = 0;
		for (size_t j = 0; j < count; j++)
			if (tls_domain_trust(domains[j]))
				order->domain[order->count++] = tls_domain_ref(domains[j]);
		loop_post(order->worker->loop, &order->msg, on_rejudge, order);
	}
	return 0;
}
