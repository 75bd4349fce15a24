/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/der.h"

bool der_next(struct base_reader *r, struct der *ret)
{
	size_t left = base_reader_left(r), head = 2, len;
	const uint8_t *at = r->at;

	if (r->failed || left < 2 || (at[0] & 0x1f) == 0x1f)
		goto bad;
	len = at[1];
	if (len & 0x80) {
		size_t octets = len & 0x7f;

		if (!octets || octets > 4 || left < 2 + octets || !at[2])
			goto bad;
		head += octets;
		len = 0;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | at[2 + i];
		if (len < 0x80)
			goto bad;
	}
	if (left - head < len)
		goto bad;
	*ret = (struct der){ at[0], at, at + head, len };
	r->at = at + head + len;
	return true;
bad:
	r->failed = true;
	return false;
}

bool der_take(struct base_reader *r, uint8_t tag, struct der *ret)
{
	if (!der_is(r, tag)) {
		r->failed = true;
		return false;
	}
	return der_next(r, ret);
}

static bool two_digits(const uint8_t *p, unsigned *ret)
{
	unsigned a = p[0] - '0', b = p[1] - '0';

	*ret = a * 10 + b;
	return a < 10 && b < 10;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2), era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool day_exists(unsigned year, unsigned month, unsigned day)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= (unsigned)days[month - 1] + (month == 2 && leap);
}

bool der_time(const struct der *d, int64_t *ret_s)
{
	bool utc = d->tag == DER_UTC_TIME;
	const uint8_t *p = d->body;
	unsigned century = 0, year, month, day, hour, minute, second;

	if ((!utc && d->tag != DER_GENERALIZED_TIME) || d->len != (utc ? 13U : 15U) ||
	    p[d->len - 1] != 'Z')
		return false;
	if (!utc && !two_digits(p, &century))
		return false;
	p += utc ? 0 : 2;
	if (!two_digits(p, &year) || !two_digits(p + 2, &month) || !two_digits(p + 4, &day) ||
	    !two_digits(p + 6, &hour) || !two_digits(p + 8, &minute) ||
	    !two_digits(p + 10, &second))
		return false;
	/* RFC 5280, 4.1.2.5.1 */
	year += utc ? (year >= 50 ? 1900 : 2000) : century * 100;
	if (!day_exists(year, month, day) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_s = days_of(year, month, day) * 86400 + hour * INT64_C(3600) + minute * INT64_C(60) +
	         second;
	return true;
}

struct base_str der_integer_trim(struct base_str s)
{
	while (s.len > 1 && ((s.ptr[0] == '\0' && !(s.ptr[1] & 0x80)) ||
	                     ((uint8_t)s.ptr[0] == 0xff && (s.ptr[1] & 0x80)))) {
		s.ptr++;
		s.len--;
	}
	return s;
}

bool der_extension_next(struct base_reader *r, struct der_extension *ret)
{
	struct der ext, oid, critical, value;
	struct base_reader in;

	if (!der_take(r, DER_SEQUENCE, &ext))
		return false;
	in = der_in(&ext);
	ret->critical = false;
	if (!der_take(&in, DER_OID, &oid))
		return false;
	if (der_is(&in, DER_BOOLEAN)) {
		if (!der_next(&in, &critical) || critical.len != 1)
			return false;
		ret->critical = critical.body[0] != 0;
	}
	if (!der_take(&in, DER_OCTET_STRING, &value) || !base_reader_done(&in))
		return false;
	ret->oid = (struct base_str){ (const char *)oid.body, oid.len };
	ret->value = der_in(&value);
	return true;
}

int der_extension_ce(const struct der_extension *ext)
{
	return ext->oid.len == 3 && !memcmp(ext->oid.ptr, "\x55\x1d", 2) ? (uint8_t)ext->oid.ptr[2]
	                                                                 : -1;
}
