/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse h248 explain FILE`. */
#include "cli/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/input.h"

static const char explain_help[] =
        "usage: gatehouse h248 explain FILE\n"
        "\n"
        "Say in words what an H.248 message asks for or answers: commands, descriptors, what the\n"
        "packages say of each property, event, signal and statistic, error codes and reasons.\n"
        "FILE - is standard input; any form and version is taken. Values of write-only properties\n"
        "(keys) are not shown. Of a bad message, all that could be read is explained, and each\n"
        "refused part with the error code that a gateway answers.\n"
        "\n"
        "Exit status: 0 done, 1 the message is bad, 2 wrong usage or the file cannot be read.\n";

/** The first fault, whose words begin with the place: `FILE:LINE:COL: reason`, binary `FILE:
 * reason`. */
static void complain_fault(const char *path, const struct h248_fault *f)
{
	const char *words = strncmp(f->text, "line ", 5) == 0 ? strstr(f->text, ": ") : NULL;

	if (f->line && words)
		fprintf(stderr, "%s:%u:%u%s\n", path, f->line, f->column, words);
	else
		fprintf(stderr, "%s: %s\n", path, f->text);
}

static int explain_text(const char *path, const char *text, size_t len)
{
	const struct h248_text_options options = { .contain = true };
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	struct base_writer out = { 0 };
	struct explain e = { .out = &out };
	struct h248_message *msg;
	char line[1200];
	int status = 0;

	if (h248_codec_decode(&arena, text, len, &options, &msg, NULL, &err) != 0) {
		base_error_place(&err, path, err.line, err.column);
		fprintf(stderr, "%s\n", base_error_format(&err, line, sizeof(line)));
		base_arena_done(&arena);
		return 1;
	}
	explain_message(&e, msg);
	if (out.failed || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
		fprintf(stderr, "gatehouse h248 explain: cannot write: %s\n", strerror(errno));
		status = 2;
	}
	if (!status && msg->faults) {
		complain_fault(path, msg->faults);
		status = 1;
	}
	base_writer_done(&out);
	base_arena_done(&arena);
	return status;
}

int cli_h248_explain_main(int argc, char **argv)
{
	const char *path = argc == 2 ? argv[1] : NULL;
	struct base_error err = { 0 };
	char *text = NULL, line[1200];
	size_t len = 0;
	int status;

	if (path && (strcmp(path, "--help") == 0 || strcmp(path, "-h") == 0)) {
		fputs(explain_help, stdout);
		return 0;
	}
	if (!path || (path[0] == '-' && path[1])) {
		fputs(explain_help, stderr);
		return 2;
	}
	if (cli_input_read(path, &text, &len, &err) != 0) {
		base_error_place(&err, path, 0, 0);
		fprintf(stderr, "%s\n", base_error_format(&err, line, sizeof(line)));
		return 2;
	}
	status = explain_text(strcmp(path, "-") == 0 ? "<stdin>" : path, text ? text : "", len);
	free(text);
	return status;
}
