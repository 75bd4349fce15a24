/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipdc, IP domain connection (H.248.41): a realm is a name for some of this gateway's media
 * addresses (configuration: media.realms). A stream that names one gets an address of it; one that
 * names none gets one that is of no realm. The realm stays when a later LocalControl does not name
 * it (P): else each change of mode would have to repeat it, or cost the address.
 *
 * ipra, IP realm availability (H.248.41 Amd. 1), on ROOT: the realms there are. They do not change
 * while the gateway runs, so ipra/arc can be asked for and does not happen.
 */
#include "mg/part.h"
#include "mg/pkg.h"

static const char *realm_of(const struct mg_settings *set, size_t address)
{
	return set->address_realms ? set->address_realms[address] : NULL;
}

bool mg_ipdc_fits(const struct mg_settings *set, size_t address, const char *realm)
{
	const char *of = realm_of(set, address);

	return realm[0] ? of && !strcmp(of, realm) : !of;
}

const char *mg_ipdc_realm_at(const struct mg_settings *set, size_t index)
{
	for (size_t i = 0; i < set->address_count; i++) {
		const char *name = realm_of(set, i);
		size_t before = 0;

		while (name && before < i &&
		       (!realm_of(set, before) || strcmp(realm_of(set, before), name) != 0))
			before++;
		if (name && before == i && !index--)
			return name;
	}
	return NULL;
}

static int realm_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                       const struct h248_parm *parm)
{
	const char *name;

	for (size_t i = 0; (name = mg_ipdc_realm_at(&run->mg->set, i)); i++)
		if (base_str_eq(parm->value.text, base_str_of(name)))
			break;
	if (!name)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl ipdc/realm: no realm '%.*s'", s->id,
		               BASE_FMT(parm->value.text));
	s->realm = mg_copy_text(&plan->media->arena, base_str_of(name));
	return s->realm ? 0 : mg_fail_memory(run);
}

/* What stays from an earlier LocalControl. */
static bool realm_tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                       struct h248_parm **list)
{
	const char *copy;

	(void)term;
	if (!s || !s->realm[0] || h248_parm_find(s->parms, "ipdc", "realm"))
		return true;
	copy = mg_copy_text(run->arena, base_str_of(s->realm));
	return copy &&
	       h248_parm_set(run->arena, list, h248_name_of("ipdc/realm"), base_str_of(copy), true);
}

/* All realms; at most one for each address. */
static bool realms_tell(struct mg_run *run, struct h248_parm **list, const char *name,
                        enum h248_form form)
{
	size_t most = run->mg->set.address_count;
	const char **words = base_arena_alloc(run->arena, (most + 1) * sizeof(*words));

	if (!words)
		return false;
	for (size_t i = 0; i <= most; i++)
		words[i] = mg_ipdc_realm_at(&run->mg->set, i);
	return mg_pkg_names_tell(run, list, name, words, form);
}

static bool realm_can(struct mg_run *run, struct h248_parm **list)
{
	return realms_tell(run, list, "ipdc/realm", H248_FORM_OR);
}

static bool available_tell(struct mg_run *run, const struct mg_term *term,
                           const struct mg_stream *s, struct h248_parm **list)
{
	(void)term;
	return s || realms_tell(run, list, "ipra/ar", H248_FORM_AND);
}

static const struct mg_equipment_property properties[] = {
	{ .name = "realm", .check = realm_check },
	{ 0 },
};
const struct mg_equipment mg_pkg_ipdc = {
	.package = "ipdc",
	.on = MG_ON_TERM,
	.properties = properties,
	.tell = realm_tell,
	.can = realm_can,
};

static const struct mg_equipment_event events[] = { { .name = "arc" }, { 0 } };
const struct mg_equipment mg_pkg_ipra = {
	.package = "ipra",
	.on = MG_ON_ROOT,
	.events = events,
	.tell = available_tell,
};
