/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a user agent under load says, written from templates: as little work as there can be beside
 * a server that has to read it. Pure but for memory. Private to this folder.
 */
#ifndef GH_UE_LOAD_TEXT_H
#define GH_UE_LOAD_TEXT_H

#include "sip/sip.h"

/** What all of them have in common. Borrowed. */
struct load_home {
	struct base_str identity; /**< `sip:ue@home.example`: the number goes before the `@` */
	struct base_str user;     /**< of Digest, likewise */
	struct base_str password;
	struct base_str registrar;     /**< Request-URI of REGISTER */
	const char *proxies;           /**< whole Route lines; may be "" */
	const char *transport;         /**< "TLS" or "TCP", as Via has it */
	const char *contact_transport; /**< "tls", "tcp" */
	uint32_t run; /**< by chance: no Call-ID or branch of another run comes again */
	uint32_t expires_s;
	size_t octets; /**< of a MESSAGE's body */
	bool outbound; /**< RFC 5626: reg-id, +sip.instance, `ob` */
};

/** One of them, as it speaks now. Borrowed. */
struct load_voice {
	const struct load_home *home;
	uint32_t number;     /**< in its name */
	const char *address; /**< "127.0.0.1:40000": of its end of the connection */
	uint32_t cseq;
	const char *routes; /**< whole Route lines outside of dialogs; NULL = home->proxies */
	uint32_t answered;  /**< so often was this challenge answered before, this time included */
	struct base_str challenge; /**< value of WWW-Authenticate; empty = none yet */
};

/** `name` with the number in front of its `@`, or behind it. */
void load_text_numbered(struct base_writer *w, struct base_str name, uint32_t number);

/** @param arena  scratch. @return 0; BASE_PEER: the challenge cannot be answered; BASE_LOCAL */
int load_text_register(struct base_writer *w, struct base_arena *arena,
                       const struct load_voice *who, uint32_t expires_s);
/** MESSAGE or INVITE (with a session description) to another of them. */
void load_text_request(struct base_writer *w, const struct load_voice *who, enum sip_method method,
                       uint32_t to);
/** The ACK of a refusal of our INVITE (RFC 3261, 17.1.1.3). */
void load_text_ack(struct base_writer *w, const struct load_voice *who,
                   const struct sip_message *answer);
/** The ACK of that answer to our INVITE, and behind it the BYE (CSeq one more). */
void load_text_ack_bye(struct base_writer *w, const struct load_voice *who,
                       const struct sip_message *answer);
/** Answer a request that came in as an agreeable user agent does. Nothing is written for ACK. */
void load_text_answer(struct base_writer *w, const struct load_voice *who,
                      const struct sip_message *request);
/** The best challenge of a 401 that can be answered: its value, borrowed. @return false: none */
bool load_text_challenge(const struct sip_message *answer, struct base_arena *arena,
                         struct base_str *ret);
/** Route lines of a registration's answer: the proxies, and what Service-Route names behind them.
 * @return in the arena; NULL when memory is short */
const char *load_text_routes(const struct load_home *home, const struct sip_message *answer,
                             struct base_arena *arena);

#endif
