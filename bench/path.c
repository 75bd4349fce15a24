/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Path decisions a second on one core, beside OpenSSL's own verification with the same CRLs: a peer
 * of another operator, its cross-certificate, the own Interconnection CA, both CRLs. Each side
 * begins with the peer's certificate in DER. CPU time, rounds alternate, the median counts.
 *
 *     bench_path [ENTRIES] [ROUNDS]     entries of each CRL (10000), rounds of half a second (5)
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "trust/trust.h"

#define ROUNDS_MAX 99
#define ROUND_S    0.5

static struct {
	EVP_PKEY *key[3];
	X509 *ica, *ca, *cross, *peer;
	X509_CRL *crl[2];
	struct base_str der;
	struct trust_store *ours, *linted;
	X509_STORE *theirs;
} bench;

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "bench_path: %s\n", what);
	exit(1);
}

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static X509 *cert(struct x509_make what)
{
	X509 *ret = NULL;
	struct base_error err = { 0 };

	what.from_s = time(NULL) - 86400;
	what.until_s = time(NULL) + 30L * 86400;
	if (x509_serial_make(what.serial) || x509_make_cert(&ret, &what, &err))
		fail(err.text);
	return ret;
}

static X509_CRL *crl(const X509 *issuer, EVP_PKEY *key, size_t count)
{
	struct x509_revoked *list = calloc(count + 1, sizeof(*list));
	X509_CRL *ret = NULL;
	struct base_error err = { 0 };

	if (!list)
		fail("memory");
	for (size_t i = 0; i < count; i++) {
		(void)x509_serial_make(list[i].serial);
		list[i].when_s = time(NULL) - 3600;
	}
	if (x509_make_crl(&ret,
	                  &(struct x509_make_crl){ .issuer = issuer,
	                                           .issuer_key = key,
	                                           .revoked = list,
	                                           .count = count,
	                                           .number = 1,
	                                           .this_s = time(NULL) - 3600,
	                                           .next_s = time(NULL) + 86400 },
	                  &err))
		fail(err.text);
	free(list);
	return ret;
}

static void certs_make(size_t entries)
{
	static const char *const dns[] = { "mg.away.example", NULL };
	EVP_PKEY **key = bench.key;

	for (size_t i = 0; i < BASE_COUNT(bench.key); i++)
		if (x509_key_make(X509_KEY_EC_P256, &key[i]))
			fail("keys");
	bench.ica = cert((struct x509_make){ .kind = X509_MAKE_CA,
	                                     .common_name = "Home ICA",
	                                     .key = key[0],
	                                     .issuer_key = key[0],
	                                     .path_len = 2 });
	bench.ca = cert((struct x509_make){ .kind = X509_MAKE_CA,
	                                    .common_name = "Away TLS server CA",
	                                    .key = key[1],
	                                    .issuer_key = key[1] });
	bench.cross = cert((struct x509_make){ .kind = X509_MAKE_CROSS,
	                                       .subject_of = bench.ca,
	                                       .key = key[1],
	                                       .issuer = bench.ica,
	                                       .issuer_key = key[0],
	                                       .server = true });
	bench.peer = cert((struct x509_make){ .kind = X509_MAKE_ENTITY,
	                                      .common_name = dns[0],
	                                      .key = key[2],
	                                      .issuer = bench.ca,
	                                      .issuer_key = key[1],
	                                      .server = true,
	                                      .dns = dns });
	bench.crl[0] = crl(bench.ica, key[0], entries);
	bench.crl[1] = crl(bench.ca, key[1], entries);
	bench.der.len = (size_t)i2d_X509(bench.peer, (unsigned char **)&bench.der.ptr);
}

static char *file(const char *dir, const char *name, X509 *one, X509_CRL *list)
{
	char *path = NULL;
	FILE *f;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		fail("memory");
	f = fopen(path, "w");
	if (!f || (one ? PEM_write_X509(f, one) : PEM_write_X509_CRL(f, list)) != 1 || fclose(f))
		fail(path);
	return path;
}

static struct trust_store *ours_load(struct profile_checks *checks)
{
	char dir[] = "/tmp/gatehouse-bench-XXXXXX";
	struct base_error err = { 0 };
	struct trust_store *store = NULL;
	char *path[4];

	if (!mkdtemp(dir))
		fail("no folder");
	path[0] = file(dir, "ica", bench.ica, NULL);
	path[1] = file(dir, "cross", bench.cross, NULL);
	path[2] = file(dir, "crl0", NULL, bench.crl[0]);
	path[3] = file(dir, "crl1", NULL, bench.crl[1]);
	if (trust_store_load(&store,
	                     &(struct trust_store_files){
	                             .interconnect = true,
	                             .checks = checks,
	                             .interconnection = (const char *const[]){ path[0], NULL },
	                             .cross_servers = (const char *const[]){ path[1], NULL },
	                             .crls = (const char *const[]){ path[2], path[3], NULL } },
	                     &err))
		fail(err.text);
	for (size_t i = 0; i < BASE_COUNT(path); i++) {
		(void)unlink(path[i]);
		free(path[i]);
	}
	(void)rmdir(dir);
	return store;
}

/* With the certificate profile as a step of each decision. */
static void linted_load(void)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct profile_checks *checks;
	struct profile_store *profiles;
	const struct profile *profile;
	char dir[1024];

	(void)snprintf(dir, sizeof(dir), "%s/profiles", root ? root : ".");
	if (profile_store_new(&profiles) || profile_store_dir(profiles, dir) ||
	    profile_store_find(profiles, "cert-ts33310", &profile, NULL) ||
	    profile_checks_new(&checks, profile, NULL))
		fail("the certificate profile");
	bench.linted = ours_load(checks);
}

static void theirs_load(void)
{
	bench.theirs = X509_STORE_new();
	if (!bench.theirs || X509_STORE_add_cert(bench.theirs, bench.ica) != 1 ||
	    X509_STORE_add_cert(bench.theirs, bench.cross) != 1 ||
	    X509_STORE_add_crl(bench.theirs, bench.crl[0]) != 1 ||
	    X509_STORE_add_crl(bench.theirs, bench.crl[1]) != 1)
		fail("OpenSSL's store");
	(void)X509_STORE_set_flags(bench.theirs, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

static void decide(struct trust_store *store)
{
	const struct trust_question question = { .methods = TRUST_CA, .peer_is_server = true };
	struct trust_verdict verdict;

	if (trust_decide(store, &question, &bench.der, 1, &verdict))
		fail("trust_decide");
	if (!verdict.authenticated)
		fail(verdict.text);
}

static void ours_once(void)
{
	decide(bench.ours);
}

static void linted_once(void)
{
	decide(bench.linted);
}

static void theirs_once(void)
{
	const unsigned char *at = (const unsigned char *)bench.der.ptr;
	X509 *peer = d2i_X509(NULL, &at, (long)bench.der.len);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (!peer || !ctx || X509_STORE_CTX_init(ctx, bench.theirs, peer, NULL) != 1)
		fail("OpenSSL's context");
	(void)X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	if (X509_verify_cert(ctx) != 1)
		fail(X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	X509_free(peer);
}

static double rate(void (*once)(void))
{
	double start = cpu_s(), spent;
	unsigned count = 0;

	do {
		once();
		count++;
		spent = cpu_s() - start;
	} while (spent < ROUND_S);
	return count / spent;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	size_t entries = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000,
	       rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
	double ours[ROUNDS_MAX], linted[ROUNDS_MAX], theirs[ROUNDS_MAX];

	if (!rounds || rounds > ROUNDS_MAX)
		fail("1 to 99 rounds");
	certs_make(entries);
	bench.ours = ours_load(NULL);
	linted_load();
	theirs_load();
	for (size_t i = 0; i < rounds; i++) {
		ours[i] = rate(ours_once);
		linted[i] = rate(linted_once);
		theirs[i] = rate(theirs_once);
	}
	qsort(ours, rounds, sizeof(*ours), by_size);
	qsort(linted, rounds, sizeof(*linted), by_size);
	qsort(theirs, rounds, sizeof(*theirs), by_size);
	(void)printf("{\"entries\": %zu, \"gatehouse\": %.0f, \"with_profile\": %.0f, \"openssl\": "
	             "%.0f, \"ratio\": %.2f}\n",
	             entries, ours[rounds / 2], linted[rounds / 2], theirs[rounds / 2],
	             ours[rounds / 2] / theirs[rounds / 2]);
	return 0;
}
