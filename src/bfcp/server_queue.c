/* SPDX-License-Identifier: Apache-2.0 */
/* One queue for all floors; a request waits in it for all of its own at once (RFC 8855, 10.1.1). */
#include <stdlib.h>

#include "bfcp/server_private.h"

#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct fcs_request, node)

struct fcs_request *fcs_request(const struct bfcp_server *s, uint16_t id)
{
	FCS_EACH(&s->requests, struct fcs_request, r)
	if (r->id == id)
		return r;
	return NULL;
}

struct fcs_request *fcs_request_new(struct bfcp_server *s)
{
	struct fcs_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	do {
		s->last_id = s->last_id == UINT16_MAX ? 1 : (uint16_t)(s->last_id + 1);
	} while (fcs_request(s, s->last_id));
	r->id = s->last_id;
	r->status = BFCP_PENDING;
	base_list_append(&s->requests, &r->node);
	s->count++;
	return r;
}

void fcs_request_free(struct bfcp_server *s, struct fcs_request *r)
{
	s->count--;
	base_list_remove(&r->node);
	base_writer_done(&r->info);
	base_writer_done(&r->note);
	free(r);
}

static void hold(struct bfcp_server *s, struct fcs_request *r, bool granted)
{
	for (size_t i = 0; i < r->parts; i++) {
		r->part[i].floor->held += granted ? 1U : -1U;
		if (s->spec.ops->floor)
			s->spec.ops->floor(s->spec.arg, r->part[i].floor->id, r->beneficiary,
			                   granted);
	}
}

bool fcs_happen(struct bfcp_server *s, struct fcs_request *r, enum bfcp_event event)
{
	enum bfcp_status next = bfcp_next_status(r->status, event);

	if (!next)
		return false;
	if (next == r->status)
		return true;
	if (next == BFCP_GRANTED || r->status == BFCP_GRANTED)
		hold(s, r, next == BFCP_GRANTED);
	r->status = next;
	if (next == BFCP_ACCEPTED)
		fcs_place(s, r, 0);
	return true;
}

static bool share_a_floor(const struct fcs_request *a, const struct fcs_request *b)
{
	for (size_t i = 0; i < a->parts; i++)
		for (size_t j = 0; j < b->parts; j++)
			if (a->part[i].floor == b->part[j].floor)
				return true;
	return false;
}

void fcs_place(struct bfcp_server *s, struct fcs_request *r, unsigned position)
{
	struct base_node *before = &s->requests;
	unsigned seen = 0;

	base_list_remove(&r->node);
	FCS_EACH(&s->requests, struct fcs_request, other)
	{
		if (other->status != BFCP_ACCEPTED)
			continue;
		seen += share_a_floor(r, other);
		if (position ? seen == position : other->priority < r->priority) {
			before = &other->node;
			break;
		}
	}
	base_list_append(before, &r->node);
}

uint8_t fcs_position(const struct bfcp_server *s, const struct fcs_request *r)
{
	unsigned position = 1;

	if (r->status != BFCP_ACCEPTED)
		return 0;
	FCS_EACH(&s->requests, struct fcs_request, other)
	{
		if (other == r)
			break;
		position += other->status == BFCP_ACCEPTED && share_a_floor(r, other);
	}
	return (uint8_t)BASE_MIN(position, UINT8_MAX);
}

static bool all_agreed(const struct fcs_request *r)
{
	for (size_t i = 0; i < r->parts; i++)
		if (r->part[i].floor->spec.chair && !r->part[i].agreed)
			return false;
	return true;
}

void fcs_consent(struct bfcp_server *s, struct fcs_request *r)
{
	if (r->status == BFCP_PENDING && all_agreed(r))
		(void)fcs_happen(s, r, BFCP_CONSENT);
}

/** Its floors are free, and nobody ahead waits for one of them. Else it blocks them for those
 * behind. */
static bool is_next(const struct fcs_request *r)
{
	bool may = true;

	for (size_t i = 0; i < r->parts; i++) {
		const struct fcs_floor *f = r->part[i].floor;

		may = may && !f->blocked && f->held < (f->spec.holders ? f->spec.holders : 1);
	}
	for (size_t i = 0; i < r->parts && !may; i++)
		r->part[i].floor->blocked = true;
	return may;
}

void fcs_settle(struct bfcp_server *s)
{
	FCS_EACH(&s->floors, struct fcs_floor, floor)
	floor->blocked = false;
	FCS_EACH(&s->requests, struct fcs_request, r)
	fcs_consent(s, r);
	FCS_EACH(&s->requests, struct fcs_request, r)
	if (r->status == BFCP_ACCEPTED && is_next(r))
		(void)fcs_happen(s, r, BFCP_TURN);
}
