/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: every allocation of ours in a flow fails once. What comes of it is success or
 * BASE_LOCAL, no key, no crash and, under ASan, no leak. The linker leads our code's malloc here
 * (--wrap); libcrypto's own stays as it is.
 */
#include "check.h"
#include "scarce.h"

#include "stage.h"

static void walk(const struct stage *flow)
{
	long n = 0;

	do {
		struct stage s = *flow;
		int rc;

		stage_init(&s);
		scarce_after(n++, false);
		rc = stage_play(&s);
		scarce_after(-1, false);
		if (rc && base_err_class(rc) != BASE_LOCAL)
			fail_msg("allocation %ld: %s", n, s.err.text);
		if (rc) {
			assert_true(scarce_failed());
			assert_int_equal(s.session_i.keys.count, 0);
		}
		stage_done(&s);
	} while (scarce_failed());
	assert_true(n > 30);
}

static void modes(void **state)
{
	const struct mikey_suite suite = { 1, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_256_256 };

	(void)state;
	walk(&(struct stage){ .mode = 1, .forked = true, .suite = suite, .ticket_prf = 1 });
	walk(&(struct stage){ .mode = 4, .supplied = true, .suite = suite, .ticket_prf = 1 });
	walk(&(struct stage){ .mode = 3, .answered = true, .suite = suite, .ticket_prf = 1 });
}

static void public_keys(void **state)
{
	(void)state;
	walk(&(struct stage){ .mode = 1,
	                      .pk = true,
	                      .ticket_prf = 1,
	                      .suite = { 1, MIKEY_AES_KW_128, MIKEY_HMAC_SHA_256_256 } });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes),
		cmocka_unit_test(public_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
