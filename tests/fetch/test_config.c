/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fetch/config.h"

struct stage {
	char dir[64], path[96];
};

static void written(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int load(struct stage *st, const char *text, struct fetch_config **ret,
                struct base_error *err)
{
	written(st->path, text);
	return fetch_config_load(ret, st->path, err);
}

static void defaults(void **state)
{
	struct fetch_config *c = NULL;
	struct fetch_url at = { .scheme = FETCH_HTTP, .host = "crl.a.example", .port = 80 };
	char cache[96];

	assert_int_equal(load(*state,
	                      "fetch: { cache: c }\n"
	                      "sources: [ { name: a, crl: 'http://crl.a.example/a.crl' } ]\n",
	                      &c, NULL),
	                 0);
	(void)snprintf(cache, sizeof(cache), "%s/c", ((struct stage *)*state)->dir);
	assert_string_equal(c->cache, cache);
	assert_int_equal(c->source_count, 1);
	assert_int_equal(c->limits.redirects, 3);
	assert_int_equal(c->limits.octets, 64 << 20);
	assert_int_equal(c->warn_ms, 24 * 3600 * 1000);
	assert_int_equal(c->critical_ms, 4 * 3600 * 1000);
	assert_int_equal(c->sources[0].rules.refresh_ms, 3600 * 1000);
	assert_null(c->proxy);
	assert_int_equal(fetch_allow_url(&c->allow, &at, NULL), 0); /* a source's own host */
	at.port = 81;
	assert_int_not_equal(fetch_allow_url(&c->allow, &at, NULL), 0);
	at = (struct fetch_url){ .scheme = FETCH_HTTPS, .host = "crl.a.example", .port = 80 };
	assert_int_not_equal(fetch_allow_url(&c->allow, &at, NULL), 0); /* without anchors */
	fetch_config_free(c);
}

static void all_keys(void **state)
{
	struct stage *st = *state;
	struct fetch_config *c = NULL;
	struct base_error err = { 0 };
	struct fetch_url at;
	const struct fetch_ldap_settings *ldap;
	char secret[96];

	(void)snprintf(secret, sizeof(secret), "%s/password", st->dir);
	written(secret, "geheim\n");
	assert_int_equal(chmod(secret, 0600), 0);
	assert_int_equal(
	        load(st,
	             "fetch: { cache: /c, metrics: /m }\n"
	             "issuers: [a.pem]\ninterconnection-cas: [i.pem]\ncross: [x]\n"
	             "sources:\n"
	             "  - { name: a, crl: 'http://crl.a.example/a.crl', delta: "
	             "'http://crl.a.example/d', "
	             "issuer: a.pem, refresh: 2h, delta-refresh: 1m }\n"
	             "  - { name: f, crl: file.crl }\n"
	             "  - { name: r, repository: 'ldap://dir.a.example:3890/dc=a', refresh: 10m }\n"
	             "directories:\n"
	             "  - { host: 'dir.a.example:3890', start-tls: true, anchors: t.pem, bind-dn: "
	             "cn=x, password-file: password }\n"
	             "allow: { hosts: ['*.b.example'], schemes: [http, https, ldap] }\n"
	             "limits: { size: 1MiB, time: 5s, connect-time: 1s, redirects: 0, parallel: 3, "
	             "parallel-per-host: 1, values: 5 }\n"
	             "schedule: { refresh: 3h, delta-refresh: 2m, retry: 1s, retry-max: 1m }\n"
	             "socket: { path: s, users: [root], groups: [root], clients: 2, per-client: 3, "
	             "learnt-sources: 4, pause: 1s, time: 2s, forget: 1h }\n"
	             "alarms: { warn: 2h, critical: 1h, remind: 10m }\n"
	             "http: { proxy: 'http://proxy:3128', anchors: h.pem }\n"
	             "log: { level: debug }\n",
	             &c, &err),
	        0);
	assert_int_equal(c->source_count, 4);
	assert_string_equal(c->sources[1].name, "a.delta");
	assert_int_equal(c->sources[0].rules.refresh_ms, 2 * 3600 * 1000);
	assert_int_equal(c->sources[1].rules.refresh_ms, 60 * 1000);
	assert_int_equal(c->sources[1].kind, FETCH_DELTA);
	assert_non_null(c->sources[2].file);
	assert_null(c->sources[2].url);
	assert_int_equal(c->sources[3].kind, FETCH_REPOSITORY);
	assert_int_equal(c->limits.redirects, 0);
	assert_int_equal(c->limits.connect_ms, 1000);
	assert_int_equal(c->demand.user_count, 1);
	assert_int_equal(c->demand.users[0], 0);
	assert_int_equal(fetch_url_parse(BASE_STR("ldap://dir.a.example:3890/x"), &at, NULL), 0);
	ldap = fetch_config_directory(c, &at);
	assert_true(ldap->start_tls);
	assert_int_equal(ldap->password.len, 6);
	at.port = 389;
	assert_ptr_equal(fetch_config_directory(c, &at), &c->no_directory);
	fetch_config_free(c);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *place, *words;
	} rows[] = {
		{ "sources: []\n", ":1:", "fetch" },
		{ "fetch: { cache: c, user: nobody-here }\n", ":1:", "no user" },
		{ "fetch: { cache: c, user: root }\n", ":1:", "root" },
		{ "fetch: { cache: c }\nsources: [ { name: a, crl: 'ftp://a/b' } ]\n",
		  ":2:", "neither http" },
		{ "fetch: { cache: c }\nsources: [ { name: a, crl: 'https://a/b' } ]\n",
		  ":2:", "anchors" },
		{ "fetch: { cache: c }\nsources: [ { name: a } ]\n", ":2:", "either crl" },
		{ "fetch: { cache: c }\nsources: [ { name: a, crl: x, repository: 'ldap://a/b' } "
		  "]\n",
		  ":2:", "either crl" },
		{ "fetch: { cache: c }\nsources: [ { name: a, repository: 'http://a/b' } ]\n",
		  ":2:", "ldap" },
		{ "fetch: { cache: c }\nsources: [ { name: a b, crl: x } ]\n", ":2:", "visible" },
		{ "fetch: { cache: c }\nsources:\n  - { name: a, crl: x }\n  - { name: a, crl: y "
		  "}\n",
		  ":4:", "already" },
		{ "fetch: { cache: c }\nallow: { hosts: ['http://a'] }\n", ":2:", "no host" },
		{ "fetch: { cache: c }\nallow: { schemes: [gopher] }\n", ":2:", "gopher" },
		{ "fetch: { cache: c }\nallow: { schemes: [https] }\n", ":2:", "http.anchors" },
		{ "fetch: { cache: c }\nlimits: { redirects: 21 }\n", ":2:", "20" },
		{ "fetch: { cache: c }\nlimits: { size: 1GiB }\n", ":2:", "256MiB" },
		{ "fetch: { cache: c }\nlimits: { time: 0 }\n", ":2:", "more than nothing" },
		{ "fetch: { cache: c }\nschedule: { retry: 1h, retry-max: 1m }\n", ":2:", "retry" },
		{ "fetch: { cache: c }\nalarms: { warn: 1h, critical: 2h }\n", ":2:", "earlier" },
		{ "fetch: { cache: c }\nsocket: { path: s, users: [nobody-here] }\n",
		  ":2:", "no user" },
		{ "fetch: { cache: c }\ndirectories: [ { host: d, start-tls: true } ]\n",
		  ":2:", "anchors" },
		{ "fetch: { cache: c }\ndirectories: [ { host: d, bind-dn: x } ]\n",
		  ":2:", "together" },
		{ "fetch: { cache: c }\nlog: { level: loud }\n", ":2:", "loud" },
		{ "fetch: { cache: c, cach: d }\n", ":1:", "cach" },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_error err = { 0 };
		struct fetch_config *c = NULL;
		char text[900];
		int rc = load(*state, rows[i].text, &c, &err);

		base_error_format(&err, text, sizeof(text));
		if (base_err_class(rc) != BASE_CONFIG || !strstr(text, rows[i].place) ||
		    !strstr(text, rows[i].words))
			fail_msg("row %zu: %d %s", i, rc, text);
	}
}

static void a_password_for_everybody(void **state)
{
	struct stage *st = *state;
	struct fetch_config *c = NULL;
	struct base_error err = { 0 };
	char secret[96];

	(void)snprintf(secret, sizeof(secret), "%s/password", st->dir);
	written(secret, "geheim\n");
	assert_int_equal(chmod(secret, 0644), 0);
	assert_int_not_equal(load(st,
	                          "fetch: { cache: c }\ndirectories: [ { host: d, bind-dn: x, "
	                          "password-file: password } ]\n",
	                          &c, &err),
	                     0);
	assert_non_null(strstr(err.text, "chmod"));
	assert_null(strstr(err.text, "geheim"));
}

static int stage_new(void **state)
{
	struct stage *st = calloc(1, sizeof(*st));

	assert_non_null(st);
	(void)snprintf(st->dir, sizeof(st->dir), "/tmp/gatehouse-fetch-XXXXXX");
	assert_non_null(mkdtemp(st->dir));
	(void)snprintf(st->path, sizeof(st->path), "%s/fetch.yaml", st->dir);
	*state = st;
	return 0;
}

static int stage_free(void **state)
{
	struct stage *st = *state;
	char secret[96];

	(void)snprintf(secret, sizeof(secret), "%s/password", st->dir);
	(void)unlink(secret);
	(void)unlink(st->path);
	(void)rmdir(st->dir);
	free(st);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, stage_new, stage_free),
		cmocka_unit_test_setup_teardown(all_keys, stage_new, stage_free),
		cmocka_unit_test_setup_teardown(refused, stage_new, stage_free),
		cmocka_unit_test_setup_teardown(a_password_for_everybody, stage_new, stage_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
