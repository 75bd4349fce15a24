/* SPDX-License-Identifier: Apache-2.0 */
/** @file The TLS side of a P-CSCF: options, the file, then edge_shell_run. */
#include <stdio.h>
#include <string.h>

#include "edge/edge.h"

static const char usage[] = "usage: gatehouse-edge -c FILE [--check]\n"
                            "       gatehouse-edge --help | --version\n"
                            "\n"
                            "  -c FILE      configuration (YAML)\n"
                            "  --check, -t  check the configuration and start nothing\n"
                            "\n"
                            "SIGTERM lets transactions end (edge.drain), tells the core of lost "
                            "registrations where configured, and leaves.\n"
                            "SIGHUP reads the file anew, as a whole or not at all.\n";

static int complain(const struct base_error *err)
{
	char text[900];

	fprintf(stderr, "gatehouse-edge: %s\n", base_error_format(err, text, sizeof(text)));
	return 1;
}

static int run(const char *file, bool check)
{
	struct base_error err = { 0 };
	struct edge_config *config = NULL;
	int status = 0;

	if (!check)
		edge_shell_prepare();
	if (edge_config_load(&config, file, NULL, &err))
		return complain(&err);
	base_log_level_set(config->log_level);
	edge_config_warn(config);
	if (check)
		printf("%s: ok\n", file);
	else if (edge_shell_run(config, &err))
		status = complain(&err);
	edge_config_free(config);
	return status;
}

int main(int argc, char **argv)
{
	const char *file = NULL;
	bool check = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--version")) {
			printf("gatehouse-edge %s\n", GATEHOUSE_VERSION);
			return 0;
		}
		if (!strcmp(argv[i], "--check") || !strcmp(argv[i], "-t")) {
			check = true;
		} else if (!strcmp(argv[i], "-c") && i + 1 < argc) {
			file = argv[++i];
		} else {
			fprintf(stderr, "gatehouse-edge: '%s'?\n%s", argv[i], usage);
			return 2;
		}
	}
	if (!file) {
		fprintf(stderr, "gatehouse-edge: -c FILE is needed\n%s", usage);
		return 2;
	}
	return run(file, check);
}
