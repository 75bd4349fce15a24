/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The text decoder's cursor and the small things every part of it reads. Private to the codec.
 *
 * Readers return false after having recorded the first fault in the parser; the straight line is
 * the happy path. LWSP sits inside EQUAL, COMMA, LBRKT, RBRKT, LSBRKT, RSBRKT and INEQUAL and
 * nowhere else (trap 7.1), so exactly the readers of these skip it.
 */
#ifndef GH_H248_TEXT_PARSE_H
#define GH_H248_TEXT_PARSE_H

#include <endian.h>

#include "h248/errors.h"
#include "h248/message.h"
#include "h248/text.h"
#include "h248/text_tokens.h"

/** Classes of characters (RFC 3525, B.2). */
enum {
	CH_SAFE = 1, /**< SafeChar */
	CH_NAME = 2, /**< letters, digits, underscore */
	CH_DIGIT = 4,
	CH_HEX = 8,
	CH_BLANK = 16,  /**< what LWSP can start with: SP, HTAB, CR, LF, `;` */
	CH_PATH = 32,   /**< of TerminationIDs, more generous than pathNAME (trap 7.10) */
	CH_QUOTED = 64, /**< inside a quotedString of version 1 and 2 */
	CH_HIGH = 128,  /**< 80-FF, and EOL inside quotes: version 3 */
};

extern const uint8_t h248_text_class[256];

/** The most entries of a list that must not hold the same thing twice. */
#define TEXT_LIST_MAX 256

struct text_parser {
	const char *at, *end, *start;
	struct base_arena *arena;
	uint32_t items_left;
	uint32_t transactions_left;
	unsigned max_depth;
	uint8_t version;
	bool contain;
	bool reply;           /**< inside a reply */
	uint16_t syntax_code; /**< code of a syntax error at this level */

	/* The first fault since text_fault_clear. */
	uint16_t code;        /**< 0: none */
	bool local;           /**< a limit of ours, not a fault of the peer */
	bool out_of_memory;   /**< the arena said no: nothing can be decoded any more */
	const char *fault_at; /**< start of the offending token */
	const char *expected; /**< words for a person */

	/* Where we are, for the fault report. */
	const char *place_at; /**< line and column are counted on from here */
	uint32_t place_line;
	const char *place_line_start;
};

/* ---- faults ------------------------------------------------------------------------------ */

/** Record a fault at `at` unless there is one already. Always false. */
bool text_fail(struct text_parser *p, unsigned code, const char *at, const char *expected)
        __attribute__((cold));
/** A syntax error here, with the code of this level. */
static inline bool text_expected(struct text_parser *p, const char *expected)
{
	return text_fail(p, p->syntax_code, p->at, expected);
}
bool text_fail_memory(struct text_parser *p) __attribute__((cold));
/** Make the fault report of what was recorded, and forget the record. NULL when out of memory. */
struct h248_fault *text_fault_new(struct text_parser *p, enum h248_fault_level level);

/* ---- memory ------------------------------------------------------------------------------ */

/**
 * One zeroed node. As base_arena_alloc, whose fast path is repeated here so that the size is known
 * to the compiler: clearing nodes is a good part of the work of decoding.
 */
static inline void *text_node(struct text_parser *p, size_t size)
{
	struct base_arena *a = p->arena;
	void *node;

	size = (size + 15) & ~(size_t)15;
	if (p->items_left == 0) {
		(void)text_fail_memory(p);
		return NULL;
	}
	p->items_left--;
	if ((size_t)(a->end - a->at) >= size && (!a->limit || a->limit - a->used >= size)) {
		node = a->at;
		a->at += size;
		a->used += size;
		return memset(node, 0, size);
	}
	node = base_arena_alloc(a, size);
	if (!node)
		(void)text_fail_memory(p);
	return node;
}
#define TEXT_NEW(p, type) ((type *)text_node((p), sizeof(type)))

/* ---- characters -------------------------------------------------------------------------- */

static inline bool text_is(char c, unsigned classes)
{
	return h248_text_class[(uint8_t)c] & classes;
}
/** The next octet, or NUL (which nothing accepts) at the end. */
static inline char text_peek(const struct text_parser *p)
{
	return p->at < p->end ? *p->at : '\0';
}
/** Skip LWSP when the cursor stands on some. False on a comment that does not end (trap 7.3). */
bool text_lwsp_slow(struct text_parser *p);
static inline bool text_lwsp(struct text_parser *p)
{
	while (p->at < p->end && text_is(*p->at, CH_BLANK)) {
		if (*p->at != ' ')
			return text_lwsp_slow(p);
		p->at++;
	}
	return true;
}
/** LWSP c LWSP. */
static inline bool text_punct(struct text_parser *p, char c, const char *expected)
{
	if (!text_lwsp(p))
		return false;
	if (text_peek(p) != c)
		return text_expected(p, expected);
	p->at++;
	return text_lwsp(p);
}
static inline bool text_equal(struct text_parser *p)
{
	return text_punct(p, '=', "'='");
}
static inline bool text_open(struct text_parser *p)
{
	return text_punct(p, '{', "'{'");
}
static inline bool text_close(struct text_parser *p)
{
	return text_punct(p, '}', "',' or '}'");
}
/**
 * Is c the next thing after LWSP? Then step past it and the LWSP behind. On false, look at p->code:
 * it may be a fault in a comment, which every later reader then meets again.
 */
static inline bool text_try(struct text_parser *p, char c)
{
	if (!text_lwsp(p) || text_peek(p) != c)
		return false;
	p->at++;
	return text_lwsp(p);
}
static inline bool text_more(struct text_parser *p)
{
	return text_try(p, ',');
}

/* ---- words ------------------------------------------------------------------------------- */

/** The run of characters of `classes` at the cursor; may be empty. */
static inline struct base_str text_run(struct text_parser *p, unsigned classes)
{
	const char *from = p->at, *at = from, *end = p->end;

	while (at < end && text_is(*at, classes))
		at++;
	p->at = at;
	return (struct base_str){ from, (size_t)(at - from) };
}

/** The token spelled like `word` in the version of the message, else TOK_NONE. */
static inline enum h248_token text_token(const struct text_parser *p, struct base_str word)
{
	enum h248_token token;
	uint64_t key;

	if (word.len == 0 || word.len > 22)
		return TOK_NONE;
	if (word.len <= 8 && p->end - word.ptr >= 8) {
		memcpy(&key, word.ptr, 8);
		key = (le64toh(key) | 0x2020202020202020ULL) & (~0ULL >> (64 - 8 * word.len));
	} else {
		key = h248_token_key(word.ptr, word.len);
	}
	token = h248_token_by_key(word.ptr, word.len, key);
	return h248_tokens[token].since <= p->version ? token : TOK_NONE;
}

/** A run of name characters and the token it spells, for places where keyword and name meet. */
static inline enum h248_token text_keyword(struct text_parser *p, struct base_str *ret)
{
	*ret = text_run(p, CH_NAME);
	return text_token(p, *ret);
}

/** UINT16 / UINT32 of at most `digits` digits and at most `max`. */
bool text_number(struct text_parser *p, unsigned digits, uint32_t max, uint32_t *ret);
static inline bool text_u16(struct text_parser *p, uint16_t *ret)
{
	uint32_t v = 0;

	if (!text_number(p, 5, 65535, &v))
		return false;
	*ret = (uint16_t)v;
	return true;
}
/** NAME: a letter, then up to 63 name characters. */
bool text_name(struct text_parser *p, struct base_str *ret);
/** Check that a run is a NAME. */
bool text_name_check(struct text_parser *p, struct base_str run);
/** pkgdName; `head` is the run of name characters before the cursor, as text_keyword left it. */
bool text_pkgd_after(struct text_parser *p, struct base_str head, struct h248_name *ret);
bool text_pkgd(struct text_parser *p, struct h248_name *ret);
/** `ON` or `OFF`. */
bool text_on_off(struct text_parser *p, uint8_t *ret);
/** VALUE: a quotedString or SafeChars (trap 7.5). */
bool text_value(struct text_parser *p, struct h248_value *ret);
bool text_quoted(struct text_parser *p, struct base_str *ret);
/** parmValue into `parm` (trap 7.12); the cursor stands behind the name. */
bool text_parm_value(struct text_parser *p, struct h248_parm *parm);
/** Is the next thing after LWSP the start of a parmValue? */
bool text_parm_follows(struct text_parser *p);
/** extensionParameter `X-..`; `head` is the run of name characters before the cursor ("X"). */
bool text_extension_after(struct text_parser *p, struct base_str head, struct base_str *ret);
/** Append `parm` to `*list` unless the name is there already (456), or the list is too long. */
bool text_parm_append(struct text_parser *p, struct h248_parm **list, struct h248_parm ***tail,
                      unsigned *count, struct h248_parm *parm);
/** TerminationID into `ret` (trap 7.10). */
bool text_term(struct text_parser *p, struct h248_term *ret);
/** A braced list of TerminationIDs, the opening brace still ahead; at least one. */
bool text_term_list(struct text_parser *p, struct h248_term **ret);
bool text_time_check(struct base_str word, struct h248_time *ret);
bool text_request_id(struct text_parser *p, uint32_t *ret);
/** octetString between braces, the opening brace still ahead (trap 7.4). */
bool text_octets(struct text_parser *p, struct base_str *ret);
/** mId (trap 7.9); `port_alone` also takes a bare number (ServiceChangeAddress). */
bool text_mid(struct text_parser *p, bool port_alone, struct h248_mid *ret);

/* ---- descriptors ------------------------------------------------------------------------- */

/** After the token; each makes its node. `individual`: the cut-down forms of an Audit. */
bool text_media(struct text_parser *p, bool individual, struct h248_descriptor **ret);
bool text_modem(struct text_parser *p, struct h248_descriptor **ret);
bool text_mux(struct text_parser *p, struct h248_descriptor **ret);
bool text_statistics(struct text_parser *p, bool individual, struct h248_descriptor **ret);
bool text_packages(struct text_parser *p, struct h248_descriptor **ret);
bool text_events(struct text_parser *p, unsigned depth, struct h248_descriptor **ret);
bool text_events_individual(struct text_parser *p, struct h248_descriptor **ret);
bool text_event_buffer(struct text_parser *p, bool individual, struct h248_descriptor **ret);
bool text_observed_events(struct text_parser *p, struct h248_descriptor **ret);
bool text_signals(struct text_parser *p, struct h248_descriptor **ret);
bool text_signals_individual(struct text_parser *p, struct h248_descriptor **ret);
bool text_digit_map(struct text_parser *p, struct h248_descriptor **ret);
/** A value alone, in braces that are still ahead: `{T:5,(..)}`. */
bool text_digit_map_value(struct text_parser *p, struct h248_digit_map *dm);
bool text_audit(struct text_parser *p, struct h248_descriptor **ret);
/** One auditItem whose token has been read; used by Services too. */
bool text_audit_item(struct text_parser *p, enum h248_token token, const char *at,
                     struct h248_audit *audit);
bool text_services(struct text_parser *p, struct h248_descriptor **ret);
/** The error descriptor after its token. */
bool text_error(struct text_parser *p, struct h248_error **ret);

/* ---- levels ------------------------------------------------------------------------------ */

/** One action with its commands. True also when a fault was contained. */
bool text_action(struct text_parser *p, struct h248_message *msg, struct h248_transaction *txn);
bool text_command(struct text_parser *p, struct h248_command *command);
/** ContextAudit after its token. */
bool text_context_audit(struct text_parser *p, struct h248_action *action);
/** One context property whose token has been read; *ret tells whether it was one. */
bool text_context_property(struct text_parser *p, enum h248_token token, const char *at,
                           struct h248_action *action, bool *ret);

/** Hang `fault` into the message's list and on to its thing, noting where it is. */
void text_fault_hang(struct h248_message *msg, struct h248_transaction *txn,
                     const struct h248_action *action, const struct h248_command *command,
                     struct h248_fault *fault);

/**
 * Find the end of a broken element: from `from`, which stands outside quotes, comments and octet
 * strings, move the cursor to the next comma or closing brace of the same level, or (`braced`)
 * behind the first closed pair of braces. False when the input ends first.
 */
bool text_resync(struct text_parser *p, const char *from, bool braced);

/** Append to a singly linked list with a tail pointer. */
#define TEXT_APPEND(tail, node)                                                                    \
	do {                                                                                       \
		*(tail) = (node);                                                                  \
		(tail) = &(node)->next;                                                            \
	} while (0)

#endif
