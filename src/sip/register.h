/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A registration that is kept alive (RFC 3261, 10): REGISTER, refreshed in time, tried again after
 * a failure, taken back at the end; the Service-Route of the answer (RFC 3608) for requests that
 * follow. Challenges are answered by the user agent's credentials.
 */
#ifndef GH_SIP_REGISTER_H
#define GH_SIP_REGISTER_H

#include "sip/ua.h"

struct sip_register;

enum sip_register_what {
	SIP_REGISTERED,   /**< now, or anew */
	SIP_UNREGISTERED, /**< as it was told to */
	SIP_UNANSWERED,   /**< refused or not answered: see `status`; it is tried again later */
};

/** @param msg  the response, borrowed; NULL = there was none */
typedef void sip_register_fn(void *user, enum sip_register_what what, unsigned status,
                             const struct sip_message *msg);

/** All copied. */
struct sip_register_config {
	struct base_str registrar;     /**< the Request-URI: `sip:example.com` */
	struct base_str aor;           /**< name-addr of who is registered: `<sip:a@example.com>` */
	const struct base_str *routes; /**< elements of Route: the P-CSCF */
	size_t route_count;
	uint32_t expires_s; /**< asked for; 0 = 3600 */
	const char *lines;  /**< header lines more; NULL = none */
};

/** The first REGISTER goes out; `fn` is called later. @return 0; BASE_LOCAL */
int sip_register_new(struct sip_register **ret, struct sip_ua *ua,
                     const struct sip_register_config *config, sip_register_fn *fn, void *user);
/** Take it back (Expires: 0), once what is under way has been answered; SIP_UNREGISTERED or
 * SIP_UNANSWERED follows, and nothing after it. */
void sip_register_stop(struct sip_register *r);
/** Nothing is sent; no `fn` any more. Before its user agent is freed, not within `fn`. NULL is
 * fine. */
void sip_register_free(struct sip_register *r);

/** Until it is over, or fails: the last answer said yes. */
bool sip_register_is(const struct sip_register *r);
/**
 * Routes of requests outside of dialogs: the Service-Route, each an element for
 * sip_call_setup.routes; without one, the routes that it was given. Valid until the next `fn`.
 */
const struct base_str *sip_register_routes(const struct sip_register *r, size_t *ret_count);

#endif
