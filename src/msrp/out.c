/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks and turns: RFC 4975, 5.1, 7.1 and 7.1.1. */
#include <stdio.h>
#include <stdlib.h>

#include "msrp/out_private.h"

#define NO_MEMORY    BASE_ERR(BASE_LOCAL, 0)
#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct msrp_sending, node)
/* What a piece may be the last to hold: its block, whole. */
#define PIECE_KEEPS (sizeof(struct msrp_piece) + sizeof(struct msrp_block))

void msrp_out_init(struct msrp_out *out, struct msrp_pool *pool, struct msrp_ids *ids)
{
	*out = (struct msrp_out){ .pool = pool, .ids = ids };
	out->urgent.limit = MSRP_URGENT_MAX;
	base_list_init(&out->ring);
	base_list_init(&out->spare);
	base_list_init(&out->waiting);
	base_list_init(&out->idle);
}

static void piece_done(struct msrp_out *out, struct msrp_piece *piece)
{
	out->kept -= PIECE_KEEPS;
	msrp_piece_free(out->pool, piece);
}

static void drop_pieces(struct msrp_sending *s)
{
	struct msrp_piece *piece;

	while ((piece = s->first)) {
		s->first = piece->next;
		piece_done(s->out, piece);
	}
	s->out->queued -= s->queued;
	s->queued = 0;
	s->last = NULL;
}

static void let_go(struct msrp_sending *s)
{
	if (s->owner)
		*s->owner = NULL;
	s->owner = NULL;
}

/** A message is over; its memory serves the next one. */
static void retire(struct msrp_sending *s)
{
	struct msrp_out *out = s->out;

	drop_pieces(s);
	let_go(s);
	out->kept -= sizeof(*s) + s->text.len;
	if (out->now == s)
		out->now = NULL;
	base_list_remove(&s->node);
	base_list_append(&out->spare, &s->node);
}

static void free_list(struct base_node *list)
{
	struct base_node *node;

	while ((node = base_list_shift(list))) {
		base_writer_done(&OF_NODE(node)->text);
		free(OF_NODE(node));
	}
}

void msrp_out_done(struct msrp_out *out)
{
	if (!out->pool)
		return;
	while (!base_list_empty(&out->ring))
		retire(OF_NODE(out->ring.next));
	free_list(&out->spare);
	msrp_out_forget_all(out);
	base_writer_done(&out->urgent);
	base_writer_done(&out->stage);
	out->pool = NULL;
}

static struct msrp_sending *sending_new(struct msrp_out *out)
{
	struct base_node *node = base_list_shift(&out->spare);
	struct msrp_sending *s = node ? OF_NODE(node) : calloc(1, sizeof(*s));
	struct base_writer text;

	if (!s)
		return NULL;
	text = s->text;
	base_writer_reset(&text);
	*s = (struct msrp_sending){ .out = out, .text = text };
	base_list_init(&s->node);
	return s;
}

/** The fields that all chunks of a message have, around the Byte-Range that each has its own of. */
static void write_fields(struct msrp_sending *s, const struct msrp_head *head)
{
	struct msrp_head part = { .method = MSRP_SEND };
	size_t start;

	part.to_path = head->to_path;
	part.from_path = head->from_path;
	part.message_id = head->message_id;
	part.has_success = head->has_success;
	part.success = head->success;
	part.has_failure = head->has_failure;
	part.failure = head->failure;
	msrp_head_write(&s->text, &part);
	start = sizeof("MSRP  \r\n") - 1; /* each chunk has its own start line */
	if (!s->text.failed)
		memmove(s->text.data, s->text.data + start, s->text.len -= start);
	s->before = s->text.len;
	for (size_t i = 0; i < head->fields; i++) {
		base_writer_str(&s->text, head->field[i]);
		base_writer_text(&s->text, "\r\n");
	}
	if (s->has_body) {
		base_writer_text(&s->text, "Content-Type: ");
		base_writer_str(&s->text, head->content_type);
		base_writer_text(&s->text, "\r\n\r\n");
	}
}

int msrp_out_begin(struct msrp_out *out, const struct msrp_head *head, struct msrp_sending **owner)
{
	struct msrp_sending *s = sending_new(out);

	if (!s)
		return NO_MEMORY;
	s->has_body = head->content_type.ptr != NULL;
	s->failure = head->failure;
	s->next = head->has_range ? head->range.start : 1;
	s->total_known = head->has_range && head->range.total_known;
	s->total = head->range.total;
	snprintf(s->id, sizeof(s->id), "%.*s", BASE_FMT(head->message_id));
	write_fields(s, head);
	if (s->text.failed) {
		base_list_append(&out->spare, &s->node);
		return NO_MEMORY;
	}
	base_list_append(&out->ring, &s->node);
	out->kept += sizeof(*s) + s->text.len;
	s->owner = owner;
	*owner = s;
	return 0;
}

int msrp_sending_put(struct msrp_sending *s, struct msrp_block *block, uint32_t at, uint32_t len)
{
	struct msrp_piece *piece = s->last;

	if (piece && piece->block == block && piece->at + piece->len == at) {
		piece->len += len;
	} else {
		piece = msrp_piece_new(s->out->pool, block, at, len);
		if (!piece)
			return NO_MEMORY;
		if (s->last)
			s->last->next = piece;
		else
			s->first = piece;
		s->last = piece;
		s->out->kept += PIECE_KEEPS;
	}
	s->queued += len;
	s->out->queued += len;
	return 0;
}

void msrp_sending_end(struct msrp_sending *s, char flag)
{
	let_go(s);
	s->end = flag;
	if (flag == '#')
		drop_pieces(s);
	/* What never began need not be ended; what only others continue is over when it has gone.
	 */
	if (s->out->now != s && !s->queued && ((flag == '#' && !s->started) || flag == '+'))
		retire(s);
}

uint64_t msrp_sending_position(const struct msrp_sending *s)
{
	return s->next + s->queued;
}

int msrp_out_put(struct msrp_out *out, const struct msrp_head *head, struct base_str body)
{
	size_t before = out->urgent.len;

	if (out->broken)
		return NO_MEMORY;
	msrp_head_write(&out->urgent, head);
	if (head->content_type.ptr)
		base_writer_str(&out->urgent, body);
	msrp_end_write(&out->urgent, head->tid, head->content_type.ptr != NULL, '$');
	if (!out->urgent.failed)
		return 0;
	out->urgent.failed = false;
	out->urgent.len = before;
	return BASE_ERR(BASE_PEER, MSRP_STOP);
}

bool msrp_out_has_room(const struct msrp_out *out)
{
	return out->urgent.len < MSRP_URGENT_MAX / 2;
}

int msrp_out_ask(struct msrp_out *out, const struct msrp_head *head, struct base_str body,
                 struct base_str note, uint64_t now_ms)
{
	struct msrp_answer what = { .report = true };
	struct msrp_head ours = *head;
	char tid[17];
	int rc;

	msrp_id_next(out->ids, tid);
	ours.tid = base_str_of(tid);
	rc = msrp_out_put(out, &ours, body);
	if (rc)
		return rc;
	snprintf(what.note, sizeof(what.note), "%.*s", BASE_FMT(note));
	msrp_out_await(out, &what, tid, now_ms);
	return 0;
}

/** Octets that can go now. The last one waits until it is known whether more comes: then a message
 * never has to end with a chunk of nothing. */
static uint64_t available(const struct msrp_sending *s)
{
	return s->queued - (!s->end && s->queued ? 1 : 0);
}

static bool is_ready(const struct msrp_sending *s)
{
	return s->end || available(s);
}

/** Whose turn is next. */
static struct msrp_sending *next_ready(const struct msrp_out *out)
{
	for (struct base_node *node = out->ring.next; node != &out->ring; node = node->next)
		if (OF_NODE(node) != out->now && is_ready(OF_NODE(node)))
			return OF_NODE(node);
	return NULL;
}

bool msrp_out_is_full(const struct msrp_out *out, size_t window)
{
	return out->queued > window || out->kept > MSRP_KEPT_MAX;
}

bool msrp_out_ready(const struct msrp_out *out)
{
	const struct msrp_sending *s = out->now;

	return out->staged < out->stage.len || out->urgent.len || next_ready(out) ||
	       (s && is_ready(s));
}

static void open_chunk(struct msrp_out *out, struct msrp_sending *s)
{
	struct base_writer *w = &out->stage;
	uint64_t last = s->next + s->queued - 1;
	struct msrp_range range;

	msrp_id_next(out->ids, out->tid);
	out->now = s;
	out->chunk_start = s->next;
	out->chunk_len = 0;
	out->guard = 0;
	out->whole = s->end == '$' && s->queued <= MSRP_CHUNK_MIN;
	s->started = true;
	out->sends++;
	base_writer_put(w, "MSRP ", 5);
	base_writer_put(w, out->tid, sizeof(out->tid) - 1);
	base_writer_put(w, " SEND\r\n", 7);
	base_writer_put(w, s->text.data, s->before);
	if (s->has_body) {
		range.start = s->next;
		range.end_known = out->whole;
		range.end = last;
		/* what a relayed message said may be wrong */
		range.total_known = s->end == '$' || s->total_known;
		range.total = s->end == '$' ? last : s->total;
		msrp_range_write(w, &range);
	}
	base_writer_put(w, s->text.data + s->before, s->text.len - s->before);
}

struct msrp_answer msrp_out_chunk(const struct msrp_out *out)
{
	const struct msrp_sending *s = out->now;
	struct msrp_answer what = { .is_send = true, .report = s->failure == MSRP_FAILURE_YES };

	memcpy(what.note, s->id, sizeof(what.note));
	what.range = (struct msrp_range){ .start = out->chunk_start,
		                          .end = out->chunk_start + out->chunk_len - 1,
		                          .end_known = true,
		                          .total = s->total,
		                          .total_known = s->total_known };
	if (what.range.total < what.range.end)
		what.range.total_known = false; /* it said less than it had */
	return what;
}

static void close_chunk(struct msrp_out *out, char flag, uint64_t now_ms)
{
	struct msrp_sending *s = out->now;
	struct msrp_answer what = msrp_out_chunk(out);
	bool over;

	msrp_end_write(&out->stage, base_str_of(out->tid), s->has_body, flag);
	out->now = NULL;
	over = flag != '+' || (s->end == '+' && !s->queued);
	if (s->failure != MSRP_FAILURE_NO && !(over && out->unheard))
		msrp_out_await(out, &what, out->tid, now_ms);
	if (over) {
		retire(s);
		return;
	}
	base_list_remove(&s->node);
	base_list_append(&out->ring, &s->node);
}

/** Has this chunk to make way (7.1.1)? */
static bool must_yield(const struct msrp_out *out)
{
	if (out->whole || out->chunk_len < MSRP_CHUNK_MIN)
		return false;
	return out->urgent.len ||
	       (out->chunk_len >= (out->slice ? out->slice : MSRP_SLICE_OCTETS) && next_ready(out));
}

/** How many of `len` octets can go before the body would hold the chunk's own end-line (7.1). */
static size_t guarded(struct msrp_out *out, const char *data, size_t len)
{
	const size_t hyphens = 7, all = hyphens + 16;
	const char *at;

	for (size_t i = 0; i < len; i++) {
		if (out->guard == 0) {
			at = memchr(data + i, '-', len - i);
			if (!at)
				return len;
			i = (size_t)(at - data);
		}
		if (out->guard < hyphens)
			out->guard = data[i] == '-' ? out->guard + 1 : 0;
		else if (data[i] == out->tid[out->guard - hyphens])
			out->guard++;
		else if (data[i] == '-') /* after seven hyphens another one leaves seven */
			out->guard = out->guard == hyphens ? hyphens : 1;
		else
			out->guard = 0;
		if (out->guard == all)
			return i;
	}
	return len;
}

static size_t copy(struct msrp_out *out, char *buf, size_t cap)
{
	struct msrp_sending *s = out->now;
	struct msrp_piece *piece = s->first;
	const char *data = piece->block->data + piece->at;
	size_t n = BASE_MIN(cap, (size_t)BASE_MIN((uint64_t)piece->len, available(s)));

	n = guarded(out, data, n);
	memcpy(buf, data, n);
	piece->at += (uint32_t)n;
	piece->len -= (uint32_t)n;
	s->queued -= n;
	s->next += n;
	out->queued -= n;
	out->chunk_len += n;
	if (piece->len)
		return n;
	s->first = piece->next;
	if (!s->first)
		s->last = NULL;
	piece_done(out, piece);
	return n;
}

/** Go on with the open chunk. @return false when it waits for its sender, and nobody for it */
static bool pump(struct msrp_out *out, char *buf, size_t cap, size_t *n, uint64_t now_ms)
{
	struct msrp_sending *s = out->now;

	if (s->end == '#') {
		close_chunk(out, '#', now_ms);
	} else if (!available(s)) {
		if (!s->end && !out->urgent.len && !next_ready(out))
			return false;
		close_chunk(out, (char)(s->end ? s->end : '+'), now_ms);
	} else if (must_yield(out)) {
		close_chunk(out, '+', now_ms);
	} else {
		*n += copy(out, buf + *n, cap - *n);
		if (out->guard == 7 + 16)
			close_chunk(out, '+', now_ms);
	}
	return true;
}

/** What is next when no chunk is open. */
static bool turn(struct msrp_out *out)
{
	struct base_writer stage = out->stage;
	struct msrp_sending *s;

	if (out->urgent.len) {
		stage.limit = MSRP_URGENT_MAX;
		out->stage = out->urgent;
		out->stage.limit = 0;
		out->urgent = stage;
		return true;
	}
	s = next_ready(out);
	if (s)
		open_chunk(out, s);
	return s != NULL;
}

size_t msrp_out_take(struct msrp_out *out, void *buf, size_t cap, uint64_t now_ms)
{
	char *to = buf;
	size_t n = 0, some;

	while (n < cap) {
		if (out->staged < out->stage.len) {
			some = BASE_MIN(cap - n, out->stage.len - out->staged);
			memcpy(to + n, out->stage.data + out->staged, some);
			out->staged += some;
			n += some;
			continue;
		}
		out->broken = out->broken || out->stage.failed;
		if (out->broken)
			break;
		base_writer_reset(&out->stage);
		out->staged = 0;
		if (out->now ? !pump(out, to, cap, &n, now_ms) : !turn(out))
			break;
	}
	return n;
}
