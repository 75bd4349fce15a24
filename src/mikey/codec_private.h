/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside the codec: a chain under way, and its payloads. */
#ifndef GH_MIKEY_CODEC_PRIVATE_H
#define GH_MIKEY_CODEC_PRIVATE_H

#include "mikey/codec.h"

struct mikey_decoder {
	struct base_arena *arena;
	struct base_error *err;
	const uint8_t *begin; /**< of the whole input, for places */
	unsigned depth;       /**< chains inside chains */
	uint8_t only;         /**< the one type that may come; 0 = any */
};

/** Refuse: `BASE_PEER` with `error_no`, told with the place. Hands back the result. */
int mikey_refuse(struct mikey_decoder *d, const uint8_t *at, unsigned error_no, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));
/** A payload that ends too early, by its clause. */
int mikey_short(struct mikey_decoder *d, const uint8_t *at, const char *what, const char *clause);
int mikey_no_memory(struct base_error *err);

/** Payloads from type `first` on, to the one that says it is the last; `r` stands after it. */
int mikey_chain_read(struct mikey_decoder *d, uint8_t first, struct base_reader *r,
                     struct mikey_payload **ret);
/** A chain that must use up `data`. */
int mikey_chain_whole(struct mikey_decoder *d, uint8_t first, struct mikey_octets data,
                      struct mikey_payload **ret);
/** The fields of one payload after "next payload"; p->type is set. */
int mikey_payload_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p);
/** TP and TICKET, likewise. */
int mikey_ticket_read(struct mikey_decoder *d, struct base_reader *r, struct mikey_payload *p);

/** `len` octets borrowed from `r`. */
static inline struct mikey_octets mikey_take(struct base_reader *r, size_t len)
{
	const uint8_t *at = base_reader_take(r, len);

	return (struct mikey_octets){ at, at ? len : 0 };
}

/** Octets after their length of `width` octets (1 or 2); fails the writer if they are too many. */
void mikey_put_counted(struct base_writer *w, unsigned width, struct mikey_octets o);
static inline void mikey_put(struct base_writer *w, struct mikey_octets o)
{
	base_writer_put(w, o.at, o.len);
}
/** The fields of one payload after "next payload". @return 0, or BASE_BUG. */
int mikey_payload_write(struct base_writer *w, const struct mikey_payload *p);

#endif
