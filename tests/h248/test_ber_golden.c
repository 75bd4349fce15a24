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

/* Descriptors of `Modify=a`, each the octets of one AmmDescriptor. */
static const struct golden descriptors[] = {
	{ "LocalControlDescriptor; NOTE 4: values are wrapped twice",
	  "Media{LocalControl{Mode=SendReceive,ReservedValue=ON,ReservedGroup=OFF,nt/jit=40}}",
	  "a020a11ea01ca01a8001028101ff820100a30f300d8004000b0007a1050403020128" },
	{ "TerminationStateDescriptor, no properties",
	  "Media{TerminationState{ServiceStates=InService,Buffer=LockStep}}",
	  "a00aa008a000810101820102" },
	{ "LocalRemoteDescriptor, C.11", "Media{Stream=2{Remote{\r\nv=0\r\nc=IN IP4 $\r\n}}}",
	  "a036a134a1323030800102a12ba229a0273025300d80040000b001a105040316013030148004"
	  "0000b008a10c040a1608494e2049503420"
	  "24" },
	{ "PropertyParm, range", "Media{LocalControl{nt/jit=[20:80]}}",
	  "a021a11fa01da01ba31930178004000b0007a10a04030201140403020150a2038101ff" },
	{ "PropertyParm, CHOOSE is an empty sequence", "Media{LocalControl{nt/jit=$}}",
	  "a012a110a00ea00ca30a30088004000b0007a100" },
	{ "PropertyParm, one of", "Media{LocalControl{nt/jit={20,40}}}",
	  "a021a11fa01da01ba31930178004000b0007a10a04030201140403020128a203820100" },
	{ "PropertyParm, all of", "Media{LocalControl{nt/jit=[20,40]}}",
	  "a021a11fa01da01ba31930178004000b0007a10a04030201140403020128a2038201ff" },
	{ "PropertyParm, relation unequalTo", "Media{LocalControl{nt/jit#20}}",
	  "a01ca11aa018a016a31430128004000b0007a1050403020114a203800102" },
	{ "RequestedEvent", "Events=5{al/on{strict=state,KeepActive,Stream=3}}",
	  "a324800105a11f301d800400090004810103a2038001ffa30d300b80020001a10504030a0101" },
	{ "SecondEventsDescriptor", "Events=5{al/of{Embed{Signals{cg/dt},Events=6{al/on}}}}",
	  "a32e800105a1293027800400090005a21da20f800106a10a3008800400090004a300a30aa008800400070030"
	  "a600a300" },
	{ "SecondRequestedActions: one field less; v3: notifyBehaviour, resetEventsDescriptor",
	  "Events=5{al/of{Embed{Events=6{al/on{Embed{Signals{cg/dt}},ImmediateNotify,"
	  "ResetEventsDescriptor}}}}}",
	  "a336800105a131302f800400090005a225a223800106a11e301c800400090004a212a20aa008800400070030"
	  "a600a30280008400a300a300" },
	{ "RegulatedEmbeddedDescriptor (v3)",
	  "Events=5{al/of{RegulatedNotify{Embed{Signals{cg/dt}}}}}",
	  "a321800105a11c301a800400090005a210a40ea10ca10aa008800400070030a600a300" },
	{ "EventsDescriptor, empty", "Events", "a302a100" },
	{ "EventSpec; FFFF is all", "EventBuffer{al/on,dd/*}",
	  "a4143008800400090004a200300880040006ffffa200" },
	{ "Signal, NotifyCompletion",
	  "Signals{al/ri{Stream=1,SignalType=TimeOut,Duration=600,"
	  "NotifyCompletion={TimeOut,OtherReason}}}",
	  "a518a01680040009000281010182010283020258840204"
	  "90a600" },
	{ "SeqSigList; v3: direction, requestID, intersigDelay",
	  "Signals{SignalList=7{cg/rt{SPADirection=External,SPARequestID=88,Intersignal=30}}}",
	  "a51aa118800107a1133011800400070031a60087010188015889011e" },
	{ "SignalsDescriptor, empty", "Signals", "a500" },
	{ "DigitMapDescriptor; v2: durationTimer", "DigitMap=dm{T:5,S:4,L:12,Z:7,(0S|1x)}",
	  "a61b8002646da11580010581010482010c83072830537c317829840107" },
	{ "auditToken, bits 2 and 8", "Audit{Media,Packages}", "a7058003072080" },
	{ "AuditDescriptor, empty", "Audit{}", "a700" },
	{ "MuxDescriptor", "Mux=H223{a,b}", "a213800101a10e3005a0008101613005a000810162" },
	{ "ModemDescriptor", "Modem[V18,V90]", "a10aa0060a01000a0106a100" },
	{ "StatisticsDescriptor (v3: in requests)", "Statistics{nt/dur,rtp/ps}",
	  "a81030068004000b000130068004000c0004" },
};

/* Whole commands, each one CommandRequest. */
static const struct golden requests[] = {
	{ "NotifyRequest; dd/ce of E.6",
	  "Notify=a{ObservedEvents=5{20260314T10151799:dd/ce{ds=\"8431\",Meth=UM}}}",
	  "3051a04fa64da0073005a000810161a142800105a13d303b800400060004a21d300e80020001a1080406"
	  "160438343331300b80020003a10504030a0101a3148008323032363033313481083130313531373939" },
	{ "ServiceChangeParm; the reason is wrapped twice",
	  "ServiceChange=ROOT{Services{Method=Restart,Reason=\"901 Cold Boot\",Version=3,Delay=0,"
	  "20260314T09265300}}",
	  "3048a046a744a00e300ca0008108ffffffffffffffffa132800103820103a411040f160d39303120436f6c64"
	  "20426f6f74850100a7148008323032363033313481083039323635333030" },
	{ "SubtractRequest, optional, wildcardReturn; A.1: line/* is one field for the last octet",
	  "O-W-Subtract=line/*{Audit{}}",
	  "301ba015a313a00f300da0030401c781066c696e652f2aa10081008200" },
	{ "TerminationID of two levels; octet 3 of 5 is CHOOSE, one level", "Move=a/$/b",
	  "3016a014a112a00e300ca003040117"
	  "8105612f242f62a100" },
};

/* Whole replies to commands, each one CommandReply. */
static const struct golden replies[] = {
	{ "AmmsReply", "Add=a", "a009a0073005a000810161" },
	{ "AmmsReply, statistics", "Subtract=a{Statistics{nt/os=73600}}",
	  "a31ea0073005a000810161a113a911300f8004000b0002a10704050203011f80" },
	{ "AuditResult, emptyDescriptors", "AuditValue=a{Mux,Events=5{al/on}}",
	  "a522a220a005a000810161a117ab0480020780a40f800105a10a3008800400090004a300" },
	{ "AuditReply, error", "AuditValue=Context{Error=431{}}",
	  "a506a1048002"
	  "01af" },
	{ "NotifyReply with error", "Notify=a{Error=500{\"x\"}}",
	  "a612a0073005a000810161a107800201f4810178" },
	{ "ServiceChangeResParm", "ServiceChange=ROOT{Services{Version=2}}",
	  "a717a00e300ca0008108ffffffffffffffffa105a103820102" },
	{ "ServiceChangeResParm, none", "ServiceChange=ROOT",
	  "a714a00e300ca0008108ffffffffffffffffa102a100" },
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

/* Put tag and length before what is in `w`. */
static void wrap(struct base_writer *w, unsigned tag, const char *before_hex)
{
	uint8_t before[64], head[4] = { (uint8_t)tag };
	size_t before_len = unhex(before_hex, before, sizeof(before)), len = w->len + before_len;
	size_t head_len = 2;
	struct base_writer out = { 0 };

	head[1] = (uint8_t)len;
	if (len >= 256) {
		head[1] = 0x82;
		head[2] = (uint8_t)(len >> 8);
		head[3] = (uint8_t)len;
		head_len = 4;
	} else if (len >= 128) {
		head[1] = 0x81;
		head[2] = (uint8_t)len;
		head_len = 3;
	}
	base_writer_put(&out, head, head_len);
	base_writer_put(&out, before, before_len);
	base_writer_put(&out, w->data, w->len);
	base_writer_done(w);
	*w = out;
}

/* The innermost octets into a whole message of version 3 from mg1: T=9 or P=9, C=1. */
static void frame(struct base_writer *w, bool reply)
{
	wrap(w, 0xA3, "");
	wrap(w, 0x30, "800101");
	wrap(w, 0xA1, "");
	if (reply)
		wrap(w, 0xA2, "");
	wrap(w, reply ? 0xA2 : 0xA0, "800109");
	wrap(w, 0xA1, "");
	wrap(w, 0xA2, "");
	wrap(w, 0xA1, "800103a10583036d6731");
	wrap(w, 0x30, "");
}

static void check_framed(const struct golden *g, bool reply, bool descriptor)
{
	char text[512], *hex;
	uint8_t octets[256];
	struct base_writer w = { 0 };
	struct golden whole = { g->clause, text, NULL };

	snprintf(text, sizeof(text), "MEGACO/3 mg1 %s=9{C=1{%s%s%s}}", reply ? "P" : "T",
	         descriptor ? "MF=a{" : "", g->text, descriptor ? "}" : "");
	base_writer_put(&w, octets, unhex(g->hex, octets, sizeof(octets)));
	if (descriptor) {
		wrap(&w, 0xA1, "");
		wrap(&w, 0xA2, "a0073005a000810161");
		wrap(&w, 0xA0, "");
		wrap(&w, 0x30, "");
	}
	frame(&w, reply);
	hex = malloc(3 * w.len + 1);
	base_hex_encode(w.data, w.len, 0, false, hex);
	whole.hex = hex;
	check(&whole);
	free(hex);
	base_writer_done(&w);
}

static void descriptors_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(descriptors); i++)
		check_framed(&descriptors[i], false, true);
}

static void requests_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(requests); i++)
		check_framed(&requests[i], false, false);
}

static void replies_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(replies); i++)
		check_framed(&replies[i], true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_fact_sheet),
		cmocka_unit_test(descriptors_by_hand),
		cmocka_unit_test(requests_by_hand),
		cmocka_unit_test(replies_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
