/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/internal.h"
#include "x509/token.h"

/* A CRL of a million entries is about 40 MB; nothing this project reads is larger than this. */
#define FILE_MAX_OCTETS ((off_t)256 << 20)

const char *x509_crypto_reason(void)
{
	const char *text = NULL, *token = NULL;
	unsigned long code;

	/* libcrypto puts its own words on top of what a token said */
	while ((code = ERR_get_error())) {
		const char *words = x509_token_reason(code);

		text = ERR_reason_error_string(code);
		token = words ? words : token;
	}
	return token ? token : text ? text : "no reason given";
}

static int file_error(const char *file, struct base_error *err, int rc, const char *what,
                      const char *why)
{
	base_error_place(err, file, 0, 0);
	return base_error_set(err, rc, "%s: %s", what, why);
}

static int fd_read(int fd, struct base_secret *into)
{
	size_t done = 0;

	while (done < into->len) {
		ssize_t got = read(fd, into->data + done, into->len - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break; /* it shrank while we read: what is left fails to parse, or is fine
			        */
		done += (size_t)got;
	}
	into->len = done;
	return 0;
}

int x509_file_read(const char *file, struct base_secret *ret, struct base_error *err)
{
	struct base_secret content = { 0 };
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), failed;

	if (fd < 0)
		return file_error(file, err, BASE_ERR(BASE_CONFIG, errno), "cannot open the file",
		                  strerror(errno));
	failed = fstat(fd, &st) < 0 ? errno : !S_ISREG(st.st_mode) ? EINVAL : 0;
	if (!failed && st.st_size > FILE_MAX_OCTETS)
		failed = EFBIG;
	if (!failed) {
		content.len = (size_t)st.st_size;
		content.data = malloc(content.len + 1);
		failed = content.data ? fd_read(fd, &content) : ENOMEM;
	}
	(void)close(fd); /* it was only read */
	if (failed) {
		base_secret_done(&content);
		return file_error(file, err,
		                  BASE_ERR(failed == ENOMEM ? BASE_LOCAL : BASE_CONFIG, failed),
		                  "cannot read the file",
		                  failed == EINVAL ? "not a regular file" : strerror(failed));
	}
	*ret = content;
	return 0;
}

/* What differs between certificates and CRLs when a file is read. */
struct kind {
	const char *one, *pem_a, *pem_b;
	/* Parse one DER object and append it. 0, or -1 with libcrypto's reason queued. */
	int (*append)(void *into, const unsigned char *der, long len);
};

static int cert_append(void *into, const unsigned char *der, long len)
{
	const unsigned char *at = der;
	X509 *cert = d2i_X509(NULL, &at, len);

	if (cert && at == der + len && sk_X509_push((STACK_OF(X509) *)into, cert))
		return 0;
	X509_free(cert);
	return -1;
}

static int crl_append(void *into, const unsigned char *der, long len)
{
	const unsigned char *at = der;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, len);

	if (crl && at == der + len && sk_X509_CRL_push((STACK_OF(X509_CRL) *)into, crl))
		return 0;
	X509_CRL_free(crl);
	return -1;
}

static const struct kind cert_kind = { "certificate", PEM_STRING_X509, PEM_STRING_X509_OLD,
	                               cert_append };
static const struct kind crl_kind = { "CRL", PEM_STRING_X509_CRL, PEM_STRING_X509_CRL, crl_append };

static bool last_error_is_end(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int pem_parse(const char *name, BIO *bio, const struct kind *kind, void *into,
                     struct base_error *err)
{
	char *label, *header;
	unsigned char *der;
	unsigned found = 0;
	long len;
	int rc = 0;

	while (!rc && PEM_read_bio(bio, &label, &header, &der, &len)) {
		bool wanted = !strcmp(label, kind->pem_a) || !strcmp(label, kind->pem_b);

		found += wanted;
		if (wanted && kind->append(into, der, len)) {
			base_error_place(err, name, 0, 0);
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s %u is malformed: %s",
			                    kind->one, found, x509_crypto_reason());
		}
		base_wipe(der, (size_t)len); /* another block may be a key */
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	if (!rc && !last_error_is_end())
		rc = file_error(name, err, BASE_ERR(BASE_CONFIG, 0), "broken PEM",
		                x509_crypto_reason());
	ERR_clear_error();
	if (!rc && !found) {
		base_error_place(err, name, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "there is no %s in the file",
		                    kind->one);
	}
	return rc;
}

static int kind_parse(const char *name, const void *data, size_t len, const struct kind *kind,
                      void *into, struct base_error *err)
{
	BIO *bio;
	int rc;

	ERR_clear_error();
	if (len > INT32_MAX)
		return file_error(name, err, BASE_ERR(BASE_CONFIG, EFBIG), kind->one, "too long");
	if (!len || !memmem(data, len, "-----BEGIN ", 11)) {
		if (len && !kind->append(into, data, (long)len))
			return 0;
		base_error_place(err, name, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "neither PEM nor one DER %s: %s",
		                    kind->one, len ? x509_crypto_reason() : "empty");
		ERR_clear_error();
		return rc;
	}
	bio = BIO_new_mem_buf(data, (int)len);
	if (!bio)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = pem_parse(name, bio, kind, into, err);
	BIO_free(bio);
	return rc;
}

static int kind_load(const char *file, const struct kind *kind, void *into, struct base_error *err)
{
	struct base_secret content = { 0 };
	int rc = x509_file_read(file, &content, err);

	if (!rc)
		rc = kind_parse(file, content.data, content.len, kind, into, err);
	base_secret_done(&content);
	return rc;
}

int x509_certs_load(const char *file, STACK_OF(X509) * into, struct base_error *err)
{
	return kind_load(file, &cert_kind, into, err);
}

int x509_certs_parse(const char *name, const void *data, size_t len, STACK_OF(X509) * into,
                     struct base_error *err)
{
	return kind_parse(name, data, len, &cert_kind, into, err);
}

int x509_crls_load(const char *file, STACK_OF(X509_CRL) * into, struct base_error *err)
{
	return kind_load(file, &crl_kind, into, err);
}

int x509_crls_parse(const char *name, const void *data, size_t len, STACK_OF(X509_CRL) * into,
                    struct base_error *err)
{
	return kind_parse(name, data, len, &crl_kind, into, err);
}

const char *x509_name_format(const X509_NAME *name, char *buf, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len = 0;

	if (!cap) {
		BIO_free(bio);
		return "";
	}
	/* UTF-8 stays as it is; control characters and the separators are escaped (RFC 2253, 2.4)
	 */
	if (bio && name &&
	    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_get_mem_data(bio, &text);
	ERR_clear_error();
	if (len > 0 && (size_t)len < cap) {
		memcpy(buf, text, (size_t)len);
		buf[len] = '\0';
	} else if (len > 0) {
		(void)snprintf(buf, cap, "%.*s...", (int)(cap > 4 ? cap - 4 : 0), text);
	} else {
		(void)snprintf(buf, cap, "(no name)");
	}
	BIO_free(bio);
	return buf;
}
