/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which pre-shared key (RFC 4279): the stream's own before the domain's, by identity or by hint.
 */
#include <stdlib.h>

#include "tls/engine.h"
#include "tls/hand.h"
#include "tls/psk.h"

/** The two lists in order of precedence. */
struct psk_lists {
	const struct tls_psk *psk[2];
	size_t count[2];
};

static struct psk_lists psk_lists(const struct tls_session *session)
{
	const struct tls_domain *domain = session->context->domain;
	struct psk_lists lists = { { NULL, domain->psks }, { 0, domain->psk_count } };

	if (session->hand) {
		lists.psk[0] = session->hand->psks;
		lists.count[0] = session->hand->psk_count;
	}
	return lists;
}

bool tls_session_has_psk(const struct tls_session *session)
{
	struct psk_lists lists = psk_lists(session);

	return lists.count[0] + lists.count[1] > 0;
}

const struct tls_psk *tls_psk_find(const struct tls_session *session, const void *identity,
                                   size_t len)
{
	struct psk_lists lists = psk_lists(session);
	const struct tls_psk *found = NULL;

	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < lists.count[list]; i++) {
			const struct tls_psk *psk = &lists.psk[list][i];
			bool same = base_secret_equal(psk->identity.ptr, psk->identity.len,
			                              identity, len);

			found = same && !found ? psk : found;
		}
	return found;
}

bool tls_psk_any_known(const struct tls_session *session, struct base_reader identities)
{
	bool known = false;

	while (base_reader_left(&identities) && !identities.failed) {
		struct base_reader one = base_reader_sub(&identities, base_reader_u16(&identities));
		size_t len = base_reader_left(&one);

		(void)base_reader_u32(&identities); /* obfuscated_ticket_age */
		known |= !identities.failed && tls_psk_find(session, one.at, len);
	}
	return known;
}

const struct tls_psk *tls_psk_choose(const struct tls_session *session, const char *hint,
                                     size_t len)
{
	struct psk_lists lists = psk_lists(session);

	if (hint && len) {
		const struct tls_psk *psk = tls_psk_find(session, hint, len);

		if (psk)
			return psk;
	}
	if (lists.count[0])
		return lists.psk[0]; /* its first */
	return lists.count[1] ? lists.psk[1] : NULL;
}

const char *tls_session_psk_hint(const struct tls_session *session)
{
	if (session->hand && session->hand->psk_hint)
		return session->hand->psk_hint;
	return session->context->domain->psk_hint;
}

const char *tls_session_server_name(const struct tls_session *session)
{
	return session->hand ? session->hand->server_name : NULL;
}

void tls_session_psk_used(struct tls_session *session, const void *identity, size_t len)
{
	const unsigned char *octet = identity;
	char *copy = malloc(len + 1);

	session->psk = true;
	free(session->psk_identity);
	session->psk_identity = copy;
	if (!copy)
		return; /* told without its name; the session itself is not harmed */
	for (size_t i = 0; i < len; i++)
		copy[i] = octet[i] < 0x20 || octet[i] == 0x7f ? '?' : (char)octet[i];
	copy[len] = '\0';
}

void tls_session_psk_unused(struct tls_session *session)
{
	session->psk = false;
	free(session->psk_identity);
	session->psk_identity = NULL;
}
