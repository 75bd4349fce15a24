/* SPDX-License-Identifier: Apache-2.0 */
/** @file The key-mgmt attribute, with the examples of RFC 4567, 5.1. */
#include "check.h"

#include "mikey/mikey.h"

static const char offer[] =
        "a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAAAAAGEEoo2pee4hp2UaDX8ZE22YwKAAAPZG9u"
        "YWxkQGR1Y2suY29tAQAAAAAAAQAk0JKpgaVkDaawi9whVBtBt0KZ14ymNuu62+Nv3ozPLygwK/"
        "GbAV9iemnGUIZ19fWQUOSrzKTAv9zV";

static void rfc_4567_example(void **state)
{
	struct base_arena a = { 0 };
	struct base_writer w = { 0 }, line = { 0 };
	struct mikey_message *msg = NULL;
	const struct mikey_payload *p;
	struct mikey_sdp sdp;

	(void)state;
	assert_int_equal(mikey_sdp_parse(BASE_STR(offer), &sdp, NULL), 0);
	assert_int_equal(mikey_sdp_message(&sdp, &w, NULL), 0);
	assert_int_equal(mikey_decode(&a, w.data, w.len, &msg, NULL), 0);
	assert_int_equal(msg->hdr.data_type, MIKEY_PSK_INIT);
	assert_int_equal(msg->hdr.csb_id, 0xcd177e50);
	assert_true(msg->hdr.v);
	p = mikey_find(msg->first, MIKEY_ID);
	assert_true(mikey_octets_eq(p->idr.id.data, mikey_octets_text("donald@duck.com")));
	p = mikey_final(msg->first);
	assert_int_equal(p->type, MIKEY_KEMAC);
	assert_int_equal(p->kemac.data.len, 36);
	assert_int_equal(p->kemac.tag.len, 20);
	mikey_sdp_write(&line, w.data, w.len);
	assert_true(base_str_eq(base_writer_view(&line), BASE_STR(offer)));
	base_writer_done(&w);
	base_writer_done(&line);
	base_arena_done(&a);
}

static void forms(void **state)
{
	struct mikey_sdp sdp;
	struct base_writer w = { 0 };

	(void)state;
	assert_int_equal(mikey_sdp_parse(BASE_STR("key-mgmt: mikey AAEC\r\n"), &sdp, NULL), 0);
	assert_int_equal(mikey_sdp_message(&sdp, &w, NULL), 0);
	assert_int_equal(w.len, 3);
	assert_memory_equal(w.data, "\0\1\2", 3);
	assert_int_equal(mikey_sdp_parse(BASE_STR("a=key-mgmt:keyp1 AAEC"), &sdp, NULL), 0);
	assert_true(base_str_eq(sdp.id, BASE_STR("keyp1")));
	assert_int_not_equal(mikey_sdp_message(&sdp, &w, NULL), 0); /* it is another's */
	base_writer_done(&w);
}

static void refused(void **state)
{
	static const char *const lines[] = {
		"",
		"a=key-mgmt",
		"a=key-mgmt:mikey",
		"a=key-mgmt:mikey ",
		"a=rtpmap:98 AMR/8000",
		"a=key-mgmt:mikey A",
		"a=key-mgmt:mikey AB=C",
		"a=key-mgmt:mikey AB=",
		"a=key-mgmt:mikey AAEC AAEC",
		"a=key-mgmt:mikey AA\x80=",
		"a=key-mgmt:  mikey AAEC",
		"a=key-mgmt:mikey ====",
		"a=key-mgmt:mikey AAAA=",
	};
	struct mikey_sdp sdp;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(lines); i++) {
		struct base_error err = { 0 };

		if (!mikey_sdp_parse(base_str_of(lines[i]), &sdp, &err))
			fail_msg("'%s' was taken", lines[i]);
		assert_true(err.text[0]);
	}
}

static void base64_there_and_back(void **state)
{
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof(data); len++) {
		struct base_writer text = { 0 }, back = { 0 };

		mikey_base64_encode(&text, data, len);
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_int_equal(mikey_base64_decode(base_writer_view(&text), &back, NULL), 0);
		assert_int_equal(back.len, len);
		if (len)
			assert_memory_equal(back.data, data, len);
		base_writer_done(&text);
		base_writer_done(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_4567_example),
		cmocka_unit_test(forms),
		cmocka_unit_test(refused),
		cmocka_unit_test(base64_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
