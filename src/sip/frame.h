/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Messages and keep-alives in a stream (RFC 3261, 7.5 and 18.3; RFC 5626, 3.5.1).
 */
#ifndef GH_SIP_FRAME_H
#define GH_SIP_FRAME_H

#include "base/base.h"

enum sip_frame_kind {
	SIP_FRAME_MORE = 0, /**< octets are missing */
	SIP_FRAME_MESSAGE,  /**< `len` octets are one message */
	SIP_FRAME_PING,     /**< CRLF CRLF: answer with CRLF; `len` is 4 */
	SIP_FRAME_PONG,     /**< CRLF alone, which means nothing else; `len` is 2 */
};

/** Where a stream's reader stands in what has come. All zero at its start, but for its options. */
struct sip_framer {
	size_t scanned;    /**< octets looked at: none is looked at twice */
	size_t need;       /**< once its head has been read: the length of the message */
	size_t octets_max; /**< of a message; 0 = SIP_MESSAGE_OCTETS_MAX */
	bool pings;        /**< we ping this peer: a CRLF is its pong, not half a ping of its own */
};

/**
 * What stands at the start of `in`, the octets of a stream that have not been consumed. Call again
 * with the same start and more octets after SIP_FRAME_MORE.
 *
 * @param ret_len  octets to consume; of a message its whole length
 * @return 0; BASE_PEER when the stream can be read no further: the detail is the status that the
 *         message in `in` is due before the stream is closed (400, 413)
 */
int sip_frame(struct sip_framer *framer, struct base_str in, enum sip_frame_kind *ret_kind,
              size_t *ret_len);

#endif
