/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Users of the store, by lines of words: from the control socket of a KMS that runs, or from the
 * tool that has the store itself. Private to this folder.
 *
 *   add id=ID [psk=HEX] [psk-id=ID] [cert=HEX] [tpk=HEX] [tpk-id=ID] [replace]
 *   remove id=ID
 *   list
 *
 * ID is TYPE:HEX, TYPE uri, nai or bytes. The answer is lines: `user ...` for each of a list, and
 * `ok` or `error TEXT` at its end.
 */
#ifndef GH_KMSD_USERS_H
#define GH_KMSD_USERS_H

#include "kms/kms.h"

/** Do what the line says; the answer is appended to `out`. @return whether it was done */
bool kmsd_users_do(struct kms_store *store, struct base_str line, struct base_writer *out);

/** "uri:HEX" of an identity as people write it: "nai:NAME", "bytes:HEX", "uri:NAME", or NAME alone,
 * which is a URI. @return 0, BASE_CONFIG */
int kmsd_id_write(struct base_writer *out, const char *key, const char *text,
                  struct base_error *err);
/** The inverse of TYPE:HEX: as people write it. @return false: it is none */
bool kmsd_id_print(struct base_writer *out, struct base_str word);
/** " KEY=HEX" */
void kmsd_hex_write(struct base_writer *out, const char *key, const void *data, size_t len);

#endif
