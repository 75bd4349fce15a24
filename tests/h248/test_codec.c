/* SPDX-License-Identifier: Apache-2.0 */
/* One door over text and binary. */
#include "check.h"
#include "h248/codec.h"
#include "h248/text.h"

static enum h248_codec detect(const char *text)
{
	return h248_codec_detect(text, strlen(text));
}

static void forms_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(detect("!/1 [192.0.2.1] PN=1{}"), H248_CODEC_COMPACT);
	assert_int_equal(detect("MEGACO/1 [192.0.2.1] Pending=1{}"), H248_CODEC_PRETTY);
	assert_int_equal(detect("; MEGACO ] }\r\n \tmegaco/1"), H248_CODEC_PRETTY);
	assert_int_equal(detect("Authentication = 0x"), H248_CODEC_PRETTY);
	assert_int_equal(detect("au=0x"), H248_CODEC_COMPACT);
	assert_int_equal(detect("\x30\x05"), H248_CODEC_BER);
	assert_int_equal(detect(""), H248_CODEC_COMPACT);
	assert_int_equal(detect(";"), H248_CODEC_COMPACT);
	assert_int_equal(h248_codec_detect(NULL, 0), H248_CODEC_COMPACT);
}

static void names_go_both_ways(void **state)
{
	enum h248_codec codec = H248_CODEC_COMPACT;

	(void)state;
	for (int i = H248_CODEC_COMPACT; i <= H248_CODEC_BER; i++) {
		assert_int_equal(h248_codec_by_name(
		                         base_str_of(h248_codec_name((enum h248_codec)i)), &codec),
		                 0);
		assert_int_equal(codec, i);
	}
	assert_int_equal(base_err_class(h248_codec_by_name(BASE_STR("xml"), &codec)), BASE_CONFIG);
}

static void text_goes_through(void **state)
{
	static const char text[] = "MEGACO/1 [192.0.2.1]\nPending = 7 { }\n";
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct h248_message *msg = NULL;
	enum h248_codec codec = H248_CODEC_BER;

	(void)state;
	assert_int_equal(
	        h248_codec_decode(&arena, text, sizeof(text) - 1, NULL, &msg, &codec, NULL), 0);
	assert_int_equal(codec, H248_CODEC_PRETTY);
	assert_int_equal(h248_codec_encode(&w, msg, codec), 0);
	assert_int_equal(w.len, sizeof(text) - 1);
	assert_memory_equal(w.data, text, w.len);
	base_writer_reset(&w);
	assert_int_equal(
	        h248_codec_encode_transaction(&w, msg->transactions, 1, H248_CODEC_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&w), "PN=7{}");
	base_writer_done(&w);
	base_arena_done(&arena);
}

/* Blocks in blocks, on one line and on several, SDP, long values. */
static const char rich[] =
        "MEGACO/3 [192.0.2.1]:2944\n"
        "Transaction=5{Context=${Topology{a,b,Bothway},Add=a1{Media{TerminationState{"
        "ServiceStates=InService},Stream=1{LocalControl{Mode=SendReceive,nt/jit=40,tdmc/ec=on},"
        "Local{\r\nv=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP 8\r\n}}},"
        "Events=5{al/on{Embed{Signals{cg/dt{SignalType=OnOff}},Events=6{dd/ce{DigitMap=dial0},"
        "al/of}}},al/fl{mindur=100,maxdur=900}},Signals{SignalList=7{al/ri{SignalType=TimeOut,"
        "Duration=500,NotifyCompletion={TimeOut,IntByEvent}},cg/bt}},DigitMap=d{T:5,(1xx|2.)}},"
        "Modify=b{Audit{Media,Events,Signals,Packages,DigitMap,Statistics,ObservedEvents},"
        "Mux=H223{one/two/three,four/five/six,seven/eight/nine,ten/eleven/twelve,x/y/z}}}}";

/* Heap memory of just that size, so that a sanitizer sees an octet too much. */
static void whole_or_not_at_all(const struct h248_message *msg, enum h248_codec form)
{
	struct base_writer all = { 0 };

	assert_int_equal(h248_codec_encode(&all, msg, form), 0);
	for (size_t cap = 0; cap <= all.len; cap++) {
		uint8_t *room = test_malloc(cap ? cap : 1);
		struct base_writer w = base_writer_over(room, cap);
		int r = h248_codec_encode(&w, msg, form);

		if (cap < all.len) {
			assert_int_equal(base_err_class(r), BASE_LOCAL);
		} else {
			assert_int_equal(r, 0);
			assert_memory_equal(room, all.data, all.len);
		}
		assert_true(w.len <= cap);
		test_free(room);
	}
	base_writer_done(&all);
}

static void a_full_writer_fails_at_any_octet(void **state)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	(void)state;
	if (h248_text_decode(&arena, rich, sizeof(rich) - 1, NULL, &msg, &err))
		fail_msg("%s", err.text);
	for (int form = H248_CODEC_COMPACT; form <= H248_CODEC_BER; form++)
		whole_or_not_at_all(msg, (enum h248_codec)form);
	base_arena_done(&arena);
}

/* `Modify` with a value of n octets, pretty; in the writer. */
static void pretty_modify(struct base_writer *w, const char *value)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	char text[256];

	snprintf(text, sizeof(text), "!/3 m T=9{C=1{MF=a{SG{cg/dt{Xx=%s}}}}}", value);
	assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, NULL), 0);
	assert_int_equal(h248_codec_encode(w, msg, H248_CODEC_PRETTY), 0);
	base_arena_done(&arena);
}

/* A line of a block has at most 92 columns, a comma behind it included: no block sooner unfolded.
 */
static void lines_are_filled_but_not_more(void **state)
{
	static const char on_one[] = "\n        Modify = a { Signals { cg/dt { Xx = ";
	static const char on_three[] =
	        "\n        Modify = a {\n            Signals { cg/dt { Xx = ";
	static const char on_five[] = "\n        Modify = a {\n            Signals {\n"
	                              "                cg/dt { Xx = ";

	(void)state;
	for (unsigned n = 36; n < 58; n++) {
		struct base_writer w = { 0 };
		bool one = 8 + sizeof("Modify = a { Signals { cg/dt { Xx =  } } },") - 1 + n <= 92;
		bool two = 12 + sizeof("Signals { cg/dt { Xx =  } },") - 1 + n <= 92;
		char value[64], want[256];

		memset(value, 'y', n);
		value[n] = '\0';
		snprintf(want, sizeof(want), "%s%s%s",
		         one   ? on_one
		         : two ? on_three
		               : on_five,
		         value,
		         one   ? " } } }\n"
		         : two ? " } }\n"
		               : " }\n");
		pretty_modify(&w, value);
		if (!strstr(base_writer_cstr(&w), want))
			fail_msg("%s\nis not in\n%s", want, base_writer_cstr(&w));
		base_writer_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_told_apart),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(text_goes_through),
		cmocka_unit_test(a_full_writer_fails_at_any_octet),
		cmocka_unit_test(lines_are_filled_but_not_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
