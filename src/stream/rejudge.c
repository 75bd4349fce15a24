/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions whose peers are revoked while they are up. */
#include "stream/private.h"

/* Nothing of a peer that was revoked is heard any more. */
void stream_condemned_end(struct stream *s)
{
	struct base_writer *wire = &s->streams->wire;
	struct tls_io io = { .out = wire };
	struct tls_info info;

	base_writer_reset(wire);
	if (tls_session_close(s->session, &io) == 0) /* it is over in any case */
		stream_put(s, wire->data, wire->len);
	base_writer_reset(wire);
	tls_session_info(s->session, &info);
	stream_fail(s, STREAM_UNPROVEN, 0, "%s", info.failure);
}

static void condemn(struct stream *s, const char *why)
{
	uint32_t grace_ms;
	enum tls_on_revocation action = tls_domain_on_revocation(s->slot->domain, &grace_ms);
	char peer[STREAM_ADDR_TEXT];

	base_log(BASE_LOG_WARN, s->streams->config.area,
	         "tls condemned peer=%s side=%s domain=%s action=%s: %s",
	         stream_addr_format(&s->remote, peer, sizeof(peer)),
	         s->server ? "server" : "client", tls_domain_name(s->slot->domain),
	         tls_on_revocation_name(action), why);
	s->condemned = true;
	if (action == TLS_REVOKED_REPORT)
		return;
	tls_session_condemn(s->session, why);
	stream_limit(s, action == TLS_REVOKED_GRACE ? grace_ms : 0);
}

/* The revocation has been taken back while grace lasted. */
static void pardon(struct stream *s)
{
	s->condemned = false;
	if (s->end_wanted)
		stream_linger(s);
	else
		loop_timer_stop(s->streams->loop, &s->limit);
}

static void judge(struct stream *s, struct trust_sweep *sweep)
{
	const struct trust_standing *standing = tls_session_standing(s->session);
	struct trust_condemned why;
	bool guilty = standing && trust_sweep_condemns(sweep, standing, &why);

	if (guilty && !s->condemned)
		condemn(s, why.text);
	else if (!guilty && s->condemned)
		pardon(s);
}

static void judge_slot(struct streams *streams, const struct stream_slot *slot,
                       struct trust_store *store)
{
	struct trust_sweep *sweep;

	if (!store || !slot->users)
		return;
	if (trust_sweep_new(&sweep, store, 0)) {
		base_log(BASE_LOG_ERROR, streams->config.area,
		         "domain=%s: no memory to judge its sessions",
		         tls_domain_name(slot->domain));
		return;
	}
	BASE_LIST_EACH(&streams->conns, node, after)
	{
		struct stream *s = BASE_CONTAINER_OF(node, struct stream, node);

		if (s->slot == slot && s->state == STREAM_UP)
			judge(s, sweep);
	}
	trust_sweep_free(sweep);
}

void streams_rejudge(struct streams *streams, struct trust_store *store)
{
	BASE_LIST_EACH(&streams->slots, node, after)
	{
		struct stream_slot *slot = BASE_CONTAINER_OF(node, struct stream_slot, node);

		judge_slot(streams, slot, store ? store : tls_domain_trust(slot->domain));
	}
}
