/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki init`: the three authorities of an operator (TS 33.310, 5.2.2.2). */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/pki_folder.h"
#include "cli/pki_key.h"

#define CRL_FIRST_DAYS 7

static const char usage[] =
        "usage: gatehouse pki init --name OPERATOR [OPTION ...] DIR\n"
        "\n"
        "Makes in the new folder DIR an operator's Interconnection CA (interconnection), TLS\n"
        "client CA (tls-client) and TLS server CA (tls-server), self-signed, each with its key,\n"
        "its index and a first CRL, which ends after 7 days.\n"
        "\n"
        "  --name OPERATOR  organization (O) and first words of the names (CN)\n" PKI_KEY_HELP
        "                   {ca} in the URI stands for the authority's folder\n"
        "  --crl-url URL    http or ldap address of the CRLs, written into every certificate;\n"
        "                   {ca} in it stands for the authority's folder (may repeat)\n"
        "  --days N         validity (default 3650)\n"
        "  --help           this text\n";

struct init {
	const char *dir, *name;
	struct pki_key_choice key;
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

static int file_set(const char *dir, const char *name, const void *data, size_t len,
                    struct base_error *err)
{
	char *path = pki_join(dir, name);
	int rc = path ? pki_file_write(path, data, len, 0600, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	free(path);
	return rc;
}

static int key_set(const char *dir, const EVP_PKEY *key, const char *uri, struct base_error *err)
{
	char *path = pki_join(dir, "ca.key"), *line = NULL;
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM), len;

	if (uri && (len = asprintf(&line, "%s\n", uri)) >= 0) {
		rc = file_set(dir, "ca.uri", line, (size_t)len, err);
		free(line);
	} else if (!uri && path) {
		rc = pki_key_write(path, key, err);
	}
	free(path);
	return rc;
}

int pki_folder_fill(const char *dir, const X509 *cert, const EVP_PKEY *key, const char *uri,
                    struct base_error *err)
{
	char *certs = pki_join(dir, "certs"), *own = pki_join(dir, "ca.pem");
	int rc = certs && own ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc && ((mkdir(dir, 0700) && errno != EEXIST) || mkdir(certs, 0700)))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot make a folder: %s",
		                    strerror(errno));
	if (!rc)
		rc = key_set(dir, key, uri, err);
	if (!rc)
		rc = pki_cert_write(own, cert, err);
	if (!rc)
		rc = file_set(dir, "index.txt", "", 0, err);
	if (!rc)
		rc = file_set(dir, "crl-number", "0\n", 2, err);
	free(certs);
	free(own);
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
	struct pki_key_choice choice = init->key;
	char *uri = choice.uri ? pki_template(choice.uri, a->folder) : NULL;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	struct pki_ca ca;
	uint64_t number;
	int rc = dir && !choice.uri == !uri ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	choice.uri = uri;
	if (!rc)
		rc = pki_key_get(&choice, &key, err);
	for (size_t i = 0; !rc && i < init->urls.count; i++) {
		urls[i] = pki_template(init->urls.item[i], a->folder);
		rc = urls[i] ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	if (!rc)
		rc = cert_make(init, a, urls, key, &cert, err);
	if (!rc)
		rc = pki_folder_fill(dir, cert, key, uri, err);
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
	free(uri);
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

/* ... and a key of its own. */
static bool key_take(struct pki_key_choice *choice, const char *word)
{
	if (x509_key_is_uri(word) && !strstr(word, "{ca}")) {
		(void)pki_refuse("--key names each authority's key, so it needs {ca}: "
		                 "pkcs11:token=...;object={ca}");
		return false;
	}
	return pki_key_take(choice, word);
}

static bool take(void *arg, int c, const char *word)
{
	struct init *init = arg;

	switch (c) {
	case 'n':
		init->name = word;
		return true;
	case 'k':
		return key_take(&init->key, word);
	case 'g':
		return pki_key_take_generate(&init->key, word);
	case 'c':
		return url_take(&init->urls, word);
	case 'd':
		return pki_number("--days", word, 36500, &init->days);
	default:
		return false;
	}
}

int pki_init_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "key", required_argument, NULL, 'k' },
		{ "generate", required_argument, NULL, 'g' },
		{ "crl-url", required_argument, NULL, 'c' },
		{ "days", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct init init = { .days = 3650 };
	struct base_error err = { .rc = 0 };
	int status = pki_options(argc, argv, option, usage, take, &init);

	if (status >= 0)
		return status;
	if (!pki_key_fits(&init.key))
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
