/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user agent on the loopback, and a peer that says what the input says: over TCP in pieces, each
 * with its length before it, or over UDP, a datagram a piece. Nothing may be left of it in the end.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int connect_to(const union stream_addr *at, bool udp)
{
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &at->sa, sizeof(at->in)) < 0)
		abort();
	return fd;
}

static void quiet(struct loop *loop)
{
	for (int i = 0; i < 8; i++)
		if (loop_run_once(loop, 0))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct flow_config config = { .resolver = { .servers = "127.0.0.1",
		                                          .no_hosts = true } };
	const struct sip_ua_config sip = { 0 };
	const struct flow_ua_ops ops = { .arg = NULL };
	struct base_reader in = base_reader_of(data, size);
	bool udp = base_reader_u8(&in) & 1;
	union stream_addr at;
	struct streams *streams;
	struct flow_ua *ua;
	struct loop *loop;
	int fd;

	base_log_level_set(BASE_LOG_ERROR);
	if (stream_addr_parse(&at, BASE_STR("127.0.0.1:0"), NULL) || loop_new(&loop) ||
	    streams_new(&streams, loop, NULL) ||
	    flow_ua_new(&ua, streams, &config, &sip, &ops, NULL) ||
	    flows_listen(flow_ua_flows(ua), udp ? FLOW_UDP : FLOW_TCP, &at, NULL))
		abort();
	fd = connect_to(&at, udp);
	while (!in.failed && base_reader_left(&in)) {
		size_t len = base_reader_u16(&in);

		len = BASE_MIN(len, base_reader_left(&in));
		(void)send(fd, base_reader_take(&in, len), len,
		           MSG_NOSIGNAL); /* it may be closed */
		quiet(loop);
	}
	close(fd);
	quiet(loop);
	flow_ua_free(ua);
	if (streams_count(streams)->up + streams_count(streams)->failed !=
	    streams_count(streams)->accepts)
		abort();
	streams_free(streams);
	loop_free(loop);
	return 0;
}
