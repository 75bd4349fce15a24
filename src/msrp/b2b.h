/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The relay between two sessions that knows MSRP: each side has a session with us, by our URI
 * there, so paths are rewritten. Requests are answered hop by hop, failures on the far side come
 * back as REPORTs, as with the relays of RFC 4976, 6.4 (whose paths it has not: RFC 6714, 6.2 calls
 * it a B2BUA). Chunks are cut anew, and a side that does not take holds the other's input. One
 * thread.
 */
#ifndef GH_MSRP_B2B_H
#define GH_MSRP_B2B_H

#include "msrp/message.h"
#include "msrp/out.h"

struct msrp_b2b;

struct msrp_b2b_side {
	struct base_str own;  /**< our URI that this side was given; copied */
	struct base_str peer; /**< its path; copied */
};

/** 0 stands for the default that is told. */
struct msrp_b2b_spec {
	struct msrp_b2b_side side[2];
	size_t messages;   /**< of one side under way: 64 */
	size_t window;     /**< octets that wait for a side before the other is held: 256 KiB */
	uint64_t chunk_ms; /**< between two chunks of a message: 540000 */
	/** There is something to take for a side, or it may be read again. Must not call back. */
	void (*wake)(void *arg, unsigned side);
	void *arg;
};

int msrp_b2b_new(struct msrp_b2b **ret, const struct msrp_b2b_spec *spec, struct base_error *err);
/** NULL is fine. */
void msrp_b2b_free(struct msrp_b2b *b);

/**
 * Octets of a side's connection; what was read is taken off `in`, what is left is to come again.
 * @return 0, or an error: this stream has to end
 */
int msrp_b2b_input(struct msrp_b2b *b, unsigned side, struct base_str *in, uint64_t now_ms,
                   struct base_error *err);
/** What goes to a side. */
size_t msrp_b2b_take(struct msrp_b2b *b, unsigned side, void *buf, size_t cap, uint64_t now_ms);
/** SEND requests (chunks) that came from a side, and that went to it. */
void msrp_b2b_counts(const struct msrp_b2b *b, unsigned side, uint64_t *ret_in, uint64_t *ret_out);
void msrp_b2b_tick(struct msrp_b2b *b, uint64_t now_ms);
/** When msrp_b2b_tick wants to be called, or MSRP_NEVER. */
uint64_t msrp_b2b_due(const struct msrp_b2b *b);

#endif
