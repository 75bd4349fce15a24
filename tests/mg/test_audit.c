/* SPDX-License-Identifier: Apache-2.0 */
/* AuditValue, AuditCapability, context attributes, topology. */
#include "scene.h"

static void pair(void)
{
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}},E=4{tcpbcc/*}},"
	         "A=${M{ST=1{O{MO=SR}," TLS_ANY "}}}}");
	stage_forget(&st);
}

static void whole_descriptors(void **state)
{
	(void)state;
	scene_start();
	pair();
	says("C=1{AV=ip/1/1{AT{}}}", "C=1{AV=ip/1/1}");
	says("C=1{AV=ip/1/1{AT{E,SG,OE,EB,DM,MD,MX}}}",
	     "C=1{AV=ip/1/1{MX,MD,E=4{tcpbcc/*},SG,DM,OE,EB}}");
	accepted("C=1{AV=ip/1/1{AT{PG}}}");
	contains("PG{g-2,nt-1,");
	contains(",tcptv-1,tcpbcc-1,tcprm-1,tlsbsc-1,tlscn-1,tlsm-1,tlstv-1,seplink-1,dtlscn-1,"
	         "gatehouse-1,gatehouse_msrp-1,gatehouse_bfcp-1}");
	accepted("C=1{AV=*{AT{SA}}}");
	contains("AV=ip/1/1{SA{");
	contains("AV=ip/1/2{SA{");
	says("C=-{AV=ROOT{AT{PG}}}",
	     "C=-{AV=ROOT{PG{root-2,chp-1,it-1,ocp-1,nb-1,seg-1,sdpr-1,sdpc-1,ipra-1,tlscn-1}}}");
	refused("C=-{AV=*{AT{}}}", 431, "");
	refused("C=1{AV=ROOT{AT{}}}", 435, "null context");
	scene_end();
}

static void single_items(void **state)
{
	(void)state;
	scene_start();
	pair();
	says("C=1{AV=ip/1/1{AT{M{ST=1{O{MO}}}}}}", "C=1{AV=ip/1/1{M{ST=1{O{MO=SR}}}}}");
	says("C=1{AV=ip/1/2{AT{M{ST=1{O{gatehouse/dom}}}}}}",
	     "C=1{AV=ip/1/2{M{ST=1{O{gatehouse/dom=\"access\"}}}}}");
	says("C=1{AV=ip/1/1{AT{M{TS{SI}}}}}", "C=1{AV=ip/1/1{M{TS{SI=IV}}}}");
	says("C=1{AV=ip/1/1{AT{SA{nt/os}}}}", "C=1{AV=ip/1/1{SA{nt/os=0}}}");
	says("C=1{AV=ip/1/1{AT{E=4{tcpbcc/*}}}}", "C=1{AV=ip/1/1{E=4{tcpbcc/*}}}");
	says("C=1{AV=ip/1/1{AT{PG{nt-1}}}}", "C=1{AV=ip/1/1{PG{nt-1}}}");
	refused("C=1{AV=ip/1/1{AT{SA{nt/nosuch}}}}", 532, "nt/nosuch");
	refused("C=1{AV=ip/1/1{AT{E=4{tlsbsc/BNCChange}}}}", 532, "does not exist");
	refused("C=1{AV=ip/1/1{AT{M{ST=9{O{MO}}}}}}", 532, "Stream 9");
	refused("C=1{AV=ip/1/1{AT{PG{al-1}}}}", 532, "al-1");
	refused("C=1{AV=ip/1/1{AT{DM=d0}}}", 532, "");
	says("C=1{MF=ip/1/1{M{ST=1{O{MO=SO}}},AT{M{ST=1{O{MO}}}}}}",
	     "C=1{MF=ip/1/1{M{ST=1{O{MO=SO}}}}}");
	scene_end();
}

static void v3(const char *actions, const char *reply)
{
	stage_send_v(&st, 3, actions);
	if (strcmp(st.reply, reply) != 0)
		fail_msg("%s\nwas answered:  %s\ninstead of:    %s", actions, st.reply, reply);
}

/* Version 3, sheet 5.4: values in an audit are conditions. */
static void terminations_are_selected_by_values(void **state)
{
	(void)state;
	scene_start();
	pair();
	accepted("C=1{MF=ip/1/2{M{ST=1{O{MO=SO,seplink/link=off}}}}}");
	v3("C=1{AV=*{AT{M{ST=1{O{MO=SO}}}}}}", "C=1{AV=ip/1/2}");
	v3("C=1{AV=*{AT{M{ST=1{O{MO#SO}}}}}}", "C=1{AV=ip/1/1}");
	v3("C=1{AV=*{AT{M{O{MO=SO}}}}}", "C=1{AV=ip/1/2}"); /* any stream */
	v3("C=1{AV=*{AT{M{ST=2{O{MO=SO}}}}}}", "C=1");
	v3("C=1{AV=*{AT{M{TS{SI=OS}}}}}", "C=1");
	v3("C=1{AV=*{AT{M{TS{SI#OS}}}}}", "C=1{AV=ip/1/1,AV=ip/1/2}");
	v3("C=1{AV=*{AT{M{ST=1{O{gatehouse/dom=\"access\"}}}}}}", "C=1{AV=ip/1/2}");
	v3("C=1{AV=*{AT{M{ST=1{O{gatehouse/dom=\"psk\"}}}}}}", "C=1");
	v3("C=1{AV=*{AT{M{ST=1{O{seplink/link={tcp,off}}}}}}}", "C=1{AV=ip/1/1,AV=ip/1/2}");
	/* A condition beside what is asked for. */
	v3("C=1{AV=*{AT{M{ST=1{O{MO=SO}},TS{SI}}}}}", "C=1{AV=ip/1/2{M{TS{SI=IV}}}}");
	/* AND by default, also with the context's. */
	v3("C=1{AV=*{AT{M{ST=1{O{MO=SO}}},M{TS{SI=OS}}}}}", "C=1");
	v3("C=*{CA{ORLgc},AV=*{AT{M{ST=1{O{MO=SO}}},M{TS{SI=OS}}}}}", "C=1{AV=ip/1/2}");
	v3("C=*{CA{PR=3,ORLgc},AV=*{AT{M{ST=1{O{MO=SO}}}}}}", "C=1{AV=ip/1/2}");
	v3("C=*{CA{PR=3},AV=*{AT{M{ST=1{O{MO=SO}}}}}}", "C=*");
	refused_v(3, "C=1{AV=*{AT{M{ST=1{O{nosuch/x=1}}}}}}", 532, "does not exist");
	refused_v(3, "C=1{AV=tdm/*{AT{M{ST=1{O{MO=SO}}}}}}", 431, "no termination matches");
	scene_end();
}

static void contexts_are_selected_by_values(void **state)
{
	(void)state;
	scene_start();
	accepted_v(3, "C=${PR=3,A=$},C=${PR=3,EG,A=$},C=${IEPS=ON,A=$}");
	v3("C=*{CA{PR=3,EG}}", "C=1{EGO},C=2{EG}");
	v3("C=*{CA{PR=3,EGV=EG,ANDLgc,PR}}", "C=2{PR=3}");
	v3("C=*{CA{EGV=EG,IEPS=ON,ORLgc,IEPS}}", "C=2{IEPS=OFF},C=3{IEPS=ON}");
	v3("C=*{CA{EGV=EGO,IEPS=OFF,PR}}", "C=1{PR=3}");
	v3("C=*{CA{PR=4,PR}}", "C=*");
	/* They hold for commands too: nothing else is touched. */
	v3("C=*{CA{PR=3},AV=*{AT{}}}", "C=1{AV=ip/1/1},C=2{AV=ip/1/2},C=1,C=2");
	v3("C=*{CA{IEPS=ON},S=*{AT{}}}", "C=3{S=ip/1/3}");
	v3("C=*{CA{PR=9},S=*{AT{}}}", "C=*");
	v3("C=*{AV=*{AT{}}}", "C=1{AV=ip/1/1},C=2{AV=ip/1/2}");
	/* ContextList. */
	v3("C=*{CA{CT{CLT={2}},PR}}", "C=2{PR=3}");
	v3("C=*{CT{CLT={1}},PR=5}", "C=*");
	v3("C=*{CA{PR}}", "C=1{PR=5},C=2{PR=3}");
	v3("C=*{CT{CLT={2}},AV=*{AT{}}}", "C=2{AV=ip/1/2}");
	refused_v(3, "C=*{CT{CLT={1,77}},S=*}", 411, "no context 77");
	refused_v(3, "C=1{CT{CLT={1}},S=*}", 421, "only with ContextID ALL");
	refused_v(3, "C=${CA{PR=3},A=$}", 421, "cannot be selected");
	scene_end();
}

/* No package of this gateway has a property of a context: the tables say which error it is. */
static void properties_of_contexts_are_refused(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$}");
	refused_v(3, "C=1{CT{xctx/owner=\"ops\"}}", 440, "xctx/owner");
	refused_v(3, "C=1{CT{nt/nosuch=1}}", 450, "nt/nosuch");
	refused_v(3, "C=1{CT{nt/jit=1}}", 455, "nt/jit");
	refused_v(3, "C=1{CA{nt/jit}}", 532, "nt/jit");
	refused_v(3, "C=1{CA{nt/jit=1}}", 532, "nt/jit");
	scene_end();
}

/* One that fails does not hide the others (clause 8); what follows is not attempted. */
static void every_match_is_attempted(void **state)
{
	(void)state;
	scene_start();
	pair();
	accepted("C=${A=$}");
	stage_send_v(&st, 3, "C=1{MF=[ip/1/1,ip/9/9,ip/1/2]{M{TS{SI=IV}}},AV=*{AT{}}}");
	contains("C=1{MF=ip/1/1,MF=ip/9/9{ER=430{");
	contains("}},MF=ip/1/2}");
	lacks("AV");
	stage_send_v(&st, 2, "C=1{MF=*{M{ST=1{O{MO=LB}}}},AV=*{AT{}}}");
	contains("MF=ip/1/1{ER=517{");
	contains("MF=ip/1/2{ER=517{");
	lacks("AV");
	stage_send_v(&st, 2, "C=1{O-W-MF=*{M{ST=1{O{MO=LB}}}},AV=*{AT{}}}");
	contains("C=1{MF=*{ER=517{\"Context 1, Modify ip/1/1: Stream 1");
	contains("ER=517{\"Context 1, Modify ip/1/2: Stream 1");
	contains("AV=ip/1/1");
	scene_end();
}

static void wildcards_and_unions(void **state)
{
	(void)state;
	scene_start();
	pair();
	accepted("C=${A=$}");
	says("C=*{AV=*{AT{}}}", "C=1{AV=ip/1/1,AV=ip/1/2},C=2{AV=ip/1/3}");
	says("C=*{AV=ip/1/3{AT{}}}", "C=2{AV=ip/1/3}"); /* in which context is it? */
	says("C=*{W-AV=ip/*{AT{E}}}", "C=*{AV=ip/*{E=4{tcpbcc/*},E}}");
	says("C=*{AV=ROOT{AT{}}}", "C=1{AV=ROOT},C=2{AV=ROOT}");
	stage_send_v(&st, 3, "C=*{AV=ROOT{AT{}}}");
	assert_string_equal(st.reply, "C=1,C=2");
	stage_send_v(&st, 3, "C=1{AV=[ip/1/1,ip/1/2]{AT{}}}");
	assert_string_equal(st.reply, "C=1{AV=ip/1/1,AV=ip/1/2}");
	scene_end();
}

static void capabilities_are_what_is_taken(void **state)
{
	(void)state;
	scene_start();
	pair();
	accepted("C=1{AC=ip/1/2{AT{M}}}");
	contains("MO=SR");
	contains("seplink/link={off,tcp,tcp+tls}");
	contains("gatehouse/role={auto,client,server}");
	contains("gatehouse/reneg={domain,refuse,accept,initiate}");
	contains("gatehouse/reneg={domain,refuse,accept,initiate,both}"); /* of the other domain */
	contains("gatehouse/dom=\"access\",tlscn/ver=\"TLS1.2\","
	         "tlscn/suites=\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\",tlscn/comp=\"null\","
	         "tlscn/resum=on,tlscn/reneg=off,tlsm/can=[\"by-client\",\"by-server\"]");
	contains("gatehouse/gaps=\"shall TLS_RSA_WITH_3DES_EDE_CBC_SHA (TS 33.203 Annex O)\"");
	contains("gatehouse/dom=\"psk\"");
	accepted("C=1{AC=ip/1/2{AT{E}}}");
	contains("C=1{AC=ip/1/2{E=*{g/cause,g/sc,");
	contains("tcpbcc/BNCChange{Type={Est,Rel,EstFail}}");
	accepted("C=1{AC=ip/1/2{AT{EB}}}");
	contains("C=1{AC=ip/1/2{EB{g/cause,g/sc,");
	accepted("C=1{AC=ip/1/2{AT{SG,SA,OE}}}");
	contains("tcpbcc/EstBNC{SY=BR}");
	contains("tcpbcc/RelBNC{SY=BR,GenCause={NR,UR,FT,FP,IW,UN},Reset={on,off}}");
	contains("SA{nt/dur,nt/os");
	refused("C=1{AC=ip/1/2{AT{PG}}}", 447, "not legal in AuditCapability");
	scene_end();
}

/* Single items are cut out of the whole (version 2). */
static void single_capabilities(void **state)
{
	(void)state;
	scene_start();
	pair();
	says("C=1{AC=ip/1/2{AT{M{ST=1{O{seplink/link}}}}}}",
	     "C=1{AC=ip/1/2{M{ST=1{O{seplink/link={off,tcp,tcp+tls}}}}}}");
	says("C=1{AC=ip/1/2{AT{M{ST=1{O{MO}}}}}}",
	     "C=1{AC=ip/1/2{M{ST=1{O{MO=SO}}},M{ST=1{O{MO=RC}}},M{ST=1{O{MO=SR}}},"
	     "M{ST=1{O{MO=IN}}}}}");
	says("C=1{AC=ip/1/2{AT{M{TS{SI}}}}}", "C=1{AC=ip/1/2{M{TS{SI=IV}},M{TS{SI=OS}}}}");
	says("C=1{AC=ip/1/2{AT{E=1{g/sc}}}}", "C=1{AC=ip/1/2{E=*{g/sc}}}");
	says("C=1{AC=ip/1/2{AT{EB{g/sc}}}}", "C=1{AC=ip/1/2{EB{g/sc}}}");
	says("C=1{AC=ip/1/2{AT{SG{tcpbcc/EstBNC}}}}", "C=1{AC=ip/1/2{SG{tcpbcc/EstBNC{SY=BR}}}}");
	says("C=1{AC=ip/1/2{AT{SA{nt/os}}}}", "C=1{AC=ip/1/2{SA{nt/os}}}");
	refused("C=1{AC=ip/1/2{AT{SA{nt/x}}}}", 532, "");
	refused("C=1{AC=ip/1/2{AT{M{ST=1{O{nt/jit}}}}}}", 532, "");
	refused("C=1{AC=ip/1/2{AT{DM=d1}}}", 447, "not legal in AuditCapability");
	scene_end();
}

/* ---- every capability that is told is taken ---- */

static void modify_with(const char *body)
{
	char actions[2048];

	snprintf(actions, sizeof(actions), "C=1{MF=ip/1/2{%s}}", body);
	accepted_v(3, actions);
}

static void parm_sets(const struct h248_parm *p)
{
	const struct h248_package_item *item = NULL;

	if (h248_package_lookup(H248_PROPERTY, p->name, NULL, &item, NULL) ||
	    !(item->access & H248_WRITE))
		return; /* what the gateway is, not what it can be told to be */
	for (const struct h248_value *v = &p->value; v; v = v->next) {
		char body[512];

		/* A link needs partners that fit it: off alone goes everywhere. */
		if (!strcmp(item->name, "link") && !base_str_eq(v->text, BASE_STR("off")))
			continue;
		/* And a port for RTCP an RTP stream, a shared port one of datagrams. */
		if ((!strcmp(item->name, "rsb") || !strcmp(item->name, "share")) &&
		    base_str_eq(v->text, BASE_STR("on")))
			continue;
		/* And an application both of its ends, and a description of its own. */
		if (!strcmp(item->name, "mode") && !base_str_eq(v->text, BASE_STR("agnostic")))
			continue;
		/* Policing is of a rate; another realm needs another address. */
		snprintf(body, sizeof(body), "M{ST=1{O{%s%.*s/%.*s=%s%.*s%s}%s}}",
		         !strcmp(item->name, "pol") ? "tman/pdr=1000," : "",
		         BASE_FMT(p->name.package), BASE_FMT(p->name.item), v->quoted ? "\"" : "",
		         BASE_FMT(v->text), v->quoted ? "\"" : "",
		         !strcmp(item->name, "realm") ? "," TLS_ANY : "");
		modify_with(body);
	}
}

static void control_sets(const struct h248_local_control *c)
{
	static const char *const modes[] = { "", "SO", "RC", "SR", "IN" };
	char body[64];

	if (c->mode) {
		snprintf(body, sizeof(body), "M{ST=1{O{MO=%s}}}", modes[c->mode]);
		modify_with(body);
	}
	for (const struct h248_parm *p = c->parms; p; p = p->next)
		parm_sets(p);
}

static void state_sets(const struct h248_term_state *s)
{
	modify_with(s->buffer == H248_BUFFER_OFF ? "M{TS{BF=OFF}}" : "M{TS{BF=SP}}");
	modify_with(s->service_state == H248_STATE_IN_SERVICE ? "M{TS{SI=IV}}" : "M{TS{SI=OS}}");
	modify_with("M{TS{SI=IV}}");
}

/* The reply to an audit of capabilities, with `E=*` made a RequestID of ours. */
static void set_all(const char *item)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	char text[66000], actions[128];
	const struct h248_descriptor *d;

	snprintf(actions, sizeof(actions), "C=1{AC=ip/1/2{AT{%s}}}", item);
	accepted_v(3, actions);
	snprintf(text, sizeof(text), "!/3 m P=1{%s}", st.reply);
	assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, NULL), 0);
	d = msg->transactions->actions->commands->descriptors;
	assert_non_null(d);
	for (; d; d = d->next) {
		const struct h248_media *m = (const struct h248_media *)d;

		if (d->kind != H248_MEDIA)
			continue;
		if (m->state)
			state_sets(m->state);
		if (m->streams)
			control_sets(m->streams->control);
	}
	base_arena_done(&arena);
}

static void every_capability_is_taken(void **state)
{
	char text[4096], *at;

	(void)state;
	scene_start();
	pair();
	accepted("C=1{MF=ip/1/2{M{ST=1{" TLS_PEER "}}}}");
	set_all("M");
	/* Events and signals as told, but for their RequestID. */
	accepted_v(3, "C=1{AC=ip/1/2{AT{E}}}");
	snprintf(text, sizeof(text), "C=1{MF=ip/1/2{%s", strstr(st.reply, "E=*"));
	at = strchr(text, '*');
	*at = '5';
	accepted_v(3, text);
	accepted_v(3, "C=1{AC=ip/1/2{AT{EB}}}");
	snprintf(text, sizeof(text), "C=1{MF=ip/1/2{%s", strstr(st.reply, "EB{"));
	accepted_v(3, text);
	accepted_v(3, "C=1{AC=ip/1/2{AT{SA}}}");
	snprintf(text, sizeof(text), "C=1{MF=ip/1/2{%s", strstr(st.reply, "SA{"));
	accepted_v(3, text);
	accepted_v(3, "C=1{MF=ip/1/2{SG{tcpbcc/EstBNC{SY=BR}}}}");
	accepted_v(3, "C=1{MF=ip/1/2{SG{tcpbcc/RelBNC{SY=BR,GenCause=NR,Reset=on}}}}");
	accepted_v(3, "C=1{MF=ip/1/2{SG{tlsbsc/EstBNC{SY=BR}}}}");
	accepted_v(3, "C=1{MF=ip/1/2{SG{tlsbsc/RelBNC{SY=BR,GenCause=FT,Reset=off}}}}");
	scene_end();
}

/* Digit maps are kept by name (7.1.14.1); nothing here can use them. */
static void digit_maps_by_name(void **state)
{
	(void)state;
	scene_start();
	pair();
	says("C=1{AV=ip/1/1{AT{DM}}}", "C=1{AV=ip/1/1{DM}}");
	says("C=1{MF=ip/1/1{DM=d0{T:9,S:2,(0 | 1x.)}}}", "C=1{MF=ip/1/1}");
	says("C=-{MF=ROOT{DM=D0{(9)}}}", "C=-{MF=ROOT}");
	says("C=-{MF=ROOT{DM=all{(7|8)}}}", "C=-{MF=ROOT}");
	says("C=1{AV=ip/1/1{AT{DM}}}", "C=1{AV=ip/1/1{DM=d0{T:9,S:2,(0|1x.)}}}");
	says("C=1{AV=ip/1/1{AT{DM=d0}}}", "C=1{AV=ip/1/1{DM=d0{T:9,S:2,(0|1x.)}}}");
	says("C=1{AV=ip/1/2{AT{DM=d0}}}", "C=1{AV=ip/1/2{DM=D0{(9)}}}"); /* ROOT's */
	says("C=-{AV=ROOT{AT{DM}}}", "C=-{AV=ROOT{DM=D0{(9)},DM=all{(7|8)}}}");
	refused("C=1{AV=ip/1/2{AT{DM=nosuch}}}", 532, "nosuch");
	/* A new value takes the place of the old one; a name alone deletes. */
	says("C=1{MF=ip/1/1{DM=D0{(5)}}}", "C=1{MF=ip/1/1}");
	says("C=1{AV=ip/1/1{AT{DM}}}", "C=1{AV=ip/1/1{DM=D0{(5)}}}");
	says("C=1{MF=ip/1/1{DM=d0}}", "C=1{MF=ip/1/1}");
	says("C=1{AV=ip/1/1{AT{DM}}}", "C=1{AV=ip/1/1{DM}}");
	refused("C=1{MF=ip/1/1{DM=d0}}", 520, "there is none");
	refused("C=1{MF=ip/1/1{DM={(5)}}}", 472, "no name");
	/* A command that fails keeps the former one. */
	refused("C=-{MF=ROOT{DM=all{(1)},E=1{dd/ce{DM=all}}}}", 440, "dd/ce");
	says("C=-{AV=ROOT{AT{DM=all}}}", "C=-{AV=ROOT{DM=all{(7|8)}}}");
	refused("C=1{MF=ip/1/1{E=1{tcpbcc/*{DM=all}}}}", 446, "no digit map completion event");
	for (unsigned i = 2; i < 64; i++) {
		char actions[64];

		snprintf(actions, sizeof(actions), "C=-{MF=ROOT{DM=m%u{(1)}}}", i);
		accepted(actions);
	}
	refused("C=-{MF=ROOT{DM=more{(1)}}}", 519, "more than 64");
	accepted("C=-{MF=ROOT{DM=all{(6)}}}");
	scene_end();
}

static void kept_statistics_are_chosen(void **state)
{
	(void)state;
	scene_start();
	accepted_v(3, "C=${A=${SA{nt/*,tlstv/oin}}}");
	accepted_v(3, "C=1{AV=ip/1/1{AT{SA}}}");
	contains("SA{nt/dur=0,nt/os=0,nt/or=0,tlstv/oin=0}");
	accepted_v(3, "C=1{MF=ip/1/1{SA{*/*}}}");
	accepted_v(3, "C=1{AV=ip/1/1{AT{SA}}}");
	contains("tlstv/rout=0");
	scene_end();
}

/* Sheet 5.6: which are kept, of the termination and of single streams. */
static void statistics_of_streams(void **state)
{
	(void)state;
	scene_start();
	accepted_v(3, "C=${A=${M{ST=1{O{MO=SR}," TCP_ANY ",SA{nt/os,nt/or}},ST=2{O{MO=SR}," TLS_ANY
	              ",SA{tlstv/*}},ST=3{" TCP_ANY "}}}}");
	st.endpoint[0].stats = (struct relay_stats){ .octets_out = 5, .octets_in = 6 };
	st.endpoint[1].stats = (struct relay_stats){ .octets_out = 70, .records_in = 3 };
	v3("C=1{AV=ip/1/1{AT{M{ST=1{SA{nt/os}}}}}}", "C=1{AV=ip/1/1{M{ST=1{SA{nt/os=5}}}}}");
	refused_v(3, "C=1{AV=ip/1/1{AT{M{ST=1{SA{tlstv/oin}}}}}}", 532, "Stream 1, Statistics");
	refused_v(3, "C=1{AV=ip/1/1{AT{M{ST=3{SA{nt/os}}}}}}", 532, "Stream 3, Statistics");
	/* A set replaces the former one: what stays goes on, what comes back begins anew. */
	accepted_v(3, "C=1{MF=ip/1/1{M{ST=1{SA{nt/or}}}}}");
	accepted_v(3, "C=1{MF=ip/1/1{M{ST=1{SA{nt/*}}}}}");
	v3("C=1{AV=ip/1/1{AT{M{ST=1{SA{nt/os}}},M{ST=1{SA{nt/or}}}}}}",
	   "C=1{AV=ip/1/1{M{ST=1{SA{nt/os=0}}},M{ST=1{SA{nt/or=6}}}}}");
	st.endpoint[0].stats.octets_out = 9;
	st.endpoint[0].stats.octets_in = 8;
	/* Subtract tells the sum, and those of the streams beside it. */
	v3("C=1{S=ip/1/1}",
	   "C=1{S=ip/1/1{SA{nt/dur=0,nt/os=79,nt/or=8,tcptv/oin=0,tcptv/oout=0,tcprm/"
	   "retrans=0,tlsbsc/hs=0,tlsbsc/hsfail=0,tlsbsc/resum=0,tlsbsc/hsauth=0,"
	   "tlsbsc/hstime=0,tlsbsc/reneg=0,tlsbsc/renegfail=0,tlsbsc/ain=0,tlsbsc/aout=0,"
	   "tlstv/oin=0,tlstv/oout=70,tlstv/rin=3,tlstv/rout=0},M{ST=1{SA{nt/os=4,nt/or=8}},"
	   "ST=2{SA{tlstv/oin=0,tlstv/oout=70,tlstv/rin=3,tlstv/rout=0}}}}}");
	/* The same of the termination. */
	accepted_v(3, "C=${A=${SA{nt/os},M{ST=1{" TCP_ANY "}}}}");
	st.endpoint[st.endpoints - 1].stats.octets_in = 40;
	st.endpoint[st.endpoints - 1].stats.octets_out = 50;
	accepted_v(3, "C=2{MF=ip/1/2{SA{nt/os,nt/or}}}");
	st.endpoint[st.endpoints - 1].stats.octets_in = 41;
	v3("C=2{AV=ip/1/2{AT{SA}}}", "C=2{AV=ip/1/2{SA{nt/os=50,nt/or=1}}}");
	v3("C=2{S=ip/1/2{AT{}}}", "C=2{S=ip/1/2}");
	refused_v(3, "C=${A=${M{ST=1{SA{nt/dur}}}}}", 460, "of the termination only");
	refused_v(3, "C=${A=${M{ST=1{SA{nt/nosuch}}}}}", 453, "none such is kept");
	refused_v(3, "C=${A=${SA{nosuch/x}}}", 440, "none such is kept");
	scene_end();
}

/* One by one, and as a sum. */
static void counters_are_64_bits_wide(void **state)
{
	(void)state;
	scene_start();
	accepted_v(3, "C=${A=${M{ST=1{" TCP_ANY "},ST=2{" TCP_ANY "}}}}");
	st.endpoint[st.endpoints - 1].stats.octets_in = UINT64_C(10000000000000000000);
	v3("C=1{AV=ip/1/1{AT{SA{nt/or}}}}", "C=1{AV=ip/1/1{SA{nt/or=10000000000000000000}}}");
	st.endpoint[st.endpoints - 1].stats.octets_in = UINT64_C(4294967295);
	st.endpoint[st.endpoints - 2].stats.octets_in = UINT64_C(4294967295);
	v3("C=1{AV=ip/1/1{AT{SA{nt/or}}}}", "C=1{AV=ip/1/1{SA{nt/or=8589934590}}}");
	accepted("C=1{S=ip/1/1}");
	scene_end();
}

/* ---- attributes of the context ---- */

static void attributes_are_set_and_told(void **state)
{
	(void)state;
	scene_start();
	says("C=${PR=7,EG,CA{PR,EG},A=$}", "C=1{EG,PR=7,A=ip/1/1}");
	says("C=1{CA{PR}}", "C=1{PR=7}");
	accepted_v(3, "C=1{EGO,IEPS=ON}");
	stage_send_v(&st, 3, "C=1{CA{EG,IEPS,PR}}");
	contains("IEPS=ON");
	contains("EGO");
	refused("C=1{PR=16,CA{PR}}", 449, "Priority 16");
	refused("C=-{CA{PR}}", 421, "null context");
	accepted_v(3, "C=${PR=3,A=$}");
	stage_send_v(&st, 3, "C=*{CA{PR=3,TP}}");
	contains("C=2");
	lacks("C=1");
	scene_end();
}

static void topology_turns_flows_off(void **state)
{
	(void)state;
	scene_start();
	pair();
	says("C=1{TP{ip/1/1,ip/1/2,OW}}", "C=1");
	ordered("mode 0 receive mode 1 send");
	says("C=1{CA{TP}}", "C=1{TP{ip/1/1,ip/1/2,OW}}");
	accepted("C=1{TP{ip/1/1,ip/1/2,IS}}");
	ordered("mode 0 mode 1");
	accepted("C=1{TP{*,*,BW}}");
	ordered("mode 0 send receive mode 1 send receive");
	/* The new one, by CHOOSE. */
	accepted("C=1{TP{$,ip/1/1,IS},A=$}");
	accepted("C=1{CA{TP}}");
	contains("ip/1/3,ip/1/1,IS");
	refused_v(3, "C=1{TP{ip/1/1,ip/1/2,OWB}}", 522, "only Bothway, Isolate and Oneway");
	refused("C=1{TP{*,*,OW}}", 522, "Oneway between ALL and ALL");
	refused("C=1{TP{ip/1/1,ip/1/9,IS}}", 430, "ip/1/9");
	refused("C=1{TP{ip/1/1,ip/1/2,IS,ip/1/1,ip/1/2,OW,ST=1}}", 421, "both with and without");
	scene_end();
}

/* Sheet 5.5: by stream; and what is not said stays. */
static void topology_by_stream(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "},ST=2{O{MO=SR}," TCP_ANY "}}},"
	         "A=${M{ST=1{O{MO=SR}," TCP_ANY "},ST=2{O{MO=SR}," TCP_ANY "}}}}");
	stage_forget(&st);
	accepted("C=1{TP{ip/1/1,ip/1/2,IS,ST=2}}");
	ordered("mode 1 mode 3");
	says("C=1{CA{TP}}", "C=1{TP{ip/1/1,ip/1/2,IS,ST=2}}");
	accepted("C=1{TP{ip/1/2,ip/1/1,OW,ST=1}}");
	ordered("mode 0 send mode 2 receive");
	says("C=1{CA{TP}}", "C=1{TP{ip/1/1,ip/1/2,IS,ST=2,ip/1/2,ip/1/1,OW,ST=1}}");
	/* Without a StreamID it holds for all of them. */
	accepted("C=1{TP{ip/1/1,ip/1/2,BW}}");
	ordered("mode 0 send receive mode 1 send receive mode 2 send receive mode 3 send receive");
	says("C=1{CA{TP}}", "C=1");
	/* A new termination is bothway to all; one that goes takes its triples along. */
	accepted("C=1{TP{ip/1/1,ip/1/2,IS},A=$}");
	accepted("C=1{S=ip/1/2{AT{}}}");
	says("C=1{CA{TP}}", "C=1");
	refused_v(3, "C=1{TP{ip/1/1,ip/1/3,OWE}}", 522, "only Bothway, Isolate and Oneway");
	scene_end();
}

/* ALL contexts, but never the NULL one (8.1.2). */
static void every_context_at_once(void **state)
{
	(void)state;
	scene_start();
	refused("C=*{MF=*{M{TS{BF=OFF}}}}", 431, "");
	accepted("C=${A=$,A=$},C=${A=$}");
	says("C=*{MF=*{M{TS{BF=SP}}}}", "C=1{MF=ip/1/1,MF=ip/1/2},C=2{MF=ip/1/3}");
	says("C=*{MF=ip/1/3{E=3{g/sc}}}", "C=2{MF=ip/1/3}");
	says("C=*{W-AV=*{AT{E}}}", "C=*{AV=*{E,E=3{g/sc}}}");
	says("C=*{PR=4}", "C=*");
	says("C=*{CA{PR}}", "C=1{PR=4},C=2{PR=4}");
	refused("C=*{A=$}", 421, "a context of its own");
	refused("C=*{MF=ROOT{E}}", 435, "null context");
	refused("C=-{MF=ip/1/1}", 435, "it is in context 1");
	says("C=*{W-S=*{AT{}}}", "C=*{S=*}");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_descriptors),
		cmocka_unit_test(single_items),
		cmocka_unit_test(terminations_are_selected_by_values),
		cmocka_unit_test(contexts_are_selected_by_values),
		cmocka_unit_test(properties_of_contexts_are_refused),
		cmocka_unit_test(every_match_is_attempted),
		cmocka_unit_test(wildcards_and_unions),
		cmocka_unit_test(capabilities_are_what_is_taken),
		cmocka_unit_test(single_capabilities),
		cmocka_unit_test(digit_maps_by_name),
		cmocka_unit_test(every_capability_is_taken),
		cmocka_unit_test(kept_statistics_are_chosen),
		cmocka_unit_test(statistics_of_streams),
		cmocka_unit_test(counters_are_64_bits_wide),
		cmocka_unit_test(attributes_are_set_and_told),
		cmocka_unit_test(topology_turns_flows_off),
		cmocka_unit_test(topology_by_stream),
		cmocka_unit_test(every_context_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
