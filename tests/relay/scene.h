/* SPDX-License-Identifier: Apache-2.0 */
/** @file The usual scene of a TLS test: one endpoint with TLS, its TCP partner, and both peers. */
#ifndef GH_TESTS_RELAY_SCENE_H
#define GH_TESTS_RELAY_SCENE_H

#include "check.h"

#include "far.h"

/** A TLS endpoint, its TCP partner, and the partner's peer. */
struct scene {
	struct lab_sides *sides;
	struct stage stage;
	struct tls_domain *domain;
	struct relay_tls_spec tls;
	struct record front, back;
	int listener, far; /**< of the plain side */
	int port;
};

/** Pool, domain of `profile`, and the plain side's listener; no endpoints yet. */
void scene_begin(struct scene *scene, void *state, enum tls_role role, const char *profile);
/** Remove what is there, wait until the pool is empty, free all. */
void scene_end(struct scene *scene);
/** TLS endpoint listening, TCP endpoint connected, linked. */
void scene_pair(struct scene *scene);
/** Our session as the far peer of the front endpoint. */
void scene_visit(struct scene *scene, struct far *far, enum tls_role role, const char *profile);
/** All of it, up to TLS. */
void scene_up(struct scene *scene, void *state, struct far *far);
/** Wait for an event and have it. */
const struct relay_event *scene_down(struct scene *scene, struct record *record,
                                     enum relay_event_kind kind);

#endif
