/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Records and messages of a session of TLS 1.3 in which the checker is the server, and the flights
 * of its handshake; for served13.c.
 */
#ifndef GH_CHECK_SERVED13_IO_H
#define GH_CHECK_SERVED13_IO_H

#include "check/served13.h"

enum { MESSAGE_HEAD = 4 };

/** Say why, unless it was said. @return `outcome` */
enum check_outcome check_served13_give_up(struct check_served13 *s, enum check_outcome outcome,
                                          const char *why);

/** A record of ours, held until the next flush. */
void check_served13_hold(struct check_served13 *s, enum check_record type, const void *data,
                         size_t len);
/** @return false when memory is short */
bool check_served13_flush(struct check_served13 *s);
/** Begin a message in `w`; @return where its body's length belongs, for ..._end */
size_t check_served13_message(struct base_writer *w, enum check_message type);
/** End it: into the transcript, and held. */
void check_served13_message_end(struct check_served13 *s, struct base_writer *w, size_t at);

/** The next record: its inner type and text. Before keys it can only be an alert. */
enum check_outcome check_served13_record(struct check_served13 *s, uint8_t *ret_type,
                                         struct base_writer *ret);
/** It is put where it belongs. @return CHECK_ANSWERED when the session may go on */
enum check_outcome check_served13_sort(struct check_served13 *s, uint8_t type,
                                       const struct base_writer *record);
/** The client's next whole message with its head; it stays until the next is asked for. */
bool check_served13_next(struct check_served13 *s, uint8_t *ret_type, struct check_bytes *ret);
/** The same, waited for. */
enum check_outcome check_served13_await(struct check_served13 *s, uint8_t *ret_type,
                                        struct check_bytes *ret);
/** What is behind its head. */
struct check_bytes check_served13_body(struct check_bytes message);

/* served13.c */
/** The external key, where the client offers its name. */
bool check_served13_key_offered(const struct check_host *h, const struct check_offered *o,
                                struct check_bytes hello, struct check_offered_psk *ret);

/* served13_flights.c */
/** By which key, if any: the binder has to be right (RFC 8446, 4.2.11). */
bool check_served13_psk_take(struct check_served13 *s, const struct check_ticket13 *resume,
                             struct check_bytes *ret_psk, unsigned *ret_index);
/** Ours and its own; then the application's keys are in `ours` and `theirs`. */
enum check_outcome check_served13_flights(struct check_served13 *s, unsigned how,
                                          struct check_bytes psk, unsigned index, uint8_t *ours,
                                          uint8_t *theirs);

#endif
