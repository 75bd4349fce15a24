/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages whose text is not public (H.248.84, .89, .90, .92 and, for the inactivity timer,
 * H.248.14), and our own; others are in package_unpublished_net.c and package_unpublished_gw.c.
 * Names, numbers and versions of the packages are registered with IANA;
 * almost everything inside them is ours (mark P), laid on the model of the generic bearer package
 * gb (0x0021). When a Recommendation is at hand, put its identifiers in here and change the marks;
 * nothing else in the tree knows them by number, and docs/packages.md is printed from here.
 */
#include "h248/package_tables.h"

#define OURS(text) "not published; ours: " text
#define GB_MODEL   OURS("modelled on gb (0x0021)")

/* clang-format off */

/* ---- it: inactivity timer (H.248.14) ------------------------------------------------------- */

static const struct h248_package_param it_ito[] = {
	{ "mit", 0x0001, R, .required = true, .values = WITHIN(INTEGER, 0, INT32_MAX),
	  .about = "Longest silence of the MGC, in units of 10 milliseconds; 0 = off. The name was "
	           "seen in a captured message." },
};
static const struct h248_package_item it_items[] = {
	{ "ito", 0x0001, H248_EVENT, R, PARAMS(it_ito),
	  .source = "H.248.14; name seen in a captured message, number and unit recalled",
	  .about = "No message came from the MGC for this long (on ROOT)." },
};
const struct h248_package h248_package_it = {
	"it", 0x0045, 1, V, .title = "Inactivity timer", .source = "IANA registry", ITEMS(it_items),
};

/* ---- tcptv: TCP traffic volume metrics (H.248.84) ------------------------------------------ */

static const struct h248_package_item tcptv_items[] = {
	{ "oin", 0x0001, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("as tlstv"), .about = "Octets received on the TCP connection." },
	{ "oout", 0x0002, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("as tlstv"), .about = "Octets sent on the TCP connection." },
};
const struct h248_package h248_package_tcptv = {
	"tcptv", 0x010f, 1, V, .title = "TCP traffic volume metrics",
	.source = "H.248.84; IANA registry", ITEMS(tcptv_items),
};

/* ---- what both bearer control packages share ------------------------------------------------ */

static const struct h248_package_enum general_cause[] = { /* as gb/RelBNC and g/cause */
	{ "NR", 1 }, { "UR", 2 }, { "FT", 3 }, { "FP", 4 }, { "IW", 5 }, { "UN", 6 },
};
static const struct h248_package_enum sides[] = {
	{ "none", H248_SIDE_NONE }, { "local", H248_SIDE_LOCAL }, { "remote", H248_SIDE_REMOTE },
};
static const struct h248_package_param release_params[] = {
	{ "GenCause", 0x0001, P, .values = ONE_OF_INITIALLY(general_cause, "NR"),
	  .about = "Why the controller releases." },
	{ "Failurecause", 0x0002, P, .values = ANY(OCTETS), .about = "Detail, as in gb; ignored." },
	{ "Reset", 0x0003, P, .values = INITIALLY(BOOLEAN, "off"),
	  .about = "Abort (RST) instead of an orderly close." },
};

/* ---- tcpbcc: TCP basic connection control (H.248.89, 7) ------------------------------------- */

static const struct h248_package_enum tcpbcc_types[] = {
	{ "Est", H248_BNC_ESTABLISHED }, { "Rel", H248_BNC_RELEASED },
	{ "EstFail", H248_BNC_ESTABLISH_FAILED },
};
static const struct h248_package_param tcpbcc_change[] = {
	{ "Type", 0x0001, P,
	  .values = { .type = H248_TYPE_ENUM, .sublist = true, .names = tcpbcc_types,
	              .name_count = BASE_COUNT(tcpbcc_types) },
	  .about = "Which changes to report; all when left out." },
};
static const struct h248_package_param tcpbcc_change_observed[] = {
	{ "Type", 0x0001, P, .required = true, .values = ONE_OF(tcpbcc_types),
	  .about = "Connection up, released, or not established." },
	{ "Cause", 0x0002, P, .values = ANY(STRING),
	  .about = "Why it went down or failed: a short stable word." },
	{ "Side", 0x0003, P, .values = ONE_OF(sides), .about = "Which side ended it." },
	{ "Peer", 0x0004, P, .values = ANY(STRING), .about = "Address and port of the peer." },
	{ "Reason", 0x0005, P, .values = ANY(STRING), .about = "One sentence for people." },
};
static const struct h248_package_item tcpbcc_items[] = {
	{ "BNCChange", 0x0001, H248_EVENT, P, PARAMS(tcpbcc_change), OBSERVED(tcpbcc_change_observed),
	  .source = GB_MODEL, .about = "The TCP connection came up, ended or could not be made." },
	{ "EstBNC", 0x0001, H248_SIGNAL, P, .source = GB_MODEL,
	  .about = "Be TCP client: send SYN towards the remote address." },
	{ "RelBNC", 0x0003, H248_SIGNAL, P, PARAMS(release_params), .source = GB_MODEL,
	  .about = "Close the connection, or abort it with Reset." },
};
const struct h248_package h248_package_tcpbcc = {
	"tcpbcc", 0x0115, 1, V, .title = "TCP basic connection control",
	.source = "H.248.89, 7; IANA registry", ITEMS(tcpbcc_items),
};

/* ---- tlsbsc: TLS basic session control (H.248.90, 8) ---------------------------------------- */

static const struct h248_package_enum tlsbsc_types[] = {
	{ "Est", H248_BNC_ESTABLISHED }, { "Mod", H248_BNC_MODIFIED },
	{ "Mfail", H248_BNC_MODIFY_FAILED }, { "Rel", H248_BNC_RELEASED },
	{ "EstFail", H248_BNC_ESTABLISH_FAILED },
};
static const struct h248_package_param tlsbsc_change[] = {
	{ "Type", 0x0001, P,
	  .values = { .type = H248_TYPE_ENUM, .sublist = true, .names = tlsbsc_types,
	              .name_count = BASE_COUNT(tlsbsc_types) },
	  .about = "Which changes to report; all when left out." },
};
static const struct h248_package_param tlsbsc_change_observed[] = {
	{ "Type", 0x0001, P, .required = true, .values = ONE_OF(tlsbsc_types),
	  .about = "Session up, changed (renegotiated; or its peer was revoked and it goes "
	           "on), renegotiation failed, ended, or not established." },
	{ "Alert", 0x0002, P, .values = WITHIN(INTEGER, -1, 255),
	  .about = "TLS alert number that ended it; -1 = none." },
	{ "Side", 0x0003, P, .values = ONE_OF(sides), .about = "Who sent the alert or closed." },
	{ "Version", 0x0004, P, .values = ANY(STRING), .about = "TLS version of the session." },
	{ "Suite", 0x0005, P, .values = ANY(STRING), .about = "Cipher suite, by its IANA name." },
	{ "Cause", 0x0006, P, .values = ANY(STRING),
	  .about = "Why it ended or failed: a short stable word." },
	{ "Reason", 0x0007, P, .values = ANY(STRING),
	  .about = "One sentence for people; never holds a secret." },
	{ "Resumed", 0x0008, P, .values = ANY(BOOLEAN), .about = "An earlier session was resumed." },
	{ "Peer", 0x0009, P, .values = ANY(STRING),
	  .about = "What the peer proved to be: certificate subject or PSK identity." },
	{ "Auth", 0x000a, P, .values = ANY(STRING),
	  .about = "How the peer was authenticated, or why not, in a short stable word: `ca`, "
"`fingerprint`, `psk`; else the reason (`no-certificate`, `fingerprint-mismatch`, "
"`unknown-ca` ...); `none` where nothing was asked." },
};
#define COUNT .values = WITHIN(DOUBLE, 0, INT64_MAX), .source = OURS("H.248.TLSPROF 8.7")
static const struct h248_package_item tlsbsc_items[] = {
	{ "BNCChange", 0x0001, H248_EVENT, P, PARAMS(tlsbsc_change), OBSERVED(tlsbsc_change_observed),
	  .source = GB_MODEL, .about = "The TLS session came up, changed, ended or failed." },
	{ "EstBNC", 0x0001, H248_SIGNAL, P, .source = GB_MODEL,
	  .about = "Be TLS client: send ClientHello as soon as TCP is up. Without it the MG is TLS "
	           "server." },
	{ "RelBNC", 0x0003, H248_SIGNAL, P, PARAMS(release_params), .source = GB_MODEL,
	  .about = "Send close_notify, then release TCP." },
	{ "hs", 0x0001, H248_STATISTIC, P, COUNT, .about = "Handshakes completed." },
	{ "hsfail", 0x0002, H248_STATISTIC, P, COUNT, .about = "Handshakes that failed." },
	{ "resum", 0x0003, H248_STATISTIC, P, COUNT, .about = "Of hs, those that resumed a session." },
	{ "hsauth", 0x0004, H248_STATISTIC, P, COUNT,
	  .about = "Of hsfail and renegfail, those for the peer's certificate or its CRL." },
	{ "hstime", 0x0005, H248_STATISTIC, P, COUNT, .about = "Milliseconds in the handshakes of hs." },
	{ "reneg", 0x0006, H248_STATISTIC, P, COUNT, .about = "Renegotiations completed." },
	{ "renegfail", 0x0007, H248_STATISTIC, P, COUNT, .about = "Renegotiations that failed." },
	{ "ain", 0x0008, H248_STATISTIC, P, COUNT, .about = "Sessions that a fatal alert of the peer ended." },
	{ "aout", 0x0009, H248_STATISTIC, P, COUNT, .about = "Sessions that a fatal alert of ours ended." },
};
const struct h248_package h248_package_tlsbsc = {
	"tlsbsc", 0x0117, 1, V, .title = "TLS basic session control",
	.source = "H.248.90, 8; IANA registry", ITEMS(tlsbsc_items),
};

/* ---- tlscn: TLS capability negotiation (H.248.90, 10; H.248.TLSPROF 8.9) -------------------- */

#define AUDITED (H248_IN_TERMINATION_STATE | H248_IN_LOCAL_CONTROL)
static const struct h248_package_item tlscn_items[] = {
	{ "ver", 0x0001, H248_PROPERTY, P, AUDITED, H248_READ, .values = LIST_OF(STRING),
	  .source = OURS("H.248.TLSPROF 8.9"), .about = "TLS versions, lowest first." },
	{ "suites", 0x0002, H248_PROPERTY, P, AUDITED, H248_READ, .values = LIST_OF(STRING),
	  .source = OURS("H.248.TLSPROF 8.9"),
	  .about = "Cipher suites by IANA name, in order of precedence." },
	{ "comp", 0x0003, H248_PROPERTY, P, AUDITED, H248_READ, .values = LIST_OF(STRING),
	  .source = OURS("H.248.TLSPROF 8.9"), .about = "Compression methods." },
	{ "resum", 0x0004, H248_PROPERTY, P, AUDITED, H248_READ, .values = ANY(BOOLEAN),
	  .source = OURS("H.248.TLSPROF 8.9"), .about = "Sessions can be resumed." },
	{ "reneg", 0x0005, H248_PROPERTY, P, AUDITED, H248_READ, .values = ANY(BOOLEAN),
	  .source = OURS("H.248.TLSPROF 8.9"), .about = "Renegotiation is accepted (RFC 5746)." },
};
const struct h248_package h248_package_tlscn = {
	"tlscn", 0x0118, 1, V, .title = "TLS capability negotiation",
	.source = "H.248.90, 10; IANA registry", ITEMS(tlscn_items),
};

/* ---- dtlscn: DTLS extended capabilities (H.248.93, 11) -------------------------------------- */

static const struct h248_package_item dtlscn_items[] = {
	{ "srtpprof", 0x0001, H248_PROPERTY, P, H248_IN_LOCAL_CONTROL, H248_READ | H248_WRITE, .values = LIST_WITHIN(STRING, 1, 64),
	  .source = "RFC 5764, 4.1.2",
	  .about = "SRTP protection profiles by IANA name, in order of preference." },
};
const struct h248_package h248_package_dtlscn = {
	"dtlscn", 0x011e, 1, V, .title = "DTLS extended capabilities", .extends = "tlscn",
	.source = "H.248.93, 11; IANA registry", ITEMS(dtlscn_items),
};

/* ---- tlsm: TLS session maintenance (H.248.90; H.248.TLSPROF 8.4) ---------------------------- */

static const struct h248_package_enum tlsm_results[] = {
	{ "done", 1 }, { "keys", 2 }, { "refused", 3 }, { "ignored", 4 }, { "failed", 5 },
	{ "not-begun", 6 },
};
static const struct h248_package_param tlsm_done_observed[] = {
	{ "Result", 0x0001, P, .required = true, .values = ONE_OF(tlsm_results),
	  .about = "Renegotiated; keys changed (TLS 1.3); refused by the peer with no_renegotiation, "
	           "or ignored by it, and the session goes on; failed, and it ended; not begun." },
	{ "Version", 0x0002, P, .values = ANY(STRING), .about = "TLS version of the session." },
	{ "Suite", 0x0003, P, .values = ANY(STRING), .about = "Cipher suite, by its IANA name." },
	{ "Cause", 0x0004, P, .values = ANY(STRING), .about = "Why not: a short stable word." },
	{ "Reason", 0x0005, P, .values = ANY(STRING), .about = "One sentence for people." },
};
static const struct h248_package_item tlsm_items[] = {
	{ "can", 0x0001, H248_PROPERTY, P, AUDITED, H248_READ, .values = LIST_OF(STRING),
	  .source = OURS("H.248.TLSPROF 8.4, 8.9"),
	  .about = "In AuditCapability who may begin a renegotiation, `by-client`, `by-server`, and "
	           "`key-update` where TLS 1.3 has new keys in its place; in AuditValue of a session "
	           "`secured` or `unsecured` (RFC 5746), and what Reneg does: `renegotiation` or "
	           "`key-update`." },
	{ "RenegDone", 0x0001, H248_EVENT, P, OBSERVED(tlsm_done_observed),
	  .source = OURS("H.248.TLSPROF 8.4"), .about = "What came of Reneg." },
	{ "Reneg", 0x0001, H248_SIGNAL, P, .source = OURS("H.248.TLSPROF 8.4"),
	  .about = "Renegotiate: as TLS server with a HelloRequest, as client with a ClientHello; in "
	           "TLS 1.3 new keys for both sides." },
};
const struct h248_package h248_package_tlsm = {
	"tlsm", 0x0119, 1, V, .title = "TLS session maintenance",
	.source = "H.248.90; IANA registry", ITEMS(tlsm_items),
};

/* ---- tcprm: TCP retransmission metrics (H.248.89, 9) ---------------------------------------- */

static const struct h248_package_item tcprm_items[] = {
	{ "retrans", 0x0001, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("one counter"), .about = "Segments retransmitted on the TCP connection." },
};
const struct h248_package h248_package_tcprm = {
	"tcprm", 0x0116, 1, V, .title = "TCP retransmission metrics",
	.source = "H.248.89, 9; IANA registry", ITEMS(tcprm_items),
};

/* ---- tlstv: TLS traffic volume metrics (H.248.90; H.248.TLSPROF 8.7) ------------------------ */

static const struct h248_package_item tlstv_items[] = {
	{ "oin", 0x0001, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("H.248.TLSPROF 8.7"), .about = "Octets received above TLS." },
	{ "oout", 0x0002, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("H.248.TLSPROF 8.7"), .about = "Octets sent above TLS." },
	{ "rin", 0x0003, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("H.248.TLSPROF 8.7"), .about = "Application data records received." },
	{ "rout", 0x0004, H248_STATISTIC, P, .values = WITHIN(DOUBLE, 0, INT64_MAX),
	  .source = OURS("H.248.TLSPROF 8.7"), .about = "Application data records sent." },
};
const struct h248_package h248_package_tlstv = {
	"tlstv", 0x011a, 1, V, .title = "TLS traffic volume metrics",
	.source = "H.248.90; IANA registry", ITEMS(tlstv_items),
};

/* ---- seplink: stream endpoint interlinkage (H.248.92) --------------------------------------- */

static const struct h248_package_enum seplink_links[] = {
	{ "off", H248_LINK_OFF }, { "tcp", H248_LINK_TCP }, { "tcp+tls", H248_LINK_TCP_TLS },
};
static const struct h248_package_item seplink_items[] = {
	{ "link", 0x0001, H248_PROPERTY, P, H248_IN_LOCAL_CONTROL, H248_READ | H248_WRITE,
	  .values = ONE_OF_INITIALLY(seplink_links, "off"), .source = OURS("one switch"),
	  .about = "A set-up coming in here triggers that of the partner endpoint; a combination "
	           "that cannot be is error 488." },
};
const struct h248_package h248_package_seplink = {
	"seplink", 0x011b, 1, V, .title = "Stream endpoint interlinkage",
	.source = "H.248.92; IANA registry", ITEMS(seplink_items),
};

/* ---- our private package --------------------------------------------------------------------- */

static const struct h248_package_enum roles[] = {
	{ "auto", H248_ROLE_AUTO }, { "client", H248_ROLE_CLIENT }, { "server", H248_ROLE_SERVER },
};
static const struct h248_package_enum renegotiations[] = {
	{ "domain", H248_RENEG_DOMAIN }, { "refuse", H248_RENEG_REFUSE },
	{ "accept", H248_RENEG_ACCEPT }, { "initiate", H248_RENEG_INITIATE },
	{ "both", H248_RENEG_BOTH },
};
#define SET_BY_MGC H248_IN_LOCAL_CONTROL, H248_READ | H248_WRITE
#define TOLD_TO_MGC H248_IN_LOCAL_CONTROL, H248_READ
static const struct h248_package_item private_items[] = {
	{ "dom", 0x0001, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 1, 64),
	  .source = "H.248.TLSPROF 8.1", .about = "TLS domain; the gateway's default when left out." },
	{ "role", 0x0002, H248_PROPERTY, P, SET_BY_MGC, .values = ONE_OF_INITIALLY(roles, "auto"),
	  .source = "H.248.TLSPROF 8.2",
	  .about = "TLS role, whatever the TCP role; auto = client when tlsbsc/EstBNC is given." },
	{ "pskid", 0x0003, H248_PROPERTY, P, SET_BY_MGC, .values = LIST_WITHIN(STRING, 1, 128),
	  .source = "H.248.TLSPROF 8.3.3; RFC 4279, 5.3",
	  .about = "PSK identities of this stream, in the order of psk." },
	{ "pskhint", 0x0004, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 0, 128),
	  .source = "H.248.TLSPROF 8.3.3; RFC 4279, 5.2", .about = "Identity hint, as TLS server." },
	{ "psk", 0x0005, H248_PROPERTY, P, H248_IN_LOCAL_CONTROL, H248_WRITE,
	  .values = LIST_WITHIN(OCTETS, 1, 64), .source = "TS 23.333 5.20; RFC 4279, 5.3",
	  .about = "Pre-shared keys of this stream, in the order of pskid. Never audited, never "
	           "logged." },
	{ "peername", 0x0006, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 1, 255),
	  .source = "H.248.TLSPROF 8.3", .about = "Name that the peer's certificate must prove." },
	{ "sni", 0x0007, H248_PROPERTY, P, SET_BY_MGC, .values = WITHIN(STRING, 1, 255),
	  .source = "RFC 6066, 3", .about = "Server name to send as TLS client." },
	{ "ver", 0x0008, H248_PROPERTY, P, TOLD_TO_MGC, .values = ANY(STRING),
	  .source = "H.248.TLSPROF 8.9", .about = "TLS version of the session now; empty before." },
	{ "suite", 0x0009, H248_PROPERTY, P, TOLD_TO_MGC, .values = ANY(STRING),
	  .source = "H.248.TLSPROF 8.9",
	  .about = "Cipher suite of the session now, by IANA name; empty before." },
	{ "peer", 0x000a, H248_PROPERTY, P, TOLD_TO_MGC, .values = ANY(STRING),
	  .source = "H.248.TLSPROF 8.3",
	  .about = "What the peer proved to be: certificate subject or PSK identity." },
	{ "resumed", 0x000b, H248_PROPERTY, P, TOLD_TO_MGC, .values = ANY(BOOLEAN),
	  .source = "H.248.TLSPROF 7-6", .about = "The session resumed an earlier one." },
	{ "gaps", 0x000c, H248_PROPERTY, P, TOLD_TO_MGC, .values = LIST_OF(STRING),
	  .source = "H.248.TLSPROF 8.9",
	  .about = "What the profile asks for and the domain's engine cannot do, with clauses; in "
	           "AuditCapability." },
	{ "share", 0x000d, H248_PROPERTY, P, SET_BY_MGC, .values = ANY(BOOLEAN),
	  .source = "docs/datagrams.md",
	  .about = "Datagrams: others that share may have the same port; Remote alone is heard, or "
	           "who proves to be the DTLS client that Remote has a fingerprint of." },
	{ "srtp", 0x000f, H248_PROPERTY, P, TOLD_TO_MGC, .values = ANY(STRING),
	  .source = "RFC 5764, 4.1.2",
	  .about = "SRTP protection profile of the session now, by IANA name; left out where there "
	           "is none." },
	{ "reneg", 0x000e, H248_PROPERTY, P, SET_BY_MGC,
	  .values = ONE_OF_INITIALLY(renegotiations, "domain"), .source = "H.248.TLSPROF 7-5",
	  .about = "Renegotiation, within the profile: the peer's are accepted, tlsm/Reneg may "
	           "initiate one, both or neither; else as the TLS domain says." },
};
const struct h248_package h248_package_private = {
	H248_PACKAGE_PRIVATE, H248_PACKAGE_PRIVATE_ID, 1, P, .title = "TLS domain, role and PSK",
	.source = "private (RFC 3525, 13.1)", ITEMS(private_items),
};
