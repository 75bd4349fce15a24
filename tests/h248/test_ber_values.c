/* SPDX-License-Identifier: Apache-2.0 */
/* Values, SDP and what only one of the two forms can say (docs/h248-ber.md). */
#include "check.h"
#include "h248/ber.h"

/* Compact text through BER; `want` NULL: the same text comes back. */
static void through(const char *text, const char *want)
{
	struct base_arena arena = { 0 };
	struct base_writer ber = { 0 }, out = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	if (h248_text_decode(&arena, text, strlen(text), NULL, &msg, &err))
		fail_msg("%s: %s", text, err.text);
	if (h248_ber_encode(&ber, msg))
		fail_msg("%s: not encoded", text);
	if (h248_ber_decode(&arena, ber.data, ber.len, NULL, &msg, &err))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(h248_text_encode(&out, msg, H248_TEXT_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&out), want ? want : text);
	base_writer_done(&ber);
	base_writer_done(&out);
	base_arena_done(&arena);
}

static void amm(const char *descriptor, const char *want)
{
	char text[2048], expected[2048];

	snprintf(text, sizeof(text), "!/3 mg1 T=9{C=1{MF=a{%s}}}", descriptor);
	snprintf(expected, sizeof(expected), "!/3 mg1 T=9{C=1{MF=a{%s}}}", want ? want : "");
	through(text, want ? expected : NULL);
}

static void values_keep_their_spelling(void **state)
{
	static const char *const same[] = {
		"M{O{nt/jit=40}}",
		"M{O{nt/jit=-40}}",
		"M{O{nt/jit=$}}",
		"M{O{nt/jit=[20:80],tdmc/gain>2,tdmc/ec=on,a/b<3,c/d#4}}",
		"M{O{nt/jit=[40]}}",
		"M{O{nt/jit={40}}}",
		"M{O{nt/jit=[a,\"b c\",3]}}",
		"E=5{al/on{strict=failWrong},dd/ce{DM=dial0}}",
		"M{O{xctx/a=word,xctx/b=\"a quoted one\",xctx/c=12,xctx/d=012,xctx/e=0x0aff}}",
		"M{O{xctx/f=\"\",xctx/g=*,xctx/h=9223372036854775807,xctx/i=99999999999999999999}}",
		"SG{al/ri{cad=[1,2,3],freq=25}}",
		"SA{nt/dur,rtp/pl=0.2,rtp/ps=[1,2]}",
		"M{O{pkg_7000/id_0001=1,*/*=2,nt/*=3,nt/id_0999=4}}",
		"M{O{pkg_000b/id_0007=1,pkg_f000/id_0001=2,id_0001/pkg_0001=3}}",
		"M{TS{SI=IV,BF=SP}}",
		"M{O{xctx/u=\"\xc3\xa4\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		amm(same[i], NULL);
}

static void values_of_known_types_are_made_right(void **state)
{
	(void)state;
	amm("M{O{nt/jit=0x28}}", "M{O{nt/jit=40}}");
	amm("M{O{nt/jit=040}}", "M{O{nt/jit=40}}");
	amm("M{O{tdmc/ec=true}}", "M{O{tdmc/ec=on}}");
	amm("E=5{al/on{strict=1}}", "E=5{al/on{strict=state}}");
	through("!/3 mg1 T=9{C=1{N=a{OE=5{dd/ce{ds=8431,Meth=um}}}}}",
	        "!/3 mg1 T=9{C=1{N=a{OE=5{dd/ce{ds=\"8431\",Meth=UM}}}}}");
}

/* `$` among octet strings has no octets, and stays itself. */
static void choose_stays_in_a_list_of_octets(void **state)
{
	(void)state;
	through("!/3 mg1 T=9{C=1{N=a{OE=5{g/cause{Failurecause=[0a0b,$]}}}}}", NULL);
	through("!/3 mg1 T=9{C=1{N=a{OE=5{g/cause{Failurecause=$}}}}}", NULL);
}

/* Compact text to BER; the only octets `from` in it become `to`; back to text, and to BER again. */
static void patched(const char *text, const char *from, const char *to, size_t len,
                    const char *want)
{
	struct base_arena arena = { 0 };
	struct base_writer ber = { 0 }, out = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	uint8_t *at;

	assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, NULL), 0);
	assert_int_equal(h248_ber_encode(&ber, msg), 0);
	at = memmem(ber.data, ber.len, from, len);
	assert_non_null(at);
	memcpy(at, to, len);
	if (h248_ber_decode(&arena, ber.data, ber.len, NULL, &msg, &err))
		fail_msg("%s: %s", want, err.text);
	assert_int_equal(h248_text_encode(&out, msg, H248_TEXT_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&out), want);
	base_writer_reset(&ber);
	assert_int_equal(h248_ber_encode(&ber, msg), 0);
	base_writer_done(&ber);
	base_writer_done(&out);
	base_arena_done(&arena);
}

#define ENDED(id) "!/3 mg1 T=9{C=1{N=a{OE=5{g/sc{SigID=\"" id "\",Meth=TO}}}}}"

/* RFC 3525, E.1.2: octets of a pkgdName; a text is taken too, as we once sent it. */
static void a_signal_that_ended_is_named_by_numbers(void **state)
{
	static const char named[] = "\x04\x06\x04\x04\x00\x09\x00\x02";

	(void)state;
	through(ENDED("al/ri"), NULL);
	through(ENDED("xyz/q"), NULL);
	through(ENDED("word"), NULL);
	patched(ENDED("al/ri"), named, named, 8, ENDED("al/ri"));
	patched(ENDED("al/ri"), named, "\x04\x06\x16\x04xy/z", 8, ENDED("xy/z"));
	patched(ENDED("al/ri"), named, "\x04\x06xyz/ab", 8, ENDED("xyz/ab"));
	patched(ENDED("ab"),
	        "\x04\x04\x16\x02"
	        "ab",
	        "\x04\x04\x00\x09\x00\x02", 6, ENDED("al/ri"));
}

#define NAMED(name) "!/3 mg1 T=9{C=1{MF=a{M{O{" name "=1}}}}}"

/* A message's own list gives out names alone; for anything else the number is kept. */
static void a_listed_text_that_is_no_name_is_none(void **state)
{
	static const char *const none[] = {
		"/xpkgany", "xpkgany/", "xpkg_any", "xp/kg/an",  "1pkg/any", "_pkg/any",
		"xpkg/1ny", "xp kg/an", "xpkg/a=1", "xpkg/a\"b", "**/xpkga", "xpkgan/_",
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(none); i++)
		patched(NAMED("xpkg/any"), "xpkg/any", none[i], 8, NAMED("pkg_fffe/id_0000"));
	patched(NAMED("xpkg/any"), "xpkg/any", "ypkg/any", 8, NAMED("ypkg/any"));
	patched(NAMED("xpkg/any"), "xpkg/any", "xpkgan/*", 8, NAMED("xpkgan/*"));
	patched("!/3 mg1 T=9{C=1{MF=a{SG{al/ri{own=1}}}}}", "\x03own", "\x03o/n", 4,
	        "!/3 mg1 T=9{C=1{MF=a{SG{al/ri{id_e000=1}}}}}");
}

/* A text with a slash is no list's name for that alone. */
static void a_signal_of_no_name_stays_a_text(void **state)
{
	(void)state;
	through(ENDED("xyz/q r"), NULL);
	through(ENDED("/q"), NULL);
	through(ENDED("xyz/"), NULL);
	through("!/3 mg1 T=9{C=1{N=a{OE=5{g/sc{SigID=\"b/c d\",Meth=TO},xpkg/any}}}}", NULL);
}

/* Names of modem types, as text has them: X- and at most six. */
static void modem_types_are_as_long_as_in_text(void **state)
{
	static const char modem[] = "!/1 mg1 T=9{C=1{MF=a{MD[V18,X-One,X-Three]}}}";
	struct base_arena arena = { 0 };
	struct base_writer ber = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	uint8_t *at;

	(void)state;
	assert_int_equal(h248_text_decode(&arena, modem, sizeof(modem) - 1, NULL, &msg, NULL), 0);
	assert_int_equal(h248_ber_encode(&ber, msg), 0);
	at = memmem(ber.data, ber.len, "\x05X-One\x07X-Three", 14);
	assert_non_null(at);
	at[0] = 13; /* both in one */
	at[6] = '-';
	assert_int_not_equal(h248_ber_decode(&arena, ber.data, ber.len, NULL, &msg, &err), 0);
	assert_non_null(strstr(err.text, "names of modem types"));
	base_writer_done(&ber);
	base_arena_done(&arena);
}

/* What Erlang sends: the text itself in the OCTET STRING (sheet 4.3). */
static void bare_values_are_taken(void **state)
{
	/* M{O{nt/jit=40}} and E=5{al/on{strict=state}}, bare; then a reason */
	static const uint8_t jit[] =
	        "\x30\x49\xa1\x47\x80\x01\x03\xa1\x05\x83\x03mg1\xa2\x3b\xa1\x39\xa0\x37\x80\x01"
	        "\x09"
	        "\xa1\x32\x30\x30\x80\x01\x01\xa3\x2b\x30\x29\xa0\x27\xa2\x25\xa0\x07\x30\x05\xa0"
	        "\x00"
	        "\x81\x01"
	        "a\xa1\x1a\xa0\x18\xa1\x16\xa0\x14\xa0\x12\xa3\x10\x30\x0e\x80\x04\x00\x0b\x00\x07"
	        "\xa1\x06\x04\x04"
	        "word";
	struct base_arena arena = { 0 };
	struct base_writer out = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	(void)state;
	if (h248_ber_decode(&arena, jit, sizeof(jit) - 1, NULL, &msg, &err))
		fail_msg("%s", err.text);
	assert_int_equal(h248_text_encode(&out, msg, H248_TEXT_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&out), "!/3 mg1 T=9{C=1{MF=a{M{O{nt/jit=word}}}}}");
	base_writer_done(&out);
	base_arena_done(&arena);
}

static void sdp_survives(void **state)
{
	static const char *const sdp[] = {
		("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\ni=x\r\nu=y\r\ne=z\r\np=1\r\nc=IN IP4 "
		 "$\r\n"
		 "b=AS:64\r\nt=0 0\r\nr=7d 1h 0\r\nz=0\r\nk=clear:x\r\na=ptime:20\r\nm=audio $ "
		 "RTP/AVP 8"),
		"v=0\r\nm=audio $ RTP/AVP 0\r\nv=0\r\nm=audio $ RTP/AVP 8", /* two alternatives */
		"m=audio $ RTP/AVP 0",
		"c=$",
		"no SDP at all\r\nv=0\r\nq=?\r\n\r\na=",
		"a=x-h248-00001001:a10504030a0101",                     /* Annex C, Media = Video */
		"a=x-h248-0000b008:a10a04031601610403160162a203820100", /* one of two lines */
		"a=x-h248-nonsense\r\na=x-h248-00001001:ffff",
	};
	char media[512];

	(void)state;
	for (size_t i = 0; i < sizeof(sdp) / sizeof(sdp[0]); i++) {
		/* the text encoder has LF around a single line */
		const char *end = strchr(sdp[i], '\r') ? "\r\n" : "\n";

		snprintf(media, sizeof(media), "M{R{%s%s%s}}", end, sdp[i], end);
		amm(media, NULL);
	}
	amm("M{L{}}", NULL);
	/* other line ends come back as CR LF */
	amm("M{R{\nv=0\nc=IN IP4 $\n}}", "M{R{\r\nv=0\r\nc=IN IP4 $\r\n}}");
}

/* Wherever a line ends, and however: the encoder looks for it in words. */
static void sdp_lines_of_any_length(void **state)
{
	static const char *const ends[] = { "\n", "\r", "\r\n" };
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	char media[512], want[512];

	(void)state;
	for (int len = 1; len <= 50; len++) {
		for (int end = 0; end < 3; end++) {
			snprintf(media, sizeof(media), "M{R{\r\nv=0%ss=%.*s%sa=%.*s\r\n}}",
			         ends[end], len, letters, ends[end], 50 - len, letters);
			snprintf(want, sizeof(want), "M{R{\r\nv=0\r\ns=%.*s\r\na=%.*s\r\n}}", len,
			         letters, 50 - len, letters);
			amm(media, want);
		}
	}
}

/* INTEGER: as many octets as its value and its sign need. */
static void integers_are_as_short_as_can_be(void **state)
{
	static const struct {
		const char *value;
		uint8_t octets[11];
	} cases[] = {
		{ "0", { 4, 3, 2, 1, 0 } },
		{ "127", { 4, 3, 2, 1, 0x7F } },
		{ "128", { 4, 4, 2, 2, 0, 0x80 } },
		{ "-1", { 4, 3, 2, 1, 0xFF } },
		{ "-128", { 4, 3, 2, 1, 0x80 } },
		{ "-129", { 4, 4, 2, 2, 0xFF, 0x7F } },
		{ "32767", { 4, 4, 2, 2, 0x7F, 0xFF } },
		{ "-32769", { 4, 5, 2, 3, 0xFF, 0x7F, 0xFF } },
		{ "4294967296", { 4, 7, 2, 5, 1, 0, 0, 0, 0 } },
	};
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	char text[128];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct base_writer ber = { 0 };

		snprintf(text, sizeof(text), "!/3 mg1 T=9{C=1{MF=a{M{O{nt/jit=%s}}}}}",
		         cases[i].value);
		assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, NULL), 0);
		assert_int_equal(h248_ber_encode(&ber, msg), 0);
		assert_non_null(
		        memmem(ber.data, ber.len, cases[i].octets, cases[i].octets[1] + 2U));
		base_writer_done(&ber);
		through(text, NULL);
	}
	through("!/3 mg1 T=9{C=1{MF=a{M{O{nt/jit=00000000000000000000040}}}}}",
	        "!/3 mg1 T=9{C=1{MF=a{M{O{nt/jit=40}}}}}");
	base_arena_done(&arena);
}

/* A property that is no SDP, in the binary form first. */
static void sdp_that_is_none_survives(void **state)
{
	struct base_arena arena = { 0 };
	struct base_writer ber = { 0 }, again = { 0 }, text = { 0 };
	struct h248_message *msg = NULL;
	static const char from[] =
	        "!/3 mg1 T=9{C=1{MF=a{M{R{\r\nv=0\r\na=x-h248-00001003:a1050403020102\r\n}}}}}";

	(void)state;
	assert_int_equal(h248_text_decode(&arena, from, sizeof(from) - 1, NULL, &msg, NULL), 0);
	assert_int_equal(h248_ber_encode(&ber, msg), 0);
	assert_non_null(memmem(ber.data, ber.len,
	                       "\x30\x0d\x80\x04\x00\x00\x10\x03\xa1\x05\x04\x03\x02\x01\x02", 15));
	assert_null(memmem(ber.data, ber.len, "x-h248", 6));
	assert_int_equal(h248_ber_decode(&arena, ber.data, ber.len, NULL, &msg, NULL), 0);
	assert_int_equal(h248_text_encode(&text, msg, H248_TEXT_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&text), from);
	base_writer_done(&ber);
	base_writer_done(&again);
	base_writer_done(&text);
	base_arena_done(&arena);
}

static void what_only_text_can_say_survives(void **state)
{
	static const char *const same[] = {
		"!/1 mg1 T=9{C=-{SC=ROOT{SV{MT=X-Foo,RE=\"900 x\",X-A=1,X-B=\"two\",X-C=[a,b]}}}}",
		"!/1 mg1 T=9{C=-{SC=ROOT{SV{MT=X-9,RE=\"900\"}}}}",
		"!/1 mg1 T=9{C=1{MF=a{MX=X-Own{a,b}}}}",
		"!/1 mg1 T=9{C=1{MF=a{MX=X-9{a,b}}}}",
		"!/1 mg1 T=9{C=1{MF=a{MD=V18}}}",
		"!/1 mg1 T=9{C=1{MF=a{MD[V18]}}}",
		"!/1 mg1 T=9{C=1{MF=a{MD[V18,X-One,X-Two]{a/b=1}}}}",
		"!/3 mg1 T=9{C=*{CA{CT{CLT={5,6},a/b=1},ANDLgc}}}",
		"!/3 mg1 T=9{C=*{CA{IEPS,TP,EG,PR,a/b,EGV=EGO,IEPS=OFF}}}",
		"!/3 mg1 T=9{C=1{AV=a{AT{M{O{MO#IN,nt/jit>3,RV}},M{TS{SI=IV}},SG{}}}}}",
		"!/2 mg1 T=9{C=1{AV=a{AT{EB{al/on{strict}},EB{al/of{ST=1}},DM=dial0}}}}",
		"!/2 mg1 T=9{C=-{SC=ROOT{SV{MT=RS,RE=\"901\",PF=NoProfile/1,DL=5,MX,PG{nt-1}}}}}",
		"!/3 mg1 T=9{C=1{AV=Media1/A/ROOT2{AT{}},MV=[line/17/with/a/long/name,x]}}",
		"!/3 mg1 P=9/3{IA,C=1,C=2{ER=510{\"no more\"}},C=*{CT{CLT={1,2}}}}",
		"!/1 mg1 P=0{ER=403{}}",
		"!/1 mg1 P=9{C=1{AV=C{a,b},AV=C{ER=431{}},AC=a{MX,MD,M,SG,DM,SA,OE,PG,E,EB}}}",
		"!/3 mg1 P=9{C=1{PR=3,AV=[a,b]{SG,E=1{al/on}}}}",
		"!/1 [2001:db8:0:7::21]:2944 PN=1{}",
		"!/1 MTP{1A2B} PN=1{}",
		"!/1 <mg.example>:1 PN=1{}",
		"au=0x0000beef:0x00000042:0x00112233445566778899aabb !/2 mg7/slot2 PN=1{}",
	};
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct base_writer w = { 0 };

		/* the spelling of our own encoder is what is compared with */
		if (h248_text_decode(&arena, same[i], strlen(same[i]), NULL, &msg, &err))
			fail_msg("%s: %s", same[i], err.text);
		assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), 0);
		through(same[i], base_writer_cstr(&w));
		base_writer_done(&w);
	}
	base_arena_done(&arena);
}

/* More names that no table knows than the first room holds, and the same one many times. */
static void many_names_of_nobody(void **state)
{
	struct base_writer text = { 0 };

	(void)state;
	base_writer_text(&text, "!/3 mg1 T=9{C=1{");
	for (int i = 0; i < 400; i++)
		base_writer_printf(&text, "%sMF=a{M{O{own_package_%d/item_%d=%d,same/one=1}}}",
		                   i ? "," : "", i, i, i);
	base_writer_text(&text, "}}");
	through(base_writer_cstr(&text), NULL);
	base_writer_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_keep_their_spelling),
		cmocka_unit_test(values_of_known_types_are_made_right),
		cmocka_unit_test(choose_stays_in_a_list_of_octets),
		cmocka_unit_test(a_signal_that_ended_is_named_by_numbers),
		cmocka_unit_test(a_listed_text_that_is_no_name_is_none),
		cmocka_unit_test(a_signal_of_no_name_stays_a_text),
		cmocka_unit_test(modem_types_are_as_long_as_in_text),
		cmocka_unit_test(bare_values_are_taken),
		cmocka_unit_test(sdp_survives),
		cmocka_unit_test(sdp_lines_of_any_length),
		cmocka_unit_test(integers_are_as_short_as_can_be),
		cmocka_unit_test(sdp_that_is_none_survives),
		cmocka_unit_test(what_only_text_can_say_survives),
		cmocka_unit_test(many_names_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
