/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/request.h"

#include "fetch/url.h"

int fetch_request_parse(struct base_str packet, struct fetch_request *ret)
{
	struct base_str line = packet;

	if (!line.len || line.ptr[line.len - 1] != '\n')
		return BASE_ERR(BASE_PEER, 0);
	line.len--;
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] < ' ' || line.ptr[i] > '~')
			return BASE_ERR(BASE_PEER, 0);
	*ret = (struct fetch_request){ .what = FETCH_ASKED_STATUS };
	if (base_str_eq(line, BASE_STR("status")))
		return 0;
	if (base_str_eq(line, BASE_STR("status json"))) {
		ret->json = true;
		return 0;
	}
	if (base_str_eq(line, BASE_STR("refresh"))) {
		ret->what = FETCH_ASKED_REFRESH;
		return 0;
	}
	if (line.len <= 4 || memcmp(line.ptr, "crl ", 4) != 0 ||
	    memchr(line.ptr + 4, ' ', line.len - 4) || line.len - 4 > FETCH_URL_MAX)
		return BASE_ERR(BASE_PEER, 0);
	ret->what = FETCH_ASKED_CRL;
	ret->url = (struct base_str){ line.ptr + 4, line.len - 4 };
	return 0;
}
