/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages about the gateway and its control association, that the Iq and Mp profiles name and
 * whose text is not public: chp, ocp, hangterm, nb, seg, sdpr, sdpc. Package names, numbers and
 * versions are registered; how sure the rest is, each row says.
 */
#include "h248/package_tables.h"

#define OURS(text)    "not published; ours: " text
#define RECALLED(rec) rec ", recalled"

/* clang-format off */
#define ON_ROOT H248_IN_TERMINATION_STATE, H248_READ | H248_WRITE

/* ---- chp: MG congestion handling (H.248.10) ------------------------------------------------- */

static const struct h248_package_param chp_mgcon_observed[] = {
	{ "reduction", 0x0001, V, .required = true, .values = WITHIN(INTEGER, 0, 100),
	  .about = "Percentage of the load that the MGC is asked to block; 0 ends it." },
};
static const struct h248_package_item chp_items[] = {
	{ "MGCon", 0x0001, H248_EVENT, V, OBSERVED(chp_mgcon_observed),
	  .source = "H.248.10; names and numbers seen in Wireshark's packet-h248_10",
	  .about = "The MG asks the MGC to start or finish load reduction (on ROOT)." },
};
const struct h248_package h248_package_chp = {
	"chp", 0x0029, 1, V, .title = "MG congestion handling",
	.source = "H.248.10; IANA registry", ITEMS(chp_items),
};

/* ---- ocp: MG overload control (H.248.11) ---------------------------------------------------- */

static const struct h248_package_item ocp_items[] = {
	{ "mg_overload", 0x0001, H248_EVENT, R,
	  .source = "H.248.11, 5.2.1; name seen in its published contents, number recalled",
	  .about = "The MG is in overload: told when an Add comes during it (on ROOT)." },
};
const struct h248_package h248_package_ocp = {
	"ocp", 0x0051, 1, V, .title = "MG overload control",
	.source = "H.248.11; IANA registry", ITEMS(ocp_items),
};

/* ---- hangterm: hanging termination detection (H.248.36) ------------------------------------- */

static const struct h248_package_param hangterm_thb[] = {
	{ "timerx", 0x0001, R, .values = WITHIN(INTEGER, 0, 2147480),
	  .about = "Seconds without a message about this termination, after which to tell, again and "
	           "again; 0 = off, left out = as configured. Name, unit and range seen in a vendor's "
	           "manual." },
};
static const struct h248_package_item hangterm_items[] = {
	{ "thb", 0x0001, H248_EVENT, R, PARAMS(hangterm_thb), .source = RECALLED("H.248.36"),
	  .about = "Termination heartbeat: nothing has been said about this termination for long; the "
	           "MGC corrects what it knows, or subtracts." },
};
const struct h248_package h248_package_hangterm = {
	"hangterm", 0x0098, 1, V, .title = "Hanging termination detection",
	.source = "H.248.36; IANA registry", ITEMS(hangterm_items),
};

/* ---- nb: notification behaviour (H.248.1 version 3, E.15) ----------------------------------- */

static const struct h248_package_item nb_items[] = {
	{ "notreg", 0x0001, H248_PROPERTY, R, ON_ROOT, .values = WITHIN(INTEGER, 0, 100),
	  .source = "H.248.1 (09/2005), E.15; percentage seen in a vendor's manual, name and number "
	            "recalled",
	  .about = "How many of the Notify requests of regulated events are sent, in percent." },
};
const struct h248_package h248_package_nb = {
	"nb", 0x009a, 1, V, .title = "Notification behaviour",
	.source = "H.248.1 (09/2005), E.15; IANA registry", ITEMS(nb_items),
};

/* ---- seg: segmentation (H.248.1 version 3, E.14) -------------------------------------------- */

#define SEG_SOURCE                                                                                 \
	"H.248.1 (09/2005), E.14; name and order seen in a vendor's manual, number recalled"
static const struct h248_package_item seg_items[] = {
	{ "MGSegmentationTimerValue", 0x0001, H248_PROPERTY, R, ON_ROOT,
	  .values = WITHIN(INTEGER, 1, INT32_MAX), .source = SEG_SOURCE,
	  .about = "Milliseconds that the MGC waits for missing segments of the MG after the last "
	           "one." },
	{ "MGCSegmentationTimerValue", 0x0002, H248_PROPERTY, R, ON_ROOT,
	  .values = WITHIN(INTEGER, 1, INT32_MAX), .source = SEG_SOURCE,
	  .about = "Milliseconds that the MG waits for missing segments of the MGC after the last "
	           "one." },
	{ "MGMaxPDUSize", 0x0003, H248_PROPERTY, R, ON_ROOT, .values = WITHIN(INTEGER, 512, 65535),
	  .source = SEG_SOURCE, .about = "Largest message, in octets, that the MGC sends to the MG." },
	{ "MGCMaxPDUSize", 0x0004, H248_PROPERTY, R, ON_ROOT, .values = WITHIN(INTEGER, 512, 65535),
	  .source = SEG_SOURCE, .about = "Largest message, in octets, that the MG sends to the MGC." },
};
const struct h248_package h248_package_seg = {
	"seg", 0x00a3, 1, V, .title = "Segmentation",
	.source = "H.248.1 (09/2005), E.14; IANA registry", ITEMS(seg_items),
};

/* ---- sdpr, sdpc: what SDP is understood (H.248.49) ------------------------------------------ */

static const struct h248_package_item sdpr_items[] = {
	{ "rfc", 0x0001, H248_PROPERTY, P, H248_IN_TERMINATION_STATE, H248_READ,
	  .values = LIST_OF(STRING), .source = OURS("one list"),
	  .about = "Documents of the SDP that is read and written (on ROOT)." },
};
const struct h248_package h248_package_sdpr = {
	"sdpr", 0x00bb, 1, V, .title = "SDP RFC", .source = "H.248.49; IANA registry",
	ITEMS(sdpr_items),
};

static const struct h248_package_item sdpc_items[] = {
	{ "attr", 0x0001, H248_PROPERTY, P, H248_IN_TERMINATION_STATE, H248_READ,
	  .values = LIST_OF(STRING), .source = OURS("one list"),
	  .about = "Names of the SDP attributes that mean something here; others are carried "
	           "unchanged (on ROOT)." },
	{ "proto", 0x0002, H248_PROPERTY, P, H248_IN_TERMINATION_STATE, H248_READ,
	  .values = LIST_OF(STRING), .source = OURS("one list"),
	  .about = "Examples of the m= line's transports that are served: TCP, with or without TLS (on "
	           "ROOT)." },
};
const struct h248_package h248_package_sdpc = {
	"sdpc", 0x00bc, 1, V, .title = "SDP capabilities", .source = "H.248.49; IANA registry",
	ITEMS(sdpc_items),
};
