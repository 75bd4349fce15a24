/* SPDX-License-Identifier: Apache-2.0 */
/* Session timers (RFC 4028): whoever refreshes does it at half of the interval, and who has not
 * been refreshed hangs up a third of it, 32 s at most, before its end. */
#include "sip/call_private.h"

#define LONGER_MAX       4     /* times that a 422 is given in to: each proxy may have its least */
#define REFRESH_AGAIN_MS 20000 /* what was under way then, or was refused, at most (P) */

static const char refresher_name[] = "refresher";

/* delta-seconds at the start of a value with parameters, of any field. */
static bool seconds(const struct sip_message *msg, const char *name, const char *compact,
                    uint32_t *ret, struct base_str *ret_params)
{
	const struct sip_header *h = sip_header_named(msg, name);
	struct base_str digits;
	uint64_t number;
	size_t len = 0;

	if (!h && compact)
		h = sip_header_named(msg, compact);
	if (!h)
		return false;
	while (len < h->value.len && h->value.ptr[len] >= '0' && h->value.ptr[len] <= '9')
		len++;
	digits = (struct base_str){ h->value.ptr, len };
	if (base_str_u64(digits, UINT32_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	if (ret_params)
		*ret_params = sip_from(h->value, len);
	return true;
}

static bool interval(const struct sip_message *msg, uint32_t *ret, struct base_str *ret_params)
{
	return seconds(msg, "Session-Expires", "x", ret, ret_params);
}

static bool refresher_is(struct base_str params, const char *who)
{
	struct base_str value;

	return sip_param_find(params, refresher_name, &value) &&
	       base_str_ieq(value, base_str_of(who));
}

/* -- timers --------------------------------------------------------------------------------------
 */

void sip_session_stop(struct sip_call *call)
{
	sip_ua_timer_stop(call->ua, &call->session.refresh);
	sip_ua_timer_stop(call->ua, &call->session.expiry);
}

static void on_refresh(void *arg)
{
	struct sip_call *call = arg;

	uint64_t again_ms = (uint64_t)call->session.interval_s * 50; /* a twentieth */

	sip_ua_timer(call->ua, &call->session.refresh, BASE_MIN(again_ms, REFRESH_AGAIN_MS),
	             on_refresh, call);
	sip_offer_refresh(call);
}

static void on_expiry(void *arg)
{
	struct sip_call *call = arg;

	sip_call_because(call, SIP_WHY_EXPIRED, 408, NULL);
	(void)sip_call_step(call, C_END, &(struct call_in){ 0 });
}

static void start(struct sip_call *call, uint32_t interval_s, bool refreshes)
{
	uint64_t ms = (uint64_t)interval_s * 1000;

	sip_session_stop(call);
	call->session.interval_s = interval_s;
	call->session.refreshes = refreshes;
	if (!interval_s)
		return;
	if (refreshes)
		sip_ua_timer(call->ua, &call->session.refresh, ms / 2, on_refresh, call);
	sip_ua_timer(call->ua, &call->session.expiry, ms - BASE_MIN(ms / 3, 32000U), on_expiry,
	             call);
}

/* -- what is said --------------------------------------------------------------------------------
 */

void sip_session_ask(struct sip_call *call, struct base_writer *w)
{
	uint32_t interval_s =
	        call->session.interval_s ? call->session.interval_s : call->ua->config.session_s;

	interval_s = BASE_MAX(interval_s, call->session.min_s);
	base_writer_printf(w, "Supported: timer\r\nSession-Expires: %u", interval_s);
	if (call->dialog && call->session.interval_s)
		base_writer_printf(w, ";refresher=%s", call->session.refreshes ? "uac" : "uas");
	base_writer_text(w, "\r\n");
	if (call->session.min_s)
		base_writer_printf(w, "Min-SE: %u\r\n", call->session.min_s);
}

void sip_session_agreed(struct sip_call *call, const struct sip_message *response)
{
	struct base_str params = { 0 };
	uint32_t interval_s;

	if (response->status < 200)
		return;
	if (sip_header(response, SIP_H_ALLOW))
		call->updates = sip_header_has(response, SIP_H_ALLOW, "UPDATE");
	if (!interval(response, &interval_s, &params))
		start(call, 0, false); /* it knows none (7.2) */
	else
		start(call, BASE_MAX(interval_s, call->ua->config.session_min),
		      !refresher_is(params, "uas")); /* nobody named: better us than nobody */
}

bool sip_session_too_short(const struct sip_call *call, const struct sip_message *request)
{
	uint32_t interval_s;

	return interval(request, &interval_s, NULL) && interval_s < call->ua->config.session_min &&
	       sip_header_has(request, SIP_H_SUPPORTED, "timer");
}

bool sip_session_longer(struct sip_call *call, const struct sip_message *response)
{
	uint32_t min_s;

	if (!seconds(response, "Min-SE", NULL, &min_s, NULL) || min_s <= call->session.min_s ||
	    min_s > 86400 || call->session.longer == LONGER_MAX)
		return false;
	call->session.longer++;
	call->session.min_s = min_s;
	return true;
}

/* 9: the interval is the asker's, if he said one; he refreshes, if he can and has not said other.
 */
void sip_session_answer(struct sip_call *call, const struct sip_message *request,
                        struct base_writer *lines)
{
	bool knows = sip_header_has(request, SIP_H_SUPPORTED, "timer");
	struct base_str params = { 0 };
	uint32_t interval_s;
	bool theirs;

	if (!knows && !call->updates) { /* nothing but re-INVITEs could refresh it */
		start(call, 0, false);
		return;
	}
	if (!interval(request, &interval_s, &params))
		interval_s = call->session.interval_s ? call->session.interval_s
		                                      : call->ua->config.session_s;
	interval_s = BASE_MAX(interval_s, call->ua->config.session_min);
	theirs = knows && !refresher_is(params, "uas");
	if (theirs)
		base_writer_text(lines, "Require: timer\r\n");
	base_writer_printf(lines, "Supported: timer\r\nSession-Expires: %u;refresher=%s\r\n",
	                   interval_s, theirs ? "uac" : "uas");
	start(call, interval_s, !theirs);
}
