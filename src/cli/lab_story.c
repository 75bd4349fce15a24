/* SPDX-License-Identifier: Apache-2.0 */
/** @file The story of `gatehouse lab interconnect` (TS 33.310, 5.2.2.2), step by step. */
#include <stdlib.h>

#include "cli/lab.h"

/* The calls that are up from one step to the next. */
static struct lab_call call_1, call_2, call_back;

/* ---- what is asked again and again ---- */

/* A new call to one of B's servers, until it comes up (refusal NULL) or is refused for that reason:
 * what was published has to come through repositories, fetchers and caches first. */
static int try_call_for(struct lab *lab, const char *domain, const char *refusal, uint64_t ms,
                        struct base_error *err)
{
	uint64_t begun = loop_now_ms(lab->loop);
	enum lab_outcome outcome = LAB_UP;
	struct lab_call call = { .fd = { -1, -1 } };
	bool held = false;
	int rc = 0;

	while (!rc && !held && loop_now_ms(lab->loop) < begun + ms) {
		rc = lab_call(lab, &call, &lab->a, &lab->b, domain, &outcome, err);
		held = !rc && (refusal ? outcome == LAB_REFUSED && !strcmp(call.reason, refusal)
		                       : outcome == LAB_UP);
		lab_call_done(lab, &call);
		if (!held && !rc)
			rc = lab_wait(lab, 100);
	}
	if (!rc)
		lab_check(lab, held, "a new call from a to %s.b.example: %s (%s), after %.1f s",
		          domain, outcome == LAB_UP ? "up" : "refused",
		          outcome == LAB_UP ? call.version : call.reason,
		          (double)(loop_now_ms(lab->loop) - begun) / 1000);
	if (!rc && refusal)
		lab_why(lab, lab->a.gateway, "tls failed ");
	return rc;
}

static int try_call(struct lab *lab, const char *domain, const char *refusal,
                    struct base_error *err)
{
	return try_call_for(lab, domain, refusal, LAB_PATIENCE_MS, err);
}

static void check_ends(struct lab *lab, struct lab_call *call)
{
	uint64_t begun = loop_now_ms(lab->loop);
	bool ended = lab_call_ends(lab, call, LAB_PATIENCE_MS);

	lab_check(lab, ended && !strcmp(call->reason, "revoked"),
	          "the call from %s to %s.%s.example: %s%s%s, after %.1f s", call->end[0]->name,
	          call->domain, call->end[1]->name, ended ? "ended (" : "goes on",
	          ended ? call->reason : "", ended ? ")" : "",
	          (double)(loop_now_ms(lab->loop) - begun) / 1000);
	lab_why(lab, lab->a.gateway, "tls condemned ");
	lab_call_done(lab, call);
}

static void check_goes_on(struct lab *lab, struct lab_call *call)
{
	lab_check(lab, lab_call_talks(call), "the call from %s to %s.%s.example goes on",
	          call->end[0]->name, call->domain, call->end[1]->name);
}

static int call_up(struct lab *lab, struct lab_call *call, struct lab_operator *from,
                   struct lab_operator *to, const char *domain, struct base_error *err)
{
	enum lab_outcome outcome;
	int rc = lab_call(lab, call, from, to, domain, &outcome, err);

	if (!rc)
		lab_check(lab, outcome == LAB_UP, "a call from %s to %s.%s.example: %s (%s)",
		          from->name, domain, to->name, outcome == LAB_UP ? "up" : "refused",
		          outcome == LAB_UP ? call->version : call->reason);
	return rc;
}

/* ---- 1 and 2: two operators ---- */

static int authorities(struct lab *lab, struct base_error *err)
{
	int rc = lab_operator_pki(lab, &lab->a, err);

	if (!rc)
		rc = lab_operator_pki(lab, &lab->b, err);
	if (!rc)
		lab_say(lab, "a and b each have an Interconnection CA, a TLS client CA, a TLS "
		             "server CA,");
	if (!rc)
		lab_say(lab, "and certificates for client, gw1 and gw2 of their gateway");
	for (unsigned i = 0; !rc && i < 2; i++) {
		struct lab_operator *op = i ? &lab->b : &lab->a, *peer = i ? &lab->a : &lab->b;

		rc = lab_operator_vouch(lab, op, peer, "client", "client", err);
		if (!rc)
			rc = lab_operator_vouch(lab, op, peer, "server", "server", err);
	}
	if (!rc)
		lab_say(lab, "each vouches for the other's TLS CAs: four cross-certificates");
	return rc;
}

static int servers(struct lab *lab, struct base_error *err)
{
	int rc = lab_servers_start(lab, &lab->a, err);

	if (!rc)
		rc = lab_servers_start(lab, &lab->b, err);
	if (!rc)
		lab_say(lab, "slapd and nginx of each have certificates and CRLs");
	if (!rc)
		rc = lab_gateway_start(lab, &lab->a, err);
	if (!rc)
		rc = lab_gateway_start(lab, &lab->b, err);
	if (!rc)
		lab_check(lab, true,
		          "both fetchers have filled their caches, both gateways have "
		          "registered");
	return rc;
}

/* ---- 3: connect ---- */

static int connect_them(struct lab *lab, struct base_error *err)
{
	int rc = call_up(lab, &call_1, &lab->a, &lab->b, "gw1", err);

	if (!rc)
		rc = call_up(lab, &call_2, &lab->a, &lab->b, "gw2", err);
	if (!rc)
		rc = call_up(lab, &call_back, &lab->b, &lab->a, "gw1", err);
	return rc;
}

/* ---- what a's fetcher has done since ---- */

struct fetched {
	struct lab *lab;
	const char *metric, *source;
	unsigned long wanted;
};

static bool is_fetched(void *arg)
{
	struct fetched *f = arg;

	return lab_metric(f->lab, &f->lab->a, f->metric, f->source) >= f->wanted;
}

/* a's fetcher has asked that source from here on; a fetch that is under way does not count. */
static int fetch_follows(struct lab *lab, const char *source, struct base_error *err)
{
	struct fetched f = { lab, "source_fetches_total", source, 0 };

	f.wanted = lab_metric(lab, &lab->a, f.metric, source) + 2;
	if (lab_until(lab, is_fetched, &f, LAB_PATIENCE_MS))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "a's fetcher does not ask %s",
		                      source);
	return 0;
}

/* a's cross-certificates as they are now, in the repository and in the cache; the gateway looks at
 * that by itself. */
static int repository_follows(struct lab *lab, struct base_error *err)
{
	int rc = lab_operator_publish(lab, &lab->a, err);

	/* a fetcher adds certificates and takes none away: what is live comes again */
	if (!rc)
		rc = lab_run(lab, err, "rm -f a/cache/cross/*");
	if (!rc)
		rc = fetch_follows(lab, "own-repository", err);
	return rc;
}

/* ---- 4: one gateway ---- */

static int revoke_gateway(struct lab *lab, struct base_error *err)
{
	int rc = lab_run(lab, err,
	                 "gatehouse pki revoke --ca tls-server --reason keyCompromise b/pki "
	                 "b/gw1.pem");

	if (!rc)
		rc = lab_operator_crl(lab, &lab->b, "tls-server", 0, err);
	if (rc)
		return rc;
	check_ends(lab, &call_1);
	check_goes_on(lab, &call_2);
	check_goes_on(lab, &call_back);
	rc = try_call(lab, "gw1", "revoked", err);
	return rc ? rc : try_call(lab, "gw2", NULL, err);
}

/* ---- 5: the other operator ---- */

static int revoke_cross(struct lab *lab, struct base_error *err)
{
	int rc = lab_run(lab, err,
	                 "gatehouse pki revoke --ca interconnection a/pki a/cross/server.pem");

	if (!rc)
		rc = lab_operator_crl(lab, &lab->a, "interconnection", 0, err);
	if (rc)
		return rc;
	check_ends(lab, &call_2);
	check_goes_on(lab, &call_back);
	rc = try_call(lab, "gw2", "revoked", err);
	if (!rc)
		lab_say(lab, "a vouches for b's TLS server CA again:");
	if (!rc)
		rc = lab_operator_vouch(lab, &lab->a, &lab->b, "server", "server-again", err);
	if (!rc)
		rc = repository_follows(lab, err);
	return rc ? rc : try_call(lab, "gw2", NULL, err);
}

/* ---- 6: an outage ---- */

#define SHORT_S 20

static int outage(struct lab *lab, struct base_error *err)
{

	int rc = lab_operator_crl(lab, &lab->b, "tls-server", SHORT_S, err);

	if (!rc)
		rc = fetch_follows(lab, "peer-servers", err);

	if (rc)
		return rc;
	lab_stop(lab, &lab->b.nginx);
	lab_say(lab, "b's CRL server is down; its last CRL lives for %u s", SHORT_S);
	rc = call_up(lab, &call_2, &lab->a, &lab->b, "gw2", err);
	if (!rc)
		rc = try_call_for(lab, "gw2", "crl-stale", SHORT_S * 1000 + LAB_PATIENCE_MS, err);
	if (rc)
		return rc;
	check_goes_on(lab, &call_2);
	check_goes_on(lab, &call_back);
	lab_check(lab, strstr(play_child_text(lab->a.fetch), "crl-expires-soon") != NULL,
	          "a's fetcher had raised its alarm before");
	rc = lab_nginx_start(lab, &lab->b, err);
	if (!rc)
		rc = lab_operator_crl(lab, &lab->b, "tls-server", 0, err);
	if (!rc)
		lab_say(lab, "it is up again, with a new CRL:");
	return rc ? rc : try_call(lab, "gw2", NULL, err);
}

/* ---- 7: a new key ---- */

static int rollover(struct lab *lab, struct base_error *err)
{
	static const char *const domains[] = { "client", "gw1", "gw2", "gw3", NULL };
	int rc = lab_run(lab, err,
	                 "gatehouse pki rollover --ca tls-server --crl-url "
	                 "http://127.0.0.1:%u/tls-server-2.crl b/pki",
	                 lab->b.http_port);

	if (!rc)
		rc = lab_operator_publish(lab, &lab->b, err);
	if (!rc)
		rc = lab_operator_issue(lab, &lab->b, "gw3", "server", err);
	if (!rc)
		rc = lab_gateway_write(lab, &lab->b, domains, err);
	if (!rc)
		rc = lab_reload(lab, lab->b.gateway, err);
	if (!rc)
		lab_say(lab, "b's TLS server CA has a new key, gw3 a certificate by it:");
	if (!rc)
		rc = try_call(lab, "gw3", "unknown-ca", err);
	if (!rc)
		rc = lab_operator_vouch(lab, &lab->a, &lab->b, "server", "server-2", err);
	if (!rc)
		rc = repository_follows(lab, err);
	if (rc)
		return rc;
	lab_say(lab,
	        "a has vouched for the new key, too; the call waits while its CRL is fetched:");
	rc = try_call(lab, "gw3", NULL, err);

	lab_check(lab, lab_said(lab->a.gateway, "mg: fetch done url=") == 1,
	          "a's gateway had its fetcher bring it");

	if (!rc)
		rc = try_call(lab, "gw2", NULL, err);
	if (rc)
		return rc;
	check_goes_on(lab, &call_2);
	check_goes_on(lab, &call_back);
	return 0;
}

/* ---- 8: the other role ---- */

/* What a server says of a client comes after the client's part of a TLS 1.3 handshake. */
static int revoke_client(struct lab *lab, struct base_error *err)
{
	struct lab_call call = { .fd = { -1, -1 } };
	enum lab_outcome outcome;
	int rc = lab_run(lab, err, "gatehouse pki revoke --ca tls-client b/pki b/client.pem");

	if (!rc)
		rc = lab_operator_crl(lab, &lab->b, "tls-client", 0, err);
	if (rc)
		return rc;
	check_ends(lab, &call_back);
	check_goes_on(lab, &call_2);
	rc = lab_call(lab, &call, &lab->b, &lab->a, "gw1", &outcome, err);
	if (!rc)
		lab_check(lab, outcome == LAB_REFUSED && !strcmp(call.reason, "revoked"),
		          "a new call from b to gw1.a.example: %s (%s)",
		          outcome == LAB_UP ? "up" : "refused", call.reason);
	lab_why(lab, lab->a.gateway, "tls failed ");
	lab_call_done(lab, &call);
	lab_call_done(lab, &call_2);
	return rc;
}

const struct lab_step lab_interconnect[] = {
	{ "two operators: authorities, certificates, who vouches for whom", authorities },
	{ "repositories, CRL servers, fetchers, gateways", servers },
	{ "they connect", connect_them },
	{ "b revokes its gateway gw1", revoke_gateway },
	{ "a revokes its cross-certificate for b's servers", revoke_cross },
	{ "b's CRL server is down until nextUpdate has passed", outage },
	{ "b's TLS server CA gets a new key", rollover },
	{ "b revokes the certificate with which its gateway is client", revoke_client },
};
const size_t lab_interconnect_count = BASE_COUNT(lab_interconnect);
