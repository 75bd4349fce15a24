/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and bits as the cursor reads them, held against the plainest way to read them. */
#include "check.h"
#include "h248/ber_in.h"

#define OCTETS 10 /* of a content, at most */

/* Contents worth reading: what they begin with, then octets of a pattern. */
static const uint8_t firsts[] = { 0x00, 0x01, 0x3F, 0x7F, 0x80, 0xFF };

/* A parser in front of `len` octets of content with `behind` more until the input ends. */
static struct ber_parser before(uint8_t *octets, size_t len, size_t behind, unsigned id)
{
	struct ber_parser p = { .start = octets, .syntax_code = H248_E_SYNTAX_MESSAGE };

	octets[0] = (uint8_t)id;
	octets[1] = (uint8_t)len;
	p.h = (struct ber_header){ .from = octets, .len = len, .id = (uint8_t)id };
	p.at = octets + 2;
	p.limit = p.at + len;
	p.end = p.limit + behind;
	return p;
}

/* The number, or -1 when it must be refused. */
static int64_t plain_number(const uint8_t *at, size_t len, uint32_t max)
{
	uint64_t v = 0;

	if (len == 0 || len > 8 || at[0] & 0x80)
		return -1;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | at[i];
	return v <= max ? (int64_t)v : -1;
}

/* Read from a copy of exactly so many octets, that a sanitizer may see a step beyond it. */
static void number_reads(const uint8_t *content, size_t len, size_t behind, uint32_t max)
{
	uint8_t *octets = malloc(2 + len + behind);
	int64_t want = plain_number(content, len, max);
	uint32_t v = 4711;
	struct ber_parser p;

	assert_non_null(octets);
	memset(octets, 0xA5, 2 + len + behind);
	memcpy(octets + 2, content, len);
	p = before(octets, len, behind, 0x80);
	assert_int_equal(ber_uint(&p, max, &v), want >= 0);
	assert_int_equal(v, want >= 0 ? (uint32_t)want : 4711);
	assert_int_equal(p.code != 0, want < 0);
	assert_ptr_equal(p.at, octets + 2 + (want >= 0 ? len : 0));
	free(octets);
}

static void numbers_of_every_length_are_read(void **state)
{
	static const uint32_t most[] = { 0, 1, 4, 99, 127, 128, 65535, UINT32_MAX };
	uint8_t content[OCTETS];

	(void)state;
	for (size_t first = 0; first < sizeof(firsts); first++) {
		for (unsigned zeros = 0; zeros < OCTETS; zeros++) {
			for (unsigned i = 0; i < OCTETS; i++)
				content[i] =
				        (uint8_t)(i < zeros ? 0 : firsts[first] + 29 * (i - zeros));
			for (size_t len = 0; len <= OCTETS; len++) {
				for (size_t behind = 0; behind <= OCTETS; behind++)
					for (size_t m = 0; m < sizeof(most) / sizeof(most[0]); m++)
						number_reads(content, len, behind, most[m]);
			}
		}
	}
}

static void a_constructed_number_is_refused(void **state)
{
	uint8_t octets[16] = { 0 };
	uint32_t v = 0;
	struct ber_parser p = before(octets, 1, 13, 0xA0);

	(void)state;
	assert_false(ber_uint(&p, UINT32_MAX, &v));
	assert_int_equal(p.at - octets, 2);
}

/* Named bits one by one: bit 0 is the first, the highest of its octet. */
static uint16_t plain_bits(const uint8_t *at, size_t len)
{
	unsigned bits = (unsigned)(len - 1) * 8 - at[0];
	uint16_t v = 0;

	for (unsigned bit = 0; bit < bits && bit < 16; bit++) {
		if (at[1 + bit / 8] & 0x80 >> bit % 8)
			v |= (uint16_t)(1U << bit);
	}
	return v;
}

static void bits_reads(uint8_t *octets, size_t len)
{
	struct ber_parser p = before(octets, len, 0, 0x80);
	bool good = len && octets[2] <= 7 && (len > 1 || !octets[2]);
	uint16_t v = 0;

	assert_int_equal(ber_bits(&p, &v), good);
	if (good)
		assert_int_equal(v, plain_bits(octets + 2, len));
	assert_int_equal(p.at - octets, good ? 2 + len : 2);
}

static void bits_are_read_as_one_by_one(void **state)
{
	uint8_t octets[2 + 5];

	(void)state;
	for (unsigned unused = 0; unused <= 8; unused++) {
		for (unsigned pattern = 0; pattern < 0x10000; pattern += 37) {
			for (size_t len = 0; len <= 5; len++) {
				octets[2] = (uint8_t)unused;
				octets[3] = (uint8_t)(pattern >> 8);
				octets[4] = octets[6] = (uint8_t)pattern;
				octets[5] = (uint8_t)~pattern;
				bits_reads(octets, len);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_every_length_are_read),
		cmocka_unit_test(a_constructed_number_is_refused),
		cmocka_unit_test(bits_are_read_as_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
