/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A user's side of an MSRP session (RFC 4975) or chat room (RFC 7701): texts, files, nicknames.
 * Octets and milliseconds come in, octets go out; what happens is told as events. Private to this
 * folder.
 */
#ifndef GH_UE_CHAT_H
#define GH_UE_CHAT_H

#include "msrp/msrp.h"
#include "ue/event.h"
#include "ue/parcel.h"

#define UE_CHAT_TEXT_MAX 10000 /**< octets of a text that is told as an event; others are files */

struct ue_chat;

/** All is copied but what is said to be borrowed. */
struct ue_chat_spec {
	struct base_str own, peer;    /**< our MSRP URI, the peer's path */
	const char *self;             /**< our own URI, for wrappers; borrowed */
	const char *room;             /**< of all participants; NULL: no room, nothing is wrapped */
	const char *session;          /**< "session" of the events; borrowed */
	const struct ue_inbox *inbox; /**< borrowed */
	struct ue_events *events;     /**< borrowed */
	void (*wake)(void *arg);      /**< there is something to take; calls nothing of this page */
	void *arg;
};

int ue_chat_new(struct ue_chat **ret, const struct ue_chat_spec *spec, struct base_error *err);
/** What was under way is told as broken. NULL is fine. */
void ue_chat_free(struct ue_chat *chat);

/** Say who we are, as whoever has connected does (RFC 4975, 5.4). @return 0 or BASE_LOCAL */
int ue_chat_hello(struct ue_chat *chat);
/** Say something. @param to  one participant of a room; NULL: all, or the peer
 * @return 0; BASE_CONFIG (no room, so nobody else to choose); BASE_LOCAL */
int ue_chat_say(struct ue_chat *chat, const char *to, const char *text, struct base_error *err);
/** Send a file at the peer's pace. @param type  NULL = application/octet-stream. @return likewise
 */
int ue_chat_file(struct ue_chat *chat, const char *to, const char *path, const char *type,
                 struct base_error *err);
/** Reserve a nickname; "" gives it back. */
int ue_chat_nickname(struct ue_chat *chat, const char *nickname, uint64_t now_ms);
/** Are there messages of ours that have not been handed out whole? */
bool ue_chat_busy(const struct ue_chat *chat);

/** As msrp_client_input. */
int ue_chat_input(struct ue_chat *chat, struct base_str *in, uint64_t now_ms,
                  struct base_error *err);
size_t ue_chat_take(struct ue_chat *chat, void *buf, size_t cap, uint64_t now_ms);
void ue_chat_tick(struct ue_chat *chat, uint64_t now_ms);
uint64_t ue_chat_due(const struct ue_chat *chat);

#endif
