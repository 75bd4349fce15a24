/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipdc, IP domain connection (H.248.41): a realm is a name for some of this gateway's media
 * addresses (configuration: media.realms). A stream that names one gets an address of it; one that
 * names none gets one that is of no realm. The realm stays when a later LocalControl does not name
 * it (P): else each change of mode would have to repeat it, or cost the address.
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

int mg_ipdc_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
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
