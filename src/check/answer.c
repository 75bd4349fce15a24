/* SPDX-License-Identifier: Apache-2.0 */
#include "check/answer.h"

#include <errno.h>
#include <stdlib.h>

enum { HEAD_TLS = 5, HEAD_DTLS = 13, HEAD_MESSAGE = 4, HEAD_FRAGMENT = 12, HELD = 64 };

/** SHA-256 of "HelloRetryRequest" (RFC 8446, 4.1.3). */
static const uint8_t retry_random[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
	                                  0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	                                  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
	                                  0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

static struct check_bytes rest(struct base_reader *r)
{
	size_t len = base_reader_left(r);

	return (struct check_bytes){ base_reader_take(r, len), len };
}

static struct check_bytes vector(struct base_reader *r, unsigned octets)
{
	size_t len = octets == 1   ? base_reader_u8(r)
	             : octets == 2 ? base_reader_u16(r)
	                           : base_reader_u24(r);
	const uint8_t *data = base_reader_take(r, len);

	return (struct check_bytes){ data, data ? len : 0 };
}

/* -- messages ---------------------------------------------------------------------------------- */

static void extensions_read(struct check_answer *a, struct base_reader *r)
{
	struct base_reader list;

	if (!base_reader_left(r))
		return;
	list = base_reader_sub(r, base_reader_u16(r));
	while (base_reader_left(&list) && !list.failed) {
		struct check_extension one = { .type = base_reader_u16(&list) };

		one.data = vector(&list, 2);
		if (!list.failed && a->extension_count < CHECK_EXTENSIONS_MAX)
			a->extension[a->extension_count++] = one;
	}
	r->failed |= list.failed;
}

static bool hello_read(struct check_answer *a, struct base_reader r)
{
	const struct check_extension *versions;

	a->extension_count = 0;
	a->version = base_reader_u16(&r);
	a->random = base_reader_take(&r, 32);
	a->session_id = vector(&r, 1);
	a->suite = base_reader_u16(&r);
	a->compression = base_reader_u8(&r);
	extensions_read(a, &r);
	if (!base_reader_done(&r))
		return false;
	a->retry = !memcmp(a->random, retry_random, sizeof(retry_random));
	a->hello = true;
	versions = check_answer_extension(a, 43);
	if (versions && versions->data.len == 2)
		a->version = (uint16_t)(versions->data.data[0] << 8 | versions->data.data[1]);
	return true;
}

static bool verify_read(struct check_answer *a, struct base_reader r)
{
	(void)base_reader_u16(&r); /* RFC 6347, 4.2.1: says nothing of the version to come */
	a->cookie = vector(&r, 1);
	return base_reader_done(&r);
}

static bool ticket_read(struct check_answer *a, struct base_reader r)
{
	a->ticket_lifetime_s = base_reader_u32(&r);
	a->ticket_data = vector(&r, 2);
	a->ticket = base_reader_done(&r);
	return a->ticket;
}

static bool certificates_read(struct check_answer *a, struct base_reader r)
{
	a->certificates = vector(&r, 3);
	return base_reader_done(&r);
}

/** One message; false where it cannot be read. */
static bool message_read(struct check_answer *a, uint8_t type, struct base_reader body)
{
	switch (type) {
	case CHECK_SERVER_HELLO:
		return hello_read(a, body);
	case CHECK_HELLO_VERIFY:
		return verify_read(a, body);
	case CHECK_NEW_TICKET:
		return ticket_read(a, body);
	case CHECK_CERTIFICATE:
		return certificates_read(a, body);
	case CHECK_KEY_EXCHANGE:
		a->key_exchange = rest(&body);
		return true;
	case CHECK_CERTIFICATE_REQUEST:
		return a->certificate_request = true;
	case CHECK_CERTIFICATE_STATUS:
		return a->status = true;
	case CHECK_HELLO_DONE:
		return a->done = true;
	default:
		return true;
	}
}

/** All that is whole in `text`; false where a message cannot be read. */
static bool messages_read(struct check_answer *a)
{
	struct base_reader r = base_reader_of(a->text.data, a->text.len);

	while (base_reader_left(&r) >= HEAD_MESSAGE) {
		uint8_t type = base_reader_u8(&r);
		uint32_t len = base_reader_u24(&r);

		if (base_reader_left(&r) < len) /* the rest is to come */
			break;
		if (!message_read(a, type, base_reader_sub(&r, len)))
			return false;
		if (type == CHECK_SERVER_HELLO)
			a->text_hello = (size_t)(r.at - a->text.data);
	}
	return true;
}

/* -- records ----------------------------------------------------------------------------------- */

static void alert_take(struct check_answer *a, struct base_reader body)
{
	if (base_reader_left(&body) != 2 || a->alert >= 0)
		return;
	a->alert_level = base_reader_u8(&body);
	a->alert = base_reader_u8(&body);
}

/** SSL 2.0's SERVER-HELLO: a head of two octets, then type 4 (RFC 5246, E.2 shows the client's). */
static bool ssl2_read(struct check_answer *a, const uint8_t *data, size_t len)
{
	if (len < 7 || !(data[0] & 0x80) || data[2] != 4)
		return false;
	a->version = (uint16_t)(data[5] << 8 | data[6]);
	a->hello = a->whole = true;
	return true;
}

/**
 * One record of TLS. @return false when nothing more can be read: the rest is to come, is
 * protected, or is no TLS (`outcome` tells)
 */
static bool record_read(struct check_answer *a, struct base_reader *r)
{
	struct base_reader at = *r;
	uint8_t type = base_reader_u8(&at);
	uint16_t version = base_reader_u16(&at);
	struct base_reader body = base_reader_sub(&at, base_reader_u16(&at));

	if (base_reader_left(r) >= HEAD_TLS && (type < 20 || type > 23 || version >> 8 != 3)) {
		a->outcome = CHECK_GARBLED;
		return false;
	}
	if (at.failed || type == CHECK_RECORD_DATA)
		return false;
	a->record_version = version;
	if (type == CHECK_RECORD_CCS) {
		a->changed = true;
		*r = at;
		return false;
	}
	if (type == CHECK_RECORD_ALERT)
		alert_take(a, body);
	else
		base_writer_put(&a->text, body.at, base_reader_left(&body));
	*r = at;
	return true;
}

static void records_read(struct check_answer *a, const uint8_t *data, size_t len)
{
	struct base_reader r = base_reader_of(data, len);

	if (ssl2_read(a, data, len))
		return;
	while (base_reader_left(&r) && record_read(a, &r))
		;
	a->consumed = (size_t)(r.at - data);
}

/* -- datagrams --------------------------------------------------------------------------------- */

struct fragment {
	uint8_t type;
	uint16_t number;
	uint32_t total, from;
	struct check_bytes data;
};

struct fragments {
	struct fragment held[HELD];
	size_t count;
};

static void fragments_take(struct fragments *f, struct base_reader body)
{
	while (base_reader_left(&body) >= HEAD_FRAGMENT) {
		struct fragment one = { .type = base_reader_u8(&body) };
		size_t len;

		one.total = base_reader_u24(&body);
		one.number = base_reader_u16(&body);
		one.from = base_reader_u24(&body);
		len = base_reader_u24(&body);
		one.data = (struct check_bytes){ base_reader_take(&body, len), len };
		if (body.failed || one.from + len > one.total)
			return;
		if (f->count < HELD)
			f->held[f->count++] = one;
	}
}

/** The fragment of a message that brings its octet `at`, or NULL. */
static const struct fragment *fragment_find(const struct fragments *f, uint16_t number, uint32_t at)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct fragment *one = &f->held[i];

		if (one->number == number && one->from <= at &&
		    (at < one->from + one->data.len || (!one->total && !at)))
			return one;
	}
	return NULL;
}

/** Append a message with the head that TLS has; false when not all of it has come. */
static bool message_join(const struct fragments *f, uint16_t number, struct base_writer *text)
{
	const struct fragment *one = fragment_find(f, number, 0);
	size_t before = text->len;
	uint32_t at = 0, total = one ? one->total : 0;

	if (!one || total > CHECK_ANSWER_MAX)
		return false;
	base_writer_u32(text, (uint32_t)one->type << 24 | total);
	while (at < total) {
		one = fragment_find(f, number, at);
		if (!one || one->total != total) {
			text->len = before;
			return false;
		}
		base_writer_put(text, one->data.data + (at - one->from),
		                one->data.len - (at - one->from));
		at = one->from + (uint32_t)one->data.len;
	}
	return true;
}

static void datagrams_read(struct check_answer *a, const uint8_t *data, size_t len)
{
	struct base_reader r = base_reader_of(data, len);
	struct fragments all = { .count = 0 };
	bool sane = true;

	while (base_reader_left(&r) >= HEAD_DTLS && sane) {
		uint8_t type = base_reader_u8(&r);
		uint16_t version = base_reader_u16(&r), epoch = base_reader_u16(&r);
		struct base_reader body;

		(void)base_reader_take(&r, 6);
		body = base_reader_sub(&r, base_reader_u16(&r));
		sane = !r.failed && type >= 20 && type <= 63 && version >> 8 == 0xfe;
		if (!sane || epoch)
			continue;
		a->record_version = version;
		if (type == CHECK_RECORD_ALERT)
			alert_take(a, body);
		else if (type == CHECK_RECORD_HANDSHAKE)
			fragments_take(&all, body);
	}
	if (!sane)
		a->outcome = CHECK_GARBLED;
	/* a server that keeps no state until the cookie begins with 0, others with 1 */
	for (unsigned number = 0; number < HELD; number++)
		if (!message_join(&all, (uint16_t)number, &a->text) && number)
			break;
}

/* -- the whole --------------------------------------------------------------------------------- */

static void forget(struct check_answer *a)
{
	struct base_writer text = a->text;
	bool ended = a->ended, is_dtls = a->is_dtls;

	base_writer_reset(&text);
	*a = (struct check_answer){
		.text = text, .ended = ended, .is_dtls = is_dtls, .alert = -1, .alert_level = -1
	};
}

static bool tls13(const struct check_answer *a)
{
	return a->version == 0x0304 || a->version == 0xfefc;
}

static void conclude(struct check_answer *a)
{
	bool fatal = a->alert >= 0 && a->alert_level == 2;

	/* warnings go before a hello (unrecognized_name); a close_notify is an end */
	fatal |= a->alert == 0;
	if (a->hello)
		a->outcome = CHECK_ANSWERED;
	else if (a->outcome != CHECK_GARBLED && (fatal || a->ended))
		a->outcome = CHECK_REFUSED;
	a->whole |= a->done || fatal || a->ended || a->outcome == CHECK_GARBLED ||
	            (a->hello && (tls13(a) || a->changed)) || (a->is_dtls && a->cookie.len);
}

int check_answer_read(struct check_answer *a, const uint8_t *data, size_t len)
{
	forget(a);
	len = BASE_MIN(len, (size_t)CHECK_ANSWER_MAX);
	if (a->is_dtls)
		datagrams_read(a, data, len);
	else
		records_read(a, data, len);
	if (!messages_read(a))
		a->outcome = CHECK_GARBLED;
	conclude(a);
	if (len == CHECK_ANSWER_MAX)
		a->whole = true;
	return a->text.failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}

void check_answer_done(struct check_answer *a)
{
	base_writer_done(&a->text);
	*a = (struct check_answer){ .alert = -1, .alert_level = -1 };
}

const struct check_extension *check_answer_extension(const struct check_answer *a, uint16_t type)
{
	for (size_t i = 0; i < a->extension_count; i++)
		if (a->extension[i].type == type)
			return &a->extension[i];
	return NULL;
}

struct check_bytes check_answer_certificate(const struct check_answer *a)
{
	struct base_reader r = base_reader_of(a->certificates.data, a->certificates.len);

	return vector(&r, 3);
}

unsigned check_answer_version(const struct check_answer *a)
{
	for (unsigned v = PROFILE_SSL_2_0; a->hello && v <= PROFILE_DTLS_1_3; v <<= 1)
		if (profile_version_wire(v) == a->version)
			return v;
	return 0;
}

/* -- ServerKeyExchange ------------------------------------------------------------------------- */

/** Which parts it has, by the suite's name: the registry has no column for it. */
static bool named(const struct profile_suite *suite, const char *part)
{
	return strstr(suite->name, part) != NULL;
}

static unsigned bits_of(struct check_bytes n)
{
	unsigned bits;

	while (n.len && !*n.data) {
		n.data++;
		n.len--;
	}
	bits = (unsigned)n.len * 8;
	for (uint8_t top = n.len ? *n.data : 0x80; !(top & 0x80); top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

bool check_key_exchange_read(const struct check_answer *a, struct check_key_exchange *ret)
{
	const struct profile_suite *suite = profile_suite_find(a->suite);
	struct base_reader r = base_reader_of(a->key_exchange.data, a->key_exchange.len);

	*ret = (struct check_key_exchange){ .group = 0 };
	if (!a->key_exchange.data || !suite)
		return false;
	if (suite->flags & PROFILE_SUITE_PSK) {
		(void)vector(&r, 2);
		ret->hint = !r.failed;
	}
	if (named(suite, "_ECDH")) {
		if (base_reader_u8(&r) != 3) /* named_curve */
			return false;
		ret->group = base_reader_u16(&r);
		ret->point = vector(&r, 1);
	} else if (named(suite, "_DH")) {
		ret->dh_p = vector(&r, 2);
		ret->dh_g = vector(&r, 2);
		ret->point = vector(&r, 2);
		ret->dh_bits = r.failed ? 0 : bits_of(ret->dh_p);
	}
	if ((a->version == 0x0303 || a->version == 0xfefd) && base_reader_left(&r))
		ret->signature = base_reader_u16(&r);
	return !r.failed;
}
