/* SPDX-License-Identifier: Apache-2.0 */
/** @file The media gateway: options, the file, then mg_shell_run. */
#include <stdio.h>
#include <string.h>

#include "mg/mg.h"

static const char usage[] = "usage: gatehouse-mg -c FILE [-t]\n"
                            "       gatehouse-mg --help | --version\n"
                            "\n"
                            "  -c FILE  configuration (YAML)\n"
                            "  -t       check the configuration and start nothing\n"
                            "\n"
                            "SIGTERM leaves (ServiceChange, drain, exit), SIGHUP loads the TLS "
                            "domains again.\n";

static int complain(const struct base_error *err)
{
	char text[900];

	fprintf(stderr, "gatehouse-mg: %s\n", base_error_format(err, text, sizeof(text)));
	return 1;
}

static int run(const char *file, bool check)
{
	struct base_error err = { 0 };
	struct mg_config *config = NULL;
	int status = 0;

	if (mg_config_load(&config, file, &err))
		return complain(&err);
	base_log_level_set(config->log_level);
	mg_config_warn(config);
	if (check)
		printf("%s: ok\n", file);
	else if (mg_shell_run(config, file, &err))
		status = complain(&err);
	mg_config_free(config);
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
			printf("gatehouse-mg %s\n", GATEHOUSE_VERSION);
			return 0;
		}
		if (!strcmp(argv[i], "-t")) {
			check = true;
		} else if (!strcmp(argv[i], "-c") && i + 1 < argc) {
			file = argv[++i];
		} else {
			fprintf(stderr, "gatehouse-mg: '%s'?\n%s", argv[i], usage);
			return 2;
		}
	}
	if (!file) {
		fprintf(stderr, "gatehouse-mg: -c FILE is needed\n%s", usage);
		return 2;
	}
	return run(file, check);
}
