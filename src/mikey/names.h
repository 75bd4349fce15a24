/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The numbers of the IANA registry "MIKEY Payload Name Spaces" and their names.
 */
#ifndef GH_MIKEY_NAMES_H
#define GH_MIKEY_NAMES_H

/** RFC 3830, 6.1 and RFC 6043, 6.1: what message it is. */
enum mikey_data_type {
	MIKEY_PSK_INIT = 0,
	MIKEY_PSK_VERIFY = 1,
	MIKEY_PK_INIT = 2,
	MIKEY_PK_VERIFY = 3,
	MIKEY_DH_INIT = 4,
	MIKEY_DH_RESP = 5,
	MIKEY_ERROR = 6,
	MIKEY_REQUEST_INIT_PSK = 11,
	MIKEY_REQUEST_INIT_PK = 12,
	MIKEY_REQUEST_RESP = 13,
	MIKEY_TRANSFER_INIT = 14,
	MIKEY_TRANSFER_RESP = 15,
	MIKEY_RESOLVE_INIT_PSK = 16,
	MIKEY_RESOLVE_INIT_PK = 17,
	MIKEY_RESOLVE_RESP = 18,
};

/** RFC 3830, 6.1 and RFC 6043, 6.1: "next payload". */
enum mikey_payload_type {
	MIKEY_LAST = 0,
	MIKEY_KEMAC = 1,
	MIKEY_PKE = 2,
	MIKEY_DH = 3,
	MIKEY_SIGN = 4,
	MIKEY_T = 5,
	MIKEY_ID = 6,
	MIKEY_CERT = 7,
	MIKEY_CHASH = 8,
	MIKEY_V = 9,
	MIKEY_SP = 10,
	MIKEY_RAND = 11,
	MIKEY_ERR = 12,
	MIKEY_TR = 13,
	MIKEY_IDR = 14,
	MIKEY_RANDR = 15,
	MIKEY_TP = 16,
	MIKEY_TICKET = 17,
	MIKEY_KEY_DATA = 20,
	MIKEY_GENERAL_EXT = 21,
};

enum mikey_prf { MIKEY_PRF_MIKEY_1 = 0, MIKEY_PRF_HMAC_SHA_256 = 1 };
/** RFC 3830, 6.1; RFC 4563, 5; RFC 6043, 6.1.1 */
enum mikey_map_type { MIKEY_MAP_SRTP_ID = 0, MIKEY_MAP_EMPTY = 1, MIKEY_MAP_GENERIC_ID = 2 };
enum mikey_encr {
	MIKEY_ENCR_NULL = 0,
	MIKEY_AES_CM_128 = 1,
	MIKEY_AES_KW_128 = 2,
	MIKEY_AES_CM_256 = 3,
};
enum mikey_mac { MIKEY_MAC_NULL = 0, MIKEY_HMAC_SHA_1_160 = 1, MIKEY_HMAC_SHA_256_256 = 2 };
enum mikey_hash { MIKEY_SHA_1 = 0, MIKEY_MD5 = 1, MIKEY_SHA_256 = 2 };
enum mikey_ts_type {
	MIKEY_NTP_UTC = 0,
	MIKEY_NTP = 1,
	MIKEY_COUNTER = 2,
	MIKEY_NTP_UTC_32 = 3,
};
/** RFC 6043, 6.4 */
enum mikey_ts_role {
	MIKEY_TS_ISSUE = 1,
	MIKEY_TS_START = 2,
	MIKEY_TS_END = 3,
	MIKEY_TS_REKEY = 4,
};
enum mikey_id_type { MIKEY_NAI = 0, MIKEY_URI = 1, MIKEY_BYTE_STRING = 2 };
/** RFC 6043, 6.6 */
enum mikey_id_role {
	MIKEY_ID_INITIATOR = 1,
	MIKEY_ID_RESPONDER = 2,
	MIKEY_ID_KMS = 3,
	MIKEY_ID_PSK = 4,
	MIKEY_ID_APP = 5,
};
/** RFC 6043, 6.8 */
enum mikey_rand_role {
	MIKEY_RAND_INITIATOR = 1,
	MIKEY_RAND_RESPONDER = 2,
	MIKEY_RAND_KMS = 3,
};
/** RFC 3830, 6.10. TLS has no number: TS 33.328, H.3 names it, IANA does not. P: the first private
 * value. */
enum mikey_prot_type { MIKEY_PROT_SRTP = 0, MIKEY_PROT_TESLA = 1, MIKEY_PROT_TLS = 241 };
/** RFC 6043, 6.10 */
enum mikey_ticket_type { MIKEY_TICKET_BASE = 1, MIKEY_TICKET_3GPP = 2 };
/** RFC 3830, 6.13 and RFC 6043, 6.2.1 */
enum mikey_key_type {
	MIKEY_TGK = 0,
	MIKEY_TGK_SALT = 1,
	MIKEY_TEK = 2,
	MIKEY_TEK_SALT = 3,
	MIKEY_GTGK = 4,
	MIKEY_GTGK_SALT = 5,
	MIKEY_MPK = 6,
};
enum mikey_kv_type { MIKEY_KV_NULL = 0, MIKEY_KV_SPI = 1, MIKEY_KV_INTERVAL = 2 };
enum mikey_cert_type {
	MIKEY_X509 = 0,
	MIKEY_X509_URL = 1,
	MIKEY_X509_SIGN = 2,
	MIKEY_X509_ENCR = 3,
};
enum mikey_sign_type { MIKEY_RSA_PKCS1 = 0, MIKEY_RSA_PSS = 1 };
/** RFC 3830, 6.15; RFC 4567, 7; RFC 4563, 4 */
enum mikey_ext_type { MIKEY_EXT_VENDOR_ID = 0, MIKEY_EXT_SDP_IDS = 1, MIKEY_EXT_KEY_ID = 3 };
/** RFC 3830, 6.12 and RFC 6043, 6.9: "Error no". */
enum mikey_error_no {
	MIKEY_BAD_AUTH = 0,
	MIKEY_BAD_TS = 1,
	MIKEY_BAD_PRF = 2,
	MIKEY_BAD_MAC = 3,
	MIKEY_BAD_EA = 4,
	MIKEY_BAD_HA = 5,
	MIKEY_BAD_DH = 6,
	MIKEY_BAD_ID = 7,
	MIKEY_BAD_CERT = 8,
	MIKEY_BAD_SP = 9,
	MIKEY_BAD_SP_PARAM = 10,
	MIKEY_BAD_DATA_TYPE = 11,
	MIKEY_UNSPECIFIED = 12,
	MIKEY_UNSUPPORTED = 13,
	MIKEY_BAD_TICKET = 14,
	MIKEY_BAD_TP_PARAM = 15,
};
/** RFC 6043, 6.10: the flags D to O, in the order of their bits, before five reserved ones. */
enum mikey_flag {
	MIKEY_FLAG_D = 1 << 16, /**< made by the KMS, else by the Initiator */
	MIKEY_FLAG_E = 1 << 15, /**< only the KMS resolves it */
	MIKEY_FLAG_F = 1 << 14, /**< TRANSFER_RESP is sent */
	MIKEY_FLAG_G = 1 << 13, /**< the Responder generates RANDRr */
	MIKEY_FLAG_H = 1 << 12, /**< RANDRi goes into keys derived from a TGK */
	MIKEY_FLAG_I = 1 << 11, /**< keys are forked */
	MIKEY_FLAG_J = 1 << 10, /**< the ticket may be used again */
	MIKEY_FLAG_K = 1 << 9,  /**< the KMS changed what was asked for */
	MIKEY_FLAG_L = 1 << 8,  /**< the Initiator may supply keys */
	MIKEY_FLAG_M = 1 << 7,  /**< the Responder may supply keys */
	MIKEY_FLAG_N = 1 << 6,  /**< an Initiator by RFC 6043 alone can use it */
	MIKEY_FLAG_O = 1 << 5,  /**< a Responder by RFC 6043 alone can use it */
};

enum mikey_space {
	MIKEY_SPACE_DATA_TYPE,
	MIKEY_SPACE_PAYLOAD,
	MIKEY_SPACE_PRF,
	MIKEY_SPACE_MAP,
	MIKEY_SPACE_ENCR,
	MIKEY_SPACE_MAC,
	MIKEY_SPACE_HASH,
	MIKEY_SPACE_TS_TYPE,
	MIKEY_SPACE_TS_ROLE,
	MIKEY_SPACE_ID_TYPE,
	MIKEY_SPACE_ID_ROLE,
	MIKEY_SPACE_RAND_ROLE,
	MIKEY_SPACE_PROT,
	MIKEY_SPACE_TICKET_TYPE,
	MIKEY_SPACE_KEY_TYPE,
	MIKEY_SPACE_KV,
	MIKEY_SPACE_CERT,
	MIKEY_SPACE_SIGN,
	MIKEY_SPACE_EXT,
	MIKEY_SPACE_ERROR,
	MIKEY_SPACE_DH_GROUP,
	MIKEY_SPACE_CACHE,
	MIKEY_SPACE_SRTP_PARAM,
};

/** What the registry calls `value` of that name space; NULL when it has no such value. Pure. */
const char *mikey_name(enum mikey_space space, unsigned value);

#endif
