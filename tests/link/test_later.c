/* SPDX-License-Identifier: Apache-2.0 */
/* H.248 inside TLS: what becomes of connections when the domain or the CRLs are others; files. */
#include "../pki.h"
#include "stage.h"

static void another_domain_for_those_to_come(void **state)
{
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "tls12");
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec fresh_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_GNUTLS, "tls13");
	struct loop *loop = *state;
	struct tls_domain *fresh, *first;
	struct side mgc, old, late;
	struct h248_addr to;

	side_new(&mgc, loop, &mgc_spec, &any_name, NULL);
	side_new(&old, loop, &mg_spec, &server_name, NULL);
	side_new(&late, loop, &mg_spec, &server_name, NULL);
	side_listen(&mgc);
	mgc.echo = true;
	to = target_of(&mgc);
	assert_int_equal(h248_transport_send(old.t, &to, "1", 1), 0);
	UNTIL(loop, old.count == 1);
	assert_non_null(strstr(log_text, "version=TLS1.2"));

	assert_int_equal(tls_domain_new(&fresh, &fresh_spec, NULL), 0);
	assert_int_equal(link_domain_set(mgc.link, fresh, NULL), 0);
	tls_domain_unref(fresh);
	assert_int_equal(h248_transport_send(late.t, &to, "2", 1), 0);
	UNTIL(loop, late.count == 1);
	assert_non_null(strstr(log_text, "version=TLS1.3"));
	assert_int_equal(h248_transport_send(old.t, &to, "3", 1), 0);
	UNTIL(loop, old.count == 2);

	first = mgc.domain;
	assert_true(tls_domain_shared(first)); /* its connection lives */
	h248_transport_close(old.t, &old.from);
	UNTIL(loop, mgc.closed == 1);
	assert_false(tls_domain_shared(first));
	side_free(&old);
	side_free(&late);
	side_free(&mgc);
}

/* ---- a CRL that comes later ---- */

static struct trust_store *store_of(const char *dir, const struct pki *ca, X509 *revoked)
{
	char *anchor = pki_write_certs(dir, "ca", (X509 *[]){ ca->cert, NULL }), *crl = NULL;
	X509_CRL *list =
	        pki_crl(ca, revoked ? (X509 *[]){ revoked, NULL } : NULL, -PKI_DAY, PKI_DAY);
	struct trust_store *store = NULL;

	crl = pki_write_crl(dir, "crl", list, true);
	assert_int_equal(trust_store_load(&store,
	                                  &(struct trust_store_files){
	                                          .anchors = (const char *[]){ anchor, NULL },
	                                          .crls = (const char *[]){ crl, NULL },
	                                          .crl_required = true },
	                                  NULL),
	                 0);
	X509_CRL_free(list);
	free(anchor);
	free(crl);
	return store;
}

/* Of two the one that was revoked is heard no more; how strict the domain is, it says. */
static void a_controller_that_is_revoked(void **state)
{
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_GNUTLS, "modern");
	struct pki ca = pki_ca("CA"), pki[2] = { pki_leaf("good", &ca), pki_leaf("bad", &ca) };
	struct side mgc, far[2];
	char *dir = pki_dir_new();

	mgc_spec.trust = store_of(dir, &ca, NULL);
	side_new(&mgc, *state, &mgc_spec, &any_name, NULL);
	side_listen(&mgc);
	mgc.echo = true;
	for (int i = 0; i < 2; i++) {
		struct h248_addr to = target_of(&mgc);

		mg_spec.identity = pki_identity(&pki[i], (const struct pki *const[]){ NULL });
		side_new(&far[i], *state, &mg_spec, &server_name, NULL);
		x509_identity_unref(mg_spec.identity);
		assert_int_equal(h248_transport_send(far[i].t, &to, "1", 1), 0);
		UNTIL(*state, far[i].count == 1);
	}
	link_rejudge(mgc.link); /* nothing is known against them */
	trust_store_unref(mgc_spec.trust);
	mgc_spec.trust = store_of(dir, &ca, pki[1].cert);
	for (int report = 1; report >= 0; report--) {
		struct h248_addr to = target_of(&mgc);
		struct tls_domain *fresh = NULL;

		mgc_spec.on_revocation = report ? TLS_REVOKED_REPORT : TLS_REVOKED_END;
		assert_int_equal(tls_domain_new(&fresh, &mgc_spec, NULL), 0);
		assert_int_equal(link_domain_set(mgc.link, fresh, NULL), 0);
		tls_domain_unref(fresh);
		link_rejudge(mgc.link);
		assert_non_null(strstr(log_text, report ? "action=report" : "action=end"));
		assert_int_equal(h248_transport_send(far[0].t, &to, "2", 1), 0);
		assert_int_equal(h248_transport_send(far[1].t, &to, "2", 1), 0);
		UNTIL(*state, far[0].count == (report ? 2 : 3));
		if (report)
			UNTIL(*state, far[1].count == 2);
	}
	UNTIL(*state, far[1].closed == 1);
	assert_int_equal(mgc.count, 5);
	assert_non_null(strstr(log_text, "tls condemned peer="));
	assert_non_null(strstr(mgc.reason, "revoked by the CRL of CN=CA"));
	for (int i = 0; i < 2; i++) {
		side_free(&far[i]);
		pki_free(&pki[i]);
	}
	side_free(&mgc);
	trust_store_unref(mgc_spec.trust);
	pki_free(&ca);
	pki_dir_remove(dir);
}

static void files_that_are_not_there(void **state)
{
	char profiles[512];
	const char *dirs[] = { profiles, NULL };
	const struct link_files none = { 0 };
	const struct link_files gone = { .certificate = "/nonexistent.pem", .profile_dirs = dirs };
	struct base_error err = { 0 };
	struct link *link = NULL;
	char text[900];

	(void)state;
	assert_non_null(getenv("GATEHOUSE_SOURCE_ROOT"));
	snprintf(profiles, sizeof(profiles), "%s/profiles", getenv("GATEHOUSE_SOURCE_ROOT"));
	assert_int_equal(base_err_class(link_new_files(&link, &none, &any_name, &err)),
	                 BASE_CONFIG);
	assert_int_equal(base_err_class(link_new_files(&link, &gone, &any_name, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(base_error_format(&err, text, sizeof(text)), "nonexistent"));
	assert_null(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(another_domain_for_those_to_come),
		CASE(a_controller_that_is_revoked),
		CASE(files_that_are_not_there),
	};

	return cmocka_run_group_tests_name("link_later", tests, lab_open, lab_close);
}
