/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/hello.h"

#define SHA1_LEN 20

bool tls_numbers_have(struct base_reader list, uint16_t number)
{
	while (base_reader_left(&list) >= 2)
		if (base_reader_u16(&list) == number)
			return true;
	return false;
}

/** A vector with two octets of length; empty unless it is all there is. */
static struct base_reader whole(struct base_reader *body)
{
	struct base_reader list = base_reader_sub(body, base_reader_u16(body));

	return base_reader_done(body) ? list : (struct base_reader){ 0 };
}

/** RFC 6066, 3: ServerNameList; of the only kind there is, no more than one. */
static struct base_str name_read(struct base_reader body)
{
	struct base_reader list = whole(&body);

	while (base_reader_left(&list) && !list.failed) {
		uint8_t kind = base_reader_u8(&list);
		uint16_t len = base_reader_u16(&list);
		const uint8_t *at = base_reader_take(&list, len);

		if (at && kind == 0 && len && !memchr(at, '\0', len))
			return (struct base_str){ (const char *)at, len };
	}
	return (struct base_str){ NULL, 0 };
}

static void lists_read(struct tls_hello_view *hello, uint16_t type, struct base_reader body,
                       bool client)
{
	if (type == 10) /* RFC 8422, 5.1.1 */
		hello->groups = whole(&body);
	else if (type == 13)
		hello->signatures = whole(&body);
	else if (type == 3 && client)
		hello->authorities = whole(&body);
	else if (type == 47 && client)
		hello->ca_names = whole(&body);
	else if (type == 43 && client) /* RFC 8446, 4.2.1 */
		hello->versions = base_reader_sub(&body, base_reader_u8(&body));
	else if (type == 43)
		hello->versions = body;
}

void tls_hello_extension(struct tls_hello_view *hello, uint16_t type, struct base_reader body,
                         bool client)
{
	static const struct {
		uint16_t type;
		unsigned bit;
	} row[] = {
		{ 0, TLS_HELLO_NAME },         { 1, TLS_HELLO_FRAGMENT },
		{ 2, TLS_HELLO_URL },          { 3, TLS_HELLO_AUTHORITIES },
		{ 4, TLS_HELLO_TRUNCATED },    { 5, TLS_HELLO_STATUS },
		{ 10, TLS_HELLO_GROUPS },      { 13, TLS_HELLO_SIGNATURES },
		{ 22, TLS_HELLO_ETM },         { 23, TLS_HELLO_MASTER_SECRET },
		{ 28, TLS_HELLO_RECORD_SIZE }, { 41, TLS_HELLO_PSK },
		{ 43, TLS_HELLO_VERSIONS },    { 47, TLS_HELLO_CA_NAMES },
		{ 51, TLS_HELLO_KEY_SHARE },   { 0xff01, TLS_HELLO_RENEGOTIATION },
	};

	for (size_t i = 0; i < BASE_COUNT(row); i++)
		if (row[i].type == type)
			hello->present |= row[i].bit;
	lists_read(hello, type, body, client);
	if (type == 0 && client)
		hello->name = name_read(body);
	if (type == 1 && base_reader_left(&body) == 1)
		hello->fragment = base_reader_u8(&body);
	if (hello->fragment > 4)
		hello->fragment = 0;
	if (type == 35) {
		hello->present |= base_reader_left(&body) ? TLS_HELLO_TICKET : 0;
		hello->ticket = body;
	}
	if (type == 41 && client)
		hello->identities = base_reader_sub(&body, base_reader_u16(&body));
	if (type == 28 && base_reader_left(&body) == 2)
		hello->record_size = base_reader_u16(&body);
}

static void extensions_read(struct tls_hello_view *hello, struct base_reader *r, bool client)
{
	struct base_reader all = base_reader_sub(r, base_reader_u16(r));

	while (base_reader_left(&all) && !all.failed) {
		uint16_t type = base_reader_u16(&all);
		struct base_reader body = base_reader_sub(&all, base_reader_u16(&all));

		if (!all.failed)
			tls_hello_extension(hello, type, body, client);
	}
	r->failed |= all.failed;
}

bool tls_hello_read(struct tls_hello_view *ret, const void *body, size_t len, bool client)
{
	struct base_reader r = base_reader_of(body, len), methods;

	*ret = (struct tls_hello_view){ 0 };
	ret->version = base_reader_u16(&r);
	(void)base_reader_take(&r, 32);
	(void)base_reader_take(&r, base_reader_u8(&r));
	if (client && ret->version >> 8 == 0xfe)
		(void)base_reader_take(&r, base_reader_u8(&r)); /* cookie (RFC 6347, 4.2.1) */
	if (client) {
		ret->suites = base_reader_sub(&r, base_reader_u16(&r));
		methods = base_reader_sub(&r, base_reader_u8(&r));
		while (base_reader_left(&methods))
			ret->compression |= base_reader_u8(&methods) != 0;
	} else {
		ret->suite = base_reader_u16(&r);
		ret->compression = base_reader_u8(&r) != 0;
	}
	if (base_reader_left(&r))
		extensions_read(ret, &r, client);
	return !r.failed;
}

bool tls_authority_next(struct base_reader *list, struct tls_authority *ret)
{
	uint8_t kind = base_reader_left(list) ? base_reader_u8(list) : UINT8_MAX;
	size_t len = 0;
	const uint8_t *at;

	if (kind > TLS_AUTHORITY_CERT_HASH)
		return false;
	if (kind == TLS_AUTHORITY_NAME)
		len = base_reader_u16(list);
	else if (kind != TLS_AUTHORITY_AGREED)
		len = SHA1_LEN;
	at = base_reader_take(list, len);
	if (list->failed)
		return false;
	*ret = (struct tls_authority){ (enum tls_authority_kind)kind, { (const char *)at, len } };
	return true;
}

bool tls_ca_name_next(struct base_reader *list, struct base_str *ret)
{
	uint16_t len = base_reader_left(list) ? base_reader_u16(list) : 0;
	const uint8_t *at = base_reader_take(list, len);

	*ret = (struct base_str){ (const char *)at, len };
	return len && !list->failed;
}
