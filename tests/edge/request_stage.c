/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "request_stage.h"

const char *registered(struct stage *s)
{
	const char *path;

	if (!s->core)
		stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	path = stage_between(s, 0, "Path: <", ">");
	stage_register(s, 1, "alice", 600);
	return path;
}

void answered(struct stage *s, unsigned count, const char *more, const char *rr[2])
{
	const char *core = stage_between(s, 0, "Record-Route: <", ">");
	const char *access = stage_between(s, 1, "Record-Route: <", ">");

	stage_answerf(s,
	              "SIP/2.0 200 OK\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	              "From: <sip:a@b>;tag=1\nTo: <sip:alice@example>;tag=2\nCall-ID: c1\n"
	              "CSeq: 1 INVITE\n%sRecord-Route: <%s>, <%s>\n",
	              more, core, access);
	rr[0] = stage_between(s, count, "Record-Route: <", ">");
	rr[1] = stage_between(s, 0, ">, <", ">");
	assert_string_not_equal(rr[0], core);
	assert_non_null(strstr(rr[0], "@192.0.2.1:5070;lr"));
	assert_non_null(strstr(rr[1], "@pcscf.example:5061;transport=tls;lr"));
}
