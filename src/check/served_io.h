/* SPDX-License-Identifier: Apache-2.0 */
/** @file Records and messages of a session in which the checker is the server; for served.c. */
#ifndef GH_CHECK_SERVED_IO_H
#define GH_CHECK_SERVED_IO_H

#include "check/served.h"

enum { MESSAGE_HEAD = 4 };

/** Say why, unless it was said. @return `outcome` */
enum check_outcome check_served_give_up(struct check_served *s, enum check_outcome outcome,
                                        const char *why);

/** A record of ours, held until the next flush. */
void check_served_hold(struct check_served *s, enum check_record type, const void *data,
                       size_t len);
/** @return false when memory is short */
bool check_served_flush(struct check_served *s);
/** Begin a message in `w`; @return where its body's length belongs, for ..._end */
size_t check_served_message(struct base_writer *w, enum check_message type);
/** End it: into the transcript, and held. */
void check_served_message_end(struct check_served *s, struct base_writer *w, size_t at);

/** The next record, opened into `ret`. */
enum check_outcome check_served_record(struct check_served *s, uint8_t *ret_type,
                                       struct base_writer *ret);
/** It is put where it belongs. @return CHECK_ANSWERED when the handshake may go on */
enum check_outcome check_served_sort(struct check_served *s, uint8_t type,
                                     const struct base_writer *record);
/** The client's next whole message with its head; it stays until the next is asked for. */
bool check_served_next(struct check_served *s, uint8_t *ret_type, struct check_bytes *ret);
/** The same, waited for. */
enum check_outcome check_served_await(struct check_served *s, uint8_t *ret_type,
                                      struct check_bytes *ret);
/** Its ChangeCipherSpec, and its next keys; a message in between is out of place. */
enum check_outcome check_served_change(struct check_served *s);

#endif
