/* SPDX-License-Identifier: Apache-2.0 */
/* What the measured processes have used, from /proc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"

double load_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The process's own clock: nanoseconds, all threads, those that have ended too. */
static double process_cpu_s(long pid)
{
	clockid_t id;
	struct timespec t;

	if (clock_getcpuclockid((pid_t)pid, &id) || clock_gettime(id, &t) < 0)
		return 0; /* it is gone */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double process_memory_kib(long pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pss: %lf kB", &kib) == 1)
			break;
	}
	(void)fclose(f);
	return kib;
}

static double sum_over(const char *pids, double (*of)(long pid))
{
	double sum = 0;
	char *end;

	for (const char *at = pids; at && *at; at = end + (*end == ',')) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			load_die("--server-pids wants numbers with commas between");
		sum += of(pid);
	}
	return sum;
}

double load_cpu_s(const char *pids)
{
	return sum_over(pids, process_cpu_s);
}

double load_memory_kib(const char *pids)
{
	return sum_over(pids, process_memory_kib);
}
