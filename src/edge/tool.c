/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/tool.h"

#include <stdio.h>

#include "edge/control.h"

static const char usage[] =
        "usage: gatehouse edge status --socket PATH [--json]\n"
        "       gatehouse edge bindings --socket PATH [--json]\n"
        "       gatehouse edge drop FLOW --socket PATH\n"
        "       gatehouse edge renegotiate FLOW --socket PATH\n"
        "       gatehouse edge --help\n"
        "\n"
        "Orders to a gatehouse-edge that runs (docs/edge.md).\n"
        "\n"
        "  status       how much there is of each\n"
        "  bindings     the registrations that are bound to a TLS session\n"
        "  drop         end a UE's connection, its TLS session and its binding\n"
        "  renegotiate  new keys for its TLS session now\n"
        "  --socket     `control` in its configuration\n"
        "  --json       one JSON object\n"
        "\n"
        "Exit status: 0 done, 1 not done, 2 not understood.\n";

struct words {
	const char *verb, *flow, *path;
	bool json;
};

static bool words_read(struct words *w, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--socket") && i + 1 < argc)
			w->path = argv[++i];
		else if (!strcmp(argv[i], "--json"))
			w->json = true;
		else if (argv[i][0] != '-' && !w->verb)
			w->verb = argv[i];
		else if (argv[i][0] != '-' && !w->flow)
			w->flow = argv[i];
		else
			return false;
	}
	return true;
}

static bool words_fit(const struct words *w)
{
	bool flow;
	uint64_t number;

	if (!w->verb || !w->path || !edge_control_knows(w->verb, &flow) ||
	    flow != (w->flow != NULL))
		return false;
	return !flow || !base_str_u64(base_str_of(w->flow), UINT64_MAX, &number);
}

/* Its last line says what became of the order. */
static int answer_print(struct base_str answer)
{
	size_t at = answer.len;

	if (at && answer.ptr[at - 1] == '\n')
		at--;
	while (at && answer.ptr[at - 1] != '\n')
		at--;
	struct base_str last = base_str_trim((struct base_str){ answer.ptr + at, answer.len - at });

	if (base_str_eq(last, BASE_STR("ok"))) {
		(void)fwrite(answer.ptr, 1, at, stdout);
		return fflush(stdout) ? 1 : 0;
	}
	if (last.len > 6 && !memcmp(last.ptr, "error ", 6))
		fprintf(stderr, "gatehouse edge: %.*s\n", (int)last.len - 6, last.ptr + 6);
	else
		fputs("gatehouse edge: the answer has no end\n", stderr);
	return 1;
}

static int run(const struct words *w)
{
	struct base_writer line = { 0 }, answer = { 0 };
	struct base_error err = { 0 };
	char text[900];
	int rc, status = 1;

	base_writer_printf(&line, "%s%s%s%s\n", w->verb, w->flow ? " " : "", w->flow ? w->flow : "",
	                   w->json ? " json" : "");
	rc = stream_order_give(w->path, base_writer_view(&line), &answer, &err);
	if (base_err_class(rc) == BASE_AGAIN)
		fprintf(stderr, "gatehouse edge: %s: no gatehouse-edge listens there\n", w->path);
	else if (rc)
		fprintf(stderr, "gatehouse edge: %s\n",
		        base_error_format(&err, text, sizeof(text)));
	else
		status = answer_print(base_writer_view(&answer));
	base_writer_done(&line);
	base_writer_done(&answer);
	return status;
}

int edge_tool_main(int argc, char **argv)
{
	struct words w = { 0 };

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
	if (!words_read(&w, argc, argv) || !words_fit(&w)) {
		fputs(usage, stderr);
		return 2;
	}
	return run(&w);
}
