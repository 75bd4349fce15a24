/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gm, gate management (H.248.43, 7): which source addresses and ports may come in. On a TCP stream
 * that is a question for the listening endpoint: a connection from elsewhere is reset, and the
 * endpoint goes on waiting. Without sam (spr) the source is the address (port) in Remote, and while
 * there is no Remote, nobody comes in. A connection that is up is not asked again. A TCP client
 * hears nobody but its Remote anyway; only a sam or spr that excludes it is refused. Explicit
 * source settings (lsa, lsp) and RTCP's port have no meaning here: their switches can only be off.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "mg/pkg.h"

/* ---- values ---- */

/* "192.0.2.0/24", "[2001:db8::]/32", without the length: that one address. */
static bool source_of(struct base_str text, struct relay_source *ret)
{
	char host[INET6_ADDRSTRLEN + 2] = "";
	size_t slash = 0;
	uint64_t bits;
	char *at = host;

	while (slash < text.len && text.ptr[slash] != '/')
		slash++;
	if (!slash || slash >= sizeof(host))
		return false;
	memcpy(host, text.ptr, slash);
	if (host[0] == '[' && host[slash - 1] == ']') {
		host[slash - 1] = '\0';
		at++;
	}
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, at, ret->octets) == 1)
		ret->family = AF_INET;
	else if (inet_pton(AF_INET6, at, ret->octets) == 1)
		ret->family = AF_INET6;
	else
		return false;
	bits = ret->family == AF_INET ? 32 : 128;
	if (slash < text.len &&
	    base_str_u64((struct base_str){ text.ptr + slash + 1, text.len - slash - 1 }, bits,
	                 &bits))
		return false;
	ret->prefix = (uint8_t)bits;
	return true;
}

static bool ports_of(struct base_str text, uint16_t *ret_min, uint16_t *ret_max)
{
	size_t dash = 0;
	uint64_t min, max;

	while (dash < text.len && text.ptr[dash] != '-')
		dash++;
	if (base_str_u64((struct base_str){ text.ptr, dash }, 65535, &min) || !min)
		return false;
	max = min;
	if (dash < text.len &&
	    base_str_u64((struct base_str){ text.ptr + dash + 1, text.len - dash - 1 }, 65535,
	                 &max))
		return false;
	*ret_min = (uint16_t)min;
	*ret_max = (uint16_t)max;
	return min <= max;
}

static int sources_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                         const struct h248_parm *parm)
{
	struct relay_source one;
	unsigned count = 0;

	(void)plan;
	for (const struct h248_value *v = &parm->value; v; v = v->next)
		if (++count > RELAY_SOURCES_MAX || !source_of(v->text, &one))
			return mg_fail(
			        run, H248_E_VALUE,
			        "Stream %u, LocalControl gm/sam: not 1 to %u addresses, each "
			        "with the length of its prefix or alone",
			        s->id, RELAY_SOURCES_MAX);
	return 0;
}

static int ports_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                       const struct h248_parm *parm)
{
	uint16_t min, max;

	(void)plan;
	if (ports_of(parm->value.text, &min, &max))
		return 0;
	return mg_fail(run, H248_E_VALUE, "Stream %u, LocalControl gm/spr: no port or LOW-HIGH",
	               s->id);
}

/* ---- the gate ---- */

/* The host in Remote; false when none is there. */
static bool remote_source(const struct mg_stream *s, struct relay_source *ret)
{
	const struct h248_sdp_group *g = s->remote.groups;

	if (!g || (g->connection.kind != H248_SDP_ADDRESS_IP4 &&
	           g->connection.kind != H248_SDP_ADDRESS_IP6))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = g->connection.kind == H248_SDP_ADDRESS_IP4 ? AF_INET : AF_INET6;
	ret->prefix = ret->family == AF_INET ? 32 : 128;
	memcpy(ret->octets, g->connection.octets, ret->prefix / 8);
	return true;
}

static void sources_fill(const struct mg_stream *s, struct relay_gate *gate)
{
	const struct h248_parm *sam = h248_parm_find(s->parms, "gm", "sam");

	if (!mg_pkg_on(s, "gm", "saf") || (!sam && s->latch))
		return;
	gate->sources_only = true;
	if (!sam) {
		gate->source_count = remote_source(s, &gate->source[0]);
		return;
	}
	for (const struct h248_value *v = &sam->value; v && gate->source_count < RELAY_SOURCES_MAX;
	     v = v->next)
		gate->source_count += source_of(v->text, &gate->source[gate->source_count]);
}

static void ports_fill(const struct mg_stream *s, struct relay_gate *gate)
{
	const struct h248_sdp_group *remote = s->remote.groups;
	struct base_str text;

	if (!mg_pkg_on(s, "gm", "spf"))
		return;
	if (mg_pkg_text(s, "gm", "spr", &text)) {
		(void)ports_of(text, &gate->port_min, &gate->port_max); /* checked when set */
	} else if (s->latch) {
		return;
	} else if (remote && remote->media.port) {
		gate->port_min = gate->port_max = remote->media.port;
	} else { /* nobody is known yet */
		gate->sources_only = true;
		gate->source_count = 0;
	}
}

void mg_gm_fill(const struct mg_stream *s, struct relay_gate *gate)
{
	if (mg_stream_tcp_role(s).client)
		return;
	sources_fill(s, gate);
	ports_fill(s, gate);
}

bool mg_gm_filters(const struct mg_term *term)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (mg_pkg_on(s, "gm", "saf") || mg_pkg_on(s, "gm", "spf"))
			return true;
	return false;
}

/* ---- all descriptors together ---- */

static bool source_covers(const struct relay_source *all, const struct relay_source *one)
{
	unsigned octets = all->prefix / 8, rest = all->prefix % 8;

	return all->family == one->family && !memcmp(all->octets, one->octets, octets) &&
	       (!rest || all->octets[octets] >> (8 - rest) == one->octets[octets] >> (8 - rest));
}

static bool sources_cover(const struct h248_parm *sam, const struct relay_source *one)
{
	struct relay_source all;

	for (const struct h248_value *v = &sam->value; v; v = v->next)
		if (source_of(v->text, &all) && source_covers(&all, one))
			return true;
	return false;
}

static int client_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct h248_parm *sam = h248_parm_find(s->parms, "gm", "sam");
	const struct h248_sdp_group *remote = s->remote.groups;
	struct relay_source one;
	struct base_str text;
	uint16_t min, max;

	if (sam && mg_pkg_on(s, "gm", "saf") && remote_source(s, &one) && !sources_cover(sam, &one))
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, LocalControl gm/sam: Remote, which is to be called, is "
		               "not in it",
		               s->id);
	if (remote && mg_pkg_on(s, "gm", "spf") && mg_pkg_text(s, "gm", "spr", &text) &&
	    ports_of(text, &min, &max) && (remote->media.port < min || remote->media.port > max))
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, LocalControl gm/spr: the port in Remote, which is to be "
		               "called, is not in it",
		               s->id);
	return 0;
}

int mg_gm_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct h248_sdp_group *remote = s->remote.groups;
	struct base_str text;

	if (!s->parms)
		return 0;
	if (mg_stream_tcp_role(s).client)
		return client_judge(run, s);
	/* The port of those who connect from any (RFC 4145, 4.1) is none to look for. */
	if (remote && remote->media.port == 9 && mg_pkg_on(s, "gm", "spf") && !s->latch &&
	    !mg_pkg_text(s, "gm", "spr", &text))
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, LocalControl gm/spf: without gm/spr, and Remote says it "
		               "comes from any port (9)",
		               s->id);
	return 0;
}

static bool can(struct mg_run *run, struct h248_parm **list)
{
	return mg_pkg_words_tell(run, list, "gm/saf", "off", "on") &&
	       mg_pkg_words_tell(run, list, "gm/spf", "off", "on") &&
	       mg_pkg_words_tell(run, list, "gm/esas", "off", NULL) &&
	       mg_pkg_words_tell(run, list, "gm/esps", "off", NULL) &&
	       mg_pkg_words_tell(run, list, "gm/rsb", "off", NULL);
}

static const struct mg_equipment_property properties[] = {
	{ .name = "saf" },
	{ .name = "sam", .check = sources_check },
	{ .name = "spf" },
	{ .name = "spr", .check = ports_check },
	{ .name = "esas", .check = mg_pkg_off_check },
	{ .name = "esps", .check = mg_pkg_off_check },
	{ .name = "rsb", .check = mg_pkg_off_check },
	{ 0 },
};
const struct mg_equipment mg_pkg_gm = {
	.package = "gm",
	.on = MG_ON_TERM,
	.properties = properties,
	.statistics = mg_statistics_gm,
	.can = can,
};
