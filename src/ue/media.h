/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A chat or floor control on its connection. A place is there before anybody knows who connects:
 * its port is heard, so that it can stand in an offer, but who comes waits in the kernel until the
 * media is started with its key. Private to this folder.
 */
#ifndef GH_UE_MEDIA_H
#define GH_UE_MEDIA_H

#include "stream/stream.h"
#include "ue/chat.h"
#include "ue/floor.h"

struct ue_media;

enum ue_media_kind { UE_MSRP, UE_BFCP };
/** "msrp", "bfcp"; pure. */
const char *ue_media_name(enum ue_media_kind kind);

/** What all media of a user agent have in common; outlives them. */
struct ue_media_env {
	struct loop *loop;
	struct streams *streams;
	struct ue_events *events;
	struct ue_inbox inbox;
	const char *self;     /**< our own URI */
	uint32_t patience_ms; /**< until the connection is there; 0 = 30 s */
};

/**
 * A place: a socket that listens.
 * @param session  name in events; copied
 * @param local    in: an address, port 0 takes any; out: the port it has
 * @return 0; BASE_CONFIG: the address cannot be had; BASE_LOCAL
 */
int ue_media_new(struct ue_media **ret, const struct ue_media_env *env, enum ue_media_kind kind,
                 const char *session, union stream_addr *local, struct base_error *err);
/** At once. Nothing is told. NULL is fine. */
void ue_media_free(struct ue_media *m);

/** How it begins. Borrowed for the call. */
struct ue_media_start {
	bool connect; /**< to `remote`, else the first who comes is the peer */
	union stream_addr remote;
	struct tls_domain *domain;  /**< NULL: no TLS */
	enum tls_role role;         /**< which is not said by `connect` */
	const struct tls_psk *psk;  /**< this stream's; NULL = none */
	struct base_str own, peer;  /**< UE_MSRP: our URI, the peer's path */
	const char *room;           /**< UE_MSRP: as in struct ue_chat_spec */
	struct ue_floor_spec floor; /**< UE_BFCP: conference, user, serve, floors */
};
/** @return 0; BASE_CONFIG, BASE_LOCAL: then nothing has begun */
int ue_media_start(struct ue_media *m, const struct ue_media_start *start, struct base_error *err);
/** Say no more: what waits is sent, then close_notify. media.end is told later. */
void ue_media_end(struct ue_media *m);

/** NULL where it is not started, or of the other kind, or over. */
struct ue_chat *ue_media_chat(const struct ue_media *m);
struct ue_floor *ue_media_floor(const struct ue_media *m);
enum ue_media_kind ue_media_kind(const struct ue_media *m);
/** It was started, and its connection has ended or never came. */
bool ue_media_over(const struct ue_media *m);
/** Something of it waits to be sent. */
bool ue_media_busy(const struct ue_media *m);

#endif
