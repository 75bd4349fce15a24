/* SPDX-License-Identifier: Apache-2.0 */
/** @file HTTP inside TLS by our domains: who is let in, whom the client believes, how it ends. */
#include "../tls/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "http/http.h"

static struct lab *lab;

struct stage {
	struct loop *loop;
	struct streams *streams;
	struct tls_domain *far, *near;
	struct http_server *server;
	struct http_client *client;
	unsigned asked, answered, status;
	size_t asked_len, answer_len;
	bool same;
	int rc;
	char peer[64], why[512];
};

static char big[300000];

static void on_request(void *arg, struct http_request *request)
{
	struct stage *s = arg;
	struct base_str body = http_body(request);

	s->asked++;
	s->asked_len = body.len;
	(void)snprintf(s->peer, sizeof(s->peer), "%s", http_peer(request));
	http_answer(request, &(struct http_reply){
	                             .status = 200, .type = "application/mikey", .body = body });
}

static void on_answer(void *arg, const struct http_result *result)
{
	struct stage *s = arg;

	s->answered++;
	s->rc = result->rc;
	s->status = result->status;
	s->answer_len = result->body.len;
	s->same = result->body.len == s->asked_len &&
	          (!result->body.len || !memcmp(result->body.ptr, big, result->body.len));
	(void)snprintf(s->why, sizeof(s->why), "%s", result->err->text);
}

static struct tls_domain *domain(enum tls_role role, enum tls_client_auth ask, bool shows)
{
	const struct tls_domain_spec spec = {
		.name = role == TLS_ROLE_SERVER ? "far" : "near",
		.profile = lab_profile(lab, "modern"),
		.identity = role == TLS_ROLE_SERVER ? lab->server_ec
		            : shows                 ? lab->client
		                                    : NULL,
		.trust = lab->trust,
		.server_methods = TRUST_CA,
		.client_methods = TRUST_CA,
		.client_auth = ask,
	};
	struct tls_domain *ret = NULL;
	struct base_error err = { 0 };

	if (tls_domain_new(&ret, &spec, &err))
		fail_msg("%s", err.text);
	return ret;
}

/* `ask`: certificates of clients; `shows`: the client has one; `name`: that the server must prove
 */
static void stage_open(struct stage *s, bool ask, bool shows, const char *name)
{
	struct http_server_spec server = {
		.fn = on_request, .arg = s, .body_max = sizeof(big), .anybody = !ask
	};
	struct http_client_spec client = { .body_max = sizeof(big), .peer_name = name };
	struct sockaddr_in *at = (struct sockaddr_in *)&server.listen;
	struct base_error err = { 0 };

	*s = (struct stage){ 0 };
	assert_int_equal(loop_new(&s->loop), 0);
	assert_int_equal(streams_new(&s->streams, s->loop, NULL), 0);
	s->far =
	        domain(TLS_ROLE_SERVER, ask ? TLS_CLIENT_AUTH_REQUIRE : TLS_CLIENT_AUTH_NONE, true);
	s->near = domain(TLS_ROLE_CLIENT, TLS_CLIENT_AUTH_NONE, shows);
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.domain = s->far;
	client.domain = s->near;
	server.streams = client.streams = s->streams;
	if (http_server_new(&s->server, s->loop, &server, &err))
		fail_msg("%s", err.text);
	assert_int_equal(http_client_new(&s->client, s->loop, &client), 0);
}

static void stage_close(struct stage *s)
{
	http_client_free(s->client);
	http_server_free(s->server);
	streams_free(s->streams);
	tls_domain_unref(s->far);
	tls_domain_unref(s->near);
	loop_free(s->loop);
}

static void post(struct stage *s, size_t len)
{
	struct base_error err = { 0 };
	unsigned wanted = s->answered + 1;
	char url[100];
	const struct http_post p = { .url = url,
		                     .type = "application/mikey",
		                     .body = { big, len } };

	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", http_server_port(s->server));
	if (http_post_start(NULL, s->client, &p, on_answer, s, &err))
		fail_msg("%s", err.text);
	while (s->answered < wanted)
		assert_int_equal(loop_run_once(s->loop, 100), 0);
}

/** Small and large; nothing of a connection is left behind. */
static void answered(void **state)
{
	struct http_counts counts;
	struct stage s;

	(void)state;
	stage_open(&s, true, true, "server.test");
	for (unsigned i = 0; i < 3; i++) {
		post(&s, i == 1 ? sizeof(big) : 10);
		if (s.rc)
			fail_msg("%s", s.why);
		if (s.status != 200)
			fail_msg("%u %s", s.status, s.why);
		assert_true(s.same);
	}
	assert_int_equal(s.asked, 3);
	assert_memory_equal(s.peer, "127.0.0.1:", 10);
	http_server_counts(s.server, &counts);
	assert_int_equal(counts.connections, 3);
	for (int i = 0; i < 2000 && streams_conns(s.streams); i++)
		assert_int_equal(loop_run_once(s.loop, 20), 0);
	assert_int_equal(streams_conns(s.streams), 0);
	stage_close(&s);
}

static void anybody(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, false, false, "server.test");
	post(&s, 10);
	if (s.status != 200)
		fail_msg("%u %s", s.status, s.why);
	stage_close(&s);
}

/** Whose name is another's hears nothing. */
static void wrong_server(void **state)
{
	static const char *const names[] = { "other.test", NULL /* 127.0.0.1, of the URL */ };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		struct stage s;

		stage_open(&s, false, false, names[i]);
		post(&s, 10);
		assert_int_equal(base_err_class(s.rc), BASE_PEER);
		assert_int_equal(s.asked, 0);
		if (strncmp(s.why, "127.0.0.1:", 10) != 0)
			fail_msg("%s", s.why); /* in our words, not in libcurl's */
		stage_close(&s);
	}
}

static void client_without_certificate(void **state)
{
	struct http_counts counts;
	struct stage s;

	(void)state;
	stage_open(&s, true, false, "server.test");
	post(&s, 10);
	assert_int_equal(base_err_class(s.rc), BASE_PEER);
	assert_int_equal(s.asked, 0);
	http_server_counts(s.server, &counts);
	assert_int_equal(counts.connections, 0); /* the library has never heard of it */
	stage_close(&s);
}

/** No https without a domain, and no http beside one: what is kept open is never mixed up. */
static void schemes(void **state)
{
	static const struct http_client_spec plain;
	struct http_client *other = NULL;
	struct base_error err = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s, false, false, "server.test");
	assert_int_equal(http_client_new(&other, s.loop, &plain), 0);
	assert_int_equal(base_err_class(http_post_start(
	                         NULL, other,
	                         &(struct http_post){ .url = "https://127.0.0.1/", .type = "a/b" },
	                         on_answer, &s, &err)),
	                 BASE_CONFIG);
	assert_int_equal(base_err_class(http_post_start(
	                         NULL, s.client,
	                         &(struct http_post){ .url = "http://127.0.0.1/", .type = "a/b" },
	                         on_answer, &s, &err)),
	                 BASE_CONFIG);
	http_client_free(other);
	stage_close(&s);
}

/** Who speaks no TLS gets nothing, and who is silent is let go with the server. */
static void no_tls(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static const char text[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
	char heard[100] = "";
	struct stage s;
	ssize_t n = -1;
	int fd;

	(void)state;
	stage_open(&s, false, false, "server.test");
	to.sin_port = htons(http_server_port(s.server));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
	for (int i = 0; i < 2000 && (n > 0 || (n < 0 && errno == EAGAIN)); i++) {
		assert_int_equal(loop_run_once(s.loop, 20), 0);
		n = recv(fd, heard, sizeof(heard) - 1, 0);
		assert_null(strstr(heard, "HTTP"));
	}
	assert_true(n <= 0);
	assert_int_equal(s.asked, 0);
	(void)close(fd);
	stage_close(&s);
}

/** The server goes in the midst of a question. */
static void server_leaves(void **state)
{
	struct base_error err = { 0 };
	struct stage s;
	char url[100];
	const struct http_post p = { .url = url,
		                     .type = "application/mikey",
		                     .body = { big, sizeof(big) } };

	(void)state;
	stage_open(&s, false, false, "server.test");
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", http_server_port(s.server));
	assert_int_equal(http_post_start(NULL, s.client, &p, on_answer, &s, &err), 0);
	for (int i = 0; i < 2000 && streams_count(s.streams)->up < 2; i++)
		assert_int_equal(loop_run_once(s.loop, 20), 0);
	http_server_free(s.server);
	s.server = NULL;
	while (!s.answered)
		assert_int_equal(loop_run_once(s.loop, 100), 0);
	assert_int_equal(base_err_class(s.rc), BASE_PEER);
	stage_close(&s);
}

static void another_domain(void **state)
{
	struct tls_domain *fresh;
	struct stage s;

	(void)state;
	stage_open(&s, false, false, "server.test");
	post(&s, 10);
	fresh = domain(TLS_ROLE_SERVER, TLS_CLIENT_AUTH_NONE, true);
	http_server_domain_set(s.server, fresh);
	post(&s, 10);
	if (s.status != 200)
		fail_msg("%u %s", s.status, s.why);
	tls_domain_unref(fresh);
	stage_close(&s);
}

static int lab_open(void **state)
{
	(void)state;
	lab = lab_new();
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	return lab ? 0 : -1;
}

static int lab_close(void **state)
{
	(void)state;
	lab_free(lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered),      cmocka_unit_test(anybody),
		cmocka_unit_test(wrong_server),  cmocka_unit_test(client_without_certificate),
		cmocka_unit_test(schemes),       cmocka_unit_test(no_tls),
		cmocka_unit_test(server_leaves), cmocka_unit_test(another_domain),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
