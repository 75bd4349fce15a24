/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "udp_peer.h"

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in;
}

static int bound(int port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	return -1;
}

int udp_peer(int *ret_port)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fd = bound(0);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

void udp_peers(int ret_fd[2], int *ret_port)
{
	for (;;) {
		ret_fd[0] = udp_peer(ret_port);
		ret_fd[1] = *ret_port % 2 ? -1 : bound(*ret_port + 1);
		if (ret_fd[1] >= 0)
			return;
		close(ret_fd[0]);
	}
}

void udp_send(int fd, int port, const void *data, size_t len)
{
	struct sockaddr_in to = loopback(port);

	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
}

struct wanted {
	int fd;
	uint8_t *buf;
	size_t cap;
	ssize_t got;
	struct sockaddr_in from;
};

static bool has_come(void *arg)
{
	struct wanted *w = arg;
	socklen_t len = sizeof(w->from);

	w->got = recvfrom(w->fd, w->buf, w->cap, 0, (struct sockaddr *)&w->from, &len);
	if (w->got < 0)
		assert_true(errno == EAGAIN || errno == ECONNREFUSED);
	return w->got >= 0;
}

size_t udp_receive(struct stage *stage, int fd, void *buf, size_t cap, int *ret_port)
{
	struct wanted w = { .fd = fd, .buf = buf, .cap = cap };

	stage_wait(stage, has_come, &w);
	if (ret_port)
		*ret_port = ntohs(w.from.sin_port);
	return (size_t)w.got;
}

void udp_expect(struct stage *stage, int fd, const void *data, size_t len)
{
	uint8_t buf[65536];

	assert_int_equal(udp_receive(stage, fd, buf, sizeof(buf), NULL), len);
	assert_memory_equal(buf, data, len);
}

void udp_nothing(int fd)
{
	uint8_t c;

	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

struct relay_endpoint_spec stage_datagrams(struct record *record, int port,
                                           const struct relay_dgram_spec *dgram)
{
	struct relay_endpoint_spec spec = stage_client(record, port);

	if (!port)
		memset(&spec.remote, 0, sizeof(spec.remote));
	spec.dgram = dgram;
	return spec;
}

struct count {
	const struct relay_endpoint *endpoint;
	size_t offset;
	uint64_t value;
};

static bool has_counted(void *arg)
{
	struct count *c = arg;
	struct relay_stats stats = endpoint_stats(c->endpoint);
	uint64_t now;

	memcpy(&now, (const char *)&stats + c->offset, sizeof(now));
	assert_true(now <= c->value);
	return now == c->value;
}

void stage_count(struct stage *stage, const struct relay_endpoint *endpoint, size_t offset,
                 uint64_t value)
{
	struct count c = { endpoint, offset, value };

	stage_wait(stage, has_counted, &c);
}

void udp_pair_make(struct stage *stage, struct udp_pair *pair, const struct relay_dgram_spec *one,
                   const struct relay_dgram_spec *other)
{
	const struct relay_dgram_spec *const dgram[] = { one, other };

	memset(pair, 0, sizeof(*pair));
	for (unsigned i = 0; i < 2; i++) {
		struct relay_endpoint_spec spec;

		udp_peers(pair->peer[i], &pair->port[i]);
		spec = stage_datagrams(&pair->end[i], pair->port[i], dgram[i]);
		stage_add(stage, &spec);
	}
	assert_int_equal(relay_endpoint_link(pair->end[0].endpoint, pair->end[1].endpoint), 0);
}

void udp_pair_done(struct udp_pair *pair)
{
	for (unsigned i = 0; i < 2; i++) {
		relay_endpoint_remove(pair->end[i].endpoint);
		close(pair->peer[i][0]);
		close(pair->peer[i][1]);
	}
}

int udp_pair_port(const struct udp_pair *pair, unsigned end)
{
	return endpoint_port(pair->end[end].endpoint);
}

size_t rtp_packet(uint8_t *to, uint16_t number, size_t len)
{
	memset(to, (uint8_t)number, len);
	to[0] = 0x80;
	to[1] = 0;
	to[2] = (uint8_t)(number >> 8);
	to[3] = (uint8_t)number;
	return len;
}
