/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * LocalControl and TerminationState (RFC 3525, 7.1.5 and 7.1.7): which properties this gateway
 * takes, and what they do to a stream. A new LocalControl replaces the former one; what chooses the
 * TLS domain, its role, names and keys stays until it is given anew (P: the keys are write-only, so
 * that a controller that only changes the mode need not send them again).
 */
#include "mg/equip.h"
#include "mg/part.h"
#include "mg/plan.h"

/* Packages whose properties are read right here. */
static bool own(const struct h248_package *package)
{
	return !strcmp(package->name, H248_PACKAGE_PRIVATE) || !strcmp(package->name, "seplink");
}

/* The one value meant: the first of alternatives; false for CHOOSE. */
static bool value_given(const struct h248_parm *p, struct base_str *ret)
{
	*ret = p->value.text;
	return !(p->value.text.len == 1 && p->value.text.ptr[0] == '$' && !p->value.quoted);
}

static bool value_listed(const struct h248_parm *p)
{
	return p->form == H248_FORM_AND;
}

/* ---- keys (8.3.3; RFC 4279, 5.3) ---- */

struct key_parms {
	const struct h248_parm *ids, *keys;
};

static size_t values_count(const struct h248_parm *p)
{
	size_t n = 0;

	for (const struct h248_value *v = p ? &p->value : NULL; v; v = v->next)
		n++;
	return n;
}

static int key_take(struct mg_run *run, unsigned stream, struct mg_keys *keys,
                    const struct h248_value *id, const struct h248_value *key)
{
	uint8_t octets[MG_PSK_MAX];
	size_t i = keys->count, len;
	int rc;

	if (id->text.len > MG_PSK_ID_MAX)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl gatehouse/pskid: longer than %u octets",
		               stream, MG_PSK_ID_MAX);
	if (h248_package_octets(key->text, octets, sizeof(octets), &len) || !len)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl gatehouse/psk: not 1 to %u octets in "
		               "hexadecimal",
		               stream, MG_PSK_MAX);
	rc = base_secret_set(&keys->psk[i].key, octets, len);
	base_wipe(octets, sizeof(octets));
	if (rc)
		return mg_fail_memory(run);
	memcpy(keys->identity[i], id->text.ptr, id->text.len);
	keys->psk[i].identity = (struct base_str){ keys->identity[i], id->text.len };
	keys->count++;
	return 0;
}

static int keys_read(struct mg_run *run, struct mg_stream *stream, const struct key_parms *p)
{
	const struct h248_value *id, *key;
	struct mg_keys *keys;
	int rc = 0;

	if (!p->keys && !p->ids)
		return 0;
	if (p->keys && !run->guarded && !run->mg->set.unprotected_keys)
		return mg_fail(run, H248_E_UNAUTHORIZED,
		               "Stream %u, LocalControl gatehouse/psk: no keys over this "
		               "transport; use H.248 inside TLS, or h248.unsafe-unprotected-keys "
		               "where IPsec guards the way",
		               stream->id);
	if (!p->keys || !p->ids)
		return mg_fail(run, H248_E_REQUIRED_MISSING,
		               "Stream %u, LocalControl gatehouse/%s: without gatehouse/%s",
		               stream->id, p->keys ? "psk" : "pskid", p->keys ? "pskid" : "psk");
	if (values_count(p->ids) != values_count(p->keys) || values_count(p->ids) > MG_KEYS_MAX)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, LocalControl gatehouse/psk: not as many keys as "
		               "identities, or more than %u",
		               stream->id, MG_KEYS_MAX);
	keys = mg_keys_new();
	if (!keys)
		return mg_fail_memory(run);
	for (id = &p->ids->value, key = &p->keys->value; id && key && !rc;
	     id = id->next, key = key->next)
		rc = key_take(run, stream->id, keys, id, key);
	if (rc) {
		mg_keys_unref(keys);
		return rc;
	}
	mg_keys_unref(stream->keys);
	stream->keys = keys;
	return 0;
}

/* ---- one property ---- */

static int text_set(struct mg_run *run, struct base_arena *arena, struct base_str value,
                    const char **at)
{
	*at = mg_copy_text(arena, value);
	return *at ? 0 : mg_fail_memory(run);
}

static int private_read(struct mg_run *run, struct base_arena *arena, struct mg_stream *s,
                        const struct h248_package_item *item, const struct h248_parm *p,
                        struct key_parms *keys)
{
	struct h248_package_value v = { 0 };
	struct base_str value;

	if (!strcmp(item->name, "pskid")) {
		keys->ids = p;
		return 0;
	}
	if (!strcmp(item->name, "psk")) {
		keys->keys = p;
		return 0;
	}
	if (!value_given(p, &value)) {
		/* CHOOSE: the gateway's own choice is the default domain and the automatic role */
		s->tell_control = true;
		if (!strcmp(item->name, "dom"))
			s->domain_name = "";
		else if (!strcmp(item->name, "role"))
			s->role = H248_ROLE_AUTO;
		else if (!strcmp(item->name, "reneg"))
			s->renegotiate = H248_RENEG_DOMAIN;
		else
			return mg_fail(
			        run, H248_E_VALUE,
			        "Stream %u, LocalControl gatehouse/%s: nothing to choose from",
			        s->id, item->name);
		return 0;
	}
	if (!strcmp(item->name, "dom"))
		return text_set(run, arena, value, &s->domain_name);
	if (!strcmp(item->name, "pskhint"))
		return text_set(run, arena, value, &s->psk_hint);
	if (!strcmp(item->name, "peername"))
		return text_set(run, arena, value, &s->peer_name);
	if (!strcmp(item->name, "sni"))
		return text_set(run, arena, value, &s->server_name);
	if (h248_package_value_parse(&item->values, &p->value, H248_E_VALUE, &v, NULL))
		return mg_fail(run, H248_E_VALUE, "Stream %u, LocalControl gatehouse/%s", s->id,
		               item->name);
	*(strcmp(item->name, "role") ? &s->renegotiate : &s->role) = (uint8_t)v.number;
	return 0;
}

/* One of a package that keeps what is set (equip.h). */
static int kept_read(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                     const struct h248_package *package, const struct h248_package_item *item,
                     const struct h248_parm *p)
{
	const struct mg_equipment *e =
	        mg_package_on(run, plan->term, package) ? mg_equipment_find(package) : NULL;
	const struct mg_equipment_property *row = e ? mg_equipment_property(e, item->name) : NULL;

	if (!row)
		return mg_fail(run, H248_E_PROPERTY,
		               "Stream %u, LocalControl %s/%s: not supported on TCP streams", s->id,
		               package->name, item->name);
	return mg_property_keep(run, plan, s, row, item, p, &plan->media->arena, &s->parms,
	                        &s->tell_control);
}

static int property_read(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                         const struct h248_parm *p, struct key_parms *keys)
{
	struct base_arena *arena = &plan->media->arena;
	const struct h248_package *package;
	const struct h248_package_item *item;
	struct h248_package_value v = { 0 };
	struct base_error err = { 0 };
	int rc = mg_package_lookup(H248_PROPERTY, p->name, &package, &item, &err);

	if (rc)
		return mg_fail_error(run, rc, &err, "Stream %u, LocalControl %.*s/%.*s", s->id,
		                     BASE_FMT(p->name.package), BASE_FMT(p->name.item));
	rc = h248_package_property_check(item, H248_IN_LOCAL_CONTROL, p->form, &p->value, &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "Stream %u, LocalControl %s/%s", s->id,
		                     package->name, item->name);
	if (!own(package) || !strcmp(item->name, "share"))
		return kept_read(run, plan, s, package, item, p);
	if (p->form != H248_FORM_EQUAL && p->form != H248_FORM_OR && !value_listed(p))
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl %s/%s: needs one value or a list of "
		               "alternatives",
		               s->id, package->name, item->name);
	if (p->form == H248_FORM_OR)
		s->tell_control = true;
	if (strcmp(package->name, "seplink") != 0)
		return private_read(run, arena, s, item, p, keys);
	rc = h248_package_value_parse(&item->values, &p->value, H248_E_VALUE, &v, NULL);
	if (rc)
		return mg_fail(run, H248_E_VALUE, "Stream %u, LocalControl seplink/link", s->id);
	s->link = v.choose ? H248_LINK_OFF : (uint8_t)v.number;
	s->tell_control |= v.choose;
	return 0;
}

static bool named_before(const struct h248_parm *list, const struct h248_parm *p)
{
	for (; list != p; list = list->next)
		if (h248_name_equal(list->name, p->name))
			return true;
	return false;
}

int mg_control_read(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                    const struct h248_local_control *control)
{
	struct key_parms keys = { 0 };
	int rc;

	if (control->mode == H248_LOOPBACK)
		return mg_fail(run, H248_E_MODE, "Stream %u, LocalControl Mode: no loopback",
		               s->id);
	s->has_control = s->new_control = true;
	s->parms = NULL;
	s->mode = control->mode ? control->mode : H248_INACTIVE;
	s->reserved_value = control->reserved_value ? control->reserved_value : H248_OFF;
	s->reserved_group = control->reserved_group ? control->reserved_group : H248_OFF;
	s->link = H248_LINK_OFF;
	for (const struct h248_parm *p = control->parms; p; p = p->next) {
		if (named_before(control->parms, p))
			return mg_fail(run, H248_E_PROPERTY_TWICE,
			               "Stream %u, LocalControl %.*s/%.*s: appears twice", s->id,
			               BASE_FMT(p->name.package), BASE_FMT(p->name.item));
		rc = property_read(run, plan, s, p, &keys);
		if (rc)
			return rc;
	}
	return keys_read(run, s, &keys);
}

/* ---- TerminationState ---- */

/* The properties that are set, made from what there is at the first one. */
static struct mg_state *plan_state(struct mg_plan *plan)
{
	if (!plan->new_state)
		plan->state = mg_state_new(plan->term->state);
	plan->new_state = plan->state != NULL;
	return plan->state;
}

static int state_kept_read(struct mg_run *run, struct mg_plan *plan,
                           const struct h248_package *package, const struct h248_package_item *item,
                           const struct h248_parm *p)
{
	const struct mg_equipment *e =
	        mg_package_on(run, plan->term, package) ? mg_equipment_find(package) : NULL;
	const struct mg_equipment_property *row = e ? mg_equipment_property(e, item->name) : NULL;

	if (!row)
		return mg_fail(run, H248_E_PROPERTY, "TerminationState %s/%s: not supported here",
		               package->name, item->name);
	if (!plan_state(plan))
		return mg_fail_memory(run);
	return mg_property_keep(run, plan, NULL, row, item, p, &plan->state->arena,
	                        &plan->state->parms, &plan->tell_state);
}

static int state_property_read(struct mg_run *run, struct mg_plan *plan, const struct h248_parm *p)
{
	const struct h248_package *package;
	const struct h248_package_item *item;
	struct base_error err = { 0 };
	int rc = mg_package_lookup(H248_PROPERTY, p->name, &package, &item, &err);

	if (!rc)
		rc = h248_package_property_check(item, H248_IN_TERMINATION_STATE, p->form,
		                                 &p->value, &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "TerminationState %.*s/%.*s",
		                     BASE_FMT(p->name.package), BASE_FMT(p->name.item));
	return state_kept_read(run, plan, package, item, p);
}

int mg_state_read(struct mg_run *run, struct mg_plan *plan, const struct h248_term_state *state)
{
	int rc = 0;

	if (state->buffer)
		plan->lock_step = state->buffer == H248_BUFFER_LOCK_STEP ? H248_ON : H248_OFF;
	if (state->service_state == H248_STATE_TEST)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "TerminationState ServiceStates: there is no test state");
	for (const struct h248_parm *p = state->parms; p && !rc; p = p->next) {
		if (named_before(state->parms, p))
			return mg_fail(run, H248_E_PROPERTY_TWICE,
			               "TerminationState %.*s/%.*s: appears twice",
			               BASE_FMT(p->name.package), BASE_FMT(p->name.item));
		rc = state_property_read(run, plan, p);
	}
	if (!rc)
		plan->service_state = state->service_state;
	return rc;
}
