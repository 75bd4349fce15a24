/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the stream brought for the handshake, copied into one block. */
#include <errno.h>
#include <stdlib.h>

#include "tls/hand.h"

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/** Octets for the block: structs first, then keys, identities and names. */
static size_t hand_size(const struct tls_session_spec *spec)
{
	size_t size = sizeof(struct tls_hand) + spec->psk_count * sizeof(struct tls_psk) +
	              spec->fingerprint_count * sizeof(struct x509_fingerprint);

	for (size_t i = 0; i < spec->psk_count; i++)
		size += spec->psks[i].identity.len + spec->psks[i].key.len;
	return size + text_size(spec->psk_hint) + text_size(spec->server_name) +
	       text_size(spec->peer_name);
}

static void *hand_take(char **at, const void *data, size_t len)
{
	char *copy = *at;

	if (!data)
		return NULL;
	if (len)
		memcpy(copy, data, len);
	*at += len;
	return copy;
}

int tls_hand_new(struct tls_hand **ret, const struct tls_session_spec *spec)
{
	size_t size = hand_size(spec);
	struct tls_hand *hand;
	char *at;

	if (size == sizeof(*hand))
		return 0;
	hand = malloc(size);
	if (!hand)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	*hand = (struct tls_hand){ .size = size,
		                   .psk_count = spec->psk_count,
		                   .fingerprint_count = spec->fingerprint_count };
	at = (char *)(hand + 1);
	hand->fingerprints = hand_take(&at, spec->fingerprints,
	                               spec->fingerprint_count * sizeof(*hand->fingerprints));
	hand->psks = hand_take(&at, spec->psks, spec->psk_count * sizeof(*hand->psks));
	for (size_t i = 0; i < spec->psk_count; i++) {
		struct tls_psk *psk = &hand->psks[i];

		psk->identity.ptr = hand_take(&at, psk->identity.ptr, psk->identity.len);
		psk->key.data = hand_take(&at, psk->key.data, psk->key.len);
	}
	hand->psk_hint = hand_take(&at, spec->psk_hint, text_size(spec->psk_hint));
	hand->server_name = hand_take(&at, spec->server_name, text_size(spec->server_name));
	hand->peer_name = hand_take(&at, spec->peer_name, text_size(spec->peer_name));
	*ret = hand;
	return 0;
}

void tls_hand_free(struct tls_session *session)
{
	if (!session->hand)
		return;
	base_wipe(session->hand, session->hand->size);
	free(session->hand);
	session->hand = NULL;
}

bool tls_spec_valid(const struct tls_session_spec *spec)
{
	for (size_t i = 0; i < spec->psk_count; i++) {
		const struct tls_psk *psk = &spec->psks[i];

		if (psk->identity.len > TLS_IDENTITY_MAX || psk->key.len == 0 ||
		    psk->key.len > TLS_PSK_MAX)
			return false;
		/* Both engines take the identity of a client as a string. */
		if (psk->identity.len && memchr(psk->identity.ptr, '\0', psk->identity.len))
			return false;
	}
	return !spec->psk_hint || strlen(spec->psk_hint) <= TLS_IDENTITY_MAX;
}
