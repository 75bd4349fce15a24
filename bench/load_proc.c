/* SPDX-License-Identifier: Apache-2.0 */
/* What the measured processes have used, from /proc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* Clock ticks in the kernel; of the whole process. */
static double process_kernel_s(long pid)
{
	char path[64], text[1024], *at;
	unsigned long user = 0, kernel = 0;
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[len] = '\0';
	at = strrchr(text, ')'); /* a name may hold anything */
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
	                  &kernel) != 2)
		return 0;
	return (double)kernel / (double)sysconf(_SC_CLK_TCK);
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

double load_kernel_s(const char *pids)
{
	return sum_over(pids, process_kernel_s);
}

double load_memory_kib(const char *pids)
{
	return sum_over(pids, process_memory_kib);
}

double load_settled_s(const char *pids)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	double before, now = load_cpu_s(pids);
	unsigned rounds = 0;

	do {
		before = now;
		(void)nanosleep(&pause, NULL);
		now = load_cpu_s(pids);
	} while (now - before > 0.0005 && ++rounds < 200);
	return now;
}
