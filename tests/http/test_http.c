/* SPDX-License-Identifier: Apache-2.0 */
/** @file Server and client on one loop; and peers that are rude, slow or many, on plain sockets. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "http/http.h"

struct stage {
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct http_request *kept; /* answered later */
	bool keep;
	unsigned asked, answered;
	char path[64], argument[64], method[16], peer[64];
	bool mikey;
	size_t body_len;
	/* what the client heard */
	int rc;
	unsigned status;
	char type[64], text[200], why[512];
};

static void reply(struct http_request *request, unsigned status, const char *text)
{
	const struct http_reply r = { .status = status,
		                      .type = "text/plain; charset=utf-8",
		                      .body = base_str_of(text),
		                      .allow = status == 405 ? "POST" : NULL };

	http_answer(request, &r);
}

static void on_request(void *arg, struct http_request *request)
{
	struct stage *s = arg;
	const char *argument = http_argument(request, "requesttype");

	s->asked++;
	(void)snprintf(s->path, sizeof(s->path), "%s", http_path(request));
	(void)snprintf(s->method, sizeof(s->method), "%s", http_method(request));
	(void)snprintf(s->argument, sizeof(s->argument), "%s", argument ? argument : "(none)");
	(void)snprintf(s->peer, sizeof(s->peer), "%s", http_peer(request));
	s->mikey = http_type_is(request, "application/mikey");
	s->body_len = http_body(request).len;
	if (s->keep)
		s->kept = request;
	else
		reply(request, strcmp(s->method, "POST") ? 405 : 200, "well");
}

static void on_answer(void *arg, const struct http_result *result)
{
	struct stage *s = arg;

	s->answered++;
	s->rc = result->rc;
	s->status = result->status;
	(void)snprintf(s->type, sizeof(s->type), "%s", result->type);
	(void)snprintf(s->text, sizeof(s->text), "%.*s", BASE_FMT(result->body));
	(void)snprintf(s->why, sizeof(s->why), "%s", result->err->text);
}

static void stage_open(struct stage *s, const struct http_server_spec *more,
                       const struct http_client_spec *client)
{
	struct http_server_spec spec = more ? *more : (struct http_server_spec){ 0 };
	struct sockaddr_in *at = (struct sockaddr_in *)&spec.listen;
	struct base_error err = { 0 };

	*s = (struct stage){ 0 };
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	spec.fn = on_request;
	spec.arg = s;
	assert_int_equal(loop_new(&s->loop), 0);
	if (http_server_new(&s->server, s->loop, &spec, &err))
		fail_msg("%s", err.text);
	assert_int_equal(http_client_new(&s->client, s->loop,
	                                 client ? client : &(struct http_client_spec){ 0 }),
	                 0);
}

static void stage_close(struct stage *s)
{
	http_client_free(s->client);
	http_server_free(s->server);
	loop_free(s->loop);
}

static void turn(struct stage *s)
{
	assert_int_equal(loop_run_once(s->loop, 20), 0);
}

static void post(struct stage *s, const char *path, const char *type, struct base_str body,
                 struct http_call **call)
{
	struct base_error err = { 0 };
	char url[200];
	const struct http_post p = { .url = url, .type = type, .body = body };

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(s->server),
	               path);
	if (http_post_start(call, s->client, &p, on_answer, s, &err))
		fail_msg("%s", err.text);
}

static void answered(struct stage *s, unsigned count)
{
	for (int i = 0; s->answered < count; i++) {
		if (i == 2000)
			fail_msg("no answer");
		turn(s);
	}
}

static void post_answered(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, NULL, NULL);
	post(&s, "/key%6danagement?requesttype=ticket%72equest&x", "application/mikey",
	     (struct base_str){ "\0\1\2", 3 }, NULL);
	answered(&s, 1);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.status, 200);
	assert_string_equal(s.text, "well");
	assert_string_equal(s.type, "text/plain");
	assert_string_equal(s.path, "/keymanagement");
	assert_string_equal(s.argument, "ticketrequest");
	assert_string_equal(s.method, "POST");
	assert_true(s.mikey);
	assert_int_equal(s.body_len, 3);
	assert_memory_equal(s.peer, "127.0.0.1:", 10);
	post(&s, "/a%00b", "text/plain;application/mikey", BASE_STR("x"), NULL);
	answered(&s, 2);
	assert_string_equal(s.path, "/a%00b");
	assert_string_equal(s.argument, "(none)");
	assert_false(s.mikey);
	stage_close(&s);
}

/** The second question goes over the first one's connection. */
static void kept_alive(void **state)
{
	struct http_counts counts;
	struct stage s;

	(void)state;
	stage_open(&s, NULL, NULL);
	for (unsigned i = 1; i <= 5; i++) {
		post(&s, "/", "text/plain", BASE_STR("x"), NULL);
		answered(&s, i);
	}
	http_server_counts(s.server, &counts);
	assert_int_equal(counts.connections, 1);
	assert_int_equal(counts.requests, 5);
	stage_close(&s);
}

static void answered_later(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, NULL, NULL);
	s.keep = true;
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	for (int i = 0; !s.kept && i < 2000; i++)
		turn(&s);
	assert_non_null(s.kept);
	assert_int_equal(s.answered, 0);
	reply(s.kept, 403, "no");
	answered(&s, 1);
	assert_int_equal(s.status, 403);
	assert_string_equal(s.text, "no");
	stage_close(&s);
}

/** Who leaves, and what is never answered, does not hold up the end. */
static void never_answered(void **state)
{
	struct http_call *call = NULL;
	struct stage s;

	(void)state;
	stage_open(&s, NULL, NULL);
	s.keep = true;
	post(&s, "/", "text/plain", BASE_STR("x"), &call);
	for (int i = 0; !s.kept && i < 2000; i++)
		turn(&s);
	http_cancel(call);
	turn(&s);
	assert_int_equal(s.answered, 0);
	s.kept = NULL;
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	for (int i = 0; !s.kept && i < 2000; i++)
		turn(&s);
	stage_close(&s);
	assert_int_equal(s.answered, 0);
}

/** An answer to one who has left meanwhile. */
static void answered_too_late(void **state)
{
	struct http_call *call = NULL;
	struct http_counts counts;
	struct stage s;

	(void)state;
	stage_open(&s, NULL, NULL);
	s.keep = true;
	post(&s, "/", "text/plain", BASE_STR("x"), &call);
	for (int i = 0; !s.kept && i < 2000; i++)
		turn(&s);
	http_cancel(call);
	turn(&s);
	reply(s.kept, 200, "well");
	for (int i = 0; i < 2000; i++) {
		http_server_counts(s.server, &counts);
		if (!counts.open)
			break;
		turn(&s);
	}
	assert_int_equal(counts.open, 0);
	stage_close(&s);
}

static void too_much(void **state)
{
	static char body[3000];
	const struct http_server_spec small = { .body_max = 1000 };
	const struct http_client_spec little = { .body_max = 3 };
	struct http_counts counts;
	struct stage s;

	(void)state;
	stage_open(&s, &small, NULL);
	post(&s, "/", "text/plain", (struct base_str){ body, 1000 }, NULL);
	answered(&s, 1);
	assert_int_equal(s.status, 200);
	post(&s, "/", "text/plain", (struct base_str){ body, 1001 }, NULL);
	answered(&s, 2);
	assert_int_equal(s.status, 413);
	assert_int_equal(s.asked, 1);
	http_server_counts(s.server, &counts);
	assert_int_equal(counts.too_large, 1);
	stage_close(&s);
	stage_open(&s, NULL, &little); /* "well" has four */
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	answered(&s, 1);
	assert_int_equal(base_err_class(s.rc), BASE_PEER);
	assert_string_equal(s.why, "the answer is larger than 3 octets");
	stage_close(&s);
}

/** More may wait for answers than that: no. */
static void too_many(void **state)
{
	const struct http_server_spec spec = { .requests_max = 1 };
	struct stage s;

	(void)state;
	stage_open(&s, &spec, NULL);
	s.keep = true;
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	for (int i = 0; !s.kept && i < 2000; i++)
		turn(&s);
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	answered(&s, 1);
	assert_int_equal(s.status, 503);
	assert_int_equal(s.asked, 1);
	reply(s.kept, 200, "well");
	answered(&s, 2);
	assert_int_equal(s.status, 200);
	stage_close(&s);
}

static void nobody_there(void **state)
{
	const struct http_client_spec quick = { .connect_ms = 300, .total_ms = 300 };
	static const char *const none[] = { "ftp://127.0.0.1/",       "http://",    "127.0.0.1", "",
		                            "http://user@127.0.0.1/", "http://a b/" };
	struct http_call *call = NULL;
	struct base_error err;
	struct stage s;
	char url[64];

	(void)state;
	stage_open(&s, NULL, &quick);
	for (size_t i = 0; i < BASE_COUNT(none); i++) {
		const struct http_post p = { .url = none[i], .type = "text/plain" };

		assert_int_equal(
		        base_err_class(http_post_start(&call, s.client, &p, on_answer, &s, &err)),
		        BASE_CONFIG);
		assert_null(call);
	}
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(s.server));
	http_server_free(s.server);
	s.server = NULL;
	assert_int_equal(http_post_start(NULL, s.client,
	                                 &(struct http_post){ .url = url, .type = "text/plain" },
	                                 on_answer, &s, &err),
	                 0);
	answered(&s, 1);
	assert_int_equal(base_err_class(s.rc), BASE_PEER);
	assert_int_equal(s.status, 0);
	assert_true(s.why[0] != '\0');
	stage_close(&s);
}

/** One that takes the question and says nothing. */
static void silence(void **state)
{
	const struct http_client_spec quick = { .connect_ms = 200, .total_ms = 200 };
	struct stage s;

	(void)state;
	stage_open(&s, NULL, &quick);
	s.keep = true;
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	answered(&s, 1);
	assert_int_equal(base_err_class(s.rc), BASE_PEER);
	stage_close(&s);
}

/* -- rude peers -------------------------------------------------------------------------------- */

static int dial(struct stage *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(http_server_port(s->server)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL); /* it may have hung up */
}

/* Until it hangs up, or there is a whole answer of no body. */
static void hear(struct stage *s, int fd, char *out, size_t cap)
{
	size_t len = 0;

	for (int i = 0; i < 2000; i++) {
		ssize_t n = recv(fd, out + len, cap - 1 - len, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		len += n > 0 ? (size_t)n : 0;
		out[len] = '\0';
		if (n > 0 && strstr(out, "\r\n\r\n"))
			return;
		turn(s);
	}
	out[len] = '\0';
}

static void rude(void **state)
{
	static const struct {
		const char *says, *hears;
	} rows[] = {
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", " 4" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
		  " 4" },
		{ "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", " 400 " },
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", " 405 " },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "" },
	};
	struct stage s;
	char text[2000];

	(void)state;
	stage_open(&s, NULL, NULL);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		int fd = dial(&s);

		say(fd, rows[i].says);
		hear(&s, fd, text, sizeof(text));
		if (!strstr(text, rows[i].hears))
			fail_msg("%s: %s", rows[i].says, text);
		(void)close(fd);
	}
	assert_int_equal(s.asked, 1); /* the GET */
	post(&s, "/", "text/plain", BASE_STR("x"), NULL);
	answered(&s, 1);
	assert_int_equal(s.status, 200);
	stage_close(&s);
}

/** An octet now and then does not keep a connection. */
static void slow(void **state)
{
	const struct http_server_spec spec = { .request_ms = 200 };
	struct http_counts counts = { 0 };
	struct stage s;
	int fd;

	(void)state;
	stage_open(&s, &spec, NULL);
	fd = dial(&s);
	say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
	for (int i = 0; i < 2000 && (!counts.connections || counts.open); i++) {
		say(fd, "x");
		turn(&s);
		turn(&s); /* nothing comes: it waits for a timer */
		http_server_counts(s.server, &counts);
	}
	assert_int_equal(counts.open, 0);
	assert_int_equal(counts.too_slow, 1);
	assert_int_equal(s.asked, 0);
	(void)close(fd);
	stage_close(&s);
}

/** More connections in a moment than libmicrohttpd takes at a time, and than one source may have.
 */
static void crowd(void **state)
{
	const struct http_server_spec spec = { .per_source = 30 };
	struct http_counts counts;
	struct stage s;
	int fd[40];
	char text[2000];
	unsigned served = 0;

	(void)state;
	stage_open(&s, &spec, NULL);
	for (size_t i = 0; i < BASE_COUNT(fd); i++) {
		fd[i] = dial(&s);
		say(fd[i], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
	}
	for (size_t i = 0; i < BASE_COUNT(fd); i++) {
		hear(&s, fd[i], text, sizeof(text));
		served += strstr(text, " 200 ") != NULL;
	}
	assert_int_equal(served, 30);
	http_server_counts(s.server, &counts);
	assert_int_equal(counts.open, 30);
	for (size_t i = 0; i < BASE_COUNT(fd); i++)
		(void)close(fd[i]);
	stage_close(&s);
}

static void port_taken(void **state)
{
	struct http_server *second = NULL;
	struct http_server_spec spec = { .fn = on_request };
	struct sockaddr_in *at = (struct sockaddr_in *)&spec.listen;
	struct base_error err = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s, NULL, NULL);
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at->sin_port = htons(http_server_port(s.server));
	assert_int_equal(base_err_class(http_server_new(&second, s.loop, &spec, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1:"));
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(post_answered),
		cmocka_unit_test(kept_alive),
		cmocka_unit_test(answered_later),
		cmocka_unit_test(never_answered),
		cmocka_unit_test(answered_too_late),
		cmocka_unit_test(too_much),
		cmocka_unit_test(too_many),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(silence),
		cmocka_unit_test(rude),
		cmocka_unit_test(slow),
		cmocka_unit_test(crowd),
		cmocka_unit_test(port_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
