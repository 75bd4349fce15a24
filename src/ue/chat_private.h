/* SPDX-License-Identifier: Apache-2.0 */
/** @file A chat from inside, shared by chat*.c. */
#ifndef GH_UE_CHAT_PRIVATE_H
#define GH_UE_CHAT_PRIVATE_H

#include "ue/chat.h"

struct ue_chat {
	struct ue_chat_spec spec;
	struct msrp_client *client;
	struct base_node files;               /* under way, out */
	char nickname[MSRP_NICKNAME_MAX + 1]; /* asked for last */
};

/* chat_in.c: messages that come */
unsigned ue_chat_on_begin(void *arg, struct msrp_incoming *in);
unsigned ue_chat_on_piece(void *arg, struct msrp_incoming *in, uint64_t at, struct base_str data);
void ue_chat_on_end(void *arg, struct msrp_incoming *in, bool whole);

/* chat_file.c: files that go */
/** Give the client what it has room for. */
void ue_chat_pump(struct ue_chat *chat);
void ue_chat_files_drop(struct ue_chat *chat);

/* chat.c */
/** The wrapper of a message to `to`, or nothing where there is no room. `type` is what is sent.
 * @return 0; BASE_CONFIG, BASE_LOCAL */
int ue_chat_wrap(const struct ue_chat *chat, const char *to, const char *type,
                 struct base_writer *w, struct base_error *err);
/** The type of the message itself. */
struct base_str ue_chat_type(const struct ue_chat *chat, const char *type);
/** All of it has been handed to the client. `sha256`, `name` may be NULL. */
void ue_chat_sent(struct ue_chat *chat, const char *id, const char *to, uint64_t octets,
                  const char *name, const char *sha256);

#endif
