/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki init`: the three authorities of an operator (TS 33.310, 5.2.2.2). */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/pki_folder.h"

#define CRL_FIRST_DAYS 7

static const char usage[] =
        "usage: gatehouse pki init --name OPERATOR [OPTION ...] DIR\n"
        "\n"
        "Makes in the new folder DIR an operator's Interconnection CA (interconnection), TLS\n"
        "client CA (tls-client) and TLS server CA (tls-server), self-signed, each with its key,\n"
        "its index and a first CRL, which ends after 7 days.\n"
        "\n"
        "  --name OPERATOR  organization (O) and first words of the names (CN)\n"
        "  --key KIND       ec-p256 (default), ec-p384, rsa-2048, rsa-3072\n"
        "  --crl-url URL    http or ldap address of the CRLs, written into every certificate;\n"
        "                   {ca} in it stands for the authority's folder (may repeat)\n"
        "  --days N         validity (default 3650)\n"
        "  --help           this text\n";

struct init {
	const char *dir, *name;
	enum x509_key_kind key;
	struct pki_list urls;
	unsigned days;
};

static const struct authority {
	const char *folder, *words;
	int path_len; /* the Interconnection CA stands above cross-certificates of length 0 */
} authorities[] = {
	{ PKI_INTERCONNECTION, "Interconnection CA", 1 },
	{ PKI_TLS_CLIENT, "TLS client CA", 0 },
	{ PKI_TLS_SERVER, "TLS server CA", 0 },
};

/* "http://crl.a.example/{ca}.crl" for one authority; NULL when memory is short. */
static char *url_of(const char *template, const char *folder)
{
	const char *at = strstr(template, "{ca}");
	char *url;

	if (!at)
		return strdup(template);
	return asprintf(&url, "%.*s%s%s", (int)(at - template), template, folder, at + 4) < 0 ? NULL
	                                                                                      : url;
}

static int key_file_set(const char *dir, const char *name, const void *data, size_t len,
                        struct base_error *err)
{
	char *path = pki_join(dir, name);
	int rc = path ? pki_file_write(path, data, len, 0600, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	free(path);
	return rc;
}

int pki_folder_fill(const char *dir, const X509 *cert, const EVP_PKEY *key, struct base_error *err)
{
	char *certs = pki_join(dir, "certs"), *own = pki_join(dir, "ca.pem");
	char *secret = pki_join(dir, "ca.key");
	int rc = certs && own && secret ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc && ((mkdir(dir, 0700) && errno != EEXIST) || mkdir(certs, 0700)))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot make a folder: %s",
		                    strerror(errno));
	if (!rc)
		rc = pki_key_write(secret, key, err);
	if (!rc)
		rc = pki_cert_write(own, cert, err);
	if (!rc)
		rc = key_file_set(dir, "index.txt", "", 0, err);
	if (!rc)
		rc = key_file_set(dir, "crl-number", "0\n", 2, err);
	free(certs);
	free(own);
	free(secret);
	return rc;
}

static int cert_make(const struct init *init, const struct authority *a, char *const *urls,
                     EVP_PKEY *key, X509 **ret, struct base_error *err)
{
	char name[256];
	struct x509_make what = { .kind = X509_MAKE_CA, .organization = init->name };
	int rc = x509_serial_make(what.serial);

	(void)snprintf(name, sizeof(name), "%s %s", init->name, a->words);
	what.common_name = name;
	what.key = what.issuer_key = key;
	what.path_len = a->path_len;
	what.crl_urls = (const char *const *)urls;
	what.from_s = (int64_t)time(NULL) - PKI_DAY_S;
	what.until_s = (int64_t)time(NULL) + (int64_t)init->days * PKI_DAY_S;
	return rc ? rc : x509_make_cert(ret, &what, err);
}

static int authority_make(const struct init *init, const struct authority *a, const char *top,
                          struct base_error *err)
{
	char *urls[PKI_LIST_MAX + 1] = { NULL }, *dir = pki_join(top, a->folder);
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	struct pki_ca ca;
	uint64_t number;
	int rc = dir ? x509_key_make(init->key, &key) : BASE_ERR(BASE_LOCAL, ENOMEM);

	for (size_t i = 0; !rc && i < init->urls.count; i++) {
		urls[i] = url_of(init->urls.item[i], a->folder);
		rc = urls[i] ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	if (!rc)
		rc = cert_make(init, a, urls, key, &cert, err);
	if (!rc)
		rc = pki_folder_fill(dir, cert, key, err);
	if (!rc)
		rc = pki_ca_open(&ca, top, a->folder, err);
	if (!rc) {
		/* saved once for its first line; an empty one opens as well */
		rc = pki_ca_save(&ca, err);
		if (!rc)
			rc = pki_ca_crl(&ca, (int64_t)CRL_FIRST_DAYS * PKI_DAY_S, &number, err);
		pki_ca_close(&ca);
	}
	for (size_t i = 0; i < init->urls.count; i++)
		free(urls[i]);
	X509_free(cert);
	EVP_PKEY_free(key);
	free(dir);
	return rc;
}

/* All of it under another name, then renamed: there is a whole folder or none. */
static int make_all(const struct init *init, struct base_error *err)
{
	char *top;
	int rc = 0;

	if (asprintf(&top, "%s.XXXXXX", init->dir) < 0)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!mkdtemp(top)) {
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot make %s: %s",
		                    init->dir, strerror(errno));
		free(top);
		return rc;
	}
	for (size_t i = 0; !rc && i < BASE_COUNT(authorities); i++)
		rc = authority_make(init, &authorities[i], top, err);
	if (!rc)
		rc = pki_dir_sync(top, err);
	if (!rc && rename(top, init->dir))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot make %s: %s",
		                    init->dir, strerror(errno));
	if (rc)
		pki_tree_remove(top);
	free(top);
	return rc;
}

bool pki_key_kind(const char *name, enum x509_key_kind *ret)
{
	static const struct {
		const char *name;
		enum x509_key_kind kind;
	} kinds[] = { { "ec-p256", X509_KEY_EC_P256 },
		      { "ec-p384", X509_KEY_EC_P384 },
		      { "rsa-2048", X509_KEY_RSA_2048 },
		      { "rsa-3072", X509_KEY_RSA_3072 } };

	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		if (!strcmp(name, kinds[i].name)) {
			*ret = kinds[i].kind;
			return true;
		}
	}
	(void)pki_refuse("--key is ec-p256, ec-p384, rsa-2048 or rsa-3072, not '%s'", name);
	return false;
}

/* Each authority has a CRL of its own, so each needs an address of its own. */
static bool url_take(struct pki_list *urls, const char *url)
{
	if (!strstr(url, "{ca}")) {
		(void)pki_refuse("--crl-url names each authority's CRL, so it needs {ca}: '%s'",
		                 url);
		return false;
	}
	return pki_list_add(urls, url);
}

int pki_init_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "key", required_argument, NULL, 'k' },
		{ "crl-url", required_argument, NULL, 'c' },
		{ "days", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct init init = { .key = X509_KEY_EC_P256, .days = 3650 };
	struct base_error err = { .rc = 0 };
	bool ok = true;
	int c;

	while (ok && (c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (c == 'h') {
			printf("%s", usage);
			return PKI_DONE;
		}
		ok = c == 'n'   ? (init.name = optarg) != NULL
		     : c == 'k' ? pki_key_kind(optarg, &init.key)
		     : c == 'c' ? url_take(&init.urls, optarg)
		     : c == 'd' ? pki_number("--days", optarg, 36500, &init.days)
		                : false;
	}
	if (!ok)
		return PKI_MISUSED;
	if (!init.name || optind != argc - 1)
		return pki_usage(usage);
	init.dir = argv[optind];
	if (make_all(&init, &err))
		return pki_complain(&err);
	for (size_t i = 0; i < BASE_COUNT(authorities); i++)
		printf("made %s/%s: %s %s\n", init.dir, authorities[i].folder, init.name,
		       authorities[i].words);
	return PKI_DONE;
}
