/* SPDX-License-Identifier: Apache-2.0 */
/* One broken thing in a message is answered for itself; the rest of the message goes on. */
#include "check.h"
#include "h248/h248.h"

struct decoded {
	struct base_arena arena;
	struct h248_message *msg;
};

static struct decoded decode(const char *text)
{
	struct h248_text_options options = { .contain = true };
	struct decoded d = { 0 };

	assert_int_equal(h248_text_decode(&d.arena, text, strlen(text), &options, &d.msg, NULL), 0);
	return d;
}

static void done(struct decoded *d)
{
	base_arena_done(&d->arena);
}

/* The n-th transaction. */
static struct h248_transaction *nth(const struct decoded *d, unsigned n)
{
	struct h248_transaction *txn = d->msg->transactions;

	for (; n && txn; n--)
		txn = txn->next;
	assert_non_null(txn);
	return txn;
}

static void a_broken_command_leaves_its_neighbours(void **state)
{
	struct decoded d = decode("MEGACO/1 mg1\nT=7{C=3{A=a,\n MF=b{M{O{MO=bogus,a/b=\"}\"}}},\n"
	                          " S=c},C=4{S=d}}\nT=8{C=-{S=e}}");
	const struct h248_transaction *txn = nth(&d, 0);
	const struct h248_command *c = txn->actions->commands;

	(void)state;
	assert_int_equal(txn->id, 7);
	assert_true(txn->faulty);
	assert_null(txn->fault);
	assert_int_equal(c->kind, H248_ADD);
	assert_null(c->fault);
	c = c->next;
	assert_int_equal(c->kind, H248_MODIFY);
	assert_true(base_str_eq(c->term.name, BASE_STR("b")));
	assert_null(c->descriptors);
	assert_int_equal(c->fault->code, 442);
	assert_int_equal(c->fault->level, H248_FAULT_COMMAND);
	assert_int_equal(c->fault->line, 3);
	assert_int_equal(c->fault->column, 14);
	assert_true(base_str_eq(c->fault->token, BASE_STR("bogus")));
	assert_true(c->fault->has_transaction && c->fault->transaction == 7);
	assert_true(c->fault->has_context && c->fault->context == 3);
	assert_true(c->fault->has_command && c->fault->command == H248_MODIFY);
	assert_string_equal(c->fault->text,
	                    "line 3, column 14: expected a stream mode, found bogus");
	c = c->next;
	assert_int_equal(c->kind, H248_SUBTRACT);
	assert_null(c->fault);
	assert_int_equal(txn->actions->next->context, 4);
	assert_int_equal(nth(&d, 1)->id, 8);
	assert_false(nth(&d, 1)->faulty);
	assert_ptr_equal(d.msg->faults, txn->actions->commands->next->fault);
	assert_null(d.msg->faults->next);
	done(&d);
}

static void braces_in_strings_and_sdp_do_not_count(void **state)
{
	struct decoded d = decode("!/1 mg1 T=1{C=1{"
	                          "A=b{M{L ;{\n {\nv=0\na=\"{\\}{{\n},O{MO=bogus}}},"
	                          "A=c{E=1{a/b{x=\"{\"}},X},"
	                          "A=L{M{O{MO=bogus,a/b={1}}}},MF=R}}T=2{C=1{S=z}}");
	const struct h248_command *c = nth(&d, 0)->actions->commands;

	(void)state;
	assert_non_null(c->fault); /* b: bogus mode behind an SDP full of braces */
	c = c->next;
	assert_int_equal(c->fault->code, 444); /* c: X is no descriptor */
	c = c->next;
	assert_int_equal(c->fault->code, 442); /* a termination called L is not Local */
	c = c->next;
	assert_null(c->fault);
	assert_true(base_str_eq(c->term.name, BASE_STR("R")));
	assert_null(c->next);
	assert_int_equal(nth(&d, 1)->id, 2);
	assert_false(nth(&d, 1)->faulty);
	done(&d);
}

static void a_broken_action_leaves_its_neighbours(void **state)
{
	struct decoded d =
	        decode("!/1 mg1 T=1{C=1{A=a},C=0{A=b},X=2{A=c},C=3{PR=1,PR=2,A=d},C=4{A=e}}");
	const struct h248_action *action = nth(&d, 0)->actions;

	(void)state;
	assert_null(action->fault);
	action = action->next;
	assert_int_equal(action->fault->code, 422);
	assert_int_equal(action->fault->level, H248_FAULT_ACTION);
	assert_false(action->has_context);
	assert_null(action->commands);
	action = action->next;
	assert_int_equal(action->fault->code, 422);
	action = action->next;
	assert_int_equal(action->fault->code, 422);
	assert_true(action->has_context && action->context == 3);
	assert_null(action->attr);
	action = action->next;
	assert_null(action->fault);
	assert_int_equal(action->context, 4);
	assert_null(action->next);
	done(&d);
}

static void a_broken_transaction_leaves_its_neighbours(void **state)
{
	struct decoded d = decode("!/1 mg1 T=1{C=1{A=a}}T={C=1{A=b}}T=3x{C=1{A=c}}"
	                          "PN=4{x}Nonsense=5{a{b}}K{1-}T=6{C=1{A=d}}");
	struct h248_transaction *txn;

	(void)state;
	assert_null(nth(&d, 0)->fault);
	txn = nth(&d, 1); /* no id: answered with 403 and id 0 */
	assert_int_equal(txn->fault->code, 403);
	assert_int_equal(txn->fault->transaction, 0);
	assert_int_equal(txn->id, 0);
	txn = nth(&d, 2);
	assert_int_equal(txn->fault->code, 403);
	assert_int_equal(txn->fault->transaction, 3);
	txn = nth(&d, 3);
	assert_int_equal(txn->kind, H248_PENDING);
	assert_int_equal(txn->fault->code, 403);
	txn = nth(&d, 4);
	assert_int_equal(txn->kind, H248_TRANSACTION_UNKNOWN);
	assert_int_equal(txn->fault->code, 403);
	txn = nth(&d, 5);
	assert_int_equal(txn->kind, H248_ACK);
	assert_non_null(txn->fault);
	assert_null(txn->acks);
	txn = nth(&d, 6);
	assert_int_equal(txn->id, 6);
	assert_null(txn->fault);
	assert_null(txn->next);
	assert_true(base_str_eq(txn->text, BASE_STR("T=6{C=1{A=d}}")));
	done(&d);
}

static void a_cut_message_keeps_what_was_whole(void **state)
{
	struct decoded d = decode("!/2 mg1 T=1{C=1{A=a}}\nT=2{C=1{A=b{M{O{MO=SR}");
	const struct h248_transaction *txn = nth(&d, 0);

	(void)state;
	assert_null(txn->fault);
	txn = nth(&d, 1);
	assert_int_equal(txn->id, 2);
	assert_int_equal(txn->fault->code, 403);
	assert_int_equal(txn->fault->level, H248_FAULT_TRANSACTION);
	assert_int_equal(txn->fault->line, 2);
	assert_null(txn->actions);
	assert_null(txn->next);
	done(&d);
}

static void a_broken_body_keeps_the_header(void **state)
{
	struct decoded d = decode("!/2 [192.0.2.1]:2944 T=1{C=1{A=a}} % T=2{C=1{A=b}}");

	(void)state;
	assert_int_equal(d.msg->version, 2);
	assert_int_equal(d.msg->mid.kind, H248_MID_IP4);
	assert_int_equal(d.msg->mid.port, 2944);
	assert_null(nth(&d, 0)->fault);
	assert_null(nth(&d, 0)->next);
	assert_int_equal(d.msg->faults->code, 400);
	assert_int_equal(d.msg->faults->level, H248_FAULT_MESSAGE);
	done(&d);
	d = decode("!/7 mg1 whatever");
	assert_int_equal(d.msg->version, 7);
	assert_int_equal(d.msg->mid.kind, H248_MID_DEVICE);
	assert_int_equal(d.msg->faults->code, 406);
	assert_int_equal(d.msg->faults->level, H248_FAULT_MESSAGE);
	done(&d);
	d = decode("HELO example");
	assert_int_equal(d.msg->version, 0);
	assert_int_equal(d.msg->faults->code, 400);
	done(&d);
	d = decode("");
	assert_int_equal(d.msg->faults->code, 400);
	assert_int_equal(d.msg->faults->line, 1);
	done(&d);
}

static void replies_are_contained_too(void **state)
{
	struct decoded d = decode("!/1 mg1 P=1{C=1{A=a{M{},PG{x-1}},MF=b,ER=500{}}}P=2{C=-{S=c}}");
	const struct h248_transaction *txn = nth(&d, 0);

	(void)state;
	assert_true(txn->faulty);
	assert_int_equal(txn->actions->commands->fault->code, 442);
	assert_null(txn->actions->commands->next->fault);
	assert_int_equal(txn->actions->error->code, 500);
	assert_false(nth(&d, 1)->faulty);
	done(&d);
}

static void codes_fit_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		unsigned code;
	} rows[] = {
		{ "!/1 mg1 T=1{C=1{X=a}}", 443 },
		{ "!/1 mg1 T=1{C=1{A=a{Unknown{b}}}}", 444 },
		{ "!/1 mg1 T=1{C=1{N=a{SG{}}}}", 447 },
		{ "!/1 mg1 T=1{C=1{A=a{SG{},SG{}}}}", 448 },
		{ "!/1 mg1 T=1{C=1{A=a{M{O{a/b=1,a/b=1}}}}}", 456 },
		{ "!/1 mg1 T=1{C=1{SC=a{SV{MT=RS}}}}", 472 },
		{ "!/1 mg1 T=1{C=1{A=a{#}}}", 442 },
		{ "!/1 mg1 T=1{C=1{A=a+}}", 410 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decoded d = decode(rows[i].text);

		assert_int_equal(d.msg->faults->code, rows[i].code);
		assert_int_equal(d.msg->faults->level, H248_FAULT_COMMAND);
		assert_non_null(h248_error_text(rows[i].code));
		done(&d);
	}
}

/* ---- limits ------------------------------------------------------------------------------ */

static void strict(const char *text, const struct h248_text_options *options, size_t limit, int rc)
{
	struct base_arena arena = { .limit = limit };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	assert_int_equal(h248_text_decode(&arena, text, strlen(text), options, &msg, &err), rc);
	assert_true(rc ? err.text[0] && !msg : msg != NULL);
	base_arena_done(&arena);
}

static void limits_are_ours_not_the_peers(void **state)
{
	static const struct h248_text_options few = { .max_items = 7 },
	                                      one = { .max_transactions = 1 };
	static const char text[] = "!/1 mg1 T=1{C=1{A=a,A=b,A=c,A=d,A=e}}";

	(void)state;
	strict(text, NULL, 0, 0);
	strict(text, NULL, 500, BASE_ERR(BASE_LOCAL, 510));
	strict(text, &few, 0, BASE_ERR(BASE_LOCAL, 510));
	strict("!/1 mg1 PN=1{}PN=2{}", &one, 0, BASE_ERR(BASE_PEER, 413));
}

/* Neither in text nor in SDP (trap 7.4), wherever it stands. */
static void an_octet_zero_is_never_data(void **state)
{
	static const char text[] = "!/3 mg1 T=1{C=1{A=a{M{O{a/b=\"c\",d/e=f},L{v=0}}}}}";
	struct base_arena arena = { 0 };

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		struct h248_message *msg = NULL;
		struct base_error err = { 0 };
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		copy[at] = '\0';
		assert_int_equal(base_err_class(h248_text_decode(
		                         &arena, copy, sizeof(copy) - 1 + (at + 1 == sizeof(text)),
		                         NULL, &msg, &err)),
		                 BASE_PEER);
		assert_in_range(err.column, 1, at + 1);
		base_arena_reset(&arena);
	}
	base_arena_done(&arena);
}

/* CR, LF and CR LF each end one line. */
static void places_count_lines(void **state)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	static const char text[] = "!/1 mg1\r\nPN=1{}\rPN=2{}\nPN=3{}\n\r  PN=x{}";

	(void)state;
	assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, &err),
	                 BASE_ERR(BASE_PEER, 403));
	assert_int_equal(err.line, 6);
	assert_int_equal(err.column, 6);
	assert_string_equal(err.text, "expected a number, found x");
	base_arena_done(&arena);
}

/* Every limit of memory up to what is needed: an error, never a crash. */
static void memory_may_end_anywhere(void **state)
{
	static const char text[] =
	        "!/3 mg1 T=1{C=1{PR=3,CA{PR},A=a{M{ST=1{O{MO=SR,a/b=[1,2]},L{v=\\}0\n}}},"
	        "E=1{a/b{EM{SG{c/d}}}},DM=d{( 1 | 2 )}},X=y}}";
	int rc = -1;

	(void)state;
	for (size_t limit = 16; rc; limit += 16) {
		for (unsigned contain = 0; contain < 2; contain++) {
			struct h248_text_options options = { .contain = contain };
			struct base_arena arena = { .limit = limit };
			struct h248_message *msg = NULL;

			rc = h248_text_decode(&arena, text, strlen(text), &options, &msg, NULL);
			assert_true(rc == 0 || rc == BASE_ERR(BASE_LOCAL, 510) ||
			            (!contain && rc == BASE_ERR(BASE_PEER, 443)));
			base_arena_done(&arena);
		}
	}
}

static char *repeat(const char *before, const char *what, size_t times, const char *after)
{
	size_t len = strlen(what);
	char *text = malloc(strlen(before) + len * times + strlen(after) + 1), *at = text;

	at = stpcpy(at, before);
	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, what);
	(void)stpcpy(at, after);
	return text;
}

static void depth_bombs(void **state)
{
	static const struct {
		const char *before, *what;
		int rc;
	} rows[] = {
		{ "!/3 mg1 T=1{C=1{A=a{E=1{a/b{", "NBRN{EM{E=1{a/b{", BASE_ERR(BASE_LOCAL, 510) },
		{ "!/3 mg1 T=1{C=1{A=a{E=1{a/b{", "EM{E=1{a/b{", BASE_ERR(BASE_PEER, 442) },
		{ "!/3 mg1 T=1{C=1{CA{", "CT{", BASE_ERR(BASE_PEER, 422) },
		{ "!/3 mg1 T=1{C=1{A=a{SG{", "SL=1{", BASE_ERR(BASE_PEER, 442) },
		{ "!/3 mg1 T=1{", "{", BASE_ERR(BASE_PEER, 422) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = repeat(rows[i].before, rows[i].what, 20000, "");
		struct decoded d;

		strict(text, NULL, 0, rows[i].rc);
		d = decode(text);
		assert_non_null(d.msg->faults);
		done(&d);
		free(text);
	}
}

/* Lists that are checked for doubles are bounded, so that the work stays linear. */
static void long_lists(void **state)
{
	char *text = repeat("!/1 mg1 T=1{C=1{A=a{M{O{", "a/b=1,", 300, "c/d=1}}}}}");
	char *at = text, *streams;
	struct decoded d;

	(void)state;
	for (unsigned i = 0; (at = strstr(at, "a/b")); i++, at += 3) { /* all different */
		at[0] = (char)('a' + i % 26);
		at[2] = (char)('a' + i / 26);
	}
	strict(text, NULL, 0, BASE_ERR(BASE_LOCAL, 510));
	d = decode(text);
	assert_int_equal(d.msg->faults->code, 510);
	assert_int_equal(d.msg->faults->level, H248_FAULT_COMMAND);
	done(&d);
	free(text);
	streams = repeat("!/1 mg1 T=1{C=1{", "A=a,", 10000, "A=a}}");
	strict(streams, NULL, 0, 0);
	free(streams);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_command_leaves_its_neighbours),
		cmocka_unit_test(braces_in_strings_and_sdp_do_not_count),
		cmocka_unit_test(a_broken_action_leaves_its_neighbours),
		cmocka_unit_test(a_broken_transaction_leaves_its_neighbours),
		cmocka_unit_test(a_cut_message_keeps_what_was_whole),
		cmocka_unit_test(a_broken_body_keeps_the_header),
		cmocka_unit_test(replies_are_contained_too),
		cmocka_unit_test(codes_fit_what_is_wrong),
		cmocka_unit_test(limits_are_ours_not_the_peers),
		cmocka_unit_test(an_octet_zero_is_never_data),
		cmocka_unit_test(places_count_lines),
		cmocka_unit_test(memory_may_end_anywhere),
		cmocka_unit_test(depth_bombs),
		cmocka_unit_test(long_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
