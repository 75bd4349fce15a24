/* SPDX-License-Identifier: Apache-2.0 */
/* One user agent under load: its connection, its registration, one work at a time. */
#include <stdlib.h>

#include "ue/load_private.h"

static struct load_voice voice(struct load_ue *ue)
{
	return (struct load_voice){ .home = &ue->load->home,
		                    .number = ue->number,
		                    .address = ue->address,
		                    .cseq = ue->cseq,
		                    .routes = ue->routes,
		                    .answered = ue->answered,
		                    .challenge = base_str_of(ue->challenge) };
}

/* ---- how it ends ---- */

static void forget(struct load_ue *ue)
{
	free(ue->challenge);
	ue->challenge = NULL;
	ue->answered = 0;
}

static void drop(struct load_ue *ue)
{
	stream_free(ue->stream);
	ue->stream = NULL;
	ue->load->up -= ue->registered;
	ue->registered = false;
	ue->framer = (struct sip_framer){ .pings = true };
	forget(ue); /* on another connection it proves itself anew */
}

static void finish(struct load_ue *ue, bool well)
{
	loop_timer_stop(ue->load->loop, &ue->patience);
	load_over(ue, well);
}

/** The connection is of no use any more. */
static void fail(struct load_ue *ue, enum load_fault fault)
{
	ue->load->fault[fault]++;
	drop(ue);
	finish(ue, false);
}

static void on_silence(void *arg)
{
	fail(arg, LOAD_FAULT_SILENT);
}

/* ---- what it says ---- */

static void say(struct load_ue *ue)
{
	struct load *load = ue->load;
	int rc = load->out.failed ? BASE_ERR(BASE_LOCAL, 0)
	                          : stream_write(ue->stream, load->out.data, load->out.len);

	/* An end is told by on_end; who reads slowly is still asked one thing at a time. */
	if (rc && base_err_class(rc) != BASE_AGAIN)
		stream_deadline(ue->stream, 1, "it takes nothing");
}

static void say_register(struct load_ue *ue)
{
	struct load *load = ue->load;
	struct load_voice who;
	int rc;

	ue->cseq++;
	ue->answered += ue->challenge != NULL;
	who = voice(ue);
	base_writer_reset(&load->out);
	rc = load_text_register(&load->out, &load->scratch, &who,
	                        ue->work == LOAD_LEAVE ? 0 : load->home.expires_s);
	if (rc)
		fail(ue,
		     base_err_class(rc) == BASE_PEER ? LOAD_FAULT_GARBLED : LOAD_FAULT_RESOURCES);
	else
		say(ue);
}

/** To the one that has been at something last: its turn, which may cut it off, comes last. */
static uint32_t somebody(const struct load_ue *ue)
{
	const struct load *load = ue->load;

	if (base_list_empty(&load->idle))
		return ue->number;
	return BASE_CONTAINER_OF(load->idle.prev, struct load_ue, node)->number;
}

static void say_request(struct load_ue *ue, enum sip_method method)
{
	struct load *load = ue->load;
	struct load_voice who;

	ue->cseq++;
	who = voice(ue);
	base_writer_reset(&load->out);
	load_text_request(&load->out, &who, method, somebody(ue));
	say(ue);
}

static void say_ping(struct load_ue *ue)
{
	base_writer_reset(&ue->load->out);
	base_writer_text(&ue->load->out, "\r\n\r\n");
	say(ue);
}

/* ---- what it hears ---- */

static void challenged(struct load_ue *ue, const struct sip_message *answer)
{
	struct base_str value;

	if (!load_text_challenge(answer, &ue->load->scratch, &value)) {
		fail(ue, LOAD_FAULT_GARBLED);
		return;
	}
	forget(ue);
	ue->challenge = strndup(value.ptr, value.len);
	if (ue->challenge)
		say_register(ue);
	else
		fail(ue, LOAD_FAULT_RESOURCES);
}

static void registered(struct load_ue *ue, const struct sip_message *answer)
{
	ue->routes = load_routes(ue->load, answer);
	ue->load->up += !ue->registered;
	ue->registered = true;
	if (ue->work == LOAD_LEAVE)
		drop(ue);
	finish(ue, true);
}

/** The callee has taken it; what follows ends it. */
static void hang_up(struct load_ue *ue, const struct sip_message *answer)
{
	struct load_voice who = voice(ue);

	base_writer_reset(&ue->load->out);
	load_text_ack_bye(&ue->load->out, &who, answer);
	ue->cseq++;
	say(ue);
}

/** Nobody keeps it waiting for an ACK. */
static void refused_call(struct load_ue *ue, const struct sip_message *answer)
{
	struct load_voice who = voice(ue);

	base_writer_reset(&ue->load->out);
	load_text_ack(&ue->load->out, &who, answer);
	say(ue);
}

static void on_answer(struct load_ue *ue, const struct sip_message *answer)
{
	if (ue->state != LOAD_BUSY || answer->cseq != ue->cseq || answer->status < 200)
		return;
	if (answer->method == SIP_REGISTER && answer->status == 401 && !ue->tries++) {
		challenged(ue, answer);
		return;
	}
	if (answer->status >= 300) {
		ue->load->status[answer->status]++;
		if (answer->method == SIP_INVITE)
			refused_call(ue, answer);
		if (ue->work <= LOAD_CHURN || ue->work == LOAD_LEAVE)
			drop(ue);
		finish(ue, false);
	} else if (answer->method == SIP_REGISTER) {
		registered(ue, answer);
	} else if (answer->method == SIP_INVITE) {
		hang_up(ue, answer);
	} else {
		finish(ue, true);
	}
}

static void on_request(struct load_ue *ue, const struct sip_message *request)
{
	struct load_voice who = voice(ue);

	base_writer_reset(&ue->load->out);
	load_text_answer(&ue->load->out, &who, request);
	if (ue->load->out.len)
		say(ue);
}

static void on_message(struct load_ue *ue, struct base_str octets)
{
	struct sip_message msg;

	base_arena_reset(&ue->load->scratch);
	if (sip_message_parse(&msg, &ue->load->scratch, octets, true) ||
	    (msg.fault && !msg.request)) {
		ue->load->fault[LOAD_FAULT_GARBLED]++;
		return;
	}
	if (msg.request)
		on_request(ue, &msg);
	else
		on_answer(ue, &msg);
}

static void on_frame(struct load_ue *ue, enum sip_frame_kind kind, struct base_str octets)
{
	if (kind == SIP_FRAME_MESSAGE)
		on_message(ue, octets);
	else if (kind == SIP_FRAME_PONG && ue->state == LOAD_BUSY && ue->work == LOAD_PING)
		finish(ue, true);
}

/* ---- its connection ---- */

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct load_ue *ue = arg;
	enum sip_frame_kind kind;
	size_t taken = 0, len;

	while (taken < data.len) {
		struct base_str left = sip_from(data, taken);

		if (sip_frame(&ue->framer, left, &kind, &len)) {
			ue->load->fault[LOAD_FAULT_GARBLED]++;
			stream_deadline(stream, 1, "what comes is no SIP");
			return data.len;
		}
		if (kind == SIP_FRAME_MORE)
			break;
		taken += len;
		on_frame(ue, kind, (struct base_str){ left.ptr, len });
		if (ue->stream != stream)
			return data.len;
	}
	return taken;
}

static void on_up(void *arg, struct stream *stream)
{
	struct load_ue *ue = arg;
	struct load *load = ue->load;
	struct tls_info info;

	stream_addr_format(stream_local(stream), ue->address, sizeof(ue->address));
	if (stream_tls(stream, &info)) {
		info.resumed ? load->resumed++ : load->full++;
		(void)snprintf(load->tls, sizeof(load->tls), "%s %s", info.version_name,
		               info.suite_name);
	}
	say_register(ue);
}

static enum load_fault fault_of(const struct load_ue *ue, const struct stream_end *end)
{
	switch (end->cause) {
	case STREAM_REFUSED:
		return LOAD_FAULT_REFUSED;
	case STREAM_LATE:
		return end->was_up ? LOAD_FAULT_SILENT : LOAD_FAULT_LATE;
	case STREAM_UNPROVEN:
	case STREAM_ALERT:
		return LOAD_FAULT_TLS;
	case STREAM_RESOURCES:
		return LOAD_FAULT_RESOURCES;
	default:
		return ue->state == LOAD_IDLE ? LOAD_FAULT_LOST : LOAD_FAULT_CLOSED;
	}
}

static void on_end(void *arg, struct stream *stream, const struct stream_end *end)
{
	struct load_ue *ue = arg;

	(void)stream;
	base_log(BASE_LOG_DEBUG, "ue", "number=%u: %s", ue->number, end->text);
	fail(ue, fault_of(ue, end));
}

static union stream_addr source_of(const struct load_ue *ue)
{
	union stream_addr from = { 0 };
	uint32_t sources = ue->load->options.sources;

	from.in.sin_family = AF_INET;
	from.in.sin_addr.s_addr = htonl(0x7f010001U + (sources ? ue->number % sources : 0));
	return from;
}

static void dial(struct load_ue *ue)
{
	struct load *load = ue->load;
	char key[64];
	struct tls_session_spec session = { .server_name = load->server[0] ? load->server : NULL,
		                            .peer_name = load->proven[0] ? load->proven : NULL,
		                            .resume_key = key };
	struct stream_spec spec = {
		.ops = { .on_up = on_up, .on_data = on_data, .on_end = on_end, .arg = ue },
		.domain = load->domain,
		.session = load->domain ? &session : NULL,
		.renegotiable = load->domain != NULL,
		.connect_ms = (uint32_t)load->options.patience_ms,
		.handshake_ms = (uint32_t)load->options.patience_ms
	};
	union stream_addr from = source_of(ue);
	struct base_error err = { 0 };

	/* A key that nobody had before has no ticket. */
	(void)snprintf(key, sizeof(key), "%u", ue->number);
	if (load->options.full)
		(void)snprintf(key, sizeof(key), "%u/%u", ue->number, ue->cseq);
	if (stream_connect(&ue->stream, load->streams, &load->to,
	                   load->options.sources ? &from : NULL, &spec, &err)) {
		base_log(BASE_LOG_DEBUG, "ue", "number=%u: %s", ue->number, err.text);
		fail(ue, LOAD_FAULT_RESOURCES);
	}
}

void load_ue_begin(struct load_ue *ue, enum load_work work, uint64_t due_us)
{
	ue->state = LOAD_BUSY;
	ue->work = work;
	ue->due_us = due_us;
	ue->tries = 0;
	loop_timer_start(ue->load->loop, &ue->patience, ue->load->options.patience_ms, on_silence,
	                 ue);
	base_arena_reset(&ue->load->scratch);
	if (work == LOAD_CHURN)
		drop(ue);
	if (work <= LOAD_CHURN)
		dial(ue);
	else if (work == LOAD_REFRESH || work == LOAD_LEAVE)
		say_register(ue);
	else if (work == LOAD_PING)
		say_ping(ue);
	else
		say_request(ue, work == LOAD_CALL ? SIP_INVITE : SIP_MESSAGE);
}

void load_ue_done(struct load_ue *ue)
{
	stream_free(ue->stream);
	loop_timer_stop(ue->load->loop, &ue->patience);
	free(ue->challenge);
}
