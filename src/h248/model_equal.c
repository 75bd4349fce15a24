/* SPDX-License-Identifier: Apache-2.0 */
/* Deep comparison of models. Lists are compared in order; recursion is as deep as Embed goes. */
#include "h248/message.h"

/* Walk two lists with one test for their items. */
#define LISTS_EQUAL(type, a, b, same)                                                              \
	do {                                                                                       \
		const type *x = (a), *y = (b);                                                     \
                                                                                                   \
		for (; x && y; x = x->next, y = y->next) {                                         \
			if (!same(x, y))                                                           \
				return false;                                                      \
		}                                                                                  \
		return !x && !y;                                                                   \
	} while (0)

#define BOTH(a, b, same) (!(a) == !(b) && (!(a) || same((a), (b))))

bool h248_name_equal(struct h248_name a, struct h248_name b)
{
	return base_str_ieq(a.package, b.package) && base_str_ieq(a.item, b.item);
}

static bool value_equal(const struct h248_value *a, const struct h248_value *b)
{
	return a->quoted == b->quoted &&
	       (a->quoted ? base_str_eq(a->text, b->text) : base_str_ieq(a->text, b->text));
}

static bool values_equal(const struct h248_value *a, const struct h248_value *b)
{
	LISTS_EQUAL(struct h248_value, a, b, value_equal);
}

static bool parm_equal(const struct h248_parm *a, const struct h248_parm *b)
{
	return a->form == b->form && h248_name_equal(a->name, b->name) &&
	       (a->form == H248_FORM_NONE || values_equal(&a->value, &b->value));
}

static bool parms_equal(const struct h248_parm *a, const struct h248_parm *b)
{
	LISTS_EQUAL(struct h248_parm, a, b, parm_equal);
}

static bool term_equal(const struct h248_term *a, const struct h248_term *b)
{
	return a->kind == b->kind && base_str_ieq(a->name, b->name);
}

static bool terms_equal(const struct h248_term *a, const struct h248_term *b)
{
	LISTS_EQUAL(struct h248_term, a, b, term_equal);
}

static bool time_equal(const struct h248_time *a, const struct h248_time *b)
{
	return memcmp(a->digits, b->digits, sizeof(a->digits)) == 0;
}

bool h248_mid_equal(const struct h248_mid *a, const struct h248_mid *b)
{
	return a->kind == b->kind && a->has_port == b->has_port &&
	       (!a->has_port || a->port == b->port) && base_str_ieq(a->name, b->name) &&
	       a->address_len == b->address_len &&
	       memcmp(a->address, b->address, BASE_MIN(a->address_len, sizeof(a->address))) == 0;
}

/* A keyword's relation: builders leave it at zero, which means `=`. */
static bool relation_equal(uint8_t a, uint8_t b)
{
	return (a ? a : H248_FORM_EQUAL) == (b ? b : H248_FORM_EQUAL);
}

static bool control_equal(const struct h248_local_control *a, const struct h248_local_control *b)
{
	return a->mode == b->mode && (!a->mode || relation_equal(a->mode_form, b->mode_form)) &&
	       a->reserved_value == b->reserved_value && a->reserved_group == b->reserved_group &&
	       a->asked == b->asked && parms_equal(a->parms, b->parms);
}

static bool state_equal(const struct h248_term_state *a, const struct h248_term_state *b)
{
	return a->service_state == b->service_state &&
	       (!a->service_state || relation_equal(a->state_form, b->state_form)) &&
	       a->buffer == b->buffer && a->asked == b->asked && parms_equal(a->parms, b->parms);
}

static bool statistics_equal(const struct h248_statistics *a, const struct h248_statistics *b)
{
	return parms_equal(a->parms, b->parms);
}

static bool stream_equal(const struct h248_stream *a, const struct h248_stream *b)
{
	return a->id == b->id && a->implied == b->implied && a->has_local == b->has_local &&
	       a->has_remote == b->has_remote && base_str_eq(a->local, b->local) &&
	       base_str_eq(a->remote, b->remote) && BOTH(a->control, b->control, control_equal) &&
	       BOTH(a->statistics, b->statistics, statistics_equal);
}

static bool streams_equal(const struct h248_stream *a, const struct h248_stream *b)
{
	LISTS_EQUAL(struct h248_stream, a, b, stream_equal);
}

static bool media_equal(const struct h248_media *a, const struct h248_media *b)
{
	return BOTH(a->state, b->state, state_equal) && streams_equal(a->streams, b->streams);
}

static bool modem_equal(const struct h248_modem *a, const struct h248_modem *b)
{
	return a->types == b->types && a->list == b->list &&
	       values_equal(a->extensions, b->extensions) && parms_equal(a->parms, b->parms);
}

static bool mux_equal(const struct h248_mux *a, const struct h248_mux *b)
{
	return a->type == b->type && base_str_ieq(a->extension, b->extension) &&
	       terms_equal(a->terms, b->terms);
}

static bool timer_equal(bool has_a, uint8_t a, bool has_b, uint8_t b)
{
	return has_a == has_b && (!has_a || a == b);
}

static bool digit_map_equal(const struct h248_digit_map *a, const struct h248_digit_map *b)
{
	return base_str_ieq(a->name, b->name) && base_str_ieq(a->body, b->body) &&
	       timer_equal(a->has_t, a->t, b->has_t, b->t) &&
	       timer_equal(a->has_s, a->s, b->has_s, b->s) &&
	       timer_equal(a->has_l, a->l, b->has_l, b->l) &&
	       timer_equal(a->has_z, a->z, b->has_z, b->z);
}

static bool signal_equal(const struct h248_signal *a, const struct h248_signal *b);

static bool signals_list_equal(const struct h248_signal *a, const struct h248_signal *b)
{
	LISTS_EQUAL(struct h248_signal, a, b, signal_equal);
}

static bool signal_equal(const struct h248_signal *a, const struct h248_signal *b)
{
	if (a->is_list != b->is_list)
		return false;
	if (a->is_list)
		return a->list_id == b->list_id && signals_list_equal(a->list, b->list);
	return h248_name_equal(a->name, b->name) && a->has_stream == b->has_stream &&
	       a->stream == b->stream && a->type == b->type && a->has_duration == b->has_duration &&
	       a->duration == b->duration && a->has_completion == b->has_completion &&
	       a->completion == b->completion && a->keep_active == b->keep_active &&
	       a->direction == b->direction && a->has_request_id == b->has_request_id &&
	       a->request_id == b->request_id && a->has_intersignal == b->has_intersignal &&
	       a->intersignal == b->intersignal && parms_equal(a->parms, b->parms);
}

static bool signals_equal(const struct h248_signals *a, const struct h248_signals *b)
{
	return signals_list_equal(a->signals, b->signals);
}

static bool events_equal(const struct h248_events *a, const struct h248_events *b);

static bool embed_equal(const struct h248_embed *a, const struct h248_embed *b)
{
	return BOTH(a->signals, b->signals, signals_equal) &&
	       BOTH(a->events, b->events, events_equal);
}

static bool event_equal(const struct h248_event *a, const struct h248_event *b)
{
	return h248_name_equal(a->name, b->name) && a->has_stream == b->has_stream &&
	       a->stream == b->stream && a->keep_active == b->keep_active &&
	       a->notify == b->notify && a->reset_events == b->reset_events &&
	       BOTH(a->digit_map, b->digit_map, digit_map_equal) &&
	       BOTH(a->embed, b->embed, embed_equal) &&
	       BOTH(a->regulated, b->regulated, embed_equal) && parms_equal(a->parms, b->parms);
}

static bool event_list_equal(const struct h248_event *a, const struct h248_event *b)
{
	LISTS_EQUAL(struct h248_event, a, b, event_equal);
}

static bool events_equal(const struct h248_events *a, const struct h248_events *b)
{
	return a->has_request_id == b->has_request_id &&
	       (!a->has_request_id || a->request_id == b->request_id) &&
	       event_list_equal(a->events, b->events);
}

static bool observed_equal(const struct h248_observed_event *a, const struct h248_observed_event *b)
{
	return h248_name_equal(a->name, b->name) && time_equal(&a->time, &b->time) &&
	       a->has_stream == b->has_stream && a->stream == b->stream &&
	       parms_equal(a->parms, b->parms);
}

static bool observed_list_equal(const struct h248_observed_event *a,
                                const struct h248_observed_event *b)
{
	LISTS_EQUAL(struct h248_observed_event, a, b, observed_equal);
}

static bool package_equal(const struct h248_packages_item *a, const struct h248_packages_item *b)
{
	return a->version == b->version && base_str_ieq(a->name, b->name);
}

static bool packages_equal(const struct h248_packages_item *a, const struct h248_packages_item *b)
{
	LISTS_EQUAL(struct h248_packages_item, a, b, package_equal);
}

static bool descriptors_equal(const struct h248_descriptor *a, const struct h248_descriptor *b)
{
	LISTS_EQUAL(struct h248_descriptor, a, b, h248_descriptor_equal);
}

static bool audit_equal(const struct h248_audit *a, const struct h248_audit *b)
{
	return a->items == b->items && descriptors_equal(a->individual, b->individual);
}

static bool error_equal(const struct h248_error *a, const struct h248_error *b)
{
	return a->code == b->code && a->has_text == b->has_text && base_str_eq(a->text, b->text);
}

static bool services_equal(const struct h248_services *a, const struct h248_services *b)
{
	return a->method == b->method && base_str_ieq(a->method_extension, b->method_extension) &&
	       a->has_reason == b->has_reason && base_str_eq(a->reason, b->reason) &&
	       a->has_delay == b->has_delay && a->delay == b->delay &&
	       a->has_version == b->has_version && a->version == b->version &&
	       a->has_profile == b->has_profile && base_str_ieq(a->profile, b->profile) &&
	       a->profile_version == b->profile_version && a->incomplete == b->incomplete &&
	       BOTH(a->address, b->address, h248_mid_equal) &&
	       BOTH(a->mgc_id, b->mgc_id, h248_mid_equal) && time_equal(&a->time, &b->time) &&
	       parms_equal(a->parms, b->parms) && BOTH(a->info, b->info, audit_equal);
}

bool h248_descriptor_equal(const struct h248_descriptor *a, const struct h248_descriptor *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case H248_MEDIA:
		return media_equal((const void *)a, (const void *)b);
	case H248_MODEM:
		return modem_equal((const void *)a, (const void *)b);
	case H248_MUX:
		return mux_equal((const void *)a, (const void *)b);
	case H248_EVENTS:
		return events_equal((const void *)a, (const void *)b);
	case H248_SIGNALS:
		return signals_equal((const void *)a, (const void *)b);
	case H248_DIGIT_MAP:
		return digit_map_equal((const void *)a, (const void *)b);
	case H248_STATISTICS:
		return statistics_equal((const void *)a, (const void *)b);
	case H248_OBSERVED_EVENTS: {
		const struct h248_observed_events *x = (const void *)a, *y = (const void *)b;

		return x->request_id == y->request_id && observed_list_equal(x->events, y->events);
	}
	case H248_PACKAGES:
		return packages_equal(((const struct h248_packages *)a)->items,
		                      ((const struct h248_packages *)b)->items);
	case H248_EVENT_BUFFER:
		return event_list_equal(((const struct h248_event_buffer *)a)->events,
		                        ((const struct h248_event_buffer *)b)->events);
	case H248_AUDIT:
		return audit_equal((const void *)a, (const void *)b);
	case H248_ERROR:
		return error_equal((const void *)a, (const void *)b);
	case H248_SERVICES:
		return services_equal((const void *)a, (const void *)b);
	default:
		return a->item == b->item;
	}
}

bool h248_command_equal(const struct h248_command *a, const struct h248_command *b)
{
	return a->kind == b->kind && a->optional == b->optional &&
	       a->wildcarded_response == b->wildcarded_response &&
	       a->context_audit == b->context_audit && terms_equal(&a->term, &b->term) &&
	       descriptors_equal(a->descriptors, b->descriptors);
}

static bool commands_equal(const struct h248_command *a, const struct h248_command *b)
{
	LISTS_EQUAL(struct h248_command, a, b, h248_command_equal);
}

static bool topology_equal(const struct h248_topology *a, const struct h248_topology *b)
{
	return term_equal(&a->from, &b->from) && term_equal(&a->to, &b->to) &&
	       a->direction == b->direction && a->has_stream == b->has_stream &&
	       a->stream == b->stream;
}

static bool topologies_equal(const struct h248_topology *a, const struct h248_topology *b)
{
	LISTS_EQUAL(struct h248_topology, a, b, topology_equal);
}

static bool context_id_equal(const struct h248_context_id *a, const struct h248_context_id *b)
{
	return a->id == b->id;
}

static bool context_ids_equal(const struct h248_context_id *a, const struct h248_context_id *b)
{
	LISTS_EQUAL(struct h248_context_id, a, b, context_id_equal);
}

static bool attr_equal(const struct h248_context_attr *a, const struct h248_context_attr *b)
{
	return a->has_priority == b->has_priority && a->priority == b->priority &&
	       a->emergency == b->emergency && a->ieps == b->ieps &&
	       topologies_equal(a->topology, b->topology) && parms_equal(a->parms, b->parms) &&
	       context_ids_equal(a->list, b->list);
}

/* Audited names and selections are written in two places, so their order is not compared. */
static bool parm_sets_equal(const struct h248_parm *a, const struct h248_parm *b)
{
	size_t in_a = 0, in_b = 0;

	for (const struct h248_parm *y = b; y; y = y->next)
		in_b++;
	for (; a; a = a->next, in_a++) {
		const struct h248_parm *y = b;

		while (y && !parm_equal(a, y))
			y = y->next;
		if (!y)
			return false;
	}
	return in_a == in_b;
}

static bool context_audit_equal(const struct h248_context_audit *a,
                                const struct h248_context_audit *b)
{
	return a->items == b->items && a->has_select_priority == b->has_select_priority &&
	       a->select_priority == b->select_priority &&
	       a->select_emergency == b->select_emergency && a->select_ieps == b->select_ieps &&
	       a->logic_or == b->logic_or && parm_sets_equal(a->parms, b->parms) &&
	       context_ids_equal(a->list, b->list);
}

static bool action_equal(const struct h248_action *a, const struct h248_action *b)
{
	return a->context == b->context && BOTH(a->attr, b->attr, attr_equal) &&
	       BOTH(a->audit, b->audit, context_audit_equal) &&
	       BOTH(a->error, b->error, error_equal) && commands_equal(a->commands, b->commands);
}

static bool actions_equal(const struct h248_action *a, const struct h248_action *b)
{
	LISTS_EQUAL(struct h248_action, a, b, action_equal);
}

static bool ack_equal(const struct h248_ack *a, const struct h248_ack *b)
{
	return a->first == b->first && a->last == b->last;
}

static bool acks_equal(const struct h248_ack *a, const struct h248_ack *b)
{
	LISTS_EQUAL(struct h248_ack, a, b, ack_equal);
}

bool h248_transaction_equal(const struct h248_transaction *a, const struct h248_transaction *b)
{
	return a->kind == b->kind && a->id == b->id && a->has_segment == b->has_segment &&
	       a->segment == b->segment && a->segment_end == b->segment_end &&
	       a->ack_required == b->ack_required && acks_equal(a->acks, b->acks) &&
	       BOTH(a->error, b->error, error_equal) && actions_equal(a->actions, b->actions);
}

static bool transactions_equal(const struct h248_transaction *a, const struct h248_transaction *b)
{
	LISTS_EQUAL(struct h248_transaction, a, b, h248_transaction_equal);
}

static bool auth_equal(const struct h248_auth *a, const struct h248_auth *b)
{
	return a->spi == b->spi && a->sequence == b->sequence && a->data_len == b->data_len &&
	       memcmp(a->data, b->data, BASE_MIN(a->data_len, sizeof(a->data))) == 0;
}

bool h248_message_equal(const struct h248_message *a, const struct h248_message *b)
{
	return a->version == b->version && h248_mid_equal(&a->mid, &b->mid) &&
	       BOTH(a->auth, b->auth, auth_equal) && BOTH(a->error, b->error, error_equal) &&
	       transactions_equal(a->transactions, b->transactions);
}
