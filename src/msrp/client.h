/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An endpoint of MSRP (RFC 4975, 7): messages of any length sent at the peer's pace, and received
 * in whatever order their chunks come; nicknames (RFC 7701, 7). Contents stay the caller's: octets
 * are given and taken in pieces, hashing and storing them is not done here. One thread.
 */
#ifndef GH_MSRP_CLIENT_H
#define GH_MSRP_CLIENT_H

#include "msrp/message.h"
#include "msrp/out.h"

struct msrp_client;
struct msrp_upload;

/** A message that comes in. Texts are borrowed for the call. */
struct msrp_incoming {
	struct base_str id;
	struct base_str content_type; /**< in `begin` alone */
	bool total_known;
	uint64_t total;
	bool again; /**< one of this id has come whole before (5.4) */
	void *arg;  /**< the caller's, NULL at first */
};

/** What the caller is told. None may call msrp_client_free. */
struct msrp_client_ops {
	/** There is something to take, or room for an upload. */
	void (*wake)(void *arg);
	/** A message begins. @return 0, or the status to refuse it with (415, 413) */
	unsigned (*begin)(void *arg, struct msrp_incoming *in);
	/** Octets of it; `at` counts from 0. What comes twice replaces what was there (7.3.1).
	 * @return as begin */
	unsigned (*piece)(void *arg, struct msrp_incoming *in, uint64_t at, struct base_str data);
	/** It is whole (total is known now), or was given up. */
	void (*end)(void *arg, struct msrp_incoming *in, bool whole);
	/** About a message of ours: 200 in a success report, else what went wrong. May be NULL. */
	void (*told)(void *arg, struct base_str id, const struct msrp_range *range,
	             unsigned status);
	/** What became of a nickname. May be NULL. */
	void (*nickname)(void *arg, unsigned status);
};

struct msrp_client_spec {
	struct base_str own;  /**< our URI; copied */
	struct base_str peer; /**< the peer's path; copied */
	size_t messages;      /**< coming in at a time; 0 = 16 */
	size_t window;        /**< octets that may wait to go out; 0 = 256 KiB */
	uint64_t chunk_ms;    /**< between two chunks of a message; 0 = 540000 */
	const struct msrp_client_ops *ops;
	void *arg;
};

int msrp_client_new(struct msrp_client **ret, const struct msrp_client_spec *spec,
                    struct base_error *err);
/** Uploads end with it; `end` is told about what was coming in. NULL is fine. */
void msrp_client_free(struct msrp_client *c);

/** A SEND without a body: whoever connected says at once who it is (5.4). @return 0 or BASE_LOCAL
 */
int msrp_client_hello(struct msrp_client *c);
/** Reserve a nickname, or (empty) give it back. @return 0 or an error as msrp_out_put */
int msrp_client_nickname(struct msrp_client *c, struct base_str nickname, uint64_t now_ms);

struct msrp_upload_spec {
	struct base_str content_type;
	bool total_known;
	uint64_t total;
	bool success; /**< ask for a success report */
	enum msrp_failure failure;
};
/** Begin a message. `id` gets its Message-ID, terminated. @return 0 or BASE_LOCAL */
int msrp_upload_new(struct msrp_client *c, const struct msrp_upload_spec *spec, char id[17],
                    struct msrp_upload **ret);
/** How many octets it takes now; wake comes when there is room again. */
size_t msrp_upload_room(const struct msrp_upload *u);
/** More of it. @return 0; BASE_PEER when the peer has refused it; BASE_LOCAL. Then end it with '#'
 */
int msrp_upload_put(struct msrp_upload *u, struct base_str data);
/** All is said ('$'), or it is given up ('#'). The upload is gone. */
void msrp_upload_end(struct msrp_upload *u, char flag);

/** @return 0, or an error: the connection has to end */
int msrp_client_input(struct msrp_client *c, struct base_str *in, uint64_t now_ms,
                      struct base_error *err);
size_t msrp_client_take(struct msrp_client *c, void *buf, size_t cap, uint64_t now_ms);
void msrp_client_tick(struct msrp_client *c, uint64_t now_ms);
uint64_t msrp_client_due(const struct msrp_client *c);

#endif
