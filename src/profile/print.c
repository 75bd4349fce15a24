/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/settings.h"

#include "profile/store.h"
#include "profile/vocabulary.h"

/** "[E4 D, TS 33.310 Annex E, seed]", or "[default]". */
static void print_rule(struct base_writer *w, const struct profile_rule *rule)
{
	if (!rule)
		base_writer_text(w, "  [default]\n");
	else
		base_writer_printf(w, "  [%s %c, %s %s, %s]\n", rule->id, rule->mark,
		                   rule->document, rule->clause, rule->release);
}

static void print_versions(struct base_writer *w, const struct profile_settings *s)
{
	unsigned bit = 0;

	base_writer_text(w, "versions:\n");
	for (unsigned v = PROFILE_SSL_2_0; v <= PROFILE_DTLS_1_3; v <<= 1, bit++) {
		const struct profile_rule *rule = s->version_rule[bit];

		if (!rule)
			continue;
		base_writer_printf(w, "  %-6s %-8s %-10s",
		                   (s->versions | s->dtls) & v ? "on" : "off",
		                   profile_version_name(v), profile_strength_name(rule->strength));
		print_rule(w, rule);
	}
}

/** Off is permitted and not offered; "on/tls" is not with DTLS. */
static const char *standing(enum profile_subject subject, const struct profile_setting *item)
{
	if (!item->on)
		return "off";
	return subject == PROFILE_SUITE && !item->dtls ? "on/tls" : "on";
}

static void print_list(struct base_writer *w, const char *title, enum profile_subject subject,
                       const struct profile_list *list)
{
	if (!list->count)
		return;
	base_writer_printf(w, "%s:\n", title);
	for (size_t i = 0; i < list->count; i++) {
		const struct profile_setting *item = &list->item[i];
		const char *never;

		base_writer_printf(w, "  %-6s 0x%04X %-44s %-10s", standing(subject, item),
		                   item->code, profile_code_name(subject, item->code),
		                   profile_strength_name(item->strength));
		print_rule(w, item->rule);
		never = subject == PROFILE_EXTENSION && !profile_strength_negative(item->strength)
		                ? profile_extension_never(item->code)
		                : NULL;
		if (never)
			base_writer_printf(w, "         never offered: %s\n", never);
	}
}

static void print_word(struct base_writer *w, const char *title, const char *value,
                       const struct profile_rule *rule)
{
	base_writer_printf(w, "  %-32s %-12s", title, value);
	print_rule(w, rule);
}

static void print_flag(struct base_writer *w, const char *title, const struct profile_flag *flag)
{
	print_word(w, title, flag->value ? "yes" : "no", flag->rule);
}

static void print_number(struct base_writer *w, const char *title,
                         const struct profile_number *number)
{
	char text[16];
	struct base_writer t = base_writer_over(text, sizeof(text));

	base_writer_printf(&t, "%u", number->value);
	print_word(w, title, base_writer_cstr(&t), number->rule);
}

static const char *certificate_name(enum profile_certificate certificate)
{
	static const char *const name[] = { "optional", "required", "refused" };

	return name[certificate];
}

static void print_rest(struct base_writer *w, const struct profile_settings *s)
{
	base_writer_text(w, "settings:\n");
	print_flag(w, "compression", &s->compression);
	print_number(w, "smallest DH group, bits", &s->dh_bits_min);
	print_flag(w, "suites without encryption", &s->null_on);
	print_flag(w, "... permitted to a domain", &s->null_permitted);
	print_flag(w, "extended_master_secret required", &s->extended_master_secret_required);
	print_word(w, "renegotiation by the client",
	           s->renegotiation_client == PROFILE_RENEGOTIATION_SECURE ? "secured" : "refused",
	           s->renegotiation_client_rule);
	print_flag(w, "renegotiation by the server", &s->renegotiation_server);
	print_flag(w, "renegotiation_info sent", &s->renegotiation_info);
	print_flag(w, "renegotiation_info of the peer", &s->renegotiation_info_peer);
	print_flag(w, "resumption", &s->resumption);
	print_flag(w, "resumption by ticket", &s->tickets);
	print_flag(w, "resumption by session id", &s->session_ids);
	print_flag(w, "tickets preferred", &s->tickets_first);
	print_number(w, "session lifetime, s", &s->lifetime_s);
	print_number(w, "... at most, s", &s->lifetime_max_s);
	print_word(w, "certificate of the server", certificate_name(s->server_certificate),
	           s->server_certificate_rule);
	print_word(w, "certificate of the client", certificate_name(s->client_certificate),
	           s->client_certificate_rule);
	print_flag(w, "fingerprints in SDP", &s->fingerprint);
	print_word(w, "fingerprint hash", profile_hash_name(s->fingerprint_hash),
	           s->fingerprint_hash_rule);
	print_flag(w, "pre-shared keys", &s->psk);
	print_flag(w, "TLS 1.3 PSK with (EC)DHE only", &s->psk_dhe_only);
	print_flag(w, "alert on failed validation", &s->alert_on_failure);
	print_flag(w, "alert on unknown PSK identity", &s->psk_unknown_alert);
}

void profile_settings_print(const struct profile_settings *settings, struct base_writer *w)
{
	const struct profile *p = settings->profile;

	base_writer_printf(w, "profile: %s\ntitle: %s\nsource: %s %s, %s\n", p->name, p->title,
	                   p->document, p->clause, p->release);
	if (p->extends)
		base_writer_printf(w, "extends: %s\n", p->extends);
	print_versions(w, settings);
	print_list(w, "suites up to TLS 1.2, in order", PROFILE_SUITE, &settings->suites);
	print_list(w, "suites of TLS 1.3, in order", PROFILE_SUITE, &settings->suites13);
	print_list(w, "groups, in order", PROFILE_GROUP, &settings->groups);
	print_list(w, "signatures, in order", PROFILE_SIGNATURE, &settings->signatures);
	print_list(w, "extensions", PROFILE_EXTENSION, &settings->extensions);
	print_list(w, "extensions refused", PROFILE_EXTENSION, &settings->extensions_denied);
	print_rest(w, settings);
}
