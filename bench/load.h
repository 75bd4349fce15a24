/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Load generator: a TLS client on OpenSSL, one thread, epoll; and the plain backend behind the
 * proxies it measures. A connection begins with one octet that tells the backend what to do and
 * eight of length (big-endian): 'S' swallow so many, then answer one octet; 'G' give so many;
 * 'E' echo (length unused).
 */
#ifndef GH_BENCH_LOAD_H
#define GH_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_HEADER 9

/** Serve on 127.0.0.1:`port` (0 = any, printed) until killed. Returns an exit status. */
int load_backend(int port);

/** CPU seconds that the processes (comma-separated ids) have used, all threads; 0 for "". */
double load_cpu_s(const char *pids);
/** The same once they sleep: a server may be busy with the ends of what was. */
double load_settled_s(const char *pids);
/** Of that, what was spent in the kernel, in ticks (mostly of 10 ms). */
double load_kernel_s(const char *pids);
/** Their resident memory, KiB: proportional share where the kernel tells, so forks count once. */
double load_memory_kib(const char *pids);
double load_now_s(void);

void load_die(const char *what);

#endif
