/* SPDX-License-Identifier: Apache-2.0 */
/* SignalsDescriptor and its individual audit. */
#include "h248/ber_in.h"

static bool completion(struct ber_parser *p, struct h248_signal *s)
{
	uint16_t bits = 0;

	s->has_completion = true;
	if (!ber_bits(p, &bits))
		return false;
	s->completion = (uint8_t)(bits & 31);
	return true;
}

/* internal 0, external 1, both 2; some say 3 (sheet 4.2) */
static bool direction(struct ber_parser *p, struct h248_signal *s)
{
	if (!ber_u8(p, 3, &s->direction))
		return false;
	s->direction = s->direction == 3 ? H248_BOTH : (uint8_t)(s->direction + 1);
	return true;
}

static bool number(struct ber_parser *p, bool *has, uint16_t *ret)
{
	*has = true;
	return ber_u16(p, ret);
}

static bool field(struct ber_parser *p, int tag, struct h248_signal *s,
                  const struct h248_package_item **item)
{
	switch (tag) {
	case 0:
		return ber_pkgd(p, H248_SIGNAL, &s->name, item);
	case 1:
		return number(p, &s->has_stream, &s->stream);
	case 2:
		if (!BER_AT(p, "sigType", ber_u8(p, 2, &s->type)))
			return false;
		s->type++;
		return true;
	case 3:
		return number(p, &s->has_duration, &s->duration);
	case 4:
		return BER_AT(p, "notifyCompletion", completion(p, s));
	case 5:
		return ber_bool(p, &s->keep_active);
	case 6:
		return ber_params(p, *item, H248_PARAMS, &s->parms);
	case 7:
		return BER_AT(p, "direction", direction(p, s));
	case 8:
		s->has_request_id = true;
		return ber_uint(p, UINT32_MAX, &s->request_id);
	case 9:
		return number(p, &s->has_intersignal, &s->intersignal);
	default:
		return ber_extension(p, &s->extensions);
	}
}

static bool signal(struct ber_parser *p, struct h248_signal *s)
{
	const struct h248_package_item *item = NULL;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (!field(p, tag, s, &item))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 0x41, from);
}

static bool in_list(struct ber_parser *p, struct h248_signal **tail)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_signal *s = BER_NEW(p, struct h248_signal);

		if (!s || !signal(p, s))
			return ber_in(p, "signalList", index);
		BER_APPEND(tail, s);
	}
	return !p->code;
}

/* SeqSigList: closed. */
static bool list(struct ber_parser *p, struct h248_signal *s)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	s->is_list = true;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_u16(p, &s->list_id)
		    : tag == 1 ? !in_list(p, &s->list)
		               : !ber_closed(p))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

bool ber_signals(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_signals *sg = BER_NEW(p, struct h248_signals);
	struct h248_signal **tail;
	struct ber_box box;
	int tag, index = 0;

	if (!sg || !ber_open(p, &box))
		return false;
	sg->d.kind = H248_SIGNALS;
	*ret = &sg->d;
	tail = &sg->signals;
	for (; (tag = ber_choice(p, &box)) >= 0; index++) {
		struct h248_signal *s;

		if (tag > 1) { /* an alternative that is not known: nothing to play */
			if (!ber_extension(p, NULL))
				return ber_in(p, "signalsDescriptor", index);
			continue;
		}
		s = BER_NEW(p, struct h248_signal);
		if (!s || (tag ? !list(p, s) : !signal(p, s)))
			return ber_in(p, "signalsDescriptor", index);
		BER_APPEND(tail, s);
	}
	return tag == BER_END;
}

/* IndAudSignal */
static bool asked_signal(struct ber_parser *p, struct h248_signal *s)
{
	const struct h248_package_item *item;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_pkgd(p, H248_SIGNAL, &s->name, &item);
			break;
		case 1:
			ok = number(p, &s->has_stream, &s->stream);
			break;
		case 2:
			s->has_request_id = true;
			ok = ber_uint(p, UINT32_MAX, &s->request_id);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* IndAudSeqSigList: closed. */
static bool asked_list(struct ber_parser *p, struct h248_signal *s)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	s->is_list = true;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ok = ber_u16(p, &s->list_id);
		} else if (tag == 1) {
			s->list = BER_NEW(p, struct h248_signal);
			ok = s->list && asked_signal(p, s->list);
		} else {
			ok = ber_closed(p);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/*
 * The header is of the explicit tag around the CHOICE. Text may ask for nothing in particular,
 * `Signals{}`; the binary form has no such thing, so a private alternative stands for it (P).
 */
bool ber_signals_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_signals *sg = BER_NEW(p, struct h248_signals);
	struct h248_signal *s = BER_NEW(p, struct h248_signal);
	struct ber_box box;
	bool ok;
	int tag;

	if (!sg || !s)
		return false;
	sg->d.kind = H248_SIGNALS;
	*ret = &sg->d;
	tag = ber_explicit(p, &box);
	if (tag == BER_OTHER && ber_class(p) == BER_PRIVATE && ber_number(p) == 0) {
		ok = ber_null(p);
	} else {
		sg->signals = s;
		ok = tag == 0   ? asked_signal(p, s)
		     : tag == 1 ? asked_list(p, s)
		                : ber_expected(p, "signal or seqSigList");
	}
	return (ok && ber_done(p, &box)) || ber_in(p, "signals", -1);
}
