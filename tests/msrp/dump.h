/* SPDX-License-Identifier: Apache-2.0 */
/** @file A stream as a parser told it, in one text that does not depend on how it was cut. */
#ifndef GH_TESTS_MSRP_DUMP_H
#define GH_TESTS_MSRP_DUMP_H

#include "msrp/msrp.h"

/** Feed `in` to the parser and append what comes: heads written anew, bodies, flags. */
static inline int dump(struct msrp_parser *p, struct base_str in, struct base_writer *w)
{
	enum msrp_event event = MSRP_HEAD;
	int rc = 0;

	while (!rc && event != MSRP_MORE) {
		rc = msrp_parser_next(p, &in, &event, NULL);
		if (rc)
			break;
		if (event == MSRP_HEAD)
			msrp_head_write(w, &p->head);
		else if (event == MSRP_BODY)
			base_writer_str(w, p->piece);
		else if (event == MSRP_END)
			msrp_end_write(w, p->head.tid, p->has_body, p->flag);
	}
	return rc;
}

#endif
