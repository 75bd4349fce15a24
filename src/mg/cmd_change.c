/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * ServiceChange from the controller (RFC 3525, 7.2.8): service states of terminations and of ROOT,
 * and the hand-off to another controller.
 */
#include "mg/audit.h"

/* Forced ends the bearers at once; the termination stays until the controller subtracts it. */
static void state_set(struct mg *mg, struct mg_term *term, uint8_t state, bool forced)
{
	term->service_state = state;
	mg_timer_stop(mg, &term->change);
	if (!forced || !term->media)
		return;
	for (const struct mg_stream *s = term->media->streams; s; s = s->next)
		if (s->leg && s->leg->state != MG_LEG_ENDED)
			(void)mg->bearer->endpoint_release(s->leg->endpoint, true);
}

static void on_change(void *arg)
{
	struct mg_term *term = arg;

	term->service_state = term->change_state;
}

static void change_later(struct mg *mg, struct mg_term *term, uint8_t state, uint32_t delay_s)
{
	term->change_state = state;
	mg_timer_start(mg, &term->change, (uint64_t)delay_s * 1000, on_change, term);
}

/* A Graceful without delay waits for the termination's end (7.2.8), which then is all. */
static void change_do(struct mg *mg, struct mg_term *term, const struct h248_services *s)
{
	uint32_t delay = s->has_delay ? s->delay : 0;

	if (s->method == H248_FORCED)
		state_set(mg, term, H248_STATE_OUT_OF_SERVICE, true);
	else if (s->method == H248_GRACEFUL && delay)
		change_later(mg, term, H248_STATE_OUT_OF_SERVICE, delay);
	else if (s->method == H248_RESTART && delay)
		change_later(mg, term, H248_STATE_IN_SERVICE, delay);
	else if (s->method == H248_RESTART)
		state_set(mg, term, H248_STATE_IN_SERVICE, false);
}

static int method_check(struct mg_run *run, const struct mg_term *term,
                        const struct h248_services *s)
{
	bool root = term == &run->mg->root;

	switch (s->method) {
	case H248_FORCED:
	case H248_GRACEFUL:
	case H248_RESTART:
		return 0;
	case H248_HAND_OFF:
		if (!root)
			return mg_fail(run, H248_E_VALUE, "Services Method: HandOff is for ROOT");
		if (!s->mgc_id)
			return mg_fail(run, H248_E_REQUIRED_MISSING,
			               "Services: HandOff without MgcIdToTry");
		return 0;
	case H248_METHOD_ABSENT:
		return mg_fail(run, H248_E_REQUIRED_MISSING, "Services: no Method");
	default:
		return mg_fail(run, H248_E_VALUE, "Services Method: not from a controller");
	}
}

static void root_change(struct mg *mg, const struct h248_services *s)
{
	struct base_node *head = &mg->context_list;

	mg->door_closed = s->method != H248_RESTART;
	if (s->method == H248_GRACEFUL)
		return;
	mg->root.service_state =
	        s->method == H248_FORCED ? H248_STATE_OUT_OF_SERVICE : H248_STATE_IN_SERVICE;
	if (s->method != H248_FORCED)
		return;
	/* 7.2.8: all connections are lost, all terminations count as subtracted. */
	BASE_LIST_EACH(head, n, after)
	{
		mg_context_free(mg, BASE_CONTAINER_OF(n, struct mg_context, node));
	}
	if (mg->ops.idle)
		mg->ops.idle(mg->ops.arg);
}

int mg_cmd_change(struct mg_run *run, struct mg_term *term)
{
	const struct h248_services *s = h248_command_services(run->command);
	struct mg *mg = run->mg;
	int rc;

	for (const struct h248_descriptor *d = run->command->descriptors; d; d = d->next)
		if (d->kind != H248_SERVICES)
			return mg_fail(run, H248_E_DESCRIPTOR_ILLEGAL,
			               "only a Services descriptor is legal in this command");
	if (!s)
		return mg_fail(run, H248_E_REQUIRED_MISSING, "no Services descriptor");
	rc = method_check(run, term, s);
	if (rc)
		return rc;
	if (!mg_run_reply(run, term->context ? term->context->id : H248_CONTEXT_NULL,
	                  base_str_of(term->name)))
		return mg_fail_memory(run);
	if (s->method == H248_HAND_OFF) {
		rc = mg->ops.handoff(mg->ops.arg, s->mgc_id);
		if (rc)
			return mg_fail(run, base_err_detail(rc),
			               "Services MgcIdToTry: needs to be an address or a domain "
			               "name");
	} else if (term == &mg->root) {
		root_change(mg, s);
	} else {
		change_do(mg, term, s);
	}
	return 0;
}
