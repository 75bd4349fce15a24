/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <unistd.h>

void scene_begin(struct scene *scene, void *state, enum tls_role role, const char *profile)
{
	struct relay_pool_spec spec = { .workers = 2, .drain_timeout_ms = 300 };
	struct tls_domain_spec domain;

	memset(scene, 0, sizeof(*scene));
	scene->sides = state;
	stage_begin(&scene->stage, &spec);
	domain = lab_spec(scene->sides, role, profile);
	assert_int_equal(tls_domain_new(&scene->domain, &domain, NULL), 0);
	scene->tls.domain = scene->domain;
	scene->tls.session.role = role;
	scene->listener = peer_listen(&scene->port);
	scene->far = -1;
}

void scene_end(struct scene *scene)
{
	if (scene->far >= 0)
		close(scene->far);
	close(scene->listener);
	relay_endpoint_remove(scene->front.endpoint);
	relay_endpoint_remove(scene->back.endpoint);
	stage_empty(&scene->stage);
	stage_end(&scene->stage);
	tls_domain_unref(scene->domain);
}

/* TLS endpoint listening, TCP endpoint connected, linked. */
void scene_pair(struct scene *scene)
{
	struct relay_endpoint_spec spec = stage_server(&scene->front);

	spec.tls = &scene->tls;
	stage_add(&scene->stage, &spec);
	spec = stage_client(&scene->back, scene->port);
	stage_add(&scene->stage, &spec);
	assert_int_equal(relay_endpoint_link(scene->front.endpoint, scene->back.endpoint), 0);
	scene->far = peer_accept(&scene->stage, scene->listener);
}

/* Our session as the far peer of the front endpoint. */
void scene_visit(struct scene *scene, struct far *far, enum tls_role role, const char *profile)
{
	struct tls_domain_spec domain = lab_spec(scene->sides, role, profile);
	struct tls_session_spec session = { .role = role };

	far_open(far, &scene->stage,
	         peer_connect(&scene->stage, endpoint_port(scene->front.endpoint)), &domain,
	         &session);
	assert_true(far->fd >= 0);
}

void scene_up(struct scene *scene, void *state, struct far *far)
{
	scene_begin(scene, state, TLS_ROLE_SERVER, "modern");
	scene_pair(scene);
	scene_visit(scene, far, TLS_ROLE_CLIENT, "modern");
	assert_int_equal(far_shake(far), 0);
	stage_expect(&scene->stage, &scene->front, RELAY_TLS_UP);
}

const struct relay_event *scene_down(struct scene *scene, struct record *record,
                                     enum relay_event_kind kind)
{
	stage_expect(&scene->stage, record, kind);
	return &record->last[kind];
}
