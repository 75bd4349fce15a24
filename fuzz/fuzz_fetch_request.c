/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What others write that gatehouse-fetch reads: a request, a URL, the file of sources, a header.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fetch/request.h"
#include "fetch/state.h"
#include "fetch/url.h"
#include "fetch/validators.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood is written, and reads as the same again. */
static void url_look(struct base_str text)
{
	struct fetch_url url, again;
	char back[400];

	if (fetch_url_parse(text, &url, NULL))
		return;
	if (!url.host[0] || !url.port || strpbrk(url.host, "/@\\#?[] "))
		abort();
	(void)snprintf(back, sizeof(back), url.v6 ? "%s://[%s]:%u/" : "%s://%s:%u/",
	               fetch_scheme_name(url.scheme), url.host, url.port);
	if (fetch_url_parse(base_str_of(back), &again, NULL) || again.scheme != url.scheme ||
	    again.port != url.port || again.v6 != url.v6 || strcmp(again.host, url.host) != 0)
		abort();
}

static void sources_look(struct base_str text)
{
	struct fetch_state_line line, again;
	struct base_writer w = { 0 };
	size_t at = 0, back = 0;

	while (fetch_state_next(text, &at, &line)) {
		base_writer_reset(&w);
		fetch_state_line_put(&w, &line);
		back = 0;
		if (!fetch_state_next(base_writer_view(&w), &back, &again) ||
		    !base_str_eq(again.url, line.url) || !base_str_eq(again.file, line.file) ||
		    again.learnt != line.learnt)
			abort();
	}
	base_writer_done(&w);
}

static bool is_visible(const char *text, bool space)
{
	for (; *text; text++)
		if (*text < (space ? ' ' : '!') || *text > '~')
			return false;
	return true;
}

/* Line by line, as it comes; what is given back cannot make another line. */
static void header_look(struct base_str text)
{
	struct fetch_validators v = { .seen = 0 };

	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;

		fetch_validators_line(&v, (struct base_str){ text.ptr, len });
		if (!is_visible(v.etag, false) || !is_visible(v.modified, true))
			abort();
		text.ptr += len;
		text.len -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct base_str text = { (const char *)data + 1, size ? size - 1 : 0 };
	struct fetch_request request;

	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0:
		if (!fetch_request_parse(text, &request) && request.what == FETCH_ASKED_CRL)
			url_look(request.url);
		break;
	case 1:
		url_look(text);
		break;
	case 2:
		sources_look(text);
		break;
	default:
		header_look(text);
	}
	return 0;
}
