/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the BER encoder's parts share. Private to the codec.
 *
 * A constructed value is opened with room for a length of one octet and closed when its content is
 * there; a longer length moves the content by one or two octets. Nesting is bounded by the grammar,
 * so the work stays linear, and the code reads in the order of the ASN.1.
 */
#ifndef GH_H248_BER_OUT_H
#define GH_H248_BER_OUT_H

#include <endian.h>

#include "h248/ber.h"
#include "h248/message.h"
#include "h248/package.h"

/** Identifier octets: context tags of primitive and constructed values, and universal ones. */
#define TAG(n)       (0x80U | (n))
#define BOX(n)       (0xA0U | (n))
#define OUR_TAG(n)   (0xC0U | (n))
#define OUR_BOX(n)   (0xE0U | (n))
#define TAG_BOOLEAN  0x01U
#define TAG_INTEGER  0x02U
#define TAG_OCTETS   0x04U
#define TAG_ENUM     0x0AU
#define TAG_UTF8     0x0CU
#define TAG_IA5      0x16U
#define TAG_SEQUENCE 0x30U

struct ber_out {
	struct base_writer *w;    /**< its `len` is right only after ber_finish */
	uint8_t *at, *end;        /**< where to write, and up to where there is memory */
	uint8_t *data;            /**< the writer's; `none` when it could get none */
	uint8_t none;             /**< never written to */
	struct base_writer names; /**< the message's own list: IA5Strings, ready to be copied */
	unsigned name_count;
	uint8_t version;
	bool reply; /**< inside a reply */
	bool bad;   /**< the model holds what the binary form cannot carry */
	uint8_t names_room[512];
};

/* ---- octets ------------------------------------------------------------------------------ */

/** Before and after all the rest: from the writer's end on, and its length set. */
void ber_start(struct ber_out *o, struct base_writer *w);
void ber_finish(struct ber_out *o);
bool ber_grow(struct ber_out *o, size_t len);
/** Memory for `len` octets; false and the writer `failed` when there is none. */
static inline bool ber_reserve(struct ber_out *o, size_t len)
{
	return (size_t)(o->end - o->at) >= len || ber_grow(o, len);
}

/** Begin a constructed value; the result goes to ber_close. */
static inline size_t ber_begin(struct ber_out *o, unsigned tag)
{
	if (!ber_reserve(o, 2))
		return 0;
	o->at[0] = (uint8_t)tag;
	o->at += 2;
	return (size_t)(o->at - o->data);
}
/** Lengths of more than one octet. */
void ber_close_long(struct ber_out *o, size_t from);
static inline void ber_close(struct ber_out *o, size_t from)
{
	size_t len = (size_t)(o->at - o->data) - from;

	if (len < 128 && from)
		o->data[from - 1] = (uint8_t)len;
	else
		ber_close_long(o, from);
}

void ber_copy_long(uint8_t *to, const uint8_t *from, size_t len);
/** memmove without a call for what is short, as nearly everything here. */
static inline void ber_copy(uint8_t *to, const void *from, size_t len)
{
	const uint8_t *at = from;
	uint64_t first8, last8;
	uint32_t first4, last4;

	if (len > 16) {
		ber_copy_long(to, at, len);
	} else if (len >= 8) {
		memcpy(&first8, at, 8);
		memcpy(&last8, at + len - 8, 8);
		memcpy(to, &first8, 8);
		memcpy(to + len - 8, &last8, 8);
	} else if (len >= 4) {
		memcpy(&first4, at, 4);
		memcpy(&last4, at + len - 4, 4);
		memcpy(to, &first4, 4);
		memcpy(to + len - 4, &last4, 4);
	} else if (len) {
		uint8_t first = at[0], middle = at[len / 2], last = at[len - 1];

		to[0] = first;
		to[len / 2] = middle;
		to[len - 1] = last;
	}
}

/** Both that end here, of which the inner one began last. As ber_close for each, in one move. */
void ber_close2_long(struct ber_out *o, size_t inner, size_t outer);
static inline void ber_close2(struct ber_out *o, size_t inner, size_t outer)
{
	size_t len = (size_t)(o->at - o->data) - outer;

	if (len < 128 && inner) { /* 0 when there was no memory any more */
		o->data[outer - 1] = (uint8_t)len;
		o->data[inner - 1] = (uint8_t)(len - (inner - outer));
	} else {
		ber_close2_long(o, inner, outer);
	}
}

/** A string of any length. */
void ber_put_long(struct ber_out *o, unsigned tag, const void *data, size_t len);
static inline void ber_put(struct ber_out *o, unsigned tag, const void *data, size_t len)
{
	uint8_t *at;

	if (len >= 128) {
		ber_put_long(o, tag, data, len);
		return;
	}
	if (!ber_reserve(o, len + 2))
		return;
	at = o->at;
	at[0] = (uint8_t)tag;
	at[1] = (uint8_t)len;
	ber_copy(at + 2, data, len);
	o->at = at + 2 + len;
}
static inline void ber_put_str(struct ber_out *o, unsigned tag, struct base_str s)
{
	ber_put(o, tag, s.ptr, s.len);
}
/** Octets as they are: complete TLVs. */
static inline void ber_put_raw(struct ber_out *o, const void *data, size_t len)
{
	if (len && ber_reserve(o, len)) {
		ber_copy(o->at, data, len);
		o->at += len;
	}
}
/** The first `len` octets that `octets` has in memory. */
void ber_put_word(struct ber_out *o, unsigned tag, uint64_t octets, size_t len);
/** INTEGER or ENUMERATED, as short as can be; eight octets are written where there is room. */
static inline void ber_put_uint(struct ber_out *o, unsigned tag, uint32_t v)
{
	unsigned len = (32 - (unsigned)__builtin_clz(v | 1)) / 8 + 1;
	uint64_t octets = htobe64((uint64_t)v << (64 - 8 * len));
	uint8_t *at = o->at;

	if ((size_t)(o->end - at) < 10) {
		ber_put_word(o, tag, octets, len);
		return;
	}
	at[0] = (uint8_t)tag;
	at[1] = (uint8_t)len;
	memcpy(at + 2, &octets, 8);
	o->at = at + 2 + len;
}
/**
 * The same when `has`, as ber_put_bool_if and ber_put_null_if. Whether an optional field is there
 * cannot be foreseen, and a wrong guess costs more than to write in vain.
 */
static inline void ber_put_uint_if(struct ber_out *o, bool has, unsigned tag, uint32_t v)
{
	unsigned len = (32 - (unsigned)__builtin_clz(v | 1)) / 8 + 1;
	uint64_t octets = htobe64((uint64_t)v << (64 - 8 * len));
	uint8_t *at = o->at;

	if ((size_t)(o->end - at) < 10) {
		if (has)
			ber_put_word(o, tag, octets, len);
		return;
	}
	at[0] = (uint8_t)tag;
	at[1] = (uint8_t)len;
	memcpy(at + 2, &octets, 8);
	o->at = at + ((2 + len) & -(unsigned)has);
}
static inline void ber_put_bool(struct ber_out *o, unsigned tag, bool v)
{
	if (!ber_reserve(o, 3))
		return;
	o->at[0] = (uint8_t)tag;
	o->at[1] = 1;
	o->at[2] = v ? 0xFF : 0;
	o->at += 3;
}
static inline void ber_put_null(struct ber_out *o, unsigned tag)
{
	if (!ber_reserve(o, 2))
		return;
	o->at[0] = (uint8_t)tag;
	o->at[1] = 0;
	o->at += 2;
}
static inline void ber_put_bool_if(struct ber_out *o, bool has, unsigned tag, bool v)
{
	if ((size_t)(o->end - o->at) < 3) {
		if (has)
			ber_put_bool(o, tag, v);
		return;
	}
	o->at[0] = (uint8_t)tag;
	o->at[1] = 1;
	o->at[2] = v ? 0xFF : 0;
	o->at += 3 & -(unsigned)has;
}
static inline void ber_put_null_if(struct ber_out *o, bool has, unsigned tag)
{
	if ((size_t)(o->end - o->at) < 2) {
		if (has)
			ber_put_null(o, tag);
		return;
	}
	o->at[0] = (uint8_t)tag;
	o->at[1] = 0;
	o->at += 2 & -(unsigned)has;
}
/** A signed number of at most 64 bits. */
void ber_put_int(struct ber_out *o, unsigned tag, int64_t v);
/** A named BIT STRING without zero bits at its end; bit 0 of `bits` is bit 0. */
void ber_put_bits(struct ber_out *o, unsigned tag, unsigned bits);
void ber_put_extensions(struct ber_out *o, const struct h248_extension *ext);

/* ---- names, TerminationIDs --------------------------------------------------------------- */

/** PkgdName; the row of the item, or NULL when there is none. */
const struct h248_package_item *ber_put_pkgd(struct ber_out *o, unsigned tag,
                                             enum h248_package_kind kind, struct h248_name name);
void ber_put_package(struct ber_out *o, unsigned tag, struct base_str name);
const struct h248_package_param *ber_put_param_name(struct ber_out *o, unsigned tag,
                                                    const struct h248_package_item *item,
                                                    enum h248_package_list list,
                                                    struct base_str name);
void ber_put_digit_map_name(struct ber_out *o, unsigned tag, struct base_str name);
void ber_put_term(struct ber_out *o, unsigned tag, const struct h248_term *term);
/** TerminationIDList. */
void ber_put_terms(struct ber_out *o, unsigned tag, const struct h248_term *term);

/* ---- values ------------------------------------------------------------------------------ */

/** Value in [tag] and extraInfo in [tag + 1]. */
void ber_put_parm_value(struct ber_out *o, unsigned tag, const struct h248_package_values *values,
                        const struct h248_parm *parm);
/** Value alone. */
void ber_put_values(struct ber_out *o, unsigned tag, const struct h248_package_values *values,
                    const struct h248_value *v);
void ber_put_property(struct ber_out *o, unsigned tag, const struct h248_parm *parm);
void ber_put_properties(struct ber_out *o, unsigned tag, const struct h248_parm *parm);
void ber_put_asked(struct ber_out *o, unsigned tag, const struct h248_parm *parm);
void ber_put_params(struct ber_out *o, unsigned tag, const struct h248_package_item *item,
                    enum h248_package_list list, const struct h248_parm *parm);
/** Is there an octet above 7F? */
static inline bool ber_has_high(struct base_str s)
{
	uint64_t some = 0, word;
	size_t i = 0;

	for (; i + 8 <= s.len; i += 8) {
		memcpy(&word, s.ptr + i, 8);
		some |= word;
	}
	for (; i < s.len; i++)
		some |= (uint8_t)s.ptr[i];
	return (some & UINT64_MAX / 255 * 0x80) != 0;
}
/** IA5String or UTF8String. */
void ber_put_text(struct ber_out *o, struct base_str s);
/** A string wrapped twice, in an OCTET STRING. */
void ber_put_wrapped(struct ber_out *o, unsigned tag, struct base_str s);
/** LocalRemoteDescriptor, or (`audit`) IndAudLocalRemoteDescriptor. */
void ber_put_sdp(struct ber_out *o, unsigned tag, struct base_str sdp, bool audit);

/* ---- descriptors ------------------------------------------------------------------------- */

void ber_put_media(struct ber_out *o, unsigned tag, const struct h248_media *m, bool audit);
void ber_put_modem(struct ber_out *o, unsigned tag, const struct h248_modem *md);
void ber_put_mux(struct ber_out *o, unsigned tag, const struct h248_mux *mx);
void ber_put_events(struct ber_out *o, unsigned tag, const struct h248_events *ev, bool second);
void ber_put_event_buffer(struct ber_out *o, unsigned tag, const struct h248_event_buffer *eb);
void ber_put_observed(struct ber_out *o, unsigned tag, const struct h248_observed_events *oe);
void ber_put_signals(struct ber_out *o, unsigned tag, const struct h248_signals *sg);
void ber_put_digit_map(struct ber_out *o, unsigned tag, const struct h248_digit_map *dm);
void ber_put_digit_map_value(struct ber_out *o, unsigned tag, const struct h248_digit_map *dm);
void ber_put_statistics(struct ber_out *o, unsigned tag, const struct h248_statistics *sa);
void ber_put_packages(struct ber_out *o, unsigned tag, const struct h248_packages *pg);
void ber_put_package_item(struct ber_out *o, unsigned tag, const struct h248_packages_item *item);
void ber_put_audit(struct ber_out *o, unsigned tag, const struct h248_audit *audit);
void ber_put_error(struct ber_out *o, unsigned tag, const struct h248_error *error);
void ber_put_services(struct ber_out *o, unsigned tag, const struct h248_services *sv, bool reply);
void ber_put_mid(struct ber_out *o, unsigned tag, const struct h248_mid *mid, bool address);
void ber_put_time(struct ber_out *o, unsigned tag, const struct h248_time *time);

void ber_put_action(struct ber_out *o, const struct h248_action *action);
void ber_put_command(struct ber_out *o, const struct h248_command *command);

#endif
