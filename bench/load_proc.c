/* SPDX-License-Identifier: Apache-2.0 */
/* What the measured processes have used, from /proc. */
#include <dirent.h>
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

/* Nanoseconds on a CPU, more exact than the ticks of /proc/PID/stat. */
static double task_cpu_s(const char *path)
{
	unsigned long long ns = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	(void)fclose(f);
	return (double)ns / 1e9;
}

static double process_cpu_s(long pid)
{
	char path[512];
	struct dirent *entry;
	double sum = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid,
		               entry->d_name);
		sum += task_cpu_s(path);
	}
	closedir(dir);
	return sum;
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
