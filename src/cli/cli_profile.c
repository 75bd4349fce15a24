/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse profile`: list, show and compare TLS profiles, as tables or as JSON. */
#include "cli/cli.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile.h"

enum { DONE = 0, FAILED = 1, MISUSED = 2 };

struct asking {
	struct profile_store *store;
	struct base_arena arena;
	bool json, null_encryption;
	const char *word[3]; /**< what is left once options are gone */
	int words;
};

static const char usage[] =
        "usage: gatehouse profile list [OPTION ...]\n"
        "       gatehouse profile show NAME [OPTION ...]\n"
        "       gatehouse profile diff A B [OPTION ...]\n"
        "\n"
        "  list   every profile that is found\n"
        "  show   what a profile compiles to, and its rules with clause, release and mark\n"
        "  diff   what two profiles rule differently\n"
        "\n"
        "  --profile-dir DIR   look in DIR first (may be repeated)\n"
        "  --null-encryption   show: as a domain that turns on suites without encryption\n"
        "  --json              machine-readable\n"
        "  --help              this text\n"
        "\n"
        "marks: V source seen, D derived from what was seen, R recalled, P the project's "
        "position\n";

static int complain(const struct base_error *err)
{
	char text[sizeof(err->file) + sizeof(err->text) + 32];

	fprintf(stderr, "gatehouse profile: %s\n", base_error_format(err, text, sizeof(text)));
	return FAILED;
}

static int out_of_memory(void)
{
	fprintf(stderr, "gatehouse profile: out of memory\n");
	return FAILED;
}

/** Print and let go of a JSON value; NULL is one that memory was short for. */
static int print_json(json_t *json)
{
	int rc;

	if (!json)
		return out_of_memory();
	rc = json_dumpf(json, stdout, JSON_INDENT(2));
	json_decref(json);
	printf("\n");
	return rc ? out_of_memory() : DONE;
}

/** Append, or make the list NULL when memory is short, so that packing it fails. */
static void json_push(json_t **list, json_t *item)
{
	if (!json_array_append_new(*list, item))
		return;
	json_decref(*list);
	*list = NULL;
}

static json_t *json_text(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* -- list ---------------------------------------------------------------------------------- */

static json_t *json_head(const struct profile *p)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "name", p->name, "title", p->title,
	                 "document", p->document, "clause", p->clause, "release", p->release,
	                 "extends", json_text(p->extends), "file", p->file);
}

static int run_list(struct asking *a)
{
	json_t *all = a->json ? json_array() : NULL;
	const char **name;
	size_t count;
	int result = DONE;

	if (profile_store_list(a->store, &a->arena, &name, &count) || (a->json && !all)) {
		json_decref(all);
		return out_of_memory();
	}
	if (!count) {
		fprintf(stderr, "gatehouse profile: no profile found; name a folder with "
		                "--profile-dir\n");
		result = FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		struct base_error err = { .rc = 0 };
		const struct profile *p;

		if (profile_store_find(a->store, name[i], &p, &err))
			result = complain(&err);
		else if (a->json && json_array_append_new(all, json_head(p)))
			result = out_of_memory();
		else if (!a->json)
			printf("%-24s %-8s %-22s %s\n", p->name, p->release,
			       base_arena_printf(&a->arena, "%s %s", p->document, p->clause),
			       p->title);
	}
	if (a->json && print_json(all))
		result = FAILED;
	return result;
}

/* -- show ---------------------------------------------------------------------------------- */

static json_t *json_roles(unsigned roles)
{
	json_t *list = json_array();

	for (unsigned role = 1; role <= PROFILE_ROLE_CRL; role <<= 1)
		if (roles & role)
			json_push(&list, json_string(profile_role_name((enum profile_role)role)));
	return list;
}

static json_t *json_rule(const struct profile_rule *r)
{
	char mark[2] = "";

	if (!r)
		return json_null();
	mark[0] = (char)r->mark;
	return json_pack(
	        "{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:b, s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "id",
	        r->id, "subject", profile_subject_name(r->subject), "item", r->item, "value",
	        json_text(r->value), "strength", profile_strength_name(r->strength), "when",
	        profile_when_name(r->when), "for", json_roles(r->roles), "off", r->off, "mark",
	        mark, "document", r->document, "clause", r->clause, "release", r->release, "source",
	        json_text(r->source), "text", r->text, "profile", r->profile);
}

static json_t *json_versions(unsigned set)
{
	json_t *list = json_array();

	for (unsigned v = PROFILE_SSL_2_0; v <= PROFILE_DTLS_1_3; v <<= 1) {
		if (set & v)
			json_push(&list, json_string(profile_version_name(v)));
	}
	return list;
}

static json_t *json_list(const struct profile_list *list, const char *(*name)(uint16_t))
{
	json_t *all = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct profile_setting *s = &list->item[i];

		json_push(&all, json_pack("{s:i, s:s, s:b, s:b, s:s, s:s}", "code", s->code, "name",
		                          name(s->code), "on", s->on, "dtls", s->dtls, "strength",
		                          profile_strength_name(s->strength), "rule", s->rule->id));
	}
	return all;
}

static const char *suite_name(uint16_t code)
{
	return profile_suite_find(code)->name;
}

static const char *group_name(uint16_t code)
{
	return profile_group_find(code)->name;
}

static const char *signature_name(uint16_t code)
{
	return profile_signature_find(code)->name;
}

static const char *extension_name(uint16_t code)
{
	return profile_extension_find(code)->name;
}

static json_t *json_settings(const struct profile_settings *s)
{
	return json_pack(
	        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:i, "
	        "s:i, s:b}",
	        "versions", json_versions(s->versions), "dtls", json_versions(s->dtls), "suites",
	        json_list(&s->suites, suite_name), "suites13", json_list(&s->suites13, suite_name),
	        "groups", json_list(&s->groups, group_name), "signatures",
	        json_list(&s->signatures, signature_name), "extensions",
	        json_list(&s->extensions, extension_name), "extensions_denied",
	        json_list(&s->extensions_denied, extension_name), "dh_bits_min",
	        (int)s->dh_bits_min.value, "compression", s->compression.value,
	        "renegotiation_client", s->renegotiation_client == PROFILE_RENEGOTIATION_SECURE,
	        "renegotiation_server", s->renegotiation_server.value, "resumption",
	        s->resumption.value, "tickets", s->tickets.value, "session_ids",
	        s->session_ids.value, "lifetime_s", (int)s->lifetime_s.value, "lifetime_max_s",
	        (int)s->lifetime_max_s.value, "psk", s->psk.value);
}

static json_t *json_rules(const struct profile *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->rule_count; i++)
		json_push(&all, json_rule(&p->rule[i]));
	return all;
}

static void print_roles(unsigned roles)
{
	const char *between = ", for";

	for (unsigned role = 1; role <= PROFILE_ROLE_CRL; role <<= 1) {
		if (!(roles & role))
			continue;
		printf("%s %s", between, profile_role_name((enum profile_role)role));
		between = "";
	}
}

static void print_rules(const struct profile *p)
{
	const struct profile_rule *rule;

	printf("rules:\n");
	for (unsigned subject = 0; subject < PROFILE_SUBJECTS; subject++) {
		rule = NULL;
		while ((rule = profile_rule_next(p, rule, subject, NULL))) {
			printf("  %-5s %c %-14s %-10s %s%s%s", rule->id, rule->mark,
			       profile_subject_name(subject), profile_strength_name(rule->strength),
			       rule->item, rule->value ? " " : "", rule->value ? rule->value : "");
			if (rule->when != PROFILE_ALWAYS)
				printf(", when %s", profile_when_name(rule->when));
			print_roles(rule->roles);
			printf("\n        %s (%s %s, %s)\n", rule->text, rule->document,
			       rule->clause, rule->release);
		}
	}
}

static int print_show(const struct profile_settings *settings)
{
	struct base_writer w = { .data = NULL };
	int result = DONE;

	profile_settings_print(settings, &w);
	if (w.failed)
		result = out_of_memory();
	else
		printf("%s", base_writer_cstr(&w));
	base_writer_done(&w);
	if (!result)
		print_rules(settings->profile);
	return result;
}

/** Rules of certificates compile to nothing. */
static int show_certificates(struct asking *a, const struct profile *p)
{
	if (a->json)
		return print_json(
		        json_pack("{s:o, s:o}", "profile", json_head(p), "rules", json_rules(p)));
	printf("profile: %s\ntitle: %s\nsource: %s %s, %s\n", p->name, p->title, p->document,
	       p->clause, p->release);
	if (p->extends)
		printf("extends: %s\n", p->extends);
	print_rules(p);
	return DONE;
}

static int run_show(struct asking *a)
{
	struct profile_options options = { .null_encryption = a->null_encryption };
	struct base_error err = { .rc = 0 };
	struct profile_settings *settings;
	const struct profile *p;
	int result;

	if (profile_store_find(a->store, a->word[1], &p, &err))
		return complain(&err);
	if (p->certificates)
		return show_certificates(a, p);
	if (profile_compile(p, &options, &settings, &err))
		return complain(&err);
	if (a->json)
		result =
		        print_json(json_pack("{s:o, s:o, s:o}", "profile", json_head(p), "settings",
		                             json_settings(settings), "rules", json_rules(p)));
	else
		result = print_show(settings);
	profile_settings_free(settings);
	return result;
}

/* -- diff ---------------------------------------------------------------------------------- */

/** "shall E4 D", "may (off) E11 D", "shall 24h O8a V" or "-". */
static const char *side(struct base_arena *arena, const struct profile_rule *r)
{
	const char *text = "-";

	if (r)
		text = base_arena_printf(arena, "%s%s%s%s [%s %c]",
		                         profile_strength_name(r->strength), r->off ? " (off)" : "",
		                         r->value ? " " : "", r->value ? r->value : "", r->id,
		                         r->mark);
	return text ? text : "?";
}

static void print_diff(struct asking *a, const struct profile_diff_row *row, size_t count)
{
	printf("%-14s %-46s %-26s %s\n", "subject", "item", a->word[1], a->word[2]);
	for (size_t i = 0; i < count; i++) {
		const char *when = profile_when_name(row[i].when);
		bool always = row[i].when == PROFILE_ALWAYS;
		const char *item = base_arena_printf(&a->arena, "%s%s%s", row[i].item,
		                                     always ? "" : ", when ", always ? "" : when);

		printf("%-14s %-46s %-26s %s\n", profile_subject_name(row[i].subject),
		       item ? item : row[i].item, side(&a->arena, row[i].a),
		       side(&a->arena, row[i].b));
	}
}

static json_t *json_diff(const struct profile_diff_row *row, size_t count)
{
	json_t *all = json_array();

	for (size_t i = 0; i < count; i++)
		json_push(&all, json_pack("{s:s, s:s, s:s, s:o, s:o}", "subject",
		                          profile_subject_name(row[i].subject), "item", row[i].item,
		                          "when", profile_when_name(row[i].when), "a",
		                          json_rule(row[i].a), "b", json_rule(row[i].b)));
	return all;
}

static int run_diff(struct asking *a)
{
	struct base_error err = { .rc = 0 };
	const struct profile *p, *q;
	struct profile_diff_row *row;
	size_t count;

	if (profile_store_find(a->store, a->word[1], &p, &err) ||
	    profile_store_find(a->store, a->word[2], &q, &err))
		return complain(&err);
	if (profile_diff(p, q, &a->arena, &row, &count))
		return out_of_memory();
	if (a->json)
		return print_json(json_diff(row, count));
	if (count)
		print_diff(a, row, count);
	else
		printf("%s and %s rule alike\n", p->name, q->name);
	return DONE;
}

/* -- words --------------------------------------------------------------------------------- */

static int run(struct asking *a)
{
	static const struct {
		const char *name;
		int words;
		int (*run)(struct asking *a);
	} action[] = { { "list", 1, run_list }, { "show", 2, run_show }, { "diff", 3, run_diff } };

	for (size_t i = 0; i < BASE_COUNT(action) && a->words; i++) {
		if (!strcmp(a->word[0], action[i].name) && a->words == action[i].words)
			return action[i].run(a);
	}
	fprintf(stderr, "%s", usage);
	return MISUSED;
}

/** @return -1 to go on, else the exit status */
static int take_options(int argc, char **argv, struct asking *a)
{
	static const struct option option[] = {
		{ "profile-dir", required_argument, NULL, 'd' },
		{ "null-encryption", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (c == 'h') {
			printf("%s", usage);
			return DONE;
		}
		if (c == 'd' && profile_store_dir(a->store, optarg))
			return out_of_memory();
		if (c == '?')
			return MISUSED;
		a->json |= c == 'j';
		a->null_encryption |= c == 'n';
	}
	for (; optind < argc; optind++) {
		if (a->words == (int)BASE_COUNT(a->word))
			break;
		a->word[a->words++] = argv[optind];
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "%s", usage);
	return MISUSED;
}

int cli_profile_main(int argc, char **argv)
{
	struct asking a = { .store = NULL };
	int result;

	if (profile_store_new(&a.store))
		return out_of_memory();
	result = take_options(argc, argv, &a);
	if (result < 0)
		result = run(&a);
	base_arena_done(&a.arena);
	profile_store_free(a.store);
	return result;
}
