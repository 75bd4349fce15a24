/* SPDX-License-Identifier: Apache-2.0 */
/** @file The controller of conferences (MRFC): options, the file, then mgc_shell_run. */
#include <stdio.h>
#include <string.h>

#include "mgc/mgc.h"

static const char usage[] = "usage: gatehouse-mgc -c FILE [--check]\n"
                            "       gatehouse-mgc --help | --version\n"
                            "\n"
                            "  -c FILE      configuration (YAML)\n"
                            "  --check, -t  check the configuration and start nothing\n"
                            "\n"
                            "SIGTERM hangs up (BYE with Reason), releases what MRFPs hold, and "
                            "leaves.\n"
                            "SIGHUP reads the file anew, as a whole or not at all.\n";

static int complain(const struct base_error *err)
{
	char text[900];

	fprintf(stderr, "gatehouse-mgc: %s\n", base_error_format(err, text, sizeof(text)));
	return 1;
}

static int run(const char *file, bool check)
{
	struct base_error err = { 0 };
	struct mgc_config *config = NULL;
	int status = 0;

	if (mgc_config_load(&config, file, &err))
		return complain(&err);
	base_log_level_set(config->log_level);
	mgc_config_warn(config);
	if (check)
		printf("%s: ok\n", file);
	else if (mgc_shell_run(config, &err))
		status = complain(&err);
	mgc_config_free(config);
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
			printf("gatehouse-mgc %s\n", GATEHOUSE_VERSION);
			return 0;
		}
		if (!strcmp(argv[i], "--check") || !strcmp(argv[i], "-t")) {
			check = true;
		} else if (!strcmp(argv[i], "-c") && i + 1 < argc) {
			file = argv[++i];
		} else {
			fprintf(stderr, "gatehouse-mgc: '%s'?\n%s", argv[i], usage);
			return 2;
		}
	}
	if (!file) {
		fprintf(stderr, "gatehouse-mgc: -c FILE is needed\n%s", usage);
		return 2;
	}
	return run(file, check);
}
