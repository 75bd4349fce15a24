/* SPDX-License-Identifier: Apache-2.0 */
/** @file Keys for `gatehouse pki`: kinds, tokens, and who is asked for a PIN. */
#include "cli/pki_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/pki_folder.h"

#define PIN_MAX 256

/* -- the command line ------------------------------------------------------------------------ */

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
	(void)pki_refuse("a key is ec-p256, ec-p384, rsa-2048 or rsa-3072, not '%s'", name);
	return false;
}

bool pki_key_take(struct pki_key_choice *choice, const char *word)
{
	if (!x509_key_is_uri(word))
		return pki_key_kind(word, &choice->kind);
	choice->uri = word;
	return true;
}

bool pki_key_take_generate(struct pki_key_choice *choice, const char *word)
{
	choice->generate = true;
	return pki_key_kind(word, &choice->kind);
}

bool pki_key_fits(const struct pki_key_choice *choice)
{
	if (!choice->generate || choice->uri)
		return true;
	(void)pki_refuse("--generate makes a key in a token: name it with --key pkcs11:...");
	return false;
}

char *pki_template(const char *template, const char *folder)
{
	const char *at = strstr(template, "{ca}");
	char *text;

	if (!at)
		return strdup(template);
	return asprintf(&text, "%.*s%s%s", (int)(at - template), template, folder, at + 4) < 0
	               ? NULL
	               : text;
}

/* -- the terminal ---------------------------------------------------------------------------- */

static ssize_t line_read(int fd, char *into, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t got = read(fd, into + len, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		if (into[len] == '\n')
			return (ssize_t)len;
		len++;
	}
	return -1;
}

static int terminal_ask(const char *token, struct base_secret *ret)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, quiet;
	char line[PIN_MAX];
	ssize_t len = -1;
	int rc = -1;

	if (fd < 0)
		return -1;
	if (!tcgetattr(fd, &before)) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		if (!tcsetattr(fd, TCSAFLUSH, &quiet)) {
			(void)dprintf(fd, "PIN of token '%s': ", token); /* read() tells */
			len = line_read(fd, line, sizeof(line));
			(void)tcsetattr(fd, TCSAFLUSH, &before); /* nothing more can be done */
			(void)dprintf(fd, "\n");
		}
	}
	if (len > 0)
		rc = base_secret_set(ret, line, (size_t)len);
	base_wipe(line, sizeof(line));
	(void)close(fd); /* a terminal: nothing is lost */
	return rc;
}

/* A command opens an authority more than once; it asks once. Wiped when the program ends. */
static struct {
	char token[64];
	struct base_secret pin;
} known;

static void forget(void)
{
	base_secret_done(&known.pin);
}

int pki_pin_ask(void *arg, const char *token, struct base_secret *ret)
{
	(void)arg;
	if (!known.pin.data || strcmp(known.token, token) != 0) {
		if (atexit(forget) || terminal_ask(token, &known.pin))
			return -1;
		(void)snprintf(known.token, sizeof(known.token), "%s", token);
	}
	return base_secret_set(ret, known.pin.data, known.pin.len);
}

/* -- keys ------------------------------------------------------------------------------------ */

int pki_key_get(const struct pki_key_choice *choice, EVP_PKEY **ret, struct base_error *err)
{
	int rc;

	if (!choice->uri)
		return x509_key_make(choice->kind, ret);
	rc = choice->generate ? x509_key_make_in_token(ret, choice->kind, choice->uri, pki_pin_ask,
	                                               NULL, err)
	                      : x509_key_load(ret, choice->uri, pki_pin_ask, NULL, err);
	if (!rc && (rc = x509_key_check(*ret, err))) {
		EVP_PKEY_free(*ret);
		*ret = NULL;
	}
	return rc;
}

/* The one line of ca.uri. @return 1 when there is no such file */
static int uri_read(const char *path, char **ret, struct base_error *err)
{
	FILE *file = fopen(path, "re");
	size_t cap = 0;
	int rc = 0;

	if (!file && errno == ENOENT)
		return 1;
	if (!file || getline(ret, &cap, file) <= 0) {
		base_error_place(err, path, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "cannot read the URI of the authority's key");
	} else {
		(*ret)[strcspn(*ret, "\n")] = '\0';
	}
	if (file)
		(void)fclose(file); /* it was only read */
	return rc;
}

static int file_identity(const char *cert, const char *key, struct x509_identity **ret,
                         struct base_error *err)
{
	char warning[512];
	int rc = x509_identity_load(ret, cert, key, err);

	if (!rc && x509_key_file_check(key, warning, sizeof(warning)))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", warning);
	return rc;
}

int pki_ca_identity(const char *dir, struct x509_identity **ret, struct base_error *err)
{
	char *cert = pki_join(dir, "ca.pem"), *key = pki_join(dir, "ca.key");
	char *path = pki_join(dir, "ca.uri"), *uri = NULL;
	int rc = cert && key && path ? uri_read(path, &uri, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (rc == 1)
		rc = file_identity(cert, key, ret, err);
	else if (!rc)
		rc = x509_identity_load_asking(ret, cert, uri, pki_pin_ask, NULL, err);
	free(uri);
	free(cert);
	free(key);
	free(path);
	return rc;
}
