/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What GnuTLS 3.7, as Debian builds it, can do. tests/tls/test_gnutls.c asks the library itself, so
 * this table cannot drift from the truth.
 */
#include "tls/gnutls_engine.h"

static const uint16_t suites[] = {
	0x0001, 0x0002, 0x0004, 0x0005, 0x000a, 0x0013, 0x0016, 0x0018, 0x001b, 0x002c, 0x002d,
	0x002e, 0x002f, 0x0032, 0x0033, 0x0034, 0x0035, 0x0038, 0x0039, 0x003a, 0x003b, 0x003c,
	0x003d, 0x0040, 0x0067, 0x006a, 0x006b, 0x006c, 0x006d, 0x008a, 0x008b, 0x008c, 0x008d,
	0x008e, 0x008f, 0x0090, 0x0091, 0x0092, 0x0093, 0x0094, 0x0095, 0x009c, 0x009d, 0x009e,
	0x009f, 0x00a2, 0x00a3, 0x00a6, 0x00a7, 0x00a8, 0x00a9, 0x00aa, 0x00ab, 0x00ac, 0x00ad,
	0x00ae, 0x00af, 0x00b0, 0x00b1, 0x00b2, 0x00b3, 0x00b4, 0x00b5, 0x00b6, 0x00b7, 0x00b8,
	0x00b9, 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc006, 0xc007, 0xc008, 0xc009, 0xc00a,
	0xc010, 0xc011, 0xc012, 0xc013, 0xc014, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019, 0xc023,
	0xc024, 0xc027, 0xc028, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xc033, 0xc034, 0xc035, 0xc036,
	0xc037, 0xc038, 0xc039, 0xc03a, 0xc03b, 0xc09c, 0xc09d, 0xc09e, 0xc09f, 0xc0a0, 0xc0a1,
	0xc0a2, 0xc0a3, 0xc0a4, 0xc0a5, 0xc0a6, 0xc0a7, 0xc0a8, 0xc0a9, 0xc0aa, 0xc0ab, 0xc0ac,
	0xc0ad, 0xc0ae, 0xc0af, 0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae,
};

static const uint16_t groups[] = { 19, 21, 23, 24, 25, 29, 30, 256, 257, 258, 259, 260 };

static const uint16_t signatures[] = {
	0x0101, 0x0201, 0x0202, 0x0203, 0x0301, 0x0303, 0x0401, 0x0402, 0x0403, 0x0501, 0x0503,
	0x0601, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b,
};

/*
 * server_name, max_fragment_length, trusted_ca_keys (by ourselves: choose.c), status_request,
 * supported_groups, ec_point_formats, signature_algorithms, use_srtp, ALPN, encrypt_then_mac,
 * extended_master_secret, record_size_limit, session_ticket, pre_shared_key, supported_versions,
 * cookie, psk_key_exchange_modes, post_handshake_auth, signature_algorithms_cert, key_share,
 * renegotiation_info
 *
 * Of signature_algorithms_cert (50) GnuTLS takes no notice, which is all that is asked here. It
 * helps a server to choose among chains, and "SHOULD continue the handshake by sending the client
 * a certificate chain of its choice" where there is no other (RFC 8446, 4.4.2.2): a domain has one.
 * Who has one policy for both "MAY omit" it (4.2.3), and the profiles have one list. What GnuTLS
 * does when it comes is tested (a client of other algorithms for certificates than for itself).
 */
static const uint16_t extensions[] = { 0,  1,  3,  5,  10, 11, 13, 14, 16, 22,    23,
	                               28, 35, 41, 43, 44, 45, 49, 50, 51, 0xff01 };

/*
 * Not PROFILE_FEATURE_RENEGOTIATION_DTLS: the answer to its HelloRequest is not taken
 * (docs/dtls.md); tests/tls/test_dtls_renegotiation.c holds it to that
 * (what_an_engine_cannot_is_told).
 */
const struct profile_engine_caps tls_gnutls_caps = {
	.name = "gnutls",
	.versions = PROFILE_TLS_ALL | PROFILE_DTLS_1_0 | PROFILE_DTLS_1_2,
	.suites = { suites, BASE_COUNT(suites) },
	.groups = { groups, BASE_COUNT(groups) },
	.signatures = { signatures, BASE_COUNT(signatures) },
	.extensions = { extensions, BASE_COUNT(extensions) },
	.features = PROFILE_FEATURE_RENEGOTIATION_INFO | PROFILE_FEATURE_RENEGOTIATION_CLIENT |
	            PROFILE_FEATURE_RENEGOTIATION_SERVER | PROFILE_FEATURE_TICKETS |
	            PROFILE_FEATURE_SESSION_IDS | PROFILE_FEATURE_PSK |
	            PROFILE_FEATURE_EMS_REQUIRED | PROFILE_FEATURE_RENEGOTIATION_DATA,
};
