/* SPDX-License-Identifier: Apache-2.0 */
/** @file The controller's side of H.248 inside TLS, from the scenario's `controller.tls`. */
#include "cli/play.h"

#define PRINTS_MAX 16

/* Paths of the scenario are relative to it; those of a command line are as they are. */
static const char *file_of(const struct config_doc *doc, struct base_arena *arena, const char *name)
{
	return name && doc ? config_doc_path(doc, name, arena) : name;
}

static const char *const *files_of(const struct config_doc *doc, struct base_arena *arena,
                                   char **names, unsigned count)
{
	const char **list = base_arena_array(arena, count + 1, sizeof(*list));

	for (unsigned i = 0; list && i < count; i++)
		list[i] = file_of(doc, arena, names[i]);
	return count ? list : NULL;
}

static int print_read(const char *text, struct x509_fingerprint *ret, struct base_error *err)
{
	struct base_str all = base_str_trim(base_str_of(text));
	const char *blank = memchr(all.ptr, ' ', all.len);
	size_t n = blank ? (size_t)(blank - all.ptr) : 0;

	if (blank &&
	    !x509_fingerprint_parse((struct base_str){ all.ptr, n },
	                            base_str_trim((struct base_str){ blank, all.len - n }), ret))
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "'%s' is no fingerprint: expected sha-256 12:DF:...", text);
}

int play_link_open(struct link **ret, const struct play_tls *tls, const struct config_doc *doc,
                   struct base_error *err)
{
	struct x509_fingerprint prints[PRINTS_MAX];
	struct link_spec spec = { .peer_name = tls->peer_name,
		                  .fingerprints = prints,
		                  .fingerprint_count = tls->fingerprints_count };
	struct base_arena arena = { 0 };
	struct link_files files = {
		.profile = tls->profile,
		.certificate = file_of(doc, &arena, tls->certificate),
		.key = file_of(doc, &arena, tls->key),
		.anchors = files_of(doc, &arena, tls->anchors, tls->anchors_count),
	};
	int rc = 0;

	if (tls->fingerprints_count > PRINTS_MAX)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "more than %d fingerprints",
		                    PRINTS_MAX);
	for (unsigned i = 0; i < tls->fingerprints_count && !rc; i++)
		rc = print_read(tls->fingerprints[i], &prints[i], err);
	if (!rc)
		rc = link_new_files(ret, &files, &spec, err);
	base_arena_done(&arena);
	return rc;
}
