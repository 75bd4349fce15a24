/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A message that comes in: put together in whatever order its octets come, the first of them in
 * memory, the rest in a file without a name; in the end kept as a file. Private to this folder.
 */
#ifndef GH_UE_PARCEL_H
#define GH_UE_PARCEL_H

#include "ue/hash.h"

#define UE_PARCEL_HEAD 65536U /**< octets that stand in memory; a text has no more */

/** Where messages go. */
struct ue_inbox {
	const char *folder;  /**< NULL: nothing beyond UE_PARCEL_HEAD is taken, nothing is kept */
	uint64_t octets_max; /**< of a message; 0 = 1 GiB */
};

struct ue_parcel;

/** @param inbox  borrowed. @return 0 or BASE_LOCAL */
int ue_parcel_new(struct ue_parcel **ret, const struct ue_inbox *inbox);
/** What was not kept is gone. NULL is fine. */
void ue_parcel_free(struct ue_parcel *parcel);
/** Octets at a place. @return 0; BASE_PEER: more than we take; BASE_LOCAL: the disk is full */
int ue_parcel_put(struct ue_parcel *parcel, uint64_t at, struct base_str data);
/** The first octets, as far as they are in memory. */
struct base_str ue_parcel_head(const struct ue_parcel *parcel);

/**
 * Keep octets `from` on as a new file of the folder.
 *
 * @param name    as the sender calls it: nothing of it but letters, digits, `.`, `-` and `_` is
 *                used, and another name where there is such a file already
 * @param path    gets the file's path, `cap` octets
 * @param sha256  gets its hash as lower-case digits
 * @return 0; BASE_CONFIG: the file cannot be made, or there is no folder; BASE_LOCAL
 */
int ue_parcel_keep(struct ue_parcel *parcel, uint64_t from, struct base_str name, char *path,
                   size_t cap, char sha256[UE_SHA256_TEXT], struct base_error *err);

#endif
