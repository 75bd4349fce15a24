/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/setup.h"

#define CONNECT_MS   10000
#define HANDSHAKE_MS 10000

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t round_up(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static size_t copies_size(const struct tls_session_spec *spec)
{
	size_t size = round_up(spec->fingerprint_count * sizeof(*spec->fingerprints)) +
	              round_up(spec->psk_count * sizeof(*spec->psks));

	for (size_t i = 0; i < spec->psk_count; i++)
		size += round_up(spec->psks[i].identity.len) + round_up(spec->psks[i].key.len);
	return size + round_up(text_size(spec->psk_hint)) + round_up(text_size(spec->server_name)) +
	       round_up(text_size(spec->peer_name));
}

static void *copy(uint8_t **at, const void *data, size_t len)
{
	uint8_t *to = *at;

	if (!len)
		return NULL;
	memcpy(to, data, len);
	*at += round_up(len);
	return to;
}

static void fill(struct tls_session_spec *to, const struct tls_session_spec *from, uint8_t *at)
{
	struct tls_psk *psks;

	*to = *from;
	to->fingerprints = copy(&at, from->fingerprints,
	                        from->fingerprint_count * sizeof(*from->fingerprints));
	psks = copy(&at, from->psks, from->psk_count * sizeof(*from->psks));
	for (size_t i = 0; i < from->psk_count; i++) {
		psks[i].identity.ptr =
		        copy(&at, from->psks[i].identity.ptr, from->psks[i].identity.len);
		psks[i].key.data = copy(&at, from->psks[i].key.data, from->psks[i].key.len);
	}
	to->psks = psks;
	to->psk_hint = copy(&at, from->psk_hint, text_size(from->psk_hint));
	to->server_name = copy(&at, from->server_name, text_size(from->server_name));
	to->peer_name = copy(&at, from->peer_name, text_size(from->peer_name));
}

static void tls_free(struct relay_tls_setup *tls)
{
	if (!tls)
		return;
	tls_domain_unref(tls->domain);
	base_wipe(tls->copies, tls->len);
	free(tls);
}

int relay_setup_tls(struct relay_setup *setup, const struct relay_tls_spec *spec)
{
	size_t len = copies_size(&spec->session);
	struct relay_tls_setup *tls = malloc(sizeof(*tls) + len);

	if (!tls)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	tls->len = len;
	tls->domain = tls_domain_ref(spec->domain);
	tls->mark = spec->mark;
	fill(&tls->session, &spec->session, tls->copies);
	tls_free(setup->tls);
	setup->tls = tls;
	return 0;
}

int relay_setup_init(struct relay_setup *setup, const struct relay_endpoint_spec *spec)
{
	int rc;

	setup->refs = 1;
	setup->arrived = -1;
	setup->server = !spec->dgram && spec->tcp_role == RELAY_TCP_SERVER;
	setup->connect_now = spec->dgram || spec->connect_now;
	setup->linked_setup = spec->linked_setup;
	setup->linked_tls = spec->linked_tls;
	setup->tls_hold = spec->tls_hold;
	setup->connect_timeout_ms = spec->connect_timeout_ms;
	if (!setup->connect_timeout_ms && !setup->server)
		setup->connect_timeout_ms = CONNECT_MS;
	setup->handshake_timeout_ms =
	        spec->handshake_timeout_ms ? spec->handshake_timeout_ms : HANDSHAKE_MS;
	rc = relay_address_set(&setup->remote, &spec->remote);
	if (rc == 0 && spec->tls)
		rc = relay_setup_tls(setup, spec->tls);
	return rc;
}

int relay_setup_new(struct relay_setup **ret, const struct relay_endpoint_spec *spec)
{
	struct relay_setup *setup = calloc(1, sizeof(*setup));
	int rc;

	if (!setup)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	setup->heap = true;
	rc = relay_setup_init(setup, spec);
	if (rc) {
		relay_setup_unref(setup);
		return rc;
	}
	*ret = setup;
	return 0;
}

void relay_setup_unref(struct relay_setup *setup)
{
	if (!setup || --setup->refs)
		return;
	if (setup->arrived >= 0) {
		relay_socket_abortive(setup->arrived);
		close(setup->arrived);
	}
	tls_free(setup->tls);
	if (setup->heap)
		free(setup);
}
