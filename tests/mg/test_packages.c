/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages of the Iq and Mp profiles: what is set is told and reaches the bearer, what cannot be is
 * refused with its code, and what this gateway does not realize is not pretended.
 */
#include "mg/pkg.h"
#include "scene.h"

#define PEER(host, port) "R{\nv=0\nc=IN IP4 " host "\nm=message " port " TCP/MSRP *\n}"
#define ACTIVE_LOCAL     "L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:active\n}"
#define PASSIVE_LOCAL    "L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:passive\n}"

/* A listening stream 1 in context 1, ip/1/1. */
static void listener(const char *properties)
{
	char text[1024];

	scene_start();
	snprintf(text, sizeof(text), "C=${A=${M{ST=1{O{MO=SR%s%s}," TCP_ANY "}}}}",
	         properties ? "," : "", properties ? properties : "");
	accepted(text);
}

static char *control(const char *properties)
{
	static char text[1024];

	snprintf(text, sizeof(text), "C=1{MF=ip/1/1{M{ST=1{O{MO=SR,%s}}}}}", properties);
	return text;
}

/* ---- the rows ---- */

static const struct h248_package_item *row(const struct h248_package *p,
                                           enum h248_package_kind kind, const char *name)
{
	const struct h248_package_item *item = h248_package_item_find(p, kind, base_str_of(name));

	if (!item)
		fail_msg("package %s has no %s %s", p->name, h248_package_kind_name(kind), name);
	return item;
}

/* What the gateway takes the tables have, each package once and in the order of their numbers. */
static void rows_name_what_the_tables_have(void **state)
{
	const struct mg_equipment *e;
	unsigned before = 0;

	(void)state;
	for (size_t i = 0; (e = mg_equipment_at(i)); i++) {
		const struct h248_package *p = h248_package_find(base_str_of(e->package));

		if (!p)
			fail_msg("no table has package %s", e->package);
		if (p->id <= before)
			fail_msg("package %s is out of order", e->package);
		before = p->id;
		for (size_t k = 0; e->properties && e->properties[k].name; k++) {
			const struct h248_package_item *item =
			        row(p, H248_PROPERTY, e->properties[k].name);

			assert_true(item->access & H248_WRITE);
			assert_true(!(e->on & MG_ON_ROOT) ||
			            (item->where & H248_IN_TERMINATION_STATE));
		}
		for (size_t k = 0; e->events && e->events[k].name; k++)
			(void)row(p, H248_EVENT, e->events[k].name);
		for (size_t k = 0; e->signals && e->signals[k].name; k++)
			(void)row(p, H248_SIGNAL, e->signals[k].name);
		for (size_t k = 0; e->statistics && e->statistics[k].name; k++)
			(void)row(p, H248_STATISTIC, e->statistics[k].name);
	}
}

/* ---- values ---- */

static void good_values_are_taken_and_told(void **state)
{
	static const struct {
		const char *set, *told; /* NULL: as set */
	} good[] = {
		{ "ds/dscp=2E", NULL },
		{ "ds/dscp=00,ds/tb=mark", NULL },
		{ "ds/tb=$", "ds/tb=mark" },
		{ "gm/saf=on", NULL },
		{ "gm/saf=on,gm/sam=\"198.51.100.0/24\"", NULL },
		{ "gm/sam=[\"198.51.100.7\",\"[2001:db8::]/32\"]", NULL },
		{ "gm/sam=198.51.100.7", NULL },
		{ "gm/spf=on,gm/spr=\"5000-6000\"", NULL },
		{ "gm/spr=5000", NULL },
		{ "gm/esas=off,gm/esps=off,gm/rsb=off,rtcph/rsb=off", NULL },
		{ "tman/pol=on,tman/sdr=1000,tman/mbs=2000", NULL },
		{ "tman/pol=on,tman/pdr=0x3e8,tman/dvt=0", NULL },
		{ "tman/sdr=2147483647", NULL },
		{ "tman/pol=off", NULL },
	};

	(void)state;
	listener(NULL);
	for (size_t i = 0; i < BASE_COUNT(good); i++) {
		accepted(control(good[i].set));
		accepted("C=1{AV=ip/1/1{AT{M}}}");
		contains(good[i].told ? good[i].told : good[i].set);
	}
	/* a new LocalControl replaces the former one */
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}}}}}");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	lacks("tman/");
	scene_end();
}

static const struct {
	const char *set;
	unsigned code;
} bad[] = {
	{ "ds/dscp=40", 449 },
	{ "ds/dscp=2", 449 },
	{ "ds/dscp=zz", 449 },
	{ "ds/dscp=0011", 449 },
	{ "ds/dscp=$", 449 },
	{ "ds/tb=copy", 449 },
	{ "ds/tb=other", 449 },
	{ "ds/nosuch=1", 450 },
	{ "gm/saf=maybe", 449 },
	{ "gm/saf=\"on\"", 449 },
	{ "gm/sam=\"300.1.1.1\"", 449 },
	{ "gm/sam=\"/24\"", 449 },
	{ "gm/sam=\"192.0.2.0/33\"", 449 },
	{ "gm/sam=\"192.0.2.0/\"", 449 },
	{ "gm/sam=\"2001:db8::/129\"", 449 },
	{ "gm/sam=\"host.example\"", 449 },
	{ "gm/sam=[\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\",\"192.0.2.4\",\"192.0.2.5\","
	  "\"192.0.2.6\",\"192.0.2.7\",\"192.0.2.8\",\"192.0.2.9\"]",
	  449 },
	{ "gm/spr=\"0\"", 449 },
	{ "gm/spr=\"6000-5000\"", 449 },
	{ "gm/spr=\"5000-70000\"", 449 },
	{ "gm/spr=\"-5\"", 449 },
	{ "gm/esas=on", 449 },
	{ "gm/esps=on", 449 },
	{ "gm/rsb=on", 449 },
	{ "gm/lsa=\"192.0.2.1\"", 445 },
	{ "gm/lsp=5000", 445 },
	{ "gm/saf=on,gm/saf=off", 456 },
	{ "tman/sdr=0", 449 },
	{ "tman/sdr=-1", 449 },
	{ "tman/sdr=2147483648", 449 },
	{ "tman/sdr=\"10\"", 449 },
	{ "tman/pol=on", 472 },
	{ "tman/pol=on,tman/mbs=100", 472 },
	{ "rtcph/rsb=on", 449 },
	{ "ipdc/realm=\"nosuch\"", 449 },
	{ "ipdc/realm=\"\"", 449 },
	{ "seg/MGMaxPDUSize=1000", 455 },
	{ "ipra/ar=\"x\"", 455 },
};

static void bad_values_are_refused(void **state)
{
	(void)state;
	listener("ds/dscp=0A");
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		refused(control(bad[i].set), bad[i].code, "");
		/* nothing of it has been done */
		accepted("C=1{AV=ip/1/1{AT{M}}}");
		contains("ds/dscp=0A");
	}
	scene_end();
}

/* 440: the tables know it, the gateway does not do it. Of a gateway with fewer packages than ours.
 */
static void what_is_not_realized_is_not_pretended(void **state)
{
	static const struct mg_equipment *const few[] = { &mg_pkg_gm, &mg_pkg_root, NULL };

	(void)state;
	listener(NULL);
	refused(control("nosuch/x=1"), 440, "nosuch");
	refused(control("nt/jit=40"), 445, "nt/jit");
	mg_equipment_swap(few);
	refused(control("rtcph/rsb=off"), 440, "rtcph");
	refused(control("rtcph/rsb=perhaps"), 440, "rtcph");
	refused("C=1{MF=ip/1/1{M{TS{seg/MGMaxPDUSize=1000}}}}", 440, "seg");
	refused("C=1{MF=ip/1/1{E=1{adid/ipstop{dt=5}}}}", 440, "adid");
	refused("C=1{MF=ip/1/1{E=1{adid/*}}}", 440, "adid");
	refused("C=1{MF=ip/1/1{SG{ipnapt/latch{napt=LATCH}}}}", 440, "ipnapt");
	refused_v(3, "C=1{MF=ip/1/1{SA{nt/os}}}", 440, "nt");
	refused_v(3, "C=1{MF=ip/1/1{SA{gm/x}}}", 453, "gm/x");
	refused("C=1{AV=ip/1/1{AT{M{ST=1{O{rtcph/rsb}}}}}}", 532, "rtcph");
	refused("C=1{AV=ip/1/1{AT{PG{rtcph-1}}}}", 532, "rtcph");
	says("C=1{AV=ip/1/1{AT{PG}}}", "C=1{AV=ip/1/1{PG{gm-2}}}");
	accepted(control("gm/saf=off"));
	mg_equipment_swap(NULL);
	accepted(control("rtcph/rsb=off"));
	refused("C=1{AV=ip/1/1{AT{PG{gm-3}}}}", 532, "gm");
	accepted("C=1{AV=ip/1/1{AT{PG{gm-2}}}}");
	contains("PG{gm-2}");
	accepted("C=-{AV=ROOT{AT{PG}}}");
	lacks("gm-");
	accepted("C=1{AV=ip/1/1{AT{PG}}}");
	contains("ipnapt-1,adid-1,ipdc-2,rtcph-1");
	lacks("seg-");
	/* at the wrong place */
	refused("C=-{MF=ROOT{M{TS{ds/dscp=0A}}}}", 455, "");
	refused("C=1{MF=ip/1/1{M{TS{seg/MGMaxPDUSize=1000}}}}", 445, "seg");
	refused("C=-{MF=ROOT{E=1{adid/ipstop}}}", 512, "adid");
	scene_end();
}

static void capabilities_have_their_values(void **state)
{
	(void)state;
	listener(NULL);
	accepted("C=1{AC=ip/1/1{AT{M,SG}}}");
	contains("ds/tb=mark");
	contains("gm/saf={off,on},gm/spf={off,on},gm/esas=off,gm/esps=off,gm/rsb=off");
	contains("tman/sdr=[1:2147483647]");
	contains("tman/dvt=[0:2147483647]");
	contains("tman/pol={off,on}");
	contains("ipdc/realm=\"core\"");
	contains("ipnapt/latch{SY=BR,");
	accepted("C=-{AC=ROOT{AT{E}}}");
	contains("it/ito");
	contains("ipra/arc}");
	scene_end();
}

/* ---- ds ---- */

static void the_mark_reaches_the_bearer(void **state)
{
	(void)state;
	listener("ds/dscp=2e");
	ordered("add 0 server gate 0 dscp=46");
	accepted(control("ds/dscp=2e"));
	ordered("");
	accepted(control("ds/dscp=0A"));
	ordered("gate 0 dscp=10");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}}}}}");
	ordered("gate 0 dscp=0");
	scene_end();
}

/* ---- gm ---- */

static void sources_come_from_the_mask_or_from_remote(void **state)
{
	(void)state;
	listener("gm/saf=on");
	ordered("add 0 server gate 0 sources=0 dscp=0"); /* nobody is known */
	accepted("C=1{MF=ip/1/1{M{ST=1{" PEER("198.51.100.7", "7000") "}}}}");
	ordered("gate 0 sources=1 198.51.100.7/32 dscp=0");
	accepted(control("gm/saf=on,gm/sam=[\"10.0.0.0/8\",\"2001:db8::1\"]"));
	ordered("gate 0 sources=2 10.0.0.0/8 2001:db8::1/128 dscp=0");
	accepted(control("gm/sam=\"10.0.0.0/8\"")); /* a mask without a filter filters nothing */
	ordered("gate 0 dscp=0");
	accepted(control("gm/spf=on,gm/spr=\"5000-6000\""));
	ordered("gate 0 ports=5000-6000 dscp=0");
	accepted(control("gm/spf=on"));
	ordered("gate 0 ports=7000-7000 dscp=0");
	accepted(control("gm/saf=off"));
	ordered("gate 0 dscp=0");
	scene_end();
}

/* gm/dp is told where there is a filter, or where it is asked for. */
static void who_was_kept_out_is_counted(void **state)
{
	(void)state;
	listener(NULL);
	st.endpoint[0].stats.refused = 3;
	accepted("C=1{AV=ip/1/1{AT{SA}}}");
	lacks("gm/dp");
	says("C=1{AV=ip/1/1{AT{SA{gm/dp}}}}", "C=1{AV=ip/1/1{SA{gm/dp=3}}}");
	accepted(control("gm/saf=on,gm/sam=\"10.0.0.0/8\""));
	accepted("C=1{AV=ip/1/1{AT{SA}}}");
	contains("gm/dp=3");
	/* over all endpoints of the stream */
	accepted("C=1{MF=ip/1/1{M{ST=1{" TLS_ANY "}}}}");
	st.endpoint[1].stats.refused = 2;
	accepted("C=1{S=ip/1/1}");
	contains("gm/dp=5");
	scene_end();
}

static void filters_that_cannot_be_are_refused(void **state)
{
	(void)state;
	/* who comes from any port has none to look for (RFC 4145, 4.1) */
	listener(NULL);
	accepted("C=1{MF=ip/1/1{M{ST=1{" PEER("198.51.100.7", "9") "}}}}");
	refused(control("gm/spf=on"), 473, "gm/spf");
	accepted(control("gm/spf=on,gm/spr=1024-65535"));
	/* a client calls its Remote: a filter that excludes that is no filter but a mistake */
	accepted("C=${A=${M{ST=1{O{MO=SR,gm/saf=on}," ACTIVE_LOCAL
	         "," PEER("198.51.100.7", "7000") "}}}}");
	stage_forget(&st);
	refused("C=2{MF=ip/1/2{M{ST=1{O{MO=SR,gm/saf=on,gm/sam=\"10.0.0.0/8\"}}}}}", 473, "gm/sam");
	refused("C=2{MF=ip/1/2{M{ST=1{O{MO=SR,gm/spf=on,gm/spr=80}}}}}", 473, "gm/spr");
	accepted("C=2{MF=ip/1/2{M{ST=1{O{MO=SR,gm/saf=on,gm/sam=\"198.51.100.0/25\"}}}}}");
	ordered("");
	scene_end();
}

/* ---- tman ---- */

static void rates_reach_the_bearer(void **state)
{
	(void)state;
	listener("tman/pol=on,tman/sdr=1000,tman/mbs=2000");
	ordered("add 0 server gate 0 sustained=1000/2000 dscp=0");
	accepted(control("tman/pol=on,tman/sdr=100000"));
	ordered("gate 0 sustained=100000/10000 dscp=0");
	accepted(control("tman/pol=on,tman/sdr=10"));
	ordered("gate 0 sustained=10/1500 dscp=0");
	accepted(control("tman/pol=on,tman/pdr=1000000"));
	ordered("gate 0 peak=1000000/10000 dscp=0");
	accepted(control("tman/pol=on,tman/pdr=1000000,tman/dvt=1000000")); /* 0.1 s */
	ordered("gate 0 peak=1000000/100000 dscp=0");
	accepted(control("tman/pol=off,tman/pdr=1000000"));
	ordered("gate 0 dscp=0");
	accepted(control("tman/sdr=5"));
	ordered("");
	scene_end();
}

/* An order that finds no memory is told as a failure, as others are, and stays due. */
static void a_gate_without_memory_is_told(void **state)
{
	(void)state;
	listener(NULL);
	accepted("C=1{MF=ip/1/1{E=3{tcpbcc/*}}}");
	st.endpoint[0].dull = true;
	accepted(control("ds/dscp=2e"));
	notified("tcpbcc/BNCChange");
	st.endpoint[0].dull = false;
	stage_forget(&st);
	scene_end();
}

/* ---- ipdc and ipra ---- */

static void realms_have_their_addresses(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR,ipdc/realm=\"core\"}," TCP_ANY "}}}}");
	contains("c=IN IP4 192.0.2.99");
	accepted("C=1{A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}");
	contains("c=IN IP4 192.0.2.1 ");
	/* it stays, and so does the address */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=RC}}}}}");
	lacks("c=IN");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("ipdc/realm=\"core\"");
	/* another one needs another address, which the controller has to ask for */
	refused("C=1{MF=ip/1/2{M{ST=1{O{MO=SR,ipdc/realm=\"core\"}}}}}", 449, "in realm core");
	accepted("C=1{MF=ip/1/2{M{ST=1{O{MO=SR,ipdc/realm=\"core\"}," TCP_ANY "}}}}");
	contains("c=IN IP4 192.0.2.99");
	refused("C=${A=${M{ST=1{O{ipdc/realm=\"core\"},L{\nv=0\nc=IN IP4 192.0.2.1\nm=message $ "
	        "TCP/MSRP *\n}}}}}",
	        449, "in realm core");
	refused("C=${A=${M{ST=1{O{ipdc/realm=\"core\"},L{\nv=0\nc=IN IP6 $\nm=message $ TCP/MSRP "
	        "*\n}}}}}",
	        510, "in realm core");
	accepted("C=${A=${M{ST=1{L{\nv=0\nc=IN IP4 192.0.2.99\nm=message $ TCP/MSRP *\n}}}}}");
	accepted("C=-{AV=ROOT{AT{M{TS{ipra/ar}}}}}");
	contains("ipra/ar=\"core\"");
	refused("C=-{MF=ROOT{M{TS{ipra/ar=\"x\"}}}}", 534, "");
	accepted("C=-{MF=ROOT{E=1{ipra/arc}}}");
	scene_end();
}

/* ---- ipnapt ---- */

static void latching_lifts_what_remote_would_filter(void **state)
{
	(void)state;
	listener("gm/saf=on,gm/spf=on");
	accepted("C=1{MF=ip/1/1{M{ST=1{" PEER("198.51.100.7", "7000") "}}}}");
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{SG{ipnapt/latch{napt=LATCH}}}}");
	ordered("gate 0 dscp=0");
	accepted("C=1{MF=ip/1/1{SG{ipnapt/latch{napt=OFF}}}}");
	ordered("gate 0 sources=1 198.51.100.7/32 ports=7000-7000 dscp=0");
	accepted("C=1{MF=ip/1/1{SG{ipnapt/latch{ST=1,napt=latch}}}}");
	ordered("gate 0 dscp=0");
	/* a mask holds in either case */
	accepted(control("gm/saf=on,gm/sam=\"10.0.0.0/8\""));
	ordered("gate 0 sources=1 10.0.0.0/8 dscp=0");
	/* it ends with its bearer */
	accepted(control("gm/saf=on"));
	ordered("gate 0 dscp=0");
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_CLOSE);
	accepted("C=1{MF=ip/1/1{M{ST=1{" TCP_ANY "}}}}");
	ordered("add 1 server gate 1 sources=1 198.51.100.7/32 dscp=0 remove 0");
	refused("C=1{MF=ip/1/1{SG{ipnapt/latch{napt=RELATCH}}}}", 501, "another address");
	refused("C=1{MF=ip/1/1{SG{ipnapt/latch}}}", 457, "napt");
	refused("C=1{MF=ip/1/1{SG{ipnapt/latch{napt=MAYBE}}}}", 454, "");
	refused("C=1{MF=ip/1/1{SG{ipnapt/latch{SY=OO,napt=LATCH}}}}", 449, "Brief");
	refused("C=1{MF=ip/1/1{SG{ipnapt/relatch{napt=LATCH}}}}", 452, "");
	scene_end();
}

/* ---- adid ---- */

static void time_passes(uint64_t ms)
{
	st.now_ms += ms;
	mg_advance(st.mg);
}

static unsigned heard(void)
{
	unsigned n = st.requests;

	while (st.answered < st.notices)
		stage_answer(&st);
	st.requests = 0;
	return n;
}

static void silence_is_told_once(void **state)
{
	(void)state;
	listener(NULL);
	accepted("C=1{MF=ip/1/1{E=4{adid/ipstop{dt=8}}}}");
	time_passes(7999);
	assert_int_equal(heard(), 0);
	time_passes(1);
	notified("adid/ipstop");
	assert_int_equal(heard(), 1);
	time_passes(60000);
	assert_int_equal(heard(), 0);
	/* it speaks again, and falls silent */
	st.endpoint[0].stats.octets_in = 5;
	time_passes(2000);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(heard(), 0);
		time_passes(2000);
	}
	assert_int_equal(heard(), 1);
	/* and what it is told is heard too */
	st.endpoint[0].stats.octets_out = 5;
	time_passes(2000);
	time_passes(8000);
	assert_int_equal(heard(), 1);
	accepted("C=1{MF=ip/1/1{E}}");
	time_passes(100000);
	assert_int_equal(heard(), 0);
	scene_end();
}

static void a_direction_and_a_stream_can_be_watched(void **state)
{
	(void)state;
	listener(NULL);
	accepted("C=1{MF=ip/1/1{M{ST=2{O{MO=SR}," TCP_ANY "}}}}");
	accepted("C=1{MF=ip/1/1{E=4{adid/ipstop{ST=2,dt=4,dir=IN}}}}");
	for (unsigned i = 1; i <= 4; i++) { /* the other direction, the other stream */
		st.endpoint[1].stats.octets_out += 10;
		st.endpoint[0].stats.octets_in += 10;
		assert_int_equal(heard(), 0);
		time_passes(1000);
	}
	notified("ST=2");
	assert_int_equal(heard(), 1);
	for (unsigned i = 1; i <= 8; i++) {
		st.endpoint[1].stats.octets_in += 10;
		time_passes(1000);
		assert_int_equal(heard(), 0);
	}
	accepted("C=1{MF=ip/1/1{E=4{adid/ipstop{dt=4,dir=OUT}}}}");
	for (unsigned i = 1; i <= 4; i++) {
		st.endpoint[0].stats.octets_in += 10;
		assert_int_equal(heard(), 0);
		time_passes(1000);
	}
	assert_int_equal(heard(), 1);
	accepted("C=1{MF=ip/1/1{E=5{adid/ipstop}}}");
	time_passes(59999);
	assert_int_equal(heard(), 0);
	time_passes(1);
	assert_int_equal(heard(), 1);
	refused("C=1{MF=ip/1/1{E=4{adid/ipstop{dt=0}}}}", 454, "");
	refused("C=1{MF=ip/1/1{E=4{adid/ipstop{dir=UP}}}}", 454, "");
	refused("C=1{MF=ip/1/1{E=4{adid/ipstop{x=1}}}}", 446, "");
	refused("C=1{MF=ip/1/1{E=4{adid/x}}}", 451, "");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_name_what_the_tables_have),
		cmocka_unit_test(good_values_are_taken_and_told),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(what_is_not_realized_is_not_pretended),
		cmocka_unit_test(capabilities_have_their_values),
		cmocka_unit_test(the_mark_reaches_the_bearer),
		cmocka_unit_test(sources_come_from_the_mask_or_from_remote),
		cmocka_unit_test(who_was_kept_out_is_counted),
		cmocka_unit_test(filters_that_cannot_be_are_refused),
		cmocka_unit_test(rates_reach_the_bearer),
		cmocka_unit_test(a_gate_without_memory_is_told),
		cmocka_unit_test(realms_have_their_addresses),
		cmocka_unit_test(latching_lifts_what_remote_would_filter),
		cmocka_unit_test(silence_is_told_once),
		cmocka_unit_test(a_direction_and_a_stream_can_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
