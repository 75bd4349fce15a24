/* SPDX-License-Identifier: Apache-2.0 */
/* Which controller is next (RFC 3525, 11.2, 11.5), and what an mId means as a place to go to. */
#include <stdio.h>

#include "h248/assoc_private.h"

/* Alternatives change places at random: load spreads over a pool of controllers. */
static void shuffle(const struct h248_assoc *a, size_t *order, size_t count)
{
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && a->controllers[order[to]].alternative; to++)
			continue;
		for (size_t left = to - from; left > 1; left--) {
			uint32_t random = 0;
			size_t *last = &order[from + left - 1], *other, keep = *last;

			(void)base_random(&random, sizeof(random)); /* without it: as listed */
			other = &order[from + random % left];
			*last = *other;
			*other = keep;
		}
	}
}

void assoc_round_begin(struct h248_assoc *a, size_t skip)
{
	for (size_t i = 0; i < a->config.controllers_count; i++)
		a->order[i] = i;
	shuffle(a, a->order, a->config.controllers_count);
	a->next = 0;
	a->skip = skip;
}

const struct h248_controller *assoc_round_next(struct h248_assoc *a)
{
	while (a->next < a->config.controllers_count) {
		a->at = a->order[a->next++];
		if (a->at != a->skip)
			return &a->controllers[a->at];
	}
	a->at = ASSOC_NONE;
	return NULL;
}

size_t assoc_last_index(const struct h248_assoc *a)
{
	for (size_t i = 0; i < a->config.controllers_count; i++) {
		if (!a->controllers[i].name[0] &&
		    h248_addr_equal(&a->controllers[i].addr, &a->last))
			return i;
	}
	return a->last_at;
}

int assoc_controller_of_mid(const struct h248_mid *mid, const struct h248_addr *base,
                            struct h248_controller *ret)
{
	struct h248_controller c = { .addr = { .transport = base->transport,
		                               .family = base->family,
		                               .port = H248_PORT_TEXT } };
	int rc = h248_addr_of_mid(mid, base, &c.addr);

	if (rc &&
	    (mid->kind != H248_MID_DOMAIN || !mid->name.len || mid->name.len >= sizeof(c.name)))
		return rc;
	if (rc) {
		snprintf(c.name, sizeof(c.name), "%.*s", BASE_FMT(mid->name));
		if (mid->has_port)
			c.addr.port = mid->port;
	}
	*ret = c;
	return 0;
}

void assoc_unfit_forget(struct h248_assoc *a)
{
	struct h248_peer *peer = a->unfit_peer;

	a->unfit = (struct h248_addr){ 0 };
	a->unfit_peer = NULL;
	h248_peer_free(peer);
}

bool assoc_same_host(const struct h248_addr *a, const struct h248_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool assoc_listed_host(const struct h248_assoc *a, const struct h248_addr *from)
{
	for (size_t i = 0; i < a->config.controllers_count; i++)
		if (!a->controllers[i].name[0] && assoc_same_host(from, &a->controllers[i].addr))
			return true;
	return false;
}
