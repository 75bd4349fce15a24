/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to the folder: what rules of certificates can ask, and the answers. */
#ifndef GH_PROFILE_CERTIFICATE_ITEMS_H
#define GH_PROFILE_CERTIFICATE_ITEMS_H

#include "profile/certificate.h"
#include "profile/vocabulary.h"

/** The question does not arise (RSA bits of an EC key): no rule is broken. */
enum profile_answer { PROFILE_NO, PROFILE_YES, PROFILE_NOT_ASKED };

/** A rule's value, read once. */
struct profile_cert_value {
	uint64_t number;   /**< a number, or seconds */
	const char *words; /**< as written */
};

typedef enum profile_answer profile_ask_fn(const struct x509_facts *f,
                                           const struct profile_cert_value *value);

struct profile_cert_item {
	enum profile_subject subject;
	const char *name;
	enum profile_value value;
	unsigned roles; /**< whom it can speak of */
	profile_ask_fn *ask;
};

/** NULL for one that is not there. Pure. */
const struct profile_cert_item *profile_cert_item(enum profile_subject subject, const char *name);

/** What a certificate says on a subject, in words: "RSA 1024". */
void profile_cert_told(enum profile_subject subject, const struct x509_facts *f,
                       struct base_writer *w);

#endif
