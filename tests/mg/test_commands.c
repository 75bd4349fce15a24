/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of RFC 3525, 7.2, text in, text out. */
#include "check.h"
#include "stage.h"

#define TCP_LOCAL "L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\n}"
#define TLS_LOCAL "L{\nv=0\nc=IN IP4 $\nm=message $ TCP/TLS/MSRP *\n}"
#define REMOTE    "R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7000 TCP/MSRP *\n}"

static struct stage st;

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static void check(void)
{
	char why[256];

	if (!mg_check(st.mg, why, sizeof(why)))
		fail_msg("%s", why);
}

static void add_one(void **state)
{
	(void)state;
	st.settings = (struct mg_settings){ 0 };
	stage_start(&st);
	has(stage_send(&st, "C=${A=${M{ST=1{O{MO=SR}," TCP_LOCAL "}}}}"), "C=1{A=ip/1/1{M{ST=1{L{");
	has(st.reply, "m=message 40000 TCP/MSRP *");
	puts(st.reply);
	puts(st.orders);
	check();
	puts(stage_send(&st, "C=1{A=${M{ST=1{O{MO=SR,gatehouse/dom=\"access\"}," TLS_LOCAL "}}}}"));
	puts(st.orders);
	check();
	puts(stage_send(&st, "C=1{AV=*{AT{M,E,SG,SA,OE,PG}}}"));
	puts(stage_send(&st, "C=1{AC=ip/1/1{AT{M,E,SG,SA}}}"));
	puts(stage_send(&st, "C=-{AV=ROOT{AT{M,PG}}}"));
	puts(stage_send(&st, "C=*{S=*}"));
	check();
	assert_int_equal(st.contexts, 0);
	stage_stop(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
