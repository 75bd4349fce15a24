/* SPDX-License-Identifier: Apache-2.0 */
/* A message comes in: a text is told, anything else becomes a file. */
#include <stdlib.h>

#include "ue/chat_private.h"

#define TYPE_MAX 256

struct coming {
	struct ue_parcel *parcel;
	char type[TYPE_MAX];
};

unsigned ue_chat_on_begin(void *arg, struct msrp_incoming *in)
{
	const struct ue_chat *chat = arg;
	struct coming *c = calloc(1, sizeof(*c));

	if (!c || ue_parcel_new(&c->parcel, chat->spec.inbox)) {
		free(c);
		return MSRP_STOP;
	}
	(void)snprintf(c->type, sizeof(c->type), "%.*s", BASE_FMT(in->content_type));
	in->arg = c;
	return 0;
}

unsigned ue_chat_on_piece(void *arg, struct msrp_incoming *in, uint64_t at, struct base_str data)
{
	const struct coming *c = in->arg;

	(void)arg;
	return ue_parcel_put(c->parcel, at, data) ? MSRP_STOP : 0;
}

/** What a message is, out of its wrapper, if it has one. */
struct content {
	struct base_str from, to, type;
	uint64_t at; /* where it begins */
};

static bool is_type(struct base_str type, struct base_str wanted)
{
	const char *end = type.len ? memchr(type.ptr, ';', type.len) : NULL;

	if (end)
		type.len = (size_t)(end - type.ptr);
	return base_str_ieq(base_str_trim(type), wanted);
}

static bool open_wrapper(const struct coming *c, struct content *ret)
{
	struct msrp_cpim cpim;

	*ret = (struct content){ .type = base_str_of(c->type) };
	if (!is_type(ret->type, BASE_STR("message/cpim")))
		return true;
	if (msrp_cpim_parse(ue_parcel_head(c->parcel), &cpim) != 0)
		return false;
	*ret = (struct content){ cpim.from, cpim.to, cpim.content_type, cpim.len };
	return true;
}

/** The value of a type's parameter `name`; escapes in quotes are left to the caller, whose names
 * have none. */
static struct base_str file_name(struct base_str type)
{
	static const char key[] = "name=";

	for (size_t i = 0; i + sizeof(key) - 1 < type.len; i++) {
		struct base_str rest = { type.ptr + i + sizeof(key) - 1,
			                 type.len - i - (sizeof(key) - 1) };
		bool begins = i && strchr("; \t", type.ptr[i - 1]);
		const char *end;

		if (!begins || !base_str_ieq((struct base_str){ type.ptr + i, sizeof(key) - 1 },
		                             BASE_STR(key)))
			continue;
		if (rest.ptr[0] == '"')
			rest = (struct base_str){ rest.ptr + 1, rest.len - 1 };
		end = memchr(rest.ptr, rest.ptr[-1] == '"' ? '"' : ';', rest.len);
		if (end)
			rest.len = (size_t)(end - rest.ptr);
		return rest;
	}
	return (struct base_str){ 0 };
}

static void tell_broken(struct ue_chat *chat, const struct msrp_incoming *in, const char *why)
{
	UE_TELL(chat->spec.events, "chat.broken", { "session", base_str_of(chat->spec.session) },
	        { "id", in->id }, { "why", base_str_of(why) });
}

static void tell_file(struct ue_chat *chat, const struct msrp_incoming *in, const struct coming *c,
                      const struct content *content)
{
	char path[4096], sha256[UE_SHA256_TEXT];
	struct base_str name = file_name(content->type);
	struct base_error err = { 0 };
	struct ue_number n;

	if (ue_parcel_keep(c->parcel, content->at, name, path, sizeof(path), sha256, &err)) {
		tell_broken(chat, in, err.text);
		return;
	}
	UE_TELL(chat->spec.events, "chat.file", { "session", base_str_of(chat->spec.session) },
	        { "from", content->from }, { "to", content->to }, { "type", content->type },
	        { "name", name }, { "octets", ue_number(&n, in->total - content->at) },
	        { "sha256", base_str_of(sha256) }, { "path", base_str_of(path) });
}

static void tell(struct ue_chat *chat, const struct msrp_incoming *in, const struct coming *c)
{
	struct base_str head = ue_parcel_head(c->parcel), text;
	struct content content;

	if (!open_wrapper(c, &content) || content.at > in->total) {
		tell_broken(chat, in, "its wrapper message/cpim cannot be read (RFC 3862)");
		return;
	}
	if (!is_type(content.type, BASE_STR("text/plain")) || file_name(content.type).ptr ||
	    in->total - content.at > UE_CHAT_TEXT_MAX) {
		tell_file(chat, in, c, &content);
		return;
	}
	text = BASE_STR("");
	if (head.len > content.at)
		text = (struct base_str){ head.ptr + content.at, head.len - (size_t)content.at };
	UE_TELL(chat->spec.events, "chat.text", { "session", base_str_of(chat->spec.session) },
	        { "from", content.from }, { "to", content.to }, { "text", text });
}

void ue_chat_on_end(void *arg, struct msrp_incoming *in, bool whole)
{
	struct ue_chat *chat = arg;
	struct coming *c = in->arg;

	if (!c)
		return;
	if (!whole)
		tell_broken(chat, in, "the sender has given it up, or we could not take it");
	else if (!in->again)
		tell(chat, in, c);
	ue_parcel_free(c->parcel);
	free(c);
	in->arg = NULL;
}
