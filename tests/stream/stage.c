/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

struct lab *lab;

char log_text[65536];
unsigned log_lines;

static void on_log(void *arg, enum base_level level, const char *line)
{
	(void)arg;
	(void)level;
	snprintf(log_text + strlen(log_text), sizeof(log_text) - strlen(log_text), "%s\n", line);
	log_lines++;
}

static void on_up(void *arg, struct stream *stream)
{
	struct end *e = arg;

	assert_ptr_equal(stream, e->stream);
	assert_true(stream_is_up(stream));
	e->up++;
}

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct end *e = arg;
	size_t n = BASE_MIN(data.len, e->take);

	assert_true(e->up && !e->ended && data.len);
	e->shown = data.len;
	if (e->got_len + n <= sizeof(e->got)) {
		memcpy(e->got + e->got_len, data.ptr, n);
		e->got_len += n;
	}
	e->total += n;
	if (e->echo)
		(void)stream_write(stream, data.ptr, n);
	if (e->free_on_data) {
		stream_free(stream);
		e->stream = NULL;
	}
	return n;
}

static void on_writable(void *arg, struct stream *stream)
{
	(void)stream;
	((struct end *)arg)->writable++;
}

static void on_peer_end(void *arg, struct stream *stream)
{
	(void)stream;
	((struct end *)arg)->peer_end++;
}

static void on_rekeyed(void *arg, struct stream *stream, enum stream_again what)
{
	struct end *e = arg;

	assert_ptr_equal(stream, e->stream);
	e->again[what]++;
	if (e->says)
		assert_int_equal(stream_write(stream, e->says, strlen(e->says)), 0);
}

static void on_end(void *arg, struct stream *stream, const struct stream_end *end)
{
	struct end *e = arg;

	assert_ptr_equal(stream, e->stream);
	assert_false(stream_is_up(stream));
	e->ended++;
	e->cause = end->cause;
	e->was_up = end->was_up;
	snprintf(e->text, sizeof(e->text), "%s", end->text);
	stream_free(stream);
	e->stream = NULL;
}

struct stream_ops end_ops(struct end *end)
{
	return (struct stream_ops){
		.on_up = on_up,
		.on_data = on_data,
		.on_writable = on_writable,
		.on_peer_end = end->hold_open ? on_peer_end : NULL,
		.on_rekeyed = on_rekeyed,
		.on_end = on_end,
		.arg = end,
	};
}

static bool on_accept(void *arg, struct stream *stream, struct stream_spec *ret)
{
	struct place *p = arg;

	if (p->leave) {
		stream_listener_free(p->listener);
		p->listener = NULL;
	}
	if (p->closed)
		return false;
	p->came++;
	p->end.stream = stream;
	*ret = p->spec;
	ret->ops = end_ops(&p->end);
	if (ret->domain)
		ret->session = &p->session;
	return true;
}

void place_open(struct place *p, struct streams *streams, const struct stream_listen_spec *limits)
{
	struct stream_listen_spec spec = limits ? *limits : (struct stream_listen_spec){ 0 };
	struct base_error err = { 0 };

	spec.fn = on_accept;
	spec.arg = p;
	p->streams = streams;
	p->session.role = TLS_ROLE_SERVER;
	p->end.take = p->end.take ? p->end.take : SIZE_MAX;
	if (p->at.sa.sa_family == AF_UNSPEC)
		assert_int_equal(stream_addr_parse(&p->at, BASE_STR("127.0.0.1:0"), &err), 0);
	if (stream_listen(&p->listener, streams, &p->at, &spec, &err))
		fail_msg("%s", err.text);
}

struct place *place_new(struct streams *streams)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	place_open(p, streams, NULL);
	return p;
}

struct end *end_new(void)
{
	struct end *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	return e;
}

void come(struct end *end, struct streams *streams, const struct place *p, struct stream_spec spec)
{
	struct base_error err = { 0 };

	end->take = end->take ? end->take : SIZE_MAX;
	spec.ops = end_ops(end);
	if (stream_connect(&end->stream, streams, &p->at, NULL, &spec, &err))
		fail_msg("%s", err.text);
}

struct tls_domain_spec good(enum tls_role role, enum tls_engine engine, const char *profile)
{
	return (struct tls_domain_spec){
		.name = role == TLS_ROLE_SERVER ? "far" : "near",
		.profile = lab_profile(lab, profile),
		.engine = engine,
		.identity = role == TLS_ROLE_SERVER ? lab->server_ec : lab->client,
		.trust = lab->trust,
		.server_methods = TRUST_CA,
		.client_methods = TRUST_CA,
		.client_auth = TLS_CLIENT_AUTH_REQUIRE,
	};
}

struct tls_domain *domain_new(const struct tls_domain_spec *spec)
{
	struct tls_domain *domain = NULL;
	struct base_error err = { 0 };

	if (tls_domain_new(&domain, spec, &err))
		fail_msg("%s", err.text);
	return domain;
}

int setup(void **state)
{
	struct loop *loop;

	log_text[0] = '\0';
	log_lines = 0;
	if (loop_new(&loop))
		return -1;
	return streams_new((struct streams **)state, loop, NULL);
}

int teardown(void **state)
{
	struct loop *loop = streams_loop(*state);

	streams_free(*state);
	loop_free(loop);
	return 0;
}

int lab_open(void **state)
{
	(void)state;
	lab = lab_new();
	base_log_sink_set(on_log, NULL);
	return lab ? 0 : -1;
}

int lab_close(void **state)
{
	(void)state;
	base_log_sink_set(NULL, NULL);
	lab_free(lab);
	return 0;
}
