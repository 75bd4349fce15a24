/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "mg/watch.h"

/* ---- the control thread ---- */

#define BUSY_MS 1000U

static uint64_t ms_between(const struct timespec *from, const struct timespec *to)
{
	int64_t ns =
	        (int64_t)(to->tv_sec - from->tv_sec) * 1000000000 + to->tv_nsec - from->tv_nsec;

	return ns > 0 ? (uint64_t)ns / 1000000 : 0;
}

/* How much of the last second this thread has worked. */
static void busy_look(void *arg)
{
	struct mg_watch *w = arg;
	uint64_t now = loop_now_ms(w->loop), passed = now - w->cpu_at_ms;
	struct timespec cpu = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu); /* cannot fail on Linux */
	if (w->cpu_at_ms && passed)
		mg_busy_tell(w->mg,
		             (unsigned)BASE_MIN(ms_between(&w->cpu, &cpu) * 100 / passed, 100));
	w->cpu = cpu;
	w->cpu_at_ms = now;
	loop_timer_start(w->loop, &w->busy, BUSY_MS, busy_look, w);
}

/* ---- media addresses ---- */

bool mg_address_here(const struct sockaddr_storage *address)
{
	socklen_t len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
	                                               : sizeof(struct sockaddr_in);
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool here = true;

	if (fd < 0)
		return true; /* that is another trouble */
	if (bind(fd, (const struct sockaddr *)address, len) && errno == EADDRNOTAVAIL)
		here = false;
	close(fd);
	return here;
}

static void addresses_set(struct mg_watch *w)
{
	for (size_t i = 0; i < w->config->core.address_count; i++) {
		bool gone = w->config->watch_ms && w->wanted[i] != MG_ADDRESS_FAILED &&
		            !mg_address_here(&w->config->addresses[i]);

		mg_address_set(w->mg, i, gone ? MG_ADDRESS_FAILED : w->wanted[i]);
	}
}

static void probe_look(void *arg)
{
	struct mg_watch *w = arg;

	addresses_set(w);
	loop_timer_start(w->loop, &w->probe, w->config->watch_ms, probe_look, w);
}

/* ---- life ---- */

void mg_watch_start(struct mg_watch *w, struct loop *loop, struct mg *mg,
                    const struct mg_config *config)
{
	w->loop = loop;
	w->mg = mg;
	w->config = config;
	memcpy(w->wanted, config->address_states, sizeof(w->wanted));
	if (config->watch_ms)
		probe_look(w);
	else
		addresses_set(w);
	if (config->core.overload_busy)
		busy_look(w);
}

void mg_watch_stop(struct mg_watch *w)
{
	if (!w->loop)
		return;
	loop_timer_stop(w->loop, &w->busy);
	loop_timer_stop(w->loop, &w->probe);
}

/* What the new file says of an address; nothing, when it is not there any more. */
static enum mg_address_state state_in(const struct mg_config *fresh,
                                      const struct sockaddr_storage *address)
{
	for (size_t i = 0; i < fresh->core.address_count; i++)
		if (!memcmp(&fresh->addresses[i], address, sizeof(*address)))
			return fresh->address_states[i];
	return MG_ADDRESS_GOOD;
}

void mg_watch_reload(struct mg_watch *w, const struct mg_config *fresh)
{
	for (size_t i = 0; i < w->config->core.address_count; i++)
		w->wanted[i] = state_in(fresh, &w->config->addresses[i]);
	addresses_set(w);
}
