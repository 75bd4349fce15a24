/* SPDX-License-Identifier: Apache-2.0 */
/* Chat rooms, relays of two MSRP sessions and floor control: real sockets on loopback. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "scene.h"

#define SEATS 4
#define ROOM  "sip:room@conf.example"

struct hall {
	struct stage stage;
	struct relay_hub *hub;
	struct record record[SEATS];
	int fd[SEATS];
	char heard[SEATS][262144];
	size_t len[SEATS];
	unsigned sent;
};

static void hall_begin(struct hall *h, enum relay_hub_kind kind, size_t buffer_limit)
{
	struct relay_pool_spec pool = { .workers = 2,
		                        .drain_timeout_ms = 300,
		                        .buffer_limit = buffer_limit };
	struct relay_hub_spec spec = { .kind = kind,
		                       .uri = BASE_STR(ROOM),
		                       .nicknames = true,
		                       .private_messages = true,
		                       .conference = 7 };
	struct base_error err = { 0 };

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < SEATS; i++)
		h->fd[i] = -1;
	stage_begin(&h->stage, &pool);
	assert_int_equal(relay_hub_new(&h->hub, h->stage.context, &spec, &err), 0);
}

static void hall_end(struct hall *h)
{
	relay_hub_free(h->hub);
	for (size_t i = 0; i < SEATS; i++) {
		if (h->fd[i] >= 0)
			close(h->fd[i]);
		relay_endpoint_remove(h->record[i].endpoint);
		h->record[i].endpoint = NULL;
	}
	stage_empty(&h->stage);
	stage_end(&h->stage);
}

static const char *own_uri(unsigned i)
{
	static char text[SEATS][64];

	snprintf(text[i], sizeof(text[i]), "msrp://127.0.0.1:9/own%u;tcp", i);
	return text[i];
}

static const char *peer_uri(unsigned i)
{
	static char text[SEATS][64];

	snprintf(text[i], sizeof(text[i]), "msrp://peer%u.example:9/peer%u;tcp", i, i);
	return text[i];
}

static int take_seat(struct hall *h, unsigned i, unsigned as)
{
	char user[32];
	struct base_str uri;
	struct relay_seat_spec spec = { .own = base_str_of(own_uri(as)),
		                        .peer = base_str_of(peer_uri(as)),
		                        .uri = &uri,
		                        .uris = 1,
		                        .private_messages = true,
		                        .user = (uint16_t)(as + 1) };
	struct base_error err = { 0 };

	snprintf(user, sizeof(user), "sip:user%u@home.example", as);
	uri = base_str_of(user);
	return relay_endpoint_seat(h->record[i].endpoint, h->hub, &spec, &err);
}

static void add(struct hall *h, unsigned i)
{
	struct relay_endpoint_spec spec = stage_server(&h->record[i]);

	stage_add(&h->stage, &spec);
}

static void come(struct hall *h, unsigned i)
{
	h->fd[i] = peer_connect(&h->stage, endpoint_port(h->record[i].endpoint));
	assert_true(h->fd[i] >= 0);
	stage_expect(&h->stage, &h->record[i], RELAY_TCP_UP);
}

static void sit(struct hall *h, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		add(h, i);
		assert_int_equal(take_seat(h, i, i), 0);
		come(h, i);
	}
}

static size_t message(struct hall *h, unsigned i, const char *body, char *into, size_t cap)
{
	unsigned n = ++h->sent;

	return (size_t)snprintf(into, cap,
	                        "MSRP t%07u SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\n"
	                        "Message-ID: m%07u\r\nByte-Range: 1-%zu/%zu\r\n"
	                        "Content-Type: message/cpim\r\n\r\n%s\r\n-------t%07u$\r\n",
	                        n, own_uri(i), peer_uri(i), n, strlen(body), strlen(body), body, n);
}

static size_t words(struct hall *h, unsigned i, const char *text, char *into, size_t cap)
{
	char body[32768];

	snprintf(body, sizeof(body),
	         "From: <sip:user%u@home.example>\r\nTo: <" ROOM ">\r\n\r\n"
	         "Content-Type: text/plain\r\n\r\n%s",
	         i, text);
	return message(h, i, body, into, cap);
}

static void say(struct hall *h, unsigned i, const char *text)
{
	char out[40000];

	words(h, i, text, out, sizeof(out));
	peer_send(&h->stage, h->fd[i], out);
}

struct hearing {
	struct hall *h;
	unsigned i;
	const char *text;
};

/* @return what recv gave last */
static ssize_t listen_on(struct hall *h, unsigned i)
{
	size_t room = sizeof(h->heard[i]) - 1 - h->len[i];
	ssize_t n = recv(h->fd[i], h->heard[i] + h->len[i], room, 0);

	if (n > 0)
		h->len[i] += (size_t)n;
	h->heard[i][h->len[i]] = '\0';
	return n;
}

static bool has_heard(void *arg)
{
	struct hearing *w = arg;

	(void)listen_on(w->h, w->i);
	return strstr(w->h->heard[w->i], w->text) != NULL;
}

static void hears(struct hall *h, unsigned i, const char *text)
{
	struct hearing w = { h, i, text };

	stage_wait(&h->stage, has_heard, &w);
}

static bool is_over(void *arg)
{
	struct hearing *w = arg;
	ssize_t n = listen_on(w->h, w->i);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

/* Its peer hears the end; @return what control was told */
static enum relay_cause ends(struct hall *h, unsigned i)
{
	struct hearing w = { h, i, NULL };

	stage_wait(&h->stage, is_over, &w);
	close(h->fd[i]);
	h->fd[i] = -1;
	stage_expect(&h->stage, &h->record[i], RELAY_TCP_DOWN);
	return h->record[i].last[RELAY_TCP_DOWN].cause;
}

static bool is_quiet(struct hall *h, unsigned i)
{
	return h->record[i].count[RELAY_TCP_DOWN] == 0;
}

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
	sit(&h, 3);
	say(&h, 0, "hello all");
	hears(&h, 0, "MSRP t0000001 200");
	for (unsigned i = 1; i < 3; i++) {
		hears(&h, i, "hello all");
		assert_non_null(strstr(h.heard[i], own_uri(i)));
		assert_null(strstr(h.heard[i], own_uri(0)));
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
	sit(&h, 3);
	/* With its end right behind it, it is still that. */
	peer_send(&h.stage, h.fd[0], "GET / HTTP/1.1\r\nHost: room\r\n\r\n");
	assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
	assert_int_equal(ends(&h, 0), RELAY_CAUSE_PROTOCOL);
	say(&h, 1, "we go on");
	hears(&h, 2, "we go on");
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
	sit(&h, 2);
	say(&h, 0, "good bye");
	assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
	hears(&h, 1, "good bye");
	hears(&h, 0, "MSRP t0000001 200");
	assert_int_equal(ends(&h, 0), RELAY_CAUSE_PEER_CLOSE);
	assert_true(is_quiet(&h, 1));
	hall_end(&h);
}

/* Before it is up a later seat is the one that counts, afterwards the one it has. */
static void a_seat_is_kept_once_it_is_taken(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_ROOM, 0);
	add(&h, 0);
	assert_int_equal(take_seat(&h, 0, 3), 0);
	assert_int_equal(take_seat(&h, 0, 0), 0);
	come(&h, 0);
	add(&h, 1);
	come(&h, 1); /* up before it sits */
	say(&h, 1, "early");
	assert_int_equal(take_seat(&h, 1, 1), 0);
	assert_int_equal(take_seat(&h, 1, 2), 0);
	hears(&h, 0, "early");
	say(&h, 0, "for all");
	hears(&h, 1, "for all");
	assert_non_null(strstr(h.heard[1], peer_uri(1)));
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
	add(&h, 0);
	assert_int_equal(
	        base_err_class(relay_endpoint_seat(h.record[0].endpoint, h.hub, &spec, &err)),
	        BASE_CONFIG);
	spec.own = base_str_of(own_uri(0));
	assert_int_equal(
	        base_err_class(relay_endpoint_seat(h.record[0].endpoint, h.hub, &spec, &err)),
	        BASE_CONFIG);
	assert_int_equal(relay_context_new(&other, h.stage.pool), 0);
	{
		struct relay_endpoint_spec server = stage_server(&h.record[1]);

		assert_int_equal(relay_endpoint_add(&h.record[1].endpoint, other, &server, &err),
		                 0);
	}
	assert_int_equal(take_seat(&h, 1, 1), BASE_ERR(BASE_LOCAL, EAGAIN));
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
		size_t len = words(h, from, text, out, sizeof(out)), at = 0;

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
	sit(&h, 2);
	small_buffer(h.fd[1]);
	press(&h, 0, 3000);
	assert_true(is_quiet(&h, 0));
	assert_true(is_quiet(&h, 1));
	assert_true(endpoint_stats(h.record[1].endpoint).buffered_peak <= 65536);
	assert_int_equal(shutdown(h.fd[1], SHUT_WR), 0);
	stage_expect(&h.stage, &h.record[1], RELAY_TCP_DOWN);
	assert_int_not_equal(h.record[1].last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_RESOURCES);
	assert_true(endpoint_stats(h.record[1].endpoint).buffered_peak <= 65536);
	assert_true(is_quiet(&h, 0));
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
	sit(&h, 1);
	server.tls = &tls;
	stage_add(&h.stage, &server);
	assert_int_equal(take_seat(&h, 1, 1), 0);
	far_open(&far, &h.stage, peer_connect(&h.stage, endpoint_port(h.record[1].endpoint)),
	         &far_spec, &session);
	assert_int_equal(far_shake(&far), 0);
	stage_expect(&h.stage, &h.record[1], RELAY_TLS_UP);
	small_buffer(far.fd);
	press(&h, 0, 3000);
	assert_true(is_quiet(&h, 1));
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
	sit(&h, 3);
	for (unsigned i = 1; i < 3; i++)
		assert_int_equal(relay_endpoint_mode_set(h.record[i].endpoint, false, true), 0);
	say(&h, 0, "in the dark");
	hears(&h, 0, "MSRP t0000001 200");
	/* One leaves without having been let, one is let. */
	assert_int_equal(shutdown(h.fd[1], SHUT_WR), 0);
	(void)ends(&h, 1);
	assert_int_equal(h.len[1], 0);
	assert_true(listen_on(&h, 2) < 0);
	assert_int_equal(relay_endpoint_mode_set(h.record[2].endpoint, true, true), 0);
	hears(&h, 2, "in the dark");
	hall_end(&h);
}

/* ---- relays ---- */

static void two_sessions_meet(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_RELAY, 0);
	sit(&h, 1);
	say(&h, 0, "before you came");
	for (unsigned i = 1; i < 3; i++) { /* the third is one too many */
		add(&h, i);
		assert_int_equal(take_seat(&h, i, i), 0);
		come(&h, i);
	}
	hears(&h, 1, "before you came");
	assert_null(strstr(h.heard[1], own_uri(0)));
	assert_non_null(strstr(h.heard[1], own_uri(1)));
	assert_int_equal(ends(&h, 2), RELAY_CAUSE_RESOURCES);
	say(&h, 1, "I hear you");
	hears(&h, 0, "I hear you");
	/* What was said last arrives, then the end does. */
	say(&h, 0, "last words");
	assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
	hears(&h, 1, "last words");
	assert_int_equal(ends(&h, 1), RELAY_CAUSE_PARTNER);
	assert_int_equal(ends(&h, 0), RELAY_CAUSE_PEER_CLOSE);
	hall_end(&h);
}

static void one_is_removed_the_other_ends(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_RELAY, 0);
	sit(&h, 2);
	say(&h, 0, "hello");
	hears(&h, 1, "hello");
	relay_endpoint_remove(h.record[0].endpoint);
	h.record[0].endpoint = NULL;
	assert_int_equal(ends(&h, 1), RELAY_CAUSE_PARTNER);
	hall_end(&h);
}

/* ---- lives ---- */

static void a_hub_ends_before_its_endpoints(void **state)
{
	static struct hall h;

	for (int kind = RELAY_HUB_RELAY; kind <= RELAY_HUB_FLOOR; kind++) {
		(void)state;
		hall_begin(&h, (enum relay_hub_kind)kind, 0);
		sit(&h, 2);
		add(&h, 2);
		assert_int_equal(take_seat(&h, 2, 2), 0);
		relay_hub_free(h.hub); /* with a seat that is being given */
		h.hub = NULL;
		come(&h, 2);
		assert_int_equal(shutdown(h.fd[0], SHUT_WR), 0);
		stage_expect(&h.stage, &h.record[0], RELAY_TCP_DOWN);
		assert_true(is_quiet(&h, 1));
		assert_true(is_quiet(&h, 2));
		hall_end(&h);
	}
}

static void a_pool_ends_with_all_of_them(void **state)
{
	static struct hall h;

	for (int kind = RELAY_HUB_RELAY; kind <= RELAY_HUB_FLOOR; kind++) {
		(void)state;
		hall_begin(&h, (enum relay_hub_kind)kind, 0);
		sit(&h, 2);
		say(&h, 0, "in the midst");
		add(&h, 2);
		assert_int_equal(take_seat(&h, 2, 2), 0); /* on its way */
		if (kind == RELAY_HUB_ROOM)
			relay_hub_free(h.hub);
		stage_end(&h.stage);
		close(h.fd[0]);
		close(h.fd[1]);
	}
}

/* ---- floors ---- */

enum { FLOOR_REQUEST = 1, FLOOR_REQUEST_STATUS = 4, HELLO = 11, HELLO_ACK, FAULT, GOODBYE = 16 };

static void ask(struct hall *h, unsigned i, uint8_t primitive, uint16_t user, uint16_t floor)
{
	uint8_t m[16] = {
		0x20, primitive, 0, floor ? 1 : 0, 0, 0, 0, 7, 0, 1, 0, 0, 0x05, 4, 0, 0
	};

	m[9] = (uint8_t)++h->sent;
	m[11] = (uint8_t)user;
	m[15] = (uint8_t)floor;
	assert_int_equal(send(h->fd[i], m, floor ? 16 : 12, MSG_NOSIGNAL), floor ? 16 : 12);
}

/* The next message; its primitive. `*ret_status` of the first request in it. */
struct answer {
	struct hall *h;
	unsigned i;
	int primitive, status;
};

static bool has_answer(void *arg)
{
	struct answer *a = arg;
	uint8_t *m = (uint8_t *)a->h->heard[a->i];
	size_t *len = &a->h->len[a->i], size;

	(void)listen_on(a->h, a->i);
	size = *len >= 12 ? 12 + 4 * ((size_t)m[2] << 8 | m[3]) : 13;
	if (*len < size)
		return false;
	a->primitive = m[1];
	a->status = -1;
	/* FLOOR-REQUEST-INFORMATION { OVERALL-REQUEST-STATUS { REQUEST-STATUS */
	for (size_t at = 12; a->status < 0 && at + 4 <= size; at += 4)
		if (m[at] >> 1 == 5 && m[at + 1] == 4)
			a->status = m[at + 2];
	memmove(m, m + size, *len - size);
	*len -= size;
	return true;
}

static int answered(struct hall *h, unsigned i, int *ret_status)
{
	struct answer a = { h, i, 0, 0 };

	stage_wait(&h->stage, has_answer, &a);
	if (ret_status)
		*ret_status = a.status;
	return a.primitive;
}

static void granted(struct hall *h, unsigned i)
{
	int status = 0;

	while (status != 3)
		assert_int_equal(answered(h, i, &status), FLOOR_REQUEST_STATUS);
}

static void conference(struct hall *h, uint16_t first, size_t users)
{
	struct relay_floor floor = { .id = 1 };
	struct relay_user user[SEATS] = { 0 };

	for (size_t i = 0; i < users; i++)
		user[i].id = (uint16_t)(first + i);
	assert_int_equal(relay_hub_conference(h->hub, &floor, 1, user, users), 0);
}

static void floors_go_from_one_to_the_next(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_FLOOR, 0);
	conference(&h, 1, 3);
	sit(&h, 3);
	for (unsigned i = 0; i < 3; i++) {
		ask(&h, i, HELLO, (uint16_t)(i + 1), 0);
		assert_int_equal(answered(&h, i, NULL), HELLO_ACK);
	}
	ask(&h, 0, FLOOR_REQUEST, 1, 1);
	granted(&h, 0);
	ask(&h, 1, FLOOR_REQUEST, 2, 1);
	assert_int_equal(answered(&h, 1, NULL), FLOOR_REQUEST_STATUS);
	/* Nobody speaks for another one. */
	ask(&h, 2, HELLO, 1, 0);
	assert_int_equal(answered(&h, 2, NULL), FAULT);
	assert_true(is_quiet(&h, 2));
	/* Who is no user any more gives back what he had, and is sent away. */
	conference(&h, 2, 2);
	granted(&h, 1);
	stage_expect(&h.stage, &h.record[0], RELAY_TCP_DOWN);
	hall_end(&h);
}

static void goodbye_is_no_fault(void **state)
{
	static struct hall h;

	(void)state;
	hall_begin(&h, RELAY_HUB_FLOOR, 0);
	conference(&h, 1, 2);
	sit(&h, 2);
	ask(&h, 0, GOODBYE, 1, 0);
	assert_int_equal(answered(&h, 0, NULL), GOODBYE + 1);
	assert_int_equal(ends(&h, 0), RELAY_CAUSE_PEER_CLOSE);
	peer_send(&h.stage, h.fd[1], "no message of BFCP begins so");
	assert_int_equal(ends(&h, 1), RELAY_CAUSE_PROTOCOL);
	hall_end(&h);
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
	sit(&h, 1);
	server.tls = &tls;
	stage_add(&h.stage, &server);
	assert_int_equal(take_seat(&h, 1, 1), 0);
	far_open(&far, &h.stage, peer_connect(&h.stage, endpoint_port(h.record[1].endpoint)),
	         &far_spec, &session);
	assert_int_equal(far_shake(&far), 0);
	/* What is said, and close_notify behind it, come in one segment. */
	words(&h, 1, "in secret", out, sizeof(out));
	far_put(&far, out);
	io.out = &far.out;
	assert_int_equal(tls_session_close(far.session, &io), 0);
	far_flush(&far);
	hears(&h, 0, "in secret");
	far_expect(&far, "MSRP t0000001 200");
	assert_true(far.closed || far_read_end(&far) == 0);
	stage_expect(&h.stage, &h.record[1], RELAY_TCP_DOWN);
	assert_int_equal(h.record[1].last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_true(is_quiet(&h, 0));
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
		cmocka_unit_test(floors_go_from_one_to_the_next),
		cmocka_unit_test(goodbye_is_no_fault),
	};
	const struct CMUnitTest secured[] = {
		cmocka_unit_test(what_is_encrypted_fits),
		cmocka_unit_test(a_session_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) || pairs_run(secured, BASE_COUNT(secured));
}
