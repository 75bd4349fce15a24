/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets against text. The first table is of the fact sheet (section 4.3: Erlang's output, lengths
 * and tags checked against the module); the second was written by hand from Annex A.
 */
#include "check.h"
#include "h248/ber.h"

struct golden {
	const char *clause;
	const char *text;
	const char *hex;
};

static const struct golden sheet[] = {
	{ "TransactionAck", "MEGACO/1 [192.0.2.1]:2944 K{1-5,7}",
	  "3026a124800101a10ca00a8004c000020181020b80a211a10fa30d30068001018101053003800107" },
	{ "messageError", "MEGACO/1 <a.example> Error=401{\"bad\"}",
	  "3021a11f800101a10da20b8009612e6578616d706c65a20ba009800201918103626164" },
	{ "TransactionPending, five octets", "MEGACO/1 mg1 PN=4294967295{}",
	  "3019a117800101a10583036d6731a20ba109a107800500ffffffff" },
	{ "SegmentReply", "MEGACO/3 mg1 SM=77/2/&",
	  "301aa118800103a10583036d6731a20ca10aa40880014d8101028200" },
	{ "TransactionReply with segment", "MEGACO/3 mg1 P=77/2/&{C=1}",
	  "3025a123800103a10583036d6731a217a115a21380014da209a1073005800101a3008301028400" },
	{ "ContextAttrAuditRequest", "MEGACO/3 mg1 T=9{C=*{CA{TP,IEPS,PR=3,EGV=EG,ORLgc}}}",
	  "3032a130800103a10583036d6731a224a122a020800109a11b3019800500ffffffffa20e8000830085010386"
	  "01ffa8028100a300" },
	{ "AuditRequest with a list", "MEGACO/3 mg1 T=9{C=1{AV=[ROOT,*]{AT{M}}}}",
	  "3054a152800103a10583036d6731a246a144a042800109a13d303b800101a3363034a032a530a00ca0008108"
	  "ffffffffffffffffa10480020520a21a300ca0008108ffffffffffffffff300aa0030401d78103000000" },
	{ "RequestedActions with notifyBehaviour",
	  "MEGACO/3 mg1 T=9{C=1{MF=*{E=5{al/on{NBIN,RSE}}}}}",
	  "304da14b800103a10583036d6731a23fa13da03b800109a1363034800101a32f302da02ba229a00c300aa003"
	  "0401d78103000000a119a317800105a1123010800400090004a206a40280008500a300" },
	{ "AuditDescriptor with an item", "MEGACO/2 mg1 T=9{C=-{AV=ROOT{AT{M,PG{al-1}}}}}",
	  "3043a141800102a10583036d6731a235a133a031800109a12c302a800100a3253023a021a51fa00ca0008108"
	  "ffffffffffffffffa10f80020520a109a60780020009810101" },
};

static size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t len = 0;

	assert_int_equal(base_hex_decode(base_str_of(hex), out, cap, &len), 0);
	return len;
}

static void same_octets(const struct golden *g, const struct base_writer *w, const uint8_t *octets,
                        size_t len)
{
	char *hex = malloc(3 * w->len + 1);

	base_hex_encode(w->data, w->len, 0, false, hex);
	if (w->len != len || memcmp(w->data, octets, len) != 0)
		fail_msg("%s: %s\n%s\n%s", g->clause, g->text, hex, g->hex);
	free(hex);
}

static void check(const struct golden *g)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct h248_message *text = NULL, *binary = NULL;
	struct base_error err = { 0 };
	uint8_t octets[512];
	size_t len = unhex(g->hex, octets, sizeof(octets));

	if (h248_text_decode(&arena, g->text, strlen(g->text), NULL, &text, &err))
		fail_msg("%s: %s", g->text, err.text);
	if (h248_ber_decode(&arena, octets, len, NULL, &binary, &err))
		fail_msg("%s: %s", g->text, err.text);
	if (!h248_message_equal(text, binary))
		fail_msg("%s: decodes to something else", g->text);
	assert_int_equal(h248_ber_encode(&w, text), 0);
	same_octets(g, &w, octets, len);
	base_writer_reset(&w);
	assert_int_equal(h248_ber_encode(&w, binary), 0);
	same_octets(g, &w, octets, len);
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void vectors_of_the_fact_sheet(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(sheet); i++)
		check(&sheet[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_fact_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
