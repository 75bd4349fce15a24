/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse h248`: play a scenario as controller, convert messages. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/explain.h"
#include "cli/input.h"
#include "cli/play.h"
#include "cli/talk.h"
#include "h248/h248.h"

static const char h248_help[] =
        "usage: gatehouse h248 play [options] SCENARIO.yaml\n"
        "       gatehouse h248 talk [options]\n"
        "       gatehouse h248 convert --to pretty|compact FILE\n"
        "       gatehouse h248 explain FILE\n"
        "\n"
        "play     be the controller (MGC) of a gateway: wait for its registration, send\n"
        "         commands, check replies and Notify, as SCENARIO.yaml says\n"
        "         (docs/scenarios.md)\n"
        "  --set NAME=VALUE  set a variable of the scenario (may repeat)\n"
        "  --ladder          print who sends what to whom, in time order\n"
        "  --messages        with the ladder, print each H.248 message\n"
        "  --json            print a report of all steps as JSON\n"
        "  --quiet           print nothing but errors\n"
        "  -t, --check       check the scenario and play nothing\n"
        "talk     be the controller by hand: what is typed up to an empty line is one transaction\n"
        "convert  read one H.248 message (any text form, versions 1 to 3) and write it;\n"
        "         FILE - is standard input\n"
        "  --to FORM         pretty or compact\n"
        "explain  say in words what a message asks for or answers; of a bad message, also\n"
        "         which part of it is refused and with which error code\n"
        "\n"
        "Exit status: 0 done, 1 a step failed or the message is bad, 2 wrong usage.\n";

static int usage(void)
{
	fputs(h248_help, stderr);
	return 2;
}

/* ---- play ---- */

static int play_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "set", required_argument, NULL, 's' }, { "ladder", no_argument, NULL, 'l' },
		{ "messages", no_argument, NULL, 'm' },  { "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },     { "check", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },      { NULL, 0, NULL, 0 },
	};
	struct play_options options = { .program = argv[0] };
	char **set = calloc((size_t)argc, sizeof(char *));
	int c, status;

	if (!set)
		return 2;
	options.set = set;
	while ((c = getopt_long(argc, argv, "th", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			set[options.set_count++] = optarg;
			break;
		case 'l':
			options.ladder = true;
			break;
		case 'm':
			options.messages = options.ladder = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 'q':
			options.quiet = true;
			break;
		case 't':
			options.check_only = true;
			break;
		case 'h':
			fputs(h248_help, stdout);
			free(set);
			return 0;
		default:
			free(set);
			return usage();
		}
	}
	if (options.json && options.ladder) {
		fputs("gatehouse h248 play: --json and --ladder cannot share standard output\n",
		      stderr);
		free(set);
		return 2;
	}
	options.path = optind == argc - 1 ? argv[optind] : NULL;
	status = options.path ? play_run(&options) : usage();
	free(set);
	return status;
}

/* ---- convert ---- */

static int convert(const char *path, enum h248_text_style style)
{
	struct base_arena arena = { 0 };
	struct base_error err = { 0 };
	struct base_writer out = { 0 };
	struct h248_message *msg;
	char *text = NULL, line[1200];
	size_t len = 0;
	int rc = cli_input_read(path, &text, &len, &err), status = 0;

	if (rc)
		status = 2;
	if (!rc && (rc = h248_text_decode(&arena, text ? text : "", len, NULL, &msg, &err)) != 0)
		status = 1;
	if (!rc && (rc = h248_text_encode(&out, msg, style)) != 0) {
		(void)base_error_set(&err, rc, "cannot be written in this form");
		status = 1;
	}
	if (!rc && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)) {
		rc = base_error_set(&err, BASE_ERR(BASE_LOCAL, errno), "cannot write: %s",
		                    strerror(errno));
		status = 2;
	}
	if (rc) {
		base_error_place(&err, strcmp(path, "-") == 0 ? "<stdin>" : path, err.line,
		                 err.column);
		fprintf(stderr, "%s\n", base_error_format(&err, line, sizeof(line)));
	}
	base_writer_done(&out);
	base_arena_done(&arena);
	free(text);
	return status;
}

static int convert_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *to = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(h248_help, stdout);
			return 0;
		}
		if (c != 'o')
			return usage();
		to = optarg;
	}
	if (!to || optind != argc - 1)
		return usage();
	if (strcmp(to, "pretty") == 0)
		return convert(argv[optind], H248_TEXT_PRETTY);
	if (strcmp(to, "compact") == 0)
		return convert(argv[optind], H248_TEXT_COMPACT);
	fprintf(stderr, "gatehouse h248 convert: --to %s: expected pretty or compact\n", to);
	return 2;
}

int cli_h248_main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "play") == 0)
		return play_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "convert") == 0)
		return convert_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "talk") == 0)
		return cli_talk_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "explain") == 0)
		return cli_explain_main(argc - 1, argv + 1);
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(h248_help, stdout);
		return 0;
	}
	return usage();
}
