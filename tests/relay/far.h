/* SPDX-License-Identifier: Apache-2.0 */
/** @file Far ends that speak TLS: a session of ours over a socket, and other people's programs. */
#ifndef GH_TESTS_RELAY_FAR_H
#define GH_TESTS_RELAY_FAR_H

#include <sys/types.h>

#include "../tls/lab.h"
#include "stage.h"

/** A session of src/tls over a socket, driven by the test, which may misbehave. */
struct far {
	struct stage *stage;
	int fd;
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer out;
	uint8_t clear[65536];
	size_t clear_len;
	int result; /**< of the last read: 0 with `closed`, or an error */
	bool closed, fin;
};

/** Takes over `fd`. */
void far_open(struct far *far, struct stage *stage, int fd, const struct tls_domain_spec *domain,
              const struct tls_session_spec *session);
void far_done(struct far *far);
/** @return 0, or the error the session ended with */
int far_shake(struct far *far);
/** Encrypt into `far->out`; far_flush sends it, so that several things can go in one segment. */
void far_put(struct far *far, const char *text);
void far_flush(struct far *far);
void far_expect(struct far *far, const char *text);
/** Read until close_notify, a failure, FIN or RST. @return 0 close_notify, else what came */
int far_read_end(struct far *far);

/** A program with its standard input and output on one socket, and a file for its errors. */
struct program {
	pid_t pid;
	int fd;
};
/** false when it is not installed. */
bool program_start(struct program *program, const char *const argv[]);
/** Kill it if it runs, and wait for it. */
void program_end(struct program *program);

#endif
