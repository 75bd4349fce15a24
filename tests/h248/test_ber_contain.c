/* SPDX-License-Identifier: Apache-2.0 */
/* One broken thing in binary is answered for itself, as in text; the rest goes on. */
#include "check.h"
#include "h248/ber.h"

struct decoded {
	struct base_arena arena;
	struct base_writer ber;
	struct h248_message *msg;
};

/* The BER of `text` with the octets `hex` (found once) replaced by `by`, of the same length. */
static struct decoded broken(const char *text, const char *hex, const char *by, bool indefinite)
{
	struct h248_text_options options = { .contain = true };
	struct decoded d = { .msg = NULL };
	uint8_t from[64], to[64], *at;
	size_t from_len = 0, to_len = 0;

	assert_int_equal(base_hex_decode(base_str_of(hex), from, sizeof(from), &from_len), 0);
	assert_int_equal(base_hex_decode(base_str_of(by), to, sizeof(to), &to_len), 0);
	assert_int_equal(from_len, to_len);
	assert_int_equal(h248_text_decode(&d.arena, text, strlen(text), NULL, &d.msg, NULL), 0);
	assert_int_equal(h248_ber_encode(&d.ber, d.msg), 0);
	at = memmem(d.ber.data, d.ber.len, from, from_len);
	assert_non_null(at);
	memcpy(at, to, to_len);
	if (indefinite) { /* 30 81 L becomes 30 80 .. 00 00 */
		assert_int_equal(d.ber.data[1], 0x81);
		memmove(d.ber.data + 2, d.ber.data + 3, d.ber.len - 3);
		d.ber.data[1] = 0x80;
		d.ber.len--;
		base_writer_u16(&d.ber, 0);
	}
	assert_int_equal(h248_ber_decode(&d.arena, d.ber.data, d.ber.len, &options, &d.msg, NULL),
	                 0);
	return d;
}

static void done(struct decoded *d)
{
	base_writer_done(&d->ber);
	base_arena_done(&d->arena);
}

static const char several[] =
        "MEGACO/1 mg1 T=7{C=3{A=a,MF=b{M{O{MO=SR}}},S=c},C=4{S=d}}T=8{C=-{S=e}}";

static void a_broken_command_leaves_its_neighbours(void **state)
{
	/* streamMode 2 of the LocalControl becomes 9 */
	struct decoded d = broken(several, "a005800102a300", "a005800109a300", false);
	const struct h248_transaction *txn = d.msg->transactions;
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
	assert_int_equal(c->fault->line, 0);
	assert_int_equal(d.ber.data[c->fault->offset], 0x80);
	assert_int_equal(d.ber.data[c->fault->offset + 2], 0x09);
	assert_non_null(strstr(c->fault->text,
	                       "transactions[0].actions[0].commandRequests[1].Modify.descriptors[0]"
	                       ".mediaDescriptor.oneStream.localControlDescriptor.streamMode: "
	                       "octet "));
	assert_null(strchr(c->fault->text, '"'));
	assert_true(c->fault->has_transaction && c->fault->transaction == 7);
	assert_true(c->fault->has_context && c->fault->context == 3);
	assert_true(c->fault->has_command && c->fault->command == H248_MODIFY);
	assert_int_equal(c->next->kind, H248_SUBTRACT);
	assert_int_equal(txn->actions->next->context, 4);
	assert_null(txn->actions->next->commands->fault);
	assert_ptr_equal(d.msg->faults, c->fault);
	assert_false(txn->next->faulty);
	assert_int_equal(txn->next->id, 8);
	done(&d);
}

/* As above, where nothing says where the outer value ends but the end itself. */
static void also_with_indefinite_lengths(void **state)
{
	struct decoded d = broken(several, "a005800102a300", "a005800109a300", true);

	(void)state;
	assert_int_equal(d.msg->faults->level, H248_FAULT_COMMAND);
	assert_null(d.msg->faults->next);
	assert_int_equal(d.msg->transactions->next->id, 8);
	done(&d);
}

static void an_unknown_command_is_443(void **state)
{
	/* subtractReq [3] of termination d becomes [13] */
	struct decoded u =
	        broken(several, "a309a0073005a000810164", "ad09a0073005a000810164", false);

	(void)state;
	assert_int_equal(u.msg->faults->code, 443);
	assert_int_equal(u.msg->faults->command, H248_COMMAND_UNKNOWN);
	assert_int_equal(u.msg->faults->context, 4);
	done(&u);
}

static void a_broken_action_leaves_its_neighbours(void **state)
{
	/* contextId 4 becomes a value of no octets, and a NULL of one */
	struct decoded d = broken(several, "800104a3", "850104a3", false);
	const struct h248_transaction *txn = d.msg->transactions;
	const struct h248_action *action = txn->actions->next;

	(void)state;
	assert_null(txn->fault);
	assert_null(txn->actions->fault);
	assert_int_equal(action->fault->level, H248_FAULT_ACTION);
	assert_int_equal(action->fault->code, 422);
	assert_false(action->has_context);
	assert_null(action->commands);
	assert_false(txn->next->faulty);
	done(&d);
}

static void a_broken_transaction_keeps_its_number(void **state)
{
	/* the actions [1] of transaction 8 become [0], which was there already */
	struct decoded d = broken(several, "800108a1", "800108a0", false);
	const struct h248_transaction *txn = d.msg->transactions->next;

	(void)state;
	assert_false(d.msg->transactions->faulty);
	assert_int_equal(txn->id, 8);
	assert_int_equal(txn->fault->level, H248_FAULT_TRANSACTION);
	assert_int_equal(txn->fault->code, 403);
	assert_int_equal(txn->fault->transaction, 8);
	assert_null(txn->actions);
	assert_int_equal(txn->text.len,
	                 d.ber.len - (size_t)((uint8_t *)txn->text.ptr - d.ber.data));
	done(&d);
}

static void a_number_that_cannot_be_read_is_0(void **state)
{
	struct decoded d = broken(several, "800108a1", "800188a1", false); /* negative */

	(void)state;
	assert_int_equal(d.msg->transactions->next->id, 0);
	assert_int_equal(d.msg->transactions->next->fault->code, 403);
	done(&d);
}

/* Cut at every octet: whatever transaction number is there comes back. */
static void a_cut_message_gives_its_numbers_back(void **state)
{
	struct h248_text_options options = { .contain = true };
	struct decoded d = broken(several, "800108a1", "800108a1", false);
	const uint8_t *eight = memmem(d.ber.data, d.ber.len, "\x80\x01\x08\xa1", 4);
	const uint8_t *seven = memmem(d.ber.data, d.ber.len, "\x80\x01\x07\xa1", 4);

	(void)state;
	for (size_t cut = (size_t)(seven - d.ber.data) + 3; cut < d.ber.len; cut++) {
		struct base_arena arena = { 0 };
		struct h248_message *msg = NULL;
		const struct h248_transaction *last;

		assert_int_equal(h248_ber_decode(&arena, d.ber.data, cut, &options, &msg, NULL), 0);
		assert_int_equal(msg->version, 1);
		assert_non_null(msg->faults);
		last = msg->last;
		assert_non_null(last);
		assert_int_equal(msg->transactions->id, 7);
		if (cut < (size_t)(eight - d.ber.data) - 2) { /* the first is not whole */
			assert_non_null(msg->transactions->fault);
		} else if (cut >= (size_t)(eight - d.ber.data) + 3) {
			assert_int_equal(last->id, 8);
			assert_non_null(last->fault);
			assert_null(msg->transactions->fault);
		}
		/* either the transaction that was cut is refused, or one without number, or the
		 * cut lay between two */
		assert_true(last->fault || msg->faults->level == H248_FAULT_MESSAGE);
		base_arena_done(&arena);
	}
	done(&d);
}

static void a_version_that_is_not_ours_is_406(void **state)
{
	struct decoded d = broken(several, "800101a1", "800104a1", false);

	(void)state;
	assert_int_equal(d.msg->version, 4);
	assert_int_equal(d.msg->faults->level, H248_FAULT_MESSAGE);
	assert_int_equal(d.msg->faults->code, 406);
	assert_int_equal(d.msg->mid.kind, H248_MID_DEVICE);
	assert_null(d.msg->transactions);
	done(&d);
}

static void a_header_that_cannot_be_read_is_400(void **state)
{
	struct decoded d = broken(several, "83036d6731", "86036d6731", false); /* no such mId */

	(void)state;
	assert_int_equal(d.msg->faults->level, H248_FAULT_MESSAGE);
	assert_int_equal(d.msg->faults->code, 400);
	done(&d);
}

/* The rules that the grammar has as comments are those of text (trap 7.18). */
static void what_may_stand_once_stands_once(void **state)
{
	/* nt/jit becomes nt/jit twice; Media becomes Signals twice */
	struct decoded d = broken("MEGACO/1 mg1 T=7{C=3{MF=b{M{O{nt/jit=1,pkg_7000/id_0001=2}}}}}",
	                          "800470000001", "8004000b0007", false);

	(void)state;
	assert_int_equal(d.msg->faults->code, 456);
	done(&d);
	d = broken("MEGACO/1 mg1 T=7{C=3{MF=b{EB,SG{}}}}", "a400a500", "a500a500", false);
	assert_int_equal(d.msg->faults->code, 448);
	done(&d);
	/* the reason becomes nonStandardData */
	d = broken("MEGACO/1 mg1 T=7{C=-{SC=ROOT{SV{MT=RS,RE=\"900\"}}}}", "a40704051603393030",
	           "a80704051603393030", false);
	assert_int_equal(d.msg->faults->code, 472);
	done(&d);
	/* the method becomes a private field */
	d = broken("MEGACO/1 mg1 T=7{C=-{SC=ROOT{SV{MT=RS,RE=\"900\"}}}}", "800103a407",
	           "c50103a407", false);
	assert_int_equal(d.msg->faults->code, 472);
	done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_command_leaves_its_neighbours),
		cmocka_unit_test(also_with_indefinite_lengths),
		cmocka_unit_test(an_unknown_command_is_443),
		cmocka_unit_test(a_broken_action_leaves_its_neighbours),
		cmocka_unit_test(a_broken_transaction_keeps_its_number),
		cmocka_unit_test(a_number_that_cannot_be_read_is_0),
		cmocka_unit_test(a_cut_message_gives_its_numbers_back),
		cmocka_unit_test(a_version_that_is_not_ours_is_406),
		cmocka_unit_test(a_header_that_cannot_be_read_is_400),
		cmocka_unit_test(what_may_stand_once_stands_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
