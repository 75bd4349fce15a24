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

static void add(struct check_report *r, struct check_verdict v, const struct check_probe *probe,
                const char *text)
{
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
