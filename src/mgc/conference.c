/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/focus_private.h"

#include <stdlib.h>

void conf_init(struct conf *conf, struct mgc_focus *focus, const struct mgc_room *room)
{
	conf->focus = focus;
	conf->room = room;
	conf->context = H248_CONTEXT_CHOOSE;
	conf->next_user = 1;
	base_list_init(&conf->legs);
	base_list_init(&conf->orders);
}

/* An id that no other member has; there are at most 65535. */
static uint16_t user_next(struct conf *conf)
{
	for (;;) {
		uint16_t id = conf->next_user++;
		bool taken = id == 0;

		BASE_LIST_EACH(&conf->legs, node, next)
		taken |= BASE_CONTAINER_OF(node, struct leg, node)->user == id;
		if (!taken)
			return id;
	}
}

struct leg *conf_leg_new(struct conf *conf, const char *peer)
{
	struct leg *leg = calloc(1, sizeof(*leg));

	if (!leg)
		return NULL;
	leg->conf = conf;
	leg->config = conf->focus->config;
	leg->user = user_next(conf);
	base_list_init(&leg->waiting);
	base_list_append(&conf->legs, &leg->node);
	conf->focus->members++;
	(void)snprintf(leg->peer, sizeof(leg->peer), "%s", peer);
	return leg;
}

/* ---- orders ---- */

static void conf_pump(void *arg);

static void pump_soon(struct conf *conf)
{
	loop_defer(conf->focus->loop, &conf->pump, conf_pump, conf);
}

/* A conference without terminations has no context (RFC 3525, 6.1), and may go elsewhere. */
static void conf_emptied(struct conf *conf)
{
	if (conf->terms)
		return;
	if (conf->mrfp && conf->context != H248_CONTEXT_CHOOSE)
		mgc_mrfp_load(conf->mrfp, -1);
	conf->mrfp = NULL;
	conf->context = H248_CONTEXT_CHOOSE;
}

static void conf_placed(struct conf *conf, uint32_t context)
{
	conf->terms++;
	if (conf->context != H248_CONTEXT_CHOOSE)
		return;
	conf->context = context;
	mgc_mrfp_load(conf->mrfp, 1);
}

static void order_refused(struct leg *leg, unsigned code, struct base_str text)
{
	leg->conf->focus->counters.unseated++;
	leg_fail(leg, LEG_EV_REFUSED, 503, "the MRFP refuses: %u %.*s", code, BASE_FMT(text));
}

/* What became of an Add. */
static bool seat_done(struct leg *leg, const struct mgc_done *done)
{
	struct base_error err = { 0 };

	if (done->code || !done->term.len || done->term.len >= TERM_MAX) {
		order_refused(leg, done->code, done->text);
		return false;
	}
	(void)snprintf(leg->term, sizeof(leg->term), "%.*s", BASE_FMT(done->term));
	conf_placed(leg->conf, done->context);
	if (leg_media_take(leg, done, &err)) {
		leg_fail(leg, LEG_EV_REFUSED, 503, "%s", err.text);
		return false;
	}
	return true;
}

static bool bind_done(struct leg *leg, const struct mgc_done *done)
{
	struct base_error err = { 0 };

	if (done->code) {
		order_refused(leg, done->code, done->text);
		return false;
	}
	if (leg_media_take(leg, done, &err)) {
		leg_fail(leg, LEG_EV_REFUSED, 503, "%s", err.text);
		return false;
	}
	return true;
}

static void order_done(void *arg, const struct mgc_done *done)
{
	struct conf *conf = arg;
	struct leg *leg = conf->current;
	enum leg_order order = leg->order;
	bool ok;

	conf->current = NULL;
	leg->ordered = false;
	leg->order = ORDER_NONE;
	if (order == ORDER_SUBTRACT) { /* a termination that is not there is gone, too */
		leg->term[0] = 0;
		conf->terms--;
		conf_emptied(conf);
		ok = true;
	} else if (order == ORDER_RELEASE && !done->code && leg->state != LEG_CLOSING) {
		leg_media_released(leg);
		conf_order(leg, ORDER_BIND);
		return;
	} else {
		ok = order == ORDER_BIND || order == ORDER_RELEASE ? bind_done(leg, done)
		                                                   : seat_done(leg, done);
	}
	pump_soon(conf);
	if (ok && leg->offer && (order == ORDER_SEAT || order == ORDER_BIND))
		leg_media_bound(leg);
	if (ok)
		leg_event(leg, LEG_EV_DONE);
	else if (!leg->term[0])
		conf_emptied(conf);
}

static void order_unsent(struct leg *leg, const struct base_error *err)
{
	struct conf *conf = leg->conf;
	bool gone = leg->order == ORDER_SUBTRACT;

	leg->ordered = false;
	leg->order = ORDER_NONE;
	if (gone) { /* memory is short: better one termination too many than a member for ever */
		leg->term[0] = 0;
		conf->terms--;
		conf_emptied(conf);
		leg_event(leg, LEG_EV_DONE);
		return;
	}
	conf->focus->counters.unseated++;
	leg_fail(leg, LEG_EV_REFUSED, 503, "%s", err->text);
}

static int order_send(struct leg *leg, struct base_error *err)
{
	struct conf *conf = leg->conf;
	struct leg_media media = { .arena = { .wipe = true } };
	int rc;

	if (!conf->mrfp)
		conf->mrfp = mgc_mp_pick(conf->focus->mp);
	if (!conf->mrfp)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "there is no MRFP");
	rc = leg_media_order(leg, &media);
	if (rc)
		(void)base_error_set(err, rc, "no memory");
	else
		rc = mgc_mrfp_order(conf->mrfp, &media.order, order_done, conf, err);
	base_arena_done(&media.arena);
	return rc;
}

static void conf_pump(void *arg)
{
	struct conf *conf = arg;

	while (!conf->current && !base_list_empty(&conf->orders)) {
		struct leg *leg =
		        BASE_CONTAINER_OF(base_list_shift(&conf->orders), struct leg, waiting);
		struct base_error err = { 0 };

		conf->current = leg;
		if (!order_send(leg, &err))
			return;
		conf->current = NULL;
		if (!conf->terms)
			conf->mrfp = NULL;
		order_unsent(leg, &err);
	}
}

void conf_order(struct leg *leg, enum leg_order order)
{
	struct conf *conf = leg->conf;

	leg->order = order;
	leg->ordered = true;
	base_list_append(&conf->orders, &leg->waiting);
	pump_soon(conf);
}

bool conf_unorder(struct leg *leg)
{
	if (leg->conf->current == leg)
		return false;
	base_list_remove(&leg->waiting);
	leg->ordered = false;
	leg->order = ORDER_NONE;
	return true;
}

/* ---- what happens at the MRFP ---- */

void conf_lost(struct conf *conf, const char *why)
{
	conf->current = NULL;
	conf->mrfp = NULL;
	conf->context = H248_CONTEXT_CHOOSE;
	conf->terms = 0;
	BASE_LIST_EACH(&conf->legs, node, next)
	{
		struct leg *leg = BASE_CONTAINER_OF(node, struct leg, node);
		bool had = leg->term[0] || (leg->ordered && leg->order != ORDER_NONE);

		if (leg->ordered)
			(void)conf_unorder(leg);
		leg->term[0] = 0;
		if (!had)
			continue;
		conf->bereft = true;
		if (leg->state != LEG_CLOSING)
			conf->focus->counters.lost++;
		leg_fail(leg, LEG_EV_LOST, 503, "the MRFP is lost: %s", why);
	}
}

void conf_told(struct conf *conf, const struct mgc_told *told)
{
	BASE_LIST_EACH(&conf->legs, node, next)
	{
		struct leg *leg = BASE_CONTAINER_OF(node, struct leg, node);

		if (leg->term[0] && base_str_ieq(base_str_of(leg->term), told->term)) {
			leg_told(leg, told);
			return;
		}
	}
}

/* ---- dial-out ---- */

int conf_dial_one(struct conf *conf, const char *uri)
{
	char identity[OFFER_NAME_MAX];
	struct leg *leg;

	if (!offer_identity(base_str_of(uri), identity, sizeof(identity)))
		return BASE_ERR(BASE_CONFIG, 0);
	leg = conf_leg_new(conf, identity);
	if (!leg)
		return BASE_ERR(BASE_LOCAL, 0);
	conf->focus->counters.dialled++;
	(void)snprintf(leg->target, sizeof(leg->target), "%s", uri);
	leg_event(leg, LEG_EV_DIAL);
	return 0;
}

void conf_dial(struct conf *conf)
{
	if (conf->dialled || conf->over || conf->focus->leaving)
		return;
	conf->dialled = true;
	for (size_t i = 0; i < conf->room->dial_out_count; i++)
		if (conf_dial_one(conf, conf->room->dial_out[i]))
			base_log(BASE_LOG_ERROR, "mgc", "conference=%s: '%s' cannot be called",
			         conf->room->uri, conf->room->dial_out[i]);
}

static bool is_closing(const struct conf *conf)
{
	BASE_LIST_EACH(&conf->legs, node, next)
	if (BASE_CONTAINER_OF(node, struct leg, node)->state == LEG_CLOSING)
		return true;
	return false;
}

/* Those who were lost with an MRFP are called again not before their old calls are over. */
void conf_settled(struct conf *conf)
{
	bool again = conf->bereft && !is_closing(conf);

	if (again || base_list_empty(&conf->legs))
		conf->dialled = false;
	if (!again)
		return;
	conf->bereft = false;
	if (conf->room->dial_at_start && mgc_mp_pick(conf->focus->mp))
		conf_dial(conf);
}
