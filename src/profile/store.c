/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "profile/file.h"

/** Length of a chain of `extends:`. */
#define LAYERS_MAX   16
#define NAME_MAX_LEN 64

struct entry {
	struct base_node node;
	char name[NAME_MAX_LEN + 1];
	bool loading; /**< its file is being read: meeting it again is a cycle */
	struct profile profile;
	struct profile_file *file;
	struct base_arena arena;
};

struct profile_store {
	struct base_node entries;
	struct base_arena arena;
	const char **dir;
	size_t dirs, own; /**< the first `own` were added by the caller */
	bool isolated;
	unsigned loading; /**< files open at once, each extending the next */
};

static int out_of_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

/** Put a folder at `at`; those after it move up. `dir` lives in the store's arena. */
static int insert_dir(struct profile_store *store, size_t at, const char *dir)
{
	const char **dirs;

	if (!dir)
		return BASE_ERR(BASE_LOCAL, 0);
	dirs = base_arena_array(&store->arena, store->dirs + 1, sizeof(*dirs));
	if (!dirs)
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < store->dirs; i++)
		dirs[i < at ? i : i + 1] = store->dir[i];
	dirs[at] = dir;
	store->dir = dirs;
	store->dirs++;
	return 0;
}

/** Folders relative to the running program, so that a build tree and a moved installation work. */
static int add_beside_program(struct profile_store *store)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;
	int rc;

	if (n <= 0)
		return 0; /* no /proc: the configured folder remains */
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	rc = insert_dir(store, store->dirs,
	                base_arena_printf(&store->arena, "%s/../profiles", exe));
	if (rc)
		return rc;
	return insert_dir(store, store->dirs,
	                  base_arena_printf(&store->arena, "%s/../share/gatehouse/profiles", exe));
}

int profile_store_new(struct profile_store **ret)
{
	struct profile_store *store = calloc(1, sizeof(*store));
	int rc;

	if (!store)
		return BASE_ERR(BASE_LOCAL, 0);
	base_list_init(&store->entries);
	rc = add_beside_program(store);
	if (!rc)
		rc = insert_dir(store, store->dirs, GATEHOUSE_PROFILE_DIR);
	if (rc) {
		profile_store_free(store);
		return rc;
	}
	*ret = store;
	return 0;
}

static void entry_free(struct entry *entry)
{
	config_free(&profile_file_schema, entry->file);
	base_arena_done(&entry->arena);
	base_list_remove(&entry->node);
	free(entry);
}

void profile_store_free(struct profile_store *store)
{
	if (!store)
		return;
	BASE_LIST_EACH(&store->entries, node, after)
	entry_free(BASE_CONTAINER_OF(node, struct entry, node));
	base_arena_done(&store->arena);
	free(store);
}

int profile_store_dir(struct profile_store *store, const char *dir)
{
	int rc = insert_dir(store, store->own, base_arena_dup(&store->arena, base_str_of(dir)));

	if (!rc)
		store->own++;
	return rc;
}

void profile_store_isolate(struct profile_store *store)
{
	store->isolated = true;
}

static size_t dirs_in_use(const struct profile_store *store)
{
	return store->isolated ? store->own : store->dirs;
}

/** A name is a file's name without its folder, so that none leads elsewhere. */
static bool name_looks_right(const char *name)
{
	size_t len = strlen(name);

	return len && len <= NAME_MAX_LEN && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

static struct entry *find_entry(struct profile_store *store, const char *name)
{
	BASE_LIST_EACH(&store->entries, node, after)
	{
		struct entry *entry = BASE_CONTAINER_OF(node, struct entry, node);

		if (!strcmp(entry->name, name))
			return entry;
	}
	return NULL;
}

static int refuse_unknown(struct profile_store *store, const char *name, struct base_error *err)
{
	struct config_guess guess = { .word = base_str_of(name) };
	struct base_arena arena = { .chunk = NULL };
	struct base_error sized;
	char text[sizeof(sized.text)];
	struct base_writer w = base_writer_over(text, sizeof(text));
	const char **names;
	size_t count;

	base_writer_printf(&w, "no profile is called '%.64s'", name);
	if (!profile_store_list(store, &arena, &names, &count)) {
		for (size_t i = 0; i < count; i++)
			config_guess_offer(&guess, names[i]);
	}
	config_guess_print(&guess, &w);
	if (!guess.best) {
		for (size_t i = 0; i < dirs_in_use(store); i++)
			base_writer_printf(&w, "%s%s", i ? ", " : "; looked in ", store->dir[i]);
	}
	base_arena_done(&arena);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", base_writer_cstr(&w));
}

/** The file of that name in the first folder that has it; NULL without one or without memory. */
static const char *find_file(const struct profile_store *store, const char *name,
                             struct base_arena *arena)
{
	for (size_t i = 0; i < dirs_in_use(store); i++) {
		const char *path = base_arena_printf(arena, "%s/%s.yaml", store->dir[i], name);

		if (path && !access(path, R_OK))
			return path;
	}
	return NULL;
}

/** The profile that a file extends. Its own errors keep their own place. */
static int find_base(struct profile_store *store, const struct profile_file *file,
                     const struct config_doc *doc, const struct profile **ret,
                     struct base_error *err)
{
	unsigned line, column;

	if (!file->extends)
		return 0;
	if (store->loading >= LAYERS_MAX)
		return config_refuse(doc, err, "extends", "a chain of more than %d profiles",
		                     LAYERS_MAX);
	(void)config_place(doc, "extends", &line, &column); /* it is there */
	base_error_place(err, config_doc_file(doc), line, column);
	return profile_store_find(store, file->extends, ret, err);
}

static int expand(struct profile_store *store, struct entry *entry, const struct config_doc *doc,
                  struct base_error *err)
{
	const struct profile *base = NULL;
	int rc;

	if (strcmp(entry->file->name, entry->name))
		return config_refuse(doc, err, "name",
		                     "the file's name says '%s', this says '%.64s'", entry->name,
		                     entry->file->name);
	rc = find_base(store, entry->file, doc, &base, err);
	if (!rc)
		rc = profile_file_expand(entry->file, doc, base, &entry->arena, &entry->profile,
		                         err);
	if (rc)
		return rc;
	entry->profile.file = base_arena_dup(&entry->arena, base_str_of(config_doc_file(doc)));
	return entry->profile.file ? 0 : out_of_memory(err);
}

/** An entry from a file (`data` NULL: read `file`) or from memory; in the list while it loads. */
static int load(struct profile_store *store, const char *name, const char *file, const char *data,
                size_t len, const struct profile **ret, struct base_error *err)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct config_doc *doc = NULL;
	void *loaded = NULL;
	int rc;

	if (!entry)
		return out_of_memory(err);
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->loading = true;
	base_list_append(&store->entries, &entry->node);
	store->loading++;
	if (data)
		rc = config_load_text(file, data, len, &profile_file_schema, &loaded, &doc, err);
	else
		rc = config_load(file, &profile_file_schema, &loaded, &doc, err);
	entry->file = loaded;
	if (!rc)
		rc = expand(store, entry, doc, err);
	config_doc_free(doc);
	store->loading--;
	if (rc) {
		entry_free(entry);
		return rc;
	}
	entry->loading = false;
	*ret = &entry->profile;
	return 0;
}

int profile_store_find(struct profile_store *store, const char *name, const struct profile **ret,
                       struct base_error *err)
{
	struct base_arena arena = { .chunk = NULL };
	struct base_error before = { .rc = 0 };
	struct entry *entry;
	const char *file;
	int rc;

	if (!name_looks_right(name))
		return base_error_set(
		        err, BASE_ERR(BASE_CONFIG, 0),
		        "'%.64s' is no profile's name; it has the letters a-z, digits "
		        "and - _ . only",
		        name);
	entry = find_entry(store, name);
	if (entry && entry->loading)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%s' in the end extends itself", name);
	if (entry) {
		*ret = &entry->profile;
		return 0;
	}
	if (err)
		before = *err;
	file = find_file(store, name, &arena);
	rc = file ? load(store, name, file, NULL, 0, ret, err) : refuse_unknown(store, name, err);
	base_arena_done(&arena);
	if (err && !rc)
		*err = before; /* what goes wrong next does so elsewhere */
	return rc;
}

int profile_store_text(struct profile_store *store, const char *name, const char *data, size_t len,
                       const struct profile **ret, struct base_error *err)
{
	if (!name_looks_right(name) || find_entry(store, name))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%.64s' is no profile's name, or is taken", name);
	return load(store, name, name, data, len, ret, err);
}

static int list_dir(const char *dir, struct base_arena *arena, const char **names, size_t cap,
                    size_t *count)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return 0; /* a folder of the list may be absent */
	while (!rc && *count < cap && (e = readdir(d))) {
		size_t len = strlen(e->d_name);
		char *name;

		if (len < 6 || strcmp(e->d_name + len - 5, ".yaml"))
			continue;
		name = base_arena_dup(arena, (struct base_str){ e->d_name, len - 5 });
		if (!name)
			rc = BASE_ERR(BASE_LOCAL, 0);
		else if (name_looks_right(name))
			names[(*count)++] = name;
	}
	(void)closedir(d); /* nothing was written */
	return rc;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int profile_store_list(const struct profile_store *store, struct base_arena *arena,
                       const char ***ret, size_t *ret_count)
{
	static const size_t cap = 1024;
	const char **names = base_arena_array(arena, cap, sizeof(*names));
	size_t count = 0, kept = 0;
	int rc = names ? 0 : BASE_ERR(BASE_LOCAL, 0);

	for (size_t i = 0; i < dirs_in_use(store) && !rc; i++)
		rc = list_dir(store->dir[i], arena, names, cap, &count);
	if (rc)
		return rc;
	qsort(names, count, sizeof(*names), name_order);
	for (size_t i = 0; i < count; i++) {
		if (!kept || strcmp(names[kept - 1], names[i]))
			names[kept++] = names[i];
	}
	*ret = names;
	*ret_count = kept;
	return 0;
}

const struct profile_rule *profile_rule_next(const struct profile *profile,
                                             const struct profile_rule *after,
                                             enum profile_subject subject, const char *item)
{
	const struct profile_rule *rule = after ? after + 1 : profile->rule;

	for (; rule < profile->rule + profile->rule_count; rule++) {
		if (rule->subject == subject && (!item || !strcmp(rule->item, item)))
			return rule;
	}
	return NULL;
}
