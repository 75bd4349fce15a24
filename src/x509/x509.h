/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificates, keys, CRLs and fingerprints, on OpenSSL's libcrypto. No TLS, no trust decisions.
 * Objects are immutable once made, so any thread may read them; references are atomic.
 */
#ifndef GH_X509_H
#define GH_X509_H

#include "x509/crl_index.h"
#include "x509/about.h"
#include "x509/cross_pair.h"
#include "x509/facts.h"
#include "x509/fingerprint.h"
#include "x509/identity.h"
#include "x509/key.h"
#include "x509/load.h"
#include "x509/make.h"

#endif
