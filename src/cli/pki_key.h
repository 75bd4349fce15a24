/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where the key of an authority or entity comes from: made here, for a file; or in a token, there
 * already or made there (docs/pki.md, "Keys in a token").
 */
#ifndef GH_CLI_PKI_KEY_H
#define GH_CLI_PKI_KEY_H

#include "cli/pki.h"
#include "x509/x509.h"

/** What the words of the command line ask for. */
struct pki_key_choice {
	enum x509_key_kind kind; /**< of a key that is made */
	const char *uri;         /**< borrowed; NULL = the key is for a file */
	bool generate;           /**< make it in the token */
};

/** The option texts that belong to it. */
#define PKI_KEY_HELP                                                                               \
	"  --key KIND|URI   ec-p256 (default), ec-p384, rsa-2048, rsa-3072; or the PKCS#11 URI "   \
	"of a\n"                                                                                   \
	"                   key in a token (RFC 7512), with ?pin-source=file:/... or it asks\n"    \
	"  --generate KIND  make the key of that URI in the token first\n"

/** `--key` and `--generate`; complain and return false for what cannot be. */
bool pki_key_take(struct pki_key_choice *choice, const char *word);
bool pki_key_take_generate(struct pki_key_choice *choice, const char *word);
/** Do the two fit each other? Complains when not. */
bool pki_key_fits(const struct pki_key_choice *choice);

/** The key. One that is in a token is found, or made there. @return as x509_key_load() */
int pki_key_get(const struct pki_key_choice *choice, EVP_PKEY **ret, struct base_error *err);

/** Asks on the terminal, without echo; an x509_pin_ask. */
int pki_pin_ask(void *arg, const char *token, struct base_secret *ret);

/** `template` with `{ca}` replaced; owned by the caller, NULL when memory is short. */
char *pki_template(const char *template, const char *folder);

/**
 * Certificate and key of the authority in the folder `dir`: `ca.pem` with `ca.key`, or with the key
 * in a token that `ca.uri` names.
 */
int pki_ca_identity(const char *dir, struct x509_identity **ret, struct base_error *err);

#endif
