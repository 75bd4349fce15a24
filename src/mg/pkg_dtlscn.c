/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtlscn, DTLS extended capabilities (H.248.93, 11): which SRTP protection profiles a handshake
 * agrees on one of, in order of preference. The package is registered, its item ours (P).
 */
#include "mg/pkg.h"

static int profiles_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                          const struct h248_parm *parm)
{
	unsigned count = 0;

	(void)plan;
	for (const struct h248_value *v = &parm->value; v; v = v->next)
		if (++count > RELAY_SRTP_PROFILES || tls_srtp_named(v->text) == TLS_SRTP_NONE)
			return mg_fail(run, H248_E_VALUE,
			               "Stream %u, LocalControl dtlscn/srtpprof: not 1 to %u "
			               "profiles that are known, by IANA's names",
			               s->id, RELAY_SRTP_PROFILES);
	return 0;
}

void mg_dtlscn_fill(const struct mg_stream *s, struct relay_dgram_spec *ret)
{
	const struct h248_parm *p = h248_parm_find(s->parms, "dtlscn", "srtpprof");

	for (const struct h248_value *v = p ? &p->value : NULL;
	     v && ret->srtp_count < RELAY_SRTP_PROFILES; v = v->next)
		ret->srtp_profiles[ret->srtp_count++] = tls_srtp_named(v->text);
}

int mg_dtlscn_judge(struct mg_run *run, const struct mg_stream *s)
{
	if (!s->local.groups || !h248_parm_find(s->parms, "dtlscn", "srtpprof") ||
	    (mg_stream_rtp(s) && mg_stream_dtls(s)))
		return 0;
	return mg_fail(run, H248_E_VALUE,
	               "Stream %u, LocalControl dtlscn/srtpprof: Local is not of DTLS-SRTP", s->id);
}

static const struct mg_equipment_property properties[] = {
	{ .name = "srtpprof", .check = profiles_check },
	{ 0 },
};
const struct mg_equipment mg_pkg_dtlscn = {
	.package = "dtlscn",
	.on = MG_ON_TERM,
	.properties = properties,
};
