/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tman, traffic management (H.248.53): with pol=on, what comes in from the peer keeps to sdr with
 * bursts of mbs and to pdr with a tolerance of dvt. A policer of packets drops; on a TCP stream a
 * drop would only be sent again, so here reading waits and the peer is slowed down by TCP's own
 * flow control, and nothing is lost. Counted are octets above TCP, TLS included (P: the packets'
 * headers are the kernel's). Rates without pol=on are kept and told, and do nothing.
 */
#include "mg/pkg.h"

#define PACKET 1500 /* the least that has to fit a bucket: one packet */

int mg_tman_judge(struct mg_run *run, const struct mg_stream *s)
{
	int64_t n;

	if (!mg_pkg_on(s, "tman", "pol") || mg_pkg_number(s, "tman", "sdr", &n) ||
	    mg_pkg_number(s, "tman", "pdr", &n))
		return 0;
	return mg_fail(run, H248_E_REQUIRED_MISSING,
	               "Stream %u, LocalControl tman/pol: on without tman/sdr or tman/pdr", s->id);
}

static uint32_t at_least(int64_t value, int64_t least)
{
	int64_t n = BASE_MAX(value, least);

	return (uint32_t)BASE_MIN(n, UINT32_MAX);
}

void mg_tman_fill(const struct mg_stream *s, struct relay_gate *gate)
{
	int64_t rate, n = 0;

	if (!mg_pkg_on(s, "tman", "pol"))
		return;
	if (mg_pkg_number(s, "tman", "sdr", &rate)) {
		gate->sustained.octets_per_s = (uint32_t)rate;
		/* P: without mbs the burst is what a tenth of a second brings. */
		gate->sustained.burst = mg_pkg_number(s, "tman", "mbs", &n)
		                                ? (uint32_t)n
		                                : at_least(rate / 10, PACKET);
	}
	if (mg_pkg_number(s, "tman", "pdr", &rate)) {
		gate->peak.octets_per_s = (uint32_t)rate;
		/* P: dvt counts in 0.1 us; but no less than a timer's tick of 10 ms brings. */
		if (!mg_pkg_number(s, "tman", "dvt", &n))
			n = 0;
		gate->peak.burst =
		        at_least(rate * (n / 10000) / 1000, at_least(rate / 100, PACKET));
	}
}

static bool can(struct mg_run *run, struct h248_parm **list)
{
	return mg_pkg_range_tell(run, list, "tman/sdr") &&
	       mg_pkg_range_tell(run, list, "tman/mbs") &&
	       mg_pkg_range_tell(run, list, "tman/pdr") &&
	       mg_pkg_range_tell(run, list, "tman/dvt") &&
	       mg_pkg_words_tell(run, list, "tman/pol", "off", "on");
}

static const struct mg_equipment_property properties[] = {
	{ .name = "sdr" }, { .name = "mbs" }, { .name = "pdr" },
	{ .name = "dvt" }, { .name = "pol" }, { 0 },
};
const struct mg_equipment mg_pkg_tman = {
	.package = "tman",
	.on = MG_ON_TERM,
	.properties = properties,
	.can = can,
};
