/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_job.h"

#include <errno.h>
#include <stdio.h>

static int refuse(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "the job cannot be read: %s", why);
}

/* A line without its end, and its first word apart from the rest. */
static bool line_take(struct base_reader *r, struct base_str *word, struct base_str *rest)
{
	const uint8_t *end = memchr(r->at, '\n', base_reader_left(r));
	struct base_str line = { (const char *)r->at, 0 };
	const char *space;

	if (!end)
		return false;
	line.len = (size_t)(end - r->at);
	r->at = end + 1;
	space = memchr(line.ptr, ' ', line.len);
	*word = (struct base_str){ line.ptr, space ? (size_t)(space - line.ptr) : line.len };
	*rest = (struct base_str){ space ? space + 1 : NULL, space ? line.len - word->len - 1 : 0 };
	return true;
}

static int value_take(struct base_reader *r, struct base_str *ret, struct base_error *err)
{
	struct base_str word, rest;
	const uint8_t *octets;
	uint64_t len;

	if (!line_take(r, &word, &rest) || !base_str_eq(word, BASE_STR("value")) ||
	    base_str_u64(rest, base_reader_left(r), &len))
		return refuse(err, "expected 'value LEN'");
	octets = base_reader_take(r, (size_t)len);
	if (!octets || base_reader_u8(r) != '\n')
		return refuse(err, "a value runs past its end");
	*ret = (struct base_str){ (const char *)octets, (size_t)len };
	return 0;
}

static int attribute_take(struct fetch_job *job, struct base_reader *r, struct base_str text,
                          struct base_error *err)
{
	struct fetch_job_entry *entry = job->count ? &job->entries[job->count - 1] : NULL;
	const char *space = text.len ? memchr(text.ptr, ' ', text.len) : NULL;
	struct fetch_job_attribute a = { 0 };
	struct base_str name = { text.ptr, space ? (size_t)(space - text.ptr) : 0 };
	uint64_t count = 0;
	int rc = 0;

	a.bit = space ? fetch_ldap_attribute_of(name) : 0;
	if (!a.bit || base_str_u64((struct base_str){ space + 1, text.len - name.len - 1 },
	                           FETCH_JOB_VALUES, &count))
		return refuse(err, "expected 'attribute NAME COUNT'");
	for (size_t i = 0; entry && i < entry->count; i++)
		if (entry->attribute[i].bit == a.bit)
			return refuse(err, "an attribute comes twice");
	if (!entry || entry->count == FETCH_LDAP_ATTRIBUTES)
		return refuse(err, "an attribute before its entry");
	a.values = base_arena_array(&job->arena, (size_t)count + 1, sizeof(*a.values));
	if (!a.values)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	while (!rc && a.count < count)
		rc = value_take(r, &a.values[a.count++], err);
	entry->attribute[entry->count++] = a;
	return rc;
}

static int entry_take(struct fetch_job *job, struct base_str name, struct base_error *err)
{
	struct fetch_job_entry *entry = &job->entries[job->count];

	if (job->count == FETCH_JOB_ENTRIES || !name.len || name.len >= sizeof(entry->name))
		return refuse(err, "too many entries, or one without a name");
	(void)snprintf(entry->name, sizeof(entry->name), "%.*s", BASE_FMT(name));
	if (strspn(entry->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                        "0123456789-_.") != name.len)
		return refuse(err, "a name with characters that names do not have");
	job->count++;
	return 0;
}

static int url_take(struct fetch_job *job, struct base_str url, struct base_error *err)
{
	if (!job->count || !url.len || url.len > FETCH_URL_MAX)
		return refuse(err, "a URL too long, or before its entry");
	(void)snprintf(job->entries[job->count - 1].url, FETCH_URL_MAX + 1, "%.*s", BASE_FMT(url));
	return 0;
}

int fetch_job_parse(struct fetch_job *job, struct base_str octets, struct base_error *err)
{
	struct base_reader r = base_reader_of(octets.ptr, octets.len);
	struct base_str word, rest;
	int rc = 0;

	*job = (struct fetch_job){ .count = 0 };
	job->entries = base_arena_array(&job->arena, FETCH_JOB_ENTRIES + 1, sizeof(*job->entries));
	if (!job->entries)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	while (!rc) {
		if (!line_take(&r, &word, &rest))
			rc = refuse(err, "it has no end");
		else if (base_str_eq(word, BASE_STR("end")))
			break;
		else if (base_str_eq(word, BASE_STR("entry")))
			rc = entry_take(job, rest, err);
		else if (base_str_eq(word, BASE_STR("at")))
			rc = url_take(job, rest, err);
		else if (base_str_eq(word, BASE_STR("attribute")))
			rc = attribute_take(job, &r, rest, err);
		else
			rc = refuse(err, "an unknown word");
	}
	if (!rc && !base_reader_done(&r))
		rc = refuse(err, "something behind its end");
	return rc;
}

void fetch_job_done(struct fetch_job *job)
{
	base_arena_done(&job->arena);
	*job = (struct fetch_job){ .count = 0 };
}
