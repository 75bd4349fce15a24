/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What may stand between a stream connection and the messages in it: TLS, for the transport
 * H248_TLS. This folder knows no TLS; whoever makes a transport brings the filter (src/link has the
 * one with our TLS domains). A filter knows no socket and no clock; one thread, the transport's.
 */
#ifndef GH_H248_FILTER_H
#define GH_H248_FILTER_H

#include "h248/addr.h"

/** The calls of a filter. All are needed. `filter` is what `open` made for one connection. */
struct h248_filter_ops {
	/**
	 * A connection is there.
	 *
	 * @param arg     h248_transport_config.filter_arg
	 * @param remote  the far end; `transport` is H248_TLS
	 * @param server  the far end has connected to us
	 * @return 0; or BASE_LOCAL or BASE_CONFIG with words: the connection is closed
	 */
	int (*open)(void *arg, const struct h248_addr *remote, bool server, void **ret,
	            struct base_error *err);
	/**
	 * Octets have come; with none, begin (a client has the first word). All of them are taken.
	 *
	 * @param clear  gets what they say, and nothing before the peer is authenticated
	 * @param wire   gets what must be sent
	 * @return 0 when the peer is authenticated; BASE_AGAIN while that is still being found out;
	 *         any other error with words when it is over, by the peer's wish or by a failure.
	 *         `clear` may hold what came before the end, `wire` a last word
	 */
	int (*input)(void *filter, const void *data, size_t len, struct base_writer *clear,
	             struct base_writer *wire, struct base_error *err);
	/** Wrap clear octets; only after `input` has returned 0. @return 0, or as `input`. */
	int (*output)(void *filter, const void *data, size_t len, struct base_writer *wire,
	              struct base_error *err);
	/** We end: `wire` gets the last word, if there is one. */
	void (*close)(void *filter, struct base_writer *wire);
	/** Free it, keys included. `why` tells people how the connection ended. */
	void (*free)(void *filter, const char *why);
};

#endif
