/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A response on its way into the cache folder, up to the signature: nobody is an issuer here, so
 * whatever comes is refused, and says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fetch/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fetch_store *store;
static char folder[] = "/tmp/gatehouse-fuzz-XXXXXX";

static void leave(void)
{
	fetch_store_close(store);
	(void)rmdir(folder); /* nothing was ever written there */
}

static void begin(void)
{
	const struct fetch_issuer_files files = { .cache = folder };

	if (!mkdtemp(folder) || fetch_store_open(&store, &files, NULL) || atexit(leave))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fetch_crl_order order = { .data = data, .len = size, .now_s = 1800000000 };
	struct base_error err = { 0 };
	struct fetch_stored stored;
	int rc;

	if (!store)
		begin();
	rc = fetch_store_crl(store, &order, &stored, &err);
	if (base_err_class(rc) != BASE_PEER || !err.text[0])
		abort();
	return 0;
}
