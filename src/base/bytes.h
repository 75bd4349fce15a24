/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Bounds live here. A reader walks bytes it borrows; a writer appends to memory it owns. Both keep
 * a sticky failure, so a parser or encoder may check once at the end.
 */
#ifndef GH_BASE_BYTES_H
#define GH_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/** A cursor over borrowed bytes. */
struct base_reader {
	const uint8_t *at, *end;
	bool failed; /**< set by the first read past the end; every later read gives 0 / NULL */
};

static inline struct base_reader base_reader_of(const void *data, size_t len)
{
	return (struct base_reader){ (const uint8_t *)data,
		                     len ? (const uint8_t *)data + len : (const uint8_t *)data,
		                     false };
}
static inline size_t base_reader_left(const struct base_reader *r)
{
	return (size_t)(r->end - r->at);
}
/** Big-endian reads. 0 and `failed` when too few octets are left. */
uint8_t base_reader_u8(struct base_reader *r);
uint16_t base_reader_u16(struct base_reader *r);
uint32_t base_reader_u24(struct base_reader *r);
uint32_t base_reader_u32(struct base_reader *r);
uint64_t base_reader_u64(struct base_reader *r);
/** Borrow `len` octets and step past them; NULL and `failed` when too few are left. */
const uint8_t *base_reader_take(struct base_reader *r, size_t len);
/** A sub-cursor over the next `len` octets, which the caller must end exactly empty. */
struct base_reader base_reader_sub(struct base_reader *r, size_t len);
/** All of it read, and nothing read past it. */
static inline bool base_reader_done(const struct base_reader *r)
{
	return !r->failed && r->at == r->end;
}

/** Growing output. All zero is a valid empty writer with no limit. Owned by whoever declared it. */
struct base_writer {
	uint8_t *data;
	size_t len, cap;
	size_t limit; /**< refuse to grow beyond this many octets; 0 = no limit */
	bool failed;  /**< set when memory or the limit said no; later writes do nothing */
	bool fixed;   /**< `data` is the caller's: never grown, never freed */
	bool wipe;    /**< overwrite memory before it is freed: keys may be in it */
};

/** A writer over the caller's own memory; never allocates. */
static inline struct base_writer base_writer_over(void *data, size_t cap)
{
	return (struct base_writer){ .data = (uint8_t *)data, .cap = cap, .fixed = true };
}
/** Free the memory (unless it is the caller's) and make the writer empty; `wipe` stays. */
void base_writer_done(struct base_writer *w);
/** Forget the content and the failure, keep the memory. */
static inline void base_writer_reset(struct base_writer *w)
{
	w->len = 0;
	w->failed = false;
}
/** Room for `len` more octets at `data + len`; false and `failed` when there is none. */
bool base_writer_reserve(struct base_writer *w, size_t len);
void base_writer_put(struct base_writer *w, const void *data, size_t len);
void base_writer_u8(struct base_writer *w, uint8_t v);
/** Big-endian. */
void base_writer_u16(struct base_writer *w, uint16_t v);
void base_writer_u32(struct base_writer *w, uint32_t v);
static inline void base_writer_str(struct base_writer *w, struct base_str s)
{
	base_writer_put(w, s.ptr, s.len);
}
/** Append a terminated string. */
void base_writer_text(struct base_writer *w, const char *text);
void base_writer_printf(struct base_writer *w, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));
/** Terminate with a NUL that `len` does not count; "" when the writer has failed or is empty. */
const char *base_writer_cstr(struct base_writer *w);
/** What was written, borrowed until the next write. */
static inline struct base_str base_writer_view(const struct base_writer *w)
{
	return (struct base_str){ (const char *)w->data, w->len };
}

#endif
