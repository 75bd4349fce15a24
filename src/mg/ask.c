/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mg/ask.h"

#define URLS_MAX   256 /* addresses at once; more would be somebody's game */
#define PACKET_MAX 2048

/* Who waits for one address. */
struct waiting {
	struct base_node node;
	struct relay_fetch *fetch;
};

struct asked {
	struct base_node node;
	struct base_node waiting;
	char url[];
};

int mg_answer_read(struct base_str packet, struct mg_answer *ret)
{
	struct base_str line = base_str_trim(packet);
	const char *space = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
	struct base_str word = { line.ptr, space ? (size_t)(space - line.ptr) : line.len }, rest;

	if (!space || (line.len && memchr(line.ptr, '\n', line.len)))
		return BASE_ERR(BASE_PEER, 0);
	rest = (struct base_str){ space + 1, line.len - word.len - 1 };
	*ret = (struct mg_answer){ .done = base_str_eq(word, BASE_STR("done")), .url = rest };
	if (ret->done)
		return memchr(rest.ptr, ' ', rest.len) ? BASE_ERR(BASE_PEER, 0) : 0;
	if (!base_str_eq(word, BASE_STR("failed")))
		return BASE_ERR(BASE_PEER, 0);
	space = memchr(rest.ptr, ' ', rest.len);
	if (space) {
		ret->url.len = (size_t)(space - rest.ptr);
		ret->reason = base_str_trim((struct base_str){ space, rest.len - ret->url.len });
	}
	return 0;
}

/* ---- who waits ---- */

static struct asked *asked_find(struct mg_ask *ask, struct base_str url)
{
	BASE_LIST_EACH(&ask->urls, node, after)
	{
		struct asked *one = BASE_CONTAINER_OF(node, struct asked, node);

		if (base_str_eq(base_str_of(one->url), url))
			return one;
	}
	return NULL;
}

/* `why` NULL: it is there. */
static void asked_end(struct mg_ask *ask, struct asked *one, const char *why)
{
	struct base_node *node;

	base_log(why ? BASE_LOG_WARN : BASE_LOG_INFO, "mg", "fetch %s url=%s%s%s",
	         why ? "failed" : "done", one->url, why ? ": " : "", why ? why : "");
	base_list_remove(&one->node);
	ask->count--;
	while ((node = base_list_shift(&one->waiting))) {
		struct waiting *w = BASE_CONTAINER_OF(node, struct waiting, node);

		relay_fetched(w->fetch, why);
		free(w);
	}
	free(one);
}

static void all_end(struct mg_ask *ask, const char *why)
{
	struct base_node *node;

	while ((node = base_list_shift(&ask->urls)))
		asked_end(ask, BASE_CONTAINER_OF(node, struct asked, node), why);
}

/* ---- the connection ---- */

static void hang_up(struct mg_ask *ask, const char *why)
{
	loop_fd_close(ask->loop, &ask->watch);
	all_end(ask, why);
}

static void on_packet(struct mg_ask *ask, struct base_str packet)
{
	struct mg_answer answer;
	struct asked *one = mg_answer_read(packet, &answer) ? NULL : asked_find(ask, answer.url);
	char why[120];

	if (!one)
		return; /* nonsense, or nobody waits for it any more */
	if (answer.done) {
		ask->arrived(ask->arg);
		asked_end(ask, one, NULL);
		return;
	}
	(void)snprintf(why, sizeof(why), "%.*s", (int)BASE_MIN(answer.reason.len, sizeof(why) - 1),
	               answer.reason.len ? answer.reason.ptr : "");
	asked_end(ask, one, *why ? why : "the fetcher does not say why");
}

static void on_event(void *arg, unsigned events)
{
	struct mg_ask *ask = arg;
	char packet[PACKET_MAX];
	ssize_t n;

	(void)events; /* reading says it all */
	while (ask->watch.fd >= 0 && (n = recv(ask->watch.fd, packet, sizeof(packet), 0)) > 0)
		on_packet(ask, (struct base_str){ packet, (size_t)n });
	if (ask->watch.fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
		hang_up(ask, n == 0 ? "the fetcher has gone" : strerror(errno));
}

/* @return NULL, or why there is no connection */
static const char *connected(struct mg_ask *ask)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *why = NULL;

	if (ask->watch.fd >= 0)
		return NULL;
	if (snprintf(to.sun_path, sizeof(to.sun_path), "%s", ask->path) >= (int)sizeof(to.sun_path))
		return "the fetcher's socket has too long a name";
	ask->watch.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (ask->watch.fd < 0)
		return strerror(errno);
	if (connect(ask->watch.fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		why = errno == EAGAIN ? "the fetcher is busy" : strerror(errno);
	else if (loop_fd_start(ask->loop, &ask->watch))
		why = "no memory";
	if (why) {
		close(ask->watch.fd);
		ask->watch.fd = -1;
	}
	return why;
}

static const char *send_one(const struct mg_ask *ask, const char *url)
{
	char packet[PACKET_MAX];
	int len = snprintf(packet, sizeof(packet), "crl %s\n", url);

	if (len < 0 || (size_t)len >= sizeof(packet))
		return "the address is too long";
	if (send(ask->watch.fd, packet, (size_t)len, MSG_NOSIGNAL) == len)
		return NULL;
	return errno == EAGAIN ? "the fetcher does not read" : strerror(errno);
}

/* ---- asking ---- */

static const char *ask_for(struct mg_ask *ask, struct relay_fetch *fetch)
{
	const char *url = relay_fetch_url(fetch), *why;
	struct asked *one = asked_find(ask, base_str_of(url));
	struct waiting *w;

	if (!one) {
		why = ask->count < URLS_MAX ? connected(ask) : "too many CRLs are waited for";
		if (!why)
			why = send_one(ask, url);
		if (why)
			return why;
	}
	w = calloc(1, sizeof(*w));
	if (w && !one) {
		one = calloc(1, sizeof(*one) + strlen(url) + 1);
		if (one) {
			memcpy(one->url, url, strlen(url) + 1);
			base_list_init(&one->waiting);
			base_list_append(&ask->urls, &one->node);
			ask->count++;
		}
	}
	if (!w || !one) {
		free(w);
		return "no memory";
	}
	w->fetch = fetch;
	base_list_append(&one->waiting, &w->node);
	return NULL;
}

void mg_ask_fetch(void *arg, struct relay_fetch *fetch)
{
	struct mg_ask *ask = arg;
	const char *why = ask_for(ask, fetch);

	if (!why)
		return;
	base_log(BASE_LOG_WARN, "mg", "fetch failed url=%s: socket=%s: %s", relay_fetch_url(fetch),
	         ask->path, why);
	relay_fetched(fetch, why);
}

void mg_ask_start(struct mg_ask *ask, struct loop *loop, const char *path, loop_fn *arrived,
                  void *arg)
{
	*ask = (struct mg_ask){ .loop = loop, .path = path, .arrived = arrived, .arg = arg };
	ask->watch = (struct loop_fd){ -1, on_event, ask };
	base_list_init(&ask->urls);
}

void mg_ask_stop(struct mg_ask *ask)
{
	if (ask->loop)
		hang_up(ask, "the gateway ends");
}
