/* SPDX-License-Identifier: Apache-2.0 */
/** @file A call between two gateways, under H.248 of both their controllers. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/lab.h"

/* ---- the plain ends ---- */

static int listener(unsigned *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 5 };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 1) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	    !getsockname(fd, (struct sockaddr *)&at, &len)) {
		*ret_port = ntohs(at.sin_port);
		return fd;
	}
	if (fd >= 0)
		(void)close(fd); /* nobody has it yet */
	return -1;
}

/* The gateway that was to connect; both wait so long and no longer. */
static int taken(int fd)
{
	struct timeval patience = { .tv_sec = 5 };
	int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (conn >= 0)
		(void)setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return conn;
}

static bool carried(int from, int to, const char *text)
{
	size_t len = strlen(text), done = 0;
	char got[64];

	if (from < 0 || to < 0 || send(from, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	while (done < len) {
		ssize_t n = recv(to, got + done, len - done, 0);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return !strncmp(got, text, len);
}

bool lab_call_talks(struct lab_call *call)
{
	return carried(call->fd[0], call->fd[1], "from the caller\n") &&
	       carried(call->fd[1], call->fd[0], "and back\n");
}

/* ---- commands ---- */

/* Two ends: TLS towards the other gateway, and TCP towards the lab. */
static const char context_text[] =
        "Context = $ {\n"
        "Add = $ { Media { Stream = 1 { LocalControl { Mode = SendReceive, gatehouse/dom = "
        "\"%s\"%s },\n"
        "Local {\nv=0\nc=IN IP4 $\nm=message $ TCP/TLS/MSRP *\na=setup:%s\n},\n"
        "Remote {\nv=0\nc=IN IP4 127.0.0.1\nm=message %u TCP/TLS/MSRP *\na=setup:%s\n} } },\n"
        "Events = 1 { tcpbcc/BNCChange, tlsbsc/BNCChange }%s },\n"
        "Add = $ { Media { Stream = 1 { LocalControl { Mode = SendReceive },\n"
        "Local {\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:active\n},\n"
        "Remote {\nv=0\nc=IN IP4 127.0.0.1\nm=message %u TCP/MSRP *\na=setup:passive\n} } },\n"
        "Events = 2 { tcpbcc/BNCChange }, Signals { tcpbcc/EstBNC } } }";

static bool is_answered(void *arg)
{
	const struct play_mgc *mgc = arg;

	return mgc->answered || mgc->timed_out;
}

static int command(struct lab *lab, struct play_mgc *mgc, const char *actions,
                   struct base_error *err)
{
	int rc = play_mgc_send(mgc, actions, err);

	if (!rc)
		rc = lab_until(lab, is_answered, mgc, LAB_PATIENCE_MS);
	if (!rc && (mgc->timed_out || strstr(mgc->answer, "Error =")))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "the gateway says: %.300s",
		                    mgc->timed_out ? "nothing" : mgc->answer);
	return rc;
}

/* Make one end; *ret_port is where its TLS listens. */
static int end_make(struct lab *lab, struct lab_call *call, unsigned which, unsigned peer_port,
                    unsigned plain_port, unsigned *ret_port, struct base_error *err)
{
	struct play_mgc *mgc = &call->end[which]->mgc;
	char text[2048], name[128] = "", port[16] = "0";
	bool client = !which;
	int rc;

	if (client)
		(void)snprintf(name, sizeof(name), ", gatehouse/peername = \"%s.%s.example\"",
		               call->domain, call->end[1]->name);
	(void)snprintf(text, sizeof(text), context_text, client ? "client" : call->domain, name,
	               client ? "active" : "passive", peer_port, client ? "passive" : "active",
	               client ? ", Signals { tcpbcc/EstBNC, tlsbsc/EstBNC }" : "", plain_port);
	rc = command(lab, mgc, text, err);
	if (rc)
		return rc;
	if (!lab_find(mgc->answer, "Context = ([0-9]+)", call->context[which],
	              sizeof(call->context[which])) ||
	    !lab_find(mgc->answer, "Add = ([^ ]+)", call->tls[which], sizeof(call->tls[which])) ||
	    !lab_find(mgc->answer, "m=message ([0-9]+) TCP/TLS", port, sizeof(port)))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "the gateway answers: %.300s",
		                      mgc->answer);
	*ret_port = (unsigned)strtoul(port, NULL, 10);
	return 0;
}

/* ---- what the gateways tell ---- */

/* Take the next Notify about this end's TLS session. */
static char *told(struct lab_call *call, unsigned which)
{
	struct play_mgc *mgc = &call->end[which]->mgc;
	char about[LAB_TLS_MAX + 16];

	(void)snprintf(about, sizeof(about), "Notify = %s ", call->tls[which]);
	BASE_LIST_EACH(&mgc->inbox, node, next)
	{
		struct play_request *r = BASE_CONTAINER_OF(node, struct play_request, node);
		char *text;

		if (!strstr(r->text, about))
			continue;
		text = strstr(r->text, "tlsbsc/BNCChange") ? strdup(r->text) : NULL;
		play_request_free(r);
		if (text)
			return text;
	}
	return NULL;
}

struct watch {
	struct lab_call *call;
	unsigned up, down; /**< a set of ends: 1, 2 */
};

static void note(struct watch *w, unsigned which, const char *text)
{
	struct lab_call *call = w->call;
	char auth[64] = "";

	if (strstr(text, "Type = Est,") || strstr(text, "Type = Est }")) {
		w->up |= 1U << which;
		(void)lab_find(text, "Version = \"?([^\", ]+)", call->version,
		               sizeof(call->version));
		return;
	}
	w->down |= 1U << which;
	/* whoever judged says why; the other one heard an alert */
	if (lab_find(text, "Auth = \"([^\"]+)\"", auth, sizeof(auth)) && strcmp(auth, "ca") != 0)
		(void)snprintf(call->reason, sizeof(call->reason), "%s", auth);
	else if (lab_find(text, "Cause = \"?([^\", ]+)", auth, sizeof(auth)) &&
	         (!call->reason[0] || strncmp(auth, "peer", 4) != 0))
		(void)snprintf(call->reason, sizeof(call->reason), "%s", auth);
}

static void look(struct watch *w)
{
	for (unsigned which = 0; which < 2; which++) {
		char *text;

		while ((text = told(w->call, which))) {
			note(w, which, text);
			free(text);
		}
	}
}

/* A refusal by the server comes to a TLS 1.3 client after its own success: wait for both ends. */
static bool is_settled(void *arg)
{
	struct watch *w = arg;

	look(w);
	return (w->up | w->down) == 3;
}

/* A plain end hangs up when the gateway does. */
static void hang_up(struct lab_call *call)
{
	for (unsigned i = 0; i < 2; i++) {
		char octet;

		if (call->fd[i] < 0 || recv(call->fd[i], &octet, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
			continue;
		(void)close(call->fd[i]); /* its call is over */
		call->fd[i] = -1;
	}
}

static bool are_down(void *arg)
{
	struct watch *w = arg;

	hang_up(w->call);
	look(w);
	return w->down == 3;
}

/* ---- calls ---- */

int lab_call(struct lab *lab, struct lab_call *call, struct lab_operator *from,
             struct lab_operator *to, const char *domain, enum lab_outcome *ret,
             struct base_error *err)
{
	struct watch watch = { .call = call };
	unsigned plain[2] = { 0, 0 }, port = 0, unused;
	int listening[2], rc = 0;

	*call = (struct lab_call){ .end = { from, to }, .fd = { -1, -1 } };
	(void)snprintf(call->domain, sizeof(call->domain), "%s", domain);
	for (unsigned i = 0; i < 2; i++) {
		listening[i] = listener(&plain[i]);
		if (listening[i] < 0)
			rc = base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "no port is free");
	}
	if (!rc)
		rc = end_make(lab, call, 1, 9, plain[1], &port, err);
	if (!rc)
		rc = end_make(lab, call, 0, port, plain[0], &unused, err);
	if (!rc && lab_until(lab, is_settled, &watch, LAB_PATIENCE_MS))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                    "neither gateway tells what became of the call");
	for (unsigned i = 0; i < 2; i++) {
		if (!rc && !watch.down)
			call->fd[i] = taken(listening[i]);
		if (listening[i] >= 0)
			(void)close(listening[i]); /* it was one call's */
	}
	*ret = !rc && watch.up == 3 && !watch.down && lab_call_talks(call) ? LAB_UP : LAB_REFUSED;
	return rc;
}

bool lab_call_ends(struct lab *lab, struct lab_call *call, uint64_t ms)
{
	struct watch watch = { .call = call };

	call->reason[0] = '\0';
	return !lab_until(lab, are_down, &watch, ms);
}

void lab_call_done(struct lab *lab, struct lab_call *call)
{
	for (unsigned i = 0; i < 2; i++) {
		char text[128];

		if (call->context[i][0]) {
			(void)snprintf(text, sizeof(text),
			               "Context = %s { W-Subtract = * { Audit { } } }",
			               call->context[i]);
			(void)command(lab, &call->end[i]->mgc, text, NULL); /* gone is gone */
		}
		if (call->fd[i] >= 0)
			(void)close(call->fd[i]); /* its call is over */
		call->fd[i] = -1;
		call->context[i][0] = '\0';
	}
}
