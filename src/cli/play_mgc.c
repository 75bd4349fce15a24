/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/play.h"

#include <stdlib.h>
#include <time.h>

#define DEFAULT_VERSION 2

static char *text_of(const struct h248_transaction *t, unsigned version)
{
	struct base_writer w = { 0 };

	if (h248_text_encode_transaction(&w, t, version, H248_TEXT_PRETTY) != 0) {
		base_writer_done(&w);
		return strdup("(cannot be written)");
	}
	(void)base_writer_cstr(&w); /* w.data is NULL when memory is short; callers look */
	if (w.data)
		play_squeeze((char *)w.data);
	return (char *)w.data;
}

/* Decode actions written by the scenario's author into a transaction of `kind`. */
static int actions_decode(struct base_arena *arena, const struct play_mgc *mgc, const char *kind,
                          const char *actions, struct h248_transaction **ret,
                          struct base_error *err)
{
	struct h248_message *msg;
	char *text = base_arena_printf(arena, "MEGACO/%u <x>\n%s = 1 {\n%s\n}\n", mgc->version,
	                               kind, actions);
	int rc;

	if (!text)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = h248_text_decode(arena, text, strlen(text), NULL, &msg, err);
	if (!rc)
		*ret = msg->transactions;
	else if (err && err->line > 2)
		err->line -= 2; /* count from the author's first line */
	return rc;
}

void play_request_free(struct play_request *request)
{
	base_list_remove(&request->node);
	free(request->text);
	free(request);
}

/* ---- what the gateway asks ---- */

static struct h248_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return h248_time_of(t.tv_sec, (unsigned)(t.tv_nsec / 10000000));
}

/* Name our profile where the gateway offers another one (fact sheet 6.3). */
static void answer_profile(const struct play_mgc *mgc, struct h248_services *reply,
                           const struct h248_services *asked)
{
	struct h248_profile ours = mgc->profile;

	if (!ours.name.len || (asked->has_profile && asked->profile_version == ours.version &&
	                       base_str_ieq(asked->profile, ours.name)))
		return;
	reply->has_profile = true;
	reply->profile = ours.name;
	reply->profile_version = ours.version;
}

/* Agree to what a registration offers (H.248.1, 7.2.8, 11.3): our version or less, our profile. */
static void answer_services(struct base_arena *arena, struct h248_command *reply,
                            const struct play_mgc *mgc, const struct h248_services *asked)
{
	struct h248_services *services;

	if (!asked || !asked->has_version)
		return; /* an empty descriptor is not grammatical */
	services = h248_services_add(arena, reply);
	if (!services)
		return;
	services->has_version = true;
	services->version = (uint8_t)BASE_MIN((unsigned)asked->version, mgc->version);
	services->time = now(); /* "shall be sent with a registration command and its response" */
	answer_profile(mgc, services, asked);
}

static void answer_plainly(struct play_mgc *mgc, struct h248_incoming *in,
                           const struct h248_transaction *req)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, h248_incoming_id(in));
	int rc;

	for (const struct h248_action *a = req->actions; reply && a; a = a->next) {
		struct h248_action *action = h248_action_add(&arena, reply, a->context);

		for (const struct h248_command *c = a->commands; c; c = c->next) {
			struct h248_command *done = h248_command_add(
			        &arena, action, (enum h248_command_kind)c->kind, c->term.name);

			if (c->kind == H248_SERVICE_CHANGE)
				answer_services(&arena, done, mgc, h248_command_services(c));
			else if (c->kind != H248_NOTIFY)
				(void)h248_error_add(&arena, done, H248_E_COMMAND, NULL);
		}
	}
	if (reply)
		rc = h248_txn_reply(in, reply);
	else
		rc = BASE_ERR(BASE_LOCAL, 0), h248_txn_reply_error(in, H248_E_INTERNAL, NULL);
	(void)rc; /* the gateway has been told in any case */
	base_arena_done(&arena);
}

static void answer_scripted(struct play_mgc *mgc, struct h248_incoming *in, const char *actions)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *reply;
	struct base_error err = { 0 };

	if (actions_decode(&arena, mgc, "Reply", actions, &reply, &err) == 0)
		(void)h248_txn_reply(in, reply); /* the gateway has been told in any case */
	else
		h248_txn_reply_error(in, H248_E_INTERNAL, err.text);
	base_arena_done(&arena);
}

/* What the request says of how to speak to this gateway: version, address (7.2.8). */
static void note_services(struct play_mgc *mgc, const struct h248_transaction *req)
{
	struct h248_addr at;

	for (const struct h248_action *a = req->actions; a; a = a->next) {
		for (const struct h248_command *c = a->commands; c; c = c->next) {
			const struct h248_services *s = h248_command_services(c);

			if (c->kind == H248_SERVICE_CHANGE && s && s->has_version)
				h248_peer_version_set(mgc->gateway,
				                      BASE_MIN((unsigned)s->version, mgc->version));
			if (c->kind == H248_SERVICE_CHANGE && s && s->address &&
			    !h248_addr_of_mid(s->address, h248_peer_addr(mgc->gateway), &at))
				h248_peer_addr_set(mgc->gateway, &at);
		}
	}
}

static void on_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct play_mgc *mgc = user;
	struct play_request *item = calloc(1, sizeof(*item));
	char *reply = NULL;

	mgc->gateway = h248_incoming_peer(in);
	if (item)
		item->text = text_of(req, msg->version);
	if (!item || !item->text) {
		free(item);
		h248_txn_reply_error(in, H248_E_RESOURCES, NULL);
		return;
	}
	base_list_append(&mgc->inbox, &item->node);
	if (mgc->claim && mgc->claim(mgc->claim_arg, item->text, &reply))
		answer_scripted(mgc, in, reply);
	else
		answer_plainly(mgc, in, req);
	free(reply);
	note_services(mgc, req);
}

static bool on_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)user;
	(void)from;
	(void)msg;
	return true; /* a test controller serves whoever comes */
}

static void on_message_error(void *user, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	(void)user; /* seen by `raw` through the trace */
	(void)peer;
	(void)from;
	(void)code;
	(void)text;
}

static void on_heard(void *user, struct h248_peer *peer)
{
	struct play_mgc *mgc = user;

	mgc->gateway = peer;
}

static void on_lost(void *user, struct h248_peer *peer, const char *reason)
{
	struct play_mgc *mgc = user;

	(void)peer;
	play_ladder_row(mgc->ladder, loop_now_ms(mgc->loop), "controller", "controller", reason);
}

static void on_trace(void *user, bool out, const struct h248_addr *peer, const void *data,
                     size_t len)
{
	struct play_mgc *mgc = user;

	if (!out) {
		mgc->gateway_addr = *peer;
		free(mgc->heard);
		mgc->heard = strndup(data, len);
		if (mgc->heard)
			play_squeeze(mgc->heard);
		mgc->heard_count++;
	}
	play_ladder_message(mgc->ladder, loop_now_ms(mgc->loop), out, data, len);
}

/* ---- what we ask ---- */

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct play_mgc *mgc = arg;

	free(mgc->answer);
	mgc->answer = outcome == H248_OUTCOME_REPLY ? text_of(reply, msg->version) : NULL;
	mgc->answered = mgc->answer != NULL;
	mgc->timed_out = !mgc->answered;
}

int play_mgc_send(struct play_mgc *mgc, const char *actions, struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *request;
	int rc;

	if (!mgc->gateway)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "no gateway has registered yet; let a receive step come "
		                      "first");
	mgc->answered = mgc->timed_out = false;
	rc = actions_decode(&arena, mgc, "Transaction", actions, &request, err);
	if (!rc) {
		rc = h248_txn_request(mgc->gateway, request, 0, on_reply, mgc, NULL);
		if (rc)
			(void)base_error_set(err, rc, "cannot send: H.248 error %u",
			                     base_err_detail(rc));
	}
	base_arena_done(&arena);
	return rc;
}

int play_mgc_send_raw(struct play_mgc *mgc, const char *text, struct base_error *err)
{
	if (!h248_addr_known(&mgc->gateway_addr))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "no gateway is known yet; let a receive step come first");
	play_ladder_message(mgc->ladder, loop_now_ms(mgc->loop), true, text, strlen(text));
	mgc->heard_count = 0;
	return h248_transport_send(h248_node_transport(mgc->node), &mgc->gateway_addr, text,
	                           strlen(text));
}

/* ---- life ---- */

static int profile_read(const char *text, struct h248_profile *ret)
{
	const char *slash = strchr(text, '/');
	uint64_t version;

	if (!slash || slash == text || base_str_u64(base_str_of(slash + 1), 99, &version) ||
	    !version)
		return BASE_ERR(BASE_CONFIG, 0);
	ret->name = (struct base_str){ text, (size_t)(slash - text) };
	ret->version = (uint8_t)version;
	return 0;
}

int play_mgc_init(struct play_mgc *mgc, const struct play_controller *config,
                  const struct config_doc *doc, struct base_error *err)
{
	static const struct h248_user_ops ops = {
		.on_request = on_request,
		.on_stranger = on_stranger,
		.on_message_error = on_message_error,
		.on_heard = on_heard,
		.on_lost = on_lost,
		.on_trace = on_trace,
	};
	const char *listen = config && config->listen ? config->listen : "127.0.0.1:0";
	const char *transport = config && config->transport ? config->transport : "udp";
	struct h248_node_config node = { 0 };
	int rc;

	base_list_init(&mgc->inbox);
	mgc->version = config && config->version ? config->version : DEFAULT_VERSION;
	if (config && config->profile && profile_read(config->profile, &mgc->profile))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "controller.profile '%s' is no NAME/VERSION",
		                      config->profile);
	if (config && config->encoding &&
	    h248_codec_by_name(base_str_of(config->encoding), &node.txn.codec))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "controller.encoding '%s'",
		                      config->encoding);
	mgc->pretty = !config || !config->encoding || node.txn.codec == H248_CODEC_PRETTY;
	rc = h248_addr_parse(h248_transport_find(base_str_of(transport)), base_str_of(listen), 0,
	                     &mgc->local);
	if (rc)
		return base_error_set(err, rc, "controller.listen '%s' is no numeric address",
		                      listen);
	node.txn.pretty = mgc->pretty;
	node.txn.mid = h248_addr_mid(&mgc->local);
	node.txn.mid.has_port = mgc->local.port != 0; /* any free one is not known yet */
	if (config && config->mid && h248_mid_parse(base_str_of(config->mid), &node.txn.mid) != 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "controller.mid '%s' is no mId such as [127.0.0.1]:2944 or "
		                      "<mgc.example.net>",
		                      config->mid);
	if (config) {
		node.transport.sctp_udp_port = (uint16_t)config->sctp_udp_port;
		node.transport.sctp_udp_remote = (uint16_t)config->sctp_udp_remote;
	}
	if (mgc->local.transport == H248_TLS && config && config->tls) {
		rc = play_link_open(&mgc->link, config->tls, doc, err);
		if (rc)
			return rc;
		node.transport.filter = &link_filter;
		node.transport.filter_arg = mgc->link;
	}
	rc = h248_node_new(&mgc->node, mgc->loop, &node, &ops, mgc);
	if (rc)
		return base_error_set(err, rc, "cannot set the controller up");
	return h248_node_listen(mgc->node, &mgc->local, err);
}

void play_mgc_done(struct play_mgc *mgc)
{
	BASE_LIST_EACH(&mgc->inbox, node, next)
	play_request_free(BASE_CONTAINER_OF(node, struct play_request, node));
	h248_node_free(mgc->node);
	link_free(mgc->link);
	free(mgc->answer);
	free(mgc->heard);
}
