/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages being built, and sealed with a MAC. */
#include "mikey/exchange_private.h"

void mikey_draft_done(struct mikey_draft *d)
{
	base_arena_done(&d->arena);
}

struct mikey_payload *mikey_draft_add(struct mikey_draft *d, uint8_t type)
{
	/* One that nobody reads: a draft that has failed is not written. */
	struct mikey_payload *p = mikey_append(&d->arena, &d->msg.first, type);

	if (!p)
		d->failed = true;
	return p;
}

void mikey_draft_time(struct mikey_draft *d, uint64_t now)
{
	struct mikey_payload *p = mikey_draft_add(d, MIKEY_T);

	if (p)
		p->ts = (struct mikey_ts){ .type = MIKEY_NTP_UTC, .value = now };
}

void mikey_draft_rand(struct mikey_draft *d, uint8_t role, struct mikey_octets rand)
{
	struct mikey_payload *p = mikey_draft_add(d, MIKEY_RANDR);

	if (p)
		p->rand = (struct mikey_rand){ role, rand };
}

void mikey_draft_id(struct mikey_draft *d, uint8_t role, const struct mikey_id *id)
{
	struct mikey_payload *p = id->data.len ? mikey_draft_add(d, MIKEY_IDR) : NULL;

	if (p)
		p->idr = (struct mikey_idr){ role, *id };
}

void mikey_draft_copy(struct mikey_draft *d, const struct mikey_payload *chain)
{
	for (; chain; chain = chain->next) {
		struct mikey_payload *p = mikey_draft_add(d, chain->type);

		if (!p)
			return;
		*p = *chain;
		p->next = NULL;
	}
}

int mikey_join(struct base_writer *w, const struct mikey_octets *part, size_t count)
{
	for (size_t i = 0; i < count; i++)
		base_writer_put(w, part[i].at, part[i].len);
	return w->failed ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

int mikey_draft_seal(struct mikey_draft *d, const struct mikey_guard *g, uint8_t mac,
                     const struct mikey_octets *after, size_t count, struct base_writer *out)
{
	static const uint8_t zero[MIKEY_TAG_MAX];
	size_t len = (size_t)mikey_mac_len(mac);
	struct mikey_payload *v = mikey_draft_add(d, MIKEY_V);
	struct base_writer covered = { 0 };
	uint8_t tag[MIKEY_TAG_MAX];
	int rc;

	if (d->failed)
		return BASE_ERR(BASE_LOCAL, 0);
	v->v = (struct mikey_v){ mac, mikey_octets_of(zero, len) };
	(void)base_writer_reserve(out, MIKEY_USUAL_LEN); /* what fails here fails again below */
	rc = mikey_encode(out, &d->msg);
	if (rc)
		return rc;
	(void)base_writer_reserve(&covered, 2 * out->len);
	base_writer_put(&covered, out->data, out->len - len);
	rc = mikey_join(&covered, after, count);
	if (!rc)
		rc = mikey_guard_tag(g, mac, mikey_octets_of(covered.data, covered.len), tag);
	if (!rc)
		memcpy(out->data + out->len - len, tag, len);
	base_writer_done(&covered);
	return rc;
}
