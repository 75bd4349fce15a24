/* SPDX-License-Identifier: Apache-2.0 */
/** @file A line of commands in its words; private to this folder. Pure. */
#ifndef GH_UE_WORDS_H
#define GH_UE_WORDS_H

#include "base/base.h"

#define UE_WORDS_MAX 64

/** The words of one line, in the caller's arena. */
struct ue_words {
	const char *word[UE_WORDS_MAX];
	bool text[UE_WORDS_MAX]; /**< begun by a quote, or `$name`: never a `key=value` */
	size_t count;
};

/** What stands for `$name`; NULL when nothing does. */
typedef const char *ue_lookup_fn(void *arg, const char *name);

/**
 * Split a line at blanks. "..." keeps blanks, with \n, \t, \" and \\ in it; '...' keeps all. A word
 * that begins with # ends the line. An unquoted word `$name`, or `key=$name`, gets its value.
 * @param lookup  NULL: no word is replaced
 * @return 0; BASE_CONFIG: a quote is open, a name is unknown, too many words; BASE_LOCAL
 */
int ue_words_split(struct base_arena *arena, struct base_str line, ue_lookup_fn *lookup, void *arg,
                   struct ue_words *ret, struct base_error *err);
/** Take `key=value`, as the line has it, out of the words. @return its value; NULL when there is
 * none */
const char *ue_words_take(struct ue_words *words, const char *key);
/** Is it a sip, sips or tel URI, so that nothing in it ends a header or its brackets? */
bool ue_words_uri(const char *text);
/** Does a text fit a pattern, in which each `*` stands for any octets? */
bool ue_glob(const char *pattern, struct base_str text);
/** "1,2,3". @return 0, BASE_CONFIG when it is no list of at most `cap` numbers */
int ue_numbers(const char *text, uint16_t *out, size_t cap, size_t *ret_count);

#endif
