/* SPDX-License-Identifier: Apache-2.0 */
/** @file A message on its way out, shared by out.c and out_wait.c. */
#ifndef GH_MSRP_OUT_PRIVATE_H
#define GH_MSRP_OUT_PRIVATE_H

#include "msrp/out.h"

struct msrp_sending {
	struct base_node node;
	struct msrp_out *out;
	struct msrp_sending **owner;
	struct msrp_piece *first, *last;
	uint64_t queued; /* octets in pieces */
	uint64_t next;   /* where the next octet that goes out belongs, from 1 */
	uint64_t total;  /* as the head said */
	bool total_known;
	bool started;  /* a chunk has begun */
	bool has_body; /* false: a SEND without a body (7.1) */
	char end;      /* 0: more comes; else the flag of its last chunk */
	enum msrp_failure failure;
	char id[MSRP_ID_OCTETS + 1];
	struct base_writer text; /* fields before Byte-Range, then those behind it */
	size_t before;
};

/** What an answer to the open chunk would be about. */
struct msrp_answer msrp_out_chunk(const struct msrp_out *out);
/** A chunk has gone: remember it where an answer may come. */
void msrp_out_await(struct msrp_out *out, const struct msrp_answer *what, const char *tid,
                    uint64_t now_ms);
void msrp_out_forget_all(struct msrp_out *out);

#endif
