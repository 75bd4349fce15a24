/* SPDX-License-Identifier: Apache-2.0 */
/** @file The certificate and CRL fetcher: options, the file, then fetch_run. */
#include <stdio.h>
#include <string.h>

#include "fetch/fetch.h"

static const char usage[] =
        "usage: gatehouse-fetch -c FILE [-t | --once [--json] | --status [--json]]\n"
        "       gatehouse-fetch --publish --help\n"
        "       gatehouse-fetch --help | --version\n"
        "\n"
        "  -c FILE      configuration (YAML)\n"
        "  -t           check the configuration and start nothing\n"
        "  --once       fetch every source once, tell each in a line; exit 1 when one failed\n"
        "  --status     ask the one that runs, over its socket\n"
        "  --json       lines of --once and --status are JSON objects\n"
        "  --log LEVEL  error, warn, info or debug; stands above the file's\n"
        "  --publish    write CRLs and certificates into a directory over LDAP\n"
        "\n"
        "SIGTERM leaves, SIGHUP loads the configuration again.\n";

struct words {
	const char *file;
	enum fetch_mode mode;
	bool json, status, has_level;
	enum base_level level;
};

static int complain(const struct base_error *err)
{
	char text[900];

	fprintf(stderr, "gatehouse-fetch: %s\n", base_error_format(err, text, sizeof(text)));
	return 1;
}

static int run(const struct words *w)
{
	struct base_error err = { 0 };
	struct fetch_config *config = NULL;
	int status = 0, rc;

	if (fetch_config_load(&config, w->file, &err))
		return complain(&err);
	fetch_config_apply(config);
	if (w->has_level)
		base_log_level_set(w->level);
	if (w->status) {
		status = fetch_status_main(config, w->json);
	} else {
		rc = fetch_run(config, w->file, w->mode, w->json, &err);
		status = rc < 0 ? complain(&err) : rc;
	}
	if (!status && w->mode == FETCH_CHECK && !w->status)
		printf("%s: ok\n", w->file);
	fetch_config_free(config);
	return status;
}

/* @return whether the word was understood */
static bool word_take(struct words *w, int argc, char **argv, int *i)
{
	const char *word = argv[*i];
	bool more = *i + 1 < argc;

	if (!strcmp(word, "-t"))
		w->mode = FETCH_CHECK;
	else if (!strcmp(word, "--once"))
		w->mode = FETCH_ONCE;
	else if (!strcmp(word, "--status"))
		w->status = true;
	else if (!strcmp(word, "--json"))
		w->json = true;
	else if (!strcmp(word, "-c") && more)
		w->file = argv[++*i];
	else if (!strcmp(word, "--log") && more &&
	         !base_log_level_parse(base_str_of(argv[*i + 1]), &w->level))
		w->has_level = ++*i > 0;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct words w = { .mode = FETCH_SERVE };

	if (argc > 1 && !strcmp(argv[1], "--publish"))
		return fetch_publish_main(argc - 1, argv + 1);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--version")) {
			printf("gatehouse-fetch %s\n", GATEHOUSE_VERSION);
			return 0;
		}
		if (!word_take(&w, argc, argv, &i)) {
			fprintf(stderr, "gatehouse-fetch: '%s'?\n%s", argv[i], usage);
			return 2;
		}
	}
	if (!w.file) {
		fprintf(stderr, "gatehouse-fetch: -c FILE is needed\n%s", usage);
		return 2;
	}
	return run(&w);
}
