/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: one media description of the peer's, read and judged by itself; what its
 * attributes and ours come to; and ours written.
 */
#ifndef GH_OFFER_SDP_H
#define GH_OFFER_SDP_H

#include "offer/offer.h"

#define OFFER_HOST_MAX 256
#define OFFER_PATH_MAX 512

/** A peer's media description. Strings are borrowed from the arena it was read with. */
struct offer_remote {
	enum offer_app app;
	struct base_str host; /**< of c= */
	uint16_t port;
	enum offer_setup setup; /**< with the default where there is none: see offer_remote_read */
	bool existing;
	struct offer_msrp msrp;
	struct base_str path_host; /**< of the first URI of its path, without brackets */
	uint16_t path_port;
	bool relayed; /**< its path has several URIs (RFC 4975, 8.3) */
	struct offer_bfcp bfcp;
	bool has_floorctrl;
	bool may_serve, may_be_client; /**< of floorctrl */
	struct base_str key_mgmt;      /**< base64 of its mikey line; empty = none */
	struct base_str listed;        /**< its key-mgmt protocols, "mikey;other" */
};

/** Which of ours could it be? By media type and proto. @return false: neither */
bool offer_app_of(const struct sip_sdp_media *m, enum offer_app *ret);
/**
 * Read a media description of `app` whose port is not 0.
 * @param answer  it is in an answer: the default of a=setup is passive, else active (RFC 4145, 4.1)
 * @return 0; BASE_PEER with words; BASE_LOCAL
 */
int offer_remote_read(struct base_arena *arena, const struct sip_sdp *sdp,
                      const struct sip_sdp_media *m, enum offer_app app, bool answer,
                      struct offer_remote *ret, struct base_error *err);
int offer_msrp_read(struct base_arena *arena, const struct sip_sdp *sdp,
                    const struct sip_sdp_media *m, struct offer_remote *ret,
                    struct base_error *err);
int offer_bfcp_read(struct base_arena *arena, const struct sip_sdp *sdp,
                    const struct sip_sdp_media *m, struct offer_remote *ret,
                    struct base_error *err);
/** A copy in the arena; ptr NULL when memory is short. */
struct base_str offer_dup(struct base_arena *arena, struct base_str s);
/** The word up to the next SP, taken off. */
struct base_str offer_word(struct base_str *rest);
int offer_bad(struct base_error *err, const char *why);

/* ---- what both sides come to ---- */

/** What we answer to that setup, by our preference (RFC 4145, 4.1). Pure. */
enum offer_setup offer_setup_answer(enum offer_setup offered, enum offer_setup preferred);
/** Is that answer allowed to that offer? Pure. */
bool offer_setup_fits(enum offer_setup offered, enum offer_setup answered);
/** The name of a setup in SDP. */
const char *offer_setup_name(enum offer_setup setup);
bool offer_setup_of(struct base_str name, enum offer_setup *ret);

/** Do the addresses in c= and m= fit the path (RFC 6714, 4.4)? Names can only be compared as
 * such. Pure. */
bool offer_path_matches(const struct offer_remote *remote);
/**
 * May we take what the peer says, and what do we agree upon? Without transport and keys.
 * @param own     ours
 * @param cema    we do or did say msrp-cema
 * @param answer  what the peer sent is an answer
 * @param ret     the peer's MSRP; BFCP as agreed
 * @return 0, or BASE_PEER with words: this stream is refused
 */
int offer_agree(const struct offer_media *own, bool cema, const struct offer_remote *remote,
                bool answer, struct offer_stream *ret, struct base_error *err);

/* ---- written ---- */

/** One media description of ours. */
struct offer_written {
	const struct offer_media *media;
	const char *address;
	uint16_t port;
	const char *path;
	enum offer_setup setup;
	bool existing;
	bool cema;
	unsigned versions;            /**< of BFCP */
	struct mikey_octets key_mgmt; /**< no data: none */
};
void offer_media_write(struct base_writer *w, const struct offer_written *m);
void offer_address_write(struct base_writer *w, const char *address);
/** Refused: port 0 (RFC 3264, 6). */
void offer_refused_write(struct base_writer *w, struct base_str type, struct base_str proto,
                         struct base_str formats);

#endif
