/* SPDX-License-Identifier: Apache-2.0 */
/** @file The DER reader of this folder, on borrowed octets; only its files include it. */
#ifndef GH_X509_DER_H
#define GH_X509_DER_H

#include "base/base.h"

/* Tags this profile of DER needs (X.690, 8.1.2): one octet each. */
enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT = 0x80,     /* primitive, + number */
	DER_CONSTRUCTED = 0xa0, /* context, constructed, + number */
};

/** One element: borrowed. */
struct der {
	uint8_t tag;
	const uint8_t *whole; /**< with tag and length */
	const uint8_t *body;
	size_t len; /**< of the body */
};

/**
 * Read one element and step past it: definite, shortest lengths (X.690, 10.1), tags of one octet.
 * Any bytes are safe. false: nothing was read, and nothing more can be.
 */
bool der_next(struct base_reader *r, struct der *ret);
/** The same where the next tag is known. */
bool der_take(struct base_reader *r, uint8_t tag, struct der *ret);
/** Is the next tag that one? */
static inline bool der_is(const struct base_reader *r, uint8_t tag)
{
	return base_reader_left(r) && *r->at == tag;
}
static inline struct base_reader der_in(const struct der *d)
{
	return base_reader_of(d->body, d->len);
}
static inline struct base_str der_whole(const struct der *d)
{
	return (struct base_str){ (const char *)d->whole, (size_t)(d->body - d->whole) + d->len };
}
/** UTCTime or GeneralizedTime as RFC 5280, 5.1.2.4 has them. */
bool der_time(const struct der *d, int64_t *ret_s);
/** The shortest form of an INTEGER's content octets. */
struct base_str der_integer_trim(struct base_str content);

/** One Extension (RFC 5280, 4.1). */
struct der_extension {
	struct base_str oid; /**< content octets */
	bool critical;
	struct base_reader value; /**< inside the OCTET STRING */
};
/** Read one Extension and step past it. */
bool der_extension_next(struct base_reader *r, struct der_extension *ret);
/** The last octet of an OID 2.5.29.N of three octets, or -1. */
int der_extension_ce(const struct der_extension *ext);

#endif
