/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One MSRP request or response without its body (RFC 4975, 7 and 9; RFC 7701, 7), read and written.
 */
#ifndef GH_MSRP_MESSAGE_H
#define GH_MSRP_MESSAGE_H

#include "base/base.h"

#define MSRP_ID_OCTETS    32    /**< of an ident: transaction and message ids */
#define MSRP_FIELDS_MAX   24    /**< header fields that we do not know */
#define MSRP_BODY_MAX     10240 /**< of anything but SEND (7.1) */
#define MSRP_CHUNK_MIN    2048  /**< no chunk but the last is to be smaller (7.1.1) */
#define MSRP_NICKNAME_MAX 1023  /**< octets (RFC 7701, 7.1) */

enum msrp_method {
	MSRP_RESPONSE,
	MSRP_SEND,
	MSRP_REPORT,
	MSRP_NICKNAME,
	MSRP_OTHER, /**< told in method_name */
};

/** Codes of RFC 4975, 10 and RFC 7701, 10.3. */
enum msrp_status {
	MSRP_OK = 200,
	MSRP_UNINTELLIGIBLE = 400,
	MSRP_NOT_ALLOWED = 403,
	MSRP_NO_RECIPIENT = 404,
	MSRP_TIMED_OUT = 408,
	MSRP_STOP = 413,
	MSRP_MEDIA_TYPE = 415,
	MSRP_OUT_OF_BOUNDS = 423,
	MSRP_NICKNAME_MALFORMED = 424,
	MSRP_NICKNAME_TAKEN = 425,
	MSRP_NOT_PRIVATE = 428,
	MSRP_NO_SESSION = 481,
	MSRP_NO_METHOD = 501,
	MSRP_OTHER_CONNECTION = 506,
};

/** Failure-Report; what is not there counts as yes (7.1.1). */
enum msrp_failure { MSRP_FAILURE_YES, MSRP_FAILURE_PARTIAL, MSRP_FAILURE_NO };

/** Byte-Range; octets count from 1. */
struct msrp_range {
	uint64_t start, end, total;
	bool end_known, total_known; /**< not "*" */
};

/** All texts are borrowed. What is not there has a NULL pointer. */
struct msrp_head {
	struct base_str tid;
	enum msrp_method method;
	struct base_str method_name; /**< of a request */
	unsigned status;             /**< of a response */
	struct base_str comment;
	struct base_str to_path, from_path;
	struct base_str message_id;
	bool has_success, success; /**< Success-Report: is it there, and "yes" */
	bool has_failure;
	enum msrp_failure failure;
	bool has_range;
	struct msrp_range range;
	bool has_report; /**< Status: namespace, code, comment */
	unsigned report_namespace, report_status;
	struct base_str report_comment;
	struct base_str use_nickname;           /**< with its quotes */
	struct base_str content_type;           /**< a message without a body has none */
	struct base_str field[MSRP_FIELDS_MAX]; /**< all others, as lines without their end */
	size_t fields;
	/** 400 when a field is not what it should be: framing and paths can be relied on even then,
	 * so that the request can be answered. Else 0. */
	unsigned fault;
	const char *why; /**< the fault in words; a literal */
};

/**
 * Read a start line and header lines, each with its CRLF, nothing behind them. Any octets are safe.
 * @return 0, or BASE_PEER with detail 400 where not even an answer is possible: `err` says why
 */
int msrp_head_parse(struct base_str lines, struct msrp_head *ret, struct base_error *err);

/** Start line and header, in the order of the grammar; for a body, the empty line, too. */
void msrp_head_write(struct base_writer *w, const struct msrp_head *head);
/** The line of Byte-Range. */
void msrp_range_write(struct base_writer *w, const struct msrp_range *range);
/** The end-line (9): `flag` is '$', '+' or '#'; `body`: a body stands before it. */
void msrp_end_write(struct base_writer *w, struct base_str tid, bool body, char flag);

/** The words of a code, for start lines and Status. Never NULL. */
const char *msrp_status_words(unsigned status);

/**
 * A nickname out of its quotes (RFC 7701, 7.1).
 * @param out  MSRP_NICKNAME_MAX octets
 * @return 0 (a length of 0 removes the nickname, 7.3), or BASE_PEER with detail 424
 */
int msrp_nickname_read(struct base_str quoted, char *out, size_t *ret_len);
/** With quotes and escapes. */
void msrp_nickname_write(struct base_writer *w, struct base_str nickname);

/** Transaction and message ids that nobody can guess: a keyed hash of a counter. */
struct msrp_ids {
	uint64_t seed[2], count;
};
/** Seeds from the kernel. @return 0, or BASE_LOCAL */
int msrp_ids_init(struct msrp_ids *ids);
/** 16 hexadecimal digits of 64 bits (7.1), terminated. */
void msrp_id_next(struct msrp_ids *ids, char out[17]);

#endif
