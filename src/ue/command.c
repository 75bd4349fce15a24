/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ue/call.h"

static int wrong(struct base_error *err, const char *what)
{
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", what);
}

/** Words from `from` on with blanks between, in the caller's storage. */
static const char *rest(const struct ue_words *words, size_t from, struct base_writer *w)
{
	for (size_t i = from; i < words->count; i++)
		base_writer_printf(w, "%s%s", i > from ? " " : "", words->word[i]);
	return base_writer_cstr(w);
}

/* ---- chat ---- */

static struct ue_chat *chat_of(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	const struct ue_media *media = ue_app_media(app, ue_words_take(words, "on"), UE_MSRP);
	struct ue_chat *chat = media ? ue_media_chat(media) : NULL;

	if (!chat)
		(void)wrong(err, "there is no such MSRP session, or it has ended");
	return chat;
}

static int do_say(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	const char *to = ue_words_take(words, "to");
	struct ue_chat *chat = chat_of(app, words, err);
	struct base_writer w = { 0 };
	int rc;

	if (!chat)
		return BASE_ERR(BASE_CONFIG, 0);
	rc = ue_chat_say(chat, to, rest(words, 1, &w), err);
	base_writer_done(&w);
	return rc;
}

static int do_tell(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_chat *chat = chat_of(app, words, err);
	struct base_writer w = { 0 };
	int rc;

	if (!chat)
		return BASE_ERR(BASE_CONFIG, 0);
	if (words->count < 3)
		return wrong(err, "expected: tell URI TEXT");
	rc = ue_chat_say(chat, words->word[1], rest(words, 2, &w), err);
	base_writer_done(&w);
	return rc;
}

static int do_send(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	const char *to = ue_words_take(words, "to"), *type = ue_words_take(words, "type");
	struct ue_chat *chat = chat_of(app, words, err);

	if (!chat)
		return BASE_ERR(BASE_CONFIG, 0);
	if (words->count != 2)
		return wrong(err, "expected: send FILE [to=URI] [type=TYPE]");
	return ue_chat_file(chat, to, words->word[1], type, err);
}

static int do_nick(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_chat *chat = chat_of(app, words, err);
	struct base_writer w = { 0 };
	int rc;

	if (!chat)
		return BASE_ERR(BASE_CONFIG, 0);
	if (strpbrk(rest(words, 1, &w), "\r\n")) {
		base_writer_done(&w);
		return wrong(err, "a nickname has no line breaks");
	}
	rc = ue_chat_nickname(chat, base_writer_cstr(&w), loop_now_ms(app->loop));
	base_writer_done(&w);
	return rc ? wrong(err, "too much waits for the peer") : 0;
}

/* ---- floors ---- */

static const char floor_usage[] =
        "expected: floor request FLOORS [priority=0..4] [reason=TEXT] [for=USER] | release "
        "[REQUEST] | query FLOORS | user [USER] | accept|grant|deny|revoke REQUEST FLOOR";

static int number(const char *text, uint16_t *ret)
{
	uint64_t value;

	if (base_str_u64(base_str_of(text), UINT16_MAX, &value))
		return BASE_ERR(BASE_CONFIG, 0);
	*ret = (uint16_t)value;
	return 0;
}

static int floor_request(struct ue_floor *floor, struct ue_words *words, uint64_t now_ms)
{
	const char *priority = ue_words_take(words, "priority"), *who = ue_words_take(words, "for");
	uint16_t floors[BFCP_FLOORS_MAX], value = 0;
	struct bfcp_wish wish = { .floor = floors,
		                  .reason = base_str_of(ue_words_take(words, "reason")),
		                  .has_priority = priority != NULL };

	if (words->count != 3 ||
	    ue_numbers(words->word[2], floors, BASE_COUNT(floors), &wish.floors) ||
	    (priority && (number(priority, &value) || value > BFCP_HIGHEST)) ||
	    (who && number(who, &wish.beneficiary)))
		return BASE_ERR(BASE_CONFIG, 0);
	wish.priority = (uint8_t)value;
	return ue_floor_request(floor, &wish, now_ms);
}

/** What a chair says, by its word. */
static const struct {
	const char *word;
	enum bfcp_status status;
} decisions[] = {
	{ "accept", BFCP_ACCEPTED },
	{ "grant", BFCP_GRANTED },
	{ "deny", BFCP_DENIED },
	{ "revoke", BFCP_REVOKED },
};

static int floor_decide(struct ue_floor *floor, const struct ue_words *words, uint64_t now_ms)
{
	uint16_t request, which;

	for (size_t i = 0; i < BASE_COUNT(decisions); i++)
		if (strcmp(words->word[1], decisions[i].word) == 0 && words->count == 4 &&
		    !number(words->word[2], &request) && !number(words->word[3], &which))
			return ue_floor_decide(floor, request, which, decisions[i].status, now_ms);
	return BASE_ERR(BASE_CONFIG, 0);
}

static int floor_do(struct ue_floor *floor, struct ue_words *words, uint64_t now_ms)
{
	const char *what = words->word[1];
	uint16_t floors[BFCP_FLOORS_MAX], value = 0;
	size_t count;

	if (strcmp(what, "request") == 0)
		return floor_request(floor, words, now_ms);
	if (strcmp(what, "query") == 0)
		return words->count != 3 || ue_numbers(words->word[2], floors, BASE_COUNT(floors),
		                                       &count)
		               ? BASE_ERR(BASE_CONFIG, 0)
		               : ue_floor_query(floor, floors, count, now_ms);
	if (words->count > 3 || (words->count == 3 && number(words->word[2], &value)))
		return floor_decide(floor, words, now_ms);
	if (strcmp(what, "release") == 0)
		return ue_floor_release(floor, value, now_ms);
	if (strcmp(what, "user") == 0)
		return ue_floor_user(floor, value, now_ms);
	return BASE_ERR(BASE_CONFIG, 0);
}

static int do_floor(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	const struct ue_media *media = ue_app_media(app, ue_words_take(words, "on"), UE_BFCP);
	struct ue_floor *floor = media ? ue_media_floor(media) : NULL;
	int rc;

	if (!floor)
		return wrong(err, "there is no such BFCP session, or it has ended");
	if (words->count < 2)
		return wrong(err, floor_usage);
	rc = floor_do(floor, words, loop_now_ms(app->loop));
	return rc ? wrong(err, floor_usage) : 0;
}

/* ---- calls ---- */

static int setup_read(const char *word, enum offer_setup *ret)
{
	static const struct {
		const char *word;
		enum offer_setup setup;
	} rows[] = { { "actpass", OFFER_ACTPASS },
		     { "active", OFFER_ACTIVE },
		     { "passive", OFFER_PASSIVE } };

	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (!word || strcmp(word, rows[i].word) == 0) {
			*ret = rows[i].setup;
			return 0;
		}
	return BASE_ERR(BASE_CONFIG, 0);
}

static int no_sip(struct base_error *err)
{
	return wrong(err, "there is no SIP; set 'sip' in the configuration");
}

/** What a peer has said may be the word, so nothing in it may end a header (RFC 3261, 25.1). */
static int no_uri(struct base_error *err)
{
	return wrong(err, "expected a sip, sips or tel URI (RFC 3261, 19.1; RFC 3966)");
}

static int do_call(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_call_wish wish = { .name = ue_words_take(words, "as"),
		                     .route = ue_words_take(words, "route"),
		                     .sdp = ue_words_take(words, "sdp") };
	bool good = setup_read(ue_words_take(words, "setup"), &wish.setup) == 0 && words->count > 1;

	for (size_t i = 2; i < words->count; i++) {
		wish.msrp |= strcmp(words->word[i], "msrp") == 0;
		wish.bfcp |= strcmp(words->word[i], "bfcp") == 0;
		good = good && (!strcmp(words->word[i], "msrp") || !strcmp(words->word[i], "bfcp"));
	}
	if (!good || (wish.sdp && words->count != 2) ||
	    (wish.name && (!wish.name[0] || strlen(wish.name) > 20)))
		return wrong(err, "expected: call URI [msrp] [bfcp] [setup=actpass|active|passive] "
		                  "[route=URI] [as=NAME], or call URI sdp=FILE|none [route=URI] "
		                  "[as=NAME], NAME of at most 20 octets");
	if (!app->sip)
		return no_sip(err);
	if (wish.name && ue_call_find(app, wish.name))
		return wrong(err, "there is a call of this name already");
	if (!ue_words_uri(words->word[1]) || (wish.route && !ue_words_uri(wish.route)))
		return no_uri(err);
	wish.target = words->word[1];
	return ue_call_start(app, &wish, err);
}

static struct ue_call *call_of(struct ue_app *app, const struct ue_words *words,
                               struct base_error *err)
{
	struct ue_call *call = ue_call_find(app, words->count > 1 ? words->word[1] : NULL);

	if (!call)
		(void)wrong(err, "there is no such call");
	return call;
}

static int do_answer(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_call *call = call_of(app, words, err);

	return call ? ue_call_answer(call, err) : BASE_ERR(BASE_CONFIG, 0);
}

static int do_renew(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_call *call = call_of(app, words, err);

	return call ? ue_call_renew(call, err) : BASE_ERR(BASE_CONFIG, 0);
}

static int do_bye(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	const char *text = ue_words_take(words, "status");
	struct ue_call *call = call_of(app, words, err);
	uint64_t status = 0;

	if (!call)
		return BASE_ERR(BASE_CONFIG, 0);
	if (text && (base_str_u64(base_str_of(text), 699, &status) || status < 300))
		return wrong(err, "expected status=300 to 699");
	ue_call_end(call, (unsigned)status);
	return 0;
}

/* ---- the registration ---- */

static struct ue_access *access_of(const struct ue_app *app, struct base_error *err)
{
	struct ue_access *access = app->sip ? ue_sip_access(app->sip) : NULL;

	if (!access)
		(void)wrong(err, "there is no registration over a connection of its own; set "
		                 "'sip.outbound' in the configuration");
	return access;
}

static int do_register(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_access *access = access_of(app, err);

	(void)words;
	return access ? ue_access_begin(access, err) : BASE_ERR(BASE_CONFIG, 0);
}

static int do_unregister(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_access *access = access_of(app, err);

	(void)words;
	if (!access)
		return BASE_ERR(BASE_CONFIG, 0);
	ue_access_stop(access);
	return 0;
}

static int do_renegotiate(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_access *access = access_of(app, err);

	(void)words;
	return access ? ue_access_renegotiate(access, err) : BASE_ERR(BASE_CONFIG, 0);
}

static int do_cut(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_access *access = access_of(app, err);

	(void)words;
	return access ? ue_access_cut(access, err) : BASE_ERR(BASE_CONFIG, 0);
}

static int do_message(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct base_writer w = { 0 };
	int rc;

	if (!app->sip)
		return no_sip(err);
	if (words->count < 3)
		return wrong(err, "expected: message URI TEXT");
	if (!ue_words_uri(words->word[1]))
		return no_uri(err);
	rc = ue_sip_message(app->sip, words->word[1], rest(words, 2, &w), err);
	base_writer_done(&w);
	return rc;
}

/* ---- the rest ---- */

static int do_close(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct ue_media *media = NULL;

	if (words->count == 2)
		for (int kind = UE_MSRP; kind <= UE_BFCP && !media; kind++)
			media = ue_app_media(app, words->word[1], (enum ue_media_kind)kind);
	if (!media)
		return wrong(err, "expected: close NAME, of a session that there is");
	ue_media_end(media);
	return 0;
}

static int do_set(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	if (words->count != 3)
		return wrong(err, "expected: set NAME VALUE");
	return ue_events_set(&app->events, words->word[1], base_str_of(words->word[2]))
	               ? wrong(err, "out of memory")
	               : 0;
}

static int do_same(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	(void)app;
	if (words->count != 3)
		return wrong(err, "expected: same WORD WORD");
	if (strcmp(words->word[1], words->word[2]) != 0)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "'%s' is not '%s'",
		                      words->word[1], words->word[2]);
	return 0;
}

static int do_echo(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct base_writer w = { 0 };

	(void)err;
	UE_TELL(&app->events, "echo", { "text", base_str_of(rest(words, 1, &w)) });
	base_writer_done(&w);
	return 0;
}

static int do_help(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	(void)words;
	(void)err;
	if (app->events.to)
		ue_command_list(app->events.to);
	return 0;
}

static const struct {
	const char *word;
	int (*run)(struct ue_app *app, struct ue_words *words, struct base_error *err);
	const char *help; /* what follows the word, two blanks, what it does */
} commands[] = {
	{ "call", do_call,
	  "URI [msrp] [bfcp] [setup=actpass|active|passive] [route=URI] [as=NAME]\n"
	  "        URI sdp=FILE|none [route=URI] [as=NAME]\n"
	  "          call somebody; with sdp without keys" },
	{ "answer", do_answer, "[NAME]  take a call" },
	{ "renew", do_renew, "[NAME]  offer anew: other connections and keys" },
	{ "bye", do_bye, "[NAME] [status=CODE]  hang up, or refuse" },
	{ "register", do_register, " register, or refresh it, over a connection of its own" },
	{ "unregister", do_unregister, " take it back, close the connection" },
	{ "renegotiate", do_renegotiate, " on that connection; in TLS 1.3 a KeyUpdate" },
	{ "cut", do_cut, " drop it, as if it had been lost" },
	{ "message", do_message, "URI TEXT  by SIP alone (RFC 3428)" },
	{ "say", do_say, "TEXT [to=URI]  to the peer, or to all in the room" },
	{ "tell", do_tell, "URI TEXT  to one in the room, in private" },
	{ "send", do_send, "FILE [to=URI] [type=TYPE]  a file" },
	{ "nick", do_nick, "[NAME]  reserve a nickname; without a name give it back" },
	{ "floor", do_floor,
	  "request FLOORS [priority=0..4] [reason=TEXT] [for=USER]\n"
	  "        release [REQUEST] | query FLOORS | user [USER]\n"
	  "        accept|grant|deny|revoke REQUEST FLOOR  as its chair" },
	{ "open", ue_open,
	  "msrp connect=ADDRESS:PORT|listen=ADDRESS:PORT own=URI peer=PATH [room=URI]\n"
	  "        bfcp connect=...|listen=... conference=N user=N [serve=FLOORS [chair=N]]\n"
	  "        both: [as=NAME] [psk-identity=WORD psk-file=FILE] [tls=client|server]\n"
	  "        a session without SIP" },
	{ "close", do_close, "NAME  end a session" },
	{ "set", do_set, "NAME VALUE  $NAME stands for it from now on" },
	{ "same", do_same, "WORD WORD  fail when they differ" },
	{ "echo", do_echo, "TEXT  tell it as an event" },
	{ "help", do_help, " this list" },
};

void ue_command_list(FILE *to)
{
	for (size_t i = 0; i < BASE_COUNT(commands); i++)
		fprintf(to, "  %-11s %s\n", commands[i].word, commands[i].help);
	fputs("  expect EVENT [key=pattern ...] [within DURATION]  wait until it has happened\n"
	      "  refuse EVENT [key=pattern ...]  fail when it has happened\n"
	      "  quit  release everything, end\n"
	      "  on=NAME chooses a session where there are several.\n",
	      to);
}

int ue_command(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct config_guess guess = { .word = base_str_of(words->word[0]) };
	struct base_writer w = { 0 };
	int rc;

	for (size_t i = 0; i < BASE_COUNT(commands); i++) {
		if (strcmp(words->word[0], commands[i].word) == 0)
			return commands[i].run(app, words, err);
		config_guess_offer(&guess, commands[i].word);
	}
	base_writer_printf(&w, "no command is called '%s'", words->word[0]);
	config_guess_print(&guess, &w);
	rc = wrong(err, base_writer_cstr(&w));
	base_writer_done(&w);
	return rc;
}
