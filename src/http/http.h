/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * HTTP/1.1 on the event loop: a small server (libmicrohttpd) and a client that posts (libcurl),
 * plain or inside TLS by one of our domains, of which the libraries know nothing. No threads but
 * curl's for looking up names; everything here belongs to the loop's thread.
 */
#ifndef GH_HTTP_H
#define GH_HTTP_H

#include <sys/socket.h>

#include "base/base.h"
#include "http/metrics.h"
#include "loop/loop.h"
#include "stream/stream.h"

/* ---- server ---- */

struct http_server;
/** A request that waits for its answer. */
struct http_request;

/**
 * A whole request has come: answer it once, with http_answer(), in the call or later. A request
 * that is larger than allowed, too slow or no HTTP never gets here.
 */
typedef void http_request_fn(void *arg, struct http_request *request);

/** Where and how much. All is copied. */
struct http_server_spec {
	struct sockaddr_storage listen; /**< IPv4 or IPv6 with a port; port 0 = any */
	http_request_fn *fn;
	void *arg;
	size_t body_max;           /**< octets; larger: 413. 0 = 64 KiB */
	unsigned connections;      /**< at a time; others wait in the kernel. 0 = 1024 */
	unsigned per_source;       /**< of them from one address; 0 = 64 */
	uint32_t request_ms;       /**< from a connection's begin, or the last answer, to a whole
	                                request: then it is closed. 0 = 30 s */
	unsigned requests_max;     /**< that wait for their answers; more: 503. 0 = 4096 */
	struct tls_domain *domain; /**< HTTPS; referenced. NULL = plain */
	struct streams *streams;   /**< of HTTPS, of the same loop; outlive the server */
	bool anybody; /**< clients of HTTPS need not prove who they are, where the domain lets them
	               */
};

/** @return 0; BASE_CONFIG when the address cannot be had; BASE_LOCAL */
int http_server_new(struct http_server **ret, struct loop *loop,
                    const struct http_server_spec *spec, struct base_error *err);
/** NULL is fine. Requests that wait are over: nobody may answer them. Not from its own callback. */
void http_server_free(struct http_server *server);
/** Another domain, for connections to come; of a server that has one. */
void http_server_domain_set(struct http_server *server, struct tls_domain *domain);
/** The port that it listens on. */
uint16_t http_server_port(const struct http_server *server);
/** What is at work, and what was turned away before anybody was asked. */
struct http_counts {
	uint64_t connections; /**< that were made */
	unsigned open;        /**< of them now */
	uint64_t requests;    /**< handed to `fn` */
	uint64_t too_large, too_slow, too_many;
};
void http_server_counts(const struct http_server *server, struct http_counts *ret);

/* Of a request; borrowed until it is answered. */
const char *http_method(const struct http_request *request);
/** Decoded (RFC 3986, 2.1), but for %00, without the query. */
const char *http_path(const struct http_request *request);
/** An argument of the query, decoded likewise; "" when it has no value, NULL when it is not there.
 */
const char *http_argument(const struct http_request *request, const char *name);
/** Is the Content-Type this media type, whatever its parameters (RFC 9110, 8.3.1)? */
bool http_type_is(const struct http_request *request, const char *type);
struct base_str http_body(const struct http_request *request);
/** "192.0.2.1:40000", "[2001:db8::1]:40000" */
const char *http_peer(const struct http_request *request);

/** An answer. All is copied. */
struct http_reply {
	unsigned status;  /**< 200 to 599 */
	const char *type; /**< Content-Type; NULL = none */
	struct base_str body;
	const char *allow; /**< of 405: the methods; NULL = none */
};
/** Answer it; afterwards it is no more. When memory is short its connection is closed. */
void http_answer(struct http_request *request, const struct http_reply *reply);

/* ---- client ---- */

struct http_client;
/** A question on its way. */
struct http_call;

struct http_client_spec {
	uint32_t connect_ms; /**< 0 = 5 s */
	uint32_t total_ms;   /**< until the whole answer is there; 0 = 10 s */
	size_t body_max;     /**< octets of an answer; 0 = 64 KiB */
	/** That are kept for the next question; 0 = 4. Plain ones: with TLS each question has one
	 * of its own, and resumes where the domain does. */
	unsigned connections;
	const char *user_agent;    /**< NULL = none is told */
	struct tls_domain *domain; /**< then URLs are https://, and no others; referenced */
	struct streams *streams;   /**< for them, of the same loop; outlive the client */
	/** The name that servers' certificates must prove; NULL = the one in the URL. */
	const char *peer_name;
};

/** @return 0 or BASE_LOCAL. All is copied. */
int http_client_new(struct http_client **ret, struct loop *loop,
                    const struct http_client_spec *spec);
/** NULL is fine. Calls on their way are cancelled. Not from a callback of its own. */
void http_client_free(struct http_client *client);

struct http_post {
	const char *url;  /**< http://HOST[:PORT]/PATH[?QUERY], or https:// */
	const char *type; /**< Content-Type of the body, and the one that is accepted */
	struct base_str body;
};

/**
 * What came of it. `rc` 0: there is an answer, whatever its status. BASE_PEER: there is none, `err`
 * says why (not reached, too late, too large, no HTTP); BASE_LOCAL.
 */
struct http_result {
	int rc;
	unsigned status;  /**< 0 where there was no answer */
	const char *type; /**< its Content-Type without parameters; "" where it has none */
	struct base_str body;
	const struct base_error *err;
};
/** Everything is borrowed for the call. The struct http_call is over then. */
typedef void http_done_fn(void *arg, const struct http_result *result);

/**
 * POST. Redirects are not followed, no proxy is asked. It is sent again by libcurl only where a
 * server has closed a connection that was kept, before any answer. `fn` is called later, never from
 * here.
 *
 * @param ret  to cancel it; NULL is fine
 * @return 0; BASE_CONFIG when the URL is none; BASE_LOCAL. `fn` is not called then.
 */
int http_post_start(struct http_call **ret, struct http_client *client,
                    const struct http_post *post, http_done_fn *fn, void *arg,
                    struct base_error *err);
/** `fn` will not be called. NULL is fine. */
void http_cancel(struct http_call *call);

#endif
