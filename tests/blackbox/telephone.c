/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SIP telephone for other people's callers and called parties: src/sip's calls over src/flow,
 * with session descriptions that mean nothing.
 *
 *   telephone answer udp|tcp          prints where it listens; what it does with a call is said by
 *                                     the user part of its Request-URI (the table below)
 *   telephone call URI COUNT [FROM]   so many calls at a time, each hung up when it is answered
 *
 * An event a line. `call` ends when all calls have, with status 1 if one was not answered.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/flow.h"

struct telephone {
	struct loop *loop;
	struct streams *streams;
	struct flow_ua *ua;
	unsigned left, answered;
	bool calls;
};

static const char sdp_text[] =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 9 RTP/AVP 0\r\n";

static struct sip_content sdp(void)
{
	return (struct sip_content){ .type = "application/sdp",
		                     .body = { sdp_text, sizeof(sdp_text) - 1 } };
}

static const struct sip_cause cause = { "SIP", 200, "Enough" };

/* -- calls that come in --------------------------------------------------------------------------
 */

enum manner { ACCEPT, RING, BUSY, SILENT, HANG_UP, OFFER };

static const char *const manners[] = {
	[ACCEPT] = "accept", [RING] = "ring",       [BUSY] = "busy",
	[SILENT] = "silent", [HANG_UP] = "hang-up", [OFFER] = "offer"
};
static char kept[BASE_COUNT(manners)]; /* their addresses are users of calls */

static enum manner manner_of(const struct sip_message *msg)
{
	for (size_t i = 0; i < BASE_COUNT(manners); i++) {
		if (base_str_eq(msg->uri.user, base_str_of(manners[i])))
			return (enum manner)i;
	}
	return ACCEPT;
}

static void incoming(struct sip_call *call, enum manner manner)
{
	struct sip_content content = sdp();

	sip_call_user_set(call, &kept[manner]);
	if (manner == BUSY) {
		sip_call_end(call, 486, NULL);
		return;
	}
	if (manner != ACCEPT)
		(void)sip_call_progress(call, 180, NULL);
	if (manner != SILENT)
		(void)sip_call_accept(call, &content);
}

static void confirmed(struct sip_call *call, const void *user)
{
	struct sip_content content = sdp();

	if (user == &kept[HANG_UP])
		sip_call_end(call, 0, &cause);
	if (user == &kept[OFFER])
		(void)sip_call_offer(call, &content);
}

/* -- events --------------------------------------------------------------------------------------
 */

static const char *const names[] = {
	[SIP_CALL_INCOMING] = "incoming",   [SIP_CALL_PROGRESS] = "progress",
	[SIP_CALL_ANSWERED] = "answered",   [SIP_CALL_ASKED] = "asked",
	[SIP_CALL_CONFIRMED] = "confirmed", [SIP_CALL_OFFERED] = "offered",
	[SIP_CALL_WITHDRAWN] = "withdrawn", [SIP_CALL_AGREED] = "agreed",
	[SIP_CALL_DECLINED] = "declined",   [SIP_CALL_OVER] = "over"
};
static const char *const whys[] = { "ours",   "bye",     "cancelled", "refused",
	                            "no-ack", "expired", "gone" };

static void over(struct telephone *t, const struct sip_call_event *event)
{
	printf("over %s %u\n", whys[event->why], event->status);
	if (t->calls && !--t->left)
		loop_stop(t->loop);
}

static void on_call(void *arg, const struct sip_call_event *event)
{
	struct telephone *t = arg;
	struct sip_content content = sdp();

	if (event->what == SIP_CALL_OVER) {
		over(t, event);
		return;
	}
	puts(names[event->what]);
	switch (event->what) {
	case SIP_CALL_INCOMING:
		incoming(event->call, manner_of(event->msg));
		break;
	case SIP_CALL_CONFIRMED:
		confirmed(event->call, event->user);
		break;
	case SIP_CALL_OFFERED:
		(void)sip_call_accept(event->call, &content);
		break;
	case SIP_CALL_ANSWERED:
		t->answered++;
		sip_call_end(event->call, 0, &cause);
		break;
	case SIP_CALL_AGREED:
	case SIP_CALL_DECLINED:
		sip_call_end(event->call, 0, NULL);
		break;
	default:
		break;
	}
}

/* -- the two programs ----------------------------------------------------------------------------
 */

static void stop(void *arg, int signum)
{
	(void)signum;
	loop_stop(((struct telephone *)arg)->loop);
}

static int fail(const struct base_error *err, const char *what)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	return -1;
}

static int open_at(struct telephone *t, const char *transport)
{
	const struct flow_config config = { .user = "telephone" };
	const struct sip_ua_config sip = { .lines = "User-Agent: telephone\r\n" };
	const struct flow_ua_ops ops = { .on_call = on_call, .arg = t };
	enum flow_transport by;
	union stream_addr local;
	char text[STREAM_ADDR_TEXT];
	struct base_error err = { 0 };

	if (loop_new(&t->loop) ||
	    streams_new(&t->streams, t->loop, &(struct streams_config){ .area = "telephone" }) ||
	    loop_signal_start(t->loop, SIGTERM, stop, t))
		return fail(&err, "loop");
	if (flow_ua_new(&t->ua, t->streams, &config, &sip, &ops, &err))
		return fail(&err, "user agent");
	if (flow_transport_parse(base_str_of(transport), &by) ||
	    stream_addr_parse(&local, BASE_STR("127.0.0.1:0"), &err) ||
	    flows_listen(flow_ua_flows(t->ua), by, &local, &err))
		return fail(&err, transport);
	printf("listens %s\n", stream_addr_format(&local, text, sizeof(text)));
	return 0;
}

static int call(struct telephone *t, const char *uri, unsigned count, const char *from)
{
	struct sip_call_setup setup = { .target = base_str_of(uri),
		                        .from = base_str_of(from),
		                        .content = sdp() };

	t->calls = true;
	t->left = count;
	while (count--) {
		struct sip_call *one;

		if (sip_call_start(&one, flow_ua_sip(t->ua), &setup, NULL))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct telephone t = { 0 };
	bool calls = argc >= 4 && !strcmp(argv[1], "call");
	unsigned count = calls ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!calls && (argc != 3 || strcmp(argv[1], "answer") != 0)) {
		fprintf(stderr, "usage: telephone answer udp|tcp | call URI COUNT [FROM]\n");
		return 2;
	}
	rc = open_at(&t, calls ? "udp" : argv[2]);
	if (!rc && calls)
		rc = call(&t, argv[2], count, argc > 4 ? argv[4] : "<sip:telephone@127.0.0.1>");
	if (!rc)
		rc = loop_run(t.loop);
	flow_ua_free(t.ua);
	streams_free(t.streams);
	loop_free(t.loop);
	return rc || t.answered != count;
}
