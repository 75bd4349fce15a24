/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse h248`: play a scenario as controller, convert messages. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/convert.h"
#include "cli/explain.h"
#include "cli/play.h"
#include "cli/talk.h"
#include "h248/h248.h"

static const char h248_help[] =
        "usage: gatehouse h248 play [options] SCENARIO.yaml\n"
        "       gatehouse h248 talk [options]\n"
        "       gatehouse h248 convert --to pretty|compact|ber FILE\n"
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
        "convert  read one H.248 message (text or binary, versions 1 to 3) and write it;\n"
        "         FILE - is standard input\n"
        "  --to FORM         pretty, compact or ber; more with convert --help\n"
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

int cli_h248_main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "play") == 0)
		return play_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "convert") == 0)
		return cli_convert_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "talk") == 0)
		return cli_talk_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "explain") == 0)
		return cli_h248_explain_main(argc - 1, argv + 1);
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(h248_help, stdout);
		return 0;
	}
	return usage();
}
