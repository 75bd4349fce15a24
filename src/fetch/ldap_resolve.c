/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_resolve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of the asking thread until it has finished, then of who waits, unless that one has gone. */
struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool finished, abandoned;
	char host[256], port[8];
	int rc;
	struct addrinfo *list;
};

static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };

static void lookup_free(struct lookup *l)
{
	if (l->list)
		freeaddrinfo(l->list);
	(void)pthread_cond_destroy(&l->news); /* nobody waits any more */
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *ask(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(l->host, l->port, &hints, &list);
	bool abandoned;

	(void)pthread_mutex_lock(&l->lock); /* an ordinary one: cannot fail */
	l->rc = rc;
	l->list = rc ? NULL : list;
	l->finished = true;
	abandoned = l->abandoned;
	(void)pthread_cond_signal(&l->news);
	(void)pthread_mutex_unlock(&l->lock);
	if (abandoned)
		lookup_free(l);
	return NULL;
}

static struct lookup *lookup_start(const struct fetch_url *at)
{
	struct lookup *l = calloc(1, sizeof(*l));
	pthread_condattr_t monotonic;
	pthread_attr_t detached;
	pthread_t thread;
	int failed;

	if (!l)
		return NULL;
	(void)snprintf(l->host, sizeof(l->host), "%s", at->host);
	(void)snprintf(l->port, sizeof(l->port), "%u", at->port);
	/* with glibc none of these five can fail */
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->news, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	failed = pthread_attr_init(&detached);
	if (!failed) {
		(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		failed = pthread_create(&thread, &detached, ask, l);
		(void)pthread_attr_destroy(&detached);
	}
	if (failed)
		lookup_free(l);
	return failed ? NULL : l;
}

/* @return whether it has finished; if not, it is its own thread's from here on */
static bool lookup_wait(struct lookup *l, int64_t deadline_ms)
{
	const struct timespec until = { .tv_sec = deadline_ms / 1000,
		                        .tv_nsec = deadline_ms % 1000 * 1000000 };
	bool finished;
	int rc = 0;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->finished && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&l->news, &l->lock, &until);
	finished = l->finished;
	l->abandoned = !finished;
	(void)pthread_mutex_unlock(&l->lock);
	return finished;
}

int fetch_ldap_resolve(const struct fetch_url *at, int64_t deadline_ms, struct addrinfo **ret,
                       struct base_error *err)
{
	struct lookup *l = lookup_start(at);
	int rc;

	if (!l)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!lookup_wait(l, deadline_ms))
		return base_error_set(err, BASE_ERR(BASE_PEER, ETIMEDOUT),
		                      "%s: looking up the name took too long", at->host);
	rc = l->rc;
	*ret = l->list;
	l->list = NULL;
	lookup_free(l);
	return rc ? base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s: %s", at->host,
	                           gai_strerror(rc))
	          : 0;
}
