/* SPDX-License-Identifier: Apache-2.0 */
/** @file Conferences by another configuration: those that stay, that come, that are over. */
#include <stdlib.h>

#include "mgc/focus_private.h"

struct mgc_focus_plan {
	const struct mgc_config *config;
	struct conf **confs; /* one for each room, then those that are over */
	size_t count;
	struct conf **fresh; /* of them, those that are new */
	size_t fresh_count;
};

static struct conf *conf_of(const struct mgc_focus *focus, const struct mgc_room *room)
{
	for (size_t i = 0; i < focus->conf_count; i++)
		if (!focus->confs[i]->over &&
		    !strcmp(focus->confs[i]->room->identity, room->identity))
			return focus->confs[i];
	return NULL;
}

static bool same_floors(const struct mgc_room *a, const struct mgc_room *b)
{
	if (a->bfcp != b->bfcp || a->conference != b->conference ||
	    a->floor_count != b->floor_count)
		return false;
	for (size_t i = 0; i < a->floor_count; i++)
		if (a->floors[i].id != b->floors[i].id ||
		    a->floors[i].holders != b->floors[i].holders)
			return false;
	return true;
}

const char *mgc_focus_obstacle(const struct mgc_focus *focus, const struct mgc_config *config)
{
	for (size_t i = 0; i < config->room_count; i++) {
		const struct mgc_room *room = &config->rooms[i];
		const struct conf *conf = conf_of(focus, room);

		if (!conf || base_list_empty(&conf->legs))
			continue;
		if (conf->room->msrp != room->msrp || !same_floors(conf->room, room))
			return "the media or floors of a conference that has members";
	}
	return NULL;
}

/* ---- phase one ---- */

static struct conf *conf_new(struct mgc_focus *focus, const struct mgc_room *room)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (conf)
		conf_init(conf, focus, room);
	return conf;
}

static bool among(struct conf *const *confs, size_t count, const struct conf *conf)
{
	for (size_t i = 0; i < count; i++)
		if (confs[i] == conf)
			return true;
	return false;
}

static void plan_free(struct mgc_focus_plan *plan)
{
	if (plan)
		free(plan->fresh);
	free(plan);
}

void mgc_focus_drop(struct mgc_focus *focus, struct mgc_focus_plan *plan)
{
	(void)focus;
	for (size_t i = 0; plan && i < plan->fresh_count; i++)
		free(plan->fresh[i]);
	if (plan)
		free(plan->confs);
	plan_free(plan);
}

int mgc_focus_prepare(struct mgc_focus *focus, const struct mgc_config *config,
                      struct mgc_focus_plan **ret)
{
	struct mgc_focus_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return BASE_ERR(BASE_LOCAL, 0);
	plan->confs = calloc(config->room_count + focus->conf_count + 1, sizeof(struct conf *));
	plan->fresh = calloc(config->room_count + 1, sizeof(struct conf *));
	if (!plan->confs || !plan->fresh) {
		mgc_focus_drop(focus, plan);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	plan->config = config;
	for (size_t i = 0; i < config->room_count; i++) {
		struct conf *conf = conf_of(focus, &config->rooms[i]);

		if (!conf) {
			conf = conf_new(focus, &config->rooms[i]);
			plan->fresh[plan->fresh_count++] = conf;
		}
		if (!conf) {
			mgc_focus_drop(focus, plan);
			return BASE_ERR(BASE_LOCAL, 0);
		}
		plan->confs[plan->count++] = conf;
	}
	*ret = plan;
	return 0;
}

/* ---- phase two ---- */

static void conf_close(struct conf *conf)
{
	conf->over = true;
	BASE_LIST_EACH(&conf->legs, node, next)
	leg_fail(BASE_CONTAINER_OF(node, struct leg, node), LEG_EV_END, 503,
	         "the conference is over");
}

void mgc_focus_commit(struct mgc_focus *focus, struct mgc_focus_plan *plan)
{
	struct conf **before = focus->confs;
	size_t count = focus->conf_count, rooms = plan->config->room_count;

	for (size_t i = 0; i < count; i++)
		if (!among(plan->confs, rooms, before[i]))
			plan->confs[plan->count++] = before[i];
	focus->config = plan->config;
	focus->confs = plan->confs;
	focus->conf_count = plan->count;
	for (size_t i = 0; i < rooms; i++)
		focus->confs[i]->room = &plan->config->rooms[i];
	for (size_t i = rooms; i < plan->count; i++)
		if (!focus->confs[i]->over)
			conf_close(focus->confs[i]);
	for (size_t i = 0; i < rooms && focus->mp && mgc_mp_pick(focus->mp); i++)
		if (focus->confs[i]->room->dial_at_start && !among(before, count, focus->confs[i]))
			conf_dial(focus->confs[i]);
	free(before);
	plan_free(plan);
}

static void prune(struct mgc_focus *focus)
{
	size_t kept = 0;

	for (size_t i = 0; i < focus->conf_count; i++) {
		struct conf *conf = focus->confs[i];

		if (!conf->over || !base_list_empty(&conf->legs)) {
			focus->confs[kept++] = conf;
			continue;
		}
		loop_defer_stop(focus->loop, &conf->pump);
		free(conf);
	}
	focus->conf_count = kept;
}

bool mgc_focus_uses(struct mgc_focus *focus, const struct mgc_config *config)
{
	prune(focus);
	for (size_t i = 0; i < focus->conf_count; i++)
		BASE_LIST_EACH(&focus->confs[i]->legs, node, next)
	if (BASE_CONTAINER_OF(node, struct leg, node)->config == config)
		return true;
	return false;
}
