/* SPDX-License-Identifier: Apache-2.0 */
/** @file Bad input: a flow that has every check in it, its steps one by one, and what is done to
 * their messages. */
#ifndef GH_TESTS_MIKEY_HOSTILE_H
#define GH_TESTS_MIKEY_HOSTILE_H

#include "check.h"
#include "stage.h"

#define SHA256_SUITE                                                                               \
	{                                                                                          \
		MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_256_256                   \
	}
static const uint8_t prots[] = { MIKEY_PROT_TLS };

/* A flow that forks keys, which has every check in it. */
struct stage *hostile_begin(int mode, bool pk);

void hostile_end(struct stage *s);

void hostile_forget(struct stage *s);

/* The result of a peer's fault; anything else fails the test. */
int hostile_fault(int rc);

int hostile_ask_kms(struct stage *s, const struct base_writer *message,
                    const struct mikey_cred *cred);

int hostile_request_finish(struct stage *s);

/* The Responder's whole part, from TRANSFER_INIT to its answer. */
int hostile_respond(struct stage *s);

int hostile_at_kms_i(struct stage *s);

int hostile_at_kms_r(struct stage *s);

#endif
