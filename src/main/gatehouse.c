/* SPDX-License-Identifier: Apache-2.0 */
/** @file The hand tool: finds the subcommand and hands it its words. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "edge/edge.h"
#include "kmsd/kmsd.h"
#include "ue/ue.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "check", cli_check_main, "hold a TLS server against profiles, rule by rule" },
	{ "edge", edge_tool_main, "orders to a gatehouse-edge that runs" },
	{ "explain", cli_explain_main, "why the gateway refused a TLS peer, out of its log" },
	{ "h248", cli_h248_main, "be a controller: play a scenario; convert messages" },
	{ "kms", kmsd_tool_main, "enroll users at a key management service" },
	{ "lab", cli_lab_main, "two operators' interconnect on loopback, step by step" },
	{ "mikey", cli_mikey_main, "print MIKEY and MIKEY-TICKET messages in words" },
	{ "pki", cli_pki_main, "run an operator's certification authorities" },
	{ "profile", cli_profile_main, "list, show and compare TLS profiles" },
	{ "ue", ue_main, "a user agent by script, or many as load: SIP, MSRP, BFCP" },
};

static void print_usage(FILE *to)
{
	fprintf(to, "usage: gatehouse COMMAND [ARGUMENT ...]\n"
	            "       gatehouse --help | --version\n\ncommands:\n");
	for (size_t i = 0; i < BASE_COUNT(commands); i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\n'gatehouse COMMAND --help' tells more.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("gatehouse %s\n", GATEHOUSE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < BASE_COUNT(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "gatehouse: no command is called '%s'; 'gatehouse --help' lists them\n",
	        argv[1]);
	return 2;
}
