/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/blob.h"

#include <errno.h>
#include <stdlib.h>

int fetch_blobs_add(struct fetch_blobs *blobs, enum fetch_what what, const void *data, size_t len)
{
	struct fetch_blob *more;
	uint8_t *copy;

	if (blobs->max_count && blobs->count >= blobs->max_count)
		return BASE_ERR(BASE_PEER, E2BIG);
	if (blobs->max_octets && len > blobs->max_octets - blobs->octets)
		return BASE_ERR(BASE_PEER, EFBIG);
	copy = malloc(len ? len : 1);
	if (!copy)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	more = reallocarray(blobs->at, blobs->count + 1, sizeof(*more));
	if (!more) {
		free(copy);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	if (len)
		memcpy(copy, data, len);
	blobs->at = more;
	blobs->at[blobs->count++] = (struct fetch_blob){ .what = what, .data = copy, .len = len };
	blobs->octets += len;
	return 0;
}

void fetch_blobs_done(struct fetch_blobs *blobs)
{
	for (size_t i = 0; i < blobs->count; i++)
		free(blobs->at[i].data);
	free(blobs->at);
	blobs->at = NULL;
	blobs->count = blobs->octets = 0;
}
