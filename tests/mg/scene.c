/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

struct stage st;

static void flatten(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		char c = *from == '\r' || *from == '\n' ? ' ' : *from;

		if (c == ' ' && to > text && (to[-1] == ' ' || to[-1] == '{'))
			continue;
		*to++ = c;
	}
	*to = '\0';
}

static void right(const char *actions)
{
	char why[256];

	flatten(st.reply);
	if (!mg_check(st.mg, why, sizeof(why)))
		fail_msg("after %s: %s", actions, why);
}

void scene_start(void)
{
	st.settings = (struct mg_settings){ 0 };
	stage_start(&st);
}

void scene_end(void)
{
	size_t left = 0;

	stage_send(&st, "C=*{S=*{AT{}}}");
	right("the end");
	assert_int_equal(st.contexts, 0);
	stage_stop(&st);
	for (size_t i = 0; i < STAGE_ENDPOINTS; i++)
		left += st.endpoint[i].fn && !st.endpoint[i].removed;
	assert_int_equal(left, 0);
}

void says(const char *actions, const char *reply)
{
	stage_send(&st, actions);
	right(actions);
	if (strcmp(st.reply, reply) != 0)
		fail_msg("%s\nwas answered:  %s\ninstead of:    %s", actions, st.reply, reply);
}

void accepted_v(unsigned version, const char *actions)
{
	stage_send_v(&st, version, actions);
	right(actions);
	if (strstr(st.reply, "ER=") || strstr(st.reply, "failed"))
		fail_msg("%s\nwas answered: %s", actions, st.reply);
}

void accepted(const char *actions)
{
	accepted_v(2, actions);
}

void refused_v(unsigned version, const char *actions, unsigned code, const char *words)
{
	char want[16];

	stage_send_v(&st, version, actions);
	right(actions);
	snprintf(want, sizeof(want), "ER=%u{", code);
	if (!strstr(st.reply, want) || !strstr(st.reply, words))
		fail_msg("%s\nwas answered: %s\nand not with: %u %s", actions, st.reply, code,
		         words);
}

void refused(const char *actions, unsigned code, const char *words)
{
	refused_v(2, actions, code, words);
}

void contains(const char *part)
{
	if (!strstr(st.reply, part))
		fail_msg("no %s in:\n%s", part, st.reply);
}

void lacks(const char *part)
{
	if (strstr(st.reply, part))
		fail_msg("%s in:\n%s", part, st.reply);
}

void ordered(const char *orders)
{
	flatten(st.orders);
	if (st.orders[0] && st.orders[strlen(st.orders) - 1] == ' ')
		st.orders[strlen(st.orders) - 1] = '\0';
	if (strcmp(st.orders, orders) != 0)
		fail_msg("the bearer was told: %s\ninstead of:          %s", st.orders, orders);
	st.orders[0] = '\0';
}

void notified(const char *part)
{
	if (!strstr(st.request, part))
		fail_msg("no %s in the request:\n%s", part, st.request);
}
