/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/service.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "mg/bearer.h"
#include "mg/notify.h"

/* ---- the door ---- */

static int door_check(struct mg_run *run)
{
	struct mg *mg = run->mg;

	if (mg->door_closed || mg->root.service == MG_SERVICE_CLOSING)
		return mg_fail(run, H248_E_UNAVAILABLE, "the gateway is going out of service");
	if (mg->root.service != MG_SERVICE_IN)
		return mg_fail(run, H248_E_UNAVAILABLE, "the gateway is out of service");
	return 0;
}

int mg_admit_context(struct mg_run *run)
{
	int rc = door_check(run);

	if (rc)
		return rc;
	mg_load_look(run->mg);
	if (!run->mg->overloaded || mg_load_passes(run->mg, run->action->attr))
		return 0;
	mg_load_refused(run->mg);
	return mg_fail(run, H248_E_BUSY, "the gateway is overloaded");
}

/* A call that was let in is not cut in halves by an overload. */
int mg_admit_term(struct mg_run *run)
{
	return door_check(run);
}

int mg_service_check(struct mg_run *run, const struct mg_plan *plan)
{
	uint8_t state = plan->service_state ? plan->service_state : plan->term->service_state;
	bool begins = plan->media != NULL;

	for (size_t i = 0; i < plan->order_count; i++)
		begins |= !plan->order[i].release;
	if (!begins || state == H248_STATE_IN_SERVICE)
		return 0;
	return mg_fail(run, H248_E_NOT_READY, "it is out of service");
}

/* ---- the gateway tells ---- */

static struct h248_transaction *request_make(struct base_arena *arena, const struct mg_term *term,
                                             enum h248_method method, unsigned reason)
{
	struct h248_transaction *t = h248_request_new(arena);
	struct h248_action *a =
	        t ? h248_action_add(arena, t, term->context ? term->context->id : H248_CONTEXT_NULL)
	          : NULL;
	const char *name = base_arena_dup(arena, base_str_of(term->name));
	struct h248_command *c =
	        a && name ? h248_command_add(arena, a, H248_SERVICE_CHANGE, base_str_of(name))
	                  : NULL;
	struct h248_services *s = c ? h248_services_add(arena, c) : NULL;

	if (!s)
		return NULL;
	s->method = (uint8_t)method;
	s->has_reason = true;
	s->reason_code = (uint16_t)reason;
	s->reason = base_str_of(h248_reason_text(reason));
	return t;
}

void mg_service_tell(struct mg *mg, struct mg_term *term, enum h248_method method, unsigned reason)
{
	struct mg_notice *n = mg_notice_new(mg, term);

	if (n)
		n->request = request_make(&n->arena, term, method, reason);
	if (n && n->request) {
		mg_notice_send(mg, n);
		return;
	}
	mg_notice_free(n);
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg", "term=%s: no memory for a ServiceChange", term->name);
}

/* ---- local media addresses ---- */

bool mg_address_good(const struct mg *mg, size_t index)
{
	return mg->address_states[index] == MG_ADDRESS_GOOD;
}

static bool term_at(const struct mg_term *term, const struct sockaddr_storage *address)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		struct sockaddr_storage local;

		if (!s->leg)
			continue;
		mg_leg_local(s->leg, &local);
		if (mg_same_host(&local, address))
			return true;
	}
	return false;
}

static void term_address(struct mg *mg, struct mg_term *t, uint8_t from, uint8_t to)
{
	if (to == MG_ADDRESS_FAILED) {
		mg_service_fire(mg, t, MG_SERVICE_FORCED, 0);
		mg_service_tell(mg, t, H248_FORCED, H248_R_LOWER_LAYER);
		return;
	}
	if (from == MG_ADDRESS_FAILED) {
		mg_service_fire(mg, t, MG_SERVICE_RESTART, 0);
		mg_service_tell(mg, t, H248_RESTART, H248_R_SERVICE_RESTORED);
	} else if (to == MG_ADDRESS_GOOD) {
		mg_service_fire(mg, t, MG_SERVICE_RESTART, 0);
		mg_service_tell(mg, t, H248_RESTART, H248_R_CANCEL_GRACEFUL);
	}
	if (to == MG_ADDRESS_WITHDRAWN) {
		mg_service_fire(mg, t, MG_SERVICE_GRACEFUL, 0);
		mg_service_tell(mg, t, H248_GRACEFUL, H248_R_OUT_OF_SERVICE);
	}
}

void mg_address_set(struct mg *mg, size_t index, enum mg_address_state state)
{
	static const char *const names[] = { "good", "withdrawn", "failed" };
	uint8_t from = mg->address_states[index];
	const struct sockaddr_storage *a = &mg->set.addresses[index];

	if (from == state)
		return;
	base_log(BASE_LOG_INFO, "mg", "media address %zu of the list: %s", index, names[state]);
	mg->address_states[index] = (uint8_t)state;
	for (struct base_node *n = mg->context_list.next; n != &mg->context_list; n = n->next) {
		struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

		for (struct mg_term *t = mg_context_term_first(c); t;
		     t = mg_context_term_next(c, t))
			if (term_at(t, a))
				term_address(mg, t, from, (uint8_t)state);
	}
}
