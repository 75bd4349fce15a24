/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Our own reader of hellos and their extensions (src/tls/hello.h), by itself and so at full speed.
 * First octet: bit 0 a ClientHello, else a ServerHello.
 */
#include <assert.h>

#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What is told is a part of what was read. */
static void within(const void *at, size_t len, const uint8_t *data, size_t size)
{
	const uint8_t *p = at;

	assert(!len || (p >= data && p + len <= data + size));
}

static void list_within(const struct base_reader *list, const uint8_t *data, size_t size)
{
	within(list->at, base_reader_left(list), data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_authority authority;
	struct tls_hello_view hello;
	struct base_str name;
	size_t octets = 0;

	if (!size)
		return 0;
	if (!tls_hello_read(&hello, data + 1, size - 1, data[0] & 1))
		return 0;
	list_within(&hello.suites, data, size);
	list_within(&hello.versions, data, size);
	list_within(&hello.groups, data, size);
	list_within(&hello.signatures, data, size);
	list_within(&hello.ticket, data, size);
	list_within(&hello.identities, data, size);
	list_within(&hello.authorities, data, size);
	list_within(&hello.ca_names, data, size);
	within(hello.name.ptr, hello.name.len, data, size);
	assert(hello.fragment <= 4);
	assert(!hello.name.len || !memchr(hello.name.ptr, 0, hello.name.len));
	while (tls_authority_next(&hello.authorities, &authority)) {
		within(authority.value.ptr, authority.value.len, data, size);
		octets += 1 + authority.value.len;
		assert(octets <= size);
	}
	while (tls_ca_name_next(&hello.ca_names, &name)) {
		assert(name.len);
		within(name.ptr, name.len, data, size);
	}
	return 0;
}
