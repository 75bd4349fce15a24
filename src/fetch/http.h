/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * HTTP GET, many at a time, on the loop; the only user of libcurl. Each response is held to the
 * limits while it comes, and each redirect to the allow-list.
 */
#ifndef GH_FETCH_HTTP_H
#define GH_FETCH_HTTP_H

#include "fetch/url.h"
#include "fetch/validators.h"
#include "loop/loop.h"

struct fetch_http;
struct fetch_http_get;

struct fetch_http_settings {
	const struct fetch_allow *allow;
	const char *proxy;   /**< NULL = none, whatever the environment says */
	const char *anchors; /**< PEM file for https; NULL = https fails */
	unsigned redirects;  /**< that are followed */
	unsigned parallel;   /**< connections that are kept */
};

/** @param settings  copied; what it points at is borrowed while it lives */
int fetch_http_new(struct fetch_http **ret, struct loop *loop,
                   const struct fetch_http_settings *settings);
/** Cancels what is under way. NULL is fine. Not inside a callback. */
void fetch_http_free(struct fetch_http *http);

struct fetch_http_order {
	const char *url; /**< copied */
	uint64_t connect_ms;
	uint64_t total_ms; /**< with all redirects */
	size_t max_octets; /**< refused by Content-Length, or else while it comes */
	/** Only if it has changed since (RFC 9110, 13.1); NULL or none = in any case. Copied. */
	const struct fetch_validators *unless;
};

/**
 * The end of a GET, whose storage is gone afterwards.
 * @param rc    0; BASE_PEER (unreachable, too slow, too large, cut short, another status than 200);
 *              BASE_CONFIG (not allowed); BASE_LOCAL
 * @param body  of a 200; may be taken over by emptying it. Empty: not modified (304), which is a
 *              failure where no condition was set
 * @param validators  of a 200 at the order's own URL: none where a redirect led elsewhere
 */
typedef void fetch_http_fn(void *arg, int rc, struct base_writer *body,
                           const struct fetch_validators *validators, const struct base_error *err);

/** `fn` is called later, never within. @return 0; as `rc` above where it could not begin */
int fetch_http_start(struct fetch_http_get **ret, struct fetch_http *http,
                     const struct fetch_http_order *order, fetch_http_fn *fn, void *arg,
                     struct base_error *err);
/** `fn` will not be called. NULL is fine. */
void fetch_http_cancel(struct fetch_http_get *get);

#endif
