/* SPDX-License-Identifier: Apache-2.0 */
/** @file The client's side of the load generator: what was asked for, a run, what it tells. */
#ifndef GH_BENCH_LOAD_CLIENT_H
#define GH_BENCH_LOAD_CLIENT_H

#include <netinet/in.h>

#include <openssl/ssl.h>

#include "load.h"

#define CHUNK ((size_t)64 * 1024)

/** What a run does. */
enum load_mode { M_HANDSHAKE, M_RESUMED, M_UP, M_DOWN, M_PINGPONG, M_IDLE, M_TOUCH };
struct load_options {
	enum load_mode mode;
	const char *version; /* "1.2", "1.3", "none" = plain TCP */
	const char *suites, *groups, *pids, *psk, *label;
	struct sockaddr_in to;
	unsigned count;       /* connections, or messages of pingpong */
	unsigned concurrency; /* at a time */
	unsigned size;        /* of a pingpong or touch message */
	unsigned mb;          /* bulk */
	int cpu;
};

enum step { S_CONNECT, S_SHAKE, S_HEADER, S_WORK, S_DONE };

struct conn {
	struct load *load;
	int fd;
	SSL *ssl;
	enum step step;
	uint64_t left;  /* octets of the current message or of the bulk */
	uint64_t reply; /* octets still to come back */
	double sent_at;
};

struct load {
	struct load_options o;
	SSL_CTX *ctx;
	SSL_SESSION *session;
	bool primed; /* has a session to resume */
	int epfd;
	unsigned started, open, done, failed, resumed;
	float *latency; /* pingpong, seconds each */
	unsigned latencies;
	const char *version, *suite;
	unsigned char psk[64];
	size_t psk_len;
	char identity[129];
	char chunk[CHUNK];
};

extern const char *const load_mode_names[];

/** Ends the program where options are wrong, and where it is to be the backend. */
struct load_options load_options(int argc, char **argv);

/** Clocks and memory, before a run and after it. */
struct load_reading {
	double wall_s, server_s, own_s, memory_kib;
};
struct load_reading load_read(const struct load_options *o);
/** One line of JSON. */
void load_report(struct load *load, const struct load_reading *a, const struct load_reading *b);

#endif
