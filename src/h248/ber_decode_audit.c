/* SPDX-License-Identifier: Apache-2.0 */
/* AuditDescriptor: tokens, and (v2, v3) individual items. */
#include "h248/ber_in.h"

static bool asked_digit_map(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_digit_map *dm = BER_NEW(p, struct h248_digit_map);
	struct ber_box box;
	int tag;

	if (!dm || !ber_open(p, &box))
		return false;
	dm->d.kind = H248_DIGIT_MAP;
	*ret = &dm->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag ? !ber_closed(p) : !ber_digit_map_name(p, &dm->name))
			return ber_in(p, "digitMap", -1);
	}
	return tag == BER_END;
}

static bool individual(struct ber_parser *p, int tag, struct h248_descriptor **ret)
{
	switch (tag) {
	case 0:
		return ber_media_audit(p, ret);
	case 1:
		return ber_events_audit(p, ret);
	case 2:
		return ber_event_buffer_audit(p, ret);
	case 3:
		return ber_signals_audit(p, ret);
	case 4:
		return asked_digit_map(p, ret);
	case 5:
		return ber_statistics_audit(p, ret);
	case 6:
		return ber_packages_audit(p, ret);
	default:
		return ber_extension(p, NULL);
	}
}

static bool individuals(struct ber_parser *p, struct h248_audit *audit)
{
	struct ber_box box;
	int tag, index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; (tag = ber_choice(p, &box)) >= 0; index++) {
		struct h248_descriptor *d = NULL;

		if (!individual(p, tag, &d))
			return ber_in(p, "auditPropertyToken", index);
		if (!d)
			continue;
		if (audit->last)
			audit->last->next = d;
		else
			audit->individual = d;
		audit->last = d;
	}
	return tag == BER_END;
}

bool ber_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_audit *audit = BER_NEW(p, struct h248_audit);
	struct ber_box box;
	int tag;

	if (!audit || !ber_open(p, &box))
		return false;
	audit->d.kind = H248_AUDIT;
	*ret = &audit->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ok = BER_AT(p, "auditToken", ber_bits(p, &audit->items));
			audit->items &= (1U << (H248_EVENT_BUFFER + 1)) - 1;
		} else {
			ok = tag == 1 ? individuals(p, audit) : ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, "auditDescriptor", -1);
	}
	return tag == BER_END;
}
