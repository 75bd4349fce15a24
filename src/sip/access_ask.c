/* SPDX-License-Identifier: Apache-2.0 */
/* A REGISTER over its own flow, and what its answers mean (RFC 3261, 10.3; RFC 3329; RFC 5626). */
#include "sip/access_private.h"
#include "sip/access_security.h"
#include "sip/digest_private.h"

#define LONGER_MAX 4 /* times in a row that a 423 is given in to */

static bool leaving(const struct sip_access *a)
{
	return a->state == ACCESS_LEAVING;
}

/* Who is no acquaintance of the registrar's says who it is, with nothing to prove it (TS 24.229,
 * 5.1.1.2: R; RFC 3310, 3.2 has its like). */
static void introduce(const struct sip_access *a, struct base_writer *w)
{
	base_writer_text(w, "Authorization: Digest ");
	digest_quote(w, "username", base_str_of(a->user));
	base_writer_text(w, ", ");
	digest_quote(w, "realm", base_str_of(a->realm));
	base_writer_text(w, ", nonce=\"\", ");
	digest_quote(w, "uri", a->draft.target);
	base_writer_text(w, ", response=\"\"\r\n");
}

static const struct sip_content *build(void *owner, struct base_writer *w,
                                       const struct sip_local *local)
{
	struct sip_access *a = owner;
	struct base_writer *lines = &a->own_lines;

	sip_draft_write(w, &a->draft, ++a->cseq, local);
	base_writer_reset(lines);
	base_writer_printf(lines, "Expires: %u\r\nSupported: path%s\r\n",
	                   leaving(a) ? 0 : a->expires_s, a->instance ? ", outbound" : "");
	if (a->sec_agree)
		sip_security_write(&a->verify, true, lines);
	if (a->user && !a->known)
		introduce(a, lines);
	base_writer_text(lines, a->more ? a->more : "");
	w->failed |= lines->failed;
	a->content.lines = base_writer_cstr(lines);
	return &a->content;
}

static bool stale_in(const struct sip_message *msg)
{
	static const enum sip_header_id ids[] = { SIP_H_WWW_AUTHENTICATE,
		                                  SIP_H_PROXY_AUTHENTICATE };
	bool stale = false;

	for (size_t i = 0; i < BASE_COUNT(ids); i++)
		for (const struct sip_header *h = sip_header(msg, ids[i]); h;
		     h = sip_header_after(msg, h)) {
			struct base_arena arena = { .chunk_size = 1024 };
			struct sip_challenge c;

			stale |= !sip_challenge_read(h->value, &arena, &c) && c.stale;
			base_arena_done(&arena);
		}
	return stale;
}

/* It can be answered; is that what we want? */
static bool on_challenged(void *owner, const struct sip_message *msg)
{
	struct sip_access *a = owner;

	if (a->sec_agree && sip_security_take(msg, &a->verify))
		return false;
	a->now = (struct sip_access_event){ .status = msg->status,
		                            .msg = msg,
		                            .stale = stale_in(msg) };
	sip_access_happens(a, ACCESS_EV_CHALLENGED);
	return true; /* sip_ask sees whether who was told has ended it */
}

/* A 423 (RFC 3261, 10.3, step 7). */
static bool longer(struct sip_access *a, const struct sip_message *msg)
{
	uint32_t s = sip_min_expires(msg, a->expires_s);

	if (!s || leaving(a) || a->longer++ == LONGER_MAX)
		return false;
	a->expires_s = s;
	return true;
}

static enum access_event event_of(struct sip_access *a, const struct sip_message *msg)
{
	struct base_writer offered = { 0 };
	bool secure = !a->sec_agree || !sip_security_take(msg, &offered);

	base_writer_done(&offered);
	if (msg->status < 300)
		return ACCESS_EV_OK;
	if (msg->status == 494 || (msg->status == 401 && !secure))
		return ACCESS_EV_INSECURE;
	if (msg->status == 401 || msg->status == 407 ||
	    (msg->status == 403 && (a->answered || a->stands)))
		return ACCESS_EV_DIGEST;
	if (msg->status == 430)
		return ACCESS_EV_FAILED;
	return msg->status / 100 == 5 ? ACCESS_EV_BUSY : ACCESS_EV_REFUSED;
}

static void on_response(void *owner, struct sip_ask *ask, const struct sip_message *msg)
{
	struct sip_access *a = owner;
	enum access_event event;

	if (msg->status < 200)
		return;
	a->ask = NULL;
	sip_ask_forget(ask);
	if (msg->status == 423 && longer(a, msg)) {
		sip_access_send(a);
		return;
	}
	event = event_of(a, msg);
	a->now = (struct sip_access_event){ .status = msg->status, .msg = msg };
	/* it holds no longer than it does */
	if (event == ACCESS_EV_BUSY && a->stands &&
	    sip_access_now_ms(a) + a->retry_ms >= a->until_ms)
		event = ACCESS_EV_SILENT;
	sip_access_happens(a, event);
}

static void on_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct sip_access *a = owner;

	(void)ask;
	a->ask = NULL;
	a->now = (struct sip_access_event){ .status = status == 408 ? 408 : 0 };
	sip_access_happens(a, status == 408 ? ACCESS_EV_SILENT : sip_access_lost_event(a));
}

static const struct sip_ask_ops ask_ops = {
	.build = build, .challenged = on_challenged, .response = on_response, .over = on_over
};

static void on_no_memory(void *arg)
{
	struct sip_access *a = arg;

	a->now = (struct sip_access_event){ .status = 500 };
	sip_access_happens(a, ACCESS_EV_REFUSED);
}

void sip_access_send(struct sip_access *a)
{
	if (sip_ask_by(&a->ask, a->ua, &ask_ops, a, sip_draft_next_hop(&a->draft), a->flow)) {
		a->ask = NULL;
		sip_ua_timer(a->ua, &a->timer, 0, on_no_memory, a);
	}
}
