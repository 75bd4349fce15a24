/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/crl_internal.h"

static int refuse(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "the CRL cannot be used: %s", why);
}

static struct base_str content(const struct der *d)
{
	return (struct base_str){ (const char *)d->body, d->len };
}

/* A number that is not negative, up to 20 octets (RFC 5280, 5.2.3), without leading zeros. */
static const char *number_read(struct base_reader in, struct base_str *ret)
{
	struct der d;

	if (!der_take(&in, DER_INTEGER, &d) || !base_reader_done(&in) || !d.len ||
	    (d.body[0] & 0x80))
		return "its number is malformed (RFC 5280, 5.2.3)";
	*ret = der_integer_trim(content(&d));
	if (ret->len > 1 && !ret->ptr[0])
		*ret = (struct base_str){ ret->ptr + 1, ret->len - 1 };
	return ret->len <= 20 ? NULL : "its number has more than 20 octets (RFC 5280, 5.2.3)";
}

static unsigned reasons_read(const struct der *bits)
{
	unsigned reasons = 0;

	for (unsigned i = 0; i < 16 && 1 + i / 8 < bits->len; i++)
		if (bits->body[1 + i / 8] & (0x80U >> i % 8))
			reasons |= 1U << i;
	return reasons & X509_CRL_ALL_REASONS;
}

/* RFC 5280, 5.2.5; the name of the distribution point stays as it is for the one who compares. */
static const char *scope_read(struct base_reader in, struct crl_parts *parts)
{
	static const unsigned flags[] = { 0, X509_CRL_ONLY_USERS, X509_CRL_ONLY_CAS,
		                          0, X509_CRL_INDIRECT,   X509_CRL_ONLY_ATTRIBUTES };
	static const char bad[] = "its issuingDistributionPoint is malformed (RFC 5280, 5.2.5)";
	unsigned only = 0, last = 0;
	struct der idp, d;

	if (!der_take(&in, DER_SEQUENCE, &idp) || !base_reader_done(&in))
		return bad;
	parts->scope = der_whole(&idp);
	in = der_in(&idp);
	while (base_reader_left(&in)) {
		unsigned number;

		if (!der_next(&in, &d))
			return bad;
		number = d.tag & 0x1fU;
		if (d.tag != (number ? DER_CONTEXT : DER_CONSTRUCTED) + number || number > 5 ||
		    1U << number <= last)
			return bad;
		last = 1U << number;
		if (number == 3 && (d.len < 2 || d.body[0] > 7))
			return bad;
		if (number == 3)
			parts->reasons = reasons_read(&d);
		else if (number && (d.len != 1))
			return bad;
		else if (number && d.body[0])
			parts->flags |= flags[number];
	}
	only = parts->flags & (X509_CRL_ONLY_USERS | X509_CRL_ONLY_CAS | X509_CRL_ONLY_ATTRIBUTES);
	return only & (only - 1) ? "its scope contradicts itself (RFC 5280, 5.2.5)" : NULL;
}

static const char *extension_read(const struct der_extension *ext, struct crl_parts *parts)
{
	struct base_reader in = ext->value;
	struct der d;

	switch (der_extension_ce(ext)) {
	case CE_CRL_NUMBER:
		return number_read(in, &parts->number);
	case CE_DELTA_INDICATOR:
		parts->flags |= X509_CRL_DELTA;
		return number_read(in, &parts->base_number);
	case CE_IDP:
		return scope_read(in, parts);
	case CE_AUTHORITY_KEY:
		if (!der_take(&in, DER_SEQUENCE, &d) || !base_reader_done(&in))
			return "its authorityKeyIdentifier is malformed (RFC 5280, 5.2.1)";
		parts->authority_key = der_whole(&d);
		return NULL;
	case CE_FRESHEST_CRL:
		/* where a delta may be had: for who fetches, who reads it */
		parts->freshest = (struct base_str){ (const char *)in.at, base_reader_left(&in) };
		return NULL;
	default:
		return ext->critical ? "it has a critical extension that is not known here "
		                       "(RFC 5280, 5.2)"
		                     : NULL;
	}
}

static const char *extensions_read(struct base_reader in, struct crl_parts *parts)
{
	static const char bad[] = "its extensions are malformed (RFC 5280, 5.1.2.7)";
	uint64_t seen = 0;
	struct der list;

	if (!der_take(&in, DER_SEQUENCE, &list) || !base_reader_done(&in))
		return bad;
	in = der_in(&list);
	while (base_reader_left(&in)) {
		struct der_extension ext;
		const char *why;
		int ce;

		if (!der_extension_next(&in, &ext))
			return bad;
		ce = der_extension_ce(&ext);
		if (ce >= 0 && ce < 64) {
			if (seen & (1ULL << ce))
				return "it has an extension twice (RFC 5280, 4.2)";
			seen |= 1ULL << ce;
		}
		why = extension_read(&ext, parts);
		if (why)
			return why;
	}
	return NULL;
}

static bool time_read(struct base_reader *in, int64_t *ret)
{
	struct der d;

	return der_next(in, &d) && der_time(&d, ret);
}

/* RFC 5280, 5.1.2 */
static const char *tbs_read(struct base_reader in, struct crl_parts *parts)
{
	static const char bad[] = "it is malformed (RFC 5280, 5.1)";
	bool v2 = der_is(&in, DER_INTEGER);
	struct der d, alg, issuer;

	if (v2 && (!der_next(&in, &d) || d.len != 1 || d.body[0] != 1))
		return "its version is not 2 (RFC 5280, 5.1.2.1)";
	if (!der_take(&in, DER_SEQUENCE, &alg) || !der_take(&in, DER_SEQUENCE, &issuer) ||
	    !issuer.len)
		return bad;
	if (!base_str_eq(der_whole(&alg), parts->signature_alg))
		return "it names two signature algorithms (RFC 5280, 5.1.1.2)";
	parts->issuer = der_whole(&issuer);
	if (!time_read(&in, &parts->this_update_s))
		return bad;
	if (der_is(&in, DER_UTC_TIME) || der_is(&in, DER_GENERALIZED_TIME)) {
		if (!time_read(&in, &parts->next_update_s))
			return bad;
		if (!parts->next_update_s)
			parts->next_update_s = -1; /* 0 is "none", and this one is long past */
	}
	if (der_is(&in, DER_SEQUENCE)) {
		if (!der_next(&in, &d))
			return bad;
		parts->entries = der_in(&d);
	}
	if (v2 && der_is(&in, DER_CONSTRUCTED)) {
		const char *why = der_next(&in, &d) ? extensions_read(der_in(&d), parts) : bad;

		if (why)
			return why;
	}
	return base_reader_done(&in) ? NULL : bad;
}

int crl_parse(const void *der, size_t len, struct crl_parts *ret, struct base_error *err)
{
	struct crl_parts parts = { .reasons = X509_CRL_ALL_REASONS };
	struct base_reader in = base_reader_of(der, len);
	struct der crl, tbs, alg, sig;
	const char *why;

	if (!der_take(&in, DER_SEQUENCE, &crl) || !base_reader_done(&in))
		return refuse(err, "it is not one DER object (RFC 5280, 5.1)");
	in = der_in(&crl);
	if (!der_take(&in, DER_SEQUENCE, &tbs) || !der_take(&in, DER_SEQUENCE, &alg) ||
	    !der_take(&in, DER_BIT_STRING, &sig) || !base_reader_done(&in) || sig.len < 2 ||
	    sig.body[0])
		return refuse(err, "it is malformed (RFC 5280, 5.1.1)");
	parts.tbs = der_whole(&tbs);
	parts.signature_alg = der_whole(&alg);
	parts.signature = (struct base_str){ (const char *)sig.body + 1, sig.len - 1 };
	why = tbs_read(der_in(&tbs), &parts);
	if (why)
		return refuse(err, why);
	*ret = parts;
	return 0;
}

/* GeneralNames of which one is a directoryName (RFC 5280, 5.3.3). */
static bool issuer_read(struct base_reader in, struct base_str *ret)
{
	struct der names, one, name;

	if (!der_take(&in, DER_SEQUENCE, &names) || !base_reader_done(&in))
		return false;
	in = der_in(&names);
	while (base_reader_left(&in)) {
		if (!der_next(&in, &one))
			return false;
		if (one.tag == DER_CONSTRUCTED + 4) {
			in = der_in(&one);
			if (!der_take(&in, DER_SEQUENCE, &name) || !base_reader_done(&in) ||
			    !name.len)
				return false;
			*ret = der_whole(&name);
			return true;
		}
	}
	return false;
}

/* RFC 5280, 5.3 */
static const char *entry_extension_read(const struct der_extension *ext, bool indirect,
                                        struct crl_revoked *ret)
{
	struct base_reader in = ext->value;
	struct der d;

	switch (der_extension_ce(ext)) {
	case CE_REASON_CODE:
		if (!der_take(&in, DER_ENUMERATED, &d) || !base_reader_done(&in) || d.len != 1 ||
		    d.body[0] > 10)
			return "a reasonCode is malformed (RFC 5280, 5.3.1)";
		ret->reason = d.body[0];
		return NULL;
	case CE_INVALIDITY_DATE:
		return NULL; /* what happened before does not matter to us */
	case CE_CERTIFICATE_ISSUER:
		if (!indirect)
			return "an entry has a certificateIssuer, and the CRL is not indirect "
			       "(RFC 5280, 5.3.3)";
		return issuer_read(in, &ret->issuer)
		               ? NULL
		               : "a certificateIssuer is malformed (RFC 5280, 5.3.3)";
	default:
		return ext->critical ? "an entry has a critical extension that is not known here "
		                       "(RFC 5280, 5.3)"
		                     : NULL;
	}
}

const char *crl_revoked_next(struct base_reader *r, bool indirect, struct crl_revoked *ret)
{
	static const char bad[] = "an entry is malformed (RFC 5280, 5.1.2.6)";
	struct der entry, serial, date, list;
	struct base_reader in;

	*ret = (struct crl_revoked){ 0 };
	if (!der_take(r, DER_SEQUENCE, &entry))
		return bad;
	in = der_in(&entry);
	if (!der_take(&in, DER_INTEGER, &serial) || !serial.len || !der_next(&in, &date) ||
	    !der_time(&date, &ret->date_s))
		return bad;
	ret->serial = der_integer_trim(content(&serial));
	if (ret->serial.len > CRLX_SERIAL_MAX)
		return "a serial number is longer than 64 octets (RFC 5280, 4.1.2.2)";
	if (!base_reader_left(&in))
		return NULL;
	if (!der_take(&in, DER_SEQUENCE, &list) || !base_reader_done(&in))
		return bad;
	in = der_in(&list);
	while (base_reader_left(&in)) {
		struct der_extension ext;
		const char *why;

		if (!der_extension_next(&in, &ext))
			return bad;
		why = entry_extension_read(&ext, indirect, ret);
		if (why)
			return why;
	}
	return NULL;
}
