/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "relay/queue.h"

/* Make room for `len` octets behind those there are. */
static int grow(struct relay_queue *queue, size_t len)
{
	size_t cap = queue->cap ? queue->cap : 4096;
	uint8_t *data;

	while (cap < queue->len + len)
		cap *= 2;
	if (cap > UINT32_MAX)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	data = malloc(cap);
	if (!data)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (queue->len)
		memcpy(data, queue->data + queue->at, queue->len);
	free(queue->data);
	queue->data = data;
	queue->cap = (uint32_t)cap;
	queue->at = 0;
	return 0;
}

int relay_queue_put(struct relay_queue *queue, const void *data, size_t len)
{
	if (!len)
		return 0;
	if ((size_t)queue->at + queue->len + len > queue->cap) {
		int rc = grow(queue, len);

		if (rc)
			return rc;
	}
	memcpy(queue->data + queue->at + queue->len, data, len);
	queue->len += (uint32_t)len;
	return 0;
}

void relay_queue_take(struct relay_queue *queue, size_t len)
{
	queue->at += (uint32_t)len;
	queue->len -= (uint32_t)len;
	if (!queue->len)
		relay_queue_done(queue);
}

void relay_queue_done(struct relay_queue *queue)
{
	free(queue->data);
	*queue = (struct relay_queue){ 0 };
}
