/* SPDX-License-Identifier: Apache-2.0 */
/* What only usrsctp can do: peers that are SCTP and not ours, and the kernel's stack met in UDP
 * (RFC 6951). */
#include "sctp_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <usrsctp.h>

/* ---- a peer that is only SCTP, and does it in other ways ---- */

struct stranger {
	struct socket *so;
	sctp_assoc_t assoc;
};

static void stranger_connect(struct stranger *x, const struct side *to)
{
	struct sctp_udpencaps encaps = { .sue_address.ss_family = AF_INET,
		                         .sue_port = htons(udp_port) };
	struct sctp_initmsg init = { .sinit_num_ostreams = 8 };
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(to->local.port) };
	int buffer = 1 << 20;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	x->so = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	assert_non_null(x->so);
	assert_int_equal(usrsctp_setsockopt(x->so, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT,
	                                    &encaps, sizeof(encaps)),
	                 0);
	assert_int_equal(usrsctp_setsockopt(x->so, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init)),
	                 0);
	assert_int_equal(usrsctp_setsockopt(x->so, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)),
	                 0);
	/* Set up by usrsctp's threads; ours has only to be told afterwards. */
	assert_return_code(usrsctp_connect(x->so, (struct sockaddr *)&sa, sizeof(sa)), errno);
}

static void stranger_says(struct stranger *x, unsigned stream, uint32_t ppid, unsigned flags,
                          const void *data, size_t len)
{
	struct sctp_sndinfo info = { .snd_sid = (uint16_t)stream,
		                     .snd_flags = (uint16_t)flags,
		                     .snd_ppid = htonl(ppid) };

	assert_int_equal(usrsctp_sendv(x->so, data, len, NULL, 0, &info, sizeof(info),
	                               SCTP_SENDV_SNDINFO, 0),
	                 len);
}

static void other_ways_of_others(void **state)
{
	static const struct h248_transport_config quick = { .partial_ms = 30 };
	static const char big[300000];
	struct loop *loop = *state;
	struct stranger x;
	struct side b;

	side_new(&b, loop, NULL);
	side_listen(&b);

	stranger_connect(&x, &b);
	stranger_says(&x, 5, 0, SCTP_UNORDERED, "any stream", 10);
	stranger_says(&x, 0, 7, 0, "ours", 4);
	UNTIL(loop, b.count == 2);
	stranger_says(&x, 0, 46, 0, "Diameter", 8);
	UNTIL(loop, b.closed == 1);
	assert_string_equal(b.reason, "not H.248: another payload protocol");
	usrsctp_close(x.so);

	stranger_connect(&x, &b);
	stranger_says(&x, 0, 7, 0, big, H248_SCTP_MAX);
	UNTIL(loop, b.count == 3);
	assert_int_equal(b.longest, H248_SCTP_MAX);
	stranger_says(&x, 0, 7, 0, big, sizeof(big)); /* comes in parts, and in too many */
	UNTIL(loop, b.closed == 2);
	assert_string_equal(b.reason, "a message that is too long");
	usrsctp_close(x.so);
	assert_int_equal(b.count, 3);
	assert_int_equal(counters(&b).errors_in, 2);
	h248_transport_free(b.t);

	side_new(&b, loop, &quick); /* one that says nothing keeps others out, so it goes */
	side_listen(&b);
	stranger_connect(&x, &b);
	UNTIL(loop, b.closed == 1);
	assert_string_equal(b.reason, "the peer did not finish a message in time");
	usrsctp_close(x.so);
	h248_transport_free(b.t);
}

/* ---- two stacks of different descent: the kernel's, in UDP (RFC 6951), and usrsctp ---- */

static bool sysctl_set(const char *name, unsigned value)
{
	char path[128], text[16];
	int fd, len = snprintf(text, sizeof(text), "%u", value);
	bool done;

	snprintf(path, sizeof(path), "/proc/sys/net/sctp/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, text, (size_t)len) == len;
	close(fd);
	return done;
}

static void kernel_in_udp_meets_usrsctp(void **state)
{
	struct loop *loop = *state;
	uint16_t kernels = free_udp_port();

	if (!getenv("GATEHOUSE_SCTP_SYSCTL")) {
		print_message("the kernel's settings are not ours to change (tests/blackbox/"
		              "test_kernel_sctp.py)\n");
		skip();
	}
	assert_true(sysctl_set("udp_port", kernels));
	assert_true(sysctl_set("encap_port", udp_port));
	for (int way = 0; way < 2; way++) { /* who calls whom */
		struct side user, kernel, *caller = way ? &kernel : &user;
		struct side *called = way ? &user : &kernel;
		static const char big[H248_SCTP_MAX];
		struct h248_addr to;

		remote_port = kernels;
		side_new(&user, loop, NULL);
		backend = H248_SCTP_KERNEL;
		side_new(&kernel, loop, NULL);
		backend = H248_SCTP_USER;
		remote_port = 0;
		side_listen(called);
		called->echo = true;
		to = target_of(called);
		assert_true(taken(h248_transport_send(caller->t, &to, "hello", 5)));
		for (int i = 0; i < 10; i++)
			assert_true(taken(h248_transport_send(caller->t, &to, big, sizeof(big))));
		UNTIL(loop, caller->count == 11);
		assert_int_equal(caller->total, 5 + 10 * sizeof(big));
		h248_transport_close(caller->t, &to);
		UNTIL(loop, called->closed == 1);
		assert_string_equal(called->reason, "closed by the peer");
		h248_transport_free(user.t);
		h248_transport_free(kernel.t);
	}
}

/* ---- addresses that a peer only names ---- */

/*
 * A peer may put any address into its INIT, before the one it comes from where the library sorts
 * them so; usrsctp does not. So what it tells us is told in another order: first one that nobody
 * has answered from.
 */
static struct sockaddr_in *named;

int __real_usrsctp_getpaddrs(struct socket *so, sctp_assoc_t assoc, struct sockaddr **ret);
int __wrap_usrsctp_getpaddrs(struct socket *so, sctp_assoc_t assoc, struct sockaddr **ret);
int __wrap_usrsctp_getpaddrs(struct socket *so, sctp_assoc_t assoc, struct sockaddr **ret)
{
	struct sockaddr *true_one = NULL;
	int count = __real_usrsctp_getpaddrs(so, assoc, &true_one);

	if (count <= 0)
		return count;
	assert_null(named);
	named = calloc(2, sizeof(*named));
	assert_non_null(named);
	memcpy(&named[1], true_one, sizeof(*named));
	usrsctp_freepaddrs(true_one);
	named[0] = named[1];
	named[0].sin_addr.s_addr = htonl(0xc6336407); /* 198.51.100.7 */
	*ret = (struct sockaddr *)named;
	return 2;
}

void __real_usrsctp_freepaddrs(struct sockaddr *list);
void __wrap_usrsctp_freepaddrs(struct sockaddr *list);
void __wrap_usrsctp_freepaddrs(struct sockaddr *list)
{
	if (list != (struct sockaddr *)named) {
		__real_usrsctp_freepaddrs(list);
		return;
	}
	free(named);
	named = NULL;
}

int __real_usrsctp_getsockopt(struct socket *so, int level, int name, void *value, socklen_t *len);
int __wrap_usrsctp_getsockopt(struct socket *so, int level, int name, void *value, socklen_t *len);
int __wrap_usrsctp_getsockopt(struct socket *so, int level, int name, void *value, socklen_t *len)
{
	struct sctp_paddrinfo *info = value;
	const struct sockaddr_in *sa = (const struct sockaddr_in *)&info->spinfo_address;

	if (name != SCTP_GET_PEER_ADDR_INFO || !named ||
	    sa->sin_addr.s_addr != named[0].sin_addr.s_addr)
		return __real_usrsctp_getsockopt(so, level, name, value, len);
	info->spinfo_state = SCTP_ACTIVE | SCTP_UNCONFIRMED;
	return 0;
}

static void known_by_a_proven_address(void **state)
{
	struct loop *loop = *state;
	struct h248_addr to;
	struct side a, b;

	side_new(&b, loop, NULL);
	side_listen(&b);
	side_new(&a, loop, NULL);
	side_listen(&a);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "x", 1), 0);
	UNTIL(loop, b.count == 1);
	assert_true(h248_addr_equal(&b.from, &a.local));
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, sctp_setup, sctp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(other_ways_of_others),
		CASE(kernel_in_udp_meets_usrsctp),
		CASE(known_by_a_proven_address),
	};

	return cmocka_run_group_tests(tests, sctp_use_library, NULL);
}
