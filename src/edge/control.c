/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/control.h"

#include "edge/net_private.h"
#include "edge/word.h"

struct telling {
	const struct edge_net *net;
	struct base_writer *w;
	bool json, any;
};

/* ---- words ---- */

static void json_text(struct base_writer *w, struct base_str text)
{
	base_writer_text(w, "\"");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c >= 0x7f) /* octets, not characters: nothing is to be misread */
			base_writer_printf(w, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			base_writer_printf(w, "\\%c", c);
		else
			base_writer_u8(w, c);
	}
	base_writer_text(w, "\"");
}

static void plain_text(struct base_writer *w, struct base_str text)
{
	char word[EDGE_WORD_MAX];

	base_writer_text(w, edge_word(text, word));
}

static void hex_text(struct base_writer *w, struct base_str octets)
{
	for (size_t i = 0; i < octets.len; i++)
		base_writer_printf(w, "%02x", (unsigned char)octets.ptr[i]);
}

/* ---- who is there ---- */

static void peer_text(struct base_writer *w, const struct edge_binding *b)
{
	bool v6 = b->address.len && memchr(b->address.ptr, ':', b->address.len);

	base_writer_printf(w, v6 ? "[%.*s]:%u" : "%.*s:%u", BASE_FMT(b->address), b->port);
}

static void tls_tell(const struct edge_net *net, uint64_t flow, const char **ret_version,
                     const char **ret_suite)
{
	struct flow_info info;

	*ret_version = *ret_suite = "-";
	if (!flows_info(net->access, flow, &info) || !info.tls)
		return;
	if (info.session.version_name)
		*ret_version = info.session.version_name;
	if (info.session.suite_name)
		*ret_suite = info.session.suite_name;
}

static void binding_json(struct telling *t, const struct edge_binding *b, uint64_t expires_s)
{
	struct base_writer *w = t->w;
	const char *version, *suite;

	tls_tell(t->net, b->flow, &version, &suite);
	base_writer_printf(w, "%s{\"flow\": %llu, \"peer\": ", t->any ? ", " : "",
	                   (unsigned long long)b->flow);
	base_writer_text(w, "\"");
	peer_text(w, b);
	base_writer_text(w, "\", \"session\": \"");
	hex_text(w, b->session);
	base_writer_printf(w, "\", \"version\": \"%s\", \"suite\": \"%s\", \"impi\": ", version,
	                   suite);
	json_text(w, b->impi);
	base_writer_text(w, ", \"impus\": [");
	for (size_t i = 0; i < b->impu_count; i++) {
		base_writer_text(w, i ? ", " : "");
		json_text(w, b->impus[i]);
	}
	base_writer_text(w, "], \"contact\": ");
	json_text(w, b->contact);
	base_writer_printf(w, ", \"expires\": %llu}", (unsigned long long)expires_s);
}

static void on_binding(void *arg, const struct edge_binding *b)
{
	struct telling *t = arg;
	uint64_t now = loop_now_ms(t->net->loop);
	uint64_t left_s = b->expires_ms > now ? (b->expires_ms - now + 999) / 1000 : 0;

	if (t->json) {
		binding_json(t, b, left_s);
	} else {
		base_writer_printf(t->w, "flow=%llu peer=", (unsigned long long)b->flow);
		peer_text(t->w, b);
		base_writer_text(t->w, " impi=");
		plain_text(t->w, b->impi);
		base_writer_text(t->w, " impu=");
		plain_text(t->w, b->impu_count ? b->impus[0] : (struct base_str){ "-", 1 });
		base_writer_printf(t->w, " identities=%zu expires=%llu session=", b->impu_count,
		                   (unsigned long long)left_s);
		hex_text(t->w,
		         (struct base_str){ b->session.ptr, BASE_MIN(b->session.len, (size_t)8) });
		base_writer_text(t->w, "\n");
	}
	t->any = true;
}

static bool do_bindings(struct edge_net *net, uint64_t flow, bool json, struct base_writer *w)
{
	struct telling t = { .net = net, .w = w, .json = json };

	(void)flow;
	base_writer_text(w, json ? "{\"bindings\": [" : "");
	edge_core_each(net->core, on_binding, &t);
	base_writer_text(w, json ? "]}\n" : "");
	return true;
}

static bool do_status(struct edge_net *net, uint64_t flow, bool json, struct base_writer *w)
{
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{ "bindings", edge_core_count(net->core) },
		{ "flows", edge_core_flow_count(net->core) },
		{ "requests", net->open },
		{ "transactions", sip_proxy_busy(net->proxy) },
		{ "lingering", sip_proxy_lingering(net->proxy) },
		{ "connections", streams_conns(net->streams) },
		{ "leaving", net->leaving },
		{ "pool", edge_share_up(net->share) },
	};

	(void)flow;
	for (size_t i = 0; i < BASE_COUNT(all); i++)
		base_writer_printf(w, json ? "%s\"%s\": %llu" : "%s%s=%llu",
		                   i == 0 ? (json ? "{" : "") : (json ? ", " : " "), all[i].name,
		                   (unsigned long long)all[i].value);
	base_writer_text(w, json ? "}\n" : "\n");
	return true;
}

static bool do_drop(struct edge_net *net, uint64_t flow, bool json, struct base_writer *w)
{
	(void)json;
	(void)w;
	return edge_core_drop(net->core, flow);
}

static bool do_renegotiate(struct edge_net *net, uint64_t flow, bool json, struct base_writer *w)
{
	(void)json;
	(void)w;
	return edge_core_renew(net->core, flow);
}

/* ---- orders ---- */

static const struct order {
	const char *verb;
	bool flow;
	bool (*fn)(struct edge_net *net, uint64_t flow, bool json, struct base_writer *w);
	const char *failed;
} orders[] = {
	{ "status", false, do_status, NULL },
	{ "bindings", false, do_bindings, NULL },
	{ "drop", true, do_drop, "there is no such flow of a UE" },
	{ "renegotiate", true, do_renegotiate, "that flow is not bound, or renews already" },
};

static const struct order *order_find(struct base_str verb)
{
	for (size_t i = 0; i < BASE_COUNT(orders); i++)
		if (base_str_eq(verb, base_str_of(orders[i].verb)))
			return &orders[i];
	return NULL;
}

bool edge_control_knows(const char *verb, bool *ret_flow)
{
	const struct order *order = order_find(base_str_of(verb));

	*ret_flow = order && order->flow;
	return order != NULL;
}

void edge_control_do(void *arg, struct base_str line, struct base_writer *answer)
{
	struct base_str verb = stream_order_word(&line), word;
	const struct order *order = order_find(verb);
	uint64_t flow = 0;
	bool json, done = false;
	const char *why = "unknown order";

	if (order) {
		why = "the number of a flow is needed";
		word = order->flow ? stream_order_word(&line) : (struct base_str){ "0", 1 };
		if (!base_str_u64(word, UINT64_MAX, &flow)) {
			json = base_str_eq(stream_order_word(&line), BASE_STR("json"));
			why = order->failed ? order->failed : "no memory";
			done = order->fn(arg, flow, json, answer);
		}
		if (order->flow)
			base_log(BASE_LOG_INFO, "edge", "event=order order=%s flow=%llu: %s",
			         order->verb, (unsigned long long)flow, done ? "done" : why);
	}
	if (done && !answer->failed)
		base_writer_text(answer, "ok\n");
	else
		base_writer_printf(answer, "error %s\n", why);
}
