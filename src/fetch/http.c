/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl wants level-triggered readiness, our loop is edge-triggered. So its sockets are in an
 * epoll of their own, which stands in the loop as one descriptor, and each time that wakes up it is
 * asked until it has nothing more to tell.
 */
#include "fetch/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <curl/curl.h>

#define ROUNDS     64 /* until others get their turn */
#define EVENTS     32
#define HEADER_MAX 65536

struct fetch_http {
	struct loop *loop;
	struct fetch_http_settings settings;
	CURLM *multi;
	struct loop_fd watch;
	struct loop_timer timer;
	struct loop_task again;
	struct base_node gets;
};

struct fetch_http_get {
	struct base_node node;
	struct fetch_http *http;
	CURL *easy;
	struct fetch_url at;
	struct base_writer body;
	size_t header_len;
	uint64_t deadline_ms, connect_ms;
	unsigned redirects;
	struct curl_slist *conditions; /* NULL = none was set */
	struct fetch_validators validators;
	struct base_error err;
	char reason[CURL_ERROR_SIZE];
	fetch_http_fn *fn;
	void *arg;
};

/* ---- one GET ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct fetch_http_get *get = arg;

	base_writer_put(&get->body, data, size * count);
	if (!get->body.failed)
		return size * count;
	base_error_set(&get->err, BASE_ERR(BASE_PEER, EFBIG),
	               "the response is larger than %zu octets (limits.size)", get->body.limit);
	return 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct fetch_http_get *get = arg;

	get->header_len += size * count;
	fetch_validators_line(&get->validators, (struct base_str){ data, size * count });
	if (get->header_len <= HEADER_MAX)
		return size * count;
	base_error_set(&get->err, BASE_ERR(BASE_PEER, EFBIG),
	               "the response's header is larger than %d octets", HEADER_MAX);
	return 0;
}

static void get_free(struct fetch_http_get *get)
{
	if (!get)
		return;
	if (get->easy)
		(void)curl_multi_remove_handle(get->http->multi, get->easy); /* not in it: fine */
	curl_easy_cleanup(get->easy);
	curl_slist_free_all(get->conditions);
	base_writer_done(&get->body);
	base_list_remove(&get->node);
	free(get);
}

/* The length of the option's third argument's type is curl's to check; a failure is memory. */
#define SET(option, value) (failed = failed || curl_easy_setopt(get->easy, option, value))

static int easy_fill(struct fetch_http_get *get, const struct fetch_http_order *order)
{
	const struct fetch_http_settings *s = &get->http->settings;
	bool failed = false;

	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L); /* redirects are ours to judge */
	SET(CURLOPT_PROXY, s->proxy ? s->proxy : "");
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name server that does not answer */
	SET(CURLOPT_USERAGENT, "gatehouse-fetch");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CAINFO, s->anchors ? s->anchors : "/dev/null");
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)order->max_octets);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, get);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, get);
	SET(CURLOPT_ERRORBUFFER, get->reason);
	SET(CURLOPT_PRIVATE, get);
	return failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}

static bool condition_add(struct fetch_http_get *get, const char *name, const char *value)
{
	char line[200];
	struct curl_slist *more;

	if (!value[0])
		return true;
	(void)snprintf(line, sizeof(line), "%s: %s", name, value); /* both are short */
	more = curl_slist_append(get->conditions, line);
	if (more)
		get->conditions = more;
	return more != NULL;
}

static int conditions_set(struct fetch_http_get *get, const struct fetch_validators *v)
{
	bool failed = false;

	if (!v)
		return 0;
	if (!condition_add(get, "If-None-Match", v->etag) ||
	    !condition_add(get, "If-Modified-Since", v->modified))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	SET(CURLOPT_HTTPHEADER, get->conditions);
	return failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}

/* Another URL has other versions. */
static void conditions_drop(struct fetch_http_get *get)
{
	(void)curl_easy_setopt(get->easy, CURLOPT_HTTPHEADER, NULL); /* takes no memory */
	curl_slist_free_all(get->conditions);
	get->conditions = NULL;
}

/* Ask there, within what is left of the time. */
static int ask(struct fetch_http_get *get, const char *url)
{
	uint64_t now = loop_now_ms(get->http->loop);
	long left = get->deadline_ms > now ? (long)(get->deadline_ms - now) : 1;
	bool failed = false;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_TIMEOUT_MS, left);
	SET(CURLOPT_CONNECTTIMEOUT_MS, BASE_MIN((long)get->connect_ms, left));
	get->header_len = 0;
	get->reason[0] = '\0';
	base_writer_reset(&get->body);
	if (failed || curl_multi_add_handle(get->http->multi, get->easy))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	return 0;
}

int fetch_http_start(struct fetch_http_get **ret, struct fetch_http *http,
                     const struct fetch_http_order *order, fetch_http_fn *fn, void *arg,
                     struct base_error *err)
{
	struct fetch_url at;
	struct fetch_http_get *get;
	int rc = fetch_url_parse(base_str_of(order->url), &at, err);

	if (!rc)
		rc = fetch_allow_url(http->settings.allow, &at, err);
	if (rc)
		return rc;
	get = calloc(1, sizeof(*get));
	if (!get)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_append(&http->gets, &get->node);
	get->http = http;
	get->at = at;
	get->body.limit = order->max_octets;
	get->connect_ms = order->connect_ms;
	get->deadline_ms = loop_now_ms(http->loop) + order->total_ms;
	get->fn = fn;
	get->arg = arg;
	get->easy = curl_easy_init();
	rc = get->easy ? easy_fill(get, order) : BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!rc)
		rc = conditions_set(get, order->unless);
	if (!rc)
		rc = ask(get, order->url);
	if (rc)
		goto out;
	*ret = get;
	get = NULL;
out:
	get_free(get);
	return rc;
}

void fetch_http_cancel(struct fetch_http_get *get)
{
	get_free(get);
}

/* ---- its end ---- */

static int failure(struct fetch_http_get *get, CURLcode code)
{
	if (get->err.rc)
		return get->err.rc; /* a limit of ours ended it */
	if (code == CURLE_FILESIZE_EXCEEDED)
		return base_error_set(&get->err, BASE_ERR(BASE_PEER, EFBIG),
		                      "the response is larger than %zu octets (limits.size)",
		                      get->body.limit);
	if (code == CURLE_OUT_OF_MEMORY)
		return base_error_set(&get->err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	return base_error_set(&get->err, BASE_ERR(BASE_PEER, 0), "%s",
	                      get->reason[0] ? get->reason : curl_easy_strerror(code));
}

/* @return 1 when it goes on elsewhere */
static int redirect(struct fetch_http_get *get)
{
	struct base_error why = { 0 };
	struct fetch_url to;
	char *url = NULL;
	int rc;

	if (curl_easy_getinfo(get->easy, CURLINFO_REDIRECT_URL, &url) || !url)
		return base_error_set(&get->err, BASE_ERR(BASE_PEER, 0),
		                      "a redirect that does not say where");
	if (get->redirects >= get->http->settings.redirects)
		return base_error_set(&get->err, BASE_ERR(BASE_PEER, ELOOP),
		                      "more than %u redirects (limits.redirects)",
		                      get->http->settings.redirects);
	rc = fetch_url_parse(base_str_of(url), &to, &why);
	if (!rc)
		rc = fetch_allow_redirect(get->http->settings.allow, &get->at, &to, &why);
	if (rc)
		return base_error_set(&get->err, rc, "redirected: %s", why.text);
	get->redirects++;
	get->at = to;
	(void)curl_multi_remove_handle(get->http->multi, get->easy); /* it has ended */
	conditions_drop(get);
	rc = ask(get, url);
	return rc ? rc : 1;
}

static int judge(struct fetch_http_get *get, CURLcode code)
{
	long status = 0;

	if (code)
		return failure(get, code);
	(void)curl_easy_getinfo(get->easy, CURLINFO_RESPONSE_CODE, &status); /* 0 where none */
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		return redirect(get);
	if (status == 304 && get->conditions) {
		base_writer_reset(&get->body); /* it has none */
		return 0;
	}
	if (status != 200)
		return base_error_set(&get->err, BASE_ERR(BASE_PEER, 0), "HTTP status %ld", status);
	if (!get->body.len)
		return base_error_set(&get->err, BASE_ERR(BASE_PEER, 0), "an empty response");
	return 0;
}

static void ended(struct fetch_http *http)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left))) {
		struct fetch_http_get *get = NULL;
		int rc;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&get);
		rc = judge(get, msg->data.result);
		if (rc > 0)
			continue;
		if (get->redirects)
			get->validators = (struct fetch_validators){ .seen = 0 };
		get->fn(get->arg, rc, &get->body, &get->validators, &get->err);
		get_free(get);
	}
}

/* ---- curl and the loop ---- */

static void act(struct fetch_http *http, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(http->multi, fd, events, &running); /* told by info_read */
}

static void ready(void *arg)
{
	struct fetch_http *http = arg;
	struct epoll_event events[EVENTS];
	int count = 1;

	for (int round = 0; round < ROUNDS && count > 0; round++) {
		count = epoll_wait(http->watch.fd, events, EVENTS, 0);
		for (int i = 0; i < count; i++) {
			unsigned e = events[i].events;

			act(http, events[i].data.fd,
			    (e & EPOLLIN ? CURL_CSELECT_IN : 0) |
			            (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			            (e & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
		}
	}
	if (count > 0)
		loop_defer(http->loop, &http->again, ready, http);
	ended(http);
}

static void on_ready(void *arg, unsigned events)
{
	(void)events;
	ready(arg);
}

static void on_time(void *arg)
{
	struct fetch_http *http = arg;

	act(http, CURL_SOCKET_TIMEOUT, 0);
	ended(http);
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct fetch_http *http = arg;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(http->loop, &http->timer);
	else
		loop_timer_start(http->loop, &http->timer, (uint64_t)timeout_ms, on_time, http);
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct fetch_http *http = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(http->watch.fd, EPOLL_CTL_DEL, fd, NULL); /* closed: gone already */
		return 0;
	}
	event.events =
	        (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (epoll_ctl(http->watch.fd, EPOLL_CTL_MOD, fd, &event) < 0 &&
	    (errno != ENOENT || epoll_ctl(http->watch.fd, EPOLL_CTL_ADD, fd, &event) < 0))
		return -1; /* the transfers fail */
	return 0;
}

static bool multi_fill(struct fetch_http *http)
{
	CURLM *m = http->multi;

	return !curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) &&
	       !curl_multi_setopt(m, CURLMOPT_SOCKETDATA, http) &&
	       !curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer) &&
	       !curl_multi_setopt(m, CURLMOPT_TIMERDATA, http) &&
	       !curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)http->settings.parallel);
}

int fetch_http_new(struct fetch_http **ret, struct loop *loop,
                   const struct fetch_http_settings *settings)
{
	struct fetch_http *http = calloc(1, sizeof(*http));
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!http)
		return rc;
	base_list_init(&http->gets);
	http->loop = loop;
	http->settings = *settings;
	http->watch =
	        (struct loop_fd){ .fd = epoll_create1(EPOLL_CLOEXEC), .fn = on_ready, .arg = http };
	if (http->watch.fd < 0) {
		free(http);
		return BASE_ERR(BASE_LOCAL, errno);
	}
	http->multi = curl_multi_init();
	if (http->multi && multi_fill(http))
		rc = loop_fd_start(loop, &http->watch);
	if (rc) {
		curl_multi_cleanup(http->multi);
		(void)close(http->watch.fd); /* nothing was in it */
		free(http);
		return rc;
	}
	*ret = http;
	return 0;
}

void fetch_http_free(struct fetch_http *http)
{
	if (!http)
		return;
	BASE_LIST_EACH(&http->gets, node, after)
	get_free(BASE_CONTAINER_OF(node, struct fetch_http_get, node));
	curl_multi_cleanup(http->multi);
	loop_timer_stop(http->loop, &http->timer);
	loop_defer_stop(http->loop, &http->again);
	loop_fd_close(http->loop, &http->watch);
	free(http);
}
