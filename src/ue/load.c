/* SPDX-License-Identifier: Apache-2.0 */
/* Many user agents on one loop: when each begins what, and when all of it is over. */
#include "ue/load.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ue/load_private.h"

enum { DONE = 0, FAILED = 1, MISUSED = 2 };

uint64_t load_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- who begins what ---- */

static void on_turn(void *arg);

static bool allowed(const struct load *load, unsigned work)
{
	switch (load->phase) {
	case LOAD_ARRIVING:
		return work == LOAD_REGISTER;
	case LOAD_WORKING:
		return work != LOAD_LEAVE;
	case LOAD_LEAVING:
		return work == LOAD_LEAVE;
	default:
		return false;
	}
}

static struct load_ue *pick(struct load *load, unsigned work)
{
	struct base_node *node = base_list_shift(work == LOAD_REGISTER ? &load->down : &load->idle);

	return node ? BASE_CONTAINER_OF(node, struct load_ue, node) : NULL;
}

static void begin(struct load *load, unsigned work, uint64_t now_us)
{
	struct load_tally *tally = &load->tally[work];
	uint64_t due_us;

	/* At most a window at a time: what fails at once leaves others their turn. */
	for (uint32_t i = 0; i < tally->window; i++) {
		struct load_ue *ue;

		if (tally->active >= tally->window || !load_pace_due(&tally->pace, now_us, &due_us))
			break;
		ue = pick(load, work);
		if (!ue)
			break;
		load_pace_took(&tally->pace);
		if (!tally->first_us)
			tally->first_us = now_us;
		tally->active++;
		load_ue_begin(ue, (enum load_work)work, due_us);
	}
	if (work != LOAD_REGISTER && work != LOAD_LEAVE)
		tally->skipped += load_pace_skip(&tally->pace, now_us);
}

/* Who is idle for longest stands first. The works' own limits do not count: it is due. */
static void on_alive(void *arg)
{
	struct load *load = arg;
	uint64_t now_us = load_now_us();

	while (load->phase != LOAD_DRAINING && load->phase != LOAD_LEAVING &&
	       !base_list_empty(&load->idle)) {
		struct load_ue *ue = BASE_CONTAINER_OF(load->idle.next, struct load_ue, node);
		struct load_tally *tally = &load->tally[LOAD_PING];

		if (now_us - ue->idle_us < load->options.alive_ms * 1000)
			break;
		base_list_remove(&ue->node);
		if (!tally->first_us)
			tally->first_us = now_us;
		tally->active++;
		load_ue_begin(ue, LOAD_PING, now_us);
	}
	loop_timer_start(load->loop, &load->alive, BASE_MIN(load->options.alive_ms, 1000), on_alive,
	                 load);
}

static uint32_t active(const struct load *load)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < LOAD_WORK_COUNT; i++)
		sum += load->tally[i].active;
	return sum;
}

static void put(struct load_ue *ue)
{
	struct load *load = ue->load;

	base_list_remove(&ue->node);
	if (ue->stream) {
		ue->state = LOAD_IDLE;
		ue->idle_us = load_now_us();
		base_list_append(&load->idle, &ue->node);
		return;
	}
	ue->state = LOAD_DOWN;
	if (load->options.retry && load->phase < LOAD_DRAINING)
		base_list_append(&load->down, &ue->node);
	else if (ue->work != LOAD_LEAVE)
		load->given_up++;
}

void load_over(struct load_ue *ue, bool well)
{
	struct load *load = ue->load;
	struct load_tally *tally = &load->tally[ue->work];
	uint64_t now_us = load_now_us();

	if (ue->state == LOAD_BUSY) {
		tally->active--;
		tally->last_us = now_us;
		if (well)
			load_histogram_add(&tally->times, now_us - ue->due_us);
		well ? tally->done++ : tally->failed++;
	} else {
		load->lost++;
	}
	put(ue);
	loop_defer(load->loop, &load->turn, on_turn, load);
}

const char *load_routes(struct load *load, const struct sip_message *answer)
{
	const char *text = load_text_routes(&load->home, answer, &load->scratch);

	for (unsigned i = 0; text && i < load->route_count; i++)
		if (strcmp(load->routes[i], text) == 0)
			return load->routes[i];
	if (!text || load->route_count == LOAD_ROUTES_MAX)
		return NULL;
	text = base_arena_dup(&load->keep, base_str_of(text));
	if (text)
		load->routes[load->route_count++] = text;
	return text;
}

/* ---- phases ---- */

static void on_time(void *arg)
{
	struct load *load = arg;

	load->phase = LOAD_DRAINING;
	loop_defer(load->loop, &load->turn, on_turn, load);
}

static void work_start(struct load *load)
{
	load->phase = LOAD_WORKING;
	load->work_us = load_now_us();
	for (unsigned i = LOAD_CHURN; i < LOAD_LEAVE; i++)
		load_pace_start(&load->tally[i].pace, load->options.rate[i], load->work_us);
	loop_timer_start(load->loop, &load->end, load->options.duration_ms, on_time, load);
}

static void leave_start(struct load *load)
{
	load->phase = LOAD_LEAVING;
	load_pace_start(&load->tally[LOAD_LEAVE].pace, load->options.rate[LOAD_LEAVE],
	                load_now_us());
}

static void go_on(struct load *load)
{
	if (load->phase == LOAD_HELD)
		work_start(load);
	else if (load->options.stay)
		load->over = true;
	else
		leave_start(load);
}

/** A line, or the end of the input. */
static void on_input(void *arg, unsigned events)
{
	struct load *load = arg;
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	char c = 0;
	ssize_t got = 1;

	(void)events;
	while (got > 0 && c != '\n') {
		if (poll(&ready, 1, 0) <= 0)
			return;
		got = read(STDIN_FILENO, &c, 1);
	}
	loop_fd_stop(load->loop, &load->input);
	go_on(load);
	loop_defer(load->loop, &load->turn, on_turn, load);
}

static void hold(struct load *load, enum load_phase phase)
{
	load->phase = phase;
	load->input = (struct loop_fd){ .fd = STDIN_FILENO, .fn = on_input, .arg = load };
	if (!load->options.wait || loop_fd_start(load->loop, &load->input))
		go_on(load); /* a file cannot be waited for */
}

static void phase_check(struct load *load)
{
	bool still = active(load) == 0;

	if (load->phase == LOAD_ARRIVING && still && base_list_empty(&load->down)) {
		load_report(load, "registered");
		hold(load, LOAD_HELD);
	} else if (load->phase == LOAD_DRAINING && still) {
		load_report(load, "done");
		hold(load, LOAD_HELD_AGAIN);
	}
	if (load->phase == LOAD_LEAVING && active(load) == 0 && base_list_empty(&load->idle))
		load->over = true;
}

static void on_turn(void *arg)
{
	struct load *load = arg;
	uint64_t now_us = load_now_us();
	bool paced = false;

	phase_check(load);
	load->turns++; /* each kind is first in its turn, where few are idle */
	for (unsigned n = 0; n < LOAD_WORK_COUNT; n++) {
		unsigned i = (n + load->turns) % LOAD_WORK_COUNT;

		if (!allowed(load, i))
			continue;
		begin(load, i, now_us);
		paced |= load->tally[i].pace.per_s > 0;
	}
	if (paced)
		loop_timer_start(load->loop, &load->tick, 1, on_turn, load);
}

static void on_progress(void *arg)
{
	struct load *load = arg;

	load_report_progress(load);
	loop_timer_start(load->loop, &load->progress, 1000, on_progress, load);
}

/** First: nothing more is begun, all leave. Then: at once. */
static void on_signal(void *arg, int signum)
{
	struct load *load = arg;

	(void)signum;
	if (load->phase >= LOAD_DRAINING) {
		load->over = true;
		return;
	}
	loop_timer_stop(load->loop, &load->end);
	loop_fd_stop(load->loop, &load->input);
	base_list_init(&load->down);
	load->options.wait = load->options.retry = false;
	on_time(load);
}

/* ---- set up ---- */

static int descriptors(const struct load_options *options, struct base_error *err)
{
	struct rlimit limit;
	rlim_t want = (rlim_t)options->count + 64;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < want) {
		limit.rlim_cur = BASE_MIN(want, limit.rlim_max);
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_max >= want)
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "%u connections want as many descriptors, and %llu are allowed: "
	                      "raise RLIMIT_NOFILE (ulimit -n)",
	                      options->count, (unsigned long long)limit.rlim_max);
}

/** Where they connect, and what is proven there: the first proxy. */
static int target(struct load *load, struct base_error *err)
{
	const struct ue_yaml_sip *sip = load->app->config.sip;
	const char *proxy = sip->proxy_count ? sip->proxy[0] : sip->registrar;
	uint16_t fallback = load->domain ? 5061 : 5060;
	struct sip_uri uri;

	if (!proxy || sip_uri_parse(base_str_of(proxy), &uri) || !uri.host.len ||
	    uri.host.len >= sizeof(load->server))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "sip.proxy: expected the P-CSCF's URI, such as "
		                      "sip:127.0.0.1:5061;transport=tls;lr");
	if (stream_addr_ip(&load->to, uri.host, uri.port ? uri.port : fallback)) {
		(void)snprintf(load->server, sizeof(load->server), "%.*s", BASE_FMT(uri.host));
		(void)snprintf(load->proven, sizeof(load->proven), "sip:%s", load->server);
		if (!load->options.to)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "%s is a name, which is not looked up for each of "
			                      "many: say --to ADDRESS:PORT",
			                      load->server);
	}
	return load->options.to ? stream_addr_parse(&load->to, base_str_of(load->options.to), err)
	                        : 0;
}

static const char *proxies(struct load *load)
{
	const struct ue_yaml_sip *sip = load->app->config.sip;
	struct base_writer w = { 0 };
	const char *text;

	for (unsigned i = 0; i < sip->proxy_count; i++)
		base_writer_printf(&w, "Route: <%s>\r\n", sip->proxy[i]);
	text = base_arena_dup(&load->keep, base_writer_view(&w));
	base_writer_done(&w);
	return text;
}

static int home(struct load *load, struct base_error *err)
{
	struct ue_config *config = &load->app->config;
	struct load_home *home = &load->home;
	const char *scheme = strchr(config->identity, ':');
	const char *at = strchr(config->identity, '@');
	const char *name = scheme ? scheme + 1 : config->identity;
	char *registrar = base_arena_printf(&load->keep, "sip:%s", at ? at + 1 : name);
	int rc = 0;

	home->identity = base_str_of(config->identity);
	home->user =
	        (struct base_str){ name, at && at > name ? (size_t)(at - name) : strlen(name) };
	if (config->sip->user)
		home->user = base_str_of(config->sip->user);
	home->registrar = base_str_of(config->sip->registrar ? config->sip->registrar : registrar);
	home->proxies = proxies(load);
	home->transport = load->domain ? "TLS" : "TCP";
	home->contact_transport = load->domain ? "tls" : "tcp";
	home->expires_s = config->expires_s;
	home->octets = load->options.octets;
	home->outbound = !load->options.plain;
	if (config->sip->password_file)
		rc = config_secret_read(ue_config_path(config, config->sip->password_file),
		                        &load->password, err);
	home->password = (struct base_str){ (const char *)load->password.data, load->password.len };
	if (!rc && (!registrar || !home->proxies || base_random(&home->run, sizeof(home->run))))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	return rc;
}

static int agents(struct load *load)
{
	const struct load_options *o = &load->options;

	load->ue = calloc(o->count, sizeof(*load->ue));
	if (!load->ue)
		return BASE_ERR(BASE_LOCAL, 0);
	for (uint32_t i = 0; i < o->count; i++) {
		load->ue[i].load = load;
		load->ue[i].number = o->first + i;
		load->ue[i].framer.pings = true;
		base_list_append(&load->down, &load->ue[i].node);
	}
	for (unsigned i = 0; i < LOAD_WORK_COUNT; i++)
		load->tally[i].window = o->window;
	return 0;
}

static int set_up(struct load *load, struct base_error *err)
{
	struct ue_app *app = load->app;
	struct streams_config streams = { .area = "ue", .conns_max = load->options.count + 16 };
	int rc = ue_config_load(&app->config, load->options.config, err);

	if (!rc && !app->config.sip)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "--count wants a configuration with `sip` (--config)");
	if (!rc)
		rc = descriptors(&load->options, err);
	if (rc)
		return rc;
	rc = loop_new(&load->loop);
	if (!rc)
		rc = streams_new(&load->streams, load->loop, &streams);
	if (!rc)
		rc = profile_store_new(&app->profiles);
	for (size_t i = 0; !rc && app->config.profiles[i]; i++)
		rc = profile_store_dir(app->profiles, app->config.profiles[i]);
	if (!rc)
		rc = loop_signal_start(load->loop, SIGINT, on_signal, load);
	if (!rc)
		rc = loop_signal_start(load->loop, SIGTERM, on_signal, load);
	if (!rc)
		rc = agents(load);
	if (rc)
		return base_error_set(err, rc, "memory or descriptors are short");
	app->tickets = load->options.count;
	rc = ue_app_domain_files(app, "sip", app->config.sip->tls, &load->domain, err);
	if (!rc)
		rc = target(load, err);
	return rc ? rc : home(load, err);
}

static void done(struct load *load)
{
	for (uint32_t i = 0; load->ue && i < load->options.count; i++)
		load_ue_done(&load->ue[i]);
	free(load->ue);
	streams_free(load->streams);
	tls_domain_unref(load->domain);
	profile_store_free(load->app->profiles);
	if (load->loop) {
		loop_signal_stop(load->loop, SIGINT);
		loop_signal_stop(load->loop, SIGTERM);
	}
	loop_free(load->loop);
	base_writer_done(&load->out);
	base_arena_done(&load->scratch);
	base_arena_done(&load->keep);
	base_secret_done(&load->password);
	ue_config_done(&load->app->config);
}

static int run(struct load *load)
{
	int rc = 0;

	load->began_us = load_now_us();
	load_pace_start(&load->tally[LOAD_REGISTER].pace, load->options.rate[LOAD_REGISTER],
	                load->began_us);
	loop_defer(load->loop, &load->turn, on_turn, load);
	if (load->options.alive_ms && !load->options.plain)
		on_alive(load);
	if (!load->options.quiet)
		loop_timer_start(load->loop, &load->progress, 1000, on_progress, load);
	while (!rc && !load->over)
		rc = loop_run_once(load->loop, -1);
	return rc;
}

static bool failed(const struct load *load)
{
	uint64_t sum = load->lost;

	for (unsigned i = 0; i < LOAD_WORK_COUNT; i++)
		sum += load->tally[i].failed;
	return sum != 0;
}

bool ue_load_asked(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--count", 7) == 0)
			return true;
	return false;
}

int ue_load_main(int argc, char **argv)
{
	struct ue_app app = { 0 };
	struct load *load = calloc(1, sizeof(*load));
	struct base_error err = { 0 };
	char line[1200];
	int rc;

	if (!load)
		return MISUSED;
	rc = load_options_read(&load->options, argc, argv);
	if (rc) {
		free(load);
		return rc == 1 ? MISUSED : DONE;
	}
	load->app = &app;
	base_list_init(&load->down);
	base_list_init(&load->idle);
	rc = set_up(load, &err);
	if (!rc)
		rc = run(load);
	if (rc)
		fprintf(stderr, "gatehouse ue: %s\n", base_error_format(&err, line, sizeof(line)));
	rc = rc ? MISUSED : failed(load) ? FAILED : DONE;
	done(load);
	free(load);
	return rc;
}
