/* SPDX-License-Identifier: Apache-2.0 */
/** @file SDP in properties (RFC 3525, C.11). Private to the codec. */
#ifndef GH_H248_BER_SDP_H
#define GH_H248_BER_SDP_H

#define BER_SDP_FIRST  0x0000B001U /**< v= */
#define BER_SDP_LAST   0x0000B00FU /**< m= */
#define BER_SDP_OTHER  0x0000B0FFU /**< a line of no known letter, whole (P; unassigned in C.11) */

#define BER_SDP_PREFIX "a=x-h248-"       /**< a property that is no SDP (P) */
#define BER_SDP_GROUP  "a=x-h248-group:" /**< propGroupID of an individual audit (P) */

/** Letters of the lines, in the order of their tags. */
extern const char h248_ber_sdp_letters[15];

#endif
