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

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct side *s = arg;

	s->from = *from;
	s->count++;
	s->total += len;
	if (s->got_len + len + 2 < sizeof(s->got)) {
		memcpy(s->got + s->got_len, data, len);
		s->got_len += len;
		s->got[s->got_len++] = '|';
	}
	if (s->echo)
		(void)h248_transport_send(s->t, from, data, len);
}

static void on_connected(void *arg, const struct h248_addr *conn)
{
	struct side *s = arg;

	s->from = *conn;
	s->opened++;
}

static void on_closed(void *arg, const struct h248_addr *conn, const char *reason)
{
	struct side *s = arg;

	(void)conn;
	s->closed++;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static void on_drained(void *arg, const struct h248_addr *conn)
{
	(void)conn;
	((struct side *)arg)->drained++;
}

struct tls_domain_spec good(enum tls_role role, enum tls_engine engine, const char *profile)
{
	return (struct tls_domain_spec){
		.name = role == TLS_ROLE_SERVER ? "mgc" : "mg",
		.profile = lab_profile(lab, profile),
		.engine = engine,
		.identity = role == TLS_ROLE_SERVER ? lab->server_ec : lab->client,
		.trust = lab->trust,
		.server_methods = TRUST_CA,
		.client_methods = TRUST_CA,
		.client_auth = TLS_CLIENT_AUTH_REQUIRE,
	};
}

void side_new(struct side *s, struct loop *loop, const struct tls_domain_spec *domain,
              const struct link_spec *spec, const struct h248_transport_config *base)
{
	struct h248_transport_config config = base ? *base : (struct h248_transport_config){ 0 };
	struct h248_transport_ops ops = { on_message, on_connected, on_closed, on_drained, s };
	struct base_error err = { 0 };

	*s = (struct side){ .loop = loop };
	if (tls_domain_new(&s->domain, domain, &err) || link_new(&s->link, s->domain, spec, &err))
		fail_msg("%s", err.text);
	config.filter = &link_filter;
	config.filter_arg = s->link;
	assert_int_equal(h248_transport_new(&s->t, loop, &config, &ops), 0);
}

void side_listen(struct side *s)
{
	struct base_error err = { 0 };

	assert_int_equal(h248_addr_parse(H248_TLS, BASE_STR("127.0.0.1"), 0, &s->local), 0);
	if (h248_transport_listen(s->t, &s->local, &err))
		fail_msg("%s", err.text);
}

void side_free(struct side *s)
{
	h248_transport_free(s->t);
	link_free(s->link);
	tls_domain_unref(s->domain);
}

struct h248_addr target_of(const struct side *s)
{
	struct h248_addr to = s->local;

	to.conn = 0;
	return to;
}

const struct link_spec server_name = { .peer_name = "server.test" };
const struct link_spec client_name = { .peer_name = "client.test" };
const struct link_spec any_name = { 0 };

int setup(void **state)
{
	log_text[0] = '\0';
	log_lines = 0;
	return loop_new((struct loop **)state);
}

int teardown(void **state)
{
	loop_free(*state);
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
