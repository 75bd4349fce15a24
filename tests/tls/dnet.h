/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Two datagram sessions, the network between them and the clock of both. Nothing here waits: a
 * lost flight costs no more than the next line.
 */
#ifndef GH_TESTS_TLS_DNET_H
#define GH_TESTS_TLS_DNET_H

#include "lab.h"

struct dnet;

/** What becomes of a datagram: copies that arrive, and how much later than usual the first does. */
struct dnet_fate {
	unsigned copies;
	uint32_t late_ms;
};
/** `index`: the how manyth of that side, from 0. */
typedef struct dnet_fate dnet_rule(struct dnet *net, enum tls_role from, unsigned index,
                                   struct base_str datagram);

struct dnet_flying {
	struct dnet_flying *next;
	enum tls_role to;
	uint64_t at_ms;
	size_t len;
	uint8_t data[];
};

struct dnet {
	struct tls_domain *domain[2];
	struct tls_context *context[2];
	struct tls_session *session[2]; /**< the server's: NULL before a cookie was seen */
	int result[2];                  /**< of the handshake; of a read that failed later */
	struct base_writer clear[2];    /**< what that side has read */
	unsigned messages[2];           /**< of those */
	unsigned sent[2];               /**< datagrams */
	size_t longest[2];              /**< of those */
	uint32_t way_ms;                /**< one way */
	uint64_t now_ms;
	struct dnet_flying *flying; /**< by time of arrival */
	dnet_rule *rule;            /**< NULL = all arrive */
	uintptr_t param;            /**< the rule's */
};

/** Made, nothing sent. NULL session specs are the plain ones; all are made datagram ones. */
void dnet_open(struct dnet *net, const struct tls_domain_spec *server,
               const struct tls_domain_spec *client, const struct tls_session_spec *server_s,
               const struct tls_session_spec *client_s);
/** By one of the ways to show who one is. */
struct way {
	const char *profile;
	bool rsa, psk;
	uint16_t version;
};

void dnet_open_way(struct dnet *net, struct lab_sides *sides, const struct way *way);
/** Replace both sessions by fresh ones of the same contexts; nothing may be under way. */
void dnet_again(struct dnet *net, const struct tls_session_spec *server_s,
                const struct tls_session_spec *client_s);
/** The same, and the server has no session before it has seen a cookie (tls_hello_check). */
void dnet_again_with_cookies(struct dnet *net, const struct tls_session_spec *client_s);
void dnet_close(struct dnet *net);
/** Until both are up or have failed and nothing is under way. */
void dnet_shake(struct dnet *net);
/** Until nothing is under way. */
void dnet_settle(struct dnet *net);
/** Until that time. */
void dnet_run(struct dnet *net, uint64_t until_ms);
/** One side begins a renegotiation; what it writes is on its way then. */
enum tls_again dnet_renegotiate(struct dnet *net, enum tls_role by);
/** Write one message; it is on its way then. */
void dnet_write(struct dnet *net, enum tls_role from, const void *data, size_t len);
/** Put a datagram under way as if `from` had sent it; no rule looks at it. */
void dnet_inject(struct dnet *net, enum tls_role from, const void *data, size_t len);
struct tls_info dnet_info(const struct dnet *net, enum tls_role role);
void dnet_assert_up(const struct dnet *net);
/** Both write a message, which arrives. */
void dnet_assert_talk(struct dnet *net);

/**
 * A rule: a pseudo-random network that loses a fifth, sends a fifth twice, and lets a third come
 * late and so be overtaken. `param` is its seed.
 */
struct dnet_fate dnet_storm(struct dnet *net, enum tls_role from, unsigned index,
                            struct base_str datagram);

#endif
