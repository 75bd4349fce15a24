/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/build.h"

#include <stdio.h>
#include <time.h>

#include "h248/errors.h"

struct h248_name h248_name_of(const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash)
		return (struct h248_name){ 0 };
	return (struct h248_name){ { text, (size_t)(slash - text) }, base_str_of(slash + 1) };
}

struct h248_term h248_term_of(struct base_str name)
{
	struct h248_term term = { .name = name };

	if (base_str_eq(name, BASE_STR("*")))
		term.kind = H248_TERM_ALL;
	else if (base_str_eq(name, BASE_STR("$")))
		term.kind = H248_TERM_CHOOSE;
	else if (base_str_ieq(name, BASE_STR("ROOT")))
		term.kind = H248_TERM_ROOT;
	else if (name.len && (memchr(name.ptr, '*', name.len) || memchr(name.ptr, '$', name.len)))
		term.kind = H248_TERM_PARTIAL;
	return term;
}

bool h248_term_is_wild(const struct h248_term *term)
{
	return term->kind == H248_TERM_ALL || term->kind == H248_TERM_CHOOSE ||
	       term->kind == H248_TERM_PARTIAL;
}

/* On a mismatch go back to the last `*` only: earlier ones cannot help. */
bool h248_term_match(struct base_str pattern, struct base_str name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;

	while (n < name.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = n;
		} else if (p < pattern.len && base_lower((uint8_t)pattern.ptr[p]) ==
		                                      base_lower((uint8_t)name.ptr[n])) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

/* ---- messages ---------------------------------------------------------------------------- */

struct h248_message *h248_message_new(struct base_arena *arena, unsigned version,
                                      const struct h248_mid *mid)
{
	struct h248_message *msg = BASE_NEW(arena, struct h248_message);

	if (msg) {
		msg->version = (uint8_t)version;
		msg->mid = *mid;
	}
	return msg;
}

void h248_transaction_append(struct h248_message *msg, struct h248_transaction *txn)
{
	if (!msg || !txn)
		return;
	txn->next = NULL;
	if (msg->last)
		msg->last->next = txn;
	else
		msg->transactions = txn;
	msg->last = txn;
}

struct h248_transaction *h248_transaction_add(struct base_arena *arena, struct h248_message *msg,
                                              enum h248_transaction_kind kind, uint32_t id)
{
	struct h248_transaction *txn = msg ? BASE_NEW(arena, struct h248_transaction) : NULL;

	if (!txn)
		return NULL;
	txn->kind = (uint8_t)kind;
	txn->id = id;
	h248_transaction_append(msg, txn);
	return txn;
}

struct h248_transaction *h248_reply_new(struct base_arena *arena, uint32_t id)
{
	struct h248_transaction *txn = BASE_NEW(arena, struct h248_transaction);

	if (txn) {
		txn->kind = H248_REPLY;
		txn->id = id;
	}
	return txn;
}

struct h248_ack *h248_ack_add(struct base_arena *arena, struct h248_transaction *txn,
                              uint32_t first, uint32_t last)
{
	struct h248_ack *ack = txn ? BASE_NEW(arena, struct h248_ack) : NULL, **tail;

	if (!ack)
		return NULL;
	ack->first = first;
	ack->last = last;
	for (tail = &txn->acks; *tail; tail = &(*tail)->next)
		;
	*tail = ack;
	return ack;
}

struct h248_action *h248_action_add(struct base_arena *arena, struct h248_transaction *txn,
                                    uint32_t context)
{
	struct h248_action *action = txn ? BASE_NEW(arena, struct h248_action) : NULL;

	if (!action)
		return NULL;
	action->context = context;
	action->has_context = true;
	if (txn->last_action)
		txn->last_action->next = action;
	else
		txn->actions = action;
	txn->last_action = action;
	return action;
}

struct h248_command *h248_command_add(struct base_arena *arena, struct h248_action *action,
                                      enum h248_command_kind kind, struct base_str term)
{
	struct h248_command *command = action ? BASE_NEW(arena, struct h248_command) : NULL;

	if (!command)
		return NULL;
	command->kind = (uint8_t)kind;
	command->term = h248_term_of(term);
	if (action->last_command)
		action->last_command->next = command;
	else
		action->commands = command;
	action->last_command = command;
	return command;
}

struct h248_term *h248_command_term_add(struct base_arena *arena, struct h248_command *command,
                                        struct base_str name)
{
	struct h248_term *term = command ? BASE_NEW(arena, struct h248_term) : NULL, *last;

	if (!term)
		return NULL;
	*term = h248_term_of(name);
	for (last = &command->term; last->next; last = last->next)
		;
	last->next = term;
	return term;
}

struct h248_context_attr *h248_action_attr(struct base_arena *arena, struct h248_action *action)
{
	if (!action)
		return NULL;
	if (!action->attr)
		action->attr = BASE_NEW(arena, struct h248_context_attr);
	return action->attr;
}

/* ---- descriptors ------------------------------------------------------------------------- */

void h248_descriptor_append(struct h248_command *command, struct h248_descriptor *d)
{
	if (!command || !d)
		return;
	d->next = NULL;
	if (command->last)
		command->last->next = d;
	else
		command->descriptors = d;
	command->last = d;
}

struct h248_descriptor *h248_command_find(const struct h248_command *command,
                                          enum h248_descriptor_kind kind)
{
	struct h248_descriptor *d = command ? command->descriptors : NULL;

	while (d && d->kind != kind)
		d = d->next;
	return d;
}

/* All descriptors begin with their head. */
static void *descriptor(struct base_arena *arena, struct h248_command *command,
                        enum h248_descriptor_kind kind, size_t size)
{
	struct h248_descriptor *d = base_arena_alloc(arena, size);

	if (d) {
		d->kind = (uint8_t)kind;
		h248_descriptor_append(command, d);
	}
	return d;
}

struct h248_media *h248_media_add(struct base_arena *arena, struct h248_command *command)
{
	return descriptor(arena, command, H248_MEDIA, sizeof(struct h248_media));
}

struct h248_events *h248_events_add(struct base_arena *arena, struct h248_command *command,
                                    uint32_t request_id)
{
	struct h248_events *events =
	        descriptor(arena, command, H248_EVENTS, sizeof(struct h248_events));

	if (events) {
		events->has_request_id = true;
		events->request_id = request_id;
	}
	return events;
}

struct h248_signals *h248_signals_add(struct base_arena *arena, struct h248_command *command)
{
	return descriptor(arena, command, H248_SIGNALS, sizeof(struct h248_signals));
}

struct h248_statistics *h248_statistics_add(struct base_arena *arena, struct h248_command *command)
{
	return descriptor(arena, command, H248_STATISTICS, sizeof(struct h248_statistics));
}

struct h248_audit *h248_audit_add(struct base_arena *arena, struct h248_command *command,
                                  unsigned items)
{
	struct h248_audit *audit =
	        descriptor(arena, command, H248_AUDIT, sizeof(struct h248_audit));

	if (audit)
		audit->items = (uint16_t)items;
	return audit;
}

struct h248_packages *h248_packages_add(struct base_arena *arena, struct h248_command *command)
{
	return descriptor(arena, command, H248_PACKAGES, sizeof(struct h248_packages));
}

struct h248_observed_events *h248_observed_add(struct base_arena *arena,
                                               struct h248_command *command, uint32_t request_id)
{
	struct h248_observed_events *oe = descriptor(arena, command, H248_OBSERVED_EVENTS,
	                                             sizeof(struct h248_observed_events));

	if (oe)
		oe->request_id = request_id;
	return oe;
}

struct h248_services *h248_services_add(struct base_arena *arena, struct h248_command *command)
{
	return descriptor(arena, command, H248_SERVICES, sizeof(struct h248_services));
}

struct h248_descriptor *h248_item_add(struct base_arena *arena, struct h248_command *command,
                                      enum h248_descriptor_kind item)
{
	struct h248_descriptor *d =
	        descriptor(arena, command, H248_ITEM, sizeof(struct h248_descriptor));

	if (d)
		d->item = (uint8_t)item;
	return d;
}

struct h248_error *h248_error_new(struct base_arena *arena, unsigned code, const char *text)
{
	return h248_error_add(arena, NULL, code, text);
}

struct h248_error *h248_error_add(struct base_arena *arena, struct h248_command *command,
                                  unsigned code, const char *text)
{
	struct h248_error *error;
	char *copy = NULL;
	size_t len = 0;

	if (!text)
		text = h248_error_text(code);
	if (text) {
		copy = base_arena_alloc(arena, strlen(text) + 1);
		if (!copy)
			return NULL;
		for (; *text; text++) {
			char c = *text;

			/* what no version's quotedString holds becomes something it does */
			copy[len++] = (char)(c == '"'                                   ? '\''
			                     : ((uint8_t)c < 0x20 || (uint8_t)c > 0x7e) ? '?'
			                                                                : c);
		}
	}
	error = descriptor(arena, command, H248_ERROR, sizeof(struct h248_error));
	if (!error)
		return NULL;
	error->code = (uint16_t)code;
	error->has_text = copy != NULL;
	error->text = (struct base_str){ copy, len };
	return error;
}

struct h248_stream *h248_stream_add(struct base_arena *arena, struct h248_media *media, uint16_t id)
{
	struct h248_stream *stream = media ? BASE_NEW(arena, struct h248_stream) : NULL, **tail;

	if (!stream)
		return NULL;
	stream->id = id;
	for (tail = &media->streams; *tail; tail = &(*tail)->next)
		;
	*tail = stream;
	return stream;
}

struct h248_stream *h248_media_stream(const struct h248_media *media, uint16_t id)
{
	struct h248_stream *stream = media ? media->streams : NULL;

	while (stream && stream->id != id)
		stream = stream->next;
	return stream;
}

struct h248_event *h248_event_add(struct base_arena *arena, struct h248_events *events,
                                  struct h248_name name)
{
	struct h248_event *event = events ? BASE_NEW(arena, struct h248_event) : NULL, **tail;

	if (!event)
		return NULL;
	event->name = name;
	for (tail = &events->events; *tail; tail = &(*tail)->next)
		;
	*tail = event;
	return event;
}

struct h248_observed_event *h248_observed_event_add(struct base_arena *arena,
                                                    struct h248_observed_events *observed,
                                                    struct h248_name name)
{
	struct h248_observed_event *event =
	        observed ? BASE_NEW(arena, struct h248_observed_event) : NULL;
	struct h248_observed_event **tail;

	if (!event)
		return NULL;
	event->name = name;
	for (tail = &observed->events; *tail; tail = &(*tail)->next)
		;
	*tail = event;
	return event;
}

struct h248_packages_item *h248_packages_item_add(struct base_arena *arena,
                                                  struct h248_packages *packages,
                                                  struct base_str name, unsigned version)
{
	struct h248_packages_item *item =
	        packages ? BASE_NEW(arena, struct h248_packages_item) : NULL;
	struct h248_packages_item **tail;

	if (!item)
		return NULL;
	item->name = name;
	item->version = (uint16_t)version;
	for (tail = &packages->items; *tail; tail = &(*tail)->next)
		;
	*tail = item;
	return item;
}

/* ---- parameters -------------------------------------------------------------------------- */

struct h248_parm *h248_parm_add(struct base_arena *arena, struct h248_parm **list,
                                struct h248_name name)
{
	struct h248_parm *parm = BASE_NEW(arena, struct h248_parm);

	if (!parm)
		return NULL;
	parm->name = name;
	while (*list)
		list = &(*list)->next;
	*list = parm;
	return parm;
}

struct h248_parm *h248_parm_set(struct base_arena *arena, struct h248_parm **list,
                                struct h248_name name, struct base_str value, bool quoted)
{
	struct h248_parm *parm = h248_parm_add(arena, list, name);

	if (!parm)
		return NULL;
	parm->form = H248_FORM_EQUAL;
	parm->value.text = value;
	parm->value.quoted = quoted;
	return parm;
}

struct h248_parm *h248_parm_set_u64(struct base_arena *arena, struct h248_parm **list,
                                    struct h248_name name, uint64_t value)
{
	char *text = base_arena_printf(arena, "%llu", (unsigned long long)value);

	return text ? h248_parm_set(arena, list, name, base_str_of(text), false) : NULL;
}

struct h248_value *h248_value_add(struct base_arena *arena, struct h248_parm *parm,
                                  struct base_str text, bool quoted)
{
	struct h248_value *value = parm ? BASE_NEW(arena, struct h248_value) : NULL, *last;

	if (!value)
		return NULL;
	value->text = text;
	value->quoted = quoted;
	for (last = &parm->value; last->next; last = last->next)
		;
	last->next = value;
	return value;
}

const struct h248_parm *h248_parm_find(const struct h248_parm *list, const char *package,
                                       const char *item)
{
	struct h248_name name = { base_str_of(package), base_str_of(item) };

	while (list && !h248_name_equal(list->name, name))
		list = list->next;
	return list;
}

bool h248_parm_text(const struct h248_parm *parm, struct base_str *ret)
{
	if (!parm || parm->form != H248_FORM_EQUAL)
		return false;
	*ret = parm->value.text;
	return true;
}

struct h248_time h248_time_of(int64_t unix_seconds, unsigned centi)
{
	struct h248_time time = { { 0 } };
	time_t t = (time_t)unix_seconds;
	struct tm tm;
	char text[64];

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		return time;
	(void)snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02d%02u", tm.tm_year + 1900,
	               tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, centi % 100);
	memcpy(time.digits, text, sizeof(time.digits));
	return time;
}
