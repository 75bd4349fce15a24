/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Connections to the server that is looked at, each with a deadline; the words before TLS
 * (STARTTLS); and probes: one ClientHello and what came of it. Blocks; several threads may.
 */
#ifndef GH_CHECK_WIRE_H
#define GH_CHECK_WIRE_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "check/answer.h"

enum check_starttls {
	CHECK_STARTTLS_NONE,
	CHECK_STARTTLS_SMTP, /**< RFC 3207 */
	CHECK_STARTTLS_IMAP, /**< RFC 3501, 6.2.1 */
	CHECK_STARTTLS_POP3, /**< RFC 2595, 4 */
	CHECK_STARTTLS_FTP,  /**< RFC 4217 */
	CHECK_STARTTLS_LDAP, /**< RFC 4511, 4.14 */
};

/** Whom to look at, and how much. Shared by the threads of one survey. */
struct check_target {
	char name[280]; /**< "HOST:PORT", for people */
	char host[256];
	uint16_t port;
	struct sockaddr_storage address;
	socklen_t address_len;
	const char *server_name; /**< for SNI: `host`, unless it is an address; NULL = none */
	enum check_starttls starttls;
	bool dtls;
	bool listens;         /**< a client is waited for there */
	unsigned timeout_ms;  /**< for each thing that is waited for */
	unsigned parallel;    /**< connections at a time */
	unsigned connections; /**< at most, altogether */
	atomic_uint opened, stalled;
	atomic_uint
	        lost; /**< datagrams that seem to be: something came when they were said again */
	/** Of datagrams: a hello that it answers. NULL = none is known, and silence may be
	 * slowness. */
	const struct check_offer *known;
	atomic_uint known_ms; /**< what that took at best */
	atomic_bool
	        cookies; /**< it is answered with a cookie first: by who has heard all before it */
	atomic_uint silences; /**< that were refusals */
};

/** After so many that stalled no further probe is sent: they take `timeout_ms` each. */
#define CHECK_STALLS_MAX 12

/** "HOST:PORT", "[ADDRESS]:PORT". @return 0, or BASE_CONFIG saying what is wrong */
int check_target_find(struct check_target *target, const char *where, struct base_error *err);
/** The style of that name, or -1. */
int check_starttls_find(const char *name);

/** A connection. `in` is all that came. */
struct check_wire {
	struct check_target *target;
	int fd; /**< -1 = none */
	struct base_writer in;
	unsigned wait_ms; /**< for each thing that is waited for */
	int64_t until_ms; /**< the connection's own end, however it drips; 0 = none */
	bool ended;
	const struct check_wire *beside; /**< what comes there ends the waiting here; or NULL */
};

/** A connection that is not made yet; its time runs: ten times the target's timeout. */
void check_wire_begin(struct check_wire *wire, struct check_target *target);

/** Connect, and say the words before TLS. @return CHECK_NOTHING, or what became of it */
enum check_outcome check_wire_open(struct check_wire *wire, struct check_target *target);
void check_wire_close(struct check_wire *wire);
/** @return false when the connection is gone */
bool check_wire_send(struct check_wire *wire, const void *data, size_t len);
/** Wait for more. @return false when nothing came in time; `ended` at the end */
bool check_wire_more(struct check_wire *wire);

/** Has something come that was not read yet? */
bool check_wire_ready(const struct check_wire *wire);
int64_t check_now_ms(void);

struct check_probe {
	struct check_offer offer;
	uint16_t one; /**< storage for an offer of one code */
	bool wanted;  /**< to be sent */
	bool first;   /**< of datagrams: a cookie is answer enough */
	bool cookied; /**< one came */
	bool last;    /**< of datagrams: whatever becomes of it, an alert ends it */
	struct check_answer answer;
	struct base_writer sent, seen;
};

/** Offer one code alone: room for it is in the probe. */
static inline struct profile_codes check_probe_one(struct check_probe *probe, uint16_t code)
{
	probe->one = code;
	return (struct profile_codes){ &probe->one, 1 };
}

/** Send every probe that is wanted and was not sent, `parallel` at a time. */
void check_probes_run(struct check_target *target, struct check_probe *probe, size_t count);
void check_probe_done(struct check_probe *probe);
/**
 * Does it answer `known`, of datagrams? Who is silent upon something and answers that, before and
 * after, has refused. `beside` may be NULL: what comes there ends the waiting.
 */
bool check_target_alive(struct check_target *target, const struct check_wire *beside);
/** It did not: an alert ends what it may hang in. @return it answers now: what it was silent upon
 * may be asked again */
bool check_target_revive(struct check_target *target);

#endif
