/* SPDX-License-Identifier: Apache-2.0 */
/* Calls without keys: a description is a file's, or has no media, and nothing is done with the
 * peer's but refusing its streams. For who tests what is between two user agents. */
#include <stdlib.h>

#include "ue/call_private.h"

#define SDP     "application/sdp"
#define SDP_MAX 65536

bool ue_plain_fits(struct base_str offer)
{
	return !offer.len || !memmem(offer.ptr, offer.len, "a=key-mgmt:", 11);
}

/* ---- our description ---- */

static int from_file(struct ue_call *call, const char *path, struct base_error *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = config_file_read(path, SDP_MAX, &text, &len, err);

	if (!rc)
		base_writer_put(&call->sdp, text, len);
	free(text);
	return rc;
}

/** As many streams as the offer has, all refused (RFC 3264, 6); without an offer there are none. */
static void without_media(struct ue_call *call, struct base_str offer)
{
	const char *address = call->app->config.address;
	char family = strchr(address, ':') ? '6' : '4';
	struct base_arena arena = { .chunk_size = 1024 };
	struct sip_sdp sdp = { 0 };

	base_writer_printf(&call->sdp,
	                   "v=0\r\no=- %u 1 IN IP%c %s\r\ns=-\r\nc=IN IP%c %s\r\nt=0 0\r\n",
	                   call->app->calls_made, family, address, family, address);
	if (offer.len && !sip_sdp_parse(&sdp, &arena, offer, NULL))
		for (size_t i = 0; i < sdp.media_count; i++)
			base_writer_printf(
			        &call->sdp, "m=%.*s 0 %.*s %.*s\r\n", BASE_FMT(sdp.media[i].type),
			        BASE_FMT(sdp.media[i].proto), BASE_FMT(sdp.media[i].formats));
	base_arena_done(&arena);
}

static int describe(struct ue_call *call, const char *path, struct base_str offer,
                    struct base_error *err)
{
	int rc = 0;

	base_writer_reset(&call->sdp);
	if (path)
		rc = from_file(call, path, err);
	else
		without_media(call, offer);
	if (!rc && call->sdp.failed)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	return rc;
}

static struct sip_content content(const struct ue_call *call)
{
	return (struct sip_content){ .type = SDP, .body = base_writer_view(&call->sdp) };
}

static void fail(struct ue_call *call, const struct base_error *err)
{
	ue_call_tell(call, "call.failed", 500, err->text);
	call->ending = true;
	sip_call_end(call->sip, 500, NULL);
}

/* ---- commands ---- */

int ue_plain_start(struct ue_call *call, const struct ue_call_wish *wish, struct base_error *err)
{
	const char *path = strcmp(wish->sdp, "none") == 0 ? NULL : wish->sdp;
	struct sip_content offer;
	int rc;

	call->plain = true;
	(void)snprintf(call->peer, sizeof(call->peer), "%s", wish->target);
	rc = call->target ? describe(call, path, (struct base_str){ 0 }, err)
	                  : base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	if (rc)
		return rc;
	offer = content(call);
	return ue_call_invite(call, &offer, err);
}

int ue_plain_answer(struct ue_call *call, struct base_error *err)
{
	struct sip_content answer = content(call);
	int rc = sip_call_accept(call->sip, &answer);

	return rc ? base_error_set(err, rc, "the answer cannot be sent") : 0;
}

int ue_plain_renew(struct ue_call *call, struct base_error *err)
{
	struct sip_content offer = content(call);
	int rc = call->up ? sip_call_offer(call->sip, &offer) : BASE_ERR(BASE_CONFIG, 0);

	return rc ? base_error_set(err, rc, "the call is not up, or there is an offer already") : 0;
}

/* ---- what SIP says ---- */

/** An offer of the peer's, or a call for one. */
static void take(struct ue_call *call, const struct sip_call_event *event)
{
	struct base_error err = { 0 };
	int rc = describe(call, call->app->config.sdp, event->body, &err);

	if (!rc && call->taken)
		rc = ue_plain_answer(call, &err);
	if (rc)
		fail(call, &err);
}

void ue_plain_incoming(struct ue_call *call, const struct sip_call_event *event)
{
	call->plain = true;
	(void)snprintf(call->peer, sizeof(call->peer), "%.*s", BASE_FMT(event->msg->from.uri));
	ue_call_tell(call, "call.incoming", 0, NULL);
	if (call->app->config.answer == UE_ANSWER_BUSY) {
		sip_call_end(call->sip, 486, NULL);
		return;
	}
	(void)sip_call_progress(call->sip, 180, NULL); /* the call goes on without it */
	take(call, event);
}

void ue_plain_event(struct ue_call *call, const struct sip_call_event *event)
{
	switch (event->what) {
	case SIP_CALL_PROGRESS:
		ue_call_tell(call, "call.progress", event->status, NULL);
		break;
	case SIP_CALL_ASKED:
	case SIP_CALL_OFFERED:
		ue_call_tell(call, "call.offered", 0, NULL);
		take(call, event);
		break;
	case SIP_CALL_DECLINED:
		ue_call_tell(call, "call.declined", event->status, NULL);
		break;
	case SIP_CALL_OVER:
		ue_call_over(call, event);
		break;
	case SIP_CALL_AGREED:
		ue_call_tell(call, "call.agreed", event->status, NULL);
		break;
	default: /* answered, confirmed */
		ue_call_up(call);
		break;
	}
}
