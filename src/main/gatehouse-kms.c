/* SPDX-License-Identifier: Apache-2.0 */
/** @file The Key Management Service: options, the file, then kmsd_run. */
#include <stdio.h>
#include <string.h>

#include "kmsd/kmsd.h"

static const char usage[] = "usage: gatehouse-kms -c FILE [--check]\n"
                            "       gatehouse-kms --help | --version\n"
                            "\n"
                            "  -c FILE      configuration (YAML)\n"
                            "  --check, -t  check the configuration and start nothing\n"
                            "\n"
                            "SIGTERM leaves, SIGHUP loads rules, groups, lifetimes, the form of "
                            "requests and\nthe TLS domain again. Users: 'gatehouse kms --help'.\n";

static int complain(const struct base_error *err)
{
	char text[900];

	fprintf(stderr, "gatehouse-kms: %s\n", base_error_format(err, text, sizeof(text)));
	return 1;
}

static int run(const char *file, bool check)
{
	struct kmsd_config *config = NULL;
	struct base_error err = { 0 };

	if (kmsd_config_load(&config, file, &err))
		return complain(&err);
	if (check) {
		printf("%s: ok\n", file);
		kmsd_config_free(config);
		return 0;
	}
	return kmsd_run(config, &err) ? complain(&err) : 0;
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
			printf("gatehouse-kms %s\n", GATEHOUSE_VERSION);
			return 0;
		}
		if (!strcmp(argv[i], "--check") || !strcmp(argv[i], "-t")) {
			check = true;
		} else if (!strcmp(argv[i], "-c") && i + 1 < argc) {
			file = argv[++i];
		} else {
			fprintf(stderr, "gatehouse-kms: '%s'?\n%s", argv[i], usage);
			return 2;
		}
	}
	if (!file) {
		fprintf(stderr, "gatehouse-kms: -c FILE is needed\n%s", usage);
		return 2;
	}
	return run(file, check);
}
