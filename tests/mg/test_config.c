/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's file: what its keys become. Wrong files are played in tests/blackbox/test_life.py.
 */
#include "check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mg/watch.h"

#define MEDIA "media: {addresses: [192.0.2.1, '2001:db8::1']}\n"

static char path[] = "/tmp/gatehouse-config-XXXXXX";

static int write_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int load(struct mg_config **ret, const char *text, struct base_error *err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return mg_config_load(ret, path, err);
}

static struct mg_config *loaded(const char *text)
{
	struct base_error err = { 0 };
	struct mg_config *c = NULL;

	if (load(&c, text, &err))
		fail_msg("%s\n%s", err.text, text);
	return c;
}

static void refused(const char *text, const char *words)
{
	struct base_error err = { 0 };
	struct mg_config *c = NULL;

	assert_int_equal(base_err_class(load(&c, text, &err)), BASE_CONFIG);
	assert_null(c);
	if (!strstr(err.text, words))
		fail_msg("no '%s' in: %s", words, err.text);
	assert_true(err.line > 0);
}

/* RFC 3525, 9: port 2944; any address, of the family that the controllers have. */
static void where_it_listens(void **state)
{
	static const struct {
		const char *controllers, *h248, *listen;
	} rows[] = {
		{ "'192.0.2.9'", "", "udp:0.0.0.0:2944" },
		{ "'[2001:db8::9]:2944'", "", "udp:[::]:2944" },
		{ "'mgc.example.net:2944'", "", "udp:0.0.0.0:2944" },
		{ "'mgc.example.net:2944', '[2001:db8::9]:2944'", "", "udp:[::]:2944" },
		{ "'192.0.2.9'", "h248: {listen: '192.0.2.1:55'}\n", "udp:192.0.2.1:55" },
		{ "'192.0.2.9'", "h248: {transport: tcp}\n", "-" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		char text[512], addr[H248_ADDR_TEXT];
		struct mg_config *c;

		snprintf(text, sizeof(text), "controllers: [%s]\n%s" MEDIA, rows[i].controllers,
		         rows[i].h248);
		c = loaded(text);
		assert_string_equal(h248_addr_format(&c->listen[0], addr), rows[i].listen);
		mg_config_free(c);
	}
}

static void controllers_are_addresses_names_and_pools(void **state)
{
	struct mg_config *c = loaded("controllers:\n"
	                             "  - 192.0.2.9\n"
	                             "  - mgc-1.example.net:2955 | 192.0.2.10:1 |192.0.2.11:2\n"
	                             "  - mgc.example.net\n" MEDIA);

	(void)state;
	assert_int_equal(c->assoc.controllers_count, 5);
	assert_int_equal(c->controllers[0].addr.port, 2944);
	assert_string_equal(c->controllers[0].name, "");
	assert_string_equal(c->controllers[1].name, "mgc-1.example.net");
	assert_int_equal(c->controllers[1].addr.port, 2955);
	assert_int_equal(c->controllers[1].addr.family, 4); /* of the socket */
	assert_int_equal(c->controllers[1].addr.transport, H248_UDP);
	assert_int_equal(c->controllers[3].addr.ip[3], 11);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(c->controllers[i].alternative, i == 2 || i == 3);
	mg_config_free(c);

	refused("controllers: ['192.0.2.9 | a!b']\n" MEDIA, "is no address");
	refused("controllers: "
	        "[a012345678901234567890123456789012345678901234567890123456789.example]\n" MEDIA,
	        "neither an address nor a name");
	refused("controllers: ['192.0.2.9 |']\n" MEDIA, "");
	refused("controllers: ['a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q']\n" MEDIA, "more than 16");
	refused("controllers: ['tcp:192.0.2.9:1']\n" MEDIA, "not the transport");
}

static void profiles_in_order(void **state)
{
	struct mg_config *c = loaded("controllers: [192.0.2.9]\n"
	                             "h248: {profile: A/3, profiles: [B, NoProfile/1]}\n" MEDIA);

	(void)state;
	assert_int_equal(c->assoc.profiles_count, 3);
	assert_true(base_str_eq(c->assoc.profiles[0].name, BASE_STR("A")));
	assert_int_equal(c->assoc.profiles[0].version, 3);
	assert_int_equal(c->assoc.profiles[1].version, 1);
	assert_true(base_str_eq(c->assoc.profiles[2].name, BASE_STR("NoProfile")));
	mg_config_free(c);
	refused("controllers: [a]\nh248: {profile: A/0}\n" MEDIA, "NAME/VERSION");
	refused("controllers: [a]\nh248: {profile: A/100}\n" MEDIA, "NAME/VERSION");
	refused("controllers: [a]\nh248: {profiles: [/1]}\n" MEDIA, "NAME/VERSION");
}

static void times_and_thresholds(void **state)
{
	struct mg_config *c = loaded("controllers: [a]\n" MEDIA);

	(void)state;
	assert_int_equal(c->keep_ms, 3600000);
	assert_int_equal(c->leave, H248_GRACEFUL);
	assert_int_equal(c->core.overload_contexts, 0);
	mg_config_free(c);
	c = loaded("controllers: [a]\n"
	           "mg: {leave: failover}\n"
	           "h248: {keep-contexts: 0, hanging-after: 2h}\n"
	           "overload: {contexts: 7, cpu: 80, priority: 9, reduction: 25}\n" MEDIA);
	assert_int_equal(c->keep_ms, 0);
	assert_int_equal(c->leave, H248_FAILOVER);
	assert_int_equal(c->core.hanging_ms, 7200000);
	assert_int_equal(c->core.overload_contexts, 7);
	assert_int_equal(c->core.overload_busy, 80);
	assert_int_equal(c->core.overload_priority, 9);
	assert_int_equal(c->core.overload_reduction, 25);
	mg_config_free(c);
	refused("controllers: [a]\noverload: {cpu: 101}\n" MEDIA, "1 to 100");
	refused("controllers: [a]\noverload: {priority: 16}\n" MEDIA, "1 to 15");
}

/* What the library has of transactions, as the file names it (docs/h248-transactions.md). */
static void transactions_by_rule(void **state)
{
	struct mg_config *c = loaded("controllers: [a]\n" MEDIA);
	const struct h248_txn_config *t = &c->node.txn;

	(void)state;
	assert_int_equal(t->timers.request.wait_ms, 0); /* our own, measured way */
	assert_int_equal(t->ack_ms | t->ack_max | t->bundle_ms | t->window, 0);
	mg_config_free(c);
	c = loaded("controllers: [a]\n" MEDIA
	           "h248: {timers: {request: {wait: 2s, factor: 2, increment: -500ms, limit: 4},\n"
	           "    long-request: {wait: 1s, increment: 250ms}, reply: {limit: 3},\n"
	           "    pending: {wait: 300ms, limit: 2}},\n"
	           "  acknowledge: {after: 40ms, count: 8}, bundle: {wait: 5ms, size: 1200},\n"
	           "  window: 16, queue: 99, pending-limit: 6, peer-pending-limit: 7}\n");
	t = &c->node.txn;
	assert_int_equal(t->timers.request.wait_ms, 2000);
	assert_int_equal(t->timers.request.factor, 2);
	assert_int_equal(t->timers.request.incr_ms, -500);
	assert_int_equal(t->timers.request.limit, 4);
	assert_int_equal(t->timers.long_request.wait_ms, 1000);
	assert_int_equal(t->timers.long_request.incr_ms, 250);
	assert_int_equal(t->timers.reply.limit, 3);
	assert_int_equal(t->timers.pending.wait_ms, 300);
	assert_int_equal(t->timers.pending.limit, 2);
	assert_int_equal(t->ack_ms, 40);
	assert_int_equal(t->ack_max, 8);
	assert_int_equal(t->bundle_ms, 5);
	assert_int_equal(t->bundle_bytes, 1200);
	assert_int_equal(t->window, 16);
	assert_int_equal(t->max_queued, 99);
	assert_int_equal(t->pending_limit, 6);
	assert_int_equal(t->peer_pending_limit, 7);
	assert_int_equal(c->core.peer_pending_limit, 7);
	mg_config_free(c);
}

#define H248(text) "controllers: [192.0.2.9]\n" MEDIA "h248: {" text "}\n"

static void transactions_that_make_no_sense(void **state)
{
	(void)state;
	refused(H248("timers: {request: {factor: 2}}"), "without a wait that it multiplies");
	refused(H248("timers: {reply: {increment: 2s}}"), "without a wait to which it is added");
	refused(H248("timers: {request: {wait: 1s, factor: 101}}"), "not within 1 to 100");
	refused(H248("timers: {pending: {wait: 1s, limit: 1001}}"), "not within 1 to 1000");
	refused(H248("timers: {request: {wait: soon}}"), "soon");
	refused(H248("timers: {request: {wait: 1s, increment: -1000h}}"), "longer than 24 days");
	refused(H248("transport: tcp, timers: {reply: {limit: 2}}"), "only over udp");
	refused(H248("transport: tcp, bundle: {wait: 1ms}"), "only over udp");
	refused(H248("bundle: {size: 1200}"), "without h248.bundle.wait");
	refused(H248("bundle: {wait: 1ms, size: 65508}"), "not within 576 to 65507");
	refused(H248("acknowledge: {after: x}"), "'x'");
}

static void what_becomes_of_the_revoked(void **state)
{
	static const struct {
		const char *word;
		enum tls_on_revocation action;
		uint32_t grace_ms;
	} rows[] = { { "", TLS_REVOKED_END, 0 },
		     { ", on-revocation: end", TLS_REVOKED_END, 0 },
		     { ", on-revocation: report", TLS_REVOKED_REPORT, 0 },
		     { ", on-revocation: grace 30s", TLS_REVOKED_GRACE, 30000 },
		     /* whom the domain tolerates it does not end */
		     { ", continue-on: [revoked]", TLS_REVOKED_REPORT, 0 } };
	static const char domain[] =
	        "controllers: [192.0.2.9]\n" MEDIA "profile-dirs: ['%s/profiles']\n"
	        "tls-domains: [{name: a, profile: ts33328-annex-h%s}]\n";
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char text[512];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct mg_config *c;
		uint32_t grace_ms;

		(void)snprintf(text, sizeof(text), domain, root ? root : ".", rows[i].word);
		c = loaded(text);
		assert_int_equal(tls_domain_on_revocation(c->domains->domains[0].tls, &grace_ms),
		                 rows[i].action);
		assert_int_equal(grace_ms, rows[i].grace_ms);
		mg_config_free(c);
	}
	(void)snprintf(text, sizeof(text), domain, root ? root : ".", ", on-revocation: never");
	refused(text, "'never' is none of: end, report, grace");
	(void)snprintf(text, sizeof(text), domain, root ? root : ".", ", on-revocation: grace 0");
	refused(text, "a grace of");
	(void)snprintf(text, sizeof(text), domain, root ? root : ".",
	               ", on-revocation: grace soon");
	refused(text, "soon");
}

static void who_may_renegotiate(void **state)
{
	static const struct {
		const char *words;
		unsigned who;
		bool ends;
	} rows[] = {
		{ "", 1U << TLS_ROLE_CLIENT, false },
		{ ", renegotiation: none", 0, false },
		{ ", renegotiation: client", 1U << TLS_ROLE_CLIENT, false },
		{ ", renegotiation: server", 1U << TLS_ROLE_SERVER, false },
		{ ", renegotiation: both, renegotiation-ignored: end", 3, true },
		{ ", renegotiation: both, renegotiation-ignored: continue", 3, false },
	};
	static const char domain[] =
	        "controllers: [192.0.2.9]\n" MEDIA "profile-dirs: ['%s/profiles']\n"
	        "tls-domains: [{name: a, profile: ts33328-annex-h%s}]\n";
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct mg_config *c;
	char text[512];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text), domain, root ? root : ".", rows[i].words);
		c = loaded(text);
		assert_int_equal(tls_domain_renegotiation(c->domains->domains[0].tls), rows[i].who);
		assert_int_equal(tls_domain_ends_ignored(c->domains->domains[0].tls), rows[i].ends);
		mg_config_free(c);
	}
	for (int refuse = 0; refuse < 2; refuse++) {
		(void)snprintf(text, sizeof(text), domain, root ? root : ".",
		               refuse ? ", legacy-peers: refuse" : ", legacy-peers: tolerate");
		c = loaded(text);
		assert_int_equal(tls_domain_settings(c->domains->domains[0].tls)
		                         ->renegotiation_info_peer.value,
		                 refuse);
		mg_config_free(c);
	}
	(void)snprintf(text, sizeof(text), domain, root ? root : ".", ", renegotiation: often");
	refused(text, "'often' is none of: none, client, server, both");
	(void)snprintf(text, sizeof(text), domain, root ? root : ".",
	               ", renegotiation-ignored: never");
	refused(text, "'never' is none of: continue, end");
	(void)snprintf(text, sizeof(text), domain, root ? root : ".", ", legacy-peers: hate");
	refused(text, "'hate' is none of: refuse, tolerate");
}

/* H.248.TLSPROF 8.9: an audit tells what really can be, not what a profile would let be. */
static void what_a_domain_really_can(void **state)
{
	static const char profile[] =
	        "name: hollow\ntitle: t\ndocument: d\nclause: '1'\nrelease: r\nrules:\n"
	        "  - {id: V, subject: version, items: [TLS1.1, TLS1.2], strength: may, "
	        "mark: "
	        "P, text: t}\n"
	        "  - {id: S, subject: suite, items: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], "
	        "strength: may, mark: P, text: t}\n"
	        "  - {id: G, subject: signature, items: [ecdsa_secp256r1_sha256], strength: may, "
	        "mark: P, text: t}\n"
	        "  - {id: K, subject: group, items: [secp256r1], strength: may, mark: P, text: t}\n"
	        "  - {id: C, subject: compression, items: [any], strength: may, mark: P, text: t}\n"
	        "  - {id: R, subject: resumption, items: [any], strength: may, mark: P, text: t}\n"
	        "  - {id: T, subject: resumption, items: [tickets, session-ids], strength: "
	        "shall-not, mark: P, text: t}\n";
	char dir[] = "/tmp/gatehouse-config-XXXXXX", made[128], text[512];
	const struct mg_domain *d;
	struct mg_config *c;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(made, sizeof(made), "%s/hollow.yaml", dir);
	file = fopen(made, "w");
	assert_non_null(file);
	assert_true(fputs(profile, file) >= 0);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(text, sizeof(text),
	               "controllers: [192.0.2.9]\n" MEDIA "profile-dirs: ['%s']\n"
	               "tls-domains: [{name: a, profile: hollow, engine: openssl}]\n",
	               dir);
	c = loaded(text);
	d = &c->domains->domains[0];
	assert_true(tls_domain_settings(d->tls)->compression.value);
	assert_true(tls_domain_settings(d->tls)->resumption.value);
	assert_false(d->compression);                  /* no engine has any */
	assert_false(d->resumption);                   /* neither tickets nor session ids */
	assert_false(d->renegotiation);                /* nobody lets it */
	assert_string_equal(d->versions[0], "TLS1.2"); /* 1.1 has no suite */
	assert_null(d->versions[1]);
	mg_config_free(c);
	(void)remove(made);
	(void)rmdir(dir);
}

static void certificates_that_make_no_sense(void **state)
{
	static const struct {
		const char *keys, *words;
	} rows[] = {
		{ ", unknown-name: never", "'never' is none of: continue, refuse" },
		{ ", unknown-name: refuse",
		  "without a certificate of the domain no name is known" },
		{ ", certificates: [{certificate: x.pem}]", "shown by default is missing" },
		{ ", certificates: [{key: x.pem}]", "certificate" },
		{ ", staple: x.ocsp", "a staple without a certificate" },
		{ ", unknown-identity: never", "'never' is none of: continue, refuse" },
		{ ", trusted-ca-keys: all", "'all' is none of: none, names, key-hashes" },
		{ ", trusted-ca-keys: names", "it has no trust anchors to tell of (RFC 6066, 6)" },
		{ ", max-fragment-length: 1000", "none of: 512, 1024, 2048, 4096 (RFC 6066, 4)" },
	};
	static const char domain[] =
	        "controllers: [192.0.2.9]\n" MEDIA "profile-dirs: ['%s/profiles']\n"
	        "tls-domains: [{name: a, profile: ts33328-annex-h%s}]\n";
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char text[512];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text), domain, root ? root : ".", rows[i].keys);
		refused(text, rows[i].words);
	}
}

static void addresses_out_of_service(void **state)
{
	struct mg_config *c = loaded("controllers: [a]\n"
	                             "media: {addresses: [192.0.2.1, '2001:db8::1', 192.0.2.2],\n"
	                             "  out-of-service: ['2001:DB8::1'], failed: [192.0.2.2]}\n");

	(void)state;
	assert_int_equal(c->address_states[0], MG_ADDRESS_GOOD);
	assert_int_equal(c->address_states[1], MG_ADDRESS_WITHDRAWN);
	assert_int_equal(c->address_states[2], MG_ADDRESS_FAILED);
	mg_config_free(c);
	refused("controllers: [a]\nmedia: {addresses: [192.0.2.1], failed: [192.0.2.2]}\n",
	        "no local media address");
	refused("controllers: [a]\nmedia: {addresses: [192.0.2.1], failed: [x]}\n", "no IPv4");
}

/* TEST-NET-1 is nobody's. */
static void addresses_are_here_or_not(void **state)
{
	static const struct {
		const char *text;
		bool here;
	} rows[] = { { "127.0.0.1", true }, { "192.0.2.77", false }, { "2001:db8::77", false } };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sockaddr_storage a = { .ss_family = AF_INET };

		if (inet_pton(AF_INET, rows[i].text, &((struct sockaddr_in *)&a)->sin_addr) != 1) {
			a.ss_family = AF_INET6;
			inet_pton(AF_INET6, rows[i].text, &((struct sockaddr_in6 *)&a)->sin6_addr);
		}
		assert_int_equal(mg_address_here(&a), rows[i].here);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_listens),
		cmocka_unit_test(controllers_are_addresses_names_and_pools),
		cmocka_unit_test(profiles_in_order),
		cmocka_unit_test(times_and_thresholds),
		cmocka_unit_test(transactions_by_rule),
		cmocka_unit_test(transactions_that_make_no_sense),
		cmocka_unit_test(what_becomes_of_the_revoked),
		cmocka_unit_test(who_may_renegotiate),
		cmocka_unit_test(what_a_domain_really_can),
		cmocka_unit_test(certificates_that_make_no_sense),
		cmocka_unit_test(addresses_out_of_service),
		cmocka_unit_test(addresses_are_here_or_not),
	};

	return cmocka_run_group_tests_name("config", tests, write_file, remove_file);
}
