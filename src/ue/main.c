/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

#include "ue/call.h"
#include "ue/load.h"
#include "ue/script.h"
#include "ue/ue.h"

enum { DONE = 0, FAILED = 1, MISUSED = 2 };

#define END_MS 5000 /* an orderly end takes no longer */

static const char usage[] =
        "usage: gatehouse ue [--config FILE] [--script FILE] [--json] [--trace] [--log LEVEL]\n"
        "                    [--unsafe-key-log FILE]\n"
        "       gatehouse ue --config FILE --count N [--rate R] ...   (many: --count 1 --help)\n"
        "\n"
        "A user agent for registrations (Digest over TLS; TS 33.203, Annex O), calls, messages\n"
        "(SIP, MSRP) and floor control (BFCP). It does what the script, or\n"
        "standard input, says line by line, and tells what happens, an event a line.\n"
        "\n"
        "  --config FILE   who we are, and where (docs/ue.md)\n"
        "  --script FILE   commands; the first that fails ends it. Without it they are read from\n"
        "                  standard input, whose end is the end\n"
        "  --json          events as JSON objects, with their time\n"
        "  --trace         SIP messages are events, too\n"
        "  --unsafe-key-log FILE   append the secrets of media's TLS sessions, for Wireshark\n"
        "  --log LEVEL     error, warn (default), info or debug, to standard error\n"
        "  --help          this text, and the commands\n"
        "\n"
        "Exit status: 0 all was done, 1 something could not be done or has not happened,\n"
        "2 wrong usage or configuration.\n"
        "\n"
        "commands:\n";

/* ---- an orderly end ---- */

bool ue_app_busy(const struct ue_app *app)
{
	for (size_t i = 0; i < UE_MEDIA_MAX; i++)
		if (app->slot[i].media && !ue_media_over(app->slot[i].media))
			return true;
	return ue_calls_busy(app) || (app->sip && ue_sip_busy(app->sip));
}

static void on_over(void *arg)
{
	((struct ue_app *)arg)->late = true;
}

void ue_app_quit(struct ue_app *app)
{
	if (app->ending)
		return;
	app->ending = true;
	ue_calls_end(app);
	if (app->sip)
		ue_sip_quit(app->sip);
	for (size_t i = 0; i < UE_MEDIA_MAX; i++)
		if (app->slot[i].media)
			ue_media_end(app->slot[i].media);
	loop_timer_start(app->loop, &app->over, END_MS, on_over, app);
}

static void on_signal(void *arg, int signum)
{
	(void)signum;
	ue_app_quit(arg);
}

/* ---- life ---- */

static void app_done(struct ue_app *app)
{
	app->events.wake = NULL;
	app->events.to = NULL;
	ue_calls_free(app);
	ue_sip_free(app->sip);
	ue_party_done(&app->party);
	for (size_t i = 0; i < UE_MEDIA_MAX; i++)
		ue_media_free(app->slot[i].media);
	streams_free(app->streams);
	tls_domain_unref(app->media_domain);
	profile_store_free(app->profiles);
	if (app->loop) {
		loop_timer_stop(app->loop, &app->over);
		loop_signal_stop(app->loop, SIGINT);
		loop_signal_stop(app->loop, SIGTERM);
	}
	loop_free(app->loop);
	ue_events_done(&app->events);
	ue_config_done(&app->config);
}

static int party_start(struct ue_app *app, struct base_error *err)
{
	struct tls_domain *domain = NULL;
	int rc = ue_app_domain_files(app, "kms", app->config.kms->tls, &domain, err);

	if (!rc)
		rc = ue_party_init(&app->party, &app->config, app->loop, domain, app->streams, err);
	tls_domain_unref(domain); /* the client has its own */
	return rc;
}

static int app_start(struct ue_app *app, struct base_error *err)
{
	const struct streams_config streams = { .area = "ue" };
	int rc = loop_new(&app->loop);

	if (!rc)
		rc = streams_new(&app->streams, app->loop, &streams);
	if (!rc)
		rc = profile_store_new(&app->profiles);
	for (size_t i = 0; !rc && app->config.profiles[i]; i++)
		rc = profile_store_dir(app->profiles, app->config.profiles[i]);
	if (!rc)
		rc = loop_signal_start(app->loop, SIGINT, on_signal, app);
	if (!rc)
		rc = loop_signal_start(app->loop, SIGTERM, on_signal, app);
	if (rc)
		return base_error_set(err, rc, "memory or descriptors are short");
	base_list_init(&app->calls);
	app->events.name = app->config.name;
	app->env = (struct ue_media_env){ .loop = app->loop,
		                          .streams = app->streams,
		                          .events = &app->events,
		                          .inbox = { app->config.inbox, app->config.message_max },
		                          .self = app->config.identity,
		                          .patience_ms = (uint32_t)app->config.patience_ms };
	if (app->config.kms)
		rc = party_start(app, err);
	if (!rc && app->config.sip)
		rc = ue_sip_new(&app->sip, app, err);
	return rc;
}

static int run(struct ue_app *app, struct ue_script *script, struct base_error *err)
{
	int rc = ue_script_start(script, err);

	while (!rc && !app->late && !(app->ending && !ue_app_busy(app)))
		rc = loop_run_once(app->loop, -1);
	return rc;
}

struct options {
	const char *config, *script, *key_log;
	bool json, trace;
};

/** Everybody who reads this file can read the sessions: nobody else may. */
static int key_log_open(struct ue_app *app, const char *path, struct base_error *err)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd >= 0)
		app->key_log = fdopen(fd, "a");
	if (path && !app->key_log)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "%s: %s", path,
		                      strerror(errno));
	if (path)
		base_log(BASE_LOG_WARN, "ue", "unsafe: secrets of TLS sessions go to file=%s",
		         path);
	return 0;
}

static int ue_run(const struct options *options)
{
	struct ue_app app = { .events = { .to = stdout, .json = options->json },
		              .trace = options->trace };
	struct ue_script script = { .app = &app, .name = options->script };
	struct base_error err = { 0 };
	char line[1200];
	int rc;

	ue_events_init(&app.events);
	rc = ue_config_load(&app.config, options->config, &err);
	if (!rc)
		rc = key_log_open(&app, options->key_log, &err);
	if (!rc)
		rc = app_start(&app, &err);
	if (!rc) {
		rc = run(&app, &script, &err);
		ue_script_done(&script);
	}
	if (rc)
		fprintf(stderr, "gatehouse ue: %s\n", base_error_format(&err, line, sizeof(line)));
	app_done(&app);
	if (app.key_log)
		(void)fclose(app.key_log);
	return rc ? MISUSED : app.failed ? FAILED : DONE;
}

int ue_main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		                                 { "script", required_argument, NULL, 's' },
		                                 { "log", required_argument, NULL, 'l' },
		                                 { "unsafe-key-log", required_argument, NULL, 'k' },
		                                 { "trace", no_argument, NULL, 't' },
		                                 { "json", no_argument, NULL, 'j' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { 0 } };
	struct options o = { 0 };
	enum base_level level = BASE_LOG_WARN;
	bool wrong = false;
	int c;

	if (ue_load_asked(argc, argv))
		return ue_load_main(argc, argv);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			ue_command_list(stdout);
			return DONE;
		}
		if (c == 'c')
			o.config = optarg;
		else if (c == 's')
			o.script = optarg;
		else if (c == 'k')
			o.key_log = optarg;
		else if (c == 't')
			o.trace = true;
		else if (c == 'j')
			o.json = true;
		else if (c != 'l' || base_log_level_parse(base_str_of(optarg), &level))
			wrong = true;
	}
	if (wrong || optind != argc) {
		fputs(usage, stderr);
		ue_command_list(stderr);
		return MISUSED;
	}
	base_log_level_set(level);
	return ue_run(&o);
}
