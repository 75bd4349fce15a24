/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to this folder. STUN as far as SIP's keep-alives need it (RFC 5626, 8): Binding requests
 * and what answers them. Numbers and layouts are recalled (R): RFC 5389 was not at hand. Pure.
 */
#ifndef GH_FLOW_STUN_H
#define GH_FLOW_STUN_H

#include "base/base.h"
#include "stream/stream.h"

#define STUN_ID          12 /**< octets of a transaction id */
#define STUN_ANSWER_MAX  64 /**< octets of what stun_answer() writes */
#define STUN_UNKNOWN_MAX 8

enum stun_kind {
	STUN_NONE, /**< no STUN, or none that we can read */
	STUN_REQUEST,
	STUN_SUCCESS,
	STUN_ERROR,
	STUN_OTHER, /**< of another method, or an indication: nothing is due */
};

struct stun_message {
	uint8_t id[STUN_ID];
	union stream_addr mapped; /**< XOR-MAPPED-ADDRESS; AF_UNSPEC = none */
	/** Attributes that one has to know and that are not known here; others are left out. */
	uint16_t unknown[STUN_UNKNOWN_MAX];
	size_t unknown_count;
};

/** Any octets are safe input. `ret` is filled where the kind is neither NONE nor OTHER. */
enum stun_kind stun_parse(struct stun_message *ret, struct base_str octets);
/** A Binding request. */
void stun_request(const uint8_t id[STUN_ID], struct base_writer *w);
/** What a Binding request from there is due: where it came from, or error 420. */
void stun_answer(const struct stun_message *request, const union stream_addr *from,
                 struct base_writer *w);

#endif
