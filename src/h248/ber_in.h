/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The BER decoder's cursor and the small things every part of it reads. Private to the codec.
 *
 * Readers return false after having recorded the first fault in the parser; the straight line is
 * the happy path. A constructed value is a box: it is opened when its header has been read, and its
 * fields are then walked with ber_field (SEQUENCE) or ber_element (SEQUENCE OF) until these say
 * that it has ended, which closes it. So nothing is read twice, whether its length is definite or
 * not, and each length is checked against the box around it as soon as it is read.
 */
#ifndef GH_H248_BER_IN_H
#define GH_H248_BER_IN_H

#include <endian.h>

#include "h248/ber.h"
#include "h248/errors.h"
#include "h248/message.h"
#include "h248/package.h"

/** Universal tags of X.690 that are met here. */
enum {
	BER_BOOLEAN = 0x01,
	BER_INTEGER = 0x02,
	BER_OCTET_STRING = 0x04,
	BER_ENUMERATED = 0x0A,
	BER_UTF8_STRING = 0x0C,
	BER_SEQUENCE = 0x10,
	BER_IA5_STRING = 0x16,
};

/** Classes, as in the two high bits of the identifier octet. */
enum { BER_UNIVERSAL = 0, BER_CONTEXT = 2, BER_PRIVATE = 3 };

/** What ber_field returns beside the numbers of context tags. */
enum { BER_END = -1, BER_FAIL = -2, BER_OTHER = 1 << 24, BER_OURS = 1 << 25 };

/** Nesting of indefinite lengths in what is skipped, and of constructed strings. */
#define BER_DEPTH  32
#define BER_FRAMES 24

/** Length of a value whose end is marked (X.690, 8.1.3.6). */
#define BER_INDEFINITE SIZE_MAX

struct ber_header {
	const uint8_t *from;  /**< the identifier octet */
	size_t len;           /**< of the content, or BER_INDEFINITE */
	uint32_t long_number; /**< of a tag of more than one octet */
	uint8_t id;           /**< identifier octet: class, constructed, number */
};

/** A step of the path to a fault, filled in while unwinding. */
struct ber_frame {
	const char *name;
	int index; /**< -1: none */
};

struct ber_parser {
	const uint8_t *at, *limit, *start, *end;
	struct ber_header h; /**< of the element at hand */
	struct base_arena *arena;
	uint32_t items_left;
	uint32_t transactions_left;
	unsigned max_depth;
	uint8_t version;
	bool contain;
	bool reply;           /**< inside a reply */
	bool cut;             /**< an outer length runs past the input (contain only) */
	bool clipped;         /**< so does that of the frame whose header was read last */
	bool ended;           /**< the end of a broken transaction was not found */
	int transaction;      /**< index of the one at hand */
	uint16_t syntax_code; /**< code of a syntax error at this level */
	/* texts for numbers of this message's own list (docs/h248-ber.md) */
	const struct base_str *names;
	unsigned name_count;

	/* The first fault since ber_fault_new. */
	uint16_t code;
	bool local;
	bool out_of_memory;
	const uint8_t *fault_at;
	const char *expected;
	struct ber_frame frames[BER_FRAMES];
	unsigned frame_count;
};

struct ber_box {
	const uint8_t *end;   /**< that of the message's start, behind us: indefinite */
	const uint8_t *outer; /**< the limit around it */
	uint32_t seen;        /**< bits of the fields met, tags 0 to 30; 31: any of more */
	int last;             /**< number of the last field, if that is more than 30 */
};

/* ---- faults ------------------------------------------------------------------------------ */

/** Record a fault unless there is one already. Always false. */
bool ber_fail(struct ber_parser *p, unsigned code, const uint8_t *at, const char *expected)
        __attribute__((cold));
/** A syntax error at the element at hand, with the code of this level. */
bool ber_expected(struct ber_parser *p, const char *expected) __attribute__((cold));
bool ber_fail_memory(struct ber_parser *p) __attribute__((cold));
/** Add a step to the path of the fault. Always false. */
bool ber_in(struct ber_parser *p, const char *name, int index) __attribute__((cold));
/** Make the fault report of what was recorded, and forget the record. NULL when out of memory. */
struct h248_fault *ber_fault_new(struct ber_parser *p, enum h248_fault_level level);

/** `ok`, naming the field when it is false. */
#define BER_AT(p, name, ok) ((ok) || ber_in((p), (name), -1))

/* ---- memory ------------------------------------------------------------------------------ */

/** Up to this size a node is zeroed in line; a loop there would crowd the branch predictor. */
#define BER_SMALL_NODE 128
/** memset by its function. */
void *ber_zero(void *node, size_t size);

/** One zeroed node; as text_node. */
static inline void *ber_node(struct ber_parser *p, size_t size)
{
	struct base_arena *a = p->arena;
	void *node;

	size = (size + 15) & ~(size_t)15;
	if (p->items_left == 0) {
		(void)ber_fail_memory(p);
		return NULL;
	}
	p->items_left--;
	if ((size_t)(a->end - a->at) >= size && (!a->limit || a->limit - a->used >= size)) {
		node = a->at;
		a->at += size;
		a->used += size;
		return size > BER_SMALL_NODE ? ber_zero(node, size) : memset(node, 0, size);
	}
	node = base_arena_alloc(a, size);
	if (!node)
		(void)ber_fail_memory(p);
	return node;
}
#define BER_NEW(p, type) ((type *)ber_node((p), sizeof(type)))

/** As ber_room, when the chunk at hand is too small. */
char *ber_room_slow(struct ber_parser *p, size_t size) __attribute__((cold));
/** Octets for a spelling, not zeroed; NULL with the fault recorded when memory is short. */
static inline char *ber_room(struct ber_parser *p, size_t size)
{
	struct base_arena *a = p->arena;
	size_t whole = (size + 15) & ~(size_t)15;
	char *room = a->at;

	if (size > SIZE_MAX / 2 || (size_t)(a->end - a->at) < whole ||
	    (a->limit && a->limit - a->used < whole))
		return ber_room_slow(p, size);
	a->at += whole;
	a->used += whole;
	return room;
}

/* ---- headers and boxes ------------------------------------------------------------------- */

/** Long tags, long and indefinite lengths. */
bool ber_header_slow(struct ber_parser *p) __attribute__((cold));

/** Read identifier and length octets into p->h; the content must end before the limit. */
static inline bool ber_header(struct ber_parser *p)
{
	const uint8_t *at = p->at;
	size_t left = (size_t)(p->limit - at), len, head = 2;

	if (left < 2 || (at[0] & 0x1F) == 0x1F)
		return ber_header_slow(p);
	len = at[1];
	if (len > 0x7F) { /* the usual long ones */
		if (left < 4)
			return ber_header_slow(p);
		head = len == 0x81 ? 3 : 4;
		len = len == 0x81 ? at[2] : len == 0x82 ? (size_t)at[2] << 8 | at[3] : SIZE_MAX;
	}
	if (len > left - head)
		return ber_header_slow(p);
	p->h.from = at;
	p->h.id = at[0];
	p->h.len = len;
	p->at = at + head;
	return true;
}

static inline unsigned ber_class(const struct ber_parser *p)
{
	return p->h.id >> 6;
}
static inline bool ber_constructed(const struct ber_parser *p)
{
	return p->h.id & 0x20;
}
static inline uint32_t ber_number(const struct ber_parser *p)
{
	return (p->h.id & 0x1F) == 0x1F ? p->h.long_number : p->h.id & 0x1FU;
}

/** Open the element at hand, which must be constructed. */
static inline bool ber_open(struct ber_parser *p, struct ber_box *box)
{
	box->outer = p->limit;
	box->last = 0;
	box->seen = 0;
	box->end = p->start;
	if (!ber_constructed(p)) {
		(void)ber_expected(p, "a constructed value");
		return false;
	}
	if (p->h.len != BER_INDEFINITE)
		p->limit = box->end = p->at + p->h.len;
	return true;
}

/** As ber_more for an indefinite length inside the limit `outer`. */
bool ber_more_slow(struct ber_parser *p, const uint8_t *outer) __attribute__((cold));

/** Is there more in the box? False closes it, or p->code tells of a fault. */
static inline bool ber_more(struct ber_parser *p, struct ber_box *box)
{
	if (p->at < box->end)
		return true;
	if (p->at != box->end)
		return ber_more_slow(p, box->outer);
	p->limit = box->outer;
	return false;
}

/**
 * What ber_field returns for the element at hand, when the fields of `seen` were met before it, and
 * `last` of those that are more than 30.
 */
int ber_field_number(struct ber_parser *p, uint32_t seen, int last) __attribute__((cold));
/** As ber_field, for what is not of the usual form; the box is not changed. */
int ber_field_slow(struct ber_parser *p, const uint8_t *end, const uint8_t *outer, uint32_t seen,
                   int last) __attribute__((cold));

/** A field has been met. */
static inline void ber_met(struct ber_box *box, int number)
{
	if (number >= 0 && number < BER_OTHER) {
		box->last = number;
		box->seen |= 1U << BASE_MIN(number, 31);
	}
}

/**
 * The header when it is one octet of tag and a length below 65536, and the element fits into the
 * box, whose length is definite; p->at is then behind it. Else 0, and p->at stays. Nearly every
 * element is so, and boxes that are never handed on by address are kept in registers: that is what
 * makes the decoder fast.
 */
static inline unsigned ber_usual(struct ber_parser *p, const struct ber_box *box)
{
	const uint8_t *at = p->at;
	ptrdiff_t room = box->end - at; /* below zero when the length is indefinite */
	size_t left = (size_t)room, len, head = 2;

	if (room < 2)
		return 0;
	len = at[1];
	if (len > 0x7F) {
		if (left < 4 || len > 0x82 || len == 0x80)
			return 0;
		head = len - 0x80 + 2;
		len = len == 0x81 ? at[2] : (size_t)at[2] << 8 | at[3];
	}
	if (len > left - head)
		return 0;
	p->h.from = at;
	p->h.id = at[0];
	p->h.len = len;
	p->at = at + head;
	return at[0];
}

/** The number of a context tag of one octet; else 31 or more. */
static inline unsigned ber_context(unsigned id)
{
	return (id & 0xDF) ^ 0x80;
}

/** At the end of a box of definite length? Then close it. */
static inline bool ber_ended(struct ber_parser *p, const struct ber_box *box)
{
	if (p->at != box->end)
		return false;
	p->limit = box->outer;
	return true;
}

/** The bit of a context tag below 31, by its identifier octet, in `seen`; 0 for any other. */
extern const uint32_t ber_field_bits[256];

/** ber_field when the next field is of the usual form; else -1, and p->at stays. */
static inline int ber_field_usual(struct ber_parser *p, struct ber_box *box)
{
	const uint8_t *at = p->at;
	unsigned id = ber_usual(p, box);
	uint32_t bit = ber_field_bits[id];

	if (box->seen < bit) { /* then all of it are lower bits */
		box->seen |= bit;
		return (int)(id & 0x1F);
	}
	p->at = at;
	return -1;
}

/**
 * The next field of a SEQUENCE: the number of its context tag, with its header in p->h; fields
 * ascend. BER_END when the box has ended, BER_FAIL, BER_OURS + number for a private tag, BER_OTHER
 * for any other class.
 */
static inline int ber_field(struct ber_parser *p, struct ber_box *box)
{
	int number;

	if (ber_ended(p, box))
		return BER_END;
	number = ber_field_usual(p, box);
	if (number >= 0)
		return number;
	number = ber_field_slow(p, box->end, box->outer, box->seen, box->last);
	ber_met(box, number);
	return number;
}

/** As ber_element, for what is not of the usual form. */
bool ber_element_slow(struct ber_parser *p, const uint8_t *end, const uint8_t *outer, unsigned tag)
        __attribute__((cold));

/** The next element of a SEQUENCE OF type `tag` (universal); false at the end or on a fault. */
static inline bool ber_element(struct ber_parser *p, struct ber_box *box, unsigned tag)
{
	const uint8_t *at = p->at;

	if (ber_ended(p, box))
		return false;
	if ((ber_usual(p, box) & 0xDF) == tag)
		return true;
	p->at = at;
	return ber_element_slow(p, box->end, box->outer, tag);
}

/** As ber_choice, for what is not of the usual form. */
int ber_choice_slow(struct ber_parser *p, const uint8_t *end, const uint8_t *outer)
        __attribute__((cold));

/** The next element of a SEQUENCE OF CHOICE: number of its tag, BER_END, BER_FAIL, BER_OTHER. */
static inline int ber_choice(struct ber_parser *p, struct ber_box *box)
{
	const uint8_t *at = p->at;
	unsigned usual;

	if (ber_ended(p, box))
		return BER_END;
	usual = ber_context(ber_usual(p, box));
	if (usual < 31)
		return (int)usual;
	p->at = at;
	return ber_choice_slow(p, box->end, box->outer);
}

/** Was every field of `mask` there? Else a fault at `from`, the start of the value. */
static inline bool ber_need(struct ber_parser *p, const struct ber_box *box, uint32_t mask,
                            const uint8_t *from)
{
	return (box->seen & mask) == mask ||
	       ber_fail(p, p->syntax_code, from, "all fields that are not optional");
}

/** Open a component of type CHOICE, which is tagged explicitly: the alternative's number. */
static inline int ber_explicit(struct ber_parser *p, struct ber_box *box)
{
	int number;

	if (!ber_open(p, box))
		return BER_FAIL;
	number = ber_choice(p, box);
	if (number != BER_END)
		return number;
	(void)ber_fail(p, p->syntax_code, p->at, "one of the alternatives");
	return BER_FAIL;
}

/** Nothing may follow in the box; close it. */
static inline bool ber_done(struct ber_parser *p, struct ber_box *box)
{
	if (!ber_more(p, box))
		return !p->code;
	return ber_fail(p, p->syntax_code, p->at, "nothing behind the alternative");
}

/** Step over the element at hand. */
bool ber_skip(struct ber_parser *p) __attribute__((cold));
/** An unknown addition: skip it, and keep it in `list` (NULL: drop it). */
bool ber_extension(struct ber_parser *p, struct h248_extension **list) __attribute__((cold));
/** In a type without extension marker: a fault. */
bool ber_closed(struct ber_parser *p) __attribute__((cold));

/* ---- values ------------------------------------------------------------------------------ */

/**
 * As ber_uint, close to the end of the input and for faults; -1 for false. By value, so that
 * results need no memory.
 */
int64_t ber_uint_slow(struct ber_parser *p, uint32_t max) __attribute__((cold));
/** An INTEGER or ENUMERATED from 0 to `max`. */
static inline bool ber_uint(struct ber_parser *p, uint32_t max, uint32_t *ret)
{
	const uint8_t *at = p->at;
	size_t len = p->h.len;
	uint64_t v = 0;
	int64_t slow;

	if (p->end - at >= (ptrdiff_t)sizeof(v) && len - 1 < sizeof(v) && !ber_constructed(p)) {
		memcpy(&v, at, sizeof(v)); /* all lengths alike, since they come in no order */
		v = be64toh(v);
		if (!(v >> 63) && v >> (64 - 8 * len) <= max) {
			p->at = at + len;
			*ret = (uint32_t)(v >> (64 - 8 * len));
			return true;
		}
	}
	slow = ber_uint_slow(p, max);
	if (slow >= 0)
		*ret = (uint32_t)slow;
	return slow >= 0;
}
static inline bool ber_u16(struct ber_parser *p, uint16_t *ret)
{
	uint32_t v = 0;

	if (!ber_uint(p, 65535, &v))
		return false;
	*ret = (uint16_t)v;
	return true;
}
static inline bool ber_u8(struct ber_parser *p, uint32_t max, uint8_t *ret)
{
	uint32_t v = 0;

	if (!ber_uint(p, max, &v))
		return false;
	*ret = (uint8_t)v;
	return true;
}
bool ber_bool(struct ber_parser *p, bool *ret);
bool ber_tri(struct ber_parser *p, uint8_t *ret);
bool ber_null(struct ber_parser *p);
/** A string in pieces, put together in the arena; its ptr is NULL on a fault. */
struct base_str ber_string_slow(struct ber_parser *p) __attribute__((cold));
/** A string of any kind; constructed ones are put together in the arena. */
static inline bool ber_string(struct ber_parser *p, struct base_str *ret)
{
	if (ber_constructed(p)) {
		*ret = ber_string_slow(p);
		return ret->ptr != NULL;
	}
	*ret = (struct base_str){ (const char *)p->at, p->h.len };
	p->at += p->h.len;
	return true;
}
/** The same with a length between two bounds. */
static inline bool ber_sized(struct ber_parser *p, size_t min, size_t max, struct base_str *ret)
{
	const uint8_t *from = p->h.from;

	if (!ber_string(p, ret))
		return false;
	return (ret->len >= min && ret->len <= max) ||
	       ber_fail(p, p->syntax_code, from, "a string of its size");
}
/** A named BIT STRING of at most 16 known bits: bit 0 is the lowest of the result. */
bool ber_bits(struct ber_parser *p, uint16_t *ret);

/**
 * A private field may hold what text could not: check it, so that nothing else gets into text.
 * An `X-` or `X+` and one to six letters or digits.
 */
bool ber_extension_text(struct ber_parser *p, struct base_str *ret);

/* ---- names and values of packages (ber_names.c, ber_values.c) ---------------------------- */

bool ber_pkgd(struct ber_parser *p, enum h248_package_kind kind, struct h248_name *ret,
              const struct h248_package_item **ret_item);
/** The same of four octets that were read already. */
bool ber_pkgd_of(struct ber_parser *p, enum h248_package_kind kind, struct base_str octets,
                 struct h248_name *ret, const struct h248_package_item **ret_item);
bool ber_package_name(struct ber_parser *p, struct base_str *ret);
bool ber_digit_map_name(struct ber_parser *p, struct base_str *ret);
bool ber_term(struct ber_parser *p, struct h248_term *ret);
bool ber_terms(struct ber_parser *p, struct h248_term *first);
bool ber_term_list(struct ber_parser *p, struct h248_term **ret);

/** Append `parm` to `*list` unless the name is there already (456), or the list is too long. */
bool ber_parm_append(struct ber_parser *p, struct h248_parm **list, struct h248_parm ***tail,
                     unsigned *count, struct h248_parm *parm, const uint8_t *from);
/** PropertyParm. */
bool ber_property(struct ber_parser *p, struct h248_parm *parm);
/** extraInfo, a value list (which leaves EQUAL or NONE as form), and what both mean together. */
bool ber_extra(struct ber_parser *p, uint8_t *form);
bool ber_value_list(struct ber_parser *p, const struct h248_package_values *values,
                    struct h248_parm *parm);
bool ber_form(struct ber_parser *p, struct h248_parm *parm, uint8_t extra);
/** SEQUENCE OF PropertyParm into `list`. */
bool ber_properties(struct ber_parser *p, struct h248_parm **list);
/** SEQUENCE OF IndAudPropertyParm: form NONE asks, a value selects (v3). */
bool ber_asked_properties(struct ber_parser *p, struct h248_parm **list);
/** SEQUENCE OF EventParameter or SigParameter of `item`, which may be NULL. */
bool ber_params(struct ber_parser *p, const struct h248_package_item *item,
                enum h248_package_list list, struct h248_parm **ret);
/** Value of a statistic: a list of one or more. */
bool ber_statistic_value(struct ber_parser *p, const struct h248_package_item *item,
                         struct h248_parm *parm);
/** A string that is wrapped twice, or bare as Erlang sends it. */
bool ber_wrapped_string(struct ber_parser *p, struct base_str *ret);
/** LocalRemoteDescriptor into SDP; `audit`: IndAudLocalRemoteDescriptor. */
bool ber_sdp(struct ber_parser *p, bool audit, struct base_str *ret);

/* ---- descriptors: p->h is the header of each --------------------------------------------- */

bool ber_media(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_media_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_modem(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_mux(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_events(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_events_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_event_buffer(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_event_buffer_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_observed(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_signals(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_signals_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_digit_map(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_digit_map_value(struct ber_parser *p, struct h248_digit_map *dm);
bool ber_statistics(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_statistics_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_packages(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_packages_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_audit(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_error(struct ber_parser *p, struct h248_error **ret);
bool ber_services(struct ber_parser *p, struct h248_descriptor **ret);
bool ber_services_reply(struct ber_parser *p, struct h248_services **ret);
/** MId or ServiceChangeAddress (`address`) after its explicit tag. */
bool ber_mid(struct ber_parser *p, bool address, struct h248_mid *ret);
/** `X-5` for an enumeration's number that is not known, or `text` when that came along. */
bool ber_extension_name(struct ber_parser *p, uint32_t number, struct base_str text,
                        struct base_str *ret);
/** TimeNotation. */
bool ber_time(struct ber_parser *p, struct h248_time *ret);

/* ---- levels ------------------------------------------------------------------------------ */

bool ber_action(struct ber_parser *p, struct h248_message *msg, struct h248_transaction *txn,
                int index);
bool ber_command(struct ber_parser *p, struct h248_command *command);

/** Go back to an element's start (`from`), in a box around it, and step over it. */
bool ber_resync(struct ber_parser *p, const uint8_t *from, const uint8_t *limit);
void ber_fault_hang(struct h248_message *msg, struct h248_transaction *txn,
                    const struct h248_action *action, const struct h248_command *command,
                    struct h248_fault *fault);

#define BER_APPEND(tail, node)                                                                     \
	do {                                                                                       \
		*(tail) = (node);                                                                  \
		(tail) = &(node)->next;                                                            \
	} while (0)

#endif
