/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The Ticket Request, Ticket Transfer and Ticket Resolve exchanges (RFC 6043, 4.2) for Initiator,
 * Responder and KMS. Each call takes a message and gives one; who carries them is the caller's
 * business. Errors of the far end have the class BASE_PEER, and their detail is the Error no for
 * mikey_error_write; nothing of a key is given out then. What a far end's Error message says comes
 * back in the same way, as `told` in the text.
 *
 * Identities of the parties go into the MACs, also where a message leaves them out.
 */
#ifndef GH_MIKEY_EXCHANGE_H
#define GH_MIKEY_EXCHANGE_H

#include "mikey/derive.h"
#include "mikey/env.h"
#include "mikey/keys.h"
#include "mikey/ticket.h"

/** How a user and its KMS know each other: a pre-shared key, or RSA keys. */
struct mikey_cred {
	struct mikey_octets psk;
	struct mikey_id psk_id;           /**< IDRpsk; left out without data */
	struct evp_pkey_st *own;          /**< the user's to sign with; the KMS's to decrypt with */
	struct evp_pkey_st *peer;         /**< the KMS's; the user's, whose certificate the
	                                       caller has judged */
	const struct mikey_octets *certs; /**< DER, the user's own first; sent along */
	size_t cert_count;
	struct mikey_octets peer_cert; /**< DER of the KMS's, for CHASH; left out without data */
	uint8_t sign_type;             /**< S type of what is signed; 0 = RSASSA-PKCS1-v1_5 */
};

/** What one asks a KMS with. */
struct mikey_ask {
	struct mikey_suite suite;
	uint32_t csb_id;
	struct mikey_id own, kms; /**< left out of the message without data */
	const struct mikey_cred *cred;
};

/** A question under way; all zero before, mikey_asking_done after. */
struct mikey_asking {
	struct base_writer sent; /**< the message to send */
	struct base_secret key;  /**< pre-shared or envelope key */
	struct base_secret rand; /**< RANDRi or RANDRr */
	struct base_secret kms;  /**< IDRkms that was asked; no secrets either of them */
	uint8_t prf;
	uint32_t csb_id;
	uint32_t flags;     /**< of the ticket to resolve */
	uint8_t ticket[32]; /**< SHA-256 of it, without its Initiator Data */
	bool resolve;
};
void mikey_asking_done(struct mikey_asking *asking);

/** What a KMS grants: a ticket and its keys. */
struct mikey_grant {
	struct mikey_payload *ticket;
	struct mikey_policy policy;
	struct mikey_keys keys; /**< MPKi, MPKr when keys are forked, session keys */
};
void mikey_grant_done(struct mikey_grant *grant);

/** What the far end of a transfer gets out of a ticket. */
struct mikey_resolved {
	struct mikey_keys keys;    /**< MPKi, MPKr' when keys are forked, session keys */
	struct mikey_id responder; /**< IDRr of the KMS; none without data */
	struct mikey_octets rand_kms;
	struct base_secret owned; /**< what both borrow from */
	uint8_t ticket[32];       /**< SHA-256 of the ticket, without its Initiator Data */
};
void mikey_resolved_done(struct mikey_resolved *resolved);

/** Initiator: REQUEST_INIT_PSK or _PK, into ret->sent. */
int mikey_request_init(const struct mikey_env *env, const struct mikey_ask *ask,
                       const struct mikey_policy *wanted, struct mikey_asking *ret,
                       struct base_error *err);
/** Initiator: the answer. Whether the granted policy will do is the caller's to judge (4.2.1.6).
 * @param data  borrowed by `ret`, which lives in `arena` but for its keys */
int mikey_request_finish(struct base_arena *arena, const struct mikey_env *env,
                         const struct mikey_asking *asking, struct mikey_octets data,
                         struct mikey_grant *ret, struct base_error *err);
/** Responder: RESOLVE_INIT_PSK or _PK about a ticket that was read. */
int mikey_resolve_init(const struct mikey_env *env, const struct mikey_ask *ask,
                       const struct mikey_payload *ticket, struct mikey_asking *ret,
                       struct base_error *err);
int mikey_resolve_finish(const struct mikey_env *env, const struct mikey_asking *asking,
                         struct mikey_octets data, struct mikey_resolved *ret,
                         struct base_error *err);

/** KMS: a question that was read and proved; all zero before, mikey_asked_done after. */
struct mikey_asked {
	const struct mikey_message *msg;
	const struct mikey_payload *ticket; /**< TP of a request, TICKET to resolve */
	struct mikey_policy policy;         /**< of it */
	struct mikey_id asker;
	struct base_secret key;
	struct mikey_rands rands;
	bool resolve;
};
void mikey_asked_done(struct mikey_asked *asked);

/**
 * KMS: time, replay, MAC or signature, and what the question holds, in the order of RFC 3830, 5.3.
 * The caller has read the message, found who asks (IDRi or IDRr, IDRpsk, CERT) and looked up what
 * it shares with them.
 * @param asker  who that is; NULL: as the message says
 */
int mikey_asked_read(const struct mikey_env *env, const struct mikey_message *msg,
                     const struct mikey_id *kms, const struct mikey_id *asker,
                     const struct mikey_cred *cred, struct mikey_asked *ret,
                     struct base_error *err);
/** KMS: REQUEST_RESP with a ticket of mikey_ticket_make and the keys that it gave. */
int mikey_request_resp(const struct mikey_env *env, const struct mikey_asked *asked,
                       struct mikey_suite suite, const struct mikey_id *kms,
                       const struct mikey_payload *ticket, const struct mikey_keys *keys,
                       struct base_writer *out, struct base_error *err);
/**
 * KMS: open the ticket and write RESOLVE_RESP: policy, validity, Initiator Data, forking.
 * @param listed     the responder of the ticket's policy that the asker is, or stands for (a group)
 * @param responder  who answers: IDRr, to which forked keys are bound
 */
int mikey_resolve_resp(const struct mikey_env *env, const struct mikey_asked *asked,
                       struct mikey_suite suite, const struct mikey_id *kms,
                       const struct mikey_tpk *tpk, const struct mikey_id *listed,
                       const struct mikey_id *responder, struct base_writer *out,
                       struct base_error *err);

/** What an Initiator offers. */
struct mikey_offer {
	struct mikey_suite suite;
	uint32_t csb_id;
	struct mikey_id initiator, responder;
	const struct mikey_cs *cs; /**< GENERIC-ID */
	uint8_t cs_count;
	const struct mikey_payload *sp; /**< SP payloads */
	const struct mikey_keys *keys;  /**< of one's own (L flag); NULL = none */
};
/** A transfer under way at its Initiator; all zero before, mikey_transfer_done after. */
struct mikey_transfer {
	struct base_writer sent; /**< TRANSFER_INIT */
	struct base_secret rand;
	struct mikey_keys own; /**< keys of the Initiator's that went along */
	uint32_t csb_id;
	uint8_t prf;
};
void mikey_transfer_done(struct mikey_transfer *transfer);

/** A crypto session as it was agreed upon. */
struct mikey_session_cs {
	uint8_t id, prot, spi_len;
	uint8_t spi[255];
};
/** What both ends have in the end; mikey_session_done. */
struct mikey_session {
	uint32_t csb_id;
	uint8_t prf;
	struct base_secret rand_i, rand_r; /**< those that go into TEKs (H and G flags) */
	struct mikey_keys keys;            /**< session keys, forked where they are to be */
	struct mikey_session_cs cs[16];
	size_t cs_count;
	uint64_t end;                 /**< TRe of the ticket; 0 = none */
	struct base_secret responder; /**< IDRr of the answer, as octets; no secret */
	uint8_t responder_type;
	/** For mikey/update.h: what protected the last message, and the ticket's flags. */
	struct base_secret last_key, last_rand_i, last_rand_r;
	bool last_response;
	uint32_t flags;
	uint64_t last_t; /**< of the last message */
	uint64_t peer_t; /**< of the last update that the far end began; 0 = none */
};
void mikey_session_done(struct mikey_session *session);
/**
 * The TEK of a crypto session: its SPI points to a TGK or GTGK, from which it is derived, or to a
 * TEK, which has to have `len` octets. Without an SPI there has to be one key only.
 * @return 0; BASE_PEER with MIKEY_UNSPECIFIED when no key fits; BASE_LOCAL
 */
int mikey_session_tek(const struct mikey_env *env, const struct mikey_session *session,
                      uint8_t cs_id, uint8_t *out, size_t len, struct base_error *err);

/** Initiator: TRANSFER_INIT, into ret->sent. In modes 3 and 4 the grant is one's own ticket. */
int mikey_transfer_init(const struct mikey_env *env, const struct mikey_offer *offer,
                        const struct mikey_grant *grant, struct mikey_transfer *ret,
                        struct base_error *err);
/**
 * Initiator: TRANSFER_RESP. Whether the responder is who was called is the caller's to judge.
 * Where the F flag wants no answer, the session is made of what was offered, without `data`.
 */
int mikey_transfer_finish(const struct mikey_env *env, const struct mikey_transfer *transfer,
                          const struct mikey_grant *grant, struct mikey_octets data,
                          struct mikey_session *ret, struct base_error *err);

/**
 * A TRANSFER_INIT at its Responder, before it could be proved. Borrows from the message. Who asked
 * for the ticket is policy.initiator. With forked keys that is the sender, too, once the KMS has
 * resolved this message's ticket (it checks Vr; keys kept of before do not say so); without them
 * the sender is anybody who could resolve the ticket, and `initiator` is who it says it is.
 */
struct mikey_received {
	const struct mikey_message *msg;
	const struct mikey_payload *ticket;
	struct mikey_policy policy;
	struct mikey_id initiator, responder;
};
/**
 * Responder: what can be judged before the ticket is resolved (4.2.2.2): time, policy, validity,
 * security protocols, the shape of the Initiator Data.
 * @param own    whom it has to be for; NULL: as the message says
 * @param prots  Prot types that are taken
 */
int mikey_received_read(const struct mikey_env *env, const struct mikey_message *msg,
                        const struct mikey_id *own, const uint8_t *prots, size_t prot_count,
                        struct mikey_received *ret, struct base_error *err);
/** Responder, modes 2 and 4: resolve it oneself; the E flag must allow that. */
int mikey_received_open(const struct mikey_env *env, const struct mikey_received *received,
                        const struct mikey_tpk *tpk, struct mikey_resolved *ret,
                        struct base_error *err);
/** How a Responder answers. */
struct mikey_answer {
	struct mikey_suite suite;       /**< encryption and MAC; the PRF is the Initiator's */
	const struct mikey_payload *sp; /**< SP payloads of one's own; NULL = none */
	const struct mikey_keys *keys;  /**< of one's own (M flag); NULL = none */
};

/**
 * Responder: prove TRANSFER_INIT with the keys of its ticket, and answer it. A crypto session that
 * names no SPI gets the first key's: one's own, then the Initiator's own, then the ticket's.
 * `resolved` has to be of this very ticket, policy and all: else BASE_PEER with MIKEY_BAD_TICKET.
 * @param out  TRANSFER_RESP; left empty when the F flag wants none
 */
int mikey_transfer_resp(const struct mikey_env *env, const struct mikey_received *received,
                        const struct mikey_resolved *resolved, const struct mikey_answer *answer,
                        struct base_writer *out, struct mikey_session *ret, struct base_error *err);

/**
 * The Error message that answers `data`, unprotected (RFC 6043, 5.4). Only an Error message is not
 * answered, nor what has no header.
 * @param sp  SP payloads that are supported, in the Transfer exchange; NULL = none
 * @return 0, or BASE_PEER when there is nothing to answer
 */
int mikey_error_write(const struct mikey_env *env, struct mikey_octets data, unsigned error_no,
                      const struct mikey_payload *sp, struct base_writer *out);
/** The same to somebody whose question was proved, with a MAC. */
int mikey_asked_refuse(const struct mikey_env *env, const struct mikey_asked *asked, uint8_t mac,
                       unsigned error_no, struct base_writer *out);

#endif
