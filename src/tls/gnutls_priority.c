/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A domain in GnuTLS's priority words. GnuTLS builds its suites as products in the order key
 * exchange, cipher, MAC.
 */
#include "tls/gnutls_engine.h"

#define WORDS_MAX 64

/** A set of words in the order they came. */
struct words {
	const char *word[WORDS_MAX];
	size_t count;
};

static void words_add(struct words *words, const char *word)
{
	if (!word)
		return;
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return;
	if (words->count < WORDS_MAX)
		words->word[words->count++] = word;
}

static void words_put(struct base_writer *w, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		base_writer_printf(w, ":+%s", words->word[i]);
}

static void put_versions(struct base_writer *w, const struct tls_domain *domain, unsigned versions)
{
	if (domain->whole) {
		if (versions & PROFILE_TLS_1_2)
			base_writer_text(w, ":+VERS-DTLS1.2");
		if (versions & PROFILE_TLS_1_1)
			base_writer_text(w, ":+VERS-DTLS1.0");
		return;
	}
	if (versions & PROFILE_TLS_1_3)
		base_writer_text(w, ":+VERS-TLS1.3");
	if (versions & PROFILE_TLS_1_2)
		base_writer_text(w, ":+VERS-TLS1.2");
	if (versions & PROFILE_TLS_1_1)
		base_writer_text(w, ":+VERS-TLS1.1");
	if (versions & PROFILE_TLS_1_0)
		base_writer_text(w, ":+VERS-TLS1.0");
}

static void put_list(struct base_writer *w, const struct profile_list *list,
                     const struct profile_codes *caps, const struct profile_code *(*find)(uint16_t),
                     uint16_t below, const char *otherwise)
{
	size_t before = w->len;

	for (size_t i = 0; i < list->on; i++) {
		const struct profile_code *code = find(list->item[i].code);

		if (code && code->gnutls && code->code < below && tls_caps_have(caps, code->code))
			base_writer_printf(w, ":+%s", code->gnutls);
	}
	if (w->len == before)
		base_writer_text(w, otherwise);
}

static bool denied(const struct profile_settings *settings, uint16_t extension)
{
	return profile_list_find(&settings->extensions_denied, extension) != NULL;
}

static void put_rest(struct base_writer *w, const struct profile_settings *settings, bool finite)
{
	/* Groups of RFC 7919 are numbered from 256. */
	put_list(w, &settings->groups, &tls_gnutls_caps.groups, profile_group_find,
	         finite ? UINT16_MAX : 256, finite ? ":+GROUP-ALL" : ":+GROUP-EC-ALL");
	put_list(w, &settings->signatures, &tls_gnutls_caps.signatures, profile_signature_find,
	         UINT16_MAX, ":+SIGN-ALL");
	base_writer_text(w, ":+COMP-NULL:%SERVER_PRECEDENCE");
	if (settings->renegotiation_info_peer.value)
		base_writer_text(w, ":%SAFE_RENEGOTIATION");
	if (denied(settings, 22))
		base_writer_text(w, ":%NO_ETM");
	if (denied(settings, 23))
		base_writer_text(w, ":%NO_SESSION_HASH");
	for (size_t i = 0; i < settings->signatures.on; i++) {
		if (settings->signatures.item[i].code >> 8 == 2) {
			base_writer_text(w, ":%VERIFY_ALLOW_SIGN_WITH_SHA1");
			break;
		}
	}
}

static void suite_words(const struct profile_suite *suite, struct words *kx, struct words *ciphers,
                        struct words *macs)
{
	if (!profile_suite_tls13(suite->code))
		words_add(kx, suite->gnutls_kx);
	words_add(ciphers, suite->gnutls_cipher);
	words_add(macs, suite->gnutls_mac);
}

static bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; word && i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}

bool tls_gnutls_offers_more(const struct tls_domain *domain)
{
	const struct profile_codes *all = &tls_gnutls_caps.suites;
	struct words kx = { 0 }, ciphers = { 0 }, macs = { 0 };

	for (size_t i = 0; i < domain->suite_count; i++)
		suite_words(profile_suite_find(domain->suites[i]), &kx, &ciphers, &macs);
	for (size_t i = 0; i < all->count; i++) {
		const struct profile_suite *suite = profile_suite_find(all->code[i]);
		bool usable = false, listed = false;

		for (unsigned bit = suite ? suite->min : 1; suite && bit <= suite->max; bit <<= 1)
			usable |= (bit & domain->versions) != 0;
		for (size_t k = 0; k < domain->suite_count; k++)
			listed |= domain->suites[k] == all->code[i];
		if (usable && !listed && words_have(&ciphers, suite->gnutls_cipher) &&
		    words_have(&macs, suite->gnutls_mac) &&
		    (profile_suite_tls13(suite->code) || words_have(&kx, suite->gnutls_kx)))
			return true;
	}
	return false;
}

/** The key exchanges that let a PSK of TLS 1.3 be used (RFC 8446, 4.2.9). */
static void psk_modes(const struct tls_domain *domain, struct words *kx)
{
	words_add(kx, "ECDHE-PSK");
	words_add(kx, "DHE-PSK");
	if (!domain->settings->psk_dhe_only.value)
		words_add(kx, "PSK");
}

static int priority_make(const struct tls_domain *domain, unsigned versions, const struct words *kx,
                         const struct words *ciphers, const struct words *macs, bool finite,
                         const char *extra, gnutls_priority_t *ret)
{
	struct base_writer w = { 0 };
	int rc = GNUTLS_E_MEMORY_ERROR;

	base_writer_text(&w, "NONE");
	put_versions(&w, domain, versions);
	words_put(&w, kx);
	words_put(&w, ciphers);
	words_put(&w, macs);
	put_rest(&w, domain->settings, finite);
	base_writer_text(&w, extra);
	if (!w.failed)
		rc = gnutls_priority_init(ret, base_writer_cstr(&w), NULL);
	base_writer_done(&w);
	return rc;
}

static int priority_offer(const struct tls_domain *domain, const char *extra,
                          gnutls_priority_t *ret)
{
	struct words kx = { 0 }, ciphers = { 0 }, macs = { 0 };

	for (size_t i = 0; i < domain->suite_count; i++)
		suite_words(profile_suite_find(domain->suites[i]), &kx, &ciphers, &macs);
	if (domain->versions & PROFILE_TLS_1_3 && domain->settings->psk.value)
		psk_modes(domain, &kx);
	return priority_make(domain, domain->versions, &kx, &ciphers, &macs, true, extra, ret);
}

int tls_gnutls_priority_all(const struct tls_domain *domain, gnutls_priority_t *ret)
{
	return priority_offer(domain, "", ret);
}

int tls_gnutls_priority_bare(const struct tls_domain *domain, gnutls_priority_t *ret)
{
	return priority_offer(domain, ":%NO_TICKETS", ret);
}

int tls_gnutls_priority_one(const struct tls_domain *domain, uint16_t code, bool finite,
                            gnutls_priority_t *ret)
{
	struct words kx = { 0 }, ciphers = { 0 }, macs = { 0 };

	suite_words(profile_suite_find(code), &kx, &ciphers, &macs);
	if (profile_suite_tls13(code)) {
		psk_modes(domain, &kx);
		return priority_make(domain, PROFILE_TLS_1_3, &kx, &ciphers, &macs, finite, "",
		                     ret);
	}
	/* TLS 1.3 stays in, after the one we want: GnuTLS must know that we speak it, to mark a
	 * downgrade in ServerHello.random (RFC 8446, 4.1.3) */
	for (size_t i = 0; i < domain->suite_count; i++) {
		if (profile_suite_tls13(domain->suites[i]))
			suite_words(profile_suite_find(domain->suites[i]), &kx, &ciphers, &macs);
	}
	return priority_make(domain, domain->versions, &kx, &ciphers, &macs, finite, "", ret);
}
