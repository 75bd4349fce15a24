/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file A controller (MGC) with libgatehouse-h248: takes the registration of a gateway, asks it for
 * its packages (AuditValue on ROOT), prints them and ends.
 *
 *   cc h248_controller.c $(pkg-config --cflags --libs gatehouse-h248) -o h248_controller
 */
#include "h248/h248.h"

#include <stdio.h>

/** The end of our AuditValue, whatever it was. */
static void on_audited(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                       const struct h248_transaction *reply)
{
	const struct h248_command *c = outcome || !reply->actions ? NULL : reply->actions->commands;
	const struct h248_packages *p = c ? (void *)h248_command_find(c, H248_PACKAGES) : NULL;

	(void)msg;
	for (const struct h248_packages_item *i = p ? p->items : NULL; i; i = i->next)
		printf("%.*s version %u\n", BASE_FMT(i->name), i->version);
	if (!p)
		fputs("the gateway did not tell its packages\n", stderr);
	loop_stop(arg);
}

/** A gateway asks something: a registration gets "welcome", all else is not for this example. */
static void on_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	const struct h248_command *c = req->actions ? req->actions->commands : NULL;
	struct h248_peer *gateway = h248_incoming_peer(in);
	struct h248_command *audit;
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, req->id);
	struct h248_transaction *ask = h248_request_new(&arena);

	(void)msg;
	if (!c || c->kind != H248_SERVICE_CHANGE || !reply || !ask) {
		h248_txn_reply_error(in, H248_E_COMMAND, NULL);
	} else {
		(void)h248_command_add(&arena, h248_action_add(&arena, reply, H248_CONTEXT_NULL),
		                       H248_SERVICE_CHANGE, c->term.name);
		audit = h248_command_add(&arena, h248_action_add(&arena, ask, H248_CONTEXT_NULL),
		                         H248_AUDIT_VALUE, BASE_STR("ROOT"));
		(void)h248_audit_add(&arena, audit, H248_AUDIT_BIT(H248_PACKAGES));
		(void)h248_txn_reply(in, reply); /* `in` is gone now */
		(void)h248_txn_request(gateway, ask, 1, on_audited, user, NULL);
	}
	base_arena_done(&arena);
}

/** Anybody may register here. */
static bool on_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg)
{
	return (void)user, (void)from, (void)msg, true;
}

int main(int argc, char **argv)
{
	const struct h248_user_ops ops = { .on_request = on_request, .on_stranger = on_stranger };
	struct h248_node_config config = { 0 };
	struct base_error err = { 0 };
	struct h248_node *node = NULL;
	struct loop *loop = NULL;
	struct h248_addr at;
	char text[H248_ADDR_TEXT];

	if (argc != 2 || h248_addr_parse(H248_UDP, base_str_of(argv[1]), H248_PORT_TEXT, &at) ||
	    h248_mid_parse(BASE_STR("example"), &config.txn.mid) || loop_new(&loop) ||
	    h248_node_new(&node, loop, &config, &ops, loop) || h248_node_listen(node, &at, &err))
		return fprintf(stderr, "usage: h248_controller ADDRESS:PORT %s\n", err.text), 2;
	printf("listening on %s\n", h248_addr_format(&at, text));
	(void)fflush(stdout);
	(void)loop_run(loop);
	h248_node_free(node);
	loop_free(loop);
	return 0;
}
