/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sdpr and sdpc (H.248.49), on ROOT: what SDP this gateway understands, for an audit. The items are
 * ours (P); what they say is what h248/sdp_parse.c does.
 */
#include "mg/pkg.h"

static const char *const documents[] = { "RFC 8866", "RFC 4145", "RFC 8122", "RFC 3605",
	                                 "RFC 5761", "RFC 5764", "RFC 8842", NULL };
static const char *const attributes[] = {
	"setup", "fingerprint", "tls-id", "rtcp", "rtcp-mux", NULL
};
static const char *const protocols[] = {
	"TCP/MSRP",          "TCP/TLS/MSRP", "TCP/BFCP", "TCP/TLS/BFCP",  "RTP/AVP",
	"RTP/AVPF",          "udptl",        "UDP/BFCP", "UDP/TLS/UDPTL", "UDP/TLS/RTP/SAVP",
	"UDP/TLS/RTP/SAVPF", "UDP/TLS/BFCP", NULL
};

static bool sdpr_tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                      struct h248_parm **list)
{
	(void)term;
	return s || mg_pkg_names_tell(run, list, "sdpr/rfc", documents, H248_FORM_AND);
}

static bool sdpc_tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                      struct h248_parm **list)
{
	(void)term;
	return s || (mg_pkg_names_tell(run, list, "sdpc/attr", attributes, H248_FORM_AND) &&
	             mg_pkg_names_tell(run, list, "sdpc/proto", protocols, H248_FORM_AND));
}

const struct mg_equipment mg_pkg_sdpr = { .package = "sdpr", .on = MG_ON_ROOT, .tell = sdpr_tell };
const struct mg_equipment mg_pkg_sdpc = { .package = "sdpc", .on = MG_ON_ROOT, .tell = sdpc_tell };
