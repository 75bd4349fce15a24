/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

#include <ctype.h>
#include <stdio.h>

#define N (CH_NAME | CH_SAFE | CH_PATH | CH_QUOTED)
#define D (N | CH_DIGIT | CH_HEX)
#define X (N | CH_HEX)
#define P (CH_SAFE | CH_PATH | CH_QUOTED)
#define S (CH_SAFE | CH_QUOTED)
#define Q CH_QUOTED
#define K (CH_QUOTED | CH_BLANK)
#define E (CH_BLANK | CH_HIGH)
#define H CH_HIGH

/* clang-format off */
const uint8_t h248_text_class[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, K, E, 0, 0, E, 0, 0, /* 00 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
	K, S, 0, Q, P, S, S, S, S, S, P, S, Q, P, P, P, /* 20 */
	D, D, D, D, D, D, D, D, D, D, Q, K, Q, Q, Q, S, /* 30 */
	P, X, X, X, X, X, X, N, N, N, N, N, N, N, N, N, /* 40 */
	N, N, N, N, N, N, N, N, N, N, N, Q, S, Q, S, N, /* 50 */
	S, X, X, X, X, X, X, N, N, N, N, N, N, N, N, N, /* 60 */
	N, N, N, N, N, N, N, N, N, N, N, Q, S, Q, S, 0, /* 70 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 80 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 90 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* a0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* b0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* c0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* d0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* e0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* f0 */
};
/* clang-format on */

#undef N
#undef D
#undef X
#undef P
#undef S
#undef Q
#undef K
#undef E
#undef H

bool text_fail(struct text_parser *p, unsigned code, const char *at, const char *expected)
{
	if (!p->code) {
		p->code = (uint16_t)code;
		p->fault_at = at;
		p->expected = expected;
	}
	return false;
}

bool text_fail_memory(struct text_parser *p)
{
	if (!p->out_of_memory) {
		p->out_of_memory = true;
		p->code = H248_E_RESOURCES;
		p->fault_at = p->at;
		p->expected = "a smaller message";
	}
	return false;
}

/* COMMENT runs to EOL; 80-FF in it are let pass, other control characters are not. */
static bool comment(struct text_parser *p)
{
	const char *from = p->at;

	while (p->at < p->end && *p->at != '\n' && *p->at != '\r') {
		if (*p->at != '"' && !text_is(*p->at, CH_QUOTED | CH_HIGH))
			return text_expected(p, "a printable character in the comment");
		p->at++;
	}
	if (p->at == p->end)
		return text_fail(p, p->syntax_code, from, "a line end after the comment");
	p->at++;
	return true;
}

bool text_lwsp_slow(struct text_parser *p)
{
	while (p->at < p->end && text_is(*p->at, CH_BLANK)) {
		if (*p->at != ';')
			p->at++;
		else if (!comment(p))
			return false;
	}
	return true;
}

/* Count lines from the last place asked for, or from the start when it lies behind `at`. */
static void place(struct text_parser *p, const char *at, uint32_t *ret_line, uint32_t *ret_column)
{
	if (!p->place_at || at < p->place_at) {
		p->place_at = p->place_line_start = p->start;
		p->place_line = 1;
	}
	for (; p->place_at < at; p->place_at++) {
		bool crlf =
		        *p->place_at == '\r' && p->place_at + 1 < p->end && p->place_at[1] == '\n';

		if ((*p->place_at == '\r' && !crlf) || *p->place_at == '\n') {
			p->place_line++;
			p->place_line_start = p->place_at + 1;
		}
	}
	*ret_line = p->place_line;
	*ret_column = (uint32_t)(at - p->place_line_start) + 1;
}

/* The offending token: a run of SafeChars, or one other octet. Shortened for people. */
static struct base_str token_at(const struct text_parser *p, const char *at)
{
	size_t len = 0, left = (size_t)(p->end - at);

	while (len < left && len < 32 && text_is(at[len], CH_SAFE))
		len++;
	if (len == 0 && left)
		len = 1;
	return (struct base_str){ at, len };
}

/* Half of an AES key or more in hexadecimal: property psk of our package is written so. */
static bool may_be_key(struct base_str token)
{
	size_t n = 0;

	while (n < token.len && isxdigit((unsigned char)token.ptr[n]))
		n++;
	return n >= 16;
}

/* Errors travel and are logged, so what may be a key is not repeated in them. */
static void token_words(struct base_str token, char *out, size_t cap)
{
	size_t n = 0;

	if (token.len == 0) {
		(void)snprintf(out, cap, "the end of the message");
		return;
	}
	if (may_be_key(token)) {
		(void)snprintf(out, cap, "hexadecimal digits");
		return;
	}
	for (size_t i = 0; i < token.len && n + 8 < cap; i++) {
		uint8_t c = (uint8_t)token.ptr[i];

		if (c == '"')
			n += (size_t)snprintf(out + n, cap - n, "a double quote");
		else if (c > 0x20 && c < 0x7f)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
	}
	out[n] = '\0';
}

struct h248_fault *text_fault_new(struct text_parser *p, enum h248_fault_level level)
{
	struct h248_fault *fault = BASE_NEW(p->arena, struct h248_fault);
	char words[128];

	if (!fault)
		goto out;
	fault->code = p->code;
	fault->level = (uint8_t)level;
	fault->offset = (size_t)(p->fault_at - p->start);
	fault->token = token_at(p, p->fault_at);
	place(p, p->fault_at, &fault->line, &fault->column);
	token_words(fault->token, words, sizeof(words));
	fault->text = base_arena_printf(p->arena, "line %u, column %u: expected %s, found %s",
	                                fault->line, fault->column, p->expected, words);
out:
	if (!fault || !fault->text) {
		(void)text_fail_memory(p);
		return NULL;
	}
	p->code = 0;
	p->local = false;
	return fault;
}

bool text_number(struct text_parser *p, unsigned digits, uint32_t max, uint32_t *ret)
{
	const char *from = p->at;
	uint64_t v = 0;

	while (p->at < p->end && text_is(*p->at, CH_DIGIT) && (size_t)(p->at - from) < digits)
		v = v * 10 + (uint64_t)(*p->at++ - '0');
	if (p->at == from || text_is(text_peek(p), CH_DIGIT) || v > max) {
		p->at = from;
		return text_expected(p, p->at == p->end || !text_is(*p->at, CH_DIGIT)
		                                ? "a number"
		                                : "a number in its range");
	}
	*ret = (uint32_t)v;
	return true;
}

bool text_name_check(struct text_parser *p, struct base_str run)
{
	if (run.len == 0 || run.len > 64 || text_is(run.ptr[0], CH_DIGIT) || run.ptr[0] == '_')
		return text_fail(p, p->syntax_code, run.ptr,
		                 run.len > 64 ? "a name of at most 64 characters" : "a name");
	return true;
}

bool text_name(struct text_parser *p, struct base_str *ret)
{
	*ret = text_run(p, CH_NAME);
	return text_name_check(p, *ret);
}

bool text_pkgd_after(struct text_parser *p, struct base_str head, struct h248_name *ret)
{
	bool any = head.len == 0 && text_peek(p) == '*';

	if (any) {
		head = (struct base_str){ p->at, 1 };
		p->at++;
	} else if (!text_name_check(p, head)) {
		return false;
	}
	if (text_peek(p) != '/')
		return text_expected(p, "'/' of package/item");
	p->at++;
	ret->package = head;
	if (text_peek(p) == '*') {
		ret->item = (struct base_str){ p->at, 1 };
		p->at++;
		return true;
	}
	if (any) /* `*` alone may stand for the package only if it does for the item */
		return text_expected(p, "'*'");
	return text_name(p, &ret->item);
}

bool text_pkgd(struct text_parser *p, struct h248_name *ret)
{
	return text_pkgd_after(p, text_run(p, CH_NAME), ret);
}

bool text_on_off(struct text_parser *p, uint8_t *ret)
{
	struct base_str word = text_run(p, CH_NAME);

	if (base_str_ieq(word, BASE_STR("ON")))
		*ret = H248_ON;
	else if (base_str_ieq(word, BASE_STR("OFF")))
		*ret = H248_OFF;
	else
		return text_fail(p, p->syntax_code, word.ptr, "ON or OFF");
	return true;
}
