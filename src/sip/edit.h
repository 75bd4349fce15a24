/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A message that follows from one that came: header fields and elements of their lists dropped,
 * replaced and put in, another Request-URI; all else octet for octet, the body always (RFC 3261,
 * 16.6, 1). Nothing is copied before it is written. All pure.
 *
 * Names are those of header fields, in any case or compact: "Route" and "k" mean each field of that
 * kind. What is put in is borrowed until the message has been written; a name or value that is none
 * (a line end in it that folds nothing) or memory that is short fails the writer, never half of it.
 */
#ifndef GH_SIP_EDIT_H
#define GH_SIP_EDIT_H

#include "sip/message.h"

struct sip_edit_op;

/** In the caller's storage. */
struct sip_edit {
	const struct sip_message *msg; /**< as it came */
	struct base_arena *arena;      /**< of what is noted down */
	struct base_str target;        /**< another Request-URI; ptr NULL = as it came */
	struct sip_edit_op *ops;       /**< in the order of the message; edit.c's */
	bool failed;                   /**< it cannot be written any more */
};

/** Begin: nothing is changed. Message and arena must outlive it. */
void sip_edit_begin(struct sip_edit *edit, const struct sip_message *msg, struct base_arena *arena);

/** Another Request-URI. */
void sip_edit_target(struct sip_edit *edit, struct base_str uri);

/**
 * A line before the first of its kind, those put in before too; where there is none, behind the
 * Vias at the top. So a Via, Route, Record-Route or Path gets a first element.
 */
void sip_edit_push(struct sip_edit *edit, const char *name, struct base_str value);
/** A line behind the last of its kind; where there is none, as above. */
void sip_edit_append(struct sip_edit *edit, const char *name, struct base_str value);
/** The same, printed into the arena. */
void sip_edit_pushf(struct sip_edit *edit, const char *name, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void sip_edit_appendf(struct sip_edit *edit, const char *name, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/** The only one of its kind: others are dropped, and it stands where the first of them did. */
void sip_edit_set(struct sip_edit *edit, const char *name, struct base_str value);

/** Drop a field of the message that came. */
void sip_edit_drop(struct sip_edit *edit, const struct sip_header *header);
/** Drop all of a kind, those put in too. */
void sip_edit_drop_all(struct sip_edit *edit, const char *name);
/** Another value for a field of the message that came; instead of what was done to it before. */
void sip_edit_value(struct sip_edit *edit, const struct sip_header *header, struct base_str value);
/**
 * Another element instead of this one, which sip_values_next has given and whose field is `header`;
 * ptr NULL = none. A field whose last element goes, goes.
 */
void sip_edit_element(struct sip_edit *edit, const struct sip_header *header,
                      struct base_str element, struct base_str with);
/** Drop all elements of a list that are this token, as an option tag is, in any case. */
void sip_edit_drop_token(struct sip_edit *edit, const char *name, const char *token);

/** A place in all elements of one kind as they will stand; begin with `{ .edit, .name }`. */
struct sip_edit_values {
	const struct sip_edit *edit;
	const char *name;
	size_t slot; /**< edit.c's, as all that follows */
	const struct sip_edit_op *next, *line;
	const struct sip_header *header;
	struct base_str rest;
	bool begun, inside;
};
/** The next element of comma-separated values. @return false at the end */
bool sip_edit_next(struct sip_edit_values *values, struct base_str *ret);
/** The first element of a kind as it will stand. @return false: there is none */
bool sip_edit_first(const struct sip_edit *edit, const char *name, struct base_str *ret);
/** Take it off. @return false: there is none */
bool sip_edit_shift(struct sip_edit *edit, const char *name, struct base_str *ret);
/** Will there be one of this kind? */
bool sip_edit_has(const struct sip_edit *edit, const char *name);

/** The whole message. `w->failed` when it cannot be made. May be called again. */
void sip_edit_write(const struct sip_edit *edit, struct base_writer *w);

#endif
