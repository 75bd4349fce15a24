/* SPDX-License-Identifier: Apache-2.0 */
/* Packages on ROOT (root, seg, nb, sdpr, sdpc): what is set there is told and is followed. */
#include "scene.h"

static void transactions_follow_root(void **state)
{
	static const char *const never[] = { "normalMGExecutionTime", "normalMGCExecutionTime",
		                             "MGProvisionalResponseTimerValue",
		                             "MGCProvisionalResponseTimerValue" };

	(void)state;
	scene_start();
	accepted("C=-{AV=ROOT{AT{M}}}");
	contains("root/normalMGExecutionTime=500,root/normalMGCExecutionTime=500,"
	         "root/MGProvisionalResponseTimerValue=1000,"
	         "root/MGCProvisionalResponseTimerValue=5000,root/MGCOriginatedPendingLimit=0,"
	         "root/MGOriginatedPendingLimit=0");
	accepted("C=-{MF=ROOT{M{TS{root/normalMGExecutionTime=100,"
	         "root/MGProvisionalResponseTimerValue=200}}}}");
	accepted("C=-{MF=ROOT{M{TS{root/MGCProvisionalResponseTimerValue=300,"
	         "root/MGCOriginatedPendingLimit=4,root/MGOriginatedPendingLimit=0x5}}}}");
	assert_int_equal(st.root.execution_ms, 100);
	assert_int_equal(st.root.provisional_ms, 200);
	assert_int_equal(st.root.peer_provisional_ms, 300);
	assert_int_equal(st.root.peer_pending_limit, 4);
	assert_int_equal(st.root.pending_limit, 5);
	accepted("C=-{AV=ROOT{AT{M{TS{root/MGCOriginatedPendingLimit,root/"
	         "normalMGExecutionTime}}}}}");
	contains("root/MGCOriginatedPendingLimit=4");
	contains("root/normalMGExecutionTime=100");
	for (size_t i = 0; i < BASE_COUNT(never); i++) {
		char actions[128];

		snprintf(actions, sizeof(actions), "C=-{MF=ROOT{M{TS{root/%s=0}}}}", never[i]);
		refused(actions, 449, "not 0");
		snprintf(actions, sizeof(actions), "C=-{MF=ROOT{M{TS{root/%s=-1}}}}", never[i]);
		refused(actions, 449, "");
	}
	refused("C=-{MF=ROOT{M{TS{root/maxNumberOfContexts=5}}}}", 534, "");
	refused("C=-{MF=ROOT{M{TS{root/maxTerminationsPerContext=5}}}}", 534, "");
	refused("C=-{MF=ROOT{M{TS{root/nosuch=5}}}}", 450, "");
	assert_int_equal(st.root.execution_ms, 100);
	scene_end();
}

static void segmentation_is_set_on_root(void **state)
{
	(void)state;
	scene_start();
	accepted("C=-{MF=ROOT{M{TS{seg/MGCMaxPDUSize=1400,seg/MGCSegmentationTimerValue=4000}}}}");
	assert_int_equal(st.segment_octets, 1400);
	assert_int_equal(st.segment_ms, 4000);
	accepted("C=-{MF=ROOT{M{TS{seg/MGMaxPDUSize=2000,seg/MGSegmentationTimerValue=1}}}}");
	assert_int_equal(st.segment_octets, 1400);
	accepted("C=-{MF=ROOT{M{TS{seg/MGCMaxPDUSize=0x200}}}}");
	assert_int_equal(st.segment_octets, 512);
	accepted("C=-{AV=ROOT{AT{M}}}");
	contains("seg/MGCMaxPDUSize=0x200");
	contains("seg/MGCSegmentationTimerValue=4000");
	contains("seg/MGMaxPDUSize=2000");
	contains("seg/MGSegmentationTimerValue=1");
	refused("C=-{MF=ROOT{M{TS{seg/MGCMaxPDUSize=511}}}}", 449, "");
	refused("C=-{MF=ROOT{M{TS{seg/MGMaxPDUSize=65536}}}}", 449, "");
	refused("C=-{MF=ROOT{M{TS{seg/MGSegmentationTimerValue=0}}}}", 449, "");
	refused("C=-{MF=ROOT{M{TS{seg/MGCSegmentationTimerValue=soon}}}}", 449, "");
	assert_int_equal(st.segment_octets, 512);
	scene_end();
}

static unsigned told(unsigned happenings)
{
	unsigned before = st.requests;

	for (unsigned i = 0; i < happenings; i++) {
		accepted_v(3,
		           "C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}},E=5{tcpbcc/BNCChange{NBRN}}}}");
		stage_event(&st, st.endpoints - 1, RELAY_TCP_FAILED, RELAY_CAUSE_TIMEOUT);
		while (st.answered < st.notices)
			stage_answer(&st);
		stage_send(&st, "C=*{S=*{AT{}}}");
	}
	return st.requests - before;
}

static void regulated_notifies_are_regulated(void **state)
{
	(void)state;
	scene_start();
	assert_int_equal(told(4), 4);
	accepted("C=-{MF=ROOT{M{TS{nb/notreg=25}}}}");
	assert_int_equal(told(8), 2);
	accepted("C=-{MF=ROOT{M{TS{nb/notreg=0}}}}");
	assert_int_equal(told(4), 0);
	accepted("C=-{MF=ROOT{M{TS{nb/notreg=100}}}}");
	assert_int_equal(told(4), 4);
	refused("C=-{MF=ROOT{M{TS{nb/notreg=101}}}}", 449, "");
	refused("C=-{MF=ROOT{M{TS{nb/notreg=often}}}}", 449, "");
	accepted("C=-{AV=ROOT{AT{M{TS{nb/notreg}}}}}");
	contains("nb/notreg=100");
	scene_end();
}

static void root_tells_what_sdp_it_knows(void **state)
{
	(void)state;
	scene_start();
	accepted("C=-{AV=ROOT{AT{M}}}");
	contains("sdpr/rfc=[\"RFC 8866\",\"RFC 4145\",\"RFC 8122\",\"RFC 3605\",\"RFC 5761\",\"RFC "
	         "5764\",\"RFC 8842\"]");
	contains("sdpc/attr=[\"setup\",\"fingerprint\",\"tls-id\",\"rtcp\",\"rtcp-mux\"]");
	contains("sdpc/proto=[\"TCP/MSRP\",\"TCP/TLS/MSRP\"");
	refused("C=-{MF=ROOT{M{TS{sdpr/rfc=\"RFC 1\"}}}}", 534, "");
	refused("C=-{MF=ROOT{M{TS{sdpc/attr=\"x\"}}}}", 534, "");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions_follow_root),
		cmocka_unit_test(segmentation_is_set_on_root),
		cmocka_unit_test(regulated_notifies_are_regulated),
		cmocka_unit_test(root_tells_what_sdp_it_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
