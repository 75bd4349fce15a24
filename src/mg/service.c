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

static struct h248_transaction *request_make(struct base_arena *arena, uint32_t context,
                                             const char *term, enum h248_method method,
                                             unsigned reason)
{
	struct h248_transaction *t = h248_request_new(arena);
	struct h248_action *a = t ? h248_action_add(arena, t, context) : NULL;
	const char *name = base_arena_dup(arena, base_str_of(term));
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

static void request_send(struct mg *mg, struct mg_term *queue, uint32_t context, const char *term,
                         enum h248_method method, unsigned reason)
{
	struct mg_notice *n = mg_notice_new(mg, queue);

	if (n)
		n->request = request_make(&n->arena, context, term, method, reason);
	if (n && n->request) {
		mg_notice_send(mg, n);
		return;
	}
	mg_notice_free(n);
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg", "term=%s: no memory for a ServiceChange", term);
}

void mg_service_tell(struct mg *mg, struct mg_term *term, enum h248_method method, unsigned reason)
{
	request_send(mg, term, term->context ? term->context->id : H248_CONTEXT_NULL, term->name,
	             method, reason);
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

/* What has happened to the terminations of an address, in up to two steps. */
struct step {
	enum mg_service_event event;
	enum h248_method method;
	unsigned reason;
};

static size_t steps_of(uint8_t from, uint8_t to, struct step ret[2])
{
	size_t n = 0;

	if (to == MG_ADDRESS_FAILED) {
		ret[0] = (struct step){ MG_SERVICE_FORCED, H248_FORCED, H248_R_LOWER_LAYER };
		return 1;
	}
	if (from == MG_ADDRESS_FAILED)
		ret[n++] =
		        (struct step){ MG_SERVICE_RESTART, H248_RESTART, H248_R_SERVICE_RESTORED };
	else if (to == MG_ADDRESS_GOOD)
		ret[n++] =
		        (struct step){ MG_SERVICE_RESTART, H248_RESTART, H248_R_CANCEL_GRACEFUL };
	if (to == MG_ADDRESS_WITHDRAWN)
		ret[n++] =
		        (struct step){ MG_SERVICE_GRACEFUL, H248_GRACEFUL, H248_R_OUT_OF_SERVICE };
	return n;
}

/* Every termination that stands there. @return how many */
static size_t step_do(struct mg *mg, const struct sockaddr_storage *address,
                      const struct step *step, bool tell)
{
	size_t count = 0;

	for (struct base_node *n = mg->context_list.next; n != &mg->context_list; n = n->next) {
		struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

		for (struct mg_term *t = mg_context_term_first(c); t;
		     t = mg_context_term_next(c, t)) {
			if (!term_at(t, address))
				continue;
			count++;
			if (tell)
				mg_service_tell(mg, t, step->method, step->reason);
			else
				mg_service_fire(mg, t, step->event, 0);
		}
	}
	return count;
}

void mg_address_set(struct mg *mg, size_t index, enum mg_address_state state)
{
	static const char *const names[] = { "good", "withdrawn", "failed" };
	uint8_t from = mg->address_states[index];
	const struct sockaddr_storage *a = &mg->set.addresses[index];
	struct step steps[2];
	size_t count;

	if (from == state)
		return;
	base_log(BASE_LOG_INFO, "mg", "media address %zu of the list: %s", index, names[state]);
	mg->address_states[index] = (uint8_t)state;
	count = steps_of(from, (uint8_t)state, steps);
	for (size_t i = 0; i < count; i++) {
		/* When it is all of them, one command says so (7.2.8: wildcards are permitted). */
		if (step_do(mg, a, &steps[i], false) == mg->counts.terminations &&
		    mg->counts.terminations > 1)
			request_send(mg, &mg->root, H248_CONTEXT_ALL, "*", steps[i].method,
			             steps[i].reason);
		else
			(void)step_do(mg, a, &steps[i], true);
	}
}
