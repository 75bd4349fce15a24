/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * SCTP sockets of the one-to-many style (RFC 6458, 3) behind a table, so that the kernel's and the
 * library's are used, and tested, by the same code (transport_sctp.c). Not for other folders.
 */
#ifndef GH_H248_SCTP_H
#define GH_H248_SCTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** Registered port of UDP encapsulation (RFC 6951, 4.1). */
#define SCTP_UDP_PORT 9899
/** Payload protocol identifier of H.248 (IANA; sheet 9, R). */
#define SCTP_PPID_H248 7

/** What one read saw. */
enum sctp_sight {
	SEEN_NOTHING, /* read on */
	SEEN_DATA,
	SEEN_UP,        /* an association is there; `restarted`: in the place of one that was */
	SEEN_DOWN,      /* it has ended, or could not be made */
	SEEN_PATH_DOWN, /* an address of the peer is no longer reached */
	SEEN_PATH_UP,
};

struct sctp_seen {
	enum sctp_sight sight;
	uint32_t assoc;
	bool restarted;
	bool last; /* SEEN_DATA: the message ends here (else its next part follows: partial
	              delivery) */
	uint32_t ppid;
	size_t len;
	const char *why; /* SEEN_DOWN */
};

struct sctp_setup {
	uint16_t udp_port;    /* of encapsulation: ours */
	uint16_t udp_remote;  /* of those we connect to */
	uint32_t send_buffer; /* octets */
};

/*
 * Results are 0 or an errno; EAGAIN: later. All sockets are non-blocking. `s` is what open made.
 */
struct sctp_backend {
	const char *name;
	/* EPROTONOSUPPORT: not on this machine. */
	int (*open)(void **ret, int family, const struct sctp_setup *setup);
	/* A descriptor that becomes readable (edge) when there may be something to read or room to
	 * write. The backend's; closed by close. */
	int (*fd)(const void *s);
	/* The first address; with `more`, a further one of the same endpoint (RFC 6458, 9.1). */
	int (*bind)(void *s, const struct sockaddr *sa, socklen_t len, bool more);
	int (*listen)(void *s);
	/* The port that was bound, network order. */
	int (*port)(void *s, in_port_t *ret);
	int (*connect)(void *s, const struct sockaddr *sa, socklen_t len, uint32_t *ret_assoc);
	/*
	 * The address that the peer has proven to be reached by (RFC 4960, 5.4): a peer may name
	 * any others in its INIT, our controller's too.
	 */
	int (*peer)(void *s, uint32_t assoc, struct sockaddr_storage *ret);
	/* One whole message, ordered, on stream 0. */
	int (*send)(void *s, uint32_t assoc, const void *data, size_t len);
	/* Graceful shutdown of an association, or abort. */
	void (*end)(void *s, uint32_t assoc, bool abort);
	int (*recv)(void *s, void *buf, size_t cap, struct sctp_seen *ret);
	/* Associations that are left are shut down gracefully. */
	void (*close)(void *s);
};

/** NULL where it was not built. */
extern const struct sctp_backend *const transport_sctp_kernel, *const transport_sctp_usr;

/* How fast a lost path and a lost peer are noticed, milliseconds (P; RFC 4960, 16 allows it:
 * RTO.Min is meant for the Internet, H.248 runs in operators' networks). */
#define SCTP_RTO_INITIAL   1000
#define SCTP_RTO_MIN       300
#define SCTP_RTO_MAX       4000
#define SCTP_HEARTBEAT_MS  5000
#define SCTP_PATH_RETRANS  2
#define SCTP_ASSOC_RETRANS 6
#define SCTP_INIT_TRIES    4

#endif
