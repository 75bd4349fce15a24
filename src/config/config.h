/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * YAML to structs, with errors that name file, line, column, what was expected and the remedy.
 *
 * A folder describes its part of the file with libcyaml's schema macros and loads it with
 * config_load(). The schema settles keys, types and counts; what a schema cannot say (a duration,
 * two keys that exclude each other) the folder checks afterwards and names the place by its path,
 * as in `config_refuse(doc, err, "tls-domains[2].profile", "no profile is named '%s'", name)`.
 *
 * Everything here is for the start and the reload of a program: it allocates and reads files. No
 * state is kept between calls; any thread may call, one document belongs to one thread at a time.
 *
 * Refused whatever the schema says: files above 1 MiB, nesting deeper than 32, more than 100,000
 * values, anchors and aliases (the YAML bomb), a key that occurs twice, a second document.
 */
#ifndef GH_CONFIG_H
#define GH_CONFIG_H

#include <cyaml/cyaml.h>

#include "base/base.h"

/** A loaded file with the place of each of its values. Opaque. */
struct config_doc;

/**
 * Load `path` into a struct that `schema` describes.
 *
 * The top of a schema is a mapping behind a pointer (CYAML_VALUE_MAPPING with CYAML_FLAG_POINTER).
 * An empty file is an empty mapping: it passes when every field is optional, and `*ret` is then a
 * zeroed struct, never NULL.
 *
 * @param ret      the struct; the caller frees it with config_free() and the same schema
 * @param ret_doc  the places, for checks after the schema's; NULL when they are not wanted, else
 *                 the caller frees it with config_doc_free()
 * @param err      filled on failure: file, line, column and words; may be NULL
 * @return 0; BASE_CONFIG when the file cannot be read or says something wrong (detail: errno, or
 *         0); BASE_LOCAL when memory is short
 */
int config_load(const char *path, const cyaml_schema_value_t *schema, void **ret,
                struct config_doc **ret_doc, struct base_error *err);

/** As config_load(), from memory; `name` stands for the file in errors and in config_doc_file(). */
int config_load_text(const char *name, const char *data, size_t len,
                     const cyaml_schema_value_t *schema, void **ret, struct config_doc **ret_doc,
                     struct base_error *err);

/** Free what config_load() returned, with the schema it was loaded by. NULL is fine. */
void config_free(const cyaml_schema_value_t *schema, void *ptr);

/** Free the places. NULL is fine. */
void config_doc_free(struct config_doc *doc);

/** The file's path as it was given; borrowed from the document. */
const char *config_doc_file(const struct config_doc *doc);

/**
 * Where a value stands. `where` is a path of keys and indices from 0: "listen",
 * "tls-domains[2].profile"; "" is the whole document. A key's place is that of its value, which
 * for a plain `key: value` is the value's first character. Where the path leads past what the file
 * holds, the place is that of the deepest part that exists.
 *
 * @param ret_line,ret_column  count from 1; always set
 * @return 0, or BASE_CONFIG when only a part of the path exists
 */
int config_place(const struct config_doc *doc, const char *where, unsigned *ret_line,
                 unsigned *ret_column);

/**
 * Fill `err` with the place of `where` and the words.
 * @return BASE_ERR(BASE_CONFIG, 0), so that a check may end in `return config_refuse(...)`
 */
int config_refuse(const struct config_doc *doc, struct base_error *err, const char *where,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * A path in the file's values is relative to the file's folder, not to the working directory.
 * @return `name` when it is absolute, else the joined path; in `arena`, NULL when memory is short
 */
const char *config_doc_path(const struct config_doc *doc, const char *name,
                            struct base_arena *arena);

/** Read a file by no schema, within the limits above. @return as config_load() */
int config_doc_load(const char *path, struct config_doc **ret, struct base_error *err);

/** A value and where it stands ("tls-domains[0].trust.anchors[1]"); both valid during the call. */
typedef void config_value_fn(void *arg, const char *where, struct base_str text);
/** Tell every plain value of a document, in the file's order. */
void config_values(const struct config_doc *doc, config_value_fn *fn, void *arg);

/* -- scalars ------------------------------------------------------------------------------- */

/** "250ms", "10s", "5m", "1h", "7d"; "0" alone needs no unit. @return 0 or BASE_CONFIG. */
int config_duration_parse(struct base_str text, uint64_t *ret_ms);

/** Octets: "65536", "64KiB", "16MiB", "1GiB". @return 0 or BASE_CONFIG. */
int config_size_parse(struct base_str text, uint64_t *ret_octets);

/** A host (name or address, no brackets) and port; `transport` is "" where none was written. */
struct config_address {
	char host[256];
	uint16_t port;
	char transport[8];
};

/**
 * "127.0.0.1:2944", "[::1]:2944", "mgc.example:2944", with "udp:" or another lower-case word in
 * front where a transport is named ("tcp:127.0.0.1:2944"). Nothing is resolved.
 *
 * @param default_port  taken where the text names none; 0 = a port must be written
 * @return 0, or BASE_CONFIG
 */
int config_address_parse(struct base_str text, uint16_t default_port, struct config_address *ret);

/**
 * The same three for a value of a document: a NULL `text` (the key was left out) gives `fallback`,
 * a wrong one fills `err` with its place and with what was expected.
 */
int config_duration(const struct config_doc *doc, const char *where, const char *text,
                    uint64_t fallback_ms, uint64_t *ret_ms, struct base_error *err);
int config_size(const struct config_doc *doc, const char *where, const char *text,
                uint64_t fallback, uint64_t *ret_octets, struct base_error *err);
int config_address(const struct config_doc *doc, const char *where, const char *text,
                   uint16_t default_port, struct config_address *ret, struct base_error *err);

/**
 * Read a secret written as hex digits (white space around them is fine) from a file of its own; the
 * configuration names the file and never holds the secret. The file must not be readable by others
 * (mode & 007), and must be smaller than 64 KiB.
 *
 * @param ret  replaced on success, untouched on failure; the caller ends it with base_secret_done()
 * @return 0; BASE_CONFIG with the file's name and the remedy; BASE_LOCAL when memory is short
 */
int config_secret_read(const char *path, struct base_secret *ret, struct base_error *err);

/** The same for a password: the file's text, without the ends of line after it; at most 1024
 * octets, and none is for the caller to judge. */
int config_password_read(const char *path, struct base_secret *ret, struct base_error *err);

/** A whole file in memory, terminated beyond `len`; the caller frees `*ret` with free(). */
int config_file_read(const char *path, size_t max, char **ret, size_t *ret_len,
                     struct base_error *err);

/** The value of a word in a table as libcyaml has them. @return 0, or BASE_CONFIG. */
int config_enum_find(const cyaml_strval_t *table, size_t count, struct base_str word, int64_t *ret);

/** The word of a value, or "?". */
const char *config_enum_name(const cyaml_strval_t *table, size_t count, int64_t value);

/**
 * The word a person may have meant: collects candidates, keeps the nearest. All zero but `word` is
 * a valid start.
 */
struct config_guess {
	struct base_str word;
	const char *best; /**< borrowed from the caller; NULL while nothing is near enough */
	unsigned distance;
};

void config_guess_offer(struct config_guess *guess, const char *candidate);

/** Append "; did you mean 'x'?" when there is a near word, else nothing. */
void config_guess_print(const struct config_guess *guess, struct base_writer *w);

#endif
