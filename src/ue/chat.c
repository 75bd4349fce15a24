/* SPDX-License-Identifier: Apache-2.0 */
/* What a user says: RFC 4975, 7.1; RFC 7701, 6 and 7. */
#include <stdlib.h>
#include <time.h>

#include "ue/chat_private.h"

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)

static void on_wake(void *arg)
{
	const struct ue_chat *chat = arg;

	chat->spec.wake(chat->spec.arg);
}

static void on_told(void *arg, struct base_str id, const struct msrp_range *range, unsigned status)
{
	struct ue_chat *chat = arg;
	struct ue_number code, end;

	UE_TELL(chat->spec.events, "chat.report", { "session", base_str_of(chat->spec.session) },
	        { "id", id }, { "status", ue_number(&code, status) },
	        { "upto",
	          range->end_known ? ue_number(&end, range->end) : (struct base_str){ 0 } });
}

static void on_nickname(void *arg, unsigned status)
{
	struct ue_chat *chat = arg;
	struct ue_number code;

	UE_TELL(chat->spec.events, "chat.nickname", { "session", base_str_of(chat->spec.session) },
	        { "nickname", base_str_of(chat->nickname) },
	        { "status", ue_number(&code, status) });
}

static const struct msrp_client_ops client_ops = {
	.wake = on_wake,
	.begin = ue_chat_on_begin,
	.piece = ue_chat_on_piece,
	.end = ue_chat_on_end,
	.told = on_told,
	.nickname = on_nickname,
};

int ue_chat_new(struct ue_chat **ret, const struct ue_chat_spec *spec, struct base_error *err)
{
	struct ue_chat *chat = calloc(1, sizeof(*chat));
	struct msrp_client_spec client = {
		.own = spec->own, .peer = spec->peer, .ops = &client_ops, .arg = chat
	};
	int rc;

	if (!chat)
		return base_error_set(err, NO_MEMORY, "out of memory");
	chat->spec = *spec;
	chat->spec.own = chat->spec.peer = (struct base_str){ 0 };
	chat->spec.room = spec->room ? strdup(spec->room) : NULL;
	base_list_init(&chat->files);
	rc = msrp_client_new(&chat->client, &client, err);
	if (rc || (spec->room && !chat->spec.room)) {
		ue_chat_free(chat);
		return rc ? rc : base_error_set(err, NO_MEMORY, "out of memory");
	}
	*ret = chat;
	return 0;
}

void ue_chat_free(struct ue_chat *chat)
{
	if (!chat)
		return;
	ue_chat_files_drop(chat);
	msrp_client_free(chat->client);
	free((char *)chat->spec.room);
	free(chat);
}

int ue_chat_hello(struct ue_chat *chat)
{
	return msrp_client_hello(chat->client);
}

/** The time as RFC 3339 has it (RFC 3862, 4.3). */
static void time_text(char out[32])
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		out[0] = '\0';
}

int ue_chat_wrap(const struct ue_chat *chat, const char *to, const char *type,
                 struct base_writer *w, struct base_error *err)
{
	char when[32];
	struct msrp_cpim cpim = { .from = base_str_of(chat->spec.self),
		                  .to = base_str_of(to ? to : chat->spec.room),
		                  .date_time = { when, 0 },
		                  .content_type = base_str_of(type) };

	if (to && strpbrk(to, "<>\r\n"))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "'%s' is no URI", to);
	if (!chat->spec.room)
		return to ? base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                           "this session is with one peer, who gets all; private "
		                           "messages are a room's (RFC 7701, 6.2)")
		          : 0;
	time_text(when);
	cpim.date_time.len = strlen(when);
	msrp_cpim_write(w, &cpim);
	return w->failed ? base_error_set(err, NO_MEMORY, "out of memory") : 0;
}

struct base_str ue_chat_type(const struct ue_chat *chat, const char *type)
{
	return chat->spec.room ? BASE_STR("message/cpim") : base_str_of(type);
}

void ue_chat_sent(struct ue_chat *chat, const char *id, const char *to, uint64_t octets,
                  const char *name, const char *sha256)
{
	struct ue_number n;

	UE_TELL(chat->spec.events, "chat.sent", { "session", base_str_of(chat->spec.session) },
	        { "id", base_str_of(id) }, { "to", base_str_of(to) },
	        { "octets", ue_number(&n, octets) }, { "name", base_str_of(name) },
	        { "sha256", base_str_of(sha256) });
}

static int say(struct ue_chat *chat, struct base_str body, char id[17])
{
	struct msrp_upload_spec spec = { .content_type = ue_chat_type(chat, "text/plain"),
		                         .total_known = true,
		                         .total = body.len,
		                         .success = true };
	struct msrp_upload *upload;
	int rc = msrp_upload_new(chat->client, &spec, id, &upload);

	if (rc)
		return rc;
	rc = msrp_upload_put(upload, body);
	msrp_upload_end(upload, rc ? '#' : '$');
	return rc;
}

int ue_chat_say(struct ue_chat *chat, const char *to, const char *text, struct base_error *err)
{
	struct base_writer w = { 0 };
	char id[17];
	int rc = ue_chat_wrap(chat, to, "text/plain", &w, err);

	if (!rc) {
		base_writer_text(&w, text);
		rc = w.failed ? NO_MEMORY : say(chat, base_writer_view(&w), id);
		if (rc)
			(void)base_error_set(err, rc, "out of memory");
	}
	base_writer_done(&w);
	if (!rc)
		ue_chat_sent(chat, id, to, strlen(text), NULL, NULL);
	return rc;
}

int ue_chat_nickname(struct ue_chat *chat, const char *nickname, uint64_t now_ms)
{
	(void)snprintf(chat->nickname, sizeof(chat->nickname), "%s", nickname);
	return msrp_client_nickname(chat->client, base_str_of(nickname), now_ms);
}

bool ue_chat_busy(const struct ue_chat *chat)
{
	return !base_list_empty(&chat->files);
}

int ue_chat_input(struct ue_chat *chat, struct base_str *in, uint64_t now_ms,
                  struct base_error *err)
{
	return msrp_client_input(chat->client, in, now_ms, err);
}

size_t ue_chat_take(struct ue_chat *chat, void *buf, size_t cap, uint64_t now_ms)
{
	ue_chat_pump(chat);
	return msrp_client_take(chat->client, buf, cap, now_ms);
}

void ue_chat_tick(struct ue_chat *chat, uint64_t now_ms)
{
	msrp_client_tick(chat->client, now_ms);
}

uint64_t ue_chat_due(const struct ue_chat *chat)
{
	return msrp_client_due(chat->client);
}
