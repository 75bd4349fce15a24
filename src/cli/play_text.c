/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/play.h"

#include <stdlib.h>

struct play_var {
	struct play_var *next;
	char *name, *value;
};

void play_vars_done(struct play_vars *vars)
{
	while (vars->first) {
		struct play_var *var = vars->first;

		vars->first = var->next;
		free(var->name);
		free(var->value);
		free(var);
	}
}

static struct play_var *find(const struct play_vars *vars, struct base_str name)
{
	for (struct play_var *v = vars->first; v; v = v->next) {
		if (base_str_eq(base_str_of(v->name), name))
			return v;
	}
	return NULL;
}

int play_vars_set(struct play_vars *vars, struct base_str name, struct base_str value)
{
	struct play_var *var = find(vars, name);
	char *copy = strndup(value.ptr ? value.ptr : "", value.len);

	if (!copy)
		return BASE_ERR(BASE_LOCAL, 0);
	if (!var) {
		var = calloc(1, sizeof(*var));
		if (!var || !(var->name = strndup(name.ptr, name.len))) {
			free(var);
			free(copy);
			return BASE_ERR(BASE_LOCAL, 0);
		}
		var->next = vars->first;
		vars->first = var;
	}
	free(var->value);
	var->value = copy;
	return 0;
}

int play_vars_assign(struct play_vars *vars, const char *assignment)
{
	const char *equal = strchr(assignment, '=');

	if (!equal || equal == assignment)
		return BASE_ERR(BASE_CONFIG, 0);
	return play_vars_set(vars, (struct base_str){ assignment, (size_t)(equal - assignment) },
	                     base_str_of(equal + 1));
}

const char *play_vars_get(const struct play_vars *vars, struct base_str name)
{
	const struct play_var *var = find(vars, name);

	return var ? var->value : NULL;
}

int play_vars_expand(const struct play_vars *vars, const char *text, char **ret,
                     struct base_error *err)
{
	struct base_writer w = { 0 };

	for (const char *at = text ? text : ""; *at;) {
		const char *end = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
		const char *value;
		struct base_str name;

		if (!end) {
			base_writer_u8(&w, (uint8_t)*at++);
			continue;
		}
		name = (struct base_str){ at + 2, (size_t)(end - at - 2) };
		value = play_vars_get(vars, name);
		if (!value) {
			base_writer_done(&w);
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "variable ${%.*s} is not set; give --set %.*s=VALUE "
			                      "or capture it in an earlier step",
			                      BASE_FMT(name), BASE_FMT(name));
		}
		base_writer_text(&w, value);
		at = end + 1;
	}
	(void)base_writer_cstr(&w); /* its failure is sticky */
	if (w.failed) {
		base_writer_done(&w);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	}
	*ret = (char *)w.data;
	return 0;
}

void play_squeeze(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		char c = *at == '\t' || *at == '\r' || *at == '\n' ? ' ' : *at;

		if (c != ' ' || (to > text && to[-1] != ' '))
			*to++ = c;
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* @return 0 found, BASE_PEER not found, BASE_CONFIG for a bad expression. */
static int search(const char *regex, const char *text, regmatch_t group[2], struct base_error *err)
{
	char why[128];
	regex_t compiled;
	int rc = regcomp(&compiled, regex, REG_EXTENDED);

	if (rc) {
		(void)regerror(rc, &compiled, why, sizeof(why));
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "bad regular expression '%s': %s", regex, why);
	}
	rc = regexec(&compiled, text, 2, group, 0);
	regfree(&compiled);
	return rc ? BASE_ERR(BASE_PEER, 0) : 0;
}

static int check_one(const char *pattern, bool wanted, const struct play_vars *vars,
                     const char *text, struct base_error *err)
{
	regmatch_t group[2];
	char *regex = NULL;
	int rc = play_vars_expand(vars, pattern, &regex, err);

	if (rc)
		return rc;
	rc = search(regex, text, group, err);
	if (base_err_class(rc) != BASE_CONFIG && (rc == 0) != wanted)
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s '%s'",
		                    wanted ? "expected" : "did not expect", regex);
	else if (base_err_class(rc) != BASE_CONFIG)
		rc = 0;
	free(regex);
	return rc;
}

static int capture_one(const char *spec, struct play_vars *vars, const char *text,
                       struct base_error *err)
{
	const char *equal = strchr(spec, '=');
	regmatch_t group[2] = { { -1, -1 }, { -1, -1 } };
	char *regex = NULL;
	int rc, use;

	if (!equal || equal == spec)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "capture '%s' is not of the form NAME=REGEX", spec);
	rc = play_vars_expand(vars, equal + 1, &regex, err);
	if (rc)
		return rc;
	rc = search(regex, text, group, err);
	if (base_err_class(rc) == BASE_PEER)
		(void)base_error_set(err, rc, "nothing to capture by '%s'", regex);
	free(regex);
	if (rc)
		return rc;
	use = group[1].rm_so >= 0 ? 1 : 0;
	return play_vars_set(vars, (struct base_str){ spec, (size_t)(equal - spec) },
	                     (struct base_str){ text + group[use].rm_so,
	                                        (size_t)(group[use].rm_eo - group[use].rm_so) });
}

int play_expect_check(const struct play_expect *expect, struct play_vars *vars, const char *text,
                      struct base_error *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && expect && i < expect->match_count; i++)
		rc = check_one(expect->match[i], true, vars, text, err);
	for (unsigned i = 0; !rc && expect && i < expect->refuse_count; i++)
		rc = check_one(expect->refuse[i], false, vars, text, err);
	for (unsigned i = 0; !rc && expect && i < expect->capture_count; i++)
		rc = capture_one(expect->capture[i], vars, text, err);
	return rc;
}
