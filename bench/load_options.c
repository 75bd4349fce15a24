/* SPDX-License-Identifier: Apache-2.0 */
#include "load_client.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const load_mode_names[] = { "handshake", "resumed", "up",   "down",
	                                "pingpong",  "idle",    "touch" };

static void set_target(struct load_options *o, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "127.0.0.1";

	if (colon)
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	o->to.sin_family = AF_INET;
	o->to.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : text));
	if (inet_pton(AF_INET, host, &o->to.sin_addr) != 1)
		load_die("--connect wants an IPv4 address and port");
}

static enum load_mode mode_of(const char *name)
{
	for (unsigned i = 0; i < sizeof(load_mode_names) / sizeof(load_mode_names[0]); i++) {
		if (!strcmp(load_mode_names[i], name))
			return (enum load_mode)i;
	}
	load_die("--mode is handshake, resumed, up, down, pingpong, idle or touch");
	return M_HANDSHAKE;
}

static const struct option known[] = {
	{ "mode", required_argument, NULL, 'm' },
	{ "connect", required_argument, NULL, 'a' },
	{ "tls", required_argument, NULL, 't' },
	{ "suites", required_argument, NULL, 's' },
	{ "groups", required_argument, NULL, 'g' },
	{ "count", required_argument, NULL, 'n' },
	{ "concurrency", required_argument, NULL, 'c' },
	{ "size", required_argument, NULL, 'z' },
	{ "mb", required_argument, NULL, 'b' },
	{ "server-pids", required_argument, NULL, 'p' },
	{ "psk", required_argument, NULL, 'k' },
	{ "label", required_argument, NULL, 'l' },
	{ "cpu", required_argument, NULL, 'u' },
	{ "backend", required_argument, NULL, 'B' },
	{ 0 },
};

static void parse_one(struct load_options *o, int c)
{
	switch (c) {
	case 'm':
		o->mode = mode_of(optarg);
		break;
	case 'a':
		set_target(o, optarg);
		break;
	case 't':
		o->version = optarg;
		break;
	case 's':
		o->suites = optarg;
		break;
	case 'g':
		o->groups = optarg;
		break;
	case 'n':
		o->count = (unsigned)atoi(optarg);
		break;
	case 'c':
		o->concurrency = (unsigned)atoi(optarg);
		break;
	case 'z':
		o->size = (unsigned)atoi(optarg);
		break;
	case 'b':
		o->mb = (unsigned)atoi(optarg);
		break;
	case 'p':
		o->pids = optarg;
		break;
	case 'k':
		o->psk = optarg;
		break;
	case 'l':
		o->label = optarg;
		break;
	case 'u':
		o->cpu = atoi(optarg);
		break;
	case 'B':
		exit(load_backend(atoi(optarg)));
	default:
		load_die("see bench/load_options.c for the options");
	}
}

struct load_options load_options(int argc, char **argv)
{
	struct load_options o = { .version = "1.2",
		                  .pids = "",
		                  .label = "",
		                  .count = 1000,
		                  .concurrency = 1,
		                  .size = 1024,
		                  .mb = 256,
		                  .cpu = -1 };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		parse_one(&o, c);
	if (!o.to.sin_port)
		load_die("--connect is needed");
	if (o.mode == M_UP || o.mode == M_DOWN)
		o.count = o.concurrency;
	if (o.mode == M_IDLE)
		o.concurrency = o.count;
	if (!strcmp(o.version, "none") && (o.mode == M_HANDSHAKE || o.mode == M_RESUMED))
		load_die("plain TCP shakes no hands");
	if (o.size < 1 || o.size > CHUNK)
		load_die("--size is 1 to 65536");
	return o;
}
