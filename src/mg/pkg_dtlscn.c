/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtlscn, DTLS extended capabilities (H.248.93, 11): which SRTP protection profiles a handshake
 * agrees on one of, in order of preference. The package is registered, its item ours (P).
 */
#include "mg/bearer.h"
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

static bool domain_has(const struct mg_domain *domain, enum tls_role role, uint16_t profile)
{
	return domain->srtp ? domain->srtp(domain, role, profile)
	                    : tls_domain_srtp(domain->tls, role, profile);
}

/* Those that the engine lacks are left out of the handshake; one at least has to be left. */
static int engine_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct mg_domain *domain = mg_stream_domain(run->mg, s);
	struct relay_dgram_spec spec = { 0 };

	mg_dtlscn_fill(s, &spec);
	for (unsigned i = 0; domain && domain->datagrams && i < spec.srtp_count; i++)
		if (domain_has(domain, mg_stream_tls_role(s), spec.srtp_profiles[i]))
			return 0;
	if (!domain || !domain->datagrams)
		return 0; /* which is told elsewhere */
	return mg_fail(run, H248_E_VALUE,
	               "Stream %u, LocalControl dtlscn/srtpprof: the engine of TLS domain %s has "
	               "none of these",
	               s->id, domain->name);
}

int mg_dtlscn_judge(struct mg_run *run, const struct mg_stream *s)
{
	if (!s->local.groups || !h248_parm_find(s->parms, "dtlscn", "srtpprof"))
		return 0;
	if (mg_stream_rtp(s) && mg_stream_dtls(s))
		return engine_judge(run, s);
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
