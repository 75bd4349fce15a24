/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of `gatehouse lab interconnect`: two operators on loopback, each with its authorities, a
 * Certificate Repository (slapd), a CRL server (nginx), a fetcher and a gateway; the lab is both
 * controllers and all that is behind the gateways. One thread. docs/interconnect.md shows it.
 *
 * All is in one folder; whatever was started is ended with it, by its pid.
 */
#ifndef GH_CLI_LAB_H
#define GH_CLI_LAB_H

#include "cli/play.h"

#define LAB_PATIENCE_MS 15000
#define LAB_LEAVE_MS    10000
#define LAB_TLS_MAX     64

/** An operator. */
struct lab_operator {
	const char *name; /**< "a", "b": its folder, and its names end in NAME.example */
	unsigned http_port, ldap_port;
	struct play_child *gateway, *nginx, *slapd, *fetch; /**< NULL while it does not run */
	struct play_mgc mgc;
};

struct lab {
	struct loop *loop;
	struct loop_timer timer;
	struct play_ladder ladder; /**< off: only H.248's parts want one */
	struct base_node children;
	struct lab_operator a, b;
	char dir[128], bin[256];
	bool keep, commands, interrupted, expired;
	unsigned failed; /**< expectations that did not hold */
	uint64_t start_ms;
};

/* ---- telling, waiting, processes (lab_run.c) ---- */

/** A line about what was done. */
void lab_say(const struct lab *lab, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** A line about what came, and whether it is what had to come; counts. */
void lab_check(struct lab *lab, bool held, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/** Let the loop run until `done`, at most that long. @return 0; BASE_PEER when it did not come, or
 * with "interrupted" */
int lab_until(struct lab *lab, bool (*done)(void *arg), void *arg, uint64_t ms);
/** Let that much time pass. */
int lab_wait(struct lab *lab, uint64_t ms);

/** Run a command in the lab's folder; it has to end well. @return 0 or BASE_PEER with its words */
int lab_run(struct lab *lab, struct base_error *err, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/** Start a program that stays. */
int lab_start(struct lab *lab, struct play_child **ret, const char *name, struct base_error *err,
              const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** SIGTERM, and its end, which has to be a good one. NULL inside is fine. */
void lab_stop(struct lab *lab, struct play_child **child);
/** Write a file in the lab's folder. */
int lab_write(struct lab *lab, const char *name, struct base_error *err, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
/** A port that nobody has, outside the range from which the kernel gives ports away. */
unsigned lab_port(void);
/** Does anybody listen there (loopback)? */
bool lab_listens(unsigned port);
/** How often these words are in what it has written. */
unsigned lab_said(struct play_child *child, const char *words);
/** Say what decided, from the last of its log lines with these words. */
void lab_why(struct lab *lab, struct play_child *child, const char *words);
/** The first group of the expression in the text, cut to `cap`. @return false = not found */
bool lab_find(const char *text, const char *regex, char *out, size_t cap);

/* ---- an operator (lab_operator.c) ---- */

/** Its folder and authorities, and certificates for its gateway. */
int lab_operator_pki(struct lab *lab, struct lab_operator *op, struct base_error *err);
/** `op` vouches for `peer`'s TLS client or server CA; the cross-certificate is OP/cross/AS.pem. */
int lab_operator_vouch(struct lab *lab, struct lab_operator *op, const struct lab_operator *peer,
                       const char *role, const char *as, struct base_error *err);
/** CRLs, certificates and cross-certificates, onto its CRL server and into its repository. */
int lab_operator_publish(struct lab *lab, struct lab_operator *op, struct base_error *err);
/** A new CRL of one of its authorities, published. `seconds` 0 = a day. */
int lab_operator_crl(struct lab *lab, struct lab_operator *op, const char *ca, unsigned seconds,
                     struct base_error *err);
/** A certificate for its gateway under that name, of that role. */
int lab_operator_issue(struct lab *lab, struct lab_operator *op, const char *name, const char *role,
                       struct base_error *err);
/** Its repository and its CRL server. */
int lab_servers_start(struct lab *lab, struct lab_operator *op, struct base_error *err);
int lab_nginx_start(struct lab *lab, struct lab_operator *op, struct base_error *err);
/** Its fetcher, and its gateway once the cache is filled. */
int lab_gateway_start(struct lab *lab, struct lab_operator *op, struct base_error *err);

/** What its fetcher's metrics say of one of its sources; 0 where they say nothing. */
unsigned long lab_metric(struct lab *lab, struct lab_operator *op, const char *name,
                         const char *source);
/** Its gateway's file, with these domains. */
int lab_gateway_write(struct lab *lab, struct lab_operator *op, const char *const *domains,
                      struct base_error *err);
/** SIGHUP: read the file again, and wait until it has. */
int lab_reload(struct lab *lab, struct play_child *child, struct base_error *err);

/* ---- calls (lab_call.c) ---- */

enum lab_outcome { LAB_UP, LAB_REFUSED };

/** A call: plain TCP, gateway, TLS, gateway, plain TCP. The first operator's gateway is the client.
 */
struct lab_call {
	struct lab_operator *end[2];
	char domain[32];
	char context[2][16], tls[2][LAB_TLS_MAX];
	int fd[2];                    /**< the plain ends, both the lab's; -1 */
	char version[32], reason[64]; /**< of TLS; why it was refused, or ended */
};

/** Set it up and see what comes of it. @return 0 with *ret set; else H.248 itself failed */
int lab_call(struct lab *lab, struct lab_call *call, struct lab_operator *from,
             struct lab_operator *to, const char *domain, enum lab_outcome *ret,
             struct base_error *err);
/** Do octets go through, both ways? */
bool lab_call_talks(struct lab_call *call);
/** Has the TLS session ended, by what either gateway says, within that time? */
bool lab_call_ends(struct lab *lab, struct lab_call *call, uint64_t ms);
/** Take the contexts away. */
void lab_call_done(struct lab *lab, struct lab_call *call);

/* ---- the story (lab_story.c) ---- */

/** One step of it. @return 0, also when what came was not what had to come (lab_check tells that)
 */
struct lab_step {
	const char *title;
	int (*run)(struct lab *lab, struct base_error *err);
};
extern const struct lab_step lab_interconnect[];
extern const size_t lab_interconnect_count;

#endif
