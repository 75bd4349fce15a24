/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/register.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/register_private.h"

#define EXPIRES_S   3600
#define AGAIN_MIN_S 30 /* after a failure; twice as long each time */
#define AGAIN_MAX_S 1800
#define LONGER_MAX  4 /* times in a row that a 423 is given in to */
#define LINES_MAX   64

struct sip_register {
	struct sip_ua *ua;
	sip_register_fn *fn;
	void *user;
	struct base_arena arena; /* of what was asked for */
	struct sip_draft draft;
	const char *more;
	uint32_t expires_s;
	uint32_t cseq;
	uint64_t ask; /* 0 = none is under way */
	bool is, stopped;
	bool leaving; /* it is being taken back */
	uint32_t again_s;
	unsigned longer;
	struct sip_service_routes routes;
	struct loop_timer timer;
};

static void answered(void *user, const struct sip_message *msg, unsigned status, uint32_t cseq);

/* -- asking --------------------------------------------------------------------------------------
 */

static int ask(struct sip_register *r)
{
	char lines[LINES_MAX];
	struct base_writer w = { 0 };
	int rc;

	(void)snprintf(lines, sizeof(lines), "Expires: %u\r\n", r->stopped ? 0 : r->expires_s);
	base_writer_text(&w, lines);
	base_writer_text(&w, r->more ? r->more : "");
	r->draft.content.lines = base_writer_cstr(&w);
	r->draft.cseq = r->cseq + 1;
	rc = w.failed ? BASE_ERR(BASE_LOCAL, 500)
	              : sip_ua_ask(r->ua, &r->draft, answered, r, &r->ask);
	r->draft.content.lines = NULL;
	base_writer_done(&w);
	return rc;
}

static void failed(struct sip_register *r, unsigned status, const struct sip_message *msg);

static void on_time(void *arg)
{
	struct sip_register *r = arg;

	r->leaving = r->stopped;
	if (ask(r))
		failed(r, 500, NULL);
}

static void later(struct sip_register *r, uint64_t s)
{
	sip_ua_timer(r->ua, &r->timer, s * 1000, on_time, r);
}

/* Not all at once after a registrar has failed: so long by the times that it has. */
static void failed(struct sip_register *r, unsigned status, const struct sip_message *msg)
{
	r->is = false;
	r->longer = 0;
	if (!r->stopped) {
		r->again_s = r->again_s ? BASE_MIN(2 * r->again_s, AGAIN_MAX_S) : AGAIN_MIN_S;
		later(r, BASE_MAX(sip_retry_after(msg, AGAIN_MAX_S), r->again_s));
	}
	r->fn(r->user, SIP_UNANSWERED, status, msg);
}

/* -- answers -------------------------------------------------------------------------------------
 */

static void accepted(struct sip_register *r, const struct sip_message *msg)
{
	r->again_s = 0;
	r->longer = 0;
	r->is = !r->stopped;
	if (r->is) {
		sip_routes_take(&r->routes, msg);
		later(r, sip_refresh_s(sip_granted(msg, r->expires_s, NULL)));
	}
	r->fn(r->user, r->is ? SIP_REGISTERED : SIP_UNREGISTERED, msg->status, msg);
}

/* 423: longer, then (10.3, step 7). */
static bool longer(struct sip_register *r, const struct sip_message *msg)
{
	uint32_t s = sip_min_expires(msg, r->expires_s);

	if (r->stopped || !s || r->longer == LONGER_MAX)
		return false;
	r->longer++;
	r->expires_s = s;
	return !ask(r);
}

static void answered(void *user, const struct sip_message *msg, unsigned status, uint32_t cseq)
{
	struct sip_register *r = user;

	r->ask = 0;
	r->cseq = BASE_MAX(r->cseq, cseq);
	if (r->stopped && !r->leaving) /* one after the other (10.2) */
		later(r, 0);
	else if (status < 300 && msg)
		accepted(r, msg);
	else if (status != 423 || !msg || !longer(r, msg))
		failed(r, status, msg);
}

/* -- life ----------------------------------------------------------------------------------------
 */

static int begin(struct sip_register *r, const struct sip_register_config *config)
{
	struct sip_draft draft = { .method = "REGISTER",
		                   .target = config->registrar,
		                   .from = config->aor,
		                   .to = config->aor,
		                   .routes = config->routes,
		                   .route_count = config->route_count,
		                   .contact = true,
		                   .content.lines = config->lines };
	int rc = sip_draft_keep(r->ua, &r->arena, &draft, &r->draft);

	r->more = r->draft.content.lines;
	r->expires_s = config->expires_s ? config->expires_s : EXPIRES_S;
	return rc ? rc : ask(r);
}

int sip_register_new(struct sip_register **ret, struct sip_ua *ua,
                     const struct sip_register_config *config, sip_register_fn *fn, void *user)
{
	struct sip_register *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return BASE_ERR(BASE_LOCAL, 500);
	r->ua = ua;
	r->fn = fn;
	r->user = user;
	r->arena.chunk_size = r->routes.arena.chunk_size = 1024;
	rc = begin(r, config);
	if (rc)
		sip_register_free(r);
	else
		*ret = r;
	return rc;
}

void sip_register_stop(struct sip_register *r)
{
	if (r->stopped)
		return;
	r->stopped = true;
	sip_ua_timer_stop(r->ua, &r->timer);
	if (!r->ask)
		later(r, 0);
}

void sip_register_free(struct sip_register *r)
{
	if (!r)
		return;
	sip_ua_timer_stop(r->ua, &r->timer);
	sip_ua_ask_forget(r->ua, r->ask);
	base_arena_done(&r->arena);
	base_arena_done(&r->routes.arena);
	free(r);
}

bool sip_register_is(const struct sip_register *r)
{
	return r->is;
}

const struct base_str *sip_register_routes(const struct sip_register *r, size_t *ret_count)
{
	*ret_count = r->routes.count ? r->routes.count : r->draft.route_count;
	return r->routes.count ? r->routes.uri : r->draft.routes;
}
