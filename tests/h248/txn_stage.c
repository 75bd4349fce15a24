/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "txn_stage.h"

const char stage_request_7[] = "!/1 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}";

/* ---- the executing side ---- */

int stage_answer(struct server *s, struct h248_incoming *in)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = net_audit_reply(&arena, 0);
	int rc;

	for (unsigned i = 1; i < s->many_commands; i++)
		assert_non_null(h248_command_add(&arena, reply->actions, H248_AUDIT_VALUE,
		                                 BASE_STR("ROOT")));
	if (s->reply_octets) {
		struct h248_packages *p = h248_packages_add(&arena, reply->actions->commands);

		for (size_t i = 0; i < s->reply_octets / 10; i++)
			h248_packages_item_add(&arena, p, BASE_STR("abcdefg"), 1);
	}
	rc = h248_txn_reply(in, reply);
	base_arena_done(&arena);
	return rc;
}

static void server_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                           const struct h248_transaction *req)
{
	struct server *s = arg;

	(void)msg;
	s->executed++;
	s->octets = req->actions->commands ? req->actions->commands->term.name.ptr : NULL;
	if (s->times)
		s->times[req->id - s->first]++;
	if (s->keep_model) {
		h248_incoming_keep(in);
		s->req = req;
	}
	if (s->hold)
		s->held[s->held_count++] = in;
	else
		(void)stage_answer(s, in);
}

static bool server_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)from;
	(void)msg;
	return ((struct server *)arg)->strangers;
}

static void server_error(void *arg, struct h248_peer *peer, const struct h248_addr *from,
                         unsigned code, struct base_str text)
{
	struct server *s = arg;

	(void)peer;
	(void)from;
	(void)text;
	s->errors++;
	s->error_code = code;
}

static void server_heard(void *arg, struct h248_peer *peer)
{
	(void)peer;
	((struct server *)arg)->heard++;
}

static void server_abort(void *arg, struct h248_incoming *in)
{
	struct server *s = arg;

	s->aborted++;
	if (s->answer_aborted)
		(void)stage_answer(s, in);
}

static void server_late(void *arg, struct h248_peer *peer, const struct h248_message *msg,
                        const struct h248_transaction *reply)
{
	struct server *s = arg;

	assert_non_null(peer);
	assert_non_null(msg);
	assert_int_equal(reply->kind, H248_REPLY);
	s->late++;
}

struct h248_txn_ops stage_server(struct server *s, struct net *net)
{
	*s = (struct server){ .net = net, .strangers = true };
	return (struct h248_txn_ops){ .on_request = server_request,
		                      .on_stranger = server_stranger,
		                      .on_message_error = server_error,
		                      .on_heard = server_heard,
		                      .on_abort = server_abort,
		                      .on_late_reply = server_late,
		                      .arg = s };
}

/* ---- the asking side ---- */

void stage_on_answer(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct answers *a = arg;

	a->replies += outcome == H248_OUTCOME_REPLY;
	a->timeouts += outcome == H248_OUTCOME_TIMEOUT;
	a->cancelled += outcome == H248_OUTCOME_CANCELLED;
	a->pended += outcome == H248_OUTCOME_PENDINGS;
	a->at_ms = a->net->now_ms;
	if (outcome == H248_OUTCOME_REPLY) {
		assert_non_null(msg);
		a->code = reply->error ? reply->error->code : 0;
		a->commands = 0;
		for (const struct h248_action *at = reply->actions; at; at = at->next) {
			for (const struct h248_command *c = at->commands; c; c = c->next)
				a->commands++;
		}
	} else {
		assert_null(reply);
	}
}

static void stage_with(struct stage *s, enum h248_transport_kind kind,
                       const struct h248_txn_config *client, const struct h248_txn_config *server)
{
	struct h248_txn_ops ops;
	struct h248_addr addr = net_addr(2, kind);

	net_init(&s->net);
	ops = stage_server(&s->client, &s->net);
	net_host_new(&s->net, 1, kind, client, &ops);
	ops = stage_server(&s->server, &s->net);
	net_host_new(&s->net, 2, kind, server, &ops);
	s->answers = (struct answers){ .net = &s->net };
	assert_int_equal(h248_peer_new(&s->peer, s->net.host[1].txn, &addr), 0);
}

int stage_setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	stage_with(s, H248_UDP, NULL, NULL);
	*state = s;
	return 0;
}

int stage_teardown(void **state)
{
	struct stage *s = *state;

	net_done(&s->net);
	free(s);
	return 0;
}

void stage_restart(struct stage *s, enum h248_transport_kind kind,
                   const struct h248_txn_config *client, const struct h248_txn_config *server)
{
	net_done(&s->net);
	stage_with(s, kind, client, server);
}

uint32_t stage_ask(struct stage *s)
{
	struct base_arena arena = { 0 };
	uint32_t id = 0;

	assert_int_equal(
	        h248_txn_request(s->peer, net_audit(&arena), 0, stage_on_answer, &s->answers, &id),
	        0);
	base_arena_done(&arena);
	return id;
}

const struct h248_txn_counters *stage_count(struct stage *s, unsigned host)
{
	return h248_txn_counters(s->net.host[host].txn);
}

bool stage_sent_has(struct stage *s, unsigned host, const char *text)
{
	return strstr(s->net.host[host].last, text) != NULL;
}

bool stage_drop_first(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)text;
	return from == *(unsigned *)net->arg && n == 1;
}

bool stage_drop_all(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)n;
	(void)text;
	return from == *(unsigned *)net->arg;
}

bool stage_only_ber(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)net;
	(void)from;
	(void)n;
	return (uint8_t)text[0] != 0x30;
}
