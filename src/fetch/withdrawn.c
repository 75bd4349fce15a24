/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/withdrawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trust/trust.h"

struct fetch_seen_part {
	const void *which;
	char (*name)[TRUST_CACHE_NAME_MAX];
	size_t count;
};

void fetch_seen_done(struct fetch_seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->part[i].name);
	free(seen->part);
	*seen = (struct fetch_seen){ 0 };
}

static int names_take(const struct fetch_blobs *blobs, struct fetch_seen_part *ret)
{
	ret->name = calloc(blobs->count + 1, sizeof(*ret->name));
	if (!ret->name)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	for (size_t i = 0; i < blobs->count; i++) {
		const struct fetch_blob *b = &blobs->at[i];
		const struct base_str der = { (const char *)b->data, b->len };

		if (b->what != FETCH_CROSS)
			continue;
		if (trust_cache_cert_name(der, ret->name[ret->count]))
			return BASE_ERR(BASE_LOCAL, 0);
		ret->count++;
	}
	return 0;
}

static struct fetch_seen_part *part_of(struct fetch_seen *seen, const void *which)
{
	struct fetch_seen_part *more;

	for (size_t i = 0; i < seen->count; i++)
		if (seen->part[i].which == which)
			return &seen->part[i];
	more = reallocarray(seen->part, seen->count + 1, sizeof(*more));
	if (!more)
		return NULL;
	seen->part = more;
	more[seen->count] = (struct fetch_seen_part){ .which = which };
	return &more[seen->count++];
}

static bool is_seen(void *arg, const char *name)
{
	const struct fetch_seen *seen = arg;

	for (size_t i = 0; i < seen->count; i++)
		for (size_t j = 0; j < seen->part[i].count; j++)
			if (!strcmp(seen->part[i].name[j], name))
				return true;
	base_log(BASE_LOG_WARN, "fetch",
	         "event=cross-withdrawn file=cross/%s: no repository has it any more", name);
	return false;
}

int fetch_seen_note(struct fetch_seen *seen, const char *folder, const void *which, size_t of,
                    const struct fetch_blobs *blobs, struct base_error *err)
{
	struct fetch_seen_part now = { .which = which }, *part = NULL;
	int rc = names_take(blobs, &now);

	if (!rc)
		part = part_of(seen, which);
	if (!part) {
		free(now.name);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	}
	free(part->name);
	*part = now;
	if (seen->count < of)
		return 0; /* another may have it */
	return trust_cache_certs_drop(folder, TRUST_CACHE_CROSS, is_seen, seen, err);
}
