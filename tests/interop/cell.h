/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One cell of the interop matrix, as any TLS library plays its side of it. A program reads one line
 * of words from stdin for each cell and says on stdout what came of it; what all of them share
 * (words, sockets, the talk) is in cell.c, the library in one other file each.
 *
 * Said for each cell: `port N`, of datagrams `port N,M`, by a server; then of each connection `up
 * ...` after the handshake, `again N` for a renegotiation that is complete, and `ok ...` or `failed
 * ...`; at last `end`.
 *
 * The talk: the client says "one" and gets it back; who is to, begins a renegotiation (a change of
 * keys in TLS 1.3); the client says "two" and gets it back, and closes. So that a client whose
 * library does not tell of a renegotiation knows when the server's is over, the server says "go".
 */
#ifndef GH_TESTS_INTEROP_CELL_H
#define GH_TESTS_INTEROP_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cell_kind { CELL_FULL, CELL_TICKET, CELL_ID, CELL_AGAIN };

struct cell {
	bool serve;          /**< we are the server */
	bool datagrams;      /**< DTLS */
	const char *version; /**< "TLS1.0" to "TLS1.3", "DTLS1.0", "DTLS1.2" */
	const char *way;     /**< "RSA", "ECDSA", "PSK", "DHE-PSK", "ECDHE-PSK" */
	bool psk;            /**< of `way` */
	enum cell_kind kind;
	bool begins;      /**< AGAIN: it is we who begin */
	bool go;          /**< a server that begins says "go" */
	const char *http; /**< client: instead of the talk ask for this page; "" = talk */
	bool hangup;      /**< server: close after "two", for clients that do not */
	bool auth;        /**< certificates on both sides, and both are asked for */
	const char *cert, *key, *ca; /**< files (PEM); "" = none */
	const char *secret;          /**< the pre-shared key, hexadecimal digits */
	const char *identity;
	const char *name;   /**< client: whom the server's certificate has to name */
	const char *engine; /**< ours: "openssl", "gnutls" */
	int conns;          /**< how many connections one after the other */
	int port[2];        /**< client: where to; of datagrams each connection has its own */
};

/** What a library knows of a connection. */
struct cell_told {
	char version[16], suite[64];
	const char *resumed; /**< "1", "0"; "" = it cannot tell */
	bool psk;            /**< by a pre-shared key; only ours tells */
	unsigned again;      /**< renegotiations (changes of keys we began) that are complete */
	char why[320];       /**< of what failed */
};

/**
 * A TLS library. Everything waits for the socket, with a limit of time that cell_wait() keeps.
 * Sessions of one `begin` may resume each other.
 */
struct stack {
	/** What all connections of a cell share; false: `why` says what is missing. */
	bool (*begin)(const struct cell *cell, void **ret, char *why, size_t size);
	void (*end)(void *shared);
	/** A session over a connected socket, nothing sent. Not NULL. */
	void *(*open)(void *shared, const struct cell *cell, int fd);
	/** The first handshake. */
	bool (*shake)(void *session);
	/** @return octets, 0 after the peer's close_notify, -1 */
	int (*read)(void *session, char *into, size_t cap);
	bool (*write)(void *session, const char *data, size_t len);
	/** Begin a renegotiation and carry it to its end; in TLS 1.3 a change of keys. */
	bool (*again)(void *session);
	/** Wait until the peer's is complete; NULL where the library cannot tell. */
	bool (*await)(void *session);
	void (*close)(void *session);
	void (*tell)(void *session, struct cell_told *ret);
	void (*free)(void *session);
};

/** The program's one. */
extern const struct stack stack;

/** Wait until `fd` can be read. @return whether it can before the time is over */
bool cell_wait(int fd);
/** Hexadecimal digits to octets. @return how many */
size_t cell_octets(const char *digits, uint8_t *into, size_t cap);
/** Say a line; it is flushed. */
void cell_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
