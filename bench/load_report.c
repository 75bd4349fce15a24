/* SPDX-License-Identifier: Apache-2.0 */
#include "load_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

struct load_reading load_read(const struct load_options *o)
{
	struct load_reading r;
	char self[32];

	(void)snprintf(self, sizeof(self), "%ld", (long)getpid());
	r.wall_s = load_now_s();
	r.server_s = load_settled_s(o->pids);
	r.own_s = load_cpu_s(self);
	r.memory_kib = o->mode == M_IDLE ? load_memory_kib(o->pids) : 0;
	return r;
}

void load_report(struct load *load, const struct load_reading *a, const struct load_reading *b)
{
	const struct load_options *o = &load->o;
	double wall = b->wall_s - a->wall_s, server = b->server_s - a->server_s;
	double ops = o->mode == M_PINGPONG ? load->latencies : load->done - load->failed;
	double mb = (o->mode == M_UP || o->mode == M_DOWN) ? (double)o->mb * ops : 0;

	if (ops < 1)
		ops = 1;
	printf("{\"label\":\"%s\",\"mode\":\"%s\",\"version\":\"%s\",\"suite\":\"%s\","
	       "\"count\":%.0f,\"failed\":%u,\"resumed\":%u,\"wall_s\":%.4f,\"per_s\":%.1f,"
	       "\"server_cpu_s\":%.4f,\"server_cpu_us_per_op\":%.2f,\"client_cpu_s\":%.4f",
	       o->label, load_mode_names[o->mode], load->version ? load->version : "",
	       load->suite ? load->suite : "", ops, load->failed, load->resumed, wall, ops / wall,
	       server, server * 1e6 / ops, b->own_s - a->own_s);
	if (mb > 0)
		printf(",\"mb\":%.0f,\"mb_per_s\":%.1f,\"server_cpu_s_per_gb\":%.4f", mb, mb / wall,
		       server * 1000 / (mb * 1.048576));
	if (o->mode == M_PINGPONG && load->latencies) {
		qsort(load->latency, load->latencies, sizeof(*load->latency), by_value);
		printf(",\"p50_us\":%.1f,\"p99_us\":%.1f",
		       (double)load->latency[load->latencies / 2] * 1e6,
		       (double)load->latency[load->latencies - 1 - load->latencies / 100] * 1e6);
	}
	if (o->mode == M_IDLE)
		printf(",\"memory_kib\":%.0f,\"memory_kib_per_connection\":%.3f",
		       b->memory_kib - a->memory_kib, (b->memory_kib - a->memory_kib) / ops);
	printf("}\n");
}
