/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a build without p11-kit says. */
#include "x509/token.h"

int x509_token_key(EVP_PKEY **ret, const char *uri, const enum x509_key_kind *make,
                   x509_pin_ask *ask, void *arg, struct base_error *err)
{
	(void)ret;
	(void)uri;
	(void)make;
	(void)ask;
	(void)arg;
	return base_error_set(
	        err, BASE_ERR(BASE_CONFIG, 0),
	        "this program was built without PKCS#11 (Meson option `pkcs11`): a key "
	        "in a token cannot be used");
}

const char *x509_token_reason(unsigned long code)
{
	(void)code;
	return NULL;
}
