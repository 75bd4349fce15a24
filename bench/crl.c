/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL loaded and looked up in, by one library a process: seconds of processor time, MiB that
 * stay resident, nanoseconds a look (half of them at what is listed). Printed as JSON.
 *
 *   bench_crl write ENTRIES CRL INDEX     make both files; prints what making the index takes
 *   bench_crl gatehouse ENTRIES INDEX
 *   bench_crl openssl|gnutls ENTRIES CRL
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "../tests/crl_forge.h"
#include "x509/x509.h"

struct figures {
	double load_s, mib, look_ns;
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long total, pages;

	if (!f || fscanf(f, "%lu %lu", &total, &pages) != 2)
		exit(2);
	(void)fclose(f); /* only read */
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static uint8_t *read_all(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long len;

	if (!f || fseek(f, 0, SEEK_END) || (len = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		exit(2);
	data = malloc((size_t)len + 1);
	if (!data || fread(data, 1, (size_t)len, f) != (size_t)len)
		exit(2);
	(void)fclose(f); /* only read */
	*ret_len = (size_t)len;
	return data;
}

static void write_all(const char *path, struct base_str octets)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(octets.ptr, 1, octets.len, f) != octets.len || fclose(f))
		exit(2);
}

/* Look i: the even ones at what is listed, the odd ones at what is not, in no order. */
static void serial_of(size_t i, size_t entries, uint8_t ret[16])
{
	size_t at = i * 7919 % entries;

	crl_forge_serial(i % 2 ? at + entries : at, ret);
}

static int files_write(size_t entries, const char *crl, const char *index_file)
{
	struct x509_identity *ca = NULL;
	struct x509_crl_index *index = NULL;
	struct base_writer w;
	double start, took;

	if (x509_identity_self_signed(&ca, X509_KEY_EC_P256, "ca", 86400, NULL))
		return 1;
	w = crl_forge(&(struct crl_forge){
	        .issuer = ca->cert, .key = ca->key, .count = entries, .number = 1 });
	start = now();
	if (x509_crl_index_make(&index, w.data, w.len, ca->key, NULL))
		return 1;
	took = now() - start;
	write_all(crl, base_writer_view(&w));
	write_all(index_file, x509_crl_index_octets(index));
	printf("{\"entries\": %zu, \"crl\": %zu, \"index\": %zu, \"make_s\": %.4f}\n", entries,
	       w.len, x509_crl_index_octets(index).len, took);
	x509_crl_index_unref(index);
	base_writer_done(&w);
	x509_identity_unref(ca);
	return 0;
}

/* The serial numbers are made before the clock starts. */
static uint8_t (*serials_new(size_t count, size_t entries))[16]
{
	uint8_t(*all)[16] = malloc(count * sizeof(*all));

	if (!all)
		exit(2);
	for (size_t i = 0; i < count; i++)
		serial_of(i, entries, all[i]);
	return all;
}

static size_t gatehouse(const char *path, size_t entries, struct figures *ret)
{
	enum { LOOKS = 1000000 };
	uint8_t(*serials)[16] = serials_new(LOOKS, entries);
	double before = resident(), start = now();
	struct x509_crl_index *index = NULL;
	struct base_str issuer;
	size_t listed = 0;

	if (x509_crl_index_map(&index, path, NULL))
		exit(1);
	ret->load_s = now() - start;
	ret->mib = resident() - before;
	issuer = x509_crl_index_info(index)->issuer;
	start = now();
	for (size_t i = 0; i < LOOKS; i++)
		listed += x509_crl_index_find(index, issuer,
		                              (struct base_str){ (const char *)serials[i], 16 },
		                              NULL) == X509_CRL_REVOKED;
	ret->look_ns = (now() - start) * 1e9 / LOOKS;
	x509_crl_index_unref(index);
	free(serials);
	return listed * 2 - LOOKS; /* 0 when right */
}

static size_t openssl(const char *path, size_t entries, struct figures *ret)
{
	enum { LOOKS = 200000 };
	uint8_t(*serials)[16] = serials_new(LOOKS, entries);
	double before = resident(), start = now();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	X509_REVOKED *found;
	size_t len, listed = 0;
	uint8_t *data = read_all(path, &len);
	const unsigned char *at = data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)len);

	if (!crl || !serial || !ASN1_STRING_set(serial, serials[0], 16))
		exit(1);
	free(data);
	(void)X509_CRL_get0_by_serial(crl, &found, serial); /* the first sorts */
	ret->load_s = now() - start;
	ret->mib = resident() - before;
	start = now();
	for (size_t i = 0; i < LOOKS; i++) {
		if (!ASN1_STRING_set(serial, serials[i], 16))
			exit(1);
		listed += X509_CRL_get0_by_serial(crl, &found, serial) == 1;
	}
	ret->look_ns = (now() - start) * 1e9 / LOOKS;
	ASN1_INTEGER_free(serial);
	X509_CRL_free(crl);
	free(serials);
	return listed * 2 - LOOKS;
}

/* As gnutls_x509_crt_check_revocation() does: from the first entry to the last. */
static bool gnutls_look(gnutls_x509_crl_t crl, const uint8_t *serial)
{
	gnutls_x509_crl_iter_t iter = NULL;
	unsigned char one[64];
	size_t len = sizeof(one);
	bool found = false;
	time_t date;

	while (!found && gnutls_x509_crl_iter_crt_serial(crl, &iter, one, &len, &date) >= 0) {
		found = len == 16 && memcmp(one, serial, 16) == 0;
		len = sizeof(one);
	}
	gnutls_x509_crl_iter_deinit(iter);
	return found;
}

static size_t gnutls(const char *path, size_t entries, struct figures *ret)
{
	enum { LOOKS = 4 };
	uint8_t(*serials)[16] = serials_new(LOOKS, entries);
	double before = resident(), start = now();
	gnutls_x509_crl_t crl;
	size_t len, listed = 0;
	uint8_t *data = read_all(path, &len);
	gnutls_datum_t der = { data, (unsigned)len };

	if (gnutls_x509_crl_init(&crl) < 0 ||
	    gnutls_x509_crl_import(crl, &der, GNUTLS_X509_FMT_DER) < 0)
		exit(1);
	free(data);
	ret->load_s = now() - start;
	ret->mib = resident() - before;
	start = now();
	for (size_t i = 0; i < LOOKS; i++)
		listed += gnutls_look(crl, serials[i]);
	ret->look_ns = (now() - start) * 1e9 / LOOKS;
	gnutls_x509_crl_deinit(crl);
	free(serials);
	return listed * 2 - LOOKS;
}

int main(int argc, char **argv)
{
	struct figures figures = { 0 };
	size_t entries = argc > 3 ? strtoul(argv[2], NULL, 10) : 0, wrong;

	if (argc == 5 && entries && strcmp(argv[1], "write") == 0)
		return files_write(entries, argv[3], argv[4]);
	if (argc != 4 || !entries) {
		(void)fprintf(stderr, "usage: see bench/crl.c\n");
		return 2;
	}
	if (strcmp(argv[1], "gatehouse") == 0)
		wrong = gatehouse(argv[3], entries, &figures);
	else if (strcmp(argv[1], "openssl") == 0)
		wrong = openssl(argv[3], entries, &figures);
	else
		wrong = gnutls(argv[3], entries, &figures);
	if (wrong) {
		(void)fprintf(stderr,
		              "bench_crl: %s found what is not there, or did not find what is\n",
		              argv[1]);
		return 1;
	}
	printf("{\"load_s\": %.6f, \"mib\": %.2f, \"look_ns\": %.1f}\n", figures.load_s,
	       figures.mib, figures.look_ns);
	return 0;
}
