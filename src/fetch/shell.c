/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <curl/curl.h>

#include "fetch/confine.h"
#include "fetch/demand.h"
#include "fetch/report.h"

struct shell {
	struct fetch_config *config; /* the one in use, referenced */
	const char *path;
	struct loop *loop;
	struct fetch_engine *engine;
	struct fetch_demand *demand;
	bool once, json, failed;
	int rc; /* why it ended by itself */
	struct base_error err;
};

/* ---- what a start would find ---- */

static int file_check(const char *file, struct base_error *err)
{
	STACK_OF(X509) *found = sk_X509_new_null();
	int rc = !found  ? BASE_ERR(BASE_LOCAL, ENOMEM)
	         : !file ? 0
	                 : x509_certs_load(file, found, err);

	sk_X509_pop_free(found, X509_free);
	return rc;
}

static int config_check(const struct fetch_config *c, struct base_error *err)
{
	const struct fetch_issuer_files files = {
		.issuers = (const char *const *)c->issuers,
		.interconnection = (const char *const *)c->interconnection,
		.cross = (const char *const *)c->cross,
		.cache = c->cache,
	};
	struct fetch_issuers issuers = { 0 };
	int rc = fetch_issuers_load(&issuers, &files, err);

	fetch_issuers_done(&issuers);
	if (!rc)
		rc = file_check(c->https_anchors, err);
	for (size_t i = 0; i < c->source_count && !rc; i++)
		rc = file_check(c->sources[i].issuer, err);
	for (size_t i = 0; i < c->directory_count && !rc; i++)
		rc = file_check(c->directories[i].ldap.anchors, err);
	if (!rc && access(c->cache, F_OK) < 0) {
		base_error_place(err, c->cache, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "the cache folder: %s",
		                    strerror(errno));
	}
	return rc;
}

/* ---- once ---- */

static bool all_asked(struct fetch_engine *e)
{
	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));)
		if (!s->asked || s->running)
			return false;
	return true;
}

static void once_ended(struct shell *sh, const struct fetch_source *s)
{
	struct base_writer w = { 0 };

	fetch_report_source(s, sh->json, &w);
	(void)fwrite(w.data, 1, w.len, stdout); /* told by the last fflush */
	base_writer_done(&w);
	sh->failed = sh->failed || s->rc;
	if (all_asked(sh->engine))
		loop_stop(sh->loop);
}

static void on_ended(void *arg, struct fetch_source *s)
{
	struct shell *sh = arg;

	if (sh->once)
		once_ended(sh, s);
	else
		fetch_demand_ended(sh->demand, s);
}

/* ---- reload ---- */

static int engine_make(struct shell *sh, struct fetch_config *config, struct base_error *err)
{
	const struct fetch_engine_events events = { .ended = on_ended, .arg = sh };

	return fetch_engine_new(&sh->engine, sh->loop, config, &events, err);
}

/* Go on with `config`, whose engine is there. */
static void go_on(struct shell *sh, struct fetch_config *config)
{
	if (config != sh->config) {
		fetch_config_free(sh->config);
		sh->config = config;
		fetch_config_apply(config);
	}
	fetch_demand_engine_set(sh->demand, sh->engine);
	fetch_engine_start(sh->engine, false);
}

/* The folder has one writer: the old engine goes before the new one comes. */
static int engine_swap(struct shell *sh, struct fetch_config *fresh, struct base_error *err)
{
	struct base_error again = { 0 };
	int rc;

	fetch_engine_free(sh->engine);
	sh->engine = NULL;
	rc = engine_make(sh, fresh, err);
	if (!rc) {
		go_on(sh, fresh);
	} else if (!engine_make(sh, sh->config, &again)) {
		go_on(sh, sh->config);
	} else {
		sh->rc = rc; /* neither: leave, and say why */
		sh->err = *err;
		loop_stop(sh->loop);
	}
	return rc;
}

static void reload(struct shell *sh)
{
	struct base_error err = { 0 };
	struct fetch_config *fresh = NULL;
	char text[900];
	int rc = fetch_config_load(&fresh, sh->path, &err);

	if (!rc)
		rc = config_check(fresh, &err);
	if (!rc)
		rc = engine_swap(sh, fresh, &err);
	if (!rc) {
		base_log(BASE_LOG_INFO, "fetch",
		         "reloaded: %zu sources; user and socket need a restart",
		         fresh->source_count);
		return;
	}
	base_log(BASE_LOG_ERROR, "fetch", "not reloaded, nothing has changed: %s",
	         base_error_format(&err, text, sizeof(text)));
	fetch_config_free(fresh);
}

static void on_signal(void *arg, int signum)
{
	struct shell *sh = arg;

	if (signum == SIGHUP && !sh->once)
		reload(sh);
	else if (signum != SIGHUP)
		loop_stop(sh->loop);
}

/* ---- all ---- */

static int serve(struct shell *sh, struct base_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int rc = engine_make(sh, sh->config, err);

	if (!rc && !sh->once)
		rc = fetch_demand_new(&sh->demand, sh->loop, sh->config, err);
	for (size_t i = 0; i < BASE_COUNT(signals) && !rc; i++)
		rc = loop_signal_start(sh->loop, signals[i], on_signal, sh);
	if (!rc)
		rc = fetch_confine_calls(err);
	if (rc)
		return rc;
	fetch_demand_engine_set(sh->demand, sh->engine);
	fetch_engine_start(sh->engine, sh->once);
	base_log(BASE_LOG_INFO, "fetch", "event=started sources=%zu cache=%s socket=%s",
	         sh->config->source_count, sh->config->cache,
	         sh->demand ? sh->config->demand.socket : "none");
	if (!sh->once || !all_asked(sh->engine))
		rc = loop_run(sh->loop);
	if (!rc && sh->rc) {
		rc = sh->rc;
		*err = sh->err;
	}
	if (!rc)
		fetch_engine_report(sh->engine);
	return rc;
}

static void close_all(struct shell *sh)
{
	fetch_demand_free(sh->demand);
	fetch_engine_free(sh->engine);
	if (sh->loop)
		(void)loop_run_once(sh->loop, 0); /* jobs that nobody waits for come home */
	loop_free(sh->loop);
	fetch_config_free(sh->config);
}

int fetch_run(struct fetch_config *config, const char *path, enum fetch_mode mode, bool json,
              struct base_error *err)
{
	struct shell sh = { .path = path, .once = mode == FETCH_ONCE, .json = json };
	int rc;

	if (mode == FETCH_CHECK)
		return config_check(config, err);
	rc = fetch_confine_user(config->user, config->uid, config->gid, err);
	if (!rc && curl_global_init(CURL_GLOBAL_DEFAULT))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "libcurl does not start");
	if (!rc)
		rc = fetch_ldap_init(err);
	if (rc)
		return rc;
	/* A peer that hangs up and a file that may not grow are errors of a call, no end. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	sh.config = fetch_config_ref(config);
	rc = loop_new(&sh.loop);
	if (!rc)
		rc = serve(&sh, err);
	close_all(&sh);
	curl_global_cleanup();
	if (!rc && sh.once)
		rc = fflush(stdout) || sh.failed ? 1 : 0;
	return rc;
}

/* ---- status ---- */

static int status_read(int fd)
{
	static char packet[70000];
	ssize_t len;

	while ((len = recv(fd, packet, sizeof(packet), 0)) > 0) {
		if (len == 4 && !memcmp(packet, "end\n", 4))
			return 0;
		(void)fwrite(packet, 1, (size_t)len, stdout); /* told by the last fflush */
	}
	return 1;
}

int fetch_status_main(const struct fetch_config *config, bool json)
{
	const char *ask = json ? "status json\n" : "status\n";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, status = 1;

	if (!config->demand.socket) {
		fputs("gatehouse-fetch: the file has no socket.path\n", stderr);
		return 2;
	}
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", config->demand.socket); /* checked */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
	    send(fd, ask, strlen(ask), MSG_NOSIGNAL) == (ssize_t)strlen(ask))
		status = status_read(fd);
	if (status || fflush(stdout))
		fprintf(stderr, "gatehouse-fetch: %s: no answer: is it running, and may you ask?\n",
		        config->demand.socket);
	if (fd >= 0)
		(void)close(fd); /* it was only asked */
	return status;
}
