/* SPDX-License-Identifier: Apache-2.0 */
#include "hall.h"

#include <errno.h>
#include <unistd.h>

void hall_begin(struct hall *h, enum relay_hub_kind kind, size_t buffer_limit)
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

void hall_end(struct hall *h)
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

const char *hall_own_uri(unsigned i)
{
	static char text[SEATS][64];

	snprintf(text[i], sizeof(text[i]), "msrp://127.0.0.1:9/own%u;tcp", i);
	return text[i];
}

const char *hall_peer_uri(unsigned i)
{
	static char text[SEATS][64];

	snprintf(text[i], sizeof(text[i]), "msrp://peer%u.example:9/peer%u;tcp", i, i);
	return text[i];
}

int hall_take_seat(struct hall *h, unsigned i, unsigned as)
{
	char user[32];
	struct base_str uri;
	struct relay_seat_spec spec = { .own = base_str_of(hall_own_uri(as)),
		                        .peer = base_str_of(hall_peer_uri(as)),
		                        .uri = &uri,
		                        .uris = 1,
		                        .private_messages = true,
		                        .user = (uint16_t)(as + 1) };
	struct base_error err = { 0 };

	snprintf(user, sizeof(user), "sip:user%u@home.example", as);
	uri = base_str_of(user);
	return relay_endpoint_seat(h->record[i].endpoint, h->hub, &spec, &err);
}

void hall_add(struct hall *h, unsigned i)
{
	struct relay_endpoint_spec spec = stage_server(&h->record[i]);

	stage_add(&h->stage, &spec);
}

void hall_come(struct hall *h, unsigned i)
{
	h->fd[i] = peer_connect(&h->stage, endpoint_port(h->record[i].endpoint));
	assert_true(h->fd[i] >= 0);
	stage_expect(&h->stage, &h->record[i], RELAY_TCP_UP);
}

void hall_sit(struct hall *h, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		hall_add(h, i);
		assert_int_equal(hall_take_seat(h, i, i), 0);
		hall_come(h, i);
	}
}

static size_t message(struct hall *h, unsigned i, const char *body, char *into, size_t cap)
{
	unsigned n = ++h->sent;

	return (size_t)snprintf(into, cap,
	                        "MSRP t%07u SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\n"
	                        "Message-ID: m%07u\r\nByte-Range: 1-%zu/%zu\r\n"
	                        "Content-Type: message/cpim\r\n\r\n%s\r\n-------t%07u$\r\n",
	                        n, hall_own_uri(i), hall_peer_uri(i), n, strlen(body), strlen(body),
	                        body, n);
}

size_t hall_words(struct hall *h, unsigned i, const char *text, char *into, size_t cap)
{
	char body[32768];

	snprintf(body, sizeof(body),
	         "From: <sip:user%u@home.example>\r\nTo: <" ROOM ">\r\n\r\n"
	         "Content-Type: text/plain\r\n\r\n%s",
	         i, text);
	return message(h, i, body, into, cap);
}

void hall_say(struct hall *h, unsigned i, const char *text)
{
	char out[40000];

	hall_words(h, i, text, out, sizeof(out));
	peer_send(&h->stage, h->fd[i], out);
}

struct hearing {
	struct hall *h;
	unsigned i;
	const char *text;
};

ssize_t hall_listen(struct hall *h, unsigned i)
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

	(void)hall_listen(w->h, w->i);
	return strstr(w->h->heard[w->i], w->text) != NULL;
}

void hall_hears(struct hall *h, unsigned i, const char *text)
{
	struct hearing w = { h, i, text };

	stage_wait(&h->stage, has_heard, &w);
}

static bool is_over(void *arg)
{
	struct hearing *w = arg;
	ssize_t n = hall_listen(w->h, w->i);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

enum relay_cause hall_ends(struct hall *h, unsigned i)
{
	struct hearing w = { h, i, NULL };

	stage_wait(&h->stage, is_over, &w);
	close(h->fd[i]);
	h->fd[i] = -1;
	stage_expect(&h->stage, &h->record[i], RELAY_TCP_DOWN);
	return h->record[i].last[RELAY_TCP_DOWN].cause;
}

bool hall_is_quiet(struct hall *h, unsigned i)
{
	return h->record[i].count[RELAY_TCP_DOWN] == 0;
}
