/* SPDX-License-Identifier: Apache-2.0 */
/** @file Certificates and CRLs that are good but for one thing, made while the test runs. */
#ifndef GH_TESTS_PROFILE_CERTIFICATE_STAGE_H
#define GH_TESTS_PROFILE_CERTIFICATE_STAGE_H

#include "profile/profile.h"

/** What an extension cannot say. */
enum tweak {
	PLAIN,
	SERIAL_ZERO,
	SERIAL_NEGATIVE,
	SERIAL_21,
	ALGORITHMS,
	NO_ISSUER,
	NO_SUBJECT,
	BACKWARDS,
	FOUR_YEARS,
	VERSION_1,
	SIGN_SHA1,
	SIGN_SHA512,
	SIGN_RSA,
	SIGN_RSA_MD2,
	SIGN_RSA_MD4,
	SIGN_RSA_MD5,
	SIGN_ED25519,
	KEY_ED25519,
	KEY_RSA,
	KEY_RSA_1024,
	KEY_RSA_E3,
	KEY_P521,
	KEY_EXPLICIT,
	SUBJECT_OU,
	ISSUER_OU,
	SUBJECT_NO_CN,
	SUBJECT_NO_HOST,
	NO_NEXT_UPDATE,
	NUMBER_LONG,
	TWEAKS
};

/**
 * Facts of a certificate for a role: a good one, but for the tweak, without the extensions whose
 * words begin like `drop`, with those of `add` ("keyUsage=critical,keyCertSign|..."); NULL = none.
 */
void stage_cert(unsigned role, enum tweak tweak, const char *drop, const char *add,
                struct x509_facts *ret);
/** The same of a CRL; its number is called "number". */
void stage_crl(enum tweak tweak, const char *drop, const char *add, struct x509_facts *ret);

int stage_setup(void **state);
int stage_teardown(void **state);

#endif
