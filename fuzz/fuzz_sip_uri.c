/* SPDX-License-Identifier: Apache-2.0 */
/* URIs: what is taken equals itself and has a key that is the same when read again. */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str text = { (const char *)data, size };
	char aor[SIP_URI_KEY_MAX], again[SIP_URI_KEY_MAX], uri_text[SIP_URI_KEY_MAX + 4] = "sip:";
	struct sip_uri uri, second;
	struct sip_addr addr;
	struct sip_via via;
	size_t len, len_again;

	(void)sip_addr_parse(text, &addr);
	(void)sip_via_parse(text, &via);
	if (sip_uri_parse(text, &uri))
		return 0;
	if (!sip_uri_equal(&uri, &uri))
		abort();
	len = sip_uri_key(&uri, aor, sizeof(aor));
	if (!len || uri.scheme == SIP_SCHEME_TEL)
		return 0;
	memcpy(uri_text + 4, aor, len);
	if (sip_uri_parse((struct base_str){ uri_text, len + 4 }, &second))
		abort();
	len_again = sip_uri_key(&second, again, sizeof(again));
	if (len_again != len || memcmp(aor, again, len) != 0)
		abort();
	return 0;
}
