/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/measure.h"

#include <time.h>

#define ROUNDS 3
#define STEPS  20 /* flights of a handshake, at most */

struct end {
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer out; /* that the other has not read */
	size_t read;
	bool done;
	uint64_t cost_ns;
};

static uint64_t processor_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static struct base_reader unread(const struct end *end)
{
	return end->out.len ? base_reader_of(end->out.data + end->read, end->out.len - end->read)
	                    : (struct base_reader){ 0 };
}

/* @return false when it has failed */
static bool step(struct end *end, struct end *other)
{
	struct tls_io io = { .in = unread(other), .out = &end->out };
	uint64_t begun = processor_ns();
	int rc = tls_session_handshake(end->session, &io);

	other->read = other->out.len - base_reader_left(&io.in);
	end->cost_ns += processor_ns() - begun;
	end->done = rc == 0;
	return rc == 0 || base_err_class(rc) == BASE_AGAIN;
}

static uint64_t round_ns(struct end *client, struct end *server)
{
	const struct tls_session_spec client_spec = { .role = TLS_ROLE_CLIENT };
	const struct tls_session_spec server_spec = { .role = TLS_ROLE_SERVER };
	bool ok = !tls_session_new(&client->session, client->context, &client_spec) &&
	          !tls_session_new(&server->session, server->context, &server_spec);

	for (int i = 0; ok && i < STEPS && !(client->done && server->done); i++) {
		if (!client->done)
			ok = step(client, server);
		if (ok && !server->done)
			ok = step(server, client);
	}
	ok = ok && client->done && server->done;
	tls_session_free(client->session);
	tls_session_free(server->session);
	base_writer_done(&client->out);
	base_writer_done(&server->out);
	return ok ? server->cost_ns : 0;
}

/* A UE that believes everybody. */
static int client_new(struct tls_domain **ret, const struct tls_domain *domain)
{
	const struct tls_domain_spec spec = { .name = "measure",
		                              .profile = tls_domain_profile(domain) };

	return tls_domain_new(ret, &spec, NULL);
}

uint64_t edge_measure_full(struct tls_domain *domain)
{
	struct tls_context *server = NULL, *client = NULL;
	struct tls_domain *ue = NULL;
	uint64_t least = 0;

	if (!client_new(&ue, domain) && !tls_context_new(&client, ue, NULL) &&
	    !tls_context_new(&server, domain, NULL))
		for (int i = 0; i < ROUNDS; i++) {
			struct end a = { .context = client }, b = { .context = server };
			uint64_t ns = round_ns(&a, &b);

			if (ns && (!least || ns < least))
				least = ns;
		}
	tls_context_free(client);
	tls_context_free(server);
	tls_domain_unref(ue);
	return least ? least / 1000 + 1 : 0;
}
