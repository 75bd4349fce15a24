/* SPDX-License-Identifier: Apache-2.0 */
/** @file An endpoint that writes down what it gets, for tests of what stands between endpoints. */
#ifndef GH_TESTS_MSRP_PEER_H
#define GH_TESTS_MSRP_PEER_H

#include "msrp/msrp.h"

#include "check.h"

struct peer {
	struct msrp_client *client;
	struct base_writer got; /* of the last message, by place */
	char type[64];          /* its content type */
	int whole, broken;      /* messages that ended so */
	unsigned refuse;        /* answer to each message that begins */
	unsigned told, told_count;
	struct msrp_range told_range;
	unsigned nickname;
	bool woken;
};

static inline void peer_wake(void *arg)
{
	((struct peer *)arg)->woken = true;
}

static inline unsigned peer_begin(void *arg, struct msrp_incoming *in)
{
	struct peer *p = arg;

	snprintf(p->type, sizeof(p->type), "%.*s", BASE_FMT(in->content_type));
	base_writer_reset(&p->got);
	return p->refuse;
}

static inline unsigned peer_piece(void *arg, struct msrp_incoming *in, uint64_t at,
                                  struct base_str data)
{
	struct peer *p = arg;

	(void)in;
	if (at + data.len > p->got.len) {
		assert_true(base_writer_reserve(&p->got, at + data.len - p->got.len));
		p->got.len = at + data.len;
	}
	memcpy(p->got.data + at, data.ptr, data.len);
	return 0;
}

static inline void peer_end(void *arg, struct msrp_incoming *in, bool whole)
{
	struct peer *p = arg;

	if (whole)
		assert_int_equal(in->total, p->got.len);
	p->whole += whole;
	p->broken += !whole;
}

static inline void peer_told(void *arg, struct base_str id, const struct msrp_range *range,
                             unsigned status)
{
	struct peer *p = arg;

	assert_int_equal(id.len, 16);
	p->told = status;
	p->told_range = *range;
	p->told_count++;
}

static inline void peer_nickname(void *arg, unsigned status)
{
	((struct peer *)arg)->nickname = status;
}

static inline void peer_open(struct peer *p, const char *own, const char *path)
{
	static const struct msrp_client_ops ops = { .wake = peer_wake,
		                                    .begin = peer_begin,
		                                    .piece = peer_piece,
		                                    .end = peer_end,
		                                    .told = peer_told,
		                                    .nickname = peer_nickname };
	struct msrp_client_spec spec = {
		.own = base_str_of(own), .peer = base_str_of(path), .ops = &ops, .arg = p
	};

	*p = (struct peer){ 0 };
	assert_int_equal(msrp_client_new(&p->client, &spec, NULL), 0);
}

static inline void peer_close(struct peer *p)
{
	msrp_client_free(p->client);
	base_writer_done(&p->got);
}

static inline void peer_say(struct peer *p, const char *type, struct base_str body, bool success)
{
	struct msrp_upload_spec spec = { .content_type = base_str_of(type),
		                         .total_known = true,
		                         .total = body.len,
		                         .success = success };
	struct msrp_upload *u;
	char id[17];

	assert_int_equal(msrp_upload_new(p->client, &spec, id, &u), 0);
	assert_int_equal(msrp_upload_put(u, body), 0);
	msrp_upload_end(u, '$');
}

#endif
