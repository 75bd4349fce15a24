/* SPDX-License-Identifier: Apache-2.0 */
/* Messages built here, what is written for them, and the tables behind. */
#include "check.h"
#include "h248/h248.h"
#include "h248/text_tokens.h"

static struct h248_message *reply(struct base_arena *arena)
{
	struct h248_mid mid;
	struct h248_message *msg;
	struct h248_transaction *txn;
	struct h248_action *action;
	struct h248_command *add;
	struct h248_stream *stream;
	struct h248_statistics *sa;

	assert_int_equal(h248_mid_parse(BASE_STR("[192.0.2.1]:2944"), &mid), 0);
	msg = h248_message_new(arena, 1, &mid);
	txn = h248_reply_new(arena, 77);
	h248_transaction_append(msg, txn);
	action = h248_action_add(arena, txn, 5);
	add = h248_command_add(arena, action, H248_ADD, BASE_STR("ip/1"));
	stream = h248_stream_add(arena, h248_media_add(arena, add), 1);
	assert_non_null(stream);
	stream->control = BASE_NEW(arena, struct h248_local_control);
	stream->control->mode = H248_SEND_RECEIVE;
	assert_non_null(
	        h248_parm_set_u64(arena, &stream->control->parms, h248_name_of("nt/jit"), 40));
	stream->has_local = true;
	stream->local = BASE_STR("v=0\na={x}");
	sa = h248_statistics_add(arena, add);
	assert_non_null(
	        h248_parm_set(arena, &sa->parms, h248_name_of("nt/dur"), BASE_STR("1"), true));
	assert_non_null(h248_error_add(
	        arena, h248_command_add(arena, action, H248_MODIFY, BASE_STR("ip/2")), 430, NULL));
	action->error = h248_error_new(arena, 510, "no \"ports\"\n");
	assert_non_null(h248_ack_add(arena, h248_transaction_add(arena, msg, H248_ACK, 0), 1, 3));
	return msg;
}

static void built_replies_are_written(void **state)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct h248_message *msg = reply(&arena), *again = NULL;

	(void)state;
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&w),
	                    "!/1 [192.0.2.1]:2944 P=77{C=5{A=ip/1{M{ST=1{O{MO=SR,nt/jit=40},L{\n"
	                    "v=0\na={x\\}\n}}},SA{nt/dur=\"1\"}},"
	                    "MF=ip/2{ER=430{\"Unknown TerminationID\"}},"
	                    "ER=510{\"no 'ports'?\"}}}K{1-3}");
	assert_int_equal(h248_text_decode(&arena, (const char *)w.data, w.len, NULL, &again, NULL),
	                 0);
	assert_true(h248_message_equal(msg, again));
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void pretty_looks_like_the_examples(void **state)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };

	(void)state;
	assert_int_equal(h248_text_encode(&w, reply(&arena), H248_TEXT_PRETTY), 0);
	assert_string_equal(
	        base_writer_cstr(&w),
	        "MEGACO/1 [192.0.2.1]:2944\n"
	        "Reply = 77 {\n"
	        "    Context = 5 {\n"
	        "        Add = ip/1 {\n"
	        "            Media {\n"
	        "                Stream = 1 {\n"
	        "                    LocalControl { Mode = SendReceive, nt/jit = 40 },\n"
	        "                    Local {\n"
	        "v=0\n"
	        "a={x\\}\n"
	        "}\n"
	        "                }\n"
	        "            },\n"
	        "            Statistics { nt/dur = \"1\" }\n"
	        "        },\n"
	        "        Modify = ip/2 { Error = 430 { \"Unknown TerminationID\" } },\n"
	        "        Error = 510 { \"no 'ports'?\" }\n"
	        "    }\n"
	        "}\n"
	        "TransactionResponseAck { 1-3 }\n");
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void what_text_cannot_carry_is_not_written(void **state)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = reply(&arena);
	struct h248_command *add = msg->transactions->actions->commands;
	struct h248_stream *stream = h248_media_stream(h248_command_media(add), 1);
	struct base_writer w = { 0 };
	char room[40];

	(void)state;
	stream->control->parms->value.text = BASE_STR("1},X{");
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), BASE_ERR(BASE_BUG, 500));
	stream->control->parms->value.text = BASE_STR("");
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), BASE_ERR(BASE_BUG, 500));
	stream->control->parms->value.quoted = true;
	base_writer_reset(&w);
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), 0);
	stream->control->parms->value.text = BASE_STR("a\"b");
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), BASE_ERR(BASE_BUG, 500));
	stream->control->parms->value.text = BASE_STR("ab");
	add->term.name = BASE_STR("ip 1");
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), BASE_ERR(BASE_BUG, 500));
	add->term.name = BASE_STR("ip/1");
	base_writer_done(&w);
	w = base_writer_over(room, sizeof(room));
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_COMPACT), BASE_ERR(BASE_LOCAL, 533));
	w = base_writer_over(room, sizeof(room));
	assert_int_equal(h248_text_encode(&w, msg, H248_TEXT_PRETTY), BASE_ERR(BASE_LOCAL, 533));
	base_arena_done(&arena);
}

static void accessors_find(void **state)
{
	static const char text[] =
	        "!/3 mg1 T=1{C=1{A=ip/1{M{O{MO=SR,NT/jit=40,a/b=[1,2]}},SG{x/y{par=7}}}}}";
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	const struct h248_command *add;
	const struct h248_stream *stream;
	struct base_str value;

	(void)state;
	assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, NULL), 0);
	add = msg->transactions->actions->commands;
	assert_null(h248_command_events(add));
	assert_null(h248_command_error(add));
	stream = h248_media_stream(h248_command_media(add), 1);
	assert_true(stream->implied);
	assert_null(h248_media_stream(h248_command_media(add), 2));
	assert_true(h248_parm_text(h248_parm_find(stream->control->parms, "nt", "JIT"), &value));
	assert_true(base_str_eq(value, BASE_STR("40")));
	assert_false(h248_parm_text(h248_parm_find(stream->control->parms, "a", "b"), &value));
	assert_null(h248_parm_find(stream->control->parms, "a", "c"));
	assert_true(h248_parm_text(
	        h248_parm_find(h248_command_signals(add)->signals->parms, "", "par"), &value));
	base_arena_done(&arena);
}

static void terminations_match(void **state)
{
	(void)state;
	assert_true(h248_term_match(BASE_STR("*"), BASE_STR("ip/1")));
	assert_true(h248_term_match(BASE_STR("IP/*"), BASE_STR("ip/1")));
	assert_true(h248_term_match(BASE_STR("r13/*/1"), BASE_STR("R13/3/1")));
	assert_false(h248_term_match(BASE_STR("r13/*/1"), BASE_STR("R13/3/2")));
	assert_false(h248_term_match(BASE_STR("ip"), BASE_STR("ip/1")));
	assert_true(h248_term_match(BASE_STR("*a*b"), BASE_STR("aabab")));
	assert_false(h248_term_match(BASE_STR("*a*b"), BASE_STR("aaba")));
	assert_int_equal(h248_term_of(BASE_STR("root")).kind, H248_TERM_ROOT);
	assert_int_equal(h248_term_of(BASE_STR("ip/$")).kind, H248_TERM_PARTIAL);
}

static void times_are_utc(void **state)
{
	struct h248_time time = h248_time_of(1773479573, 7);

	(void)state;
	assert_memory_equal(time.digits, "2026031409125307", 16);
}

static void each_spelling_is_found(void **state)
{
	(void)state;
	for (int t = TOK_NONE + 1; t < TOK_COUNT; t++) {
		const struct h248_token_row *row = &h248_tokens[t];
		char upper[32] = "";

		assert_int_equal(h248_token_of(base_str_of(row->name)), t);
		assert_int_equal(h248_token_of(base_str_of(row->brief)), t);
		for (size_t i = 0; row->name[i]; i++)
			upper[i] = (char)(row->name[i] >= 'a' && row->name[i] <= 'z'
			                          ? row->name[i] - 32
			                          : row->name[i]);
		assert_int_equal(h248_token_of(base_str_of(upper)), t);
		assert_in_range(row->since, 1, 3);
	}
	assert_int_equal(h248_token_of(BASE_STR("")), TOK_NONE);
	assert_int_equal(h248_token_of(BASE_STR("Mod")), TOK_NONE);
	assert_int_equal(h248_token_of(BASE_STR("ResetEventsDescriptors")), TOK_NONE);
}

static void codes_have_their_registered_text(void **state)
{
	(void)state;
	assert_string_equal(h248_error_text(400), "Syntax error in message");
	assert_string_equal(h248_error_text(581), "Does Not Exist");
	assert_null(h248_error_text(404));
	assert_null(h248_error_text(0));
	for (unsigned code = 0; code < 10000; code++)
		assert_true(!h248_error_text(code) || !strchr(h248_error_text(code), '"'));
	assert_string_equal(h248_reason_text(901), "901 Cold Boot");
	assert_string_equal(h248_reason_text(920), "920 Cold Failover");
	assert_null(h248_reason_text(921));
	assert_null(h248_reason_text(899));
}

/* A difference anywhere is a difference. */
static void unequal_is_seen(void **state)
{
	static const char *const texts[] = {
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=x}}}}}",
		"!/2 mg1 T=1{C=1{A=a{M{O{a/b=x}}}}}",
		"!/1 mg2 T=1{C=1{A=a{M{O{a/b=x}}}}}",
		"!/1 mg1 T=2{C=1{A=a{M{O{a/b=x}}}}}",
		"!/1 mg1 T=1{C=2{A=a{M{O{a/b=x}}}}}",
		"!/1 mg1 T=1{C=1{MF=a{M{O{a/b=x}}}}}",
		"!/1 mg1 T=1{C=1{A=b{M{O{a/b=x}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=y}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=\"x\"}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=\"X\"}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=[x]}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b={x}}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=[x:y]}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=[x,y]}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b#x}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/c=x}}}}}",
		"!/1 mg1 T=1{C=1{O-A=a{M{O{a/b=x}}}}}",
		"!/1 mg1 T=1{C=1{W-A=a{M{O{a/b=x}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{ST=1{O{a/b=x}}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{TS{a/b=x}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=x},L{}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=x},L{v}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=x},L{V}}}}}",
		"!/1 mg1 T=1{C=1{A=a{M{O{a/b=x},R{v}}}}}",
		"!/1 mg1 T=1{C=1{A=a{E=1{a/b}}}}",
		"!/1 mg1 T=1{C=1{A=a{E=2{a/b}}}}",
		"!/1 mg1 T=1{C=1{A=a{E=1{a/b{KA}}}}}",
		"!/1 mg1 T=1{C=1{A=a{E=1{a/b{DM=d}}}}}",
		"!/1 mg1 T=1{C=1{A=a{E=1{a/b{EM{SG{}}}}}}}",
		"!/1 mg1 T=1{C=1{A=a{SG{a/b}}}}",
		"!/1 mg1 T=1{C=1{A=a{SG{SL=1{a/b}}}}}",
		"!/1 mg1 T=1{C=1{A=a{SG{a/b{DR=1}}}}}",
		"!/1 mg1 T=1{C=1{A=a{SG{a/b{DR=2}}}}}",
		"!/1 mg1 T=1{C=1{A=a{SG{a/b{NC={TO}}}}}}",
		"!/1 mg1 T=1{C=1{PR=1,A=a{SG{a/b}}}}",
		"!/1 mg1 T=1{C=1{CA{PR},A=a{SG{a/b}}}}",
		"!/1 mg1 T=1{C=1{TP{a,b,BW}}}",
		"!/1 mg1 T=1{C=1{TP{a,b,IS}}}",
		"!/1 mg1 P=1{C=1{A=a}}",
		"!/1 mg1 P=1{IA,C=1{A=a}}",
		"!/1 mg1 P=1{C=1{A=a,ER=1{}}}",
		"!/1 mg1 P=1{C=1{A=a,ER=1{\"\"}}}",
		"!/1 mg1 K{1}",
		"!/1 mg1 K{1-2}",
		"!/1 mg1 ER=1{}",
		"!/1 mg1 PN=1{}",
	};
	enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
	struct base_arena arena = { 0 };
	struct h248_message *msgs[COUNT] = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(
		        h248_text_decode(&arena, texts[i], strlen(texts[i]), NULL, &msgs[i], NULL),
		        0);
		for (size_t j = 0; j <= i; j++) {
			if (h248_message_equal(msgs[i], msgs[j]) != (i == j))
				fail_msg("%s ... %s", texts[i], texts[j]);
		}
	}
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_replies_are_written),
		cmocka_unit_test(pretty_looks_like_the_examples),
		cmocka_unit_test(what_text_cannot_carry_is_not_written),
		cmocka_unit_test(accessors_find),
		cmocka_unit_test(terminations_match),
		cmocka_unit_test(times_are_utc),
		cmocka_unit_test(each_spelling_is_found),
		cmocka_unit_test(codes_have_their_registered_text),
		cmocka_unit_test(unequal_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
