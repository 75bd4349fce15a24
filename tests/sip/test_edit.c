/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages that follow from a message: what is not touched stays as it came. */
#include "check.h"
#include "sip/sip.h"

#define HEAD "INVITE sip:b@example.com SIP/2.0\r\n"
#define VIAS                                                                                       \
	"Via: SIP/2.0/TLS one.example;branch=z9hG4bK1 ,  SIP/2.0/UDP two.example;branch=z9hG4bK2"  \
	"\r\nv: SIP/2.0/UDP three.example;branch=z9hG4bK3\r\n"
#define IDS                                                                                        \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\n"             \
	"CSeq: 7 INVITE\r\n"
#define ROUTES                                                                                     \
	"Route: <sip:edge.example;lr>,\r\n <sip:s.example;lr> , \"a, b\" <sip:q.example;lr>\r\n"
#define TAIL "X-Odd:  ,,;; \r\nk: path, sec-agree ,gruu\r\nContent-Length: 4\r\n\r\nA\r\nB"
#define ALL  HEAD VIAS ROUTES IDS TAIL

struct bench {
	struct base_arena arena;
	struct sip_message msg;
	struct sip_edit edit;
	struct base_writer w;
};

static void open_with(struct bench *b, const char *text)
{
	*b = (struct bench){ 0 };
	assert_int_equal(sip_message_parse(&b->msg, &b->arena, base_str_of(text), true), 0);
	assert_int_equal(b->msg.fault, 0);
	sip_edit_begin(&b->edit, &b->msg, &b->arena);
}

/* What is written is this; and reads as a message again. */
static void close_is(struct bench *b, const char *text)
{
	struct sip_message again;

	sip_edit_write(&b->edit, &b->w);
	assert_false(b->w.failed);
	assert_string_equal(base_writer_cstr(&b->w), text);
	assert_int_equal(sip_message_parse(&again, &b->arena, base_writer_view(&b->w), true), 0);
	assert_int_equal(again.fault, 0);
	base_writer_done(&b->w);
	base_arena_done(&b->arena);
}

static void close_fails(struct bench *b)
{
	sip_edit_write(&b->edit, &b->w);
	assert_true(b->w.failed);
	base_writer_done(&b->w);
	base_arena_done(&b->arena);
}

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

static struct base_str element(const struct bench *b, enum sip_header_id id, unsigned nth,
                               const struct sip_header **ret)
{
	struct sip_values values = { .msg = &b->msg, .id = id };
	struct base_str one = { NULL, 0 };

	for (unsigned i = 0; i <= nth; i++)
		assert_true(sip_values_next(&values, &one));
	*ret = values.header;
	return one;
}

static void drop_element(struct bench *b, enum sip_header_id id, unsigned nth)
{
	const struct sip_header *h;
	struct base_str one = element(b, id, nth, &h);

	sip_edit_element(&b->edit, h, one, (struct base_str){ NULL, 0 });
}

/** 16.6, 1: nothing is touched that nobody asked for. */
static void untouched(void **state)
{
	struct bench b;

	(void)state;
	open_with(&b, ALL);
	close_is(&b, ALL);
}

static void another_target(void **state)
{
	struct bench b;

	(void)state;
	open_with(&b, ALL);
	sip_edit_target(&b.edit, BASE_STR("sip:b@192.0.2.1:5061;transport=tls"));
	close_is(&b, "INVITE sip:b@192.0.2.1:5061;transport=tls SIP/2.0\r\n" VIAS ROUTES IDS TAIL);
	open_with(&b, ALL);
	sip_edit_target(&b.edit, BASE_STR("sip:b@x SIP/2.0\r\nEvil: 1"));
	close_fails(&b);
}

/** In front of their kind, those put in before too; new kinds behind the Vias. */
static void lines_put_in(void **state)
{
	struct bench b;
	struct base_str one;

	(void)state;
	open_with(&b, ALL);
	assert_false(sip_edit_first(&b.edit, "Record-Route", &one));
	assert_false(sip_edit_has(&b.edit, "P-Charging-Vector"));
	sip_edit_push(&b.edit, "Via", BASE_STR("SIP/2.0/UDP me;branch=z9hG4bK0"));
	sip_edit_push(&b.edit, "Route", BASE_STR("<sip:second.example;lr>"));
	sip_edit_pushf(&b.edit, "Route", "<sip:%s.example;lr>", "first");
	sip_edit_append(&b.edit, "Route", BASE_STR("<sip:last.example>"));
	sip_edit_push(&b.edit, "Record-Route", BASE_STR("<sip:two@me;lr>"));
	sip_edit_push(&b.edit, "Record-Route", BASE_STR("<sip:one@me;lr>"));
	sip_edit_appendf(&b.edit, "P-Charging-Vector", "icid-value=%d", 7);
	sip_edit_append(&b.edit, "Supported", BASE_STR("outbound"));
	assert_true(sip_edit_first(&b.edit, "Record-Route", &one));
	is(one, "<sip:one@me;lr>");
	assert_true(sip_edit_first(&b.edit, "route", &one));
	is(one, "<sip:first.example;lr>");
	assert_true(sip_edit_has(&b.edit, "p-charging-vector"));
	close_is(&b, HEAD "Via: SIP/2.0/UDP me;branch=z9hG4bK0\r\n" VIAS
	                  "Record-Route: <sip:one@me;lr>\r\nRecord-Route: <sip:two@me;lr>\r\n"
	                  "Route: <sip:first.example;lr>\r\nRoute: <sip:second.example;lr>\r\n"
	                  "P-Charging-Vector: icid-value=7\r\n" ROUTES
	                  "Route: <sip:last.example>\r\n" IDS
	                  "X-Odd:  ,,;; \r\nk: path, sec-agree ,gruu\r\nSupported: outbound\r\n"
	                  "Content-Length: 4\r\n\r\nA\r\nB");
}

/** Elements go one by one; what stands between those that stay, stays. */
static void elements(void **state)
{
	const struct sip_header *h;
	struct base_str one;
	struct bench b;

	(void)state;
	open_with(&b, ALL);
	drop_element(&b, SIP_H_VIA, 0);
	drop_element(&b, SIP_H_ROUTE, 1);
	sip_edit_drop_token(&b.edit, "Supported", "SEC-AGREE");
	close_is(&b, HEAD "Via: SIP/2.0/UDP two.example;branch=z9hG4bK2\r\n"
	                  "v: SIP/2.0/UDP three.example;branch=z9hG4bK3\r\n"
	                  "Route: <sip:edge.example;lr> , \"a, b\" <sip:q.example;lr>\r\n" IDS
	                  "X-Odd:  ,,;; \r\nk: path ,gruu\r\nContent-Length: 4\r\n\r\nA\r\nB");
	open_with(&b, ALL); /* in any order, the last first; all of a field */
	drop_element(&b, SIP_H_ROUTE, 2);
	drop_element(&b, SIP_H_ROUTE, 1);
	drop_element(&b, SIP_H_VIA, 2);
	one = element(&b, SIP_H_VIA, 0, &h);
	sip_edit_element(&b.edit, h, one, BASE_STR("SIP/2.0/TLS one;received=192.0.2.1"));
	close_is(&b, HEAD "Via: SIP/2.0/TLS one;received=192.0.2.1 ,  SIP/2.0/UDP two.example;"
	                  "branch=z9hG4bK2\r\nRoute: <sip:edge.example;lr>\r\n" IDS TAIL);
	open_with(&b, ALL);
	for (unsigned i = 0; i < 3; i++)
		drop_element(&b, SIP_H_ROUTE, i);
	assert_false(sip_edit_first(&b.edit, "Route", &one));
	assert_false(sip_edit_has(&b.edit, "Route"));
	close_is(&b, HEAD VIAS IDS TAIL);
}

static void fields(void **state)
{
	struct bench b;
	struct base_str one;

	(void)state;
	open_with(&b, ALL);
	sip_edit_drop_all(&b.edit, "route");
	sip_edit_push(&b.edit, "Route", BASE_STR("<sip:gone.example;lr>"));
	sip_edit_drop_all(&b.edit, "Route");
	sip_edit_push(&b.edit, "Route", BASE_STR("<sip:s1;lr>, <sip:s2;lr>"));
	sip_edit_value(&b.edit, sip_header(&b.msg, SIP_H_SUPPORTED), BASE_STR("path"));
	sip_edit_drop_all(&b.edit, "x-oDD");
	sip_edit_set(&b.edit, "v", BASE_STR("SIP/2.0/UDP x"));
	sip_edit_set(&b.edit, "Max-Forwards", BASE_STR("69"));
	sip_edit_set(&b.edit, "Max-Forwards", BASE_STR("68"));
	assert_true(sip_edit_first(&b.edit, "Supported", &one));
	is(one, "path");
	close_is(&b, HEAD "Via: SIP/2.0/UDP x\r\nRoute: <sip:s1;lr>, <sip:s2;lr>\r\n"
	                  "Max-Forwards: 68\r\n" IDS "k: path\r\nContent-Length: 4\r\n\r\nA\r\nB");
}

/** Strict routers take the first Route away, wherever it comes from (16.6, 6). */
static void first_elements_go(void **state)
{
	static const char *const due[] = { "<sip:p1;lr>", "<sip:p2;lr>", "<sip:mine;lr>",
		                           "<sip:s.example;lr>", "\"a, b\" <sip:q.example;lr>" };
	struct sip_edit_values values;
	const struct sip_header *h;
	struct base_str one;
	struct bench b;
	size_t i = 0;

	(void)state;
	open_with(&b, ALL);
	sip_edit_push(&b.edit, "Route", BASE_STR("<sip:p1;lr>, <sip:p2;lr>"));
	one = element(&b, SIP_H_ROUTE, 0, &h);
	sip_edit_element(&b.edit, h, one, BASE_STR("<sip:mine;lr>"));
	values = (struct sip_edit_values){ .edit = &b.edit, .name = "Route" };
	while (sip_edit_next(&values, &one))
		is(one, due[i++]);
	assert_int_equal(i, BASE_COUNT(due));
	for (i = 0; i < BASE_COUNT(due); i++) {
		assert_true(sip_edit_shift(&b.edit, "Route", &one));
		is(one, due[i]);
	}
	assert_false(sip_edit_shift(&b.edit, "Route", &one));
	close_is(&b, HEAD VIAS IDS TAIL);
	open_with(&b, ALL);
	sip_edit_value(&b.edit, sip_header(&b.msg, SIP_H_ROUTE), BASE_STR("<sip:u>,<sip:v>"));
	assert_true(sip_edit_shift(&b.edit, "Route", &one));
	is(one, "<sip:u>");
	assert_true(sip_edit_shift(&b.edit, "Route", &one));
	is(one, "<sip:v>");
	assert_false(sip_edit_shift(&b.edit, "Route", &one));
	close_is(&b, HEAD VIAS IDS TAIL);
}

/** Nothing that is put in can end a line. */
static void smuggling(void **state)
{
	static const char *const bad[] = { "a\r\nEvil: 1", "a\nb", "a\rb", "a\r\n", "\r\n\r\n" };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		open_with(&b, ALL);
		sip_edit_push(&b.edit, "Route", base_str_of(bad[i]));
		close_fails(&b);
		open_with(&b, ALL);
		sip_edit_value(&b.edit, &b.msg.headers[0], base_str_of(bad[i]));
		close_fails(&b);
		open_with(&b, ALL);
		sip_edit_element(&b.edit, &b.msg.headers[1], b.msg.headers[1].value,
		                 base_str_of(bad[i]));
		close_fails(&b);
	}
	open_with(&b, ALL);
	sip_edit_push(&b.edit, "Evil: 1\r\nRoute", BASE_STR("x"));
	close_fails(&b);
	open_with(&b, ALL);
	sip_edit_set(&b.edit, "Subject", BASE_STR("folded\r\n line"));
	close_is(&b, HEAD VIAS "Subject: folded\r\n line\r\n" ROUTES IDS TAIL);
}

/** Nothing that was asked for is passed over: what was replaced has no elements any more. */
static void an_element_of_what_is_gone(void **state)
{
	const struct sip_header *h;
	struct base_str one, none = { NULL, 0 };
	struct bench b;

	(void)state;
	open_with(&b, ALL);
	one = element(&b, SIP_H_SUPPORTED, 1, &h);
	sip_edit_value(&b.edit, h, BASE_STR("path, sec-agree"));
	sip_edit_element(&b.edit, h, one, none);
	close_fails(&b);
	open_with(&b, ALL);
	one = element(&b, SIP_H_SUPPORTED, 1, &h);
	sip_edit_drop(&b.edit, h);
	sip_edit_element(&b.edit, h, one, BASE_STR("x"));
	close_is(&b, HEAD VIAS ROUTES IDS "X-Odd:  ,,;; \r\nContent-Length: 4\r\n\r\nA\r\nB");
}

/** Responses likewise: the topmost Via goes (16.7, 3). */
static void responses(void **state)
{
	static const char status[] = "SIP/2.0 200 \r\n";
	struct bench b;
	char text[2048], due[2048];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s%s%s%s", status, VIAS, IDS, TAIL);
	open_with(&b, text);
	drop_element(&b, SIP_H_VIA, 0);
	drop_element(&b, SIP_H_VIA, 1);
	(void)snprintf(due, sizeof(due), "%sv: SIP/2.0/UDP three.example;branch=z9hG4bK3\r\n%s%s",
	               status, IDS, TAIL);
	close_is(&b, due);
	open_with(&b, text);
	sip_edit_target(&b.edit, BASE_STR("sip:a"));
	close_fails(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched),
		cmocka_unit_test(another_target),
		cmocka_unit_test(lines_put_in),
		cmocka_unit_test(elements),
		cmocka_unit_test(fields),
		cmocka_unit_test(first_elements_go),
		cmocka_unit_test(smuggling),
		cmocka_unit_test(responses),
		cmocka_unit_test(an_element_of_what_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
