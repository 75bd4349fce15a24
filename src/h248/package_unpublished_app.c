/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams in which the gateway knows the application (H.248.TLSPROF 6-2): MSRP relay, chat room,
 * floor control server. What SDP can say is said there (docs/mg.md); this is the rest. H.248.19 and
 * H.248.69 have packages for the like (fcp, msrpstat), whose text is not at hand: these are ours.
 */
#include "h248/package_tables.h"

/* clang-format off */
#define SET_BY_MGC H248_IN_LOCAL_CONTROL, H248_READ | H248_WRITE

static const struct h248_package_enum msrp_modes[] = {
	{ "agnostic", H248_MSRP_AGNOSTIC }, { "b2b", H248_MSRP_B2B }, { "room", H248_MSRP_ROOM },
};
static const struct h248_package_item msrp_items[] = {
	{ "mode", 0x0001, H248_PROPERTY, P, SET_BY_MGC,
	  .values = ONE_OF_INITIALLY(msrp_modes, "agnostic"), .source = "TS 23.333 5.20.2; RFC 6714",
	  .about = "What the stream is to us: octets that are passed on; one of the two sessions of a "
	           "relay that rewrites paths; or a member's session with the chat room that all "
	           "terminations with this StreamID in the context make." },
	{ "room", 0x0002, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 1, 255),
	  .source = "RFC 7701, 5.2", .about = "URI of the room; mode room needs it." },
	{ "user", 0x0003, H248_PROPERTY, P, SET_BY_MGC, .values = LIST_WITHIN(STRING, 1, 255),
	  .source = "RFC 7701, 5.2",
	  .about = "URIs by which the participant is known in the room, up to 8: what he may give as "
	           "From. Mode room needs one." },
	{ "min", 0x0004, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = "RFC 4975, 7.1", .about = "SEND requests received: each chunk is one." },
	{ "mout", 0x0005, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = "RFC 4975, 7.1", .about = "SEND requests sent." },
};
const struct h248_package h248_package_msrp = {
	H248_PACKAGE_MSRP, H248_PACKAGE_MSRP_ID, 1, P, .title = "MSRP in the gateway",
	.source = "private (RFC 3525, 13.1)", ITEMS(msrp_items),
};

static const struct h248_package_enum bfcp_modes[] = {
	{ "agnostic", H248_BFCP_AGNOSTIC }, { "server", H248_BFCP_SERVER },
};
static const struct h248_package_item bfcp_items[] = {
	{ "mode", 0x0001, H248_PROPERTY, P, SET_BY_MGC,
	  .values = ONE_OF_INITIALLY(bfcp_modes, "agnostic"), .source = "TS 23.333 5.20.2; RFC 8856",
	  .about = "What the stream is to us: octets that are passed on; or a user's connection with "
	           "the floor control server that all terminations with this StreamID in the context "
	           "share." },
	{ "uri", 0x0002, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 1, 255),
	  .source = "RFC 8855, 5.2.13", .about = "URI of the user, told to others." },
	{ "name", 0x0003, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 1, 255),
	  .source = "RFC 8855, 5.2.12", .about = "Name of the user, told to others." },
	{ "chair", 0x0004, H248_PROPERTY, P, SET_BY_MGC, .values = LIST_WITHIN(INTEGER, 0, 65535),
	  .source = "RFC 8855, 4", .about = "Floors that the user decides about." },
	{ "holders", 0x0005, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(INTEGER, 1, 65535),
	  .source = "RFC 8855, 4",
	  .about = "How many may hold each floor of Local at a time; 1 when left out." },
	{ "maxprio", 0x0006, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(INTEGER, 0, 4),
	  .source = "RFC 8855, 5.2.4", .about = "Highest priority of the user that counts." },
	{ "third", 0x0007, H248_PROPERTY, P, SET_BY_MGC, .values = ANY(BOOLEAN),
	  .source = "RFC 8855, 4", .about = "The user may request floors for others." },
	{ "min", 0x0008, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = "RFC 8855, 5", .about = "Messages received." },
	{ "mout", 0x0009, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = "RFC 8855, 5", .about = "Messages sent." },
};
const struct h248_package h248_package_bfcp = {
	H248_PACKAGE_BFCP, H248_PACKAGE_BFCP_ID, 1, P, .title = "BFCP in the gateway",
	.source = "private (RFC 3525, 13.1)", ITEMS(bfcp_items),
};
