/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A handshake that waits for a CRL. Invariants:
 * 1. It waits only for what could still let the peer in: a CRL is missing, its address is in a
 *    certificate of a path whose signatures hold, and nothing else is wrong.
 * 2. Each address is asked for once, ADDRESSES at most; then the judgement is final.
 * 3. While it waits nothing that comes of trusting the peer leaves us. GnuTLS stops in its
 *    callback. OpenSSL cannot (a client alone can, and with TLS 1.2 not for a staple): it goes on,
 *    and what it then writes is held back, to be sent or dropped.
 */
#include <stdlib.h>

#include "tls/dtls_session.h"
#include "tls/engine.h"
#include "tls/wait.h"

#define URL_MAX 1000

static struct tls_wait *wait_get(struct tls_session *session)
{
	if (!session->wait) {
		session->wait = calloc(1, sizeof(*session->wait));
		if (session->wait)
			session->wait->arena.chunk_size = 4096;
	}
	return session->wait;
}

/** It goes into a line of text, so nothing that could end one. */
static bool url_fits(const char *url)
{
	size_t len = strlen(url);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] >= 0x7f)
			return false;
	return len && len <= URL_MAX;
}

static bool tried(const struct tls_wait *wait, const char *url)
{
	for (unsigned i = 0; i < wait->count; i++)
		if (!strcmp(wait->url[i], url))
			return true;
	return false;
}

bool tls_wait_may(const struct tls_session *session)
{
	return session->may_wait && !session->established &&
	       !(session->wait && session->wait->over);
}

bool tls_wait_begin(struct tls_session *session, char *const *urls)
{
	struct tls_wait *wait = urls ? wait_get(session) : NULL;

	for (; wait && *urls && wait->count < BASE_COUNT(wait->url); urls++) {
		char *url = url_fits(*urls) && !tried(wait, *urls) ? strdup(*urls) : NULL;

		if (!url)
			continue;
		wait->url[wait->count++] = url;
		wait->pending = true;
		return true;
	}
	return false;
}

bool tls_wait_keep(struct tls_session *session, const struct base_str *chain, size_t count,
                   struct base_str staple)
{
	struct tls_wait *wait = wait_get(session);

	if (!wait || count > BASE_COUNT(wait->chain))
		return false;
	for (size_t i = 0; i < count; i++) {
		wait->chain[i].ptr = base_arena_dup(&wait->arena, chain[i]);
		wait->chain[i].len = chain[i].len;
		if (!wait->chain[i].ptr)
			return false;
	}
	wait->staple = (struct base_str){ NULL, 0 };
	if (staple.len) {
		wait->staple.ptr = base_arena_dup(&wait->arena, staple);
		wait->staple.len = wait->staple.ptr ? staple.len : 0;
	}
	wait->chain_count = count;
	return true;
}

void tls_wait_free(struct tls_session *session)
{
	struct tls_wait *wait = session->wait;

	if (!wait)
		return;
	for (unsigned i = 0; i < wait->count; i++)
		free(wait->url[i]);
	base_writer_done(&wait->held);
	base_arena_done(&wait->arena);
	free(wait);
	session->wait = NULL;
}

const char *tls_session_waits(const struct tls_session *session)
{
	const struct tls_wait *wait = session->wait;

	return wait && wait->pending && !session->rc ? wait->url[wait->count - 1] : NULL;
}

void tls_session_arrived(struct tls_session *session, const char *why, bool last)
{
	struct tls_wait *wait = session->wait;

	if (!wait || !wait->pending)
		return;
	wait->pending = false;
	wait->over |= last;
	if (session->dtls)
		session->dtls->goes_on = true;
	(void)snprintf(wait->why, sizeof(wait->why), "%s", why ? why : "");
}

void tls_wait_explain(struct tls_session *session)
{
	const struct tls_wait *wait = session->wait;
	struct trust_verdict *verdict = session->verdict;
	size_t len = strlen(verdict->text);

	if (wait && wait->count && *wait->why)
		(void)snprintf(verdict->text + len, sizeof(verdict->text) - len,
		               "; not fetched: %s", wait->why);
}
