/* SPDX-License-Identifier: Apache-2.0 */
#include "check/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "check/wire.h"

enum { EVIDENCE = 96, SENT = 600 };

const char *check_state_name(enum check_state state)
{
	static const char *const names[] = {
		[CHECK_PASS] = "pass",
		[CHECK_FAIL] = "FAIL",
		[CHECK_WARN] = "warn",
		[CHECK_NOTED] = "note",
		[CHECK_NOT_TESTABLE] = "not testable",
		[CHECK_UNTESTED] = "not tested",
		[CHECK_OVERRULED] = "overruled",
	};

	return names[state];
}

static const char *hex(struct base_arena *arena, const struct base_writer *w, size_t most)
{
	size_t len = BASE_MIN(w->len, most), size = 3 * len + sizeof("... (1234567 octets)");
	char *text = base_arena_alloc(arena, size);

	if (!text || !len)
		return "";
	base_hex_encode(w->data, len, ' ', false, text);
	if (len < w->len)
		(void)snprintf(text + strlen(text), size - strlen(text), " ... (%zu octets)",
		               w->len);
	return text;
}

static bool room_make(struct check_report *r)
{
	struct check_verdict *more;
	size_t room = r->room ? r->room * 2 : 64;

	if (r->count < r->room)
		return true;
	more = realloc(r->verdict, room * sizeof(*more));
	if (!more) {
		r->failed = true;
		return false;
	}
	r->verdict = more;
	r->room = room;
	return true;
}

/** Octets of one sign of UTF-8 that a terminal, JSON and XML may have (RFC 3629, 4); 0 = none. */
static size_t sign_len(const uint8_t *at)
{
	static const uint32_t least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };
	size_t len = *at < 0x80       ? 1
	             : *at >> 5 == 6  ? 2
	             : *at >> 4 == 14 ? 3
	             : *at >> 3 == 30 ? 4
	                              : 0;
	uint32_t code = len > 1 ? *at & (0x7fU >> len) : *at;

	for (size_t i = 1; i < len; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return code < least[len] || code == 0x7f || (code >= 0xd800 && code < 0xe000) ||
	                       (code | 1) == 0xffff || code > 0x10ffff
	               ? 0
	               : len;
}

/** Names of peers come as they are, or cut short: what is no sign becomes a question mark. */
static void make_harmless(char *text)
{
	size_t len;

	for (; *text; text += len ? len : 1) {
		len = sign_len((const uint8_t *)text);
		if (!len)
			*text = '?';
	}
}

static void add(struct check_report *r, struct check_verdict v, const struct check_probe *probe,
                char *text)
{
	make_harmless(text);
	v.text = base_arena_dup(&r->arena, base_str_of(text));
	v.sent = probe ? hex(&r->arena, &probe->sent, SENT) : "";
	v.seen = probe ? hex(&r->arena, &probe->seen, EVIDENCE) : "";
	if (!v.text || !room_make(r)) {
		r->failed = true;
		return;
	}
	r->verdict[r->count++] = v;
	r->tally[v.state]++;
}

void check_report_add(struct check_report *r, const struct profile_rule *rule,
                      enum check_state state, const struct check_probe *probe, const char *fmt, ...)
{
	char text[700];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* what is longer is cut short */
	va_end(args);
	add(r, (struct check_verdict){ .rule = rule, .topic = rule->id, .state = state }, probe,
	    text);
}

void check_report_note(struct check_report *r, const char *topic, enum check_state state,
                       const struct check_probe *probe, const char *fmt, ...)
{
	char text[700];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* what is longer is cut short */
	va_end(args);
	add(r, (struct check_verdict){ .topic = topic, .state = state }, probe, text);
}

void check_report_done(struct check_report *r)
{
	free(r->verdict);
	base_arena_done(&r->arena);
	*r = (struct check_report){ .profile = NULL };
}
