/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Rules kept here:
 * 1. Records of one epoch are opened: `theirs`. Those of the next wait in `held`; others are
 * dropped.
 * 2. Finished is taken under keys that are new in this handshake, all else under those before.
 * 3. A flight is what was put since something last came; repeated records get new numbers.
 */
#include "check/datagrams.h"

enum { ITEM_HEAD = 5, HELD_MAX = 32768 };

static uint16_t epoch_of(const struct check_direction *d)
{
	return (uint16_t)(d->number >> 48);
}

void check_datagrams_begin(struct check_datagrams *d, const struct check_keys *k)
{
	check_fragments_reset(&d->in);
	base_writer_reset(&d->flight);
	base_writer_reset(&d->held);
	d->flight.wipe = d->held.wipe = true;
	d->held.limit = HELD_MAX;
	d->epoch = epoch_of(&k->theirs);
	d->sent = 0;
	d->taken = 0;
	d->answered = d->changed = d->change = d->alerted = false;
}

/* -- out --------------------------------------------------------------------------------------- */

bool check_datagrams_put(struct check_datagrams *d, struct check_keys *k, enum check_record type,
                         const void *data, size_t len, struct base_writer *out)
{
	if (d->answered) {
		base_writer_reset(&d->flight);
		d->answered = d->changed = false;
	}
	base_writer_u8(&d->flight, (uint8_t)type);
	base_writer_u16(&d->flight, epoch_of(&k->ours));
	base_writer_u16(&d->flight, (uint16_t)len);
	base_writer_put(&d->flight, data, len);
	return check_keys_seal(k, type, data, len, out) && !d->flight.failed;
}

void check_datagrams_change(struct check_datagrams *d, struct check_keys *k)
{
	d->before = k->ours;
	d->changed = true;
	check_keys_change_ours(k);
}

static void swap(struct check_direction *a, struct check_direction *b)
{
	struct check_direction c = *a;

	*a = *b;
	*b = c;
	base_wipe(&c, sizeof(c));
}

bool check_datagrams_repeat(struct check_datagrams *d, struct check_keys *k,
                            struct base_writer *out)
{
	struct base_reader r = base_reader_of(d->flight.data, d->flight.len);
	bool good = true;

	while (good && base_reader_left(&r) >= ITEM_HEAD) {
		enum check_record type = (enum check_record)base_reader_u8(&r);
		bool old = base_reader_u16(&r) != epoch_of(&k->ours);
		size_t len = base_reader_u16(&r);
		const uint8_t *data = base_reader_take(&r, len);

		if (old)
			swap(&d->before, &k->ours);
		good = check_keys_seal(k, type, data, len, out);
		if (old)
			swap(&d->before, &k->ours);
	}
	return good;
}

bool check_datagrams_abort(struct check_datagrams *d, struct check_keys *k, const uint8_t alert[2],
                           struct base_writer *out)
{
	bool good = true;

	if (d->changed) {
		swap(&d->before, &k->ours);
		good = check_keys_seal(k, CHECK_RECORD_ALERT, alert, 2, out);
		swap(&d->before, &k->ours);
	}
	return good && check_keys_seal(k, CHECK_RECORD_ALERT, alert, 2, out);
}

/* -- in ---------------------------------------------------------------------------------------- */

static void opened_take(struct check_datagrams *d, const struct check_keys *k, uint8_t type,
                        const struct base_writer *text)
{
	bool fresh = epoch_of(&k->theirs) != d->epoch;

	if (type == CHECK_RECORD_HANDSHAKE)
		check_fragments_take(&d->in, (struct check_bytes){ text->data, text->len }, fresh);
	else if (type == CHECK_RECORD_CCS)
		d->change |= !fresh && text->len == 1;
	else if (type == CHECK_RECORD_ALERT && text->len == 2 && !d->alerted) {
		memcpy(d->alert, text->data, 2);
		d->alerted = true;
	}
}

static void record_take(struct check_datagrams *d, struct check_keys *k, uint8_t type,
                        uint64_t number, struct check_bytes text)
{
	struct base_writer opened = { .wipe = true };
	uint16_t now = epoch_of(&k->theirs);

	if (number >> 48 == now + 1U) {
		base_writer_u8(&d->held, type);
		base_writer_u32(&d->held, (uint32_t)(number >> 32));
		base_writer_u32(&d->held, (uint32_t)number);
		base_writer_u16(&d->held, (uint16_t)text.len);
		base_writer_put(&d->held, text.data, text.len);
	}
	if (number >> 48 != now)
		return;
	k->theirs.number = number;
	if (check_keys_open(k, type, text, &opened))
		opened_take(d, k, type, &opened);
	k->theirs.number = number; /* whatever was counted: the epoch stays */
	base_writer_done(&opened);
}

void check_datagrams_take(struct check_datagrams *d, struct check_keys *k, const uint8_t *data,
                          size_t len)
{
	struct base_reader r = base_reader_of(data, len);

	d->taken += len;
	while (base_reader_left(&r)) {
		uint8_t type = base_reader_u8(&r);
		uint16_t version = base_reader_u16(&r);
		uint64_t number = base_reader_u64(&r);
		struct check_bytes text = { .len = base_reader_u16(&r) };

		text.data = base_reader_take(&r, text.len);
		if (r.failed || version >> 8 != 0xfe)
			return;
		record_take(d, k, type, number, text);
	}
}

void check_datagrams_changed(struct check_datagrams *d, struct check_keys *k)
{
	struct base_writer held = d->held;
	struct base_reader r = base_reader_of(held.data, held.len);

	d->held = (struct base_writer){ .wipe = true, .limit = HELD_MAX };
	while (base_reader_left(
	        &r)) { /* the last may be cut short: there is an end to what is held */
		uint8_t type = base_reader_u8(&r);
		uint64_t number = base_reader_u64(&r);
		struct check_bytes text = { .len = base_reader_u16(&r) };

		text.data = base_reader_take(&r, text.len);
		if (r.failed)
			break;
		record_take(d, k, type, number, text);
	}
	base_writer_done(&held);
}

bool check_datagrams_next(struct check_datagrams *d, bool may_change, uint8_t *ret_type,
                          struct base_writer *ret)
{
	base_writer_reset(ret);
	if (check_fragments_next(&d->in, ret)) {
		*ret_type = CHECK_RECORD_HANDSHAKE;
	} else if (d->change && may_change) {
		*ret_type = CHECK_RECORD_CCS;
		base_writer_u8(ret, 1);
		d->change = false;
	} else if (d->alerted) {
		*ret_type = CHECK_RECORD_ALERT;
		base_writer_put(ret, d->alert, 2);
		d->alerted = false;
	} else {
		return false;
	}
	d->answered = true;
	return true;
}

void check_datagrams_done(struct check_datagrams *d)
{
	check_fragments_reset(&d->in);
	base_writer_done(&d->flight);
	base_writer_done(&d->held);
	base_wipe(&d->before, sizeof(d->before));
}
