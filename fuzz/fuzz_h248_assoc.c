/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A life of one association, written by chance: controllers that accept, refuse, redirect, name
 * what cannot be, say anything at all or nothing; lookups that end late or never; connections that
 * end; time. What must hold: up and down take turns; who is up has a peer; it leaves once for each
 * start; no order makes it send for ever; what leaves can be decoded.
 *
 * Octet 0 is settings. Then orders: an octet (low 3 bits what, high 5 bits a number) and the octets
 * that it takes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SENDS = 100, TEXT = 256 };

struct world {
	struct h248_txn *txn;
	struct h248_assoc *assoc;
	enum h248_transport_kind kind;
	uint64_t now_ms;
	unsigned sends; /* by this order */
	bool up, started;
	uint32_t lookup, id; /* the last ones */
	struct h248_addr to; /* where the last request went */
	const uint8_t *at, *end;
};

/* The callbacks' own argument is the association. */
static struct world *the;

static void must(bool right, const char *what)
{
	if (right)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

static unsigned octet(struct world *w)
{
	return w->at < w->end ? *w->at++ : 0;
}

/* The next octets as text. */
static const char *text(struct world *w, char buf[TEXT])
{
	size_t want = octet(w), len = 0;

	while (len < want && w->at < w->end)
		buf[len++] = (char)*w->at++;
	buf[len] = '\0';
	return buf;
}

static struct h248_addr address(const struct world *w, unsigned n)
{
	return (struct h248_addr){ .transport = (uint8_t)w->kind,
		                   .family = 4,
		                   .port = H248_PORT_TEXT,
		                   .ip = { 10, 0, 0, (uint8_t)(n % 8) } };
}

/* ---- the network ---- */

static int on_send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	static const struct h248_text_options contain = { .contain = true };
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct world *w = the;

	(void)arg;
	must(++w->sends <= SENDS, "an order does not make it send for ever");
	must(h248_codec_decode(&arena, data, len, &contain, &msg, NULL, NULL) == 0 && !msg->faults,
	     "what leaves can be decoded");
	for (const struct h248_transaction *t = msg->transactions; t; t = t->next) {
		if (t->kind == H248_REQUEST) {
			w->id = t->id;
			w->to = *to;
		}
	}
	base_arena_done(&arena);
	return 0;
}

static uint64_t now_ms(void *arg)
{
	(void)arg;
	return the->now_ms;
}

static void say(struct world *w, const struct h248_addr *from, const char *message)
{
	h248_txn_input(w->txn, from, message, strlen(message));
}

/* ---- the association's user ---- */

static void on_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct world *w = user;
	const struct h248_command *c = req->actions ? req->actions->commands : NULL;
	const struct h248_services *s = c ? h248_command_services(c) : NULL;

	(void)msg;
	if (s && s->mgc_id)
		(void)h248_assoc_handoff(w->assoc, s->mgc_id); /* refused is fine */
	h248_txn_reply_error(in, H248_E_NOT_IMPLEMENTED, NULL);
}

static void on_up(void *user, struct h248_peer *peer)
{
	struct world *w = user;

	must(!w->up && w->started && h248_assoc_peer(w->assoc) == peer, "up when it was down");
	w->up = true;
}

static void on_down(void *user, struct h248_peer *peer, enum h248_assoc_cause cause)
{
	struct world *w = user;

	(void)cause;
	must(w->up && peer, "down when it was up");
	w->up = false;
}

static void on_gone(void *user)
{
	struct world *w = user;

	must(!w->up && w->started, "it leaves once");
	w->started = false;
}

static void on_refused(void *user, const struct h248_addr *controller, unsigned code,
                       const char *why, struct base_str words)
{
	char buf[H248_ADDR_TEXT];

	(void)user;
	(void)code;
	must(h248_addr_format(controller, buf) && why && (words.ptr || !words.len),
	     "a refusal has words");
}

static void on_resolve(void *user, uint32_t lookup, const char *name, unsigned family)
{
	struct world *w = user;

	must(name[0] && family <= 6, "a name is looked up");
	w->lookup = lookup;
}

/* ---- orders ---- */

static void order_answer(struct world *w, bool services)
{
	char buf[TEXT], message[2 * TEXT];
	unsigned version = 1 + octet(w) % 3;

	(void)text(w, buf);
	snprintf(message, sizeof(message),
	         services ? "!/%u [10.0.0.%u]:2944 P=%u{C=-{SC=ROOT{SV{%s}}}}"
	                  : "!/%u [10.0.0.%u]:2944 P=%u{%s}",
	         version, w->to.ip[3], w->id, buf);
	say(w, &w->to, message);
}

static void order_raw(struct world *w, unsigned n)
{
	struct h248_addr from = address(w, n);
	char buf[TEXT];

	say(w, &from, text(w, buf));
}

static void order_found(struct world *w, unsigned n)
{
	struct h248_addr found = address(w, n);

	h248_assoc_resolved(w->assoc, n & 16 ? octet(w) : w->lookup, n & 8 ? NULL : &found);
}

static void order_user(struct world *w, unsigned n)
{
	switch (n % 8) {
	case 0:
		w->started |= h248_assoc_state(w->assoc) == H248_ASSOC_IDLE ||
		              h248_assoc_state(w->assoc) == H248_ASSOC_GONE;
		h248_assoc_start(w->assoc);
		break;
	case 1:
		/* Out of idle it is gone at once. */
		w->started |= h248_assoc_state(w->assoc) == H248_ASSOC_IDLE;
		h248_assoc_stop(w->assoc, H248_FORCED, H248_R_OUT_OF_SERVICE);
		break;
	case 2:
		h248_assoc_failed(w->assoc);
		break;
	case 3:
		h248_assoc_forget(w->assoc);
		break;
	default:
		h248_assoc_inactivity_set(w->assoc, octet(w) * 100, n);
		break;
	}
}

static void order(struct world *w)
{
	unsigned what = octet(w), n = what >> 3;

	w->sends = 0;
	switch (what & 7) {
	case 0:
		w->now_ms += 1ULL << n % 24;
		h248_txn_advance(w->txn);
		break;
	case 1:
	case 2:
		order_answer(w, true);
		break;
	case 3:
		order_answer(w, false);
		break;
	case 4:
		order_raw(w, n);
		break;
	case 5:
		order_found(w, n);
		break;
	case 6:
		order_user(w, n);
		break;
	default:
		h248_txn_lost(w->txn, &w->to, "closed by the peer");
		break;
	}
	h248_txn_advance(w->txn);
	must(w->up == (h248_assoc_peer(w->assoc) != NULL) ||
	             h248_assoc_state(w->assoc) == H248_ASSOC_LEAVING,
	     "who is up has a peer");
}

static bool make(struct world *w, unsigned settings)
{
	static const struct h248_profile profiles[] = { { { "A", 1 }, 1 }, { { "B", 1 }, 2 } };
	struct h248_controller list[3] = { { .addr = address(w, 2) },
		                           { .addr = address(w, 3), .name = "b" },
		                           { .addr = address(w, 4), .alternative = true } };
	const struct h248_assoc_config config = { .controllers = list,
		                                  .controllers_count = 1 + settings % 3,
		                                  .profiles = profiles,
		                                  .profiles_count = settings / 4 % 3,
		                                  .mwd_ms = settings & 16 ? 1000 : 0,
		                                  .inactivity_ms = settings & 32 ? 5000 : 0,
		                                  .register_ms = settings & 64 ? 3000 : 0 };
	const struct h248_assoc_ops ops = { .on_request = on_request,
		                            .on_up = on_up,
		                            .on_down = on_down,
		                            .on_gone = on_gone,
		                            .on_refused = on_refused,
		                            .resolve = on_resolve };
	const struct h248_txn_config txn = { .seed = 1,
		                             .first_id = 1,
		                             .mid = h248_addr_mid(&list[0].addr) };
	struct h248_txn_ops txn_ops = { .send = on_send, .now_ms = now_ms };

	if (h248_assoc_new(&w->assoc, &config, &ops, w))
		return false;
	h248_assoc_txn_ops(&txn_ops);
	txn_ops.arg = w->assoc;
	if (h248_txn_new(&w->txn, &txn, &txn_ops))
		return false;
	h248_assoc_attach(w->assoc, w->txn);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .now_ms = 1000, .at = data, .end = data + size };
	unsigned settings = octet(&w);

	w.kind = settings & 128 ? H248_TCP : H248_UDP;
	the = &w;
	if (make(&w, settings))
		while (w.at < w.end)
			order(&w);
	h248_txn_free(w.txn);
	h248_assoc_free(w.assoc);
	return 0;
}
