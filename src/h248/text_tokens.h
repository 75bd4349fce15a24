/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tokens of the text encoding (RFC 3525, Annex B.2; section 2 of the fact sheet): one row each.
 * Private to the codec. No spelling is used twice, so one table serves; which token is legal is
 * decided by position (trap 7.7).
 */
#ifndef GH_H248_TEXT_TOKENS_H
#define GH_H248_TEXT_TOKENS_H

#include "base/base.h"

enum h248_token {
	TOK_NONE = 0,
	TOK_ADD,
	TOK_ANDLGC,
	TOK_AUDIT,
	TOK_AUDIT_CAPABILITY,
	TOK_AUDIT_VALUE,
	TOK_AUTHENTICATION,
	TOK_BOTH,
	TOK_BOTHWAY,
	TOK_BRIEF,
	TOK_BUFFER,
	TOK_CONTEXT,
	TOK_CONTEXT_ATTR,
	TOK_CONTEXT_AUDIT,
	TOK_CONTEXT_LIST,
	TOK_DELAY,
	TOK_DIGIT_MAP,
	TOK_DISCONNECTED,
	TOK_DURATION,
	TOK_EMBED,
	TOK_EMERGENCY,
	TOK_EMERGENCY_OFF,
	TOK_EMERGENCY_VALUE,
	TOK_END,
	TOK_ERROR,
	TOK_EVENT_BUFFER,
	TOK_EVENTS,
	TOK_EXTERNAL,
	TOK_FAILOVER,
	TOK_FORCED,
	TOK_GRACEFUL,
	TOK_H221,
	TOK_H223,
	TOK_H226,
	TOK_HAND_OFF,
	TOK_IEPSCALL,
	TOK_IMM_ACK_REQUIRED,
	TOK_IMMEDIATE_NOTIFY,
	TOK_INACTIVE,
	TOK_IN_SERVICE,
	TOK_INT_BY_EVENT,
	TOK_INT_BY_SIG_DESCR,
	TOK_INTERNAL,
	TOK_INTERSIGNAL,
	TOK_ISOLATE,
	TOK_ITERATION,
	TOK_KEEP_ACTIVE,
	TOK_LOCAL,
	TOK_LOCAL_CONTROL,
	TOK_LOCK_STEP,
	TOK_LOOPBACK,
	TOK_MEDIA,
	TOK_MEGACO,
	TOK_METHOD,
	TOK_MGC_ID_TO_TRY,
	TOK_MODE,
	TOK_MODEM,
	TOK_MODIFY,
	TOK_MOVE,
	TOK_MTP,
	TOK_MUX,
	TOK_NEVER_NOTIFY,
	TOK_NOTIFY,
	TOK_NOTIFY_COMPLETION,
	TOK_NX64KSERVICE,
	TOK_OBSERVED_EVENTS,
	TOK_ONEWAY,
	TOK_ONEWAY_BOTH,
	TOK_ONEWAY_EXTERNAL,
	TOK_ON_OFF,
	TOK_ORLGC,
	TOK_OTHER_REASON,
	TOK_OUT_OF_SERVICE,
	TOK_PACKAGES,
	TOK_PENDING,
	TOK_PRIORITY,
	TOK_PROFILE,
	TOK_REASON,
	TOK_RECEIVE_ONLY,
	TOK_REGULATED_NOTIFY,
	TOK_REMOTE,
	TOK_REPLY,
	TOK_RESERVED_GROUP,
	TOK_RESERVED_VALUE,
	TOK_RESET_EVENTS_DESCRIPTOR,
	TOK_RESTART,
	TOK_SEGMENT,
	TOK_SEND_ONLY,
	TOK_SEND_RECEIVE,
	TOK_SERVICE_CHANGE,
	TOK_SERVICE_CHANGE_ADDRESS,
	TOK_SERVICE_CHANGE_INC,
	TOK_SERVICES,
	TOK_SERVICE_STATES,
	TOK_SIGNAL_LIST,
	TOK_SIGNALS,
	TOK_SIGNAL_TYPE,
	TOK_SPADIRECTION,
	TOK_SPAREQUEST_ID,
	TOK_STATISTICS,
	TOK_STREAM,
	TOK_SUBTRACT,
	TOK_SYNCH_ISDN,
	TOK_TERMINATION_STATE,
	TOK_TEST,
	TOK_TIME_OUT,
	TOK_TOPOLOGY,
	TOK_TRANSACTION,
	TOK_TRANSACTION_RESPONSE_ACK,
	TOK_V18,
	TOK_V22,
	TOK_V22B,
	TOK_V32,
	TOK_V32B,
	TOK_V34,
	TOK_V76,
	TOK_V90,
	TOK_V91,
	TOK_VERSION,
	TOK_COUNT,
};

struct h248_token_row {
	char name[24], brief[8]; /**< long and short spelling, padded; the same when there is one */
	uint8_t name_len, brief_len;
	uint8_t since; /**< first version that has it */
};

extern const struct h248_token_row h248_tokens[TOK_COUNT];

/**
 * The token spelled like that, in either spelling and any case, of any version. Pure.
 *
 * @param key  the first octets of the word, up to 8, each with 0x20 set, as a little-endian number
 */
enum h248_token h248_token_by_key(const char *word, size_t len, uint64_t key);

/** The key of a word, for h248_token_by_key. Never reads past `len`. Pure. */
static inline uint64_t h248_token_key(const char *word, size_t len)
{
	uint64_t key = 0;

	for (size_t i = 0; i < len && i < 8; i++)
		key |= (uint64_t)((uint8_t)word[i] | 0x20) << (8 * i);
	return key;
}

static inline enum h248_token h248_token_of(struct base_str word)
{
	return h248_token_by_key(word.ptr, word.len, h248_token_key(word.ptr, word.len));
}

#endif
