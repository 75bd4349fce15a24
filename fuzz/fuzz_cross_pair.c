/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A CertificatePair (RFC 4523, 4.3) as a repository sends it. What is read must come out octet by
 * octet when it is written again, unless libcrypto writes a certificate in another way than it
 * came.
 */
#include <stdlib.h>
#include <string.h>

#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x509_cross_pair pair = { 0 }, again = { 0 };
	struct base_writer w = { 0 };
	struct base_error err = { 0 };

	if (x509_cross_pair_parse(data, size, &pair, &err))
		return 0;
	if (x509_cross_pair_write(&pair, &w) || w.len < 2 || w.data[0] != 0x30)
		abort();
	if (w.len == size && memcmp(w.data, data, size) != 0 &&
	    x509_cross_pair_parse(w.data, w.len, &again, &err))
		abort();
	x509_cross_pair_done(&again);
	x509_cross_pair_done(&pair);
	base_writer_done(&w);
	return 0;
}
