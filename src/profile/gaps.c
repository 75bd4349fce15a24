/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "profile/vocabulary.h"

/** Gaps found, in the order of subjects; sorted by strength at the end. */
struct finding {
	struct base_writer bytes; /**< struct profile_gap, one after the other */
	const struct profile_engine_caps *caps;
};

static void add(struct finding *f, enum profile_subject subject, const char *item,
                const struct profile_rule *rule)
{
	struct profile_gap gap = { rule ? rule->strength : PROFILE_MAY, subject, item, rule, NULL };

	base_writer_put(&f->bytes, &gap, sizeof(gap));
}

static bool has_code(const struct profile_codes *codes, uint16_t code)
{
	for (size_t i = 0; i < codes->count; i++) {
		if (codes->code[i] == code)
			return true;
	}
	return false;
}

static void check_versions(struct finding *f, const struct profile_settings *s)
{
	unsigned bit = 0;

	for (unsigned v = PROFILE_SSL_2_0; v <= PROFILE_DTLS_1_3; v <<= 1, bit++) {
		const struct profile_rule *rule = s->version_rule[bit];

		if (!((s->versions | s->dtls) & v) || (f->caps->versions & v))
			continue;
		/* "If DTLS is supported ..." asks nothing of an engine that does TLS only */
		if (rule->when == PROFILE_WHEN_DTLS && !(f->caps->versions & PROFILE_DTLS_ALL))
			continue;
		add(f, PROFILE_VERSION, profile_version_name(v), rule);
	}
}

static void check_list(struct finding *f, enum profile_subject subject,
                       const struct profile_list *list, const struct profile_codes *codes)
{
	for (size_t i = 0; i < list->on; i++) {
		if (!has_code(codes, list->item[i].code))
			add(f, subject, profile_code_name(subject, list->item[i].code),
			    list->item[i].rule);
	}
}

/** A "may" that nobody has on by default, so that no gap of the engine's tells of it. */
static void check_never(struct finding *f, const struct profile_list *extensions)
{
	for (size_t i = 0; i < extensions->count; i++) {
		const struct profile_setting *item = &extensions->item[i];
		struct profile_gap gap = { item->rule->strength, PROFILE_EXTENSION,
			                   profile_code_name(PROFILE_EXTENSION, item->code),
			                   item->rule, profile_extension_never(item->code) };

		if (gap.why && !has_code(&f->caps->extensions, item->code) && !item->on)
			base_writer_put(&f->bytes, &gap, sizeof(gap));
	}
}

static void check_flag(struct finding *f, const struct profile_flag *flag, unsigned feature)
{
	if (flag->value && flag->rule && !(f->caps->features & feature))
		add(f, flag->rule->subject, flag->rule->item, flag->rule);
}

bool profile_renegotiates(const struct profile_settings *settings)
{
	return settings->versions & PROFILE_TLS_ALL & ~(unsigned)PROFILE_TLS_1_3 &&
	       settings->renegotiation_info.value &&
	       (settings->renegotiation_client == PROFILE_RENEGOTIATION_SECURE ||
	        settings->renegotiation_server.value);
}

/** A client may send on while it renegotiates: NSS's and JSSE's do. */
static void check_data(struct finding *f, const struct profile_settings *s)
{
	const struct profile_rule *rule = s->renegotiation_server.rule;

	if (!profile_renegotiates(s) || f->caps->features & PROFILE_FEATURE_RENEGOTIATION_DATA)
		return;
	if (s->renegotiation_client == PROFILE_RENEGOTIATION_SECURE)
		rule = s->renegotiation_client_rule;
	add(f, PROFILE_RENEGOTIATION, "as server, with data in its midst (RFC 5246, 7.4.1.1)",
	    rule);
}

/** Over datagrams a server has to ask in another way: its HelloRequest is repeated like a flight.
 */
static void check_datagrams(struct finding *f, const struct profile_settings *s)
{
	if (s->dtls & f->caps->versions && s->renegotiation_server.value &&
	    !(f->caps->features & PROFILE_FEATURE_RENEGOTIATION_DTLS))
		add(f, PROFILE_RENEGOTIATION, "as server, asked for over DTLS (RFC 6347, 4.2.4)",
		    s->renegotiation_server.rule);
}

static void check_features(struct finding *f, const struct profile_settings *s)
{
	struct profile_flag client = {
		.value = s->renegotiation_client == PROFILE_RENEGOTIATION_SECURE,
		.rule = s->renegotiation_client_rule,
	};

	check_flag(f, &s->extended_master_secret_required, PROFILE_FEATURE_EMS_REQUIRED);
	check_flag(f, &s->compression, PROFILE_FEATURE_COMPRESSION);
	check_flag(f, &s->renegotiation_info, PROFILE_FEATURE_RENEGOTIATION_INFO);
	check_flag(f, &client, PROFILE_FEATURE_RENEGOTIATION_CLIENT);
	check_data(f, s);
	check_flag(f, &s->renegotiation_server, PROFILE_FEATURE_RENEGOTIATION_SERVER);
	check_datagrams(f, s);
	check_flag(f, &s->resumption, PROFILE_FEATURE_TICKETS | PROFILE_FEATURE_SESSION_IDS);
	check_flag(f, &s->tickets, PROFILE_FEATURE_TICKETS);
	check_flag(f, &s->session_ids, PROFILE_FEATURE_SESSION_IDS);
	check_flag(f, &s->psk, PROFILE_FEATURE_PSK);
}

/** Move the gaps of one strength to the arena, in the order they were found. */
static size_t copy_strength(const struct finding *f, enum profile_strength strength,
                            struct profile_gap *out)
{
	size_t count = f->bytes.len / sizeof(struct profile_gap), copied = 0;

	for (size_t i = 0; i < count; i++) {
		struct profile_gap gap;

		memcpy(&gap, f->bytes.data + i * sizeof(gap), sizeof(gap));
		if (gap.strength == strength)
			out[copied++] = gap;
	}
	return copied;
}

static int publish(const struct finding *f, struct base_arena *arena, struct profile_gap **ret,
                   size_t *ret_count)
{
	size_t count = f->bytes.len / sizeof(struct profile_gap), done;
	struct profile_gap *gap = NULL;

	if (count)
		gap = base_arena_array(arena, count, sizeof(*gap));
	if (f->bytes.failed || (count && !gap))
		return BASE_ERR(BASE_LOCAL, 0);
	if (count) {
		done = copy_strength(f, PROFILE_SHALL, gap);
		done += copy_strength(f, PROFILE_SHOULD, gap + done);
		(void)copy_strength(f, PROFILE_MAY, gap + done); /* the rest */
	}
	*ret = gap;
	*ret_count = count;
	return 0;
}

int profile_engine_gaps(const struct profile_settings *settings,
                        const struct profile_engine_caps *caps, struct base_arena *arena,
                        struct profile_gap **ret, size_t *ret_count)
{
	struct finding f = { .caps = caps };
	int rc;

	check_versions(&f, settings);
	check_list(&f, PROFILE_SUITE, &settings->suites, &caps->suites);
	check_list(&f, PROFILE_SUITE, &settings->suites13, &caps->suites);
	check_list(&f, PROFILE_GROUP, &settings->groups, &caps->groups);
	check_list(&f, PROFILE_SIGNATURE, &settings->signatures, &caps->signatures);
	check_list(&f, PROFILE_EXTENSION, &settings->extensions, &caps->extensions);
	check_never(&f, &settings->extensions);
	check_features(&f, settings);
	rc = publish(&f, arena, ret, ret_count);
	base_writer_done(&f.bytes);
	return rc;
}

size_t profile_gap_count(const struct profile_gap *gap, size_t count,
                         enum profile_strength strength)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += gap[i].strength == strength;
	return n;
}

const char *profile_gap_format(const struct profile_gap *gap,
                               const struct profile_engine_caps *caps, char *buf, size_t cap)
{
	if (!gap->rule) {
		(void)snprintf(buf, cap, "%s cannot meet: %s %s %s (the TLS domain's own choice)",
		               caps->name, profile_strength_name(gap->strength),
		               profile_subject_name(gap->subject), gap->item);
		return buf;
	}
	(void)snprintf(
	        buf, cap, "%s %s: %s %s %s (%s %s [%s, %c])%s%s",
	        gap->why ? "gatehouse" : caps->name, gap->why ? "never offers" : "cannot meet",
	        profile_strength_name(gap->strength), profile_subject_name(gap->subject), gap->item,
	        gap->rule->document, gap->rule->clause, gap->rule->id, gap->rule->mark,
	        gap->why ? ": " : "", gap->why ? gap->why : ""); /* shortening is fine here */
	return buf;
}
