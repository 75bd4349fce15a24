/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: messages in their streams, keep-alives, those who come. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/private.h"

/* ---- messages ---- */

/* The stream can be read no further. The head of what stands there says what answer it is due
 * (18.3), so it is handed out before the end. */
static void broken(struct flow *f, struct base_str in)
{
	const char *end = memmem(in.ptr, in.len, "\r\n\r\n", 4);

	f->flows->count.broken++;
	if (end && flow_is_sip(in))
		flow_message(f, (struct base_str){ in.ptr, (size_t)(end - in.ptr) + 4 });
	if (!f->dead)
		flow_lost(f, "what came was no SIP");
}

/* @return octets taken; all of them where the flow is over */
static size_t take(struct flow *f, struct base_str in)
{
	size_t at = 0;

	while (at < in.len && !f->dead) {
		struct base_str rest = { in.ptr + at, in.len - at };
		enum sip_frame_kind kind;
		size_t len;

		if (sip_frame(&f->framer, rest, &kind, &len) ||
		    (kind == SIP_FRAME_MESSAGE && !flow_is_sip(rest))) {
			broken(f, rest);
			break;
		}
		if (kind == SIP_FRAME_MORE)
			return at;
		at += len;
		if (kind == SIP_FRAME_PING) {
			f->flows->count.pings++;
			(void)stream_write(f->stream, "\r\n", 2); /* it tells when it has failed */
		} else if (kind == SIP_FRAME_MESSAGE) {
			flow_message(f, (struct base_str){ rest.ptr, len });
		}
	}
	return in.len;
}

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct flow *f = arg;
	size_t taken;
	bool partial;

	f->busy = true;
	flow_heard(f);
	taken = take(f, data);
	f->busy = false;
	if (f->dead) {
		flow_drop(f);
		return data.len;
	}
	/* From the first octet of a message to its last, however many others come. */
	partial = taken < data.len;
	if (!partial)
		stream_deadline(stream, 0, NULL);
	else if (!f->partial || taken)
		stream_deadline(stream, f->flows->config.message_ms,
		                "a message was not finished in time");
	f->partial = partial;
	return taken;
}

static void tell_shake(struct flow *f, enum flow_shake what)
{
	struct flows *flows = f->flows;

	f->shaking = what == FLOW_SHAKE_BEGUN;
	if (flows->ops.on_shake)
		flows->ops.on_shake(flows->ops.arg, f->id, what);
}

/* It is up. */
static void shaken(struct flow *f)
{
	struct tls_info info;

	if (!f->shaking)
		return;
	(void)stream_tls(f->stream, &info); /* it has it */
	tell_shake(f, info.resumed ? FLOW_SHAKE_RESUMED : FLOW_SHAKE_FULL);
}

/* What is called may end it. @return whether it is there still */
static bool rest(struct flow *f)
{
	bool there = !f->dead;

	f->busy = false;
	if (!there)
		flow_drop(f);
	return there;
}

static void accepted_up(struct flow *f)
{
	flow_came_up(f);
	f->partial = true; /* the first message is waited for */
	stream_deadline(f->stream, f->flows->config.message_ms, "no message came in time");
}

static void on_up(void *arg, struct stream *stream)
{
	struct flow *f = arg;
	struct flows *flows = f->flows;
	struct flow_info info;

	(void)stream;
	f->busy = true;
	shaken(f);
	if (!f->dead && f->accepted)
		accepted_up(f);
	else if (!f->dead && flows->config.alias && f->transport == FLOW_TLS)
		flow_alias_up(f);
	if (!f->dead)
		flow_alive_up(f);
	if (!f->dead && flows->ops.on_up) {
		f->known = true;
		flow_info_fill(f, &info);
		flows->ops.on_up(flows->ops.arg, f->id, &info);
	}
	(void)rest(f);
}

static void on_rekeyed(void *arg, struct stream *stream, enum stream_again what)
{
	struct flow *f = arg;
	struct flows *flows = f->flows;

	(void)stream;
	f->busy = true;
	if (flows->ops.on_rekeyed)
		flows->ops.on_rekeyed(flows->ops.arg, f->id, what);
	(void)rest(f);
}

static void on_end(void *arg, struct stream *stream, const struct stream_end *end)
{
	struct flow *f = arg;

	f->flows->count.broken += f->partial && end->cause == STREAM_LATE;
	f->busy = true;
	if (f->shaking)
		tell_shake(f, FLOW_SHAKE_FAILED);
	if (!rest(f))
		return;
	if (f->provisional)
		(void)stream_forget_session(stream); /* as well as it can be */
	stream_free(stream);
	f->stream = NULL;
	flow_lost(f, end->text);
}

static const struct stream_ops ops = {
	.on_up = on_up, .on_data = on_data, .on_rekeyed = on_rekeyed, .on_end = on_end
};

/* ---- going out ---- */

int flow_conn_open(struct flows *flows, const struct flow_target *target, const char *name,
                   struct flow **ret)
{
	bool tls = target->transport == FLOW_TLS;
	char domain[4 + 256];
	const struct tls_session_spec session = {
		.role = TLS_ROLE_CLIENT,
		.server_name = name,
		.peer_name = name ? domain : NULL,
	};
	struct stream_spec spec = { .ops = ops,
		                    .domain = tls ? flows->domain : NULL,
		                    .session = &session,
		                    .renegotiable = flows->config.renegotiable,
		                    .gather = true,
		                    .connect_ms = flows->config.connect_ms,
		                    .handshake_ms = flows->config.connect_ms,
		                    .idle_ms = flows->config.idle_ms,
		                    .stall_ms = flows->config.stall_ms };
	struct flow *f = NULL;
	int rc;

	(void)snprintf(domain, sizeof(domain), "sip:%s", name ? name : ""); /* RFC 5922, 7.3 */
	rc = tls && !flows->domain ? BASE_ERR(BASE_CONFIG, 0)
	                           : flow_new(&f, flows, target->transport, 0, &target->addr, name);

	if (!f)
		return rc;
	f->framer.pings = flows->config.ping_ms != 0;
	spec.ops.arg = f;
	rc = stream_connect(&f->stream, flows->streams, &target->addr, NULL, &spec, NULL);
	if (rc)
		flow_drop(f);
	else
		*ret = f;
	return rc;
}

/* ---- those who come ---- */

static bool on_accept(void *arg, struct stream *stream, struct stream_spec *ret)
{
	/* Whose domains it is is kept, none is asked for. */
	static const struct tls_session_spec session = { .role = TLS_ROLE_SERVER,
		                                         .peer_name = "sip:" };
	struct flow_door *door = arg;
	struct flows *flows = door->flows;
	struct flow *f;

	if (flow_new(&f, flows, door->transport, door->transport == FLOW_TLS ? FLOW_UNPROVEN : 0,
	             stream_remote(stream), NULL))
		return false;
	f->accepted = f->busy = true;
	if (door->transport == FLOW_TLS)
		tell_shake(f, FLOW_SHAKE_BEGUN);
	if (!rest(f))
		return false;
	f->stream = stream;
	ret->ops = ops;
	ret->ops.arg = f;
	ret->domain = door->transport == FLOW_TLS ? flows->domain : NULL;
	ret->session = &session;
	ret->renegotiable = flows->config.renegotiable;
	ret->anybody = flows->config.anybody;
	ret->handshake_ms = flows->config.handshake_ms;
	ret->idle_ms = flows->config.idle_ms;
	ret->stall_ms = flows->config.stall_ms;
	return true;
}

int flow_door_open(struct flows *flows, enum flow_transport transport, union stream_addr *local,
                   struct base_error *err)
{
	struct flow_door *door = calloc(1, sizeof(*door));
	const struct stream_listen_spec spec = { .fn = on_accept,
		                                 .arg = door,
		                                 .conns_max = flows->config.conns_max,
		                                 .source_max = flows->config.source_max };
	int rc = door ? stream_listen(&door->listener, flows->streams, local, &spec, err)
	              : base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");

	if (!door || rc) {
		free(door);
		return rc;
	}
	door->flows = flows;
	door->transport = transport;
	base_list_append(&flows->doors, &door->node);
	return 0;
}

void flow_door_close(struct flow_door *door)
{
	stream_listener_free(door->listener);
	base_list_remove(&door->node);
	free(door);
}
