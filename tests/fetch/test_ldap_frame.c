/* SPDX-License-Identifier: Apache-2.0 */
/** @file Where messages begin, however the octets come. */
#include "check.h"

#include "fetch/ldap_frame.h"

#define TAKE(octets, len)                                                                          \
	fetch_ldap_frame_take(&(struct fetch_ldap_frame){ .have = 0 }, (const uint8_t *)(octets),  \
	                      (len))

/* Two messages, the second with longer lengths than it needs, in pieces of every size. */
static void in_pieces(void **state)
{
	static const uint8_t all[] = {
		0x30, 5,    2, 1, 1, 0x65, 0, /* short */
		0x30, 0x84, 0, 0, 0, 15,   2,    0x84, 0, 0, 0,
		4,    0,    0, 1, 0, 0x64, 0x81, 2,    9, 9, /* long */
		0x30, 7,    2, 1, 2, 0x65, 0,    0xa0, 0,    /* with controls */
	};

	(void)state;
	for (size_t piece = 1; piece <= sizeof(all); piece++) {
		struct fetch_ldap_frame f = { .have = 0 };

		for (size_t at = 0; at < sizeof(all); at += piece)
			assert_int_equal(fetch_ldap_frame_take(&f, all + at,
			                                       BASE_MIN(piece, sizeof(all) - at)),
			                 FETCH_LDAP_FRAME_OK);
		assert_int_equal(f.have, 0);
		assert_int_equal(f.left, 0);
	}
}

static void nobody_asked(void **state)
{
	(void)state;
	assert_int_equal(TAKE("\x30\x05\x02\x01\x00", 5), FETCH_LDAP_FRAME_GOODBYE);
	assert_int_equal(TAKE("\x30\x84\x7f\xff\xff\xff\x02\x01\x00", 9), FETCH_LDAP_FRAME_GOODBYE);
	assert_int_equal(TAKE("\x30\x07\x02\x03\x00\x00\x00", 7), FETCH_LDAP_FRAME_GOODBYE);
	assert_int_equal(TAKE("\x30\x07\x02\x03\x00\x01\x00\x65\x00", 9), FETCH_LDAP_FRAME_OK);
	/* behind one that is right */
	assert_int_equal(TAKE("\x30\x05\x02\x01\x01\x65\x00\x30\x05\x02\x01\x00", 12),
	                 FETCH_LDAP_FRAME_GOODBYE);
}

static void no_message(void **state)
{
	(void)state;
	assert_int_equal(TAKE("HTTP", 4), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x80", 2), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x85\x01", 3), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x05\x04\x01", 4), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x05\x02\x00", 4), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x09\x02\x06", 4), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x02\x02\x01\x01\x65\x00", 7),
	                 FETCH_LDAP_FRAME_BAD); /* outgrows it */
	assert_int_equal(TAKE("\x30\x07\x02\x01\x01\x65\x84\x00\x00", 9), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x00", 2), FETCH_LDAP_FRAME_BAD);
	/* an operation that directories do not have, one without end, one that outgrows the message
	 */
	assert_int_equal(TAKE("\x30\x05\x02\x01\x01\x42\x00", 7), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x05\x02\x01\x01\x65\x80", 7), FETCH_LDAP_FRAME_BAD);
	assert_int_equal(TAKE("\x30\x05\x02\x01\x01\x65\x01", 7), FETCH_LDAP_FRAME_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(nobody_asked),
		cmocka_unit_test(no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
