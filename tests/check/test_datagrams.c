/* SPDX-License-Identifier: Apache-2.0 */
/** @file What DTLS has in place of a stream: fragments, epochs, flights; and peers that abuse them.
 */
#include "check.h"

#include "check/check.h"

static const uint8_t master[48] = "0123456789abcdef0123456789abcdef0123456789abcde";
static const uint8_t one[32] = "client client client client cli", two[32] = "server server";

static void u24(struct base_writer *w, size_t v)
{
	base_writer_u8(w, (uint8_t)(v >> 16));
	base_writer_u16(w, (uint16_t)v);
}

/** A fragment of a message of `total` octets whose octet n is n. */
static void fragment(struct base_writer *w, uint8_t type, uint16_t number, size_t total,
                     size_t from, size_t len)
{
	base_writer_u8(w, type);
	u24(w, total);
	base_writer_u16(w, number);
	u24(w, from);
	u24(w, len);
	for (size_t i = 0; i < len; i++)
		base_writer_u8(w, (uint8_t)(from + i));
}

static void take(struct check_fragments *f, uint8_t type, uint16_t number, size_t total,
                 size_t from, size_t len)
{
	struct base_writer w = { 0 };

	fragment(&w, type, number, total, from, len);
	check_fragments_take(f, (struct check_bytes){ w.data, w.len }, type == CHECK_FINISHED);
	base_writer_done(&w);
}

static void expect_message(struct check_fragments *f, uint8_t type, size_t total)
{
	struct base_writer w = { 0 };

	assert_true(check_fragments_next(f, &w));
	assert_int_equal(w.len, 4 + total);
	assert_int_equal(w.data[0], type);
	assert_int_equal(w.data[2] << 8 | w.data[3], total);
	for (size_t i = 0; i < total; i++)
		assert_int_equal(w.data[4 + i], (uint8_t)i);
	base_writer_done(&w);
}

static void expect_none(struct check_fragments *f)
{
	struct base_writer w = { 0 };

	assert_false(check_fragments_next(f, &w));
	assert_int_equal(w.len, 0);
	base_writer_done(&w);
}

/** RFC 6347, 4.2.3: in any order, overlapping, twice; and empty ones. */
static void fragments_in_any_order(void **state)
{
	struct check_fragments f = { .next = 0 };

	(void)state;
	take(&f, CHECK_HELLO_DONE, 2, 0, 0, 0);
	take(&f, CHECK_CERTIFICATE, 1, 300, 100, 200);
	take(&f, CHECK_SERVER_HELLO, 0, 40, 30, 10);
	expect_none(&f);
	take(&f, CHECK_SERVER_HELLO, 0, 40, 0, 35);
	take(&f, CHECK_SERVER_HELLO, 0, 40, 0, 35);
	expect_message(&f, CHECK_SERVER_HELLO, 40);
	expect_none(&f);
	take(&f, CHECK_CERTIFICATE, 1, 300, 0, 50);
	expect_none(&f);
	take(&f, CHECK_CERTIFICATE, 1, 300, 20, 100);
	expect_message(&f, CHECK_CERTIFICATE, 300);
	expect_message(&f, CHECK_HELLO_DONE, 0);
	take(&f, CHECK_SERVER_HELLO, 0, 40, 0, 40); /* late: it was read */
	expect_none(&f);
	check_fragments_reset(&f);
}

static void fragments_that_are_none(void **state)
{
	struct check_fragments f = { .next = 0 };

	(void)state;
	take(&f, CHECK_SERVER_HELLO, 0, 10, 5, 6);       /* beyond its message's end */
	take(&f, CHECK_SERVER_HELLO, 0, 0xffffff, 0, 1); /* longer than anything */
	take(&f, CHECK_SERVER_HELLO, 16, 10, 0, 10);     /* too far ahead */
	take(&f, CHECK_SERVER_HELLO, 0xffff, 10, 0, 10);
	for (size_t i = 0; i < CHECK_MESSAGES_AHEAD; i++)
		assert_null(f.part[i].data);
	take(&f, CHECK_SERVER_HELLO, 0, 10, 0, 5);
	take(&f, CHECK_SERVER_HELLO, 0, 20, 5, 15); /* another message under its number */
	take(&f, CHECK_CERTIFICATE, 0, 10, 5, 5);
	expect_none(&f);
	take(&f, CHECK_SERVER_HELLO, 0, 10, 5, 5);
	expect_message(&f, CHECK_SERVER_HELLO, 10);
	check_fragments_reset(&f);
}

/* -- records ----------------------------------------------------------------------------------- */

struct side {
	struct check_keys keys;
	struct check_datagrams d;
};

/** Two sides under the same keys, in epoch 0; the next ones are at hand. */
static void sides(struct side *a, struct side *b)
{
	*a = (struct side){ .keys = { .dtls = true, .version = 0xfefd } };
	assert_true(check_shape_of(0xc02f, &a->keys.shape));
	assert_true(check_keys_make(&a->keys, master, one, two));
	*b = *a;
	b->keys.ours_next = a->keys.theirs_next;
	b->keys.theirs_next = a->keys.ours_next;
	check_datagrams_begin(&a->d, &a->keys);
	check_datagrams_begin(&b->d, &b->keys);
}

static void sides_done(struct side *a, struct side *b)
{
	check_datagrams_done(&a->d);
	check_datagrams_done(&b->d);
	check_keys_wipe(&a->keys);
	check_keys_wipe(&b->keys);
}

static void put_message(struct side *s, uint8_t type, size_t len, struct base_writer *out)
{
	struct base_writer text = { 0 };

	fragment(&text, type, s->d.sent++, len, 0, len);
	assert_true(check_datagrams_put(&s->d, &s->keys, CHECK_RECORD_HANDSHAKE, text.data,
	                                text.len, out));
	base_writer_done(&text);
}

static void put_flight(struct side *s, struct base_writer *key, struct base_writer *change,
                       struct base_writer *finished)
{
	put_message(s, CHECK_CLIENT_KEY, 66, key);
	assert_true(check_datagrams_put(&s->d, &s->keys, CHECK_RECORD_CCS, "\x01", 1, change));
	check_datagrams_change(&s->d, &s->keys);
	put_message(s, CHECK_FINISHED, 12, finished);
}

static void came(struct side *s, const struct base_writer *w)
{
	check_datagrams_take(&s->d, &s->keys, w->data, w->len);
}

static int next_of(struct side *s, bool may_change)
{
	struct base_writer w = { 0 };
	uint8_t type;
	bool some = check_datagrams_next(&s->d, may_change, &type, &w);
	int what = !some                            ? -1
	           : type == CHECK_RECORD_HANDSHAKE ? w.data[0]
	           : type == CHECK_RECORD_ALERT     ? 1000 + w.data[1]
	                                            : 500;

	base_writer_done(&w);
	return what;
}

static void changed(struct side *s)
{
	check_keys_change_theirs(&s->keys);
	check_datagrams_changed(&s->d, &s->keys);
}

/** The last of a flight comes first: nothing is lost, nothing is read too early. */
static void a_flight_backwards(void **state)
{
	struct base_writer key = { 0 }, change = { 0 }, finished = { 0 };
	struct side a, b;

	(void)state;
	sides(&a, &b);
	put_flight(&a, &key, &change, &finished);
	came(&b, &finished);
	came(&b, &change);
	assert_int_equal(next_of(&b, false), -1); /* something goes before it */
	came(&b, &key);
	assert_int_equal(next_of(&b, false), CHECK_CLIENT_KEY);
	assert_int_equal(next_of(&b, false), -1);
	assert_int_equal(next_of(&b, true), 500);
	assert_int_equal(next_of(&b, true), -1);
	changed(&b);
	assert_int_equal(next_of(&b, true), CHECK_FINISHED);
	assert_int_equal(next_of(&b, true), -1);
	base_writer_done(&key);
	base_writer_done(&change);
	base_writer_done(&finished);
	sides_done(&a, &b);
}

/** RFC 6347, 4.2.4: the whole flight, each record under its keys, none with a number used before.
 */
static void a_flight_again(void **state)
{
	struct base_writer key = { 0 }, change = { 0 }, finished = { 0 }, again = { 0 };
	struct side a, b;

	(void)state;
	sides(&a, &b);
	put_flight(&a, &key, &change, &finished);
	assert_true(check_datagrams_repeat(&a.d, &a.keys, &again));
	assert_int_equal(again.len, key.len + change.len + finished.len);
	assert_memory_not_equal(again.data, key.data, 13);
	assert_memory_equal(again.data + 13, key.data + 13, key.len - 13);
	assert_int_equal(again.data[key.len + 10], 3); /* 0 and 1 were, this follows 2 */
	assert_int_equal(again.data[key.len + change.len + 4], 1);  /* epoch */
	assert_int_equal(again.data[key.len + change.len + 10], 1); /* number */
	came(&b, &again);
	assert_int_equal(next_of(&b, true), CHECK_CLIENT_KEY);
	assert_int_equal(next_of(&b, true), 500);
	changed(&b);
	assert_int_equal(next_of(&b, true), CHECK_FINISHED);
	base_writer_done(&key);
	base_writer_done(&change);
	base_writer_done(&finished);
	base_writer_done(&again);
	sides_done(&a, &b);
}

static void what_is_not_genuine_is_dropped(void **state)
{
	struct base_writer key = { 0 }, change = { 0 }, finished = { 0 }, alert = { 0 };
	struct side a, b;

	(void)state;
	sides(&a, &b);
	put_flight(&a, &key, &change, &finished);
	came(&b, &key);
	came(&b, &change);
	assert_int_equal(next_of(&b, true), CHECK_CLIENT_KEY);
	assert_int_equal(next_of(&b, true), 500);
	changed(&b);
	/* a bit is turned; an alert in the clear; the epoch after next; the one before, with
	 * Finished */
	finished.data[finished.len - 1] ^= 1;
	came(&b, &finished);
	check_record_put_dtls(&alert, CHECK_RECORD_ALERT, 0xfefd, 9, "\x02\x28", 2);
	check_record_put_dtls(&alert, CHECK_RECORD_ALERT, 0xfefd, 3ULL << 48, "\x02\x28", 2);
	came(&b, &alert);
	came(&b, &key);
	assert_int_equal(next_of(&b, true), -1);
	finished.data[finished.len - 1] ^= 1;
	came(&b, &finished);
	assert_int_equal(next_of(&b, true), CHECK_FINISHED);
	base_writer_done(&key);
	base_writer_done(&change);
	base_writer_done(&finished);
	base_writer_done(&alert);
	sides_done(&a, &b);
}

/** A Finished in the clear is none; records that say they are longer than they are end a datagram.
 */
static void a_peer_without_manners(void **state)
{
	struct base_writer text = { 0 }, w = { 0 };
	struct side a, b;

	(void)state;
	sides(&a, &b);
	fragment(&text, CHECK_FINISHED, 0, 12, 0, 12);
	check_record_put_dtls(&w, CHECK_RECORD_HANDSHAKE, 0xfefd, 0, text.data, text.len);
	came(&b, &w);
	assert_int_equal(next_of(&b, true), -1);
	base_writer_reset(&w);
	base_writer_put(&w, "\x16\xfe\xfd\0\0\0\0\0\0\0\x01\xff\xff\x02", 14);
	came(&b, &w);
	base_writer_reset(&w);
	base_writer_put(&w, "\x16\x03\x03\0\x01\0", 6);
	came(&b, &w);
	assert_int_equal(next_of(&b, true), -1);
	/* what is held for the next epoch has an end */
	base_writer_reset(&text);
	for (size_t i = 0; i < 16000; i++)
		base_writer_u8(&text, 0);
	for (uint64_t i = 0; i < 40; i++) {
		base_writer_reset(&w);
		check_record_put_dtls(&w, CHECK_RECORD_HANDSHAKE, 0xfefd, 1ULL << 48 | i, text.data,
		                      text.len);
		came(&b, &w);
		assert_true(b.d.held.cap <= 65536);
	}
	check_record_put_dtls(&w, CHECK_RECORD_ALERT, 0xfefd, 2, "\x02\x28", 2);
	came(&b, &w);
	assert_int_equal(next_of(&b, true), 1040);
	changed(&b);
	assert_int_equal(next_of(&b, true), -1);
	base_writer_done(&text);
	base_writer_done(&w);
	sides_done(&a, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_in_any_order),
		cmocka_unit_test(fragments_that_are_none),
		cmocka_unit_test(a_flight_backwards),
		cmocka_unit_test(a_flight_again),
		cmocka_unit_test(what_is_not_genuine_is_dropped),
		cmocka_unit_test(a_peer_without_manners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
