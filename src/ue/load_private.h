/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Many user agents on one loop, each with a connection of its own: what its parts know of each
 * other. Private to load*.c.
 */
#ifndef GH_UE_LOAD_PRIVATE_H
#define GH_UE_LOAD_PRIVATE_H

#include "stream/stream.h"
#include "ue/app.h"
#include "ue/load_measure.h"
#include "ue/load_text.h"

/** Kinds of work: name, and what is counted. A user agent does one at a time. */
#define LOAD_WORKS(X)                                                                              \
	X(REGISTER, "register", "connect, TLS, REGISTER, 401, REGISTER, 200")                      \
	X(CHURN, "churn", "the connection dropped, and all of `register` again")                   \
	X(REFRESH, "refresh", "REGISTER once more on the connection that is there")                \
	X(MESSAGE, "message", "a MESSAGE to another of them, until its 200")                       \
	X(CALL, "call", "an INVITE to another of them, 200, ACK, BYE, until its 200")              \
	X(PING, "ping", "CRLF CRLF, until CRLF (RFC 5626, 4.4.1)")                                 \
	X(LEAVE, "leave", "REGISTER with Expires: 0")
enum load_work {
#define LOAD_WORK_ID(id, name, text) LOAD_##id,
	LOAD_WORKS(LOAD_WORK_ID)
#undef LOAD_WORK_ID
	        LOAD_WORK_COUNT
};
const char *load_work_name(enum load_work work);

/** Why a work failed, or a user agent was lost. Answers are counted by their status. */
#define LOAD_FAULTS(X)                                                                             \
	X(REFUSED, "refused")     /* no connection came about */                                   \
	X(LATE, "late")           /* connecting or the handshake took too long */                  \
	X(TLS, "tls")             /* an alert, or the server did not prove itself */               \
	X(CLOSED, "closed")       /* the connection ended in the midst of a work */                \
	X(LOST, "lost")           /* it ended while nothing was asked */                           \
	X(SILENT, "silent")       /* no answer in time */                                          \
	X(GARBLED, "garbled")     /* what came is no SIP, or cannot be answered */                 \
	X(RESOURCES, "resources") /* ours: memory, descriptors, ports */
enum load_fault {
#define LOAD_FAULT_ID(id, name) LOAD_FAULT_##id,
	LOAD_FAULTS(LOAD_FAULT_ID)
#undef LOAD_FAULT_ID
	        LOAD_FAULT_COUNT
};
const char *load_fault_name(enum load_fault fault);

struct load_options {
	const char *config;
	uint32_t count, first, sources;
	double rate[LOAD_WORK_COUNT]; /**< of `register` and `leave`: --rate */
	uint32_t window;              /**< of each kind, at a time */
	uint64_t duration_ms, patience_ms, alive_ms;
	const char *to; /**< address and port; NULL: of the first proxy */
	size_t octets;
	bool full, stay, retry, wait, plain, json, quiet;
};
/** @return 0; 1: the words were wrong, told; 2: help was asked for */
int load_options_read(struct load_options *ret, int argc, char **argv);

struct load_tally {
	struct load_histogram times;
	struct load_pace pace;
	uint64_t done, failed, skipped, first_us, last_us;
	uint32_t active;
	uint32_t window;
};

enum load_state {
	LOAD_DOWN, /**< in `down`, unless it is given up */
	LOAD_BUSY, /**< at a work */
	LOAD_IDLE, /**< registered, in `idle` */
};

struct load_ue {
	struct load *load;
	struct base_node node; /**< of `down` or `idle` */
	struct stream *stream; /**< NULL: none */
	struct sip_framer framer;
	struct loop_timer patience;
	uint64_t due_us;  /**< its work counts from there */
	uint64_t idle_us; /**< since when it is idle */
	char *challenge;
	const char *routes; /**< shared; NULL = none of its own */
	uint32_t number, cseq, answered;
	uint8_t tries; /**< challenges that this work has met */
	bool registered;
	enum load_state state;
	enum load_work work;
	char address[STREAM_ADDR_TEXT];
};

enum load_phase {
	LOAD_ARRIVING,
	LOAD_HELD,
	LOAD_WORKING,
	LOAD_DRAINING,
	LOAD_HELD_AGAIN,
	LOAD_LEAVING
};

#define LOAD_ROUTES_MAX 16

struct load {
	struct load_options options;
	struct ue_app *app;
	struct loop *loop;
	struct streams *streams;
	struct tls_domain *domain; /**< NULL: TCP */
	union stream_addr to;
	char server[256],
	        proven[264]; /**< the server's name, and what it has to prove; may be "" */
	struct load_home home;
	struct base_secret password;
	struct base_arena keep;    /**< of the run */
	struct base_arena scratch; /**< of one message */
	struct base_writer out;
	struct load_ue *ue;
	struct base_node down, idle;
	struct load_tally tally[LOAD_WORK_COUNT];
	uint64_t fault[LOAD_FAULT_COUNT];
	uint64_t status[700]; /**< answers that said no */
	uint64_t lost, full, resumed;
	char tls[96]; /**< version and suite of the last handshake */
	uint32_t up, given_up;
	unsigned turns;
	enum load_phase phase;
	uint64_t began_us, work_us;
	struct loop_timer tick, progress, end, alive;
	struct loop_task turn;
	struct loop_fd input;
	bool over;
	const char *routes[LOAD_ROUTES_MAX]; /**< those that registrars gave */
	unsigned route_count;
};

/* ---- load_ue.c: one of them ---- */

/** Begin a work that is due since then. It is out of every list. */
void load_ue_begin(struct load_ue *ue, enum load_work work, uint64_t due_us);
/** Nothing is told any more. */
void load_ue_done(struct load_ue *ue);

/* ---- load.c ---- */

uint64_t load_now_us(void);
/** Its work is over; it is idle, down, or gone, and in its list. */
void load_over(struct load_ue *ue, bool well);
/** A registration of its own kind: shared by all who got the same. */
const char *load_routes(struct load *load, const struct sip_message *answer);

/* ---- load_report.c ---- */

void load_report_progress(struct load *load);
/** Figures so far; `event` is "registered" or "done". */
void load_report(struct load *load, const char *event);

#endif
