/* SPDX-License-Identifier: Apache-2.0 */
/* The traps of the text encoding, by their number in section 7 of the fact sheet. */
#include "check.h"
#include "h248/h248.h"

struct row {
	const char *trap;
	const char *text;
	unsigned code; /* 0: taken; else the error it is refused with */
};

#define T1(body)  "MEGACO/1 mg1 T=1{C=-{" body "}}"
#define T2(body)  "MEGACO/2 mg1 T=1{C=-{" body "}}"
#define T3(body)  "MEGACO/3 mg1 T=1{C=-{" body "}}"
#define P1(body)  "MEGACO/1 mg1 P=1{C=1{" body "}}"
#define P3(body)  "MEGACO/3 mg1 P=1{C=1{" body "}}"
#define LC1(body) T1("A=a{M{O{" body "}}}")
#define LC3(body) T3("A=a{M{O{" body "}}}")
#define SV(body)  T1("SC=ROOT{SV{MT=RS,RE=\"901\"," body "}}")

static const struct row rows[] = {
	{ "7.1 blanks in the header", "MEGACO /1 mg1 PN=1{}", 400 },
	{ "7.1 blanks in the header", "MEGACO/ 1 mg1 PN=1{}", 400 },
	{ "7.1 SEP after the version", "MEGACO/1[192.0.2.1] PN=1{}", 400 },
	{ "7.1 SEP after the mId", "MEGACO/1 [192.0.2.1]PN=1{}", 400 },
	{ "7.1 SEP may be a comment", "!/1;x\nmg1;y\nPN=1{}", 0 },
	{ "7.1 SEP after the authentication header",
	  "AU=0x00000001:0x00000002:0x000102030405060708090A0B!/1 mg1 PN=1{}", 400 },
	{ "7.1 around ports", "!/1 [192.0.2.1] :2944 PN=1{}", 400 },
	{ "7.1 around '/'", T1("A=a{E=1{al /on}}"), 442 },
	{ "7.1 between O- and the command", T1("O- A=a"), 443 },
	{ "7.1 around '-' of acks", "!/1 mg1 K{1 -5}", 403 },
	{ "7.1 around '-' of packages", P1("A=a{PG{al- 1}}"), 442 },
	{ "7.1 commands need a comma", T1("A=a A=b"), 422 },
	{ "7.1 range", LC1("a/b=[1:9]"), 0 },
	{ "7.1 range", LC1("a/b=[1 :9]"), 442 },
	{ "7.1 timers", T1("MF=a{DM=d{T :5,(1)}}"), 442 },
	{ "7.1 the colon of ObservedEvents", T1("N=a{OE=1{20260101T00000000 : al/on}}"), 0 },
	{ "7.1 LWSP in all brackets",
	  "!/1 mg1 T = 1 { C = - { A = a { M { O { MO = SR , "
	  "a/b = [ 1 , 2 ] , a/c = { 1 , 2 } , a/d # 3 } } } } } ",
	  0 },
	{ "7.2 Segment last", "!/3 mg1 SM=1/1", 0 },
	{ "7.2 Segment with END", "!/3 mg1 SM=1/2/END", 0 },
	{ "7.2 a line end behind it is let pass", "!/3 mg1 SM=1/1\n", 0 },
	{ "7.2 Segment is of version 3", "!/2 mg1 SM=1/1", 400 },
	{ "7.3 comment", "!/1 mg1 PN=1{;\"{} ,\n}", 0 },
	{ "7.3 a comment needs its line end", "!/1 mg1 PN=1{};cut", 403 },
	{ "7.3 ';' ends an unquoted value", LC1("a/b=c;d\n"), 0 },
	{ "7.3 ';' in a quoted string is data", LC1("a/b=\"c;d\""), 0 },
	{ "7.4 Local{} means release", T1("A=a{M{L{}}}"), 0 },
	{ "7.4 Media{} is not legal", T1("A=a{M{}}"), 442 },
	{ "7.4 Stream{} is not legal", T1("A=a{M{ST=1{}}}"), 444 },
	{ "7.4 LocalControl{} is not legal", T1("A=a{M{O{}}}"), 442 },
	{ "7.4 comment behind the brace", T1("A=a{M{L{ ; c }\nv=0\n}}}"), 0 },
	{ "7.4 no line end before the brace", T1("A=a{M{L{v=0}}}"), 0 },
	{ "7.4 the brace is missing", T1("A=a{M{L{v=0\\}"), 442 },
	{ "7.5 no EOL in a string before version 3", LC1("a/b=\"c\nd\""), 442 },
	{ "7.5 80-FF in a string of version 1", LC1("a/b=\"\xc3\xa4\""), 442 },
	{ "7.5 EOL and 80-FF in version 3", LC3("a/b=\"\xc3\xa4\nd\""), 0 },
	{ "7.5 unquoted 80-FF in version 3", LC3("a/b=\xc3\xa4"), 0 },
	{ "7.5 but no line end unquoted", LC3("a/b=c\nd"), 442 },
	{ "7.5 unquoted 80-FF in version 1", LC1("a/b=\xc3\xa4"), 442 },
	{ "7.5 \"\" is a value", LC1("a/b=\"\""), 0 },
	{ "7.5 a reason without quotes", T1("SC=ROOT{SV{MT=RS,RE=901}}"), 0 },
	{ "7.6 SafeChars", LC1("a/b=+-&!_/'?@^`~*$\\()%|."), 0 },
	{ "7.6 not a SafeChar", LC1("a/b=<"), 442 },
	{ "7.7 a termination may be called like a token", T1("MF=A,MF=Media,MF=Segment"), 0 },
	{ "7.7 a value may", LC1("a/b=Mode,Mode=SR"), 0 },
	{ "7.7 a package may", LC1("Mode/Local=1,MO=SR"), 0 },
	{ "7.7 a parameter may", T1("A=a{SG{x/y{Media=1,M=2}}}"), 0 },
	{ "7.7 a context audit of a termination called C", P1("AV=C{M{TS{SI=IV}}}"), 0 },
	{ "7.7 a token of a later version is a name", T2("A=a{SG{x/y{SPADI=nonsense}}}"), 0 },
	{ "7.7 but in its own version a token", T3("A=a{SG{x/y{SPADI=nonsense}}}"), 442 },
	{ "7.8 case", "mEgAcO/1 mg1 TrAnSaCtIoN=1{c=-{o-w-AdD=rOoT}}", 0 },
	{ "7.9 domain", "!/1 <a.b-c.>:1 PN=1{}", 0 },
	{ "7.9 domain", "!/1 <-a> PN=1{}", 400 },
	{ "7.9 domain", "!/1 <> PN=1{}", 400 },
	{ "7.9 IPv4 with zeros", "!/1 [001.002.003.004]:00080 PN=1{}", 0 },
	{ "7.9 IPv4", "!/1 [1.2.3] PN=1{}", 400 },
	{ "7.9 IPv4", "!/1 [1.2.3.256] PN=1{}", 400 },
	{ "7.9 port", "!/1 [1.2.3.4]:65536 PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [::] PN=1{}", 0 },
	{ "7.9 IPv6", "!/1 [1:2:3:4:5:6:7:8]:9 PN=1{}", 0 },
	{ "7.9 IPv6", "!/1 [1:2:3:4:5:6:7] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [1::2::3] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [1:2:3:4:5:6:7:8:9] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [12345::] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [1:2:3:4:5:6:7::] PN=1{}", 0 },
	{ "7.9 IPv6", "!/1 [1:2:3:4:5:6:7:8::] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [::1:2:3:4:5:6:7:8] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [1:2:3:4:5:6:7:192.0.2.1] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [1:] PN=1{}", 400 },
	{ "7.9 IPv6", "!/1 [:1] PN=1{}", 400 },
	{ "7.9 IPv6 with an IPv4 tail", "!/1 [::ffff:192.0.2.1] PN=1{}", 0 },
	{ "7.9 not derivable, taken", "!/1 [::192.0.2.1] PN=1{}", 0 },
	{ "7.9 device", "!/1 mg1/a_b*c@d.e-f PN=1{}", 0 },
	{ "7.9 a device has no port", "!/1 mg1:2944 PN=1{}", 400 },
	{ "7.9 MTP", "!/1 MTP{1A2B} PN=1{}", 0 },
	{ "7.9 MTP with LWSP", "!/1 mtp { 1A2B3c } PN=1{}", 0 },
	{ "7.9 MTP of odd length", "!/1 MTP{1A2B3} PN=1{}", 400 },
	{ "7.9 MTP needs a SEP behind it", "!/1 MTP{1A2B}PN=1{}", 400 },
	{ "7.9 a device may be called MTP", "!/1 MTP PN=1{}", 0 },
	{ "7.9 ServiceChangeAddress is an mId", SV("AD=[192.0.2.1]:5"), 0 },
	{ "7.9 or a port", SV("AD=5"), 0 },
	{ "7.9 MgcIdToTry is not", SV("MG=5"), 442 },
	{ "7.10 not grammatical, taken", T1("A=*/1,A=$/1,A=1a,A=a.b/c-d"), 0 },
	{ "7.10 alphabet", T1("A=a+b"), 410 },
	{ "7.10 length", T1("A=a23456789012345678901234567890123456789012345678901234567890abcd"),
	  0 },
	{ "7.10 length", T1("A=a23456789012345678901234567890123456789012345678901234567890abcde"),
	  410 },
	{ "7.10 a list of one is taken", T3("A=[a]"), 0 },
	{ "7.10 lists", T3("A=[a,b]"), 0 },
	{ "7.10 lists are of version 3", T2("A=[a,b]"), 442 },
	{ "7.11 statistics lists", P3("A=a{SA{rtp/ps=[1,2]}}"), 0 },
	{ "7.11 as printed", P3("A=a{SA{rtp/ps[1,2]}}"), 0 },
	{ "7.11 of version 3", P1("A=a{SA{rtp/ps=[1,2]}}"), 442 },
	{ "7.11 one value", P3("A=a{SA{rtp/ps>1}}"), 442 },
	{ "7.12 all forms", LC1("a/a=1,a/b=[1,2],a/c={1,2},a/d=[1:2],a/e>1,a/f < 1,a/g#1"), 0 },
	{ "7.12 lists of one", LC1("a/b=[1],a/c={1}"), 0 },
	{ "7.12 empty list", LC1("a/b=[]"), 442 },
	{ "7.12 empty list", LC1("a/b={}"), 442 },
	{ "7.12 empty value", LC1("a/b="), 442 },
	{ "7.13 Events", T1("A=a{E}"), 0 },
	{ "7.13 Events{}", T1("A=a{E{}}"), 442 },
	{ "7.13 Events=5{}", T1("A=a{E=5{}}"), 442 },
	{ "7.13 EventBuffer{}", T1("A=a{EB{}}"), 442 },
	{ "7.13 Signals{}", T1("A=a{SG{}}"), 0 },
	{ "7.13 Signals", T1("A=a{SG}"), 0 },
	{ "7.13 Signals{}", T3("A=a{SG{}}"), 0 },
	{ "7.13 Signals", T3("A=a{SG}"), 0 },
	{ "7.14 timers in order", T2("A=a{DM=d{T:1,S:2,L:3,Z:4,(1)}}"), 0 },
	{ "7.14 timers in another", T2("A=a{DM=d{S:1,T:2,(1)}}"), 442 },
	{ "7.14 Z is of version 2", T1("A=a{DM=d{Z:4,(1)}}"), 442 },
	{ "7.14 timer of three digits", T1("A=a{DM=d{T:123,(1)}}"), 442 },
	{ "7.14 ranges", T1("A=a{DM=d{([0-9]|[1-57]|[0-46ABCD]x.)}}"), 0 },
	{ "7.14 ranges are of digits", T1("A=a{DM=d{([A-D])}}"), 442 },
	{ "7.14 no star", T1("A=a{DM=d{(*1)}}"), 442 },
	{ "7.14 the letter T", T2("A=a{DM=d{(T)}}"), 0 },
	{ "7.14 the letter T", T1("A=a{DM=d{(T)}}"), 442 },
	{ "7.14 no parentheses", T1("A=a{DM=d{12x.}}"), 0 },
	{ "7.14 alternatives need them", T1("A=a{DM=d{1|2}}"), 442 },
	{ "7.14 LWSP", T1("A=a{DM=d{ ( 1 | 2 [ 3 ] x ) }}"), 0 },
	{ "7.14 LWSP", T1("A=a{DM=d{ ( 1 | 2 [ 3 ] x;c\n 4 ) }}"), 442 },
	{ "7.14 LWSP", T1("A=a{DM=d{ ( 1 | 2[ 3 ] x ;c\n ) }}"), 0 },
	{ "7.14 not inside an element", T1("A=a{DM=d{(1 2)}}"), 442 },
	{ "7.14 '.' follows a position", T1("A=a{DM=d{(.)}}"), 442 },
	{ "7.14 empty", T1("A=a{DM=d{()}}"), 442 },
	{ "7.14 a name alone deletes", T1("A=a{DM=d}"), 0 },
	{ "7.14 d{} does not", T1("A=a{DM=d{}}"), 442 },
	{ "7.14 in an event", T1("A=a{E=1{dd/ce{DM={(1)}}}}"), 0 },
	{ "7.14 in an event without '='", T1("A=a{E=1{dd/ce{DM{(1)}}}}"), 0 },
	{ "7.15 properties, audit, commands", T1("PR=1,CA{PR},A=a"), 0 },
	{ "7.15 property after a command", T1("A=a,PR=1"), 422 },
	{ "7.15 audit after a command", T1("A=a,CA{PR}"), 422 },
	{ "7.15 error last", P1("A=a,ER=500{}"), 0 },
	{ "7.15 error first", P1("ER=500{},A=a"), 422 },
	{ "7.15 error between actions", "!/1 mg1 P=1{C=1{A=a},ER=500{}}", 422 },
	{ "7.15 O-W-", T1("O-W-S=*"), 0 },
	{ "7.15 W-O-", T1("W-O-S=*"), 443 },
	{ "7.16 TransactionID", "!/1 mg1 PN=4294967295{}", 0 },
	{ "7.16 TransactionID", "!/1 mg1 PN=4294967296{}", 403 },
	{ "7.16 ContextID", "!/1 mg1 T=1{C=0{A=a}}", 422 },
	{ "7.16 ContextID", "!/1 mg1 T=1{C=4294967294{A=a}}", 422 },
	{ "7.16 ContextID", "!/1 mg1 T=1{C=4294967295{A=a}}", 422 },
	{ "7.16 UINT16", T1("A=a{M{ST=65536{O{MO=SR}}}}"), 442 },
	{ "7.16 no id", "!/1 mg1 T{C=-{A=a}}", 403 },
	{ "7.16 no id", "!/1 mg1 T={C=-{A=a}}", 403 },
	{ "7.17 authentication",
	  ";c\nAU=0x00000001:0x00000002:0x000102030405060708090A0B !/1 mg1 PN=1{}", 0 },
	{ "7.17 odd", "AU=0x00000001:0x00000002:0x000102030405060708090A0B1 !/1 mg1 PN=1{}", 400 },
	{ "7.17 short", "AU=0x00000001:0x00000002:0x000102030405060708090A !/1 mg1 PN=1{}", 400 },
	{ "7.17 no LWSP", "AU=0x00000001: 0x00000002:0x000102030405060708090A0B !/1 mg1 PN=1{}",
	  400 },
	{ "7.18 descriptors", T1("A=a{SG{},SG{}}"), 448 },
	{ "7.18 audit items", T1("AV=a{AT{M,M}}"), 448 },
	{ "7.18 mode", LC1("MO=SR,MO=SR"), 456 },
	{ "7.18 properties", LC1("a/b=1,A/B=2"), 456 },
	{ "7.18 streams", T1("A=a{M{ST=1{L{}},ST=1{L{}}}}"), 448 },
	{ "7.18 stream parameters", T1("A=a{M{L{},L{}}}"), 456 },
	{ "7.18 both forms", T1("A=a{M{L{},ST=1{L{}}}}"), 442 },
	{ "7.18 signal parameters", T1("A=a{SG{a/b{DR=1,DR=1}}}"), 456 },
	{ "7.18 event parameters", T1("A=a{E=1{a/b{KA,KA}}}"), 456 },
	{ "7.18 KeepActive and embedded signals", T1("A=a{E=1{a/b{KA,EM{SG{c/d}}}}}"), 473 },
	{ "7.18 method", T1("SC=ROOT{SV{MT=RS,MT=RS,RE=\"901\"}}"), 456 },
	{ "7.18 method and reason", T1("SC=ROOT{SV{MT=RS}}"), 472 },
	{ "7.18 address and MgcIdToTry", SV("AD=1,MG=mgc"), 473 },
	{ "7.18 emergency", T3("EG,EGO,A=a"), 422 },
	{ "7.18 statistics", P1("A=a{SA{a/b=1,a/b=2}}"), 456 },
	{ "7.19 ContextAudit{}", T3("CA{}"), 422 },
	{ "7.20 error or transactions", "!/1 mg1 ER=500{}", 0 },
	{ "7.20 not both", "!/1 mg1 ER=500{} PN=1{}", 400 },
	{ "7.20 nothing", "!/1 mg1 ", 400 },
	{ "5.1 version", "!/0 mg1 PN=1{}", 406 },
	{ "5.1 version", "!/4 mg1 PN=1{}", 406 },
	{ "5.1 version", "!/01 mg1 PN=1{}", 0 },
	{ "5.1 later elements in ServiceChange", SV("SIC,M,PG{al-1}"), 0 },
	{ "3.1 Statistics in a request", T3("A=a{SA{a/b}}"), 0 },
	{ "3.1 Statistics in a request", T2("A=a{SA{a/b}}"), 447 },
	{ "3.1 individual audit", T2("AV=a{AT{M{O{MO}}}}"), 0 },
	{ "3.1 individual audit", T1("AV=a{AT{M{O{MO}}}}"), 442 },
	{ "3.2 selection", T3("AV=a{AT{M{O{MO#SR,a/b=1}}}}"), 0 },
	{ "3.2 selection", T2("AV=a{AT{M{O{MO=SR}}}}"), 442 },
	{ "3.1 bare action reply", "!/3 mg1 P=1{C=7}", 0 },
	{ "3.1 bare action reply", "!/2 mg1 P=1{C=7}", 422 },
	{ "5.3 W- in a reply is let pass", P1("W-AV=a{M}"), 0 },
	{ "5.5 topology per stream", T2("TP{a,b,BW,ST=2,ST,c,IS}"), 0 },
	{ "5.5 topology per stream", T1("TP{a,b,BW,ST=2}"), 422 },
	{ "condensed audit", P1("AV=C{a,b,c}"), 0 },
	{ "condensed audit", P1("AV=Context{ER=431{}}"), 0 },
};

/* Tells of every row that fails, not of the first only. */
static bool decode(const struct row *row)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	int rc = h248_text_decode(&arena, row->text, strlen(row->text), NULL, &msg, &err);

	bool ok = rc == (row->code ? BASE_ERR(BASE_PEER, row->code) : 0);

	if (!ok)
		print_error("%s: %s: wanted %u, got %u (%u:%u %s)\n", row->trap, row->text,
		            row->code, rc ? base_err_detail(rc) : 0, err.line, err.column,
		            err.text);
	base_arena_done(&arena);
	return ok;
}

static void traps_are_taken_or_refused(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok = decode(&rows[i]) && ok;
	assert_true(ok);
}

/* What one spelling is written as, in compact style. */
static const struct {
	const char *trap, *in, *out;
} written[] = {
	{ "7.4 escape", T1("A=a{M{L{v=0\r\na=\\}{\\x\r\n }}}"),
	  "!/1 mg1 T=1{C=-{A=a{M{L{\r\nv=0\r\na=\\}{\\x\r\n}}}}}" },
	{ "7.5 quotes stay", LC1("a/b=\"x\",a/c=x"),
	  "!/1 mg1 T=1{C=-{A=a{M{O{a/b=\"x\",a/c=x}}}}}" },
	{ "7.5 a reason gets its quotes", T1("SC=ROOT{SV{MT=RS,RE=901}}"),
	  "!/1 mg1 T=1{C=-{SC=ROOT{SV{MT=RS,RE=\"901\"}}}}" },
	{ "7.8 spelling stays", T1("a=RoOt,s=AB/cd"), "!/1 mg1 T=1{C=-{A=RoOt,S=AB/cd}}" },
	{ "7.9 IPv6", "!/1 [::192.0.2.1] PN=1{}", "!/1 [::c000:201] PN=1{}" },
	{ "7.9 IPv6", "!/1 [1:0:0:2:0:0:0:3] PN=1{}", "!/1 [1:0:0:2::3] PN=1{}" },
	{ "7.9 IPv6", "!/1 [::] PN=1{}", "!/1 [::] PN=1{}" },
	{ "7.10 a list of one", T3("A=[a]"), "!/3 mg1 T=1{C=-{A=a}}" },
	{ "7.11 with '='", P3("A=a{SA{rtp/ps[1,2]}}"), "!/3 mg1 P=1{C=1{A=a{SA{rtp/ps=[1,2]}}}}" },
	{ "7.12 a list of one is a list", LC1("a/b=[1],a/c={1}"),
	  "!/1 mg1 T=1{C=-{A=a{M{O{a/b=[1],a/c={1}}}}}}" },
	{ "7.13 by version", T1("A=a{SG,E,EB}"), "!/1 mg1 T=1{C=-{A=a{SG{},E,EB}}}" },
	{ "7.13 by version", T2("A=a{SG}"), "!/2 mg1 T=1{C=-{A=a{SG{}}}}" },
	{ "7.13 by version", T3("A=a{SG{}}"), "!/3 mg1 T=1{C=-{A=a{SG}}}" },
	{ "7.13 in an audit", T3("AV=a{AT{SG{}}}"), "!/3 mg1 T=1{C=-{AV=a{AT{SG{}}}}}" },
	{ "7.13 in a reply", P1("AV=a{SG}"), "!/1 mg1 P=1{C=1{AV=a{SG}}}" },
	{ "7.14 blanks", T1("A=a{DM=d{T:05, ( 1 | [ 2-3 ] ;c\n ) }}"),
	  "!/1 mg1 T=1{C=-{A=a{DM=d{T:5,(1|[2-3])}}}}" },
	{ "7.14 with '='", T1("A=a{E=1{dd/ce{DM{(1)}}}}"),
	  "!/1 mg1 T=1{C=-{A=a{E=1{dd/ce{DM={(1)}}}}}}" },
	{ "5.3 no W- in a reply", P1("W-AV=a{M}"), "!/1 mg1 P=1{C=1{AV=a{M}}}" },
	{ "7.2 no line end", "!/3 mg1 SM=1/2/END\n", "!/3 mg1 SM=1/2/&" },
};

static void traps_are_written_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		struct base_arena arena = { 0 };
		struct base_writer w = { 0 };
		struct h248_message *msg = NULL;

		assert_int_equal(h248_text_decode(&arena, written[i].in, strlen(written[i].in),
		                                  NULL, &msg, NULL),
		                 0);
		assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), 0);
		assert_string_equal(base_writer_cstr(&w), written[i].out);
		base_writer_done(&w);
		base_arena_done(&arena);
	}
}

/* The rest of the grammar, in the form it is written in: what goes in comes out. */
static const char *const kept[] = {
	"!/1 mg1 T=1{C=-{MF=a{MD=V18,MX=H221{b,c}}}}",
	"!/1 mg1 T=1{C=-{MF=a{MD[V18,V22,V22b,V32,V32b,V34,V90,V91,SN,X-abc]{a/b=1},MX=X-abc{b}}}}",
	"!/1 mg1 T=1{C=-{MF=a{MX=H223{b}},MF=b{MX=H226{b}},MF=c{MX=V76{b}}}}",
	"!/2 mg1 T=1{C=-{MF=a{MX=N64{b}}}}",
	"!/1 mg1 P=1{C=-{AV=a{MX,MD,M,SG,EB,DM,SA,E,OE,PG}}}",
	"!/1 mg1 T=1{C=-{AC=a{AT{MX,MD,M,E,SG,DM,SA,OE,PG,EB}}}}",
	"!/2 mg1 T=1{C=-{AV=a{AT{M{TS{BF}},M{TS{SI}},M{TS{a/b}},M{O{RV}},M{O{RG}},E=*{*/*}}}}}",
	"!/3 mg1 T=1{C=-{AV=a{AT{SG{SL=4},SG{SL=5{a/b{ST=1,SPARQ=*}}},SG{c/d{SPARQ=7}}}}}}",
	"!/3 mg1 T=1{C=-{AV=a{AT{M{TS{SI=TE,a/b<3},ST=2{L{\nv=0\n},R{},SA{a/b}}},DM=d}}}}",
	"!/3 mg1 T=1{C=-{AV=a{AT{M{TS{SI#OS,BF}},M{O{MO>SO,RV,RG,a/*}},EB{a/b{ST=1,par}}}}}}",
	"!/1 mg1 T=1{C=-{MF=a{M{TS{SI=TE,BF=OFF,a/b=1},O{MO=SO}}},MF=b{M{O{MO=LB}}}}}",
	("!/1 mg1 T=1{C=-{SC=ROOT{SV{MT=FO,RE=\"905\",DL=30}},SC=ROOT{SV{MT=GR,RE=\"905\"}},"
	 "SC=ROOT{SV{MT=DC,RE=\"900\"}},SC=ROOT{SV{MT=HO,RE=\"903\",MG=<b.example>:2944}},"
	 "SC=ROOT{SV{MT=FL,RE=\"908\",AD=5}},SC=ROOT{SV{MT=X-abc,RE=\"900\",X+def=[1:2]}}}}"),
	"!/3 mg1 T=1{C=-{SC=a{SV{MT=RS,RE=\"916 Packages Change\",SIC,SG,PG,M{O{nt/jit}}}}}}",
	"!/1 mg1 P=1{C=-{SC=ROOT{SV{MG=MTP{1A2B},V=1,PF=Res_1/2,20260314T09265312}}}}",
	"!/1 mg1 P=1{C=-{N=a,N=b{ER=458{}},SC=ROOT{ER=402{\"no\"}}}}",
	"!/1 mg1 P=1{ER=403{}}",
	"!/3 mg1 T=1{C=1{IEPS=OFF,EG,TP{a,*,OWE,ST=3,b,c,OWB}}}",
	"!/3 mg1 T=1{C=*{CA{IEPS,TP,EG,PR,a/b,PR=3,EGV=EG,IEPS=ON,CT{CLT={1,2},a/c>1},ANDLgc}}}",
	"!/3 mg1 P=1{C=1{IEPS=ON,CT{a/b=1},AV=a{M}}}",
	("!/3 mg1 T=1{C=1{MF=a{SG{a/b{SY=OO,DR=1,SPADI=EX,NC={TO,IBE,IBS,OR,IR},KA,SPARQ=*,SPAIS=2,"
	 "x=1}},EB{a/b{ST=1,x=1},c/*},SA}}}"),
	"!/3 mg1 T=1{C=1{MF=a{E=*{a/b{KA,NBRN{EM{SG,E}},RSE,DM={T:1,(1)},ST=2,x={1,2},EM{E}}}}}}",
	"!/1 mg1 T=1{C=1{N=a{OE=*{a/b{ST=1,x=1},20260101T00000000:c/d},ER=518{}}}}",
};

static void the_rest_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		struct base_arena arena = { 0 };
		struct base_writer w = { 0 };
		struct h248_message *msg = NULL, *again = NULL;
		struct base_error err = { 0 };

		if (h248_text_decode(&arena, kept[i], strlen(kept[i]), NULL, &msg, &err))
			fail_msg("%s: %u: %s", kept[i], err.column, err.text);
		assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), 0);
		assert_string_equal(base_writer_cstr(&w), kept[i]);
		base_writer_reset(&w);
		assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_PRETTY), 0);
		assert_int_equal(
		        h248_text_decode(&arena, (char *)w.data, w.len, NULL, &again, &err), 0);
		assert_true(h248_message_equal(msg, again));
		base_writer_done(&w);
		base_arena_done(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traps_are_taken_or_refused),
		cmocka_unit_test(traps_are_written_as_told),
		cmocka_unit_test(the_rest_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
