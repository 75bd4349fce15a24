/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Digit maps by name (RFC 3525, 7.1.14.1), of a termination or of ROOT: kept, told to audits and
 * deleted. No package of this gateway has digits, so no event can refer to one (events.c).
 */
#include <stdlib.h>

#include "mg/audit.h"
#include "mg/part.h"

#define MAPS_MAX 64U /* of one termination; 519 */

static struct mg_maps *maps_new(void)
{
	return calloc(1, sizeof(struct mg_maps));
}

void mg_maps_free(struct mg_maps *maps)
{
	if (!maps)
		return;
	base_arena_done(&maps->arena);
	free(maps);
}

static bool map_copy(struct mg_maps *maps, const struct h248_digit_map *from,
                     struct h248_digit_map ***at)
{
	struct h248_digit_map *dm = BASE_NEW(&maps->arena, struct h248_digit_map);

	if (!dm)
		return false;
	*dm = *from;
	dm->d.next = NULL;
	if (!mg_copy_str(&maps->arena, from->name, &dm->name) ||
	    !mg_copy_str(&maps->arena, from->body, &dm->body))
		return false;
	**at = dm;
	*at = (struct h248_digit_map **)(void *)&dm->d.next;
	maps->count++;
	return true;
}

static const struct h248_digit_map *map_find(const struct mg_maps *maps, struct base_str name)
{
	const struct h248_digit_map *dm = maps ? maps->list : NULL;

	while (dm && !base_str_ieq(dm->name, name))
		dm = (const struct h248_digit_map *)dm->d.next;
	return dm;
}

/* All but the one that is named, and that one if it has a value. */
static bool maps_fill(struct mg_maps *maps, const struct mg_maps *old,
                      const struct h248_digit_map *dm)
{
	struct h248_digit_map **at = &maps->list;

	for (const struct h248_digit_map *i = old ? old->list : NULL; i;
	     i = (const struct h248_digit_map *)i->d.next)
		if (!base_str_ieq(i->name, dm->name) && !map_copy(maps, i, &at))
			return false;
	return !dm->body.len || map_copy(maps, dm, &at);
}

int mg_digit_map_read(struct mg_run *run, struct mg_plan *plan, const struct h248_digit_map *dm)
{
	const struct mg_maps *old = plan->term->maps;
	const struct h248_digit_program *program;
	struct base_error err = { 0 };
	int rc;

	if (!dm->name.len)
		return mg_fail(run, H248_E_REQUIRED_MISSING, "DigitMap: it has no name");
	if (!dm->body.len && !map_find(old, dm->name))
		return mg_fail(run, H248_E_DIGIT_MAP_UNDEFINED, "DigitMap %.*s: there is none",
		               BASE_FMT(dm->name));
	if (dm->body.len) {
		rc = h248_digit_compile(run->arena, dm, &program, &err);
		if (rc)
			return mg_fail_error(run, rc, &err, "DigitMap %.*s", BASE_FMT(dm->name));
		if (old && old->count >= MAPS_MAX && !map_find(old, dm->name))
			return mg_fail(run, H248_E_DIGIT_MAP_SPACE, "DigitMap: more than %u",
			               MAPS_MAX);
	}
	plan->new_maps = true;
	plan->maps = maps_new();
	if (!plan->maps || !maps_fill(plan->maps, old, dm))
		return mg_fail_memory(run);
	return 0;
}

static int map_tell(struct mg_run *run, const struct h248_digit_map *dm, struct h248_command *reply)
{
	struct h248_digit_map *out = BASE_NEW(run->arena, struct h248_digit_map);

	if (!out)
		return mg_fail_memory(run);
	*out = *dm;
	out->d.next = NULL;
	if (!mg_copy_str(run->arena, dm->name, &out->name) ||
	    !mg_copy_str(run->arena, dm->body, &out->body))
		return mg_fail_memory(run);
	h248_descriptor_append(reply, &out->d);
	return 0;
}

int mg_digit_maps_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	int rc = 0;

	if (!term->maps || !term->maps->list)
		return h248_item_add(run->arena, reply, H248_DIGIT_MAP) ? 0 : mg_fail_memory(run);
	for (const struct h248_digit_map *i = term->maps->list; i && !rc;
	     i = (const struct h248_digit_map *)i->d.next)
		rc = map_tell(run, i, reply);
	return rc;
}

int mg_digit_map_tell(struct mg_run *run, const struct mg_term *term, struct base_str name,
                      struct h248_command *reply)
{
	const struct h248_digit_map *dm = map_find(term->maps, name);

	/* Those of ROOT are everybody's, where there is none of the same name (7.1.14.1). */
	if (!dm)
		dm = map_find(run->mg->root.maps, name);
	if (!dm)
		return mg_fail(run, H248_E_AUDIT_MISSING, "Audit DigitMap %.*s: does not exist",
		               BASE_FMT(name));
	return map_tell(run, dm, reply);
}
