/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * TLS between a library of HTTP and the network: the library has one end of two sockets that are
 * connected, a stream of ours is behind the other. Private to this folder.
 */
#ifndef GH_HTTP_BRIDGE_H
#define GH_HTTP_BRIDGE_H

#include "http/private.h"
#include "stream/stream.h"

struct http_bridge;

struct http_bridge_ops {
	/** The stream is up; NULL: nobody wants to know. May close the bridge. */
	void (*up)(void *arg, struct http_bridge *bridge);
	/** It is over, the bridge frees itself. `end` is NULL where the library has closed it. */
	void (*down)(void *arg, struct http_bridge *bridge, const struct stream_end *end);
};

/** A bridge without its stream yet; it is in `list` as long as it is there. NULL: memory. */
struct http_bridge *http_bridge_new(struct base_node *list, struct loop *loop,
                                    const struct http_bridge_ops *ops, void *arg);
/** For the spec of its stream. */
struct stream_ops http_bridge_stream_ops(struct http_bridge *bridge);
void http_bridge_stream_set(struct http_bridge *bridge, struct stream *stream);
struct stream *http_bridge_stream(const struct http_bridge *bridge);
/** The library's end, non-blocking, its own from here on. @return -1 when there is none to be had
 */
int http_bridge_open(struct http_bridge *bridge);
/**
 * The same for a library that will connect it itself, to `ret` (abstract, of this process alone),
 * soon. Octets of the network wait until then.
 */
int http_bridge_await(struct http_bridge *bridge, struct sockaddr_un *ret, socklen_t *ret_len);
/** At once; `down` is not called. NULL is fine. */
void http_bridge_free(struct http_bridge *bridge);
/** All of the list. */
void http_bridges_free(struct base_node *list);

#endif
