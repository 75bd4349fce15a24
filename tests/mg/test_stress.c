/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory walk: a scene is played again and again with one allocation more each time until all
 * succeed; what comes out is right or an error 510, and nothing is left. And random commands, by a
 * fixed seed, with the invariants looked at after each.
 */
#include <errno.h>

#include "scene.h"

/* ---- allocations that fail, by the linker's --wrap ---- */

static long left = -1; /* allocations still granted; -1 = all */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool granted(void)
{
	if (left < 0)
		return true;
	if (!left) {
		errno = ENOMEM;
		return false;
	}
	left--;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return granted() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return granted() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return granted() ? __real_realloc(p, size) : NULL;
}

static void right(const char *actions)
{
	char why[256];

	if (!mg_check(st.mg, why, sizeof(why)))
		fail_msg("after %s: %s", actions, why);
}

/* One command with `count` allocations; true when it was executed. */
static bool try(const char *actions, long count)
{
	bool done;

	left = count;
	stage_send_v(&st, 3, actions);
	left = -1;
	right(actions);
	done = !st.execute_rc && !strstr(st.reply, "ER=");
	if (!done && !strstr(st.reply, "ER=510") && !strstr(st.reply, ".510") &&
	    base_err_class(st.execute_rc) != BASE_LOCAL)
		fail_msg("%s with %ld allocations: %s", actions, count, st.reply);
	return done;
}

#define FULL                                                                                       \
	"{M{TS{SI=IV},ST=1{O{MO=SR,gatehouse/dom=\"access\",gatehouse/pskid=\"a\","                \
	"gatehouse/psk=0011,gatehouse/pskhint=\"h\"},L{\nv=0\nc=IN IP4 $\nm=message $ TCP/TLS "    \
	"*\n},"                                                                                    \
	"R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7000 TCP/TLS *\n}}},E=7{tcpbcc/*{ST=1}},"       \
	"SG{tcpbcc/EstBNC},AT{M,E,SA,PG}}"

static void without_memory_nothing_happens(void **state)
{
	static const char *const scene[] = {
		"C=${A=$" FULL "}",
		"C=1{A=$" FULL "}",
		"C=1{MF=ip/1/1{M{ST=1{O{MO=SO}},ST=2{" TCP_ANY "}},E=8{tlsbsc/*},AT{M}}}",
		"C=1{TP{*,*,IS},CA{TP},AV=*{AT{M,E,SG,SA,OE,PG}}}",
		"C=1{AC=*{AT{M,E,SG,SA}}}",
		"C=1{MF=*{M{TS{BF=SP},ST=1{SA{nt/*}}},E=9{g/sc{KA},tcpbcc/*{EM{SG{tcpbcc/RelBNC},"
		"E=3{tlsbsc/*}}}},EB{tcpbcc/*,g/cause},SG{SL=4{tcpbcc/RelBNC{NC={TO}},"
		"tlsbsc/RelBNC}}}}",
		"C=1{W-AV=*{AT{M,E,SG,EB,OE,SA}}}",
		"C=1{MF=ip/1/2{M{ST=1{O{MO=SR,gatehouse/dom=\"access\",ds/dscp=2E,gm/saf=on,"
		"gm/sam=[\"10.0.0.0/8\",\"2001:db8::1\"],gm/spf=on,gm/spr=1-9,tman/pol=on,tman/"
		"sdr=9,"
		"ipdc/realm=\"core\"},L{\nv=0\nc=IN IP4 $\nm=message $ TCP/TLS "
		"*\na=setup:passive\n}}},"
		"SG{ipnapt/latch{napt=LATCH}},AT{M,PG}}}",
		"C=-{MF=ROOT{M{TS{seg/MGCMaxPDUSize=1000,nb/notreg=50}},AT{M}}}",
		"C=1{MF=ip/1/1{E=4{hangterm/thb{timerx=9}}}}",
		"C=1{SC=ip/1/1{SV{MT=GR,RE=\"905\",DL=9}}}",
		"C=${MV=ip/1/1}",
		"C=-{AV=ROOT{AT{M,PG}}}",
		"C=*{S=*}",
	};

	(void)state;
	scene_start();
	st.settings.first_context = 1;
	for (size_t i = 0; i < BASE_COUNT(scene); i++) {
		char actions[2048];
		long n = 0;

		/* Failed attempts use up names and ids: put the true ones in. */
		snprintf(actions, sizeof(actions), "%s", scene[i]);
		stage_stop(&st);
		for (;; n++) {
			bool done;

			scene_start();
			for (size_t k = 0; k < i; k++)
				stage_send_v(&st, 3, scene[k]);
			right("the scene so far");
			done = try(actions, n);
			stage_send(&st, "C=*{S=*{AT{}}}");
			right("the end");
			assert_int_equal(st.contexts, 0);
			if (done)
				break;
			stage_stop(&st);
			if (n > 2000)
				fail_msg("%s never succeeds: %s", actions, st.reply);
		}
		if (!n)
			fail_msg("%s needs no memory: the walk does not walk", actions);
	}
	scene_end();
}

/* What the gateway says of its own accord finds no memory: it is lost and counted, no more. */
static void a_change_without_memory_is_counted(void **state)
{
	struct mg_counts counts;
	bool lost = true;

	(void)state;
	for (long n = 0; lost; n++) {
		scene_start();
		stage_send_v(&st, 3, "C=${A=$" FULL "}");
		left = n;
		mg_address_set(st.mg, 0, MG_ADDRESS_FAILED);
		left = -1;
		right("the failure");
		mg_counts(st.mg, &counts);
		lost = counts.notifies_lost != 0;
		assert_int_equal(lost, st.requests == 0);
		accepted("C=1{AV=ip/1/1{AT{M{TS{SI}}}}}");
		contains("SI=OS");
		scene_end();
		assert_true(n < 100);
	}
}

/* What follows from an event finds no memory at any point of it. */
static void an_embedded_signal_without_memory_breaks_nothing(void **state)
{
	(void)state;
	for (long n = 0; n < 120; n++) {
		scene_start();
		accepted("C=${A=${M{TS{BF=SP},ST=1{O{MO=SR}," TCP_ANY "," TCP_PEER "}},"
		         "E=5{g/sc,tcpbcc/*{EM{SG{SL=1{tcpbcc/EstBNC,tcpbcc/RelBNC{NC={TO}}}},"
		         "E=6{tcpbcc/*}}}},EB{tcpbcc/*}}}");
		left = n;
		stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_CLOSE);
		stage_event(&st, st.endpoints - 1, RELAY_TCP_UP, RELAY_CAUSE_NONE);
		stage_event(&st, st.endpoints - 1, RELAY_TCP_UP, RELAY_CAUSE_NONE);
		left = -1;
		right("the events");
		scene_end();
	}
}

static void an_event_without_memory_is_lost_and_no_more(void **state)
{
	(void)state;
	for (long n = 0;; n++) {
		struct mg_counts counts;

		scene_start();
		accepted("C=${A=$" FULL "}");
		left = n;
		stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
		left = -1;
		right("the event");
		mg_counts(st.mg, &counts);
		scene_end();
		if (!counts.notifies_lost)
			break;
		assert_true(n < 200);
	}
}

/* ---- random commands ---- */

static unsigned last_context = 1, last_term = 1;
static uint64_t seed = 0x9e3779b97f4a7c15ULL;

static unsigned any(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % below);
}

static const char *pick(const char *const *list, size_t count)
{
	return list[any((unsigned)count)];
}

/* One of those that may be there: both count upwards. */
static void any_context(char *to, size_t cap)
{
	if (!any(6))
		snprintf(to, cap, "$");
	else
		snprintf(to, cap, "%u", st.mg ? last_context - any(BASE_MIN(last_context, 14)) : 1);
}

static void any_name(char *to, size_t cap)
{
	if (!any(8))
		snprintf(to, cap, "*");
	else
		snprintf(to, cap, "ip/1/%u", last_term - any(BASE_MIN(last_term, 40)));
}

/* The highest numbers that a reply told. */
static void learn(void)
{
	unsigned n;

	for (const char *p = st.reply; (p = strstr(p, "C=")); p += 2)
		if (sscanf(p, "C=%u", &n) == 1 && n > last_context)
			last_context = n;
	for (const char *p = st.reply; (p = strstr(p, "ip/1/")); p += 5)
		if (sscanf(p, "ip/1/%u", &n) == 1 && n > last_term)
			last_term = n;
}

static void compose(char *to, size_t cap)
{
	static const char *const bodies[] = {
		"",
		"{M{ST=1{O{MO=SR}," TCP_ANY "}}}",
		"{M{ST=1{O{MO=IN}," TLS_ANY "}},E=1{tlsbsc/*,tcpbcc/*}}",
		"{M{ST=2{O{MO=SR,seplink/link=tcp}," TCP_ANY "}}}",
		"{M{ST=1{L{}}}}",
		"{M{ST=1{L{},R{}}}}",
		"{M{ST=1{" TCP_PEER "}},SG{tcpbcc/EstBNC}}",
		"{M{ST=2{" TCP_ANY "},ST=1{" TLS_ANY "}},AT{M}}",
		"{SG{tlsbsc/EstBNC}}",
		"{SG{tcpbcc/RelBNC}}",
		"{E}",
		"{E=9{nosuch/*}}",
		"{E=5{g/sc,tcpbcc/*{EM{SG{tcpbcc/EstBNC},E=6{tcpbcc/*}}}}}",
		"{E=5{g/sc{KA},tcpbcc/*{EM{SG{tcpbcc/RelBNC{NC={TO}}},E=6{tlsbsc/*{EM{SG{tcpbcc/"
		"EstBNC}}}}}}}}",
		"{SG{SL=1{tcpbcc/RelBNC{NC={TO,OR}},tcpbcc/EstBNC,tlsbsc/EstBNC}}}",
		"{M{TS{BF=SP}},E=7{tcpbcc/*},EB{tcpbcc/*,g/*}}",
		"{M{TS{BF=OFF}}}",
		"{SG{}}",
		"{M{ST=1{O{gatehouse/pskid=\"a\",gatehouse/psk=00ff}," TLS_ANY "}}}",
	};
	static const char *const tails[] = { "{AT{M,E,SA}}", "{AT{}}", "" };
	char name[32], where[16];

	any_name(name, sizeof(name));
	any_context(where, sizeof(where));
	switch (any(8)) {
	case 0:
	case 1:
	case 2:
		snprintf(to, cap, "C=%s{A=$%s}", where, pick(bodies, BASE_COUNT(bodies)));
		break;
	case 3:
		snprintf(to, cap, "C=%s{MF=%s%s}", where, name, pick(bodies, BASE_COUNT(bodies)));
		break;
	case 4:
		snprintf(to, cap, "C=%s{MV=%s%s}", where, name, pick(bodies, BASE_COUNT(bodies)));
		break;
	case 5:
		snprintf(to, cap, "C=%s{S=%s%s}", where, name, pick(tails, BASE_COUNT(tails)));
		break;
	case 6:
		snprintf(to, cap, "C=%s{W-AV=%s{AT{M,SA}},O-S=%s,A=$}", where, name, name);
		break;
	default:
		snprintf(to, cap, "C=%s{TP{%s,*,%s},CA{TP},AC=%s{AT{M}}}", where, name,
		         any(2) ? "IS" : "BW", name);
		break;
	}
}

static void random_commands_keep_the_world_right(void **state)
{
	char actions[1024];
	unsigned done = 0;

	(void)state;
	st.settings = (struct mg_settings){ .max_contexts = 12 };
	stage_start(&st);
	for (unsigned i = 0; i < 20000; i++) {
		if (i % 97)
			compose(actions, sizeof(actions));
		else /* a fresh start now and then */
			snprintf(actions, sizeof(actions), "C=*{S=*{AT{}}}");
		stage_send_v(&st, 1 + any(3), actions);
		right(actions);
		learn();
		done += !strstr(st.reply, "ER=");
		if (!any(3)) {
			struct stage_endpoint *e = &st.endpoint[any(STAGE_ENDPOINTS)];

			if (e->fn && !e->removed)
				stage_event(&st, (size_t)(e - st.endpoint),
				            (enum relay_event_kind)any(6),
				            (enum relay_cause)any(12));
			right("an event");
		}
		if (!any(5))
			stage_answer(&st);
		st.now_ms += any(50);
		mg_advance(st.mg);
		st.orders[0] = st.log[0] = '\0';
	}
	assert_true(done > 1000); /* not only refusals */
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_nothing_happens),
		cmocka_unit_test(an_event_without_memory_is_lost_and_no_more),
		cmocka_unit_test(a_change_without_memory_is_counted),
		cmocka_unit_test(an_embedded_signal_without_memory_breaks_nothing),
		cmocka_unit_test(random_commands_keep_the_world_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
