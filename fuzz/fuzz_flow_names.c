/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name server that answers what the input says: for each question a piece with its length before
 * it, of which the first octet is how many records there are, and the rest the records. A lookup
 * ends once.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct server {
	struct loop_fd w;
	struct base_reader in;
};

static void answer(struct server *s, const uint8_t *question, size_t len, struct base_writer *w)
{
	size_t told = base_reader_u16(&s->in), size = BASE_MIN(told, base_reader_left(&s->in));
	const uint8_t *piece = base_reader_take(&s->in, size);

	base_writer_put(w, question, 2);
	base_writer_u16(w, 0x8180);
	base_writer_u16(w, 1);
	base_writer_u16(w, size && piece ? piece[0] : 0);
	base_writer_u32(w, 0);
	base_writer_put(w, question + 12, len - 12);
	if (size > 1 && piece)
		base_writer_put(w, piece + 1, size - 1);
}

static void on_event(void *arg, unsigned events)
{
	struct server *s = arg;
	uint8_t question[512];
	union stream_addr from;
	socklen_t len = sizeof(from);
	ssize_t n;

	(void)events;
	while ((n = recvfrom(s->w.fd, question, sizeof(question), 0, &from.sa, &len)) >= 12) {
		struct base_writer w = { 0 };

		answer(s, question, (size_t)n, &w);
		(void)sendto(s->w.fd, w.data, w.len, 0, &from.sa, len); /* too long: no answer */
		base_writer_done(&w);
		len = sizeof(from);
	}
}

static void on_found(void *arg, const struct flow_target *targets, size_t count, const char *host,
                     unsigned status, const char *why)
{
	unsigned *done = arg;

	if (++*done > 1 || !host || (count ? status : !status) || (!count && !*why) ||
	    count > FLOW_TARGETS_MAX)
		abort();
	for (size_t i = 0; i < count; i++)
		if (targets[i].addr.sa.sa_family != AF_INET &&
		    targets[i].addr.sa.sa_family != AF_INET6)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server server = { .w = { .fn = on_event, .arg = &server },
		                 .in = base_reader_of(data, size) };
	struct flow_question question = { BASE_STR("sip:a@x.test"), 7, false };
	union stream_addr at;
	socklen_t len = sizeof(at);
	char text[STREAM_ADDR_TEXT];
	struct flow_resolver_config config = {
		.servers = text, .timeout_ms = 20, .tries = 1, .no_hosts = true
	};
	struct flow_resolver *resolver;
	struct flow_lookup *lookup;
	unsigned done = 0;
	struct loop *loop;

	question.long_request = base_reader_u8(&server.in) & 1;
	server.w.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream_addr_parse(&at, BASE_STR("127.0.0.1:0"), NULL) || loop_new(&loop) ||
	    bind(server.w.fd, &at.sa, sizeof(at.in)) < 0 ||
	    getsockname(server.w.fd, &at.sa, &len) < 0 || loop_fd_start(loop, &server.w))
		abort();
	(void)stream_addr_format(&at, text, sizeof(text));
	if (flow_resolver_new(&resolver, loop, &config, NULL) ||
	    flow_lookup_start(&lookup, resolver, &question, on_found, &done))
		abort();
	while (!done)
		if (loop_run_once(loop, 1000))
			abort();
	flow_resolver_free(resolver);
	loop_fd_close(loop, &server.w);
	loop_free(loop);
	return 0;
}
