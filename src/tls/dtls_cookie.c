/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Cookies of DTLS without state (RFC 6347, 4.2.1). A cookie is an HMAC over a time slot, the peer,
 * and of its ClientHello what comes before the cookie: version, random and session id. The random
 * stands for the rest, and so the first piece of a ClientHello in pieces is enough. Another slot is
 * another secret: nobody has to make, keep or share one.
 */
#include <openssl/hmac.h>

#include "tls/engine.h"

#define SLOT_MS      60000
#define COOKIE_LEN   32 /**< the most DTLS 1.0 takes (RFC 4347, 4.2.1) */
#define HANDSHAKE    22
#define CLIENT_HELLO 1

/** What the first record of a ClientHello says. */
struct first {
	uint64_t sequence;        /**< epoch and number of the record */
	uint16_t message;         /**< message_seq */
	struct base_str question; /**< what the cookie is for */
	struct base_str cookie;   /**< empty: none */
};

/** A record's header, and of the handshake message what is in it (RFC 6347, 4.1 and 4.2.2). */
static bool first_open(struct first *first, struct base_reader *r, struct base_reader *ret)
{
	uint32_t length, at, here;
	struct base_reader body;
	uint8_t major, minor;

	if (base_reader_u8(r) != HANDSHAKE)
		return false;
	major = base_reader_u8(r);
	minor = base_reader_u8(r);
	first->sequence = base_reader_u64(r);
	body = base_reader_sub(r, base_reader_u16(r));
	if (r->failed || major != 0xfe || minor < 0xfc || first->sequence >> 48)
		return false;
	if (base_reader_u8(&body) != CLIENT_HELLO)
		return false;
	length = base_reader_u24(&body);
	first->message = base_reader_u16(&body);
	at = base_reader_u24(&body);
	here = base_reader_u24(&body);
	*ret = base_reader_sub(&body, here);
	return !body.failed && at == 0 && here <= length;
}

static bool first_read(struct first *first, struct base_str datagram)
{
	struct base_reader r = base_reader_of(datagram.ptr, datagram.len), hello;
	const uint8_t *begin;

	*first = (struct first){ 0 };
	if (!first_open(first, &r, &hello))
		return false;
	begin = hello.at;
	if (base_reader_u8(&hello) != 0xfe)
		return false;
	(void)base_reader_take(&hello, 1 + 32);
	(void)base_reader_take(&hello, base_reader_u8(&hello));
	if (hello.failed)
		return false;
	first->question = (struct base_str){ (const char *)begin, (size_t)(hello.at - begin) };
	first->cookie.len = base_reader_u8(&hello);
	first->cookie.ptr = (const char *)base_reader_take(&hello, first->cookie.len);
	return !hello.failed;
}

static bool cookie_make(const struct tls_domain *domain, uint64_t slot, struct base_str peer,
                        struct base_str question, uint8_t ret[COOKIE_LEN])
{
	uint8_t text[8 + 2 + 64 + 2 + 33 + 32];
	struct base_writer w = base_writer_over(text, sizeof(text));
	unsigned len = COOKIE_LEN;

	base_writer_u32(&w, (uint32_t)(slot >> 32));
	base_writer_u32(&w, (uint32_t)slot);
	base_writer_u16(&w, (uint16_t)peer.len);
	base_writer_str(&w, peer);
	base_writer_str(&w, question);
	return !w.failed && HMAC(EVP_sha256(), domain->cookie_key, sizeof(domain->cookie_key), text,
	                         w.len, ret, &len) != NULL;
}

static bool cookie_good(const struct tls_domain *domain, const struct first *first,
                        struct base_str peer, uint64_t slot)
{
	uint8_t good[COOKIE_LEN];

	for (unsigned age = 0; age < 2 && age <= slot; age++)
		if (cookie_make(domain, slot - age, peer, first->question, good) &&
		    base_secret_equal(good, sizeof(good), first->cookie.ptr, first->cookie.len))
			return true;
	return false;
}

/**
 * HelloVerifyRequest: with the numbers of what it answers, in the version of 1.0 whatever comes
 * later (RFC 6347, 4.2.1).
 */
static void ask(const struct first *first, const uint8_t cookie[COOKIE_LEN],
                struct base_writer *out)
{
	const uint32_t body = 2 + 1 + COOKIE_LEN;

	base_writer_u16(out, (uint16_t)(13 + 12 + body));
	base_writer_u8(out, HANDSHAKE);
	base_writer_u16(out, 0xfeff);
	base_writer_u32(out, (uint32_t)(first->sequence >> 32));
	base_writer_u32(out, (uint32_t)first->sequence);
	base_writer_u16(out, (uint16_t)(12 + body));
	base_writer_u32(out, 3U << 24 | body); /* hello_verify_request */
	base_writer_u16(out, first->message);
	base_writer_u32(out, 0);              /* offset, and of the length in it ... */
	base_writer_u16(out, (uint16_t)body); /* ... the rest */
	base_writer_u16(out, 0xfeff);
	base_writer_u8(out, COOKIE_LEN);
	base_writer_put(out, cookie, COOKIE_LEN);
}

enum tls_hello tls_hello_check(struct tls_domain *domain, struct base_str datagram,
                               struct base_str peer, uint64_t now_ms, struct base_writer *out)
{
	/* OpenSSL takes a session up at its second ClientHello, and no later. */
	bool later = domain->datagram && domain->datagram->ops->engine != TLS_ENGINE_OPENSSL;
	uint8_t cookie[COOKIE_LEN];
	struct first first;

	if (!domain->datagram || peer.len > 64 || !first_read(&first, datagram))
		return TLS_HELLO_DROP;
	if (first.cookie.len && first.message && (later || first.message == 1) &&
	    cookie_good(domain, &first, peer, now_ms / SLOT_MS))
		return TLS_HELLO_VERIFIED;
	if ((first.message && !later) ||
	    !cookie_make(domain, now_ms / SLOT_MS, peer, first.question, cookie))
		return TLS_HELLO_DROP;
	ask(&first, cookie, out);
	return TLS_HELLO_ASK;
}
