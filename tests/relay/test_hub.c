/* SPDX-License-Identifier: Apache-2.0 */
/* Chat rooms and relays of two MSRP sessions: real sockets on loopback. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "hall.h"
#include "scene.h"

/* ---- rooms ---- */

struct counted {
	struct relay_endpoint *endpoint;
	uint64_t in, out;
};

static bool is_counted(void *arg)
{
	struct counted *c = arg;
	struct relay_stats stats = endpoint_stats(c->endpoint);

	return stats.messages_in == c->in && stats.messages_out == c->out;
}

static void all_others_hear(void **state)
{
	static struct hall h;
	struct counted c;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	hall_sit(&h, 3);
	hall_say(&h, 0, "hello all");
	hall_hears(&h, 0, "MSRP t0000001 200");
	for (unsigned i = 1; i < 3; i++) {
		hall_hears(&h, i, "hello all");
		assert_non_null(strstr(h.heard[i], hall_own_uri(i)));
		assert_null(strstr(h.heard[i], hall_own_uri(0)));
	}
	c = (struct counted){ h.record[0].endpoint, 1, 0 };
	stage_wait(&h.stage, is_counted, &c);
	c = (struct counted){ h.record[2].endpoint, 0, 1 };
	stage_wait(&h.stage, is_counted, &c);
	hall_end(&h);
}

static void who_breaks_the_rules_ends_alone(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	hall_sit(&h, 3);
	/* With its end right behind it, it is still that. */
	peer_send(&h.stage, h.fd[0], "GET / HTTP/1.1\r\nHost: room\r\n\r\n");
	assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
	assert_int_equal(hall_ends(&h, 0), RELAY_CAUSE_PROTOCOL);
	hall_say(&h, 1, "we go on");
	hall_hears(&h, 2, "we go on");
	/* In the midst of what he says one is removed, another's connection breaks. */
	peer_send(&h.stage, h.fd[1], "MSRP t9999999 SEND\r\nTo-Path: ");
	peer_reset(h.fd[1]);
	h.fd[1] = -1;
	stage_expect(&h.stage, &h.record[1], RELAY_TCP_DOWN);
	assert_int_equal(h.record[1].last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_RESET);
	relay_endpoint_remove(h.record[2].endpoint);
	h.record[2].endpoint = NULL;
	hall_end(&h);
}

static void a_half_close_is_the_end(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	hall_sit(&h, 2);
	hall_say(&h, 0, "good bye");
	assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
	hall_hears(&h, 1, "good bye");
	hall_hears(&h, 0, "MSRP t0000001 200");
	assert_int_equal(hall_ends(&h, 0), RELAY_CAUSE_PEER_CLOSE);
	assert_true(hall_is_quiet(&h, 1));
	hall_end(&h);
}

/* Before it is up a later seat is the one that counts, afterwards the one it has. */
static void a_seat_is_kept_once_it_is_taken(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	hall_add(&h, 0);
	assert_int_equal(hall_take_seat(&h, 0, 3), 0);
	assert_int_equal(hall_take_seat(&h, 0, 0), 0);
	hall_come(&h, 0);
	hall_add(&h, 1);
	hall_come(&h, 1); /* up before it sits */
	hall_say(&h, 1, "early");
	assert_int_equal(hall_take_seat(&h, 1, 1), 0);
	assert_int_equal(hall_take_seat(&h, 1, 2), 0);
	hall_hears(&h, 0, "early");
	hall_say(&h, 0, "for all");
	hall_hears(&h, 1, "for all");
	assert_non_null(strstr(h.heard[1], hall_peer_uri(1)));
	hall_end(&h);
}

static void paths_and_workers_are_checked(void **state)
{
	static struct hall h;
	struct relay_seat_spec spec = { .own = BASE_STR("http://x"), .peer = BASE_STR("y") };
	struct relay_context *other;
	struct base_error err = { 0 };

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	hall_add(&h, 0);
	assert_int_equal(
	        base_err_class(relay_endpoint_seat(h.record[0].endpoint, h.hub, &spec, &err)),
	        BASE_CONFIG);
	spec.own = base_str_of(hall_own_uri(0));
	assert_int_equal(
	        base_err_class(relay_endpoint_seat(h.record[0].endpoint, h.hub, &spec, &err)),
	        BASE_CONFIG);
	assert_int_equal(relay_context_new(&other, h.stage.pool), 0);
	{
		struct relay_endpoint_spec server = stage_server(&h.record[1]);

		assert_int_equal(relay_endpoint_add(&h.record[1].endpoint, other, &server, &err),
		                 0);
	}
	assert_int_equal(hall_take_seat(&h, 1, 1), BASE_ERR(BASE_LOCAL, EAGAIN));
	hall_end(&h);
}

/* ---- who does not take ---- */

/* Until nothing goes out any more for a while, or the sender has said all. */
static void press(struct hall *h, unsigned from, unsigned count)
{
	char text[20001], out[40000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < count; i++) {
		size_t len = hall_words(h, from, text, out, sizeof(out)), at = 0;

		for (unsigned idle = 0; at < len && idle < 100;) {
			ssize_t n = send(h->fd[from], out + at, len - at, MSG_NOSIGNAL);

			at += n > 0 ? (size_t)n : 0;
			idle = n > 0 ? 0 : idle + 1;
			(void)loop_run_once(h->stage.control, n > 0 ? 0 : 2);
		}
		if (at < len)
			return;
	}
}

static void small_buffer(int fd)
{
	int size = 4096;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
}

/* It ends its sending with more waiting for it than may be kept: no fault, and not without end. */
static void one_that_takes_nothing_may_leave(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 65536);
	hall_sit(&h, 2);
	small_buffer(h.fd[1]);
	press(&h, 0, 3000);
	assert_true(hall_is_quiet(&h, 0));
	assert_true(hall_is_quiet(&h, 1));
	assert_true(endpoint_stats(h.record[1].endpoint).buffered_peak <= 65536);
	assert_int_equal(shutdown(h.fd[1], SHUT_WR), 0);
	stage_expect(&h.stage, &h.record[1], RELAY_TCP_DOWN);
	assert_int_not_equal(h.record[1].last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_RESOURCES);
	assert_true(endpoint_stats(h.record[1].endpoint).buffered_peak <= 65536);
	assert_true(hall_is_quiet(&h, 0));
	hall_end(&h);
}

/* With TLS what is taken grows by its records. */
static void what_is_encrypted_fits(void **state)
{
	static struct hall h;
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT };
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "modern");
	struct tls_domain_spec far_spec = lab_spec(*state, TLS_ROLE_CLIENT, "modern");
	struct relay_tls_spec tls = { .session.role = TLS_ROLE_SERVER };
	struct relay_endpoint_spec server = stage_server(&h.record[1]);
	struct far far;

	hall_begin(&h, RELAY_HUB_ROOM, 65536);
	assert_int_equal(tls_domain_new(&tls.domain, &spec, NULL), 0);
	hall_sit(&h, 1);
	server.tls = &tls;
	stage_add(&h.stage, &server);
	assert_int_equal(hall_take_seat(&h, 1, 1), 0);
	far_open(&far, &h.stage, peer_connect(&h.stage, endpoint_port(h.record[1].endpoint)),
	         &far_spec, &session);
	assert_int_equal(far_shake(&far), 0);
	stage_expect(&h.stage, &h.record[1], RELAY_TLS_UP);
	small_buffer(far.fd);
	press(&h, 0, 3000);
	assert_true(hall_is_quiet(&h, 1));
	assert_true(endpoint_stats(h.record[1].endpoint).buffered_peak <= 65536);
	far_done(&far);
	hall_end(&h);
	tls_domain_unref(tls.domain);
}

static void nothing_goes_where_the_mode_forbids(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	hall_sit(&h, 3);
	for (unsigned i = 1; i < 3; i++)
		assert_int_equal(relay_endpoint_mode_set(h.record[i].endpoint, false, true), 0);
	hall_say(&h, 0, "in the dark");
	hall_hears(&h, 0, "MSRP t0000001 200");
	/* One leaves without having been let, one is let. */
	assert_int_equal(shutdown(h.fd[1], SHUT_WR), 0);
	(void)hall_ends(&h, 1);
	assert_int_equal(h.len[1], 0);
	assert_true(hall_listen(&h, 2) < 0);
	assert_int_equal(relay_endpoint_mode_set(h.record[2].endpoint, true, true), 0);
	hall_hears(&h, 2, "in the dark");
	hall_end(&h);
}

/* ---- relays ---- */

static void two_sessions_meet(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_RELAY, 0);
	hall_sit(&h, 1);
	hall_say(&h, 0, "before you came");
	for (unsigned i = 1; i < 3; i++) { /* the third is one too many */
		hall_add(&h, i);
		assert_int_equal(hall_take_seat(&h, i, i), 0);
		hall_come(&h, i);
	}
	hall_hears(&h, 1, "before you came");
	assert_null(strstr(h.heard[1], hall_own_uri(0)));
	assert_non_null(strstr(h.heard[1], hall_own_uri(1)));
	assert_int_equal(hall_ends(&h, 2), RELAY_CAUSE_RESOURCES);
	hall_say(&h, 1, "I hear you");
	hall_hears(&h, 0, "I hear you");
	/* What was said last arrives, then the end does. */
	hall_say(&h, 0, "last words");
	assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
	hall_hears(&h, 1, "last words");
	assert_int_equal(hall_ends(&h, 1), RELAY_CAUSE_PARTNER);
	assert_int_equal(hall_ends(&h, 0), RELAY_CAUSE_PEER_CLOSE);
	hall_end(&h);
}

static void one_is_removed_the_other_ends(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_RELAY, 0);
	hall_sit(&h, 2);
	hall_say(&h, 0, "hello");
	hall_hears(&h, 1, "hello");
	relay_endpoint_remove(h.record[0].endpoint);
	h.record[0].endpoint = NULL;
	assert_int_equal(hall_ends(&h, 1), RELAY_CAUSE_PARTNER);
	hall_end(&h);
}

/* ---- lives ---- */

static void a_hub_ends_before_its_endpoints(void **state)
{
	static struct hall h;

	for (int kind = RELAY_HUB_RELAY; kind <= RELAY_HUB_FLOOR; kind++) {
		(void)state;
		hall_begin(&h, (enum relay_hub_kind)kind, 0);
		hall_sit(&h, 2);
		hall_add(&h, 2);
		assert_int_equal(hall_take_seat(&h, 2, 2), 0);
		relay_hub_free(h.hub); /* with a seat that is being given */
		h.hub = NULL;
		hall_come(&h, 2);
		assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
		stage_expect(&h.stage, &h.record[0], RELAY_TCP_DOWN);
		assert_true(hall_is_quiet(&h, 1));
		assert_true(hall_is_quiet(&h, 2));
		hall_end(&h);
	}
}

static void a_pool_ends_with_all_of_them(void **state)
{
	static struct hall h;

	for (int kind = RELAY_HUB_RELAY; kind <= RELAY_HUB_FLOOR; kind++) {
		(void)state;
		hall_begin(&h, (enum relay_hub_kind)kind, 0);
		hall_sit(&h, 2);
		hall_say(&h, 0, "in the midst");
		hall_add(&h, 2);
		assert_int_equal(hall_take_seat(&h, 2, 2), 0); /* on its way */
		if (kind == RELAY_HUB_ROOM)
			relay_hub_free(h.hub);
		stage_end(&h.stage);
		close(h.fd[0]);
		close(h.fd[1]);
	}
}

/* ---- TLS ---- */

static void a_session_ends_in_order(void **state)
{
	static struct hall h;
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT };
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "modern");
	struct tls_domain_spec far_spec = lab_spec(*state, TLS_ROLE_CLIENT, "modern");
	struct relay_tls_spec tls = { .session.role = TLS_ROLE_SERVER };
	struct relay_endpoint_spec server = stage_server(&h.record[1]);
	struct tls_io io = { 0 };
	struct far far;
	char out[4096];

	hall_begin(&h, RELAY_HUB_ROOM, 0);
	assert_int_equal(tls_domain_new(&tls.domain, &spec, NULL), 0);
	hall_sit(&h, 1);
	server.tls = &tls;
	stage_add(&h.stage, &server);
	assert_int_equal(hall_take_seat(&h, 1, 1), 0);
	far_open(&far, &h.stage, peer_connect(&h.stage, endpoint_port(h.record[1].endpoint)),
	         &far_spec, &session);
	assert_int_equal(far_shake(&far), 0);
	/* What is said, and close_notify behind it, come in one segment. */
	hall_words(&h, 1, "in secret", out, sizeof(out));
	far_put(&far, out);
	io.out = &far.out;
	assert_int_equal(tls_session_close(far.session, &io), 0);
	far_flush(&far);
	hall_hears(&h, 0, "in secret");
	far_expect(&far, "MSRP t0000001 200");
	assert_true(far.closed || far_read_end(&far) == 0);
	stage_expect(&h.stage, &h.record[1], RELAY_TCP_DOWN);
	assert_int_equal(h.record[1].last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_true(hall_is_quiet(&h, 0));
	far_done(&far);
	hall_end(&h);
	tls_domain_unref(tls.domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_others_hear),
		cmocka_unit_test(who_breaks_the_rules_ends_alone),
		cmocka_unit_test(a_half_close_is_the_end),
		cmocka_unit_test(a_seat_is_kept_once_it_is_taken),
		cmocka_unit_test(paths_and_workers_are_checked),
		cmocka_unit_test(one_that_takes_nothing_may_leave),
		cmocka_unit_test(nothing_goes_where_the_mode_forbids),
		cmocka_unit_test(two_sessions_meet),
		cmocka_unit_test(one_is_removed_the_other_ends),
		cmocka_unit_test(a_hub_ends_before_its_endpoints),
		cmocka_unit_test(a_pool_ends_with_all_of_them),
	};
	const struct CMUnitTest secured[] = {
		cmocka_unit_test(what_is_encrypted_fits),
		cmocka_unit_test(a_session_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) || pairs_run(secured, BASE_COUNT(secured));
}
