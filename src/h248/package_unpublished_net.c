/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages about an endpoint's packets, that the Iq and Mp profiles name (sheet of the profiles, 7)
 * and whose text is not public: gm, tman, ds, ipdc, ipnapt, adid, rtcph, ipra. Package names,
 * numbers and versions are registered. Item names were seen where the source says so (Wireshark's
 * table of LocalControl properties, vendors' manuals); every item number is recalled, which is why
 * no row is marked V. What a value means on a TCP stream is ours.
 */
#include "h248/package_tables.h"

#define NAME_IN_WIRESHARK(rec) rec "; name seen in Wireshark's packet-megaco, number recalled"
#define RECALLED(rec)          rec ", recalled"

/* clang-format off */
#define LOCAL_CONTROL H248_IN_LOCAL_CONTROL, H248_READ | H248_WRITE

/* ---- ds: differentiated services (H.248.52) ------------------------------------------------- */

static const struct h248_package_enum ds_tagging[] = { { "mark", 1 }, { "copy", 2 } };
static const struct h248_package_item ds_items[] = {
	{ "dscp", 0x0001, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(OCTETS, 1, 1),
	  .source = NAME_IN_WIRESHARK("H.248.52") ", which reads two hexadecimal digits",
	  .about = "DSCP of the packets sent, as one octet in two hexadecimal digits, 00 to 3F; 00 "
	           "when left out." },
	{ "tb", 0x0002, H248_PROPERTY, R, LOCAL_CONTROL, .values = ONE_OF_INITIALLY(ds_tagging, "mark"),
	  .source = RECALLED("H.248.52, version 2") "; its values are ours",
	  .about = "Tagging behaviour: mark packets with dscp, or copy what came in. A gateway that "
	           "ends TCP has no packet to copy from." },
};
const struct h248_package h248_package_ds = {
	"ds", 0x008b, 2, V, .title = "Differentiated services",
	.source = "H.248.52; IANA registry", ITEMS(ds_items),
};

/* ---- gm: gate management, source filtering (H.248.43, 7) ------------------------------------ */

static const struct h248_package_item gm_items[] = {
	{ "saf", 0x0001, H248_PROPERTY, R, LOCAL_CONTROL, .values = INITIALLY(BOOLEAN, "off"),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"),
	  .about = "Remote source address filtering: only addresses of sam, or that of Remote "
	           "without it." },
	{ "sam", 0x0002, H248_PROPERTY, R, LOCAL_CONTROL,
	  .values = { .type = H248_TYPE_STRING, .sublist = true, .bounded = true, .min = 2,
	              .max = 64 },
	  .source = NAME_IN_WIRESHARK("H.248.43, 7") "; a plain address seen in a vendor's example, "
	            "mask and list are ours",
	  .about = "Remote source address mask: an IPv4 or IPv6 address, `/` and the length of its "
	           "prefix or nothing; several are alternatives." },
	{ "spf", 0x0003, H248_PROPERTY, R, LOCAL_CONTROL, .values = INITIALLY(BOOLEAN, "off"),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"),
	  .about = "Remote source port filtering: only ports of spr, or that of Remote without it." },
	{ "spr", 0x0004, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(STRING, 1, 11),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7") "; its form is ours",
	  .about = "Remote source port range: `low-high`, or one port." },
	{ "esas", 0x0005, H248_PROPERTY, R, LOCAL_CONTROL, .values = INITIALLY(BOOLEAN, "off"),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"),
	  .about = "Explicit source address setting: send from lsa." },
	{ "lsa", 0x0006, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(STRING, 2, 64),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"), .about = "Local source address." },
	{ "esps", 0x0007, H248_PROPERTY, R, LOCAL_CONTROL, .values = INITIALLY(BOOLEAN, "off"),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"),
	  .about = "Explicit source port setting: send from lsp." },
	{ "lsp", 0x0008, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(INTEGER, 1, 65535),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"), .about = "Local source port." },
	{ "rsb", 0x0009, H248_PROPERTY, R, LOCAL_CONTROL, .values = INITIALLY(BOOLEAN, "off"),
	  .source = NAME_IN_WIRESHARK("H.248.43, 7"),
	  .about = "RTCP-specific behaviour: the next port is RTCP's." },
	{ "dp", 0x0001, H248_STATISTIC, R, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = "H.248.43, 7; name seen in the scope of H.248.53, number recalled",
	  .about = "Discarded packets; on a TCP stream the connections that the filter refused." },
};
const struct h248_package h248_package_gm = {
	"gm", 0x008c, 2, V, .title = "Gate management: source address and port filtering",
	.source = "H.248.43, 7; IANA registry", ITEMS(gm_items),
};

/* ---- tman: traffic management (H.248.53) ---------------------------------------------------- */

static const struct h248_package_item tman_items[] = {
	{ "sdr", 0x0001, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(INTEGER, 1, INT32_MAX),
	  .source = NAME_IN_WIRESHARK("H.248.53") ", unit seen there",
	  .about = "Sustainable data rate, in octets per second." },
	{ "mbs", 0x0002, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(INTEGER, 1, INT32_MAX),
	  .source = NAME_IN_WIRESHARK("H.248.53") ", unit seen in a vendor's manual",
	  .about = "Maximum burst size, in octets." },
	{ "pdr", 0x0003, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(INTEGER, 1, INT32_MAX),
	  .source = NAME_IN_WIRESHARK("H.248.53") ", unit seen in a vendor's manual",
	  .about = "Peak data rate, in octets per second." },
	{ "dvt", 0x0004, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(INTEGER, 0, INT32_MAX),
	  .source = NAME_IN_WIRESHARK("H.248.53") "; unit recalled",
	  .about = "Delay variation tolerance, in tenths of a microsecond." },
	{ "pol", 0x0005, H248_PROPERTY, R, LOCAL_CONTROL, .values = INITIALLY(BOOLEAN, "off"),
	  .source = NAME_IN_WIRESHARK("H.248.53"),
	  .about = "Policing: what comes in from the peer keeps to the rates. On a TCP stream nothing "
	           "is dropped, the peer is slowed down." },
};
const struct h248_package h248_package_tman = {
	"tman", 0x008d, 1, V, .title = "Traffic management",
	.source = "H.248.53; IANA registry", ITEMS(tman_items),
};

/* ---- ipnapt: NAPT traversal, latching (H.248.37) -------------------------------------------- */

static const struct h248_package_enum ipnapt_latch[] = {
	{ "OFF", 0 }, { "LATCH", 1 }, { "RELATCH", 2 },
};
static const struct h248_package_param ipnapt_params[] = {
	{ "napt", 0x0001, R, .required = true, .values = ONE_OF(ipnapt_latch),
	  .about = "Take the peer's address from what comes in: no, once, or anew." },
};
static const struct h248_package_item ipnapt_items[] = {
	{ "latch", 0x0001, H248_SIGNAL, R, PARAMS(ipnapt_params),
	  .source = "H.248.37; name seen in a vendor's manual, number and parameter recalled",
	  .about = "The remote address is that of the first to come, not that of Remote." },
};
const struct h248_package h248_package_ipnapt = {
	"ipnapt", 0x0099, 1, V, .title = "IP NAPT traversal",
	.source = "H.248.37; IANA registry", ITEMS(ipnapt_items),
};

/* ---- adid: application data inactivity (H.248.40) ------------------------------------------- */

static const struct h248_package_enum adid_directions[] = {
	{ "IN", 1 }, { "OUT", 2 }, { "BOTH", 3 },
};
static const struct h248_package_param adid_params[] = {
	{ "dt", 0x0001, R, .values = WITHIN(INTEGER, 1, INT32_MAX),
	  .about = "Seconds without data after which to tell; unit recalled; 60 when left out (ours)." },
	{ "dir", 0x0002, R, .values = ONE_OF_INITIALLY(adid_directions, "BOTH"),
	  .about = "Direction that is watched." },
};
static const struct h248_package_item adid_items[] = {
	{ "ipstop", 0x0001, H248_EVENT, R, PARAMS(adid_params), .source = RECALLED("H.248.40"),
	  .about = "No application data for that long." },
};
const struct h248_package h248_package_adid = {
	"adid", 0x009c, 1, V, .title = "Application data inactivity detection",
	.source = "H.248.40; IANA registry", ITEMS(adid_items),
};

/* ---- ipdc: IP domain connection (H.248.41) -------------------------------------------------- */

static const struct h248_package_item ipdc_items[] = {
	{ "realm", 0x0001, H248_PROPERTY, R, LOCAL_CONTROL, .values = WITHIN(STRING, 1, 64),
	  .source = NAME_IN_WIRESHARK("H.248.41"),
	  .about = "IP realm identifier: the local address is one of that realm." },
};
const struct h248_package h248_package_ipdc = {
	"ipdc", 0x009d, 2, V, .title = "IP domain connection",
	.source = "H.248.41; IANA registry", ITEMS(ipdc_items),
};

/* ---- rtcph: RTCP handling (H.248.57) -------------------------------------------------------- */

static const struct h248_package_item rtcph_items[] = {
	{ "rsb", 0x0001, H248_PROPERTY, R, LOCAL_CONTROL, .values = ANY(BOOLEAN),
	  .source = RECALLED("H.248.57"), .about = "Reserve a port for RTCP beside that of RTP." },
};
const struct h248_package h248_package_rtcph = {
	"rtcph", 0x00b5, 1, V, .title = "RTCP handling",
	.source = "H.248.57; IANA registry", ITEMS(rtcph_items),
};

/* ---- ipra: IP realm availability (H.248.41 Amd. 1) ------------------------------------------ */

static const struct h248_package_param ipra_observed[] = {
	{ "newrealm", 0x0001, R, .values = LIST_OF(STRING), .about = "Realms that came." },
	{ "urealm", 0x0002, R, .values = LIST_OF(STRING), .about = "Realms that went." },
};
static const struct h248_package_item ipra_items[] = {
	{ "ar", 0x0001, H248_PROPERTY, R, H248_IN_TERMINATION_STATE, H248_READ,
	  .values = LIST_OF(STRING), .source = RECALLED("H.248.41 Amd. 1"),
	  .about = "IP realms that are available (on ROOT)." },
	{ "arc", 0x0001, H248_EVENT, R, OBSERVED(ipra_observed), .source = RECALLED("H.248.41 Amd. 1"),
	  .about = "The available realms have changed (on ROOT)." },
};
const struct h248_package h248_package_ipra = {
	"ipra", 0x00e0, 1, V, .title = "IP realm availability",
	.source = "H.248.41 Amd. 1; IANA registry", ITEMS(ipra_items),
};
