/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Profiles by name: where their files are sought, how one extends another, how two differ.
 */
#ifndef GH_PROFILE_STORE_H
#define GH_PROFILE_STORE_H

#include "base/base.h"
#include "profile/registry.h"
#include "profile/rule.h"

/** A profile with all it inherits. */
struct profile {
	const char *name;                /**< "ts33203-annex-o" */
	const char *title;               /**< one line */
	const char *document;            /**< "TS 33.203" */
	const char *clause;              /**< "Annex O" */
	const char *release;             /**< "Rel-17", "seed" */
	const char *extends;             /**< the base's name, or NULL */
	const char *file;                /**< where it was read from */
	const struct profile_rule *rule; /**< inherited ones first; in the order of the files */
	size_t rule_count;
	/** The profile's order; what is not listed comes after, in the order of the rules. */
	struct profile_codes suite_precedence, group_precedence, signature_precedence;
	unsigned layers;   /**< length of the `extends:` chain, 1 for a root */
	bool certificates; /**< rules of certificates and CRLs, not of TLS */
};

/** Folders to look in and what has been loaded from them. Opaque; not thread safe. */
struct profile_store;

/**
 * A store that looks for `NAME.yaml` in the added folders, the first added first, then beside the
 * running program (`../profiles` for one in a build tree, `../share/gatehouse/profiles` for one
 * installed) and at last in the folder the build was configured to install to.
 * @return 0, or BASE_LOCAL
 */
int profile_store_new(struct profile_store **ret);
/** Free the store and every profile it handed out. NULL is fine. */
void profile_store_free(struct profile_store *store);
/** Add a folder to look in (copied). @return 0, or BASE_LOCAL. */
int profile_store_dir(struct profile_store *store, const char *dir);
/** Look only in the added folders. For tests, and for who trusts nothing else. */
void profile_store_isolate(struct profile_store *store);

/**
 * The profile of that name, loading it and what it extends at the first call.
 *
 * @param ret  borrowed from the store
 * @return 0; BASE_CONFIG with place and remedy (no such profile, a wrong file, a cycle of
 *         `extends:`); BASE_LOCAL when memory is short
 */
int profile_store_find(struct profile_store *store, const char *name, const struct profile **ret,
                       struct base_error *err);

/**
 * Names of the profiles that the folders hold, sorted, each once; the array and the names live in
 * `arena`. Files are not opened. Profiles of certificates begin with "cert-" and no others do.
 * @return 0, or BASE_LOCAL
 */
int profile_store_list(const struct profile_store *store, struct base_arena *arena,
                       const char ***ret, size_t *ret_count);

/**
 * Load a profile from memory as if it were the file `name`; what it extends is sought in the store.
 * For tests and fuzzing. The same errors as profile_store_find().
 */
int profile_store_text(struct profile_store *store, const char *name, const char *data, size_t len,
                       const struct profile **ret, struct base_error *err);

/** The rules about one subject and item, strongest layer last; NULL `item` = every item. */
const struct profile_rule *profile_rule_next(const struct profile *profile,
                                             const struct profile_rule *after,
                                             enum profile_subject subject, const char *item);

/** One line of a comparison: an item about which two profiles say different things. */
struct profile_diff_row {
	enum profile_subject subject;
	const char *item;
	enum profile_when when;
	const struct profile_rule *a, *b; /**< NULL where that profile says nothing */
};

/**
 * What differs: strength, value or default of an item, or that only one speaks of it. Where the
 * other profile does not name the item, its rule against a class that holds it is what it says.
 * Rows are in the order of subjects, then of A's rules, then of B's.
 *
 * @param arena  owns the rows; rules are borrowed from the profiles
 * @return 0, or BASE_LOCAL
 */
int profile_diff(const struct profile *a, const struct profile *b, struct base_arena *arena,
                 struct profile_diff_row **ret, size_t *ret_count);

#endif
