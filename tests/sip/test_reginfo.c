/* SPDX-License-Identifier: Apache-2.0 */
/** @file Documents of registration information (RFC 3680, 5), good ones and all others. */
#include "check.h"
#include "sip/reginfo.h"

#define HEAD "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "

static struct base_arena arena;
static struct sip_reginfo doc;
static struct base_error err;

static int read_text(const char *text)
{
	base_arena_reset(&arena);
	memset(&err, 0, sizeof(err));
	return sip_reginfo_read(&doc, &arena, base_str_of(text), &err);
}

static void same(struct base_str a, const char *b)
{
	assert_int_equal(a.len, strlen(b));
	assert_memory_equal(a.ptr, b, a.len);
}

/** The document of 5.3. */
static void example(void **state)
{
	(void)state;
	assert_int_equal(read_text(HEAD
	                           "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
	                           " version=\"0\" state=\"full\">\n"
	                           " <registration aor=\"sip:user@example.com\" id=\"as9\" "
	                           "state=\"active\">\n"
	                           "  <contact id=\"76\" state=\"active\" event=\"registered\"\n"
	                           "    duration-registered=\"7322\" q=\"0.8\">\n"
	                           "   <uri>sip:user@pc887.example.com</uri>\n"
	                           "  </contact>\n"
	                           "  <contact id=\"77\" state=\"terminated\" event=\"expired\"\n"
	                           "    duration-registered=\"3600\" q=\"0.5\">\n"
	                           "   <uri>sip:user@university.edu</uri>\n"
	                           "  </contact>\n"
	                           " </registration>\n"
	                           "</reginfo>\n"),
	                 0);
	assert_int_equal(doc.version, 0);
	assert_true(doc.full);
	assert_int_equal(doc.count, 1);
	same(doc.records[0].aor, "sip:user@example.com");
	same(doc.records[0].id, "as9");
	assert_int_equal(doc.records[0].state, SIP_REG_ACTIVE);
	assert_int_equal(doc.records[0].count, 2);
	same(doc.records[0].contacts[0].uri, "sip:user@pc887.example.com");
	assert_int_equal(doc.records[0].contacts[0].state, SIP_REG_ACTIVE);
	assert_int_equal(doc.records[0].contacts[0].event, SIP_REG_REGISTERED);
	same(doc.records[0].contacts[1].id, "77");
	assert_int_equal(doc.records[0].contacts[1].state, SIP_REG_TERMINATED);
	assert_int_equal(doc.records[0].contacts[1].event, SIP_REG_EXPIRED);
	assert_string_equal(sip_reg_event_name(doc.records[0].contacts[1].event), "expired");
}

/** Other elements and attributes are passed over, with what is in them; prefixes are only prefixes.
 */
static void what_is_another_s(void **state)
{
	(void)state;
	assert_int_equal(
	        read_text("<r:reginfo xmlns:r='urn:ietf:params:xml:ns:reginfo' xmlns:o='urn:o'"
	                  " version='7' state='partial' o:state='full'>"
	                  "<o:registration aor='x' id='x' state='active'/>"
	                  "<r:registration aor='sip:a@b' id='1' state='terminated' o:x='y'>"
	                  "<o:note><r:contact id='no' state='active'><r:uri>no</r:uri></r:contact>"
	                  "</o:note>"
	                  "<r:contact id='c' state='terminated' event='probation' "
	                  "retry-after='30' expires='0' callid='abc'>"
	                  "<r:uri> sip:a&amp;b@c <o:x>no</o:x></r:uri>"
	                  "<r:display-name>x</r:display-name>"
	                  "<r:unknown-param name='+g'>sip:no</r:unknown-param>"
	                  "</r:contact></r:registration>"
	                  "<r:registration aor='sip:e@b' id='2' state='active'>"
	                  "<r:contact id='d' state='active' event='o:new'><r:uri>sip:d</r:uri>"
	                  "</r:contact></r:registration></r:reginfo>"),
	        0);
	assert_false(doc.full);
	assert_int_equal(doc.version, 7);
	assert_int_equal(doc.count, 2);
	assert_int_equal(doc.records[0].count, 1);
	assert_int_equal(doc.records[0].state, SIP_REG_TERMINATED);
	same(doc.records[0].contacts[0].uri, "sip:a&b@c");
	same(doc.records[0].contacts[0].callid, "abc");
	assert_true(doc.records[0].contacts[0].has_retry);
	assert_int_equal(doc.records[0].contacts[0].retry_s, 30);
	assert_true(doc.records[0].contacts[0].has_expires);
	assert_int_equal(doc.records[0].contacts[0].event, SIP_REG_PROBATION);
	assert_int_equal(doc.records[1].count, 1);
	assert_int_equal(doc.records[1].contacts[0].event, SIP_REG_OTHER);
	assert_false(doc.records[1].contacts[0].has_expires);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *why;
	} table[] = {
		{ "", "octets" },
		{ "x", "" },
		{ HEAD "version='1' state='full'>", "" },
		{ "<reginfo version='1' state='full'/>", "no reginfo" },
		{ "<a xmlns='urn:ietf:params:xml:ns:reginfo'/>", "no reginfo" },
		{ HEAD "state='full'/>", "version" },
		{ HEAD "version='-1' state='full'/>", "32 bits" },
		{ HEAD "version='4294967296' state='full'/>", "32 bits" },
		{ HEAD "version='1'/>", "version" },
		{ HEAD "version='1' state='half'/>", "state" },
		{ HEAD "version='1' state='full'><registration id='1' state='active'/></reginfo>",
		  "id or URI" },
		{ HEAD "version='1' state='full'><registration aor='' id='1' state='active'/>"
		       "</reginfo>",
		  "id or URI" },
		{ HEAD "version='1' state='full'><registration aor='a' id='1' state='on'/>"
		       "</reginfo>",
		  "no state" },
		{ HEAD "version='1' state='full'><registration aor='a' id='1' state='active'>"
		       "<contact id='1' state='init'/></registration></reginfo>",
		  "neither" },
		{ HEAD "version='1' state='full'><registration aor='a' id='1' state='active'>"
		       "<contact id='1' state='active'/></registration></reginfo>",
		  "without URI" },
		{ HEAD "version='1' state='full'><registration aor='a' id='1' state='active'>"
		       "<contact id='1' state='active'><uri> </uri></contact></registration>"
		       "</reginfo>",
		  "empty URI" },
		{ HEAD "version='1' state='full'><registration aor='a' id='1' state='active'>"
		       "<contact id='1' state='active'><uri>a</uri><uri>b</uri></contact>"
		       "</registration></reginfo>",
		  "two URIs" },
		{ "<!DOCTYPE reginfo [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
		  "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='1' state='full'>&b;"
		  "</reginfo>",
		  "document type" },
		{ "<!DOCTYPE reginfo SYSTEM \"file:///etc/passwd\"><reginfo/>", "document type" },
		{ HEAD "version='1' state='full'>&undefined;</reginfo>", "" },
		{ HEAD "version='1' state='full'>\xff</reginfo>", "" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(table); i++) {
		doc.version = 77;
		if (base_err_class(read_text(table[i].text)) != BASE_PEER)
			fail_msg("taken: %s", table[i].text);
		if (!strstr(err.text, table[i].why) || !err.text[0])
			fail_msg("%s: %s", table[i].text, err.text);
		assert_int_equal(doc.version, 77);
	}
}

/** As many and as long as may be, and one more. */
static void bounds(void **state)
{
	static const struct {
		const char *begin, *each, *end;
		unsigned most;
	} table[] = {
		{ "", "<registration aor='a' id='1' state='active'/>", "", SIP_REGINFO_RECORDS },
		{ "<registration aor='a' id='1' state='active'>",
		  "<contact id='1' state='active'><uri>u</uri></contact>", "</registration>",
		  SIP_REGINFO_CONTACTS },
		{ "<registration aor='a' id='1' state='active'><contact id='1' "
		  "state='active'><uri>",
		  "u", "</uri></contact></registration>", SIP_REGINFO_TEXT_MAX },
		{ "", "<o>", "", SIP_REGINFO_DEPTH - 1 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(table); i++)
		for (unsigned more = 0; more < 2; more++) {
			struct base_writer w = { 0 };
			int rc;

			base_writer_text(&w, HEAD "version='1' state='full'>");
			base_writer_text(&w, table[i].begin);
			for (unsigned n = 0; n < table[i].most + more; n++)
				base_writer_text(&w, table[i].each);
			base_writer_text(&w, table[i].end);
			for (unsigned n = 0; i == 3 && n < table[i].most + more; n++)
				base_writer_text(&w, "</o>");
			base_writer_text(&w, "</reginfo>");
			base_arena_reset(&arena);
			rc = sip_reginfo_read(&doc, &arena, base_writer_view(&w), &err);
			assert_int_equal(rc ? base_err_class(rc) : 0, more ? BASE_PEER : 0);
			while (w.len <= SIP_REGINFO_MAX)
				base_writer_u8(&w, ' ');
			base_arena_reset(&arena);
			assert_int_not_equal(
			        sip_reginfo_read(&doc, &arena, base_writer_view(&w), &err), 0);
			base_writer_done(&w);
		}
}

/** 5.2: the first, the next, one that was lost, one that comes late. */
static void versions(void **state)
{
	struct sip_reginfo_versions v = { 0 };
	struct sip_reginfo d = { .version = 5, .full = true };

	(void)state;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_NEXT);
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_NEXT); /* Kamailio's are all 0 */
	d.full = false;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_OLD);
	d.version = 6;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_NEXT);
	d.version = 8;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_GAP);
	d.version = 7;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_OLD);
	d.version = UINT32_MAX;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_GAP);
	d.version = 0;
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_OLD);
	v = (struct sip_reginfo_versions){ 0 };
	assert_int_equal(sip_reginfo_turn(&v, &d), SIP_REGINFO_GAP); /* the first is partial */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example),  cmocka_unit_test(what_is_another_s),
		cmocka_unit_test(refused),  cmocka_unit_test(bounds),
		cmocka_unit_test(versions),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	base_arena_done(&arena);
	return rc;
}
