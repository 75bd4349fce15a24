/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security agreement (RFC 3329), mechanism tls. What it is to find out, that somebody has taken a
 * better mechanism out of a list, shows in Security-Verify alone: it has to mirror our list.
 */
#include "edge/private.h"

#define TAG "sec-agree"

static struct base_str mechanism(struct base_str element)
{
	return (struct base_str){ element.ptr, sip_span(element, SIP_CH_TOKEN) };
}

static bool same_value(struct base_str a, struct base_str b)
{
	if (!a.ptr || !b.ptr)
		return !a.ptr && !b.ptr;
	/* quoted ones are compared as they stand (RFC 3261, 7.3.1) */
	return a.len && a.ptr[0] == '"' ? base_str_eq(a, b) : base_str_ieq(a, b);
}

/* Every parameter of `a` is one of `b`. @return how many, or -1 */
static int covered(struct base_str a, struct base_str b)
{
	struct sip_param param;
	int count = 0, more;

	while ((more = sip_param_next(&a, &param)) == 1) {
		struct base_str rest = b;
		struct sip_param other;
		bool found = false;

		while (!found && sip_param_next(&rest, &other) == 1)
			found = base_str_ieq(param.name, other.name) &&
			        same_value(param.value, other.value);
		if (!found)
			return -1;
		count++;
	}
	return more || sip_skip(a).len ? -1 : count;
}

static bool same_element(struct base_str a, struct base_str b)
{
	struct base_str ma = mechanism(a), mb = mechanism(b);
	int ab, ba;

	if (!ma.len || !base_str_ieq(ma, mb))
		return false;
	a = sip_from(a, ma.len);
	b = sip_from(b, mb.len);
	ab = covered(a, b);
	ba = covered(b, a);
	return ab >= 0 && ab == ba;
}

/* "the same mechanisms in the same order" with the same values of parameters (2.3.1) */
static bool mirrored(const struct edge_rules *rules, const struct sip_message *msg)
{
	struct sip_values theirs = { .msg = msg, .id = SIP_H_SECURITY_VERIFY };
	struct base_str one;
	size_t i = 0;

	while (sip_values_next(&theirs, &one))
		if (i == rules->p.mechanism_count ||
		    !same_element(base_str_of(rules->p.mechanisms[i++]), one))
			return false;
	return i == rules->p.mechanism_count;
}

static bool offers_tls(const struct sip_message *msg)
{
	struct sip_values theirs = { .msg = msg, .id = SIP_H_SECURITY_CLIENT };
	struct base_str one;

	while (sip_values_next(&theirs, &one))
		if (base_str_ieq(mechanism(one), BASE_STR("tls")))
			return true;
	return false;
}

unsigned edge_vias(const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_VIA };
	struct base_str one;
	unsigned count = 0;

	while (sip_values_next(&values, &one))
		count++;
	return count;
}

struct asked {
	bool client, verify, tags, required, supported;
};

static struct asked what_is_asked(const struct edge_core *core, const struct sip_message *msg)
{
	return (struct asked){
		.client = sip_header(msg, SIP_H_SECURITY_CLIENT),
		.verify = sip_header(msg, SIP_H_SECURITY_VERIFY),
		.tags = sip_header_has(msg, SIP_H_REQUIRE, TAG) ||
		        sip_header_has(msg, SIP_H_PROXY_REQUIRE, TAG),
		.required = core->rules->p.agreement == EDGE_AGREE_REQUIRED,
		.supported = sip_header_has(msg, SIP_H_SUPPORTED, TAG),
	};
}

static unsigned judge(const struct edge_core *core, const struct edge_flow *flow,
                      const struct sip_message *msg, bool proof)
{
	struct asked a = what_is_asked(core, msg);
	bool secure = flow->state != BIND_PLAIN;

	if (msg->method == SIP_ACK)
		return 0;
	if (!a.client && !a.verify && !a.tags && !a.required)
		return flow->agreed && proof ? 494 : 0; /* it was told our list and forgets it */
	if (edge_vias(msg) > 1)
		return 502; /* we are not the first hop (2.3.2) */
	if (a.verify && secure)
		return mirrored(core->rules, msg) ? 0 : 494;
	if (!a.client && !a.verify && !a.tags) { /* the policy wants it (2.3.2) */
		if (msg->method != SIP_REGISTER)
			return flow->agreed ? 494 : 0;
		return a.supported ? 494 : 421;
	}
	if (!secure || !a.client || !offers_tls(msg))
		return 494;                     /* it is told our list, TLS among it */
	return flow->agreed && proof ? 494 : 0; /* its list was stripped on the way */
}

unsigned edge_agree_judge(const struct edge_core *core, const struct edge_flow *flow,
                          const struct sip_message *msg, bool proof, struct base_arena *arena,
                          struct base_str *lines)
{
	unsigned status = judge(core, flow, msg, proof);

	if (status == 421 || status == 494)
		*lines = base_str_of(
		        base_arena_printf(arena, "Require: " TAG "\r\nSecurity-Server: %.*s\r\n",
		                          BASE_FMT(core->rules->server_list)));
	return status;
}

void edge_agree_strip(struct sip_edit *edit)
{
	if (sip_header_has(edit->msg, SIP_H_REQUIRE, TAG))
		sip_edit_drop_token(edit, "Require", TAG);
	if (sip_header_has(edit->msg, SIP_H_PROXY_REQUIRE, TAG))
		sip_edit_drop_token(edit, "Proxy-Require", TAG);
}

bool edge_agree_wanted(const struct edge_rules *rules, const struct sip_message *request)
{
	return sip_header(request, SIP_H_SECURITY_CLIENT) ||
	       rules->p.agreement == EDGE_AGREE_REQUIRED;
}
