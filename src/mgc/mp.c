/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/mp_private.h"

#include <stdlib.h>

/* ---- MRFPs ---- */

struct mgc_mrfp *mgc_mrfp_of(struct mgc_mp *mp, struct h248_peer *peer)
{
	struct mgc_mrfp *mrfp = h248_peer_user(peer);
	struct base_writer w = { 0 };
	char addr[H248_ADDR_TEXT];

	if (mrfp)
		return mrfp;
	mrfp = calloc(1, sizeof(*mrfp));
	if (!mrfp)
		return NULL;
	mrfp->mp = mp;
	mrfp->peer = peer;
	base_list_init(&mrfp->sent);
	base_list_append(&mp->mrfps, &mrfp->node);
	h248_peer_user_set(peer, mrfp);
	w = base_writer_over(mrfp->name, sizeof(mrfp->name) - 1);
	base_writer_text(&w, h248_addr_format(h248_peer_addr(peer), addr));
	return mrfp;
}

void mgc_mrfp_up(struct mgc_mrfp *mrfp, bool fresh)
{
	struct mgc_mp *mp = mrfp->mp;

	base_log(BASE_LOG_INFO, "mgc", "mrfp=%s registered version=%u%s", mrfp->name,
	         h248_peer_version(mrfp->peer), fresh ? "" : ", with its contexts");
	mp->counters.registrations++;
	mrfp->state = MRFP_UP;
	mgc_mrfp_watch(mrfp);
	mp->ops.on_up(mp->ops.arg, mrfp, fresh);
}

/* Not before the callbacks that are on the stack have returned. */
static void bury(void *arg)
{
	struct mgc_mp *mp = arg;

	BASE_LIST_EACH(&mp->mrfps, node, next)
	{
		struct mgc_mrfp *mrfp = BASE_CONTAINER_OF(node, struct mgc_mrfp, node);

		if (mrfp->state != MRFP_DEAD)
			continue;
		loop_timer_stop(mp->loop, &mrfp->timer);
		base_list_remove(&mrfp->node);
		h248_peer_user_set(mrfp->peer, NULL);
		h248_peer_free(mrfp->peer); /* ends its orders: CANCELLED */
		free(mrfp);
	}
}

void mgc_mrfp_down(struct mgc_mrfp *mrfp, const char *why, bool gone)
{
	struct mgc_mp *mp = mrfp->mp;
	bool was = mrfp->state != MRFP_NEW && mrfp->state != MRFP_DEAD;

	loop_timer_stop(mp->loop, &mrfp->timer);
	mgc_mrfp_forget(mrfp, false);
	mrfp->asked = false;
	mrfp->state = gone ? MRFP_DEAD : MRFP_NEW;
	if (was) {
		base_log(BASE_LOG_WARN, "mgc", "mrfp=%s is lost: %s", mrfp->name, why);
		mp->counters.lost++;
		mp->ops.on_down(mp->ops.arg, mrfp, why);
		mrfp->contexts = 0;
	}
	if (gone)
		loop_defer(mp->loop, &mp->bury, bury, mp);
}

/* ---- does it live? ---- */

static void alive(void *arg, const struct mgc_done *done)
{
	struct mgc_mrfp *mrfp = arg;

	(void)done;
	mrfp->asked = false;
	mgc_mrfp_watch(mrfp);
}

static void silent(void *arg)
{
	struct mgc_mrfp *mrfp = arg;
	const struct mgc_order order = { .kind = H248_AUDIT_VALUE, .term = BASE_STR("ROOT") };

	if (mrfp->state == MRFP_LOST) {
		mgc_mrfp_down(mrfp, "its connection did not come back", true);
		return;
	}
	if (mrfp->asked || mgc_mrfp_order(mrfp, &order, alive, mrfp, NULL))
		mgc_mrfp_watch(mrfp);
	else
		mrfp->asked = true;
}

void mgc_mrfp_watch(struct mgc_mrfp *mrfp)
{
	if (mrfp->mp->config.audit_ms && (mrfp->state == MRFP_UP || mrfp->state == MRFP_FULL))
		loop_timer_start(mrfp->mp->loop, &mrfp->timer, mrfp->mp->config.audit_ms, silent,
		                 mrfp);
}

static void on_heard(void *user, struct h248_peer *peer)
{
	struct mgc_mrfp *mrfp = h248_peer_user(peer);

	(void)user;
	if (mrfp)
		mgc_mrfp_watch(mrfp);
}

static void on_lost(void *user, struct h248_peer *peer, const char *reason)
{
	struct mgc_mrfp *mrfp = h248_peer_user(peer);
	struct mgc_mp *mp = user;

	if (!mrfp || mrfp->state == MRFP_DEAD)
		return;
	if (mrfp->state == MRFP_NEW) {
		mgc_mrfp_down(mrfp, reason, true);
		return;
	}
	base_log(BASE_LOG_WARN, "mgc", "mrfp=%s: its connection has ended (%s); waited for %u ms",
	         mrfp->name, reason, mp->config.lost_ms);
	mrfp->state = MRFP_LOST;
	loop_timer_start(mp->loop, &mrfp->timer, mp->config.lost_ms, silent, mrfp);
}

static void on_message_error(void *user, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	char addr[H248_ADDR_TEXT];

	(void)user;
	if (peer) /* what strangers say is not worth a line each */
		base_log(BASE_LOG_WARN, "mgc", "message error from mrfp=%s: %u %.*s",
		         h248_addr_format(from, addr), code, BASE_FMT(text));
}

static void on_trace(void *user, bool out, const struct h248_addr *peer, const void *data,
                     size_t len)
{
	struct mgc_mp *mp = user;

	mp->ops.on_trace(mp->ops.arg, out, peer, data, len);
}

/* ---- for the owner ---- */

struct mgc_mrfp *mgc_mp_pick(struct mgc_mp *mp)
{
	struct mgc_mrfp *best = NULL;

	BASE_LIST_EACH(&mp->mrfps, node, next)
	{
		struct mgc_mrfp *mrfp = BASE_CONTAINER_OF(node, struct mgc_mrfp, node);

		if (mrfp->state == MRFP_UP && (!best || mrfp->contexts < best->contexts))
			best = mrfp;
	}
	return best;
}

size_t mgc_mp_count(const struct mgc_mp *mp)
{
	size_t count = 0;

	BASE_LIST_EACH(&mp->mrfps, node, next)
	{
		const struct mgc_mrfp *mrfp = BASE_CONTAINER_OF(node, struct mgc_mrfp, node);

		count += mrfp->state == MRFP_UP || mrfp->state == MRFP_FULL;
	}
	return count;
}

const struct h248_addr *mgc_mp_local(const struct mgc_mp *mp)
{
	return &mp->local;
}

const struct mgc_mp_counters *mgc_mp_counters(const struct mgc_mp *mp)
{
	return &mp->counters;
}

const char *mgc_mrfp_name(const struct mgc_mrfp *mrfp)
{
	return mrfp->name;
}

void mgc_mrfp_load(struct mgc_mrfp *mrfp, int contexts)
{
	mrfp->contexts += contexts;
}

void mgc_mrfp_user_set(struct mgc_mrfp *mrfp, void *user)
{
	mrfp->user = user;
}

void *mgc_mrfp_user(const struct mgc_mrfp *mrfp)
{
	return mrfp->user;
}

/* ---- life ---- */

int mgc_mp_new(struct mgc_mp **ret, struct loop *loop, const struct mgc_mp_config *config,
               const struct mgc_mp_ops *ops, struct base_error *err)
{
	const struct h248_user_ops user = {
		.on_request = mgc_mp_request,
		.on_stranger = mgc_mp_stranger,
		.on_message_error = on_message_error,
		.on_heard = on_heard,
		.on_lost = on_lost,
		.on_trace = ops->on_trace ? on_trace : NULL,
	};
	struct mgc_mp *mp = calloc(1, sizeof(*mp));
	int rc;

	if (!mp)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	mp->loop = loop;
	mp->config = *config;
	mp->ops = *ops;
	mp->local = config->listen;
	base_list_init(&mp->mrfps);
	rc = h248_node_new(&mp->node, loop, &config->node, &user, mp);
	if (rc)
		(void)base_error_set(err, rc, "no memory for H.248");
	else
		rc = h248_node_listen(mp->node, &mp->local, err);
	if (rc) {
		mgc_mp_free(mp);
		return rc;
	}
	*ret = mp;
	return 0;
}

void mgc_mp_rules_set(struct mgc_mp *mp, const struct mgc_mp_config *config)
{
	mp->config.gateways = config->gateways;
	mp->config.gateways_count = config->gateways_count;
	mp->config.handoff = config->handoff;
	mp->config.version = config->version;
	mp->config.audit_ms = config->audit_ms;
	mp->config.lost_ms = config->lost_ms;
	mp->config.unprotected_keys = config->unprotected_keys;
}

void mgc_mp_free(struct mgc_mp *mp)
{
	if (!mp)
		return;
	loop_defer_stop(mp->loop, &mp->bury);
	h248_node_free(mp->node);
	BASE_LIST_EACH(&mp->mrfps, node, next)
	{
		struct mgc_mrfp *mrfp = BASE_CONTAINER_OF(node, struct mgc_mrfp, node);

		loop_timer_stop(mp->loop, &mrfp->timer);
		mgc_mrfp_forget(mrfp, true);
		free(mrfp);
	}
	free(mp);
}
