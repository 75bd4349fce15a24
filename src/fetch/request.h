/* SPDX-License-Identifier: Apache-2.0 */
/** @file What may be asked over the socket: one line a packet. Pure. */
#ifndef GH_FETCH_REQUEST_H
#define GH_FETCH_REQUEST_H

#include "base/base.h"

enum fetch_asked { FETCH_ASKED_CRL, FETCH_ASKED_STATUS, FETCH_ASKED_REFRESH };

struct fetch_request {
	enum fetch_asked what;
	struct base_str url; /**< of `crl`; borrowed */
	bool json;           /**< of `status` */
};

/**
 * `crl URL`, `status`, `status json`, `refresh`, each with a line feed behind it.
 * @return 0, or BASE_PEER
 */
int fetch_request_parse(struct base_str packet, struct fetch_request *ret);

#endif
