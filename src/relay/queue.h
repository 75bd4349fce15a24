/* SPDX-License-Identifier: Apache-2.0 */
/** @file Bytes that had to wait. */
#ifndef GH_RELAY_QUEUE_H
#define GH_RELAY_QUEUE_H

#include "base/base.h"

/** Memory only while there is something in it. All zero is empty. */
struct relay_queue {
	uint8_t *data;
	uint32_t at, len, cap; /**< `len` octets from `at` */
};
/** @return 0, or BASE_LOCAL ENOMEM with the queue as it was */
int relay_queue_put(struct relay_queue *queue, const void *data, size_t len);
/** Step past `len` octets; frees the memory with the last one. */
void relay_queue_take(struct relay_queue *queue, size_t len);
void relay_queue_done(struct relay_queue *queue);

#endif
