/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Delta CRLs of an authority. What has changed is found by holding the index against the base
 * itself, so nothing has to be remembered, and a crash can forget nothing.
 */
#include "cli/pki_delta.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static int no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
}

/* ---- the addresses ---- */

static int urls_refuse(const char *path, struct base_error *err)
{
	base_error_place(err, path, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "not one to four addresses, a line each; tell them anew with crl "
	                      "--delta-url");
}

static int urls_read(FILE *file, const char *path, struct pki_delta_urls *ret,
                     struct base_error *err)
{
	size_t len = fread(ret->text, 1, sizeof(ret->text) - 1, file), count = 0;
	char *at = ret->text, *line;

	ret->text[len] = '\0';
	if (!len || ferror(file) || strlen(ret->text) != len || ret->text[len - 1] != '\n')
		return urls_refuse(path, err);
	ret->text[len - 1] = '\0';
	while ((line = strsep(&at, "\n"))) {
		if (count == BASE_COUNT(ret->item) - 1 || !x509_crl_url_ok(line))
			return urls_refuse(path, err);
		ret->item[count++] = line;
	}
	return 0;
}

int pki_delta_urls_load(const struct pki_ca *ca, struct pki_delta_urls *ret, struct base_error *err)
{
	char *path = pki_join(ca->dir, "delta-urls");
	FILE *file = path ? fopen(path, "re") : NULL;
	int rc = path ? 0 : no_memory(err);

	memset(ret, 0, sizeof(*ret));
	if (path && !file && errno != ENOENT)
		rc = urls_refuse(path, err);
	if (file) {
		rc = urls_read(file, path, ret, err);
		(void)fclose(file); /* it was only read */
	}
	free(path);
	return rc;
}

int pki_delta_urls_save(const struct pki_ca *ca, const struct pki_list *urls,
                        struct base_error *err)
{
	struct base_writer w = { .data = NULL };
	char *path = pki_join(ca->dir, "delta-urls");
	int rc = path ? 0 : no_memory(err);

	for (size_t i = 0; !rc && i < urls->count; i++) {
		if (i == BASE_COUNT(((struct pki_delta_urls *)NULL)->item) - 1 ||
		    !x509_crl_url_ok(urls->item[i]))
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "--delta-url is an http or ldap address, four at "
			                    "most: '%s'",
			                    urls->item[i]);
		base_writer_printf(&w, "%s\n", urls->item[i]);
	}
	if (!rc)
		rc = w.failed ? no_memory(err) : pki_file_write(path, w.data, w.len, 0600, err);
	base_writer_done(&w);
	free(path);
	return rc;
}

/* ---- what was published ---- */

static uint64_t number_of(const X509_CRL *crl, int nid)
{
	ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, nid, NULL, NULL);
	uint64_t number = 0;

	if (value && ASN1_INTEGER_get_uint64(&number, value) != 1)
		number = 0;
	ASN1_INTEGER_free(value);
	return number;
}

/* A CRL of the folder that this authority signed with the key it has now. X509_CRL_free. */
static X509_CRL *crl_take(const struct pki_ca *ca, const char *name)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	char *path = pki_join(ca->dir, name);
	X509_CRL *crl = NULL;

	if (crls && path && !x509_crls_load(path, crls, NULL) &&
	    X509_CRL_verify(sk_X509_CRL_value(crls, 0), X509_get0_pubkey(ca->id->cert)) == 1)
		crl = sk_X509_CRL_shift(crls);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	free(path);
	return crl;
}

static int base_take(const struct pki_ca *ca, X509_CRL **ret, struct base_error *err)
{
	X509_CRL *base = crl_take(ca, "ca.crl");
	time_t now = time(NULL);

	if (base && number_of(base, NID_crl_number) && !number_of(base, NID_delta_crl) &&
	    X509_cmp_time(X509_CRL_get0_nextUpdate(base), &now) > 0) {
		*ret = base;
		return 0;
	}
	X509_CRL_free(base);
	base_error_place(err, ca->dir, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "a delta CRL stands on a complete one that has not ended, and there "
	                      "is none here; make one with crl (RFC 5280, 5.2.4)");
}

static int reason_of(X509_REVOKED *entry)
{
	ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	int reason = code ? (int)ASN1_ENUMERATED_get(code) : 0;

	ASN1_ENUMERATED_free(code);
	return reason;
}

/* Of that length in the certificates we made; another never is one of them. */
static bool serial_take(const X509_REVOKED *entry, char text[X509_SERIAL_TEXT])
{
	const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);

	if (ASN1_STRING_length(serial) != X509_SERIAL_OCTETS)
		return false;
	base_hex_encode(ASN1_STRING_get0_data(serial), X509_SERIAL_OCTETS, 0, true, text);
	return true;
}

/* ---- the list ---- */

struct changes {
	struct pki_ca *ca;
	X509_CRL *base, *last; /* `last` is the delta before this one, or NULL */
	struct x509_revoked *item;
	size_t count;
};

static void add(struct changes *c, const char *serial, int64_t when_s, int reason)
{
	struct x509_revoked *one = &c->item[c->count++];
	size_t len;

	*one = (struct x509_revoked){ .when_s = when_s, .reason = reason };
	(void)base_hex_decode(base_str_of(serial), one->serial, sizeof(one->serial), &len);
}

/* Does the base say the same? */
static bool base_says(X509_CRL *base, const struct pki_row *row)
{
	ASN1_INTEGER *serial;
	BIGNUM *number = NULL;
	X509_REVOKED *entry = NULL;
	bool same = false;

	if (BN_hex2bn(&number, row->serial)) {
		serial = BN_to_ASN1_INTEGER(number, NULL);
		same = serial && X509_CRL_get0_by_serial(base, &entry, serial) == 1 &&
		       reason_of(entry) == row->reason;
		ASN1_INTEGER_free(serial);
	}
	BN_free(number);
	return same;
}

static bool is_listed(const struct changes *c, const char *serial)
{
	uint8_t octets[X509_SERIAL_OCTETS];
	size_t len;

	if (base_hex_decode(base_str_of(serial), octets, sizeof(octets), &len))
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (!memcmp(c->item[i].serial, octets, sizeof(octets)))
			return true;
	return false;
}

/* RFC 5280, 5.2.4 (b), "the referenced base CRL or any subsequent CRL": what was on hold there,
 * and is not any more. A delta goes on saying so until there is a new base. */
static void removed_add(struct changes *c, X509_CRL *from)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(from);

	for (int i = 0; i < sk_X509_REVOKED_num(all); i++) {
		X509_REVOKED *entry = sk_X509_REVOKED_value(all, i);
		int reason = reason_of(entry);
		const struct pki_row *row;
		char serial[X509_SERIAL_TEXT];

		if ((reason != X509_REASON_HOLD && reason != X509_REASON_REMOVE) ||
		    !serial_take(entry, serial))
			continue;
		row = pki_ca_find(c->ca, serial);
		if (row && !row->revoked && !is_listed(c, serial))
			add(c, serial, (int64_t)time(NULL), X509_REASON_REMOVE);
	}
}

static int changes_find(struct changes *c, struct base_error *err)
{
	/* each row is listed once at most */
	c->item = calloc(c->ca->count + 1, sizeof(*c->item));
	if (!c->item)
		return no_memory(err);
	for (size_t i = 0; i < c->ca->count; i++) {
		const struct pki_row *row = &c->ca->row[i];

		if (row->revoked && !base_says(c->base, row))
			add(c, row->serial, row->revoked_s, row->reason);
	}
	removed_add(c, c->base);
	if (c->last)
		removed_add(c, c->last);
	return 0;
}

int pki_ca_delta(struct pki_ca *ca, int64_t valid_s, struct pki_delta *ret, struct base_error *err)
{
	struct x509_make_crl what = { .issuer = ca->id->cert, .issuer_key = ca->id->key };
	struct changes c = { .ca = ca };
	X509_CRL *crl = NULL;
	int rc = base_take(ca, &c.base, err);

	if (rc)
		return rc;
	what.base = number_of(c.base, NID_crl_number);
	c.last = crl_take(ca, "delta.crl");
	if (c.last && number_of(c.last, NID_crl_number) <= what.base) {
		X509_CRL_free(c.last); /* the base knows all it says */
		c.last = NULL;
	}
	rc = changes_find(&c, err);
	what.revoked = c.item;
	what.count = c.count;
	what.this_s = time(NULL);
	what.next_s = what.this_s + valid_s;
	if (!rc)
		rc = pki_ca_number_next(ca, &what.number, err);
	if (!rc && what.number <= what.base)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "crl-number is behind ca.crl; write %llu into it",
		                    (unsigned long long)what.base);
	if (!rc)
		rc = x509_make_crl(&crl, &what, err);
	if (!rc)
		rc = pki_ca_crl_write(ca, "delta.crl", crl, err);
	if (!rc)
		*ret = (struct pki_delta){ what.number, what.base, what.count };
	X509_CRL_free(crl);
	X509_CRL_free(c.base);
	X509_CRL_free(c.last);
	free(c.item);
	return rc;
}
