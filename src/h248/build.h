/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Building and reading models without looking at their lists. Builders take an arena, return NULL
 * when it says no, and take NULL where a former builder would have put its result, so that a chain
 * needs one check at its end. Strings are borrowed, never copied, unless said otherwise.
 */
#ifndef GH_H248_BUILD_H
#define GH_H248_BUILD_H

#include "h248/message.h"

/* ---- names ------------------------------------------------------------------------------- */

/** `package/item` from text; both parts empty when there is no slash. Pure. */
struct h248_name h248_name_of(const char *text);
/** A TerminationID with its kind worked out from the text. Pure. */
struct h248_term h248_term_of(struct base_str name);
/** Anything but one plain name (CHOOSE, ALL, partial wildcard). Pure. */
bool h248_term_is_wild(const struct h248_term *term);
/**
 * Does the pattern (may hold `*`) match the name, without case? `*` matches any run of characters
 * (RFC 3525, B.1). `$` is an ordinary character here. Linear memory, no recursion. Pure.
 */
bool h248_term_match(struct base_str pattern, struct base_str name);
/** mId of an address as given in configuration, in the text form of the protocol (`[..]:port`,
 * `<..>`, device name, `MTP{..}`). @return 0, or BASE_PEER 400. */
int h248_mid_parse(struct base_str text, struct h248_mid *ret);

/* ---- messages ---------------------------------------------------------------------------- */

struct h248_message *h248_message_new(struct base_arena *arena, unsigned version,
                                      const struct h248_mid *mid);
/** Append an empty transaction of that kind. */
struct h248_transaction *h248_transaction_add(struct base_arena *arena, struct h248_message *msg,
                                              enum h248_transaction_kind kind, uint32_t id);
/** A transaction that is in no message yet; append it with h248_transaction_append. */
struct h248_transaction *h248_reply_new(struct base_arena *arena, uint32_t id);
void h248_transaction_append(struct h248_message *msg, struct h248_transaction *txn);
struct h248_ack *h248_ack_add(struct base_arena *arena, struct h248_transaction *txn,
                              uint32_t first, uint32_t last);
struct h248_action *h248_action_add(struct base_arena *arena, struct h248_transaction *txn,
                                    uint32_t context);
struct h248_command *h248_command_add(struct base_arena *arena, struct h248_action *action,
                                      enum h248_command_kind kind, struct base_str term);
/** Append one more TerminationID to the command's list (v3). */
struct h248_term *h248_command_term_add(struct base_arena *arena, struct h248_command *command,
                                        struct base_str term);
/** The context attributes of an action, made when it has none yet. */
struct h248_context_attr *h248_action_attr(struct base_arena *arena, struct h248_action *action);

/* ---- descriptors ------------------------------------------------------------------------- */

/** Append any descriptor. NULL descriptor: nothing. */
void h248_descriptor_append(struct h248_command *command, struct h248_descriptor *d);
/** The first descriptor of that kind, or NULL. */
struct h248_descriptor *h248_command_find(const struct h248_command *command,
                                          enum h248_descriptor_kind kind);
static inline struct h248_media *h248_command_media(const struct h248_command *command)
{
	return (struct h248_media *)h248_command_find(command, H248_MEDIA);
}
static inline struct h248_events *h248_command_events(const struct h248_command *command)
{
	return (struct h248_events *)h248_command_find(command, H248_EVENTS);
}
static inline struct h248_signals *h248_command_signals(const struct h248_command *command)
{
	return (struct h248_signals *)h248_command_find(command, H248_SIGNALS);
}
static inline struct h248_audit *h248_command_audit(const struct h248_command *command)
{
	return (struct h248_audit *)h248_command_find(command, H248_AUDIT);
}
static inline struct h248_statistics *h248_command_statistics(const struct h248_command *command)
{
	return (struct h248_statistics *)h248_command_find(command, H248_STATISTICS);
}
static inline struct h248_observed_events *h248_command_observed(const struct h248_command *command)
{
	return (struct h248_observed_events *)h248_command_find(command, H248_OBSERVED_EVENTS);
}
static inline struct h248_services *h248_command_services(const struct h248_command *command)
{
	return (struct h248_services *)h248_command_find(command, H248_SERVICES);
}
static inline struct h248_error *h248_command_error(const struct h248_command *command)
{
	return (struct h248_error *)h248_command_find(command, H248_ERROR);
}

/** New empty descriptors, appended to `command` unless it is NULL. */
struct h248_media *h248_media_add(struct base_arena *arena, struct h248_command *command);
struct h248_events *h248_events_add(struct base_arena *arena, struct h248_command *command,
                                    uint32_t request_id);
struct h248_signals *h248_signals_add(struct base_arena *arena, struct h248_command *command);
struct h248_statistics *h248_statistics_add(struct base_arena *arena, struct h248_command *command);
struct h248_audit *h248_audit_add(struct base_arena *arena, struct h248_command *command,
                                  unsigned items);
struct h248_packages *h248_packages_add(struct base_arena *arena, struct h248_command *command);
struct h248_observed_events *h248_observed_add(struct base_arena *arena,
                                               struct h248_command *command, uint32_t request_id);
struct h248_services *h248_services_add(struct base_arena *arena, struct h248_command *command);
/** A bare token of an audit reply: that descriptor is empty. */
struct h248_descriptor *h248_item_add(struct base_arena *arena, struct h248_command *command,
                                      enum h248_descriptor_kind item);
/**
 * An error descriptor. `text` is copied without what a quoted string cannot hold (double quotes,
 * control characters); NULL takes the registered text of the code.
 */
struct h248_error *h248_error_new(struct base_arena *arena, unsigned code, const char *text);
/** The same, appended to `command`. */
struct h248_error *h248_error_add(struct base_arena *arena, struct h248_command *command,
                                  unsigned code, const char *text);

struct h248_stream *h248_stream_add(struct base_arena *arena, struct h248_media *media,
                                    uint16_t id);
/** The stream with that id; an implied one has id 1. NULL media: NULL. */
struct h248_stream *h248_media_stream(const struct h248_media *media, uint16_t id);
struct h248_event *h248_event_add(struct base_arena *arena, struct h248_events *events,
                                  struct h248_name name);
struct h248_observed_event *h248_observed_event_add(struct base_arena *arena,
                                                    struct h248_observed_events *observed,
                                                    struct h248_name name);
struct h248_packages_item *h248_packages_item_add(struct base_arena *arena,
                                                  struct h248_packages *packages,
                                                  struct base_str name, unsigned version);

/** Append `name` with no value (form NONE) to a list of parameters, to be completed. */
struct h248_parm *h248_parm_add(struct base_arena *arena, struct h248_parm **list,
                                struct h248_name name);
/** Append `name=value`; `quoted` for String and Character types (trap 7.5). */
struct h248_parm *h248_parm_set(struct base_arena *arena, struct h248_parm **list,
                                struct h248_name name, struct base_str value, bool quoted);
/** As h248_parm_set for an unsigned decimal number. */
struct h248_parm *h248_parm_set_u64(struct base_arena *arena, struct h248_parm **list,
                                    struct h248_name name, uint64_t value);
/** Append one more value to a parameter that has one; the caller sets its form. */
struct h248_value *h248_value_add(struct base_arena *arena, struct h248_parm *parm,
                                  struct base_str text, bool quoted);
/** The first parameter of that package and item (package "" for event and signal parameters). */
const struct h248_parm *h248_parm_find(const struct h248_parm *list, const char *package,
                                       const char *item);
/** The single value of a parameter of form EQUAL; false when there is none such. */
bool h248_parm_text(const struct h248_parm *parm, struct base_str *ret);

/** Fill a TimeStamp from a wall clock in UTC. `centi` is 0..99. */
struct h248_time h248_time_of(int64_t unix_seconds, unsigned centi);

#endif
