/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Offer and answer (RFC 3264) for TCP/TLS/MSRP and TCP/TLS/BFCP whose TLS is keyed by
 * MIKEY-TICKET in SDP (TS 23.333, 5.20.2; TS 33.328, annex H; RFC 4567): both descriptions of a
 * SIP dialog written, read and judged, who connects and who is TLS client, and the pre-shared key
 * of each media description. Pure: octets and time go in; whoever owns a session carries its
 * questions to the KMS and its descriptions to the other end (docs/offer.md).
 *
 *     offerer                                  answerer
 *     offer_new, offer_begin                   offer_new, offer_take (the offer)
 *     offer_question / offer_told ...          offer_question / offer_told ...
 *     offer_place (each stream), offer_write   offer_stream: keys and roles are known here
 *     offer_take (the answer, of the 2xx)      offer_place, offer_write
 *     offer_stream: keys and roles
 */
#ifndef GH_OFFER_OFFER_H
#define GH_OFFER_OFFER_H

#include "mikey/mikey.h"
#include "sip/sip.h"

#define OFFER_STREAMS_MAX 16  /**< media descriptions of a session, foreign ones included */
#define OFFER_FLOORS_MAX  16  /**< of a BFCP stream */
#define OFFER_PSK         32  /**< octets of a key (P: a TEK of 256 bits, unchanged) */
#define OFFER_NAME_MAX    256 /**< a MIKEY identity, with its NUL */

/* ---- who we are to MIKEY ---- */

/** Two identities that may stand for each other (P): who is called, and who may answer for it; who
 * is in From, and who may be IDRi. Exact; `*` as the whole of one fits everybody. */
struct offer_alias {
	const char *name, *stands_for_it;
};

/** One's own side of MIKEY; outlives its sessions and is only read. */
struct offer_party {
	struct mikey_id id;     /**< IDRi of our offers; whom TRANSFER_INIT to us has to be for */
	struct mikey_id user;   /**< who asks the KMS to resolve; no data: `id` */
	struct mikey_id kms;    /**< IDRkms */
	struct mikey_cred cred; /**< with the KMS */
	unsigned mode;          /**< of our offers, 1 to 4 (RFC 6043, 4.1.1); 0 = 1 */
	struct mikey_tpk tpk;   /**< modes 3 and 4: our tickets are made with it; owner is `id` */
	const struct mikey_tpk *opens; /**< tickets (modes 2 and 4) that we open ourselves */
	size_t open_count;
	struct mikey_suite suite; /**< all 0: HMAC-SHA-256 and AES-CM-128 (P) */
	const uint8_t *prots;     /**< Prot types taken for TLS, the first is sent; none: 241 (P) */
	size_t prot_count;
	uint32_t lifetime_s;         /**< of a ticket; 0 = 1 h */
	uint32_t skew_s;             /**< 0 = 300 s */
	struct mikey_replay *replay; /**< what was taken; NULL: replays are not looked for */
	struct mikey_kept *kept;     /**< libcrypto's contexts; NULL: made anew each time */
	const struct offer_alias *aliases;
	size_t alias_count;
	/** Take a TRANSFER_INIT that does not list the key-mgmt protocols it was offered with; RFC
	 * 4567, 7 wants the list, which keeps others from being peeled off. */
	bool unsafe_no_sdp_ids;
};

/**
 * The KMS user identity of a From or To URI (P: scheme, user, host in small letters and port, as an
 * address of record has them, without parameters; sips is sip; tel with its number).
 * @return its length, 0 when it names nobody or does not fit `cap`, NUL included
 */
size_t offer_identity(struct base_str uri, char *out, size_t cap);

/* ---- what one wants ---- */

enum offer_app { OFFER_MSRP, OFFER_BFCP };
/** RFC 4145, 4 */
enum offer_setup { OFFER_ACTPASS, OFFER_ACTIVE, OFFER_PASSIVE, OFFER_HOLDCONN };

/** A floor and the labels of the media that it controls (RFC 8856, 5.4). */
struct offer_floor {
	uint16_t id;
	struct base_str streams; /**< labels, one SP between them; may be empty (RFC 4583) */
};

/** RFC 4975, 8; RFC 6714; RFC 7701, 8. Of one's own side, or of the peer's. */
struct offer_msrp {
	struct base_str path;          /**< without "a=path:"; one's own comes with offer_place */
	struct base_str accept_types;  /**< separated by SP */
	struct base_str wrapped_types; /**< empty = none */
	struct base_str chatroom;      /**< tokens: "nickname private-messages" */
	bool has_chatroom;
	bool cema;
	uint64_t max_size; /**< 0 = not said */
};

#define OFFER_BFCP_1 1U /**< bit of version 1 (RFC 4582) */
#define OFFER_BFCP_2 2U /**< bit of version 2 (RFC 8855) */
/** RFC 8856, 5; RFC 4583. */
struct offer_bfcp {
	bool server; /**< floor control server; of a peer's: it is the server */
	unsigned versions;
	uint32_t conference; /**< with a server only, as the user id and the floors */
	uint16_t user;
	struct offer_floor floor[OFFER_FLOORS_MAX];
	size_t floors;
};

/** A media description that one offers, or takes when it is offered. Everything is copied. */
struct offer_media {
	enum offer_app app;
	/** What is offered. In an answer: what is chosen where the offer leaves the choice, ACTIVE
	 * or PASSIVE. */
	enum offer_setup setup;
	struct base_str label; /**< RFC 4574; empty = none */
	struct offer_msrp msrp;
	struct offer_bfcp bfcp;
};

/* ---- a session ---- */

struct offer_session;

enum offer_state {
	OFFER_IDLE,      /**< nothing is open: offer_begin or offer_take may follow */
	OFFER_ASKING,    /**< the KMS is asked: offer_question, offer_told */
	OFFER_TO_OFFER,  /**< our offer can be written */
	OFFER_OFFERED,   /**< it was: offer_take wants the answer */
	OFFER_TO_ANSWER, /**< our answer can be written */
	OFFER_FAILED,    /**< offer_failure says how the set-up is to be ended */
};

/**
 * @param party  borrowed
 * @param peer   the other end's identity, from To (we call) or From (we are called); copied. With
 *               no data its identity is not looked at (P; not for the network)
 * @param media  what is offered, in that order; or what may be taken, each once. Copied
 * @return 0; BASE_CONFIG when something in it cannot be said in SDP; BASE_LOCAL
 */
int offer_new(struct offer_session **ret, const struct offer_party *party,
              const struct mikey_id *peer, const struct offer_media *media, size_t count,
              struct base_error *err);
/** Wipes all keys; NULL is fine. */
void offer_free(struct offer_session *s);

enum offer_state offer_state(const struct offer_session *s);

/**
 * Prepare an offer. The first one has keys and connections that are new for every stream. A later
 * one keeps those that stand (`connection:existing`, no key-mgmt) but for streams that were told to
 * offer_renew.
 * @param now  NTP-UTC (mikey_ntp)
 * @return 0; negative with the state OFFER_FAILED
 */
int offer_begin(struct offer_session *s, uint64_t now, struct base_error *err);
/** Our next offer is to have a new connection and key for this stream. */
void offer_renew(struct offer_session *s, size_t stream);
/** The stream is over: port 0 in the next description (RFC 3264, 8.2). Its key is wiped. */
void offer_close(struct offer_session *s, size_t stream);

/** What has to be asked at the KMS (POST of `octets`, TS 33.328). */
struct offer_question {
	size_t stream;
	bool resolve;               /**< ticket resolve, else ticket request */
	struct mikey_octets octets; /**< borrowed until it is answered */
};
/** The next question that was not handed out yet. @return false when there is none */
bool offer_question(struct offer_session *s, struct offer_question *ret);
/**
 * The KMS's answer to the question of that stream; no data: there was none, `err` says why.
 * @return 0; negative with the state OFFER_FAILED. BASE_BUG when nothing was asked
 */
int offer_told(struct offer_session *s, uint64_t now, size_t stream, struct mikey_octets answer,
               struct base_error *err);

/**
 * Where our end of a stream is: c= and m=, and for MSRP a=path (empty otherwise). Copied. A stream
 * that connects itself may have port 9.
 * @return 0; BASE_CONFIG when the address is none or the path is no msrps URI; BASE_LOCAL
 */
int offer_place(struct offer_session *s, size_t stream, struct base_str address, uint16_t port,
                struct base_str path, struct base_error *err);
/**
 * Write our offer or answer (state OFFER_TO_OFFER, OFFER_TO_ANSWER); every stream that is not
 * refused has been placed. An answer ends the exchange: the state is OFFER_IDLE then.
 */
int offer_write(struct offer_session *s, struct base_writer *out, struct base_error *err);
/**
 * The peer's description: the answer when our offer is out, an offer otherwise. Answers are taken
 * from the 2xx. The text is not kept.
 * @return 0; negative with the state OFFER_FAILED: the whole set-up ends (RFC 4567, 4.1.2). A later
 *         offer that fails leaves what stands as it was: refuse it and offer_withdraw
 */
int offer_take(struct offer_session *s, uint64_t now, struct base_str sdp, struct base_error *err);
/** Our offer was refused or ours is not to be answered: everything is as before it. */
void offer_withdraw(struct offer_session *s);

/** What became of a media description. */
enum offer_verdict {
	OFFER_OPEN, /**< nothing is agreed yet */
	OFFER_AGREED,
	OFFER_REFUSED, /**< port 0, by whoever */
};
/** What is agreed for one stream; borrowed until the next call that changes the session. */
struct offer_stream {
	enum offer_app app;
	enum offer_verdict verdict;
	bool ours;       /**< one of offer_new's; else foreign, refused and echoed */
	size_t media;    /**< which of offer_new's, when `ours` */
	const char *why; /**< it was refused; NULL = nothing to tell */
	bool fresh;      /**< this exchange wants a new connection, with the key below */
	bool held;       /**< holdconn: no connection for now */
	bool tcp_client; /**< we connect */
	bool tls_client; /**< MSRP: who is active; BFCP: the offerer (RFC 4583, 8; RFC 8856, 8) */
	struct base_str host; /**< the peer's: an address, or a name where MSRP's path has one */
	uint16_t port;
	struct offer_msrp msrp; /**< the peer's */
	struct offer_bfcp bfcp; /**< agreed: `server` says whether the peer is; conference, user and
	                             floors are the server's, whoever that is */
	/** RFC 6714, 4.2: the answer asks for a new offer without msrp-cema, because a middlebox
	 * that does not know it stands between. */
	bool cema_failed;
	const struct base_secret *psk; /**< OFFER_PSK octets; NULL = none */
	const char *psk_identity;      /**< printable; "" = none */
	uint64_t end_s;                /**< TRe of the ticket in unix time; 0 = none */
	const char *peer;              /**< who MIKEY proved is there; "" = nobody yet */
};
/** Streams in the order of the descriptions. */
size_t offer_count(const struct offer_session *s);
void offer_stream(const struct offer_session *s, size_t stream, struct offer_stream *ret);

/** How a set-up that failed is ended. */
struct offer_failure {
	unsigned status;   /**< of the response to an offer: 488 (RFC 4567, 4.1.2), 403, 503, 500 */
	unsigned warning;  /**< 306, 399; 0 = none (RFC 3261, 20.43) */
	char text[256];    /**< for Warning, Reason and the log; printable, no double quotes */
	bool key_mgmt;     /**< the keys are at fault, not the description */
	unsigned error_no; /**< RFC 3830, 6.12, where the peer's MIKEY is at fault; else 255 */
};
void offer_failure(const struct offer_session *s, struct offer_failure *ret);

/** Does that media type fit a list of accept-types (RFC 4975, 8.6)? Pure. */
bool offer_type_fits(struct base_str list, struct base_str type);

#endif
